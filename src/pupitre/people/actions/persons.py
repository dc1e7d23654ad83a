"""Changing persons, roles and guardianships by hand."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from pupitre.kernel import events
from pupitre.kernel.errors import Conflict, NotFound, Refused
from pupitre.kernel.text import fold
from pupitre.people.models import ClassCard, Guardianship, Invitation, Membership, Person
from pupitre.people.queries import files
from pupitre.people.rules import OFFICE, Actor, Relation, Role, require
from pupitre.people.rules.events import PersonCreated, PersonEnded, PersonUpdated

#: The columns of a person that the office changes by hand.
CHANGEABLE = frozenset(
    {
        "identifier",
        "given_name",
        "middle_name",
        "family_name",
        "preferred_name",
        "email",
        "phone",
        "sms",
        "sex",
        "born_on",
        "birth_place",
        "birth_country",
        "grade",
        "locale",
    }
)
#: The columns of a guardianship that say what an adult is entitled to.
ENTITLEMENTS = frozenset(
    {
        "relation",
        "lives_with",
        "sees_record",
        "receives_notices",
        "may_announce",
        "may_collect",
        "court_note",
        "priority",
        "ends_on",
    }
)


class OwnRole(Refused):
    """You cannot take your own office role away. Ask a colleague of the office."""


@transaction.atomic
def register_person(
    actor: Actor, *, given_name: str, family_name: str, now: datetime, sourced_id: str = "", **facts: Any
) -> Person:
    """Add a person to the school. `facts` are further columns of Person. Raises Conflict where the sourcedId is taken.

    Without a sourcedId the person gets one of our own, as whoever is added by hand.
    """
    require(actor, OFFICE)
    sourced_id = sourced_id or f"pupitre-{uuid.uuid4()}"
    if Person.objects.filter(sourced_id=sourced_id).exists():
        raise Conflict
    person = Person(
        school_id=actor.place.id,
        sourced_id=sourced_id,
        given_name=given_name,
        family_name=family_name,
        created_at=now,
        **facts,
    )
    _set_keys(person)
    person.save(force_insert=True)
    events.publish(PersonCreated(actor.place.id, person.pk, sourced_id))
    return person


@transaction.atomic
def add_person(
    actor: Actor, *, role: Role, given_name: str, family_name: str, now: datetime, **facts: Any
) -> Person:
    """Add a person by hand, with a first role. `facts` are columns among CHANGEABLE."""
    person = register_person(actor, given_name=given_name, family_name=family_name, now=now, **facts)
    _grant(actor, person, role)
    return person


def _set_keys(person: Person) -> None:
    person.family_key = fold(f"{person.family_name} {person.called}")
    person.given_key = fold(f"{person.called} {person.family_name}")


@transaction.atomic
def change_person(actor: Actor, person_id: int, **facts: Any) -> Person:
    """Change what the office keeps of a person. `facts` are columns among CHANGEABLE."""
    person = files.access_person_for_office(actor, person_id)
    if unknown := facts.keys() - CHANGEABLE:
        raise ValueError(f"not for the office to change: {sorted(unknown)}")
    for name, value in facts.items():
        setattr(person, name, value)
    _set_keys(person)
    person.save(update_fields=[*facts, "family_key", "given_key"])
    _tell_changed(person, *facts)
    return person


@transaction.atomic
def end_person(actor: Actor, person_id: int, *, on: date, now: datetime) -> Person:
    """A person leaves the school: the row and its history stay, codes and cards stop working."""
    person = files.access_person_for_office(actor, person_id)
    if person.pk == actor.person_id:
        raise OwnRole
    person.ended_on = on
    person.save(update_fields=["ended_on"])
    Invitation.objects.filter(person=person, used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
    ClassCard.objects.filter(person=person, revoked_at__isnull=True).update(revoked_at=now)
    events.publish(PersonEnded(person.school_id, person.pk, on))
    return person


@transaction.atomic
def return_person(actor: Actor, person_id: int) -> Person:
    """A person who had left is there again, with the roles that have not ended by themselves."""
    person = files.access_person_for_office(actor, person_id)
    person.ended_on = None
    person.save(update_fields=["ended_on"])
    _tell_changed(person, "ended_on")
    return person


def _tell_changed(person: Person, *changed: str) -> None:
    events.publish(PersonUpdated(person.school_id, person.pk, changed))


@transaction.atomic
def grant_role(
    actor: Actor, person: Person, role: Role, *, starts_on: date | None = None, ends_on: date | None = None
) -> Membership:
    """Give a person a role in the whole school, or again where it had ended."""
    require(actor, OFFICE)
    found = _grant(actor, person, role, starts_on=starts_on, ends_on=ends_on)
    _tell_changed(person, "roles")
    return found


def _grant(
    actor: Actor, person: Person, role: Role, *, starts_on: date | None = None, ends_on: date | None = None
) -> Membership:
    found, _ = Membership.objects.update_or_create(
        school_id=actor.place.id,
        person=person,
        role=role,
        department=None,
        defaults={"account_id": person.account_id, "starts_on": starts_on, "ends_on": ends_on},
    )
    return found


@transaction.atomic
def end_role(actor: Actor, membership_id: int, *, today: date) -> Membership:
    """A role ends with the day before `today`, so that it counts no more at once."""
    require(actor, OFFICE)
    # An account reads its own roles of all schools, so the school is named here.
    found = Membership.objects.filter(pk=membership_id, school_id=actor.place.id).first()
    if found is None:
        raise NotFound
    if found.person_id == actor.person_id and Role(found.role) in OFFICE:
        raise OwnRole
    found.ends_on = today - timedelta(days=1)
    found.save(update_fields=["ends_on"])
    events.publish(PersonUpdated(found.school_id, found.person_id, ("roles",)))
    return found


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
    if pupil.pk == guardian.pk:
        raise Refused
    found, _ = Guardianship.objects.update_or_create(
        school_id=actor.place.id,
        pupil=pupil,
        guardian=guardian,
        defaults={"relation": relation, "ends_on": None, **entitlements},
    )
    _tell_changed(pupil, "guardians")
    return found


@transaction.atomic
def change_guardianship(actor: Actor, pupil_id: int, guardian_id: int, **facts: Any) -> Guardianship:
    """Change an adult's relation to a pupil, entitlements and court limits. `facts` are columns among ENTITLEMENTS."""
    found = files.access_guardianship(actor, pupil_id, guardian_id)
    if unknown := facts.keys() - ENTITLEMENTS:
        raise ValueError(f"not an entitlement: {sorted(unknown)}")
    for name, value in facts.items():
        setattr(found, name, value)
    found.save(update_fields=list(facts))
    events.publish(PersonUpdated(found.school_id, found.pupil_id, ("guardians",)))
    return found
