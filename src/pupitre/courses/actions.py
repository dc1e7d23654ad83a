"""Changing academic sessions, classes and enrolments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

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


# PostgreSQL takes 65,535 parameters a statement; a class has 15 columns.
_BATCH = 1000

_TAKE_FORMS = """
INSERT INTO courses_enrolment (school_id, class_id, person_id, role, origin, sourced_id, roster_role, is_primary,
                               begins_on, ends_on)
SELECT DISTINCT ON (g.class_id, e.person_id)
       g.school_id, g.class_id, e.person_id, e.role, 3, '', '', false, e.begins_on, e.ends_on
  FROM courses_classgroup g JOIN courses_enrolment e ON e.class_id = g.homeroom_id AND e.role = 1
 WHERE g.class_id = ANY(%(classes)s)
 ORDER BY g.class_id, e.person_id, e.ends_on DESC NULLS FIRST
ON CONFLICT (school_id, class_id, person_id, role) DO UPDATE SET ends_on = EXCLUDED.ends_on
 WHERE courses_enrolment.origin = 3 AND courses_enrolment.ends_on IS DISTINCT FROM EXCLUDED.ends_on
"""
_LEAVE_FORMS = """
UPDATE courses_enrolment x SET ends_on = %(yesterday)s
 WHERE x.class_id = ANY(%(classes)s) AND x.role = 1 AND x.origin = 3 AND (x.ends_on IS NULL OR x.ends_on > %(yesterday)s)
   AND NOT EXISTS (SELECT FROM courses_classgroup g JOIN courses_enrolment e ON e.class_id = g.homeroom_id AND e.role = 1
                    WHERE g.class_id = x.class_id AND e.person_id = x.person_id)
"""


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A class as a timetable needs it. `homerooms` are sourcedIds of the forms that it takes as a whole, `teachers` persons."""

    sourced_id: str
    title: str
    kind: str = Class.SCHEDULED
    subject: str = ""
    homerooms: tuple[str, ...] = ()
    teachers: tuple[int, ...] = ()


@transaction.atomic
def arrange_classes(actor: Actor, classes: Sequence[ClassFacts], *, today: date) -> dict[str, int]:
    """Open what is missing of these classes, and let exactly their forms and at least their teachers be in them.

    Answers the ids by sourcedId. The number of statements does not grow with the classes; what is so already is not
    written, so a repeated call leaves no history. A pupil whom no form brings any longer is ended the day before `today`.
    """
    require(actor, OFFICE)
    ids = _open_missing(actor, classes)
    _group(actor, classes, ids)
    taking = [ids[facts.sourced_id] for facts in classes if facts.kind == Class.SCHEDULED]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_FORMS, {"classes": taking})
        cursor.execute(_LEAVE_FORMS, {"classes": taking, "yesterday": today - timedelta(days=1)})
    teaching = {(ids[facts.sourced_id], teacher) for facts in classes for teacher in facts.teachers}
    Enrolment.objects.bulk_create(
        (
            Enrolment(
                school_id=actor.place.id,
                klass_id=klass,
                person_id=teacher,
                role=Enrolment.TEACHER,
                origin=Enrolment.BY_HAND,
            )
            for klass, teacher in sorted(teaching)
        ),
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    return ids


def _open_missing(actor: Actor, classes: Sequence[ClassFacts]) -> dict[str, int]:
    wanted = {facts.sourced_id: facts for facts in classes}
    named = set(wanted).union(*(facts.homerooms for facts in classes)) if classes else set[str]()
    held = dict(Class.objects.filter(sourced_id__in=named).values_list("sourced_id", "id"))
    Class.objects.filter(sourced_id__in=list(wanted), ended_on__isnull=False).update(ended_on=None)
    opened = Class.objects.bulk_create(
        (
            Class(
                school_id=actor.place.id,
                sourced_id=sourced_id,
                title=facts.title,
                kind=facts.kind,
                subject=facts.subject,
            )
            for sourced_id, facts in wanted.items()
            if sourced_id not in held
        ),
        batch_size=_BATCH,
    )
    return held | {klass.sourced_id: klass.pk for klass in opened}


def _group(actor: Actor, classes: Sequence[ClassFacts], ids: dict[str, int]) -> None:
    wanted = {
        (ids[facts.sourced_id], ids[form])
        for facts in classes
        for form in facts.homerooms
        if facts.kind == Class.SCHEDULED
    }
    taking = [ids[facts.sourced_id] for facts in classes if facts.kind == Class.SCHEDULED]
    held = {
        (klass, form): pk
        for pk, klass, form in ClassGroup.objects.filter(klass_id__in=taking).values_list(
            "id", "klass_id", "homeroom_id"
        )
    }
    ClassGroup.objects.filter(pk__in=[pk for pair, pk in held.items() if pair not in wanted]).delete()
    ClassGroup.objects.bulk_create(
        (
            ClassGroup(school_id=actor.place.id, klass_id=klass, homeroom_id=form)
            for klass, form in sorted(wanted - held.keys())
        ),
        batch_size=_BATCH,
    )
