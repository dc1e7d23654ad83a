"""Which of today's registers are due and not taken."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pupitre.attendance.queries.rosters import rows
from pupitre.people.rules import Actor
from pupitre.timetable import queries as timetable
from pupitre.timetable.queries import HeldLesson

# Those of the classes that have pupils, and the forms and grades that they take: a lesson without pupils has no register.
_CLASSES = """
SELECT c.id, c.grades, (SELECT array_agg(g.homeroom_id) FROM courses_classgroup g WHERE g.class_id = c.id)
  FROM courses_class c
 WHERE c.id = ANY(%s) AND EXISTS (SELECT 1 FROM courses_enrolment e WHERE e.class_id = c.id AND e.role = 1)
"""


@dataclass(frozen=True, slots=True)
class UntakenRegister:
    """A lesson under way or over whose register nobody has taken. `minutes` since it began."""

    lesson_id: int
    subject: str
    class_title: str
    room: str
    teachers: tuple[str, ...]
    is_substitute: bool
    starts_at: datetime
    ends_at: datetime
    minutes: int
    is_over: bool


def untaken_registers(
    actor: Actor, day: date, *, now: datetime, due_minutes: int, form_id: int = 0, grade: str = ""
) -> tuple[list[UntakenRegister], int]:
    """The due registers that are not taken, those under way first; and how many of the day were taken. Three statements."""
    taken = [row[0] for row in rows("SELECT lesson_id FROM attendance_register WHERE held_on = %s", [day])]
    due = [
        held
        for held in timetable.lessons_of_day(actor.place, day, besides=taken)
        if not held.is_cancelled and held.starts_at + timedelta(minutes=due_minutes) <= now
    ]
    classes = {
        class_id: (grades, forms or [])
        for class_id, grades, forms in rows(_CLASSES, [list({held.class_id for held in due})])
    }
    found = []
    for held in due:
        if held.class_id in classes:
            grades, forms = classes[held.class_id]
            is_wanted = (not form_id or form_id in {held.class_id, *forms}) and (not grade or grade in grades)
            if is_wanted:
                found.append(_untaken(held, now))
    return sorted(found, key=lambda one: (one.is_over, one.starts_at, one.class_title)), len(taken)


def _untaken(held: HeldLesson, now: datetime) -> UntakenRegister:
    return UntakenRegister(
        lesson_id=held.lesson_id,
        subject=held.subject,
        class_title=held.class_title,
        room=held.room,
        teachers=tuple(held.acting.values()),
        is_substitute=held.substitute_id is not None,
        starts_at=held.starts_at,
        ends_at=held.ends_at,
        minutes=int((now - held.starts_at).total_seconds() // 60),
        is_over=held.ends_at <= now,
    )
