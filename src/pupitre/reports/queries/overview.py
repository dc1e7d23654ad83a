"""The head's school: today in figures, the last thirty days, and who should be talked about."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from pupitre.attendance.queries import statistics
from pupitre.attendance.queries.settings import settings_for
from pupitre.attendance.queries.statistics import Figures, PupilFigures, Stretch
from pupitre.attendance.queries.untaken import UntakenRegister, untaken_registers
from pupitre.kernel import clock
from pupitre.people.rules import STAFF, Actor, Role, require

WINDOW: Final = timedelta(days=30)
_MOST_CONCERNS: Final = 8


@dataclass(frozen=True, slots=True)
class SchoolOverview:
    """A school as its head sees it. `registers_due` counts the lessons of today whose register is due by now."""

    day: date
    pupils: int
    staff: int
    today: Figures
    registers_taken: int
    untaken: list[UntakenRegister]
    days: list[tuple[date, Figures]]
    forms: list[tuple[str, Figures]]
    concerns: list[PupilFigures]
    waiting: int

    @property
    def registers_due(self) -> int:
        return self.registers_taken + len(self.untaken)

    @property
    def window(self) -> Figures:
        total = Figures()
        for _, figures in self.days:
            total = total.plus(figures)
        return total


_COLUMNS: Final = "marks, present, absent, late, excused, out_of_class"
_SUMS: Final = "sum(f.marks), sum(f.present), sum(f.absent), sum(f.late), sum(f.excused), sum(f.out_of_class)"
# An authority may read the figures too, and a policy with two ways in is no index condition: the school is named again.
_BY_DAY: Final = f"""
SELECT held_on, {_COLUMNS} FROM attendance_schoolday WHERE school_id = %s AND held_on BETWEEN %s AND %s ORDER BY held_on
"""  # noqa: S608 - put together from constants
# A class that takes one form as a whole counts for the form. Where a school has no forms, its classes stand for themselves;
# classes that mix forms would only repeat what the forms say.
_BY_FORM: Final = f"""
WITH title_of AS MATERIALIZED (
    SELECT c.id, CASE WHEN c.kind = 'homeroom' THEN c.title ELSE
           (SELECT min(form.title) FROM courses_classgroup g JOIN courses_class form ON form.id = g.homeroom_id
             WHERE g.class_id = c.id HAVING count(*) = 1) END AS form, c.title
      FROM courses_class c
), has_forms AS (SELECT EXISTS (SELECT 1 FROM title_of WHERE form IS NOT NULL) AS it)
SELECT CASE WHEN has_forms.it THEN t.form ELSE t.title END AS shown, {_SUMS}
  FROM attendance_dayfigure f JOIN title_of t ON t.id = f.class_id CROSS JOIN has_forms
 WHERE f.school_id = %s AND f.held_on BETWEEN %s AND %s AND (t.form IS NOT NULL OR NOT has_forms.it) GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - put together from constants
_COUNTS: Final = """
SELECT count(DISTINCT m.person_id) FILTER (WHERE m.role = %(pupil)s), count(DISTINCT m.person_id) FILTER (WHERE m.role = ANY(%(staff)s)),
       (SELECT count(*) FROM attendance_absencenotice WHERE state = 1 AND withdrawn_at IS NULL)
  FROM people_membership m JOIN people_person p ON p.id = m.person_id
 WHERE p.ended_on IS NULL AND (m.starts_on IS NULL OR m.starts_on <= %(today)s) AND (m.ends_on IS NULL OR m.ends_on >= %(today)s)
"""


def overview_of(actor: Actor, *, now: datetime) -> SchoolOverview:
    """The school now. The number of statements depends neither on its size nor on the days."""
    require(actor, frozenset({Role.HEAD}))
    today = clock.local(now, actor.place.time_zone).date()
    stretch = Stretch(today - WINDOW, today)
    with connection.cursor() as cursor:
        asked: list[Any] = [actor.place.id, stretch.first, stretch.last]
        cursor.execute(_BY_DAY, asked)
        days = [(row[0], Figures(*map(int, row[1:]))) for row in cursor.fetchall()]
        cursor.execute(_BY_FORM, asked)
        forms = [(row[0], Figures(*map(int, row[1:]))) for row in cursor.fetchall()]
        facts: dict[str, Any] = {
            "pupil": int(Role.PUPIL),
            "staff": [int(role) for role in STAFF],
            "today": today,
        }
        cursor.execute(_COUNTS, facts)
        pupils, staff, waiting = cursor.fetchone()
    due = settings_for(actor).register_due_minutes
    untaken, taken = untaken_registers(actor, today, now=now, due_minutes=due)
    return SchoolOverview(
        day=today,
        pupils=pupils,
        staff=staff,
        today=dict(days).get(today, Figures()),
        registers_taken=taken,
        untaken=untaken,
        days=days,
        forms=sorted(forms, key=lambda one: -one[1].percent_missed),
        concerns=statistics.pupils_for(actor, stretch, today, limit=_MOST_CONCERNS),
        waiting=waiting,
    )
