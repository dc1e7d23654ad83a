"""Arranging the classes that a timetable needs, in a number of statements that does not grow with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from pupitre.courses.actions.groups import follow_homerooms
from pupitre.courses.models import Class, ClassGroup, Enrolment
from pupitre.people.rules import OFFICE, Actor, require

# PostgreSQL takes 65,535 parameters a statement; a class has 15 columns.
_BATCH = 1000

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
    follow_homerooms(class_ids=taking)
    with connection.cursor() as cursor:
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
