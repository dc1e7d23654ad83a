"""Changing one lesson on one day: a substitute, another room, a note, or that it is not held."""

from datetime import date, datetime

from django.db import transaction

from pupitre.kernel import events
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.timetable.models import Lesson, Substitution
from pupitre.timetable.queries import HeldLesson, lessons_of_day
from pupitre.timetable.rules.errors import NotHeldThen, NothingChanged
from pupitre.timetable.rules.events import CoverChanged, DayChanged
from pupitre.timetable.rules.words import title_beside


@transaction.atomic
def change_day(
    actor: Actor,
    lesson_id: int,
    held_on: date,
    *,
    now: datetime,
    substitute_id: int | None = None,
    absent_teacher_id: int | None = None,
    room_id: int | None = None,
    is_cancelled: bool = False,
    note: str = "",
) -> Substitution:
    """Say what is different about a lesson on a date, instead of what was said before.

    Who is newly to stand in, and who need not any more, is published as CoverChanged. Raises NotHeldThen where the lesson
    does not take place on that date, and NothingChanged where nothing is different.
    """
    require(actor, OFFICE)
    if not (substitute_id or room_id or is_cancelled or note):
        raise NothingChanged
    before = _lesson_then(actor, lesson_id, held_on)
    if before is None:
        raise NotHeldThen
    found, _ = Substitution.objects.update_or_create(
        school_id=actor.place.id,
        lesson_id=lesson_id,
        held_on=held_on,
        defaults={
            "substitute_id": None if is_cancelled else substitute_id,
            "absent_teacher_id": absent_teacher_id,
            "room_id": room_id,
            "is_cancelled": is_cancelled,
            "note": note,
        },
    )
    _publish(actor, before, found.substitute_id, now)
    events.publish(
        DayChanged(
            school_id=actor.place.id,
            lesson_id=lesson_id,
            held_on=held_on,
            substitute_id=found.substitute_id,
            room_id=room_id,
            is_cancelled=is_cancelled,
            is_undone=False,
        )
    )
    return found


@transaction.atomic
def undo_change(actor: Actor, lesson_id: int, held_on: date, *, now: datetime) -> None:
    """Let the lesson be held on that date as the timetable has it; who stood in is released (CoverChanged)."""
    require(actor, OFFICE)
    before = _lesson_then(actor, lesson_id, held_on)
    done, _ = Substitution.objects.filter(lesson_id=lesson_id, held_on=held_on).delete()
    if not done:
        raise NotFound
    if before is not None:
        _publish(actor, before, None, now)
    events.publish(
        DayChanged(actor.place.id, lesson_id, held_on, None, None, is_cancelled=False, is_undone=True)
    )


def _lesson_then(actor: Actor, lesson_id: int, held_on: date) -> HeldLesson | None:
    """The lesson as it is to be held on that date so far.

    Who changes the same lesson at the same time waits: otherwise two would each believe to be the first, and a
    substitute whom the second replaces would not learn of it.
    """
    Lesson.objects.select_for_update(no_key=True).filter(pk=lesson_id).first()
    return next(iter(lessons_of_day(actor.place, held_on, lesson_id=lesson_id)), None)


def _publish(actor: Actor, before: HeldLesson, substitute_id: int | None, now: datetime) -> None:
    """Tell of another substitute than before; nobody needs to know it of a lesson that is over."""
    if before.substitute_id == substitute_id or before.ends_at <= now:
        return
    events.publish(
        CoverChanged(
            school_id=actor.place.id,
            lesson_id=before.lesson_id,
            held_on=before.held_on,
            starts_at=before.starts_at,
            subject=before.subject or before.class_title,
            group=title_beside(before.subject, before.class_title),
            substitute_id=substitute_id,
            released_id=before.substitute_id,
            at=now,
        )
    )
