"""Changing academic sessions, classes and enrolments."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import transaction

from pupitre.people.rules import OFFICE, Actor, require

from .models import AcademicSession, Class, ClassGroup, Enrolment

if TYPE_CHECKING:
    from pupitre.people.models import Person


@transaction.atomic
def open_session(
    actor: Actor, *, sourced_id: str, title: str, school_year: int, starts_on: date, ends_on: date, kind: str = "schoolYear"
) -> AcademicSession:
    """Open a school year or term."""
    require(actor, OFFICE)
    return AcademicSession.objects.create(
        school_id=actor.place.id,
        sourced_id=sourced_id,
        title=title,
        kind=kind,
        school_year=school_year,
        starts_on=starts_on,
        ends_on=ends_on,
    )


@transaction.atomic
def open_class(actor: Actor, *, sourced_id: str, title: str, kind: str = Class.SCHEDULED, **facts: Any) -> Class:
    """Open a class or form. `facts` are further columns of Class."""
    require(actor, OFFICE)
    return Class.objects.create(school_id=actor.place.id, sourced_id=sourced_id, title=title, kind=kind, **facts)


@transaction.atomic
def enrol(
    actor: Actor,
    klass: Class,
    person: "Person",
    *,
    role: int = Enrolment.STUDENT,
    begins_on: date | None = None,
    ends_on: date | None = None,
) -> Enrolment:
    """Enrol a person by hand. Who joins a form joins the classes that take the form as a whole."""
    require(actor, OFFICE)
    enrolment = _enrol(actor, klass, person, role, Enrolment.BY_HAND, begins_on, ends_on)
    if klass.kind == Class.HOMEROOM and role == Enrolment.STUDENT:
        for group in ClassGroup.objects.select_related("klass").filter(homeroom=klass):
            _enrol(actor, group.klass, person, role, Enrolment.FROM_GROUP, begins_on, ends_on)
    return enrolment


def _enrol(
    actor: Actor, klass: Class, person: "Person", role: int, origin: int, begins_on: date | None, ends_on: date | None
) -> Enrolment:
    facts = {"origin": origin, "begins_on": begins_on, "ends_on": ends_on}
    found, _ = Enrolment.objects.get_or_create(
        school_id=actor.place.id, klass=klass, person=person, role=role, defaults=facts
    )
    return found


@transaction.atomic
def attach_homeroom(actor: Actor, klass: Class, homeroom: Class) -> ClassGroup:
    """Let a class take a form as a whole: its pupils, now and later, are the class's."""
    require(actor, OFFICE)
    group, _ = ClassGroup.objects.get_or_create(school_id=actor.place.id, klass=klass, homeroom=homeroom)
    for row in Enrolment.objects.filter(klass=homeroom, role=Enrolment.STUDENT).select_related("person"):
        _enrol(actor, klass, row.person, Enrolment.STUDENT, Enrolment.FROM_GROUP, row.begins_on, row.ends_on)
    return group
