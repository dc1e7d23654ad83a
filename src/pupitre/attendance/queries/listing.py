"""A day's registers, and absences one slice after the other. For the office."""

from datetime import date
from typing import Any

from pupitre.attendance.models import AbsenceNotice
from pupitre.attendance.rules.absences import NoticeState
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.keyset import slice_of
from pupitre.timetable import queries as timetable

from .absences import NoticeRow, notice_rows
from .registers import LessonState, states_of


def registers_on(actor: Actor, on: date) -> list[LessonState]:
    """All lessons of the school on a day in order of time, and how far their registers are. Two statements."""
    require(actor, OFFICE)
    lessons = timetable.lessons_of_day(actor.place, on)
    states = states_of(on, [lesson.lesson_id for lesson in lessons]) if lessons else {}
    return [LessonState(lesson, *states.get(lesson.lesson_id, ())) for lesson in lessons]


def absences_after(
    actor: Actor,
    after: tuple[Any, ...] | None,
    *,
    limit: int,
    state: NoticeState | None = None,
    pupil_id: int | None = None,
    with_withdrawn: bool = False,
) -> tuple[list[NoticeRow], tuple[Any, ...] | None]:
    """Absences in the order in which they were announced. Three statements."""
    require(actor, OFFICE)
    found = AbsenceNotice.objects.all()
    if not with_withdrawn:
        found = found.filter(withdrawn_at__isnull=True)
    if state is not None:
        found = found.filter(state=state)
    if pupil_id is not None:
        found = found.filter(pupil_id=pupil_id)
    part = slice_of(found, ("id",), by="id", after=after, limit=limit)
    ids = [row[0] for row in part.rows]
    return notice_rows(actor, AbsenceNotice.objects.filter(pk__in=ids).order_by("id")), part.following
