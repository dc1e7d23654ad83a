"""Changing bell schedules, rooms, lessons and the calendar."""

from collections.abc import Iterable, Sequence
from datetime import date, time
from typing import TYPE_CHECKING

from django.db import transaction

from pupitre.people.rules import OFFICE, Actor, require

from .models import BellSchedule, Lesson, LessonTeacher, Period, Room

if TYPE_CHECKING:
    from pupitre.courses.models import Class
    from pupitre.people.models import Person

#: name, starts, ends, is a break
Bell = tuple[str, time, time, bool]


@transaction.atomic
def set_bell_schedule(
    actor: Actor, *, name: str, periods: Sequence[Bell], is_default: bool = True
) -> BellSchedule:
    """Write a day's periods, replacing those of the schedule of that name."""
    require(actor, OFFICE)
    schedule, _ = BellSchedule.objects.get_or_create(school_id=actor.place.id, name=name)
    if is_default:
        BellSchedule.objects.exclude(pk=schedule.pk).update(is_default=False)
    schedule.is_default = is_default
    schedule.save(update_fields=["is_default"])
    Period.objects.filter(schedule=schedule).delete()
    Period.objects.bulk_create(
        Period(
            school_id=actor.place.id,
            schedule=schedule,
            position=position,
            name=label,
            starts_at=starts_at,
            ends_at=ends_at,
            is_break=is_break,
        )
        for position, (label, starts_at, ends_at, is_break) in enumerate(periods)
    )
    return schedule


@transaction.atomic
def schedule_lesson(
    actor: Actor,
    klass: "Class",
    *,
    weekday: int,
    position: int,
    subject: str,
    teachers: Iterable["Person"],
    room: Room | None = None,
    length: int = 1,
    week: str = "",
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Lesson:
    """Put a weekly lesson into the timetable. `weekday` is ISO's, `position` the first period's in the bell schedule."""
    require(actor, OFFICE)
    lesson = Lesson.objects.create(
        school_id=actor.place.id,
        klass=klass,
        weekday=weekday,
        position=position,
        length=length,
        week=week,
        subject=subject,
        room=room,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    LessonTeacher.objects.bulk_create(
        LessonTeacher(school_id=actor.place.id, lesson=lesson, teacher=teacher) for teacher in teachers
    )
    return lesson


@transaction.atomic
def open_room(actor: Actor, *, name: str, capacity: int | None = None) -> Room:
    require(actor, OFFICE)
    room, _ = Room.objects.get_or_create(school_id=actor.place.id, name=name, defaults={"capacity": capacity})
    return room
