"""The school's people as a directory of another system compares them with its own."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.expressions import Case, When
from django.db.models.functions import Concat

from pupitre.people.models import Membership, Person
from pupitre.people.rules import OFFICE, Actor, Role, require

from . import _current


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """A person as a directory sees it. `user_name` is the roster's, or the sourcedId where nobody proposed one."""

    id: int
    sourced_id: str
    user_name: str
    given_name: str
    middle_name: str
    family_name: str
    preferred_name: str
    email: str
    is_active: bool
    created_at: datetime
    roles: frozenset[Role]


def directory(actor: Actor) -> "QuerySet[Person]":
    """Everybody of the school, who has left too, with `user_name` and `display_name` to filter and sort by."""
    require(actor, OFFICE)
    called = Case(When(preferred_name="", then=F("given_name")), default=F("preferred_name"))
    return Person.objects.annotate(
        user_name=Case(When(username="", then=F("sourced_id")), default=F("username")),
        display_name=Concat(called, Value(" "), F("family_name"), output_field=TextField()),
    )


def directory_persons(found: "QuerySet[Person]", today: date) -> list[DirectoryPerson]:
    """Some of `directory` with the roles that each has in the whole school today. Two statements."""
    columns = (
        *("id", "sourced_id", "user_name", "given_name", "middle_name", "family_name"),
        *("preferred_name", "email", "created_at", "ended_on"),
    )
    rows: list[dict[str, Any]] = list(found.values(*columns))
    roles = whole_school_roles([row["id"] for row in rows], today)
    return [
        DirectoryPerson(
            **{name: row[name] for name in columns[:-1]},
            is_active=row["ended_on"] is None,
            roles=roles.get(row["id"], frozenset()),
        )
        for row in rows
    ]


def whole_school_roles(person_ids: list[int], today: date) -> dict[int, frozenset[Role]]:
    """The roles that each of those persons has today in all of the school, and not only in a department."""
    found = Membership.objects.filter(_current(today), person_id__in=person_ids, department__isnull=True)
    held: dict[int, set[Role]] = {}
    for person_id, role in found.values_list("person_id", "role"):
        held.setdefault(person_id, set()).add(Role(role))
    return {person_id: frozenset(roles) for person_id, roles in held.items()}


def with_role(role: Role, today: date) -> Q:
    """Whoever has that role today, for a filter of `directory`."""
    found = Membership.objects.filter(_current(today), role=role, department__isnull=True)
    return Q(pk__in=found.values("person_id"))


def user_name_taken(user_name: str, *, but: int = 0) -> bool:
    """Whether somebody else of the school in scope goes by that user name, however it is written."""
    own = Q(username__iexact=user_name) | Q(username="", sourced_id__iexact=user_name)
    return Person.objects.filter(own).exclude(pk=but).exists()


def find_sourced(sourced_id: str) -> int | None:
    """The person of the school in scope with that sourcedId."""
    return Person.objects.filter(sourced_id=sourced_id).values_list("id", flat=True).first()
