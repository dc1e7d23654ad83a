"""What was changed about a person, and who of the staff looked: for the person concerned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pupitre.kernel.errors import NotFound
from pupitre.people.models import Account, Guardianship, Look, Person
from pupitre.people.rules import OFFICE, Actor, LookAt
from pupitre.people.rules.history import hidden_from_guardian
from pupitre.tenancy import queries as tenancy

from . import is_guardian_of

_TIES = "people_guardianship"


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change. `operation` is I, U or D; `fields` holds (column, before, after). `who` is '' for the system."""

    at: datetime
    table: str
    operation: str
    who: str
    fields: list[tuple[str, Any, Any]]
    #: The other person of a guardianship, where it is one.
    about: str = ""


@dataclass(frozen=True, slots=True)
class LookLine:
    """One look of a member of staff."""

    at: datetime
    who: str
    what: LookAt
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything that is kept about one person, newest first."""

    person: Person
    changes: list[ChangeLine]
    looks: list[LookLine]


def access_history(actor: Actor, person_id: int, *, limit: int = 200) -> History:
    """The history of oneself, of a pupil whose record one sees as guardian, or of anybody for the office.

    A guardian does not read what is protected (rules.history): a change of nothing else is left out.
    """
    reads_all = actor.is_any(OFFICE) or person_id == actor.person_id
    is_allowed = reads_all or is_guardian_of(actor, person_id)
    person = Person.objects.filter(pk=person_id).first() if is_allowed and actor.roles else None
    if person is None:
        raise NotFound
    guardian_id = None if reads_all else actor.person_id
    return History(person, _changes(person_id, guardian_id, limit), _looks(person_id, limit))


def _changes(person_id: int, guardian_id: int | None, limit: int) -> list[ChangeLine]:
    """`guardian_id` is the reader where she reads as guardian."""
    rows = tenancy.changes_about(person_id, limit=limit)
    accounts = _account_names({row.account_id for row in rows if row.account_id})
    adults = _adults({row.row_id for row in rows if row.table_name == _TIES})
    found = []
    for row in rows:
        adult_id, adult = adults.get(row.row_id, (0, "")) if row.table_name == _TIES else (0, "")
        hidden: frozenset[str] = frozenset()
        if guardian_id is not None:
            hidden = hidden_from_guardian(row.table_name, is_her_own=adult_id == guardian_id)
        fields = _fields(row.before or {}, row.after or {}, hidden)
        if fields or not hidden:
            who = accounts.get(row.account_id or 0, "")
            found.append(ChangeLine(row.changed_at, row.table_name, row.operation, who, fields, adult))
    return found


def _fields(
    before: dict[str, Any], after: dict[str, Any], hidden: frozenset[str]
) -> list[tuple[str, Any, Any]]:
    names = (after.keys() | before.keys()) - hidden
    return [(name, before.get(name), after.get(name)) for name in sorted(names)]


def _account_names(ids: set[int]) -> dict[int, str]:
    rows = Account.objects.filter(pk__in=ids).values_list("id", "display_name", "username")
    return {pk: name or username for pk, name, username in rows}


def _adults(ids: set[int]) -> dict[int, tuple[int, str]]:
    """Of each guardianship the adult's id and name: a change holds only the columns that changed."""
    if not ids:
        return {}
    rows = Guardianship.objects.filter(pk__in=ids).select_related("guardian")
    return {row.pk: (row.guardian_id, row.guardian.full_name) for row in rows}


def _looks(person_id: int, limit: int) -> list[LookLine]:
    rows = Look.objects.filter(subject_id=person_id).order_by("-looked_at", "-id")[:limit]
    values = rows.values_list("looked_at", "actor_name", "what", "reason")
    return [LookLine(at, name, LookAt(what), reason) for at, name, what, reason in values]
