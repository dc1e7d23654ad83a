"""Keeping each class's day in numbers: what heads, charts and the authority read instead of the marks."""

from datetime import date, datetime, timedelta

from django.db import connection, transaction

from pupitre.kernel import clock
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.background import deferred

# One statement for a school's day as for its month. A register without marks has figures too.
_UPSERT = """
INSERT INTO attendance_dayfigure
    (school_id, authority_id, class_id, held_on, registers, marks, present, absent, late, excused, out_of_class)
SELECT r.school_id, %s, r.class_id, r.held_on, count(DISTINCT r.id), count(m.id),
       count(m.id) FILTER (WHERE m.status = 1), count(m.id) FILTER (WHERE m.status = 2),
       count(m.id) FILTER (WHERE m.status = 3), count(m.id) FILTER (WHERE m.status = 4),
       count(m.id) FILTER (WHERE m.status = 5)
  FROM attendance_register r
  LEFT JOIN attendance_mark m ON m.school_id = r.school_id AND m.register_id = r.id
 WHERE r.held_on BETWEEN %s AND %s
 GROUP BY r.school_id, r.class_id, r.held_on
ON CONFLICT (school_id, class_id, held_on) DO UPDATE
   SET registers = excluded.registers, marks = excluded.marks, present = excluded.present, absent = excluded.absent,
       late = excluded.late, excused = excluded.excused, out_of_class = excluded.out_of_class
 WHERE (attendance_dayfigure.registers, attendance_dayfigure.marks, attendance_dayfigure.present,
        attendance_dayfigure.absent, attendance_dayfigure.late, attendance_dayfigure.excused,
        attendance_dayfigure.out_of_class)
    IS DISTINCT FROM (excluded.registers, excluded.marks, excluded.present,
        excluded.absent, excluded.late, excluded.excused, excluded.out_of_class)
"""
JOB = "pupitre.attendance.jobs.refresh_day"
#: Saves within this time are counted together.
WAIT = timedelta(seconds=10)
# A waiting job that may begin before this transaction is committed would not see it, so it does not count as one.
_STILL_FAR = timedelta(seconds=4)


def defer_refresh(actor: Actor, *, held_on: date) -> None:
    """Have the figures of the school's day counted again in a few seconds, once for all saves until then.

    All classes at once: at the start of a lesson the whole school saves, and a day is counted in some milliseconds.
    """
    lock, now = f"figures:{actor.place.id}:{held_on}", clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND lock = %s AND scheduled_at > %s LIMIT 1",
            [lock, now + _STILL_FAR],
        )
        if cursor.fetchone():
            return
    deferred(JOB, actor.place.id, lock=lock, at=now + WAIT, held_on=held_on.isoformat())


@transaction.atomic
def refresh_day(actor: Actor, *, held_on: date) -> int:
    """Count a day of all classes again; answers how many figures changed."""
    return _refresh(actor, held_on, held_on)


@transaction.atomic
def refresh_days(actor: Actor, *, first: date, last: date) -> int:
    """Count all classes' days from first to last again; answers how many figures changed."""
    return _refresh(actor, first, last)


def _refresh(actor: Actor, first: date, last: date) -> int:
    require(actor, OFFICE)
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [actor.place.authority_id, first, last])
        return int(cursor.rowcount)


def recent_days(now: datetime, days: int) -> tuple[date, date]:
    """The days that may still change: what the nightly sweep counts again."""
    today = now.date()
    return today - timedelta(days=days), today + timedelta(days=1)
