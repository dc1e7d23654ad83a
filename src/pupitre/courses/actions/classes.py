"""Changing academic sessions, classes and enrolments by hand."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from pupitre.courses.actions.groups import follow_homerooms
from pupitre.courses.models import AcademicSession, Class, ClassGroup, Enrolment
from pupitre.courses.rules.events import EnrolmentChanged
from pupitre.kernel import events
from pupitre.kernel.errors import Refused
from pupitre.people.rules import OFFICE, Actor, require

if TYPE_CHECKING:
    from pupitre.people.models import Person


class NotAHomeroom(Refused):
    """Only a form can be attached to a class."""


@transaction.atomic
def open_session(
    actor: Actor,
    *,
    sourced_id: str,
    title: str,
    school_year: int,
    starts_on: date,
    ends_on: date,
    kind: str = "schoolYear",
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
def open_class(
    actor: Actor, *, sourced_id: str, title: str, kind: str = Class.SCHEDULED, **facts: Any
) -> Class:
    """Open a class or form. `facts` are further columns of Class."""
    require(actor, OFFICE)
    return Class.objects.create(
        school_id=actor.place.id, sourced_id=sourced_id, title=title, kind=kind, **facts
    )


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
    """Enrol a person by hand, or again. Who joins a form joins the classes that take the form as a whole."""
    require(actor, OFFICE)
    facts = {"origin": Enrolment.BY_HAND, "begins_on": begins_on, "ends_on": ends_on}
    enrolment, is_new = Enrolment.objects.get_or_create(
        school_id=actor.place.id, klass=klass, person=person, role=role, defaults=facts
    )
    if not is_new and enrolment.ends_on is not None:
        enrolment.ends_on = ends_on
        enrolment.save(update_fields=["ends_on"])
    if klass.kind == Class.HOMEROOM and role == Enrolment.STUDENT:
        follow_homerooms(homeroom_ids=[klass.pk])
    events.publish(EnrolmentChanged(actor.place.id, klass.pk, person.pk, role, is_ended=False))
    return enrolment


@transaction.atomic
def end_enrolment(actor: Actor, enrolment: Enrolment, *, today: date) -> Enrolment:
    """Let a person leave a class: yesterday was the last day. Classes that take the form as a whole follow."""
    require(actor, OFFICE)
    enrolment.ends_on = today - timedelta(days=1)
    enrolment.save(update_fields=["ends_on"])
    follow_homerooms(homeroom_ids=[enrolment.klass_id])
    events.publish(
        EnrolmentChanged(
            actor.place.id, enrolment.klass_id, enrolment.person_id, enrolment.role, is_ended=True
        )
    )
    return enrolment


@transaction.atomic
def attach_homeroom(actor: Actor, klass: Class, homeroom: Class) -> ClassGroup:
    """Let a class take a form as a whole: its pupils, now and later, are the class's."""
    require(actor, OFFICE)
    if homeroom.kind != Class.HOMEROOM or homeroom.pk == klass.pk:
        raise NotAHomeroom
    group, _ = ClassGroup.objects.get_or_create(school_id=actor.place.id, klass=klass, homeroom=homeroom)
    follow_homerooms(homeroom_ids=[homeroom.pk])
    return group


@transaction.atomic
def detach_homeroom(actor: Actor, klass: Class, homeroom: Class, *, today: date) -> None:
    """Let a class no longer take a form as a whole; whoever came with the form leaves the class."""
    require(actor, OFFICE)
    ClassGroup.objects.filter(klass=klass, homeroom=homeroom).delete()
    came = Enrolment.objects.filter(klass=klass, origin=Enrolment.FROM_GROUP, role=Enrolment.STUDENT)
    members = Enrolment.objects.filter(klass=homeroom, role=Enrolment.STUDENT).values("person_id")
    came.filter(person_id__in=members).update(ends_on=today - timedelta(days=1))
    follow_homerooms(class_ids=[klass.pk])
