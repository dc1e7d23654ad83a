"""Registers as the office finds them: taken, each pupil's mark as the test says, everybody else present."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pupitre.attendance.actions.registers import Told, take_register
from pupitre.attendance.models import Mark, Register
from pupitre.attendance.rules.status import DEFAULT_LETTERS, Status
from pupitre.timetable import queries as timetable
from pupitre.timetable.models import Lesson
from tests.cast import NOW, TODAY, Cast


def taken_register(
    cast: Cast,
    statuses: Mapping[int, Status],
    *,
    lesson: Lesson | None = None,
    on: date = TODAY,
    now: datetime = NOW,
    minutes: int = 0,
) -> Register:
    """A register of the class with these marks by person, taken at `now`, or when a later lesson begins."""
    lesson = lesson or cast.lesson
    held = next(h for h in timetable.lessons_of_day(cast.school, on) if h.lesson_id == lesson.pk)
    taken = take_register(
        cast.office,
        lesson_id=lesson.pk,
        held_on=on,
        told=[
            Told(person_id, DEFAULT_LETTERS["en"][status - 1], minutes if status is Status.LATE else 0)
            for person_id, status in statuses.items()
        ],
        now=max(now, held.starts_at.astimezone(UTC)),
        device="phone",
    )
    return Register.objects.get(pk=taken.register_id)


def everybody(cast: Cast, status: Status = Status.PRESENT) -> dict[Any, Status]:
    return dict.fromkeys((cast.pupil.person.pk, cast.sister.person.pk, cast.classmate.person.pk), status)


def tuesdays(before: date, count: int) -> list[date]:
    """So many Tuesdays before that one, the latest first: days on which the class has its lessons."""
    return [before - timedelta(weeks=n) for n in range(1, count + 1)]


def past_register(
    cast: Cast,
    on: date,
    marks: Mapping[int, tuple[int, int]],
    *,
    lesson: Lesson | None = None,
    hour: int = 9,
) -> Register:
    """A register of any day, as it came from another system: (status, minutes late) by person. Nothing is counted.

    `hour` is Madrid's in summer.
    """
    lesson = lesson or cast.lesson
    starts_at = datetime.combine(on, time(hour - 2), UTC)
    register = Register.objects.create(
        school_id=cast.school.id, lesson=lesson, klass_id=lesson.klass_id, held_on=on, starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=55), taken_at=starts_at,
    )  # fmt: skip
    Mark.objects.bulk_create(
        Mark(school_id=cast.school.id, register=register, pupil_id=pupil, status=status,
             minutes=minutes if status == Status.LATE else 0, recorded_at=starts_at, held_on=on)
        for pupil, (status, minutes) in marks.items()
    )  # fmt: skip
    return register
