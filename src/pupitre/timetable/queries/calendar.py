"""The school's calendar as the rules take it."""

import json
from collections.abc import Hashable
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import connection

from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable.models import CalendarException
from pupitre.timetable.rules.bell import Period
from pupitre.timetable.rules.calendar import DayException, ExceptionKind, Holiday, SchoolCalendar, WeekCycle

#: Sessions that lie further away than this say nothing about a date: they are an old roster's.
NEAR: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)
_USUAL_WEEKDAYS: Final = 0b0011111

# The whole of it: a school writes some dozens of such rows a year, and what is remembered must not depend on the dates.
_FACTS: Final = """
SELECT jsonb_build_object(
  'rule', (SELECT jsonb_build_array(weekdays, cycle_starts_on, holidays_pause_cycle) FROM timetable_calendarrule),
  'sessions', (SELECT jsonb_agg(jsonb_build_array(starts_on, ends_on)) FROM courses_academicsession
               WHERE ended_on IS NULL),
  'exceptions', (SELECT jsonb_agg(jsonb_build_array(starts_on, ends_on, kind, runs_as_weekday, schedule_id, label)
                                  ORDER BY id) FROM timetable_calendarexception),
  'bells', (SELECT jsonb_agg(jsonb_build_array(s.id, p.name, p.starts_at, p.ends_at, p.is_break)
                             ORDER BY s.is_default DESC, s.id, p.position)
            FROM timetable_bellschedule s JOIN timetable_period p ON p.schedule_id = s.id))
"""
_STAMP: Final = "SELECT settings_stamp FROM tenancy_school WHERE id = %s"


def calendar_between(school: SchoolFacts, first: date, last: date) -> SchoolCalendar:
    """The calendar of the school, which is in scope, for dates from `first` to `last`; one statement, or two."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP, [school.id])
        return calendar_at(school.id, cursor.fetchone()[0], school.time_zone, first, last)


@lru_cache(maxsize=4096)
def calendar_at(school_id: int, stamp: Hashable, zone: str, first: date, last: date) -> SchoolCalendar:
    """The calendar of the school in scope, whose settings have that stamp; it is read where they are new to this process."""
    return calendar_of(zone, _facts_at(school_id, stamp), first, last)


@lru_cache(maxsize=1024)
def _facts_at(school_id: int, stamp: Hashable) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS)
        found: dict[str, Any] = plain(cursor.fetchone()[0])
    return found


def plain(found: Any) -> Any:
    """A jsonb column, which a raw cursor hands over as text."""
    return json.loads(found) if isinstance(found, str) else found


def calendar_of(zone: str, facts: dict[str, Any], first: date, last: date) -> SchoolCalendar:
    """What the school's rows say. Bell schedules go by their id as text; the default one is first. Exceptions count a
    year around the dates, because the turn of weeks A and B may depend on the holidays before.

    The calendar's ends are those of the academic sessions that overlap the dates. A school without sessions near them
    (none, or only those of an old roster) has school on every weekday of its rule; between two sessions there is none.
    """
    weekdays, cycle, pauses = facts["rule"] or (_USUAL_WEEKDAYS, None, False)
    bells = _bells(facts["bells"] or ())
    starts_on, ends_on = _bounds(facts["sessions"] or (), first, last)
    told = _near(facts["exceptions"] or (), first, last)
    return SchoolCalendar(
        zone=zone,
        starts_on=starts_on,
        ends_on=ends_on,
        bells=bells,
        default_bells=next(iter(bells), ""),
        weekdays=frozenset(day for day in range(1, 8) if weekdays >> (day - 1) & 1),
        holidays=tuple(
            Holiday(date.fromisoformat(row[0]), date.fromisoformat(row[1]))
            for row in told
            if row[2] == CalendarException.NO_SCHOOL
        ),
        exceptions=tuple(exception for row in told for exception in _day_exceptions(row)),
        cycle=WeekCycle(date.fromisoformat(cycle), skips_holiday_weeks=pauses) if cycle else None,
    )


def _bells(rows: Any) -> dict[str, tuple[Period, ...]]:
    found: dict[str, list[Period]] = {}
    for schedule, name, starts_at, ends_at, is_break in rows:
        period = Period(name, time.fromisoformat(starts_at), time.fromisoformat(ends_at), is_break)
        found.setdefault(str(schedule), []).append(period)
    return {schedule: tuple(periods) for schedule, periods in found.items()}


def _bounds(sessions: Any, first: date, last: date) -> tuple[date, date]:
    known = [(date.fromisoformat(row[0]), date.fromisoformat(row[1])) for row in _near(sessions, first, last)]
    if not known:
        return first - NEAR, last + NEAR
    meeting = [(starts_on, ends_on) for starts_on, ends_on in known if starts_on <= last and ends_on >= first]
    if not meeting:
        return last + _DAY, first - _DAY
    return min(starts_on for starts_on, _ in meeting), max(ends_on for _, ends_on in meeting)


def _near(rows: Any, first: date, last: date) -> list[Any]:
    """Rows that begin with their first and last date, and lie not too far away."""
    early, late = (first - NEAR).isoformat(), (last + NEAR).isoformat()
    return [row for row in rows if row[0] <= late and row[1] >= early]


def _day_exceptions(row: Any) -> list[DayException]:
    starts_on, ends_on, kind, weekday, schedule, _ = row
    if kind == CalendarException.NO_SCHOOL:
        return []
    first, last = date.fromisoformat(starts_on), date.fromisoformat(ends_on)
    days = [first + n * _DAY for n in range(min((last - first).days, NEAR.days) + 1)]
    if kind == CalendarException.RUNS_AS:
        return [DayException(on, ExceptionKind.RUNS_AS_WEEKDAY, weekday=weekday) for on in days]
    return [DayException(on, ExceptionKind.OTHER_BELLS, bells=str(schedule)) for on in days]
