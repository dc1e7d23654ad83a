"""People of a school one slice after the other, for who takes all of them along."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from pupitre.kernel.text import fold
from pupitre.people.models import Membership, Person
from pupitre.people.rules import OFFICE, Actor, Role, require
from pupitre.tenancy.keyset import slice_of

from . import _current

_COLUMNS = (
    "id",
    "sourced_id",
    "identifier",
    "given_name",
    "preferred_name",
    "family_name",
    "grade",
    "ended_on",
)


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person without anything that a look at it must be noted for."""

    id: int
    sourced_id: str
    identifier: str
    given_name: str
    preferred_name: str
    family_name: str
    grade: str
    ended_on: date | None
    roles: tuple[Role, ...]


def people_after(
    actor: Actor,
    after: tuple[Any, ...] | None,
    *,
    limit: int,
    today: date,
    words: str = "",
    role: Role | None = None,
    among: Iterable[int] | None = None,
    with_left: bool = False,
) -> tuple[list[ListedPerson], tuple[Any, ...] | None]:
    """The next people by name behind (family key, id), and the key to go on behind. For the office. Two statements."""
    require(actor, OFFICE)
    found = Person.objects.all()
    if not with_left:
        found = found.filter(ended_on__isnull=True)
    if role is not None:
        found = found.filter(pk__in=Membership.objects.filter(_current(today), role=role).values("person_id"))
    if among is not None:
        found = found.filter(pk__in=among)
    if key := fold(words):
        found = found.filter(Q(family_key__startswith_c=key) | Q(given_key__startswith_c=key))
    part = slice_of(found, _COLUMNS, by="family_key", after=after, limit=limit)
    roles = roles_of([row[0] for row in part.rows], today)
    listed = [
        ListedPerson(**dict(zip(_COLUMNS, row, strict=True)), roles=roles.get(row[0], ()))
        for row in part.rows
    ]
    return listed, part.following


def roles_of(person_ids: list[int], today: date) -> dict[int, tuple[Role, ...]]:
    """What these persons are in the school today. One statement."""
    found: dict[int, set[Role]] = {}
    rows = Membership.objects.filter(_current(today), person_id__in=person_ids)
    for person_id, role in rows.values_list("person_id", "role"):
        found.setdefault(person_id, set()).add(Role(role))
    return {person_id: tuple(sorted(roles)) for person_id, roles in found.items()}
