"""Registers as the office finds them: what each pupil's mark says, written as a taken register leaves it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pupitre.attendance.actions import alerts, figures
from pupitre.attendance.models import Mark, Register
from pupitre.attendance.rules.status import Status
from pupitre.timetable import queries as timetable
from pupitre.timetable.models import Lesson
from tests.cast import NOW, TODAY, Cast, Member


def taken_register(
    cast: Cast,
    statuses: Mapping[Any, Status],
    *,
    lesson: Lesson | None = None,
    on: date = TODAY,
    now: datetime = NOW,
    minutes: int = 0,
) -> Register:
    """A register of the class with these marks (members or persons' ids), with its alerts and figures noted."""
    lesson = lesson or cast.lesson
    held = next(h for h in timetable.lessons_of_day(cast.school, on) if h.lesson_id == lesson.pk)
    register = Register.objects.create(
        school_id=cast.school.id,
        lesson=lesson,
        klass_id=held.class_id,
        held_on=on,
        starts_at=held.starts_at,
        ends_at=held.ends_at,
        taken_at=now,
        taken_by=cast.teacher.person,
    )
    Mark.objects.bulk_create(
        Mark(
            school_id=cast.school.id,
            register=register,
            pupil_id=who.person.pk if isinstance(who, Member) else who,
            status=status,
            minutes=minutes if status is Status.LATE else 0,
            recorded_at=now,
            recorded_by=cast.teacher.person,
            device="phone",
            held_on=on,
        )
        for who, status in statuses.items()
    )
    alerts.note_absences(cast.office, register_id=register.pk, now=now)
    figures.defer_refresh(cast.office, class_id=held.class_id, held_on=on)
    return register


def everybody(cast: Cast, status: Status = Status.PRESENT) -> dict[Any, Status]:
    return dict.fromkeys((cast.pupil.person.pk, cast.sister.person.pk, cast.classmate.person.pk), status)


def tuesdays(before: date, count: int) -> list[date]:
    """So many Tuesdays before that one, the latest first: days on which the class has its lessons."""
    return [before - timedelta(weeks=n) for n in range(1, count + 1)]
