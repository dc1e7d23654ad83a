"""What another system's directory says of persons, written down."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction

from pupitre.kernel import clock, events
from pupitre.people.models import Membership, Person
from pupitre.people.queries import files
from pupitre.people.queries.directory import whole_school_roles
from pupitre.people.rules import OFFICE, Actor, Role, require
from pupitre.people.rules.events import PersonUpdated

from .persons import _set_keys, end_person, grant_role, register_person, return_person

#: The columns of a person that a directory tells.
TOLD: Final = frozenset({"username", "given_name", "middle_name", "family_name", "preferred_name", "email"})
#: The roles that a directory gives and takes. Who runs the office is for the school alone to say.
GIVEN: Final = frozenset({Role.TEACHER, Role.AIDE, Role.COUNSELLOR, Role.PUPIL, Role.GUARDIAN})


@transaction.atomic
def add_from_directory(
    actor: Actor, *, sourced_id: str, facts: Mapping[str, Any], roles: Collection[Role], now: datetime
) -> Person:
    """A person whom a directory brings. `facts` are columns among TOLD. Raises Conflict where the sourcedId is taken."""
    require(actor, OFFICE)
    told = {name: facts[name] for name in TOLD & facts.keys()}
    person = register_person(actor, sourced_id=sourced_id, now=now, **told)
    for role in sorted(GIVEN & set(roles)):
        grant_role(actor, person, role)
    return person


@transaction.atomic
def change_from_directory(
    actor: Actor,
    person_id: int,
    *,
    facts: Mapping[str, Any],
    roles: Collection[Role] | None = None,
    is_active: bool | None = None,
    now: datetime,
) -> Person:
    """What changed of a person: columns among TOLD, the roles among GIVEN, whether she belongs to the school at all."""
    person = files.access_person_for_office(actor, person_id)
    today = clock.local(now, actor.place.time_zone).date()
    told = {name: facts[name] for name in TOLD & facts.keys()}
    if told:
        for name, value in told.items():
            setattr(person, name, value)
        _set_keys(person)
        person.save(update_fields=[*told, "family_key", "given_key"])
        events.publish(PersonUpdated(person.school_id, person.pk, tuple(sorted(told))))
    if roles is not None:
        _set_roles(actor, person, GIVEN & set(roles), today)
    if is_active is True and person.ended_on is not None:
        return_person(actor, person.pk)
    elif is_active is False and person.ended_on is None:
        end_person(actor, person.pk, on=today, now=now)
    return person


def _set_roles(actor: Actor, person: Person, wanted: Collection[Role], today: date) -> None:
    held = whole_school_roles([person.pk], today).get(person.pk, frozenset()) & GIVEN
    for role in sorted(set(wanted) - held):
        grant_role(actor, person, role)
    gone = sorted(held - set(wanted))
    if gone:
        rows = Membership.objects.filter(person=person, role__in=gone, department__isnull=True)
        rows.update(ends_on=today - timedelta(days=1))
        events.publish(PersonUpdated(person.school_id, person.pk, ("roles",)))
