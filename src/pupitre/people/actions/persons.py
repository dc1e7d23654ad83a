"""Changing persons, roles and guardianships by hand."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from pupitre.kernel.errors import Conflict
from pupitre.kernel.text import fold
from pupitre.people.models import Guardianship, Membership, Person
from pupitre.people.rules import OFFICE, Actor, Relation, Role, require


@transaction.atomic
def register_person(
    actor: Actor, *, sourced_id: str, given_name: str, family_name: str, now: datetime, **facts: Any
) -> Person:
    """Add a person to the school. `facts` are further columns of Person. Raises Conflict where the sourcedId is taken."""
    require(actor, OFFICE)
    if Person.objects.filter(sourced_id=sourced_id).exists():
        raise Conflict
    return Person.objects.create(
        school_id=actor.place.id,
        sourced_id=sourced_id,
        given_name=given_name,
        family_name=family_name,
        family_key=fold(f"{family_name} {facts.get('preferred_name') or given_name}"),
        given_key=fold(f"{facts.get('preferred_name') or given_name} {family_name}"),
        created_at=now,
        **facts,
    )


@transaction.atomic
def grant_role(
    actor: Actor, person: Person, role: Role, *, starts_on: date | None = None, ends_on: date | None = None
) -> Membership:
    """Give a person a role in the whole school."""
    require(actor, OFFICE)
    return Membership.objects.create(
        school_id=actor.place.id,
        person=person,
        account_id=person.account_id,
        role=role,
        starts_on=starts_on,
        ends_on=ends_on,
    )


@transaction.atomic
def make_guardian(
    actor: Actor,
    pupil: Person,
    guardian: Person,
    *,
    relation: Relation = Relation.GUARDIAN,
    **entitlements: Any,
) -> Guardianship:
    """Say that an adult looks after a pupil, and what she is entitled to (columns of Guardianship)."""
    require(actor, OFFICE)
    return Guardianship.objects.create(
        school_id=actor.place.id, pupil=pupil, guardian=guardian, relation=relation, **entitlements
    )
