"""Changing lessons and rooms by hand."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.timetable.models import Lesson, LessonTeacher, Room
from pupitre.timetable.rules.errors import SlotUnclear

if TYPE_CHECKING:
    from pupitre.courses.models import Class
    from pupitre.people.models import Person


@transaction.atomic
def schedule_lesson(
    actor: Actor,
    klass: "Class | int",
    *,
    weekday: int,
    position: int,
    subject: str,
    teachers: Iterable["Person | int"],
    room: Room | int | None = None,
    length: int = 1,
    week: str = "",
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Lesson:
    """Put a weekly lesson into the timetable. `weekday` is ISO's, `position` the first period's in the bell schedule."""
    require(actor, OFFICE)
    _check_slot(weekday, position, length, week)
    lesson = Lesson.objects.create(
        school_id=actor.place.id,
        klass_id=klass if isinstance(klass, int) else klass.pk,
        weekday=weekday,
        position=position,
        length=length,
        week=week,
        subject=subject,
        room_id=room.pk if isinstance(room, Room) else room,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    _give_teachers(lesson, {teacher if isinstance(teacher, int) else teacher.pk for teacher in teachers})
    return lesson


def _check_slot(weekday: int, position: int, length: int, week: str) -> None:
    if not (1 <= weekday <= 7 and 0 <= position < 100 and 1 <= length < 24 and week in {"", "A", "B"}):
        raise SlotUnclear


def _give_teachers(lesson: Lesson, wanted: set[int]) -> None:
    held = dict(LessonTeacher.objects.filter(lesson=lesson).values_list("teacher_id", "id"))
    LessonTeacher.objects.filter(
        pk__in=[pk for teacher, pk in held.items() if teacher not in wanted]
    ).delete()
    LessonTeacher.objects.bulk_create(
        LessonTeacher(school_id=lesson.school_id, lesson=lesson, teacher_id=teacher)
        for teacher in sorted(wanted - held.keys())
    )


@transaction.atomic
def change_lesson(
    actor: Actor,
    lesson_id: int,
    *,
    from_on: date,
    weekday: int,
    position: int,
    subject: str,
    teachers: Iterable[int],
    room: int | None,
    length: int = 1,
    week: str = "",
    ends_on: date | None = None,
) -> Lesson:
    """Change a lesson from a date on. What was held before stays as it was: the old row ends, a new one begins.

    A lesson that has not begun on that date is changed itself.
    """
    require(actor, OFFICE)
    lesson = Lesson.objects.select_for_update().filter(pk=lesson_id).first()
    if lesson is None:
        raise NotFound
    _check_slot(weekday, position, length, week)
    facts = {"weekday": weekday, "position": position, "length": length, "week": week, "subject": subject}
    if lesson.starts_on is not None and lesson.starts_on >= from_on:
        for name, value in {**facts, "room_id": room, "ends_on": ends_on, "starts_on": from_on}.items():
            setattr(lesson, name, value)
        lesson.save()
        _give_teachers(lesson, set(teachers))
        return lesson
    klass = lesson.klass_id
    end_lesson(actor, lesson_id, last_on=from_on - timedelta(days=1))
    return schedule_lesson(
        actor,
        klass,
        weekday=weekday,
        position=position,
        length=length,
        week=week,
        subject=subject,
        teachers=teachers,
        room=room,
        starts_on=from_on,
        ends_on=ends_on,
    )


@transaction.atomic
def end_lesson(actor: Actor, lesson_id: int, *, last_on: date) -> Lesson:
    """Let a lesson be held for the last time on or before that date. Its registers stay."""
    require(actor, OFFICE)
    lesson = Lesson.objects.select_for_update().filter(pk=lesson_id).first()
    if lesson is None:
        raise NotFound
    lesson.ends_on = last_on
    lesson.save(update_fields=["ends_on"])
    return lesson


@transaction.atomic
def open_room(actor: Actor, *, name: str, capacity: int | None = None) -> Room:
    """Add a room, or open it again; the capacity is written where it is told."""
    require(actor, OFFICE)
    room, _ = Room.objects.get_or_create(school_id=actor.place.id, name=name, defaults={"capacity": capacity})
    if room.ended_on or (capacity is not None and room.capacity != capacity):
        room.ended_on, room.capacity = None, capacity if capacity is not None else room.capacity
        room.save(update_fields=["ended_on", "capacity"])
    return room


@transaction.atomic
def close_room(actor: Actor, room_id: int, *, today: date) -> Room:
    """Offer a room no longer. Lessons that are in it stay there."""
    require(actor, OFFICE)
    room = Room.objects.filter(pk=room_id).first()
    if room is None:
        raise NotFound
    room.ended_on = today
    room.save(update_fields=["ended_on"])
    return room
