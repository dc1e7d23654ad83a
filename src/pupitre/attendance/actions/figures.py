"""Keeping attendance in numbers: what heads, charts and the authority read instead of the marks.

A few seconds after a save the day is counted again, by class and for the school. A month is counted by lesson and by pupil
once it is over, and again whenever something in it is corrected; until it is counted, pages count it from the marks.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from pupitre.attendance.queries.kept import earliest_month_to_keep
from pupitre.attendance.rules.absences import span_of_days
from pupitre.attendance.rules.months import is_over, last_of, month_of, months_between
from pupitre.attendance.rules.telling import SMALLEST, WINDOW
from pupitre.kernel import clock
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.background import deferred

_FEW: Final = SMALLEST - 1
# As `telling.is_small` says it of a day: few missed, few present and few in all point at somebody alike.
_TOLD: Final = (
    f"NOT (missed BETWEEN 1 AND {_FEW} OR marks - missed BETWEEN 1 AND {_FEW} OR marks BETWEEN 1 AND {_FEW})"
)
# One statement for a school's day as for its month. A register without marks has figures too. The school is named besides
# the policy, whose two ways in (an authority's is the other) are no index condition.
_UPSERT: Final = """
WITH gone AS (
    DELETE FROM attendance_dayfigure f WHERE f.school_id = %(school)s AND f.held_on BETWEEN %(first)s AND %(last)s
       AND NOT EXISTS (SELECT 1 FROM attendance_register r WHERE r.class_id = f.class_id AND r.held_on = f.held_on)
)
INSERT INTO attendance_dayfigure
    (school_id, authority_id, class_id, held_on, registers, marks, present, absent, late, excused, out_of_class)
SELECT r.school_id, %(authority)s, r.class_id, r.held_on, count(DISTINCT r.id), count(m.id),
       count(m.id) FILTER (WHERE m.status = 1), count(m.id) FILTER (WHERE m.status = 2),
       count(m.id) FILTER (WHERE m.status = 3), count(m.id) FILTER (WHERE m.status = 4),
       count(m.id) FILTER (WHERE m.status = 5)
  FROM attendance_register r
  LEFT JOIN attendance_mark m ON m.school_id = r.school_id AND m.register_id = r.id
 WHERE r.held_on BETWEEN %(first)s AND %(last)s
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
_SCHOOL_DAYS: Final = """
WITH counted AS (
    SELECT f.school_id, f.authority_id, f.held_on, sum(f.registers) AS registers, sum(f.marks) AS marks,
           sum(f.present) AS present, sum(f.absent) AS absent, sum(f.late) AS late, sum(f.excused) AS excused,
           sum(f.out_of_class) AS out_of_class
      FROM attendance_dayfigure f WHERE f.school_id = %(school)s AND f.held_on BETWEEN %(first)s AND %(last)s
     GROUP BY f.school_id, f.authority_id, f.held_on
), gone AS (
    DELETE FROM attendance_schoolday d WHERE d.school_id = %(school)s AND d.held_on BETWEEN %(first)s AND %(last)s
       AND NOT EXISTS (SELECT 1 FROM counted c WHERE c.held_on = d.held_on)
)
INSERT INTO attendance_schoolday AS d
    (school_id, authority_id, held_on, registers, marks, present, absent, late, excused, out_of_class)
SELECT school_id, authority_id, held_on, registers, marks, present, absent, late, excused, out_of_class FROM counted
ON CONFLICT (school_id, held_on) DO UPDATE
   SET authority_id = excluded.authority_id, registers = excluded.registers, marks = excluded.marks,
       present = excluded.present, absent = excluded.absent, late = excluded.late, excused = excluded.excused,
       out_of_class = excluded.out_of_class
 WHERE (d.authority_id, d.registers, d.marks, d.present, d.absent, d.late, d.excused, d.out_of_class)
    IS DISTINCT FROM (excluded.authority_id, excluded.registers, excluded.marks, excluded.present, excluded.absent,
        excluded.late, excluded.excused, excluded.out_of_class)
"""
# How the school stands on its own day of today, for its authority: what is too small to be told is left out of the window.
_STANDING: Final = f"""
WITH day AS MATERIALIZED (
    SELECT held_on, registers, absent + excused AS missed, marks FROM attendance_schoolday
     WHERE school_id = %(school)s AND held_on BETWEEN %(today)s::date - {WINDOW.days} AND %(today)s
)
INSERT INTO attendance_schoolstanding AS k
    (school_id, authority_id, held_on, ends_at, registers, missed, marks, window_missed, window_marks, usual, usual_today)
SELECT %(school)s, %(authority)s, %(today)s, %(ends_at)s, coalesce(sum(registers) FILTER (WHERE held_on = %(today)s), 0),
       coalesce(sum(missed) FILTER (WHERE held_on = %(today)s), 0), coalesce(sum(marks) FILTER (WHERE held_on = %(today)s), 0),
       coalesce(sum(missed) FILTER (WHERE {_TOLD}), 0), coalesce(sum(marks) FILTER (WHERE {_TOLD}), 0),
       u.usual, u.usual[extract(isodow FROM %(today)s::date)::int]
  FROM (SELECT ARRAY(SELECT coalesce((SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY registers))::int FROM day
                                       WHERE extract(isodow FROM held_on) = weekday AND held_on < %(today)s), 0)
                       FROM generate_series(1, 7) weekday ORDER BY weekday) AS usual) u LEFT JOIN day ON true
 GROUP BY u.usual
ON CONFLICT (school_id) DO UPDATE
   SET authority_id = excluded.authority_id, held_on = excluded.held_on, ends_at = excluded.ends_at,
       registers = excluded.registers, missed = excluded.missed, marks = excluded.marks,
       window_missed = excluded.window_missed, window_marks = excluded.window_marks, usual = excluded.usual,
       usual_today = excluded.usual_today
 WHERE (k.authority_id, k.ends_at, k.registers, k.missed, k.marks, k.window_missed, k.window_marks, k.usual)
    IS DISTINCT FROM (excluded.authority_id, excluded.ends_at, excluded.registers, excluded.missed, excluded.marks,
        excluded.window_missed, excluded.window_marks, excluded.usual)
"""  # noqa: S608 - put together from constants
_AUTHORITY_DAYS: Final = f"""
INSERT INTO attendance_authorityday AS a (authority_id, held_on, missed, marks)
SELECT authority_id, held_on, coalesce(sum(missed) FILTER (WHERE {_TOLD}), 0), coalesce(sum(marks) FILTER (WHERE {_TOLD}), 0)
  FROM (SELECT authority_id, held_on, absent + excused AS missed, marks FROM attendance_schoolday
         WHERE authority_id = %(authority)s AND held_on BETWEEN %(first)s AND %(last)s) day
 GROUP BY authority_id, held_on
ON CONFLICT (authority_id, held_on) DO UPDATE SET missed = excluded.missed, marks = excluded.marks
 WHERE (a.missed, a.marks) IS DISTINCT FROM (excluded.missed, excluded.marks)
"""  # noqa: S608 - put together from constants
_COUNTS: Final = """count(m.id) AS marks, count(m.id) FILTER (WHERE m.status = 1) AS present,
           count(m.id) FILTER (WHERE m.status = 2) AS absent, count(m.id) FILTER (WHERE m.status = 3) AS late,
           count(m.id) FILTER (WHERE m.status = 4) AS excused, count(m.id) FILTER (WHERE m.status = 5) AS out_of_class"""
_LESSON_MONTH: Final = f"""
WITH counted AS (
    SELECT r.school_id, r.class_id, extract(isodow FROM r.held_on)::smallint AS weekday,
           to_char(r.starts_at AT TIME ZONE %(zone)s, 'HH24:MI') AS begins, {_COUNTS}
      FROM attendance_register r LEFT JOIN attendance_mark m ON m.school_id = r.school_id AND m.register_id = r.id
     WHERE r.held_on BETWEEN %(first)s AND %(last)s GROUP BY 1, 2, 3, 4
), gone AS (
    DELETE FROM attendance_lessonmonth k WHERE k.month = %(first)s AND NOT EXISTS (
        SELECT 1 FROM counted c WHERE c.class_id = k.class_id AND c.weekday = k.weekday AND c.begins = k.begins)
)
INSERT INTO attendance_lessonmonth AS k
    (school_id, class_id, month, weekday, begins, marks, present, absent, late, excused, out_of_class)
SELECT school_id, class_id, %(first)s, weekday, begins, marks, present, absent, late, excused, out_of_class FROM counted
ON CONFLICT (school_id, month, class_id, weekday, begins) DO UPDATE
   SET marks = excluded.marks, present = excluded.present, absent = excluded.absent, late = excluded.late,
       excused = excluded.excused, out_of_class = excluded.out_of_class
 WHERE (k.marks, k.present, k.absent, k.late, k.excused, k.out_of_class) IS DISTINCT FROM
       (excluded.marks, excluded.present, excluded.absent, excluded.late, excluded.excused, excluded.out_of_class)
"""  # noqa: S608 - put together from constants
_PUPIL_MONTH: Final = f"""
WITH counted AS (
    SELECT m.school_id, m.pupil_id, {_COUNTS}, coalesce(sum(m.minutes) FILTER (WHERE m.status = 3), 0) AS minutes_late,
           count(DISTINCT m.held_on) FILTER (WHERE m.status IN (2, 4)) AS days
      FROM attendance_register r JOIN attendance_mark m ON m.school_id = r.school_id AND m.register_id = r.id
     WHERE r.held_on BETWEEN %(first)s AND %(last)s GROUP BY 1, 2
), gone AS (
    DELETE FROM attendance_pupilmonth k WHERE k.month = %(first)s
       AND NOT EXISTS (SELECT 1 FROM counted c WHERE c.pupil_id = k.pupil_id)
)
INSERT INTO attendance_pupilmonth AS k
    (school_id, pupil_id, month, marks, present, absent, late, excused, out_of_class, minutes_late, days)
SELECT school_id, pupil_id, %(first)s, marks, present, absent, late, excused, out_of_class, minutes_late, days FROM counted
ON CONFLICT (school_id, month, pupil_id) DO UPDATE
   SET marks = excluded.marks, present = excluded.present, absent = excluded.absent, late = excluded.late,
       excused = excluded.excused, out_of_class = excluded.out_of_class, minutes_late = excluded.minutes_late,
       days = excluded.days
 WHERE (k.marks, k.present, k.absent, k.late, k.excused, k.out_of_class, k.minutes_late, k.days) IS DISTINCT FROM
       (excluded.marks, excluded.present, excluded.absent, excluded.late, excluded.excused, excluded.out_of_class,
        excluded.minutes_late, excluded.days)
"""  # noqa: S608 - put together from constants
_KEPT: Final = """
INSERT INTO attendance_keptmonth (school_id, month, counted_at) VALUES (%s, %s, %s)
ON CONFLICT (school_id, month) DO UPDATE SET counted_at = excluded.counted_at
"""
JOB = "pupitre.attendance.jobs.refresh_day"
MONTH_JOB = "pupitre.attendance.jobs.refresh_month"
# Somewhere it is tomorrow already.
_A_DAY: Final = timedelta(days=1)
#: Saves within this time are counted together.
WAIT = timedelta(seconds=10)
# A waiting job that may begin before this transaction is committed would not see it, so it does not count as one.
_STILL_FAR = timedelta(seconds=4)
#: Corrections of a month that is over within this time are counted together.
MONTH_WAIT = timedelta(minutes=1)


def defer_refresh(actor: Actor, *, held_on: date) -> None:
    """Have the figures of the school's day counted again in a few seconds, once for all saves until then.

    All classes at once: at the start of a lesson the whole school saves, and a day is counted in some milliseconds.
    """
    lock, now = f"figures:{actor.place.id}:{held_on}", clock.now()
    if not _is_waiting(lock, now):
        deferred(JOB, actor.place.id, lock=lock, at=now + WAIT, held_on=held_on.isoformat())


def _is_waiting(lock: str, now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND lock = %s AND scheduled_at > %s LIMIT 1",
            [lock, now + _STILL_FAR],
        )
        return cursor.fetchone() is not None


@transaction.atomic
def refresh_day(actor: Actor, *, held_on: date) -> int:
    """Count a day of all classes again; answers how many of their figures changed. A month that is over follows soon."""
    now = clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    changed = _refresh(actor, held_on, held_on, today)
    month = month_of(held_on)
    lock = f"months:{actor.place.id}:{month}"
    if is_over(month, today) and not _is_waiting(lock, now):
        deferred(MONTH_JOB, actor.place.id, lock=lock, at=now + MONTH_WAIT, month=month.isoformat())
    return changed


@transaction.atomic
def refresh_days(actor: Actor, *, first: date, last: date) -> int:
    """Count all classes' days from first to last again, and their months that are over; answers how many days' figures changed."""
    now = clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    changed = _refresh(actor, first, last, today)
    for month in months_between(first, last):
        if is_over(month, today):
            _count_month(actor, month, now)
    return changed


def _refresh(actor: Actor, first: date, last: date, today: date) -> int:
    require(actor, OFFICE)
    place = actor.place
    facts: dict[str, Any] = {
        "school": place.id,
        "authority": place.authority_id,
        "first": first,
        "last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, facts)
        changed = int(cursor.rowcount)
        cursor.execute(_SCHOOL_DAYS, facts)
    count_standing(actor, today=today)
    return changed


@transaction.atomic
def count_standing(actor: Actor, *, today: date) -> None:
    """Count from its days how the school stands on its day of today, for its authority."""
    place = actor.place
    facts: dict[str, Any] = {
        "school": place.id,
        "authority": place.authority_id,
        "today": today,
        "ends_at": span_of_days(today, today, place.time_zone).ends_at,
    }
    with connection.cursor() as cursor:
        # Of two days counted at once the second must see the first.
        cursor.execute(
            "SELECT id FROM attendance_schoolstanding WHERE school_id = %(school)s FOR UPDATE", facts
        )
        cursor.execute(_STANDING, facts)


@transaction.atomic
def count_authority(authority_id: int, *, now: datetime) -> int:
    """Count the authority's days of the window again, in its own scope; answers how many changed."""
    with connection.cursor() as cursor:
        facts: dict[str, Any] = {
            "authority": authority_id,
            "first": now.date() - WINDOW - _A_DAY,
            "last": now.date() + _A_DAY,
        }
        cursor.execute(_AUTHORITY_DAYS, facts)
        return int(cursor.rowcount)


@transaction.atomic
def keep_month(actor: Actor, *, month: date, now: datetime) -> bool:
    """Count a month by lesson and pupil, given its first day. Answers False, having done nothing, where it is not over."""
    require(actor, OFFICE)
    if not is_over(month, clock.local(now, actor.place.time_zone).date()):
        return False
    _count_month(actor, month, now)
    return True


@transaction.atomic
def keep_earliest_month(actor: Actor, *, now: datetime) -> date | None:
    """Count the earliest month with registers that was never counted; answers which, or None where all are."""
    require(actor, OFFICE)
    month = earliest_month_to_keep(clock.local(now, actor.place.time_zone).date())
    if month is not None:
        _count_month(actor, month, now)
    return month


def _count_month(actor: Actor, month: date, now: datetime) -> None:
    facts: dict[str, Any] = {"first": month, "last": last_of(month), "zone": actor.place.time_zone}
    with connection.cursor() as cursor:
        cursor.execute(_LESSON_MONTH, facts)
        cursor.execute(_PUPIL_MONTH, facts)
        cursor.execute(_KEPT, [actor.place.id, month, now])


def recent_days(now: datetime, days: int) -> tuple[date, date]:
    """The days that may still change: what the nightly sweep counts again."""
    today = now.date()
    return today - timedelta(days=days), today + timedelta(days=1)
