"""All schools of an authority in figures, without anybody's name, from the days' figures alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final

from django.db import connection

from pupitre.kernel import clock
from pupitre.people.rules import Actor
from pupitre.reports.rules import SMALLEST, Count, total_of
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.models import Authority
from pupitre.tenancy.rules import SchoolFacts

#: How far back the comparison and the trend go.
WINDOW: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """A school's day."""

    registers: int
    count: Count


@dataclass(frozen=True, slots=True)
class SchoolFigures:
    """A school in figures; `window` sums the days that may be told. `usual` is how many registers
    that weekday ends with, 0 where nothing is known.
    """

    school: SchoolFacts
    today: SchoolDay
    usual: int
    window: Count
    days: Mapping[date, SchoolDay]

    @property
    def expected(self) -> int:
        return max(self.usual, self.today.registers)


@dataclass(frozen=True, slots=True)
class AuthorityFigures:
    """An authority's schools. `days` are those with lessons anywhere, in order, each with the sum of what may be told."""

    authority: Authority
    schools: list[SchoolFigures]
    today: Count
    window: Count
    registers: int
    expected: int
    days: list[tuple[date, Count]]

    @property
    def hides(self) -> bool:
        """Whether anything shown is left out because it is small."""
        return any(one.today.count.is_hidden or one.window.is_hidden for one in self.schools)


# The policy lets the authority's rows through; its index is found by the column.
_FIGURES: Final = """
SELECT school_id, held_on, registers, absent + excused, marks
  FROM attendance_schoolday
 WHERE authority_id = %s AND held_on BETWEEN %s AND %s ORDER BY held_on
"""
# The same summed where it lies: a row a school and a row a day instead of one for each school's every day. What is too small
# to be told is left out of the sums, as `rules.Count` says it.
_SUMMED: Final = """
WITH place AS MATERIALIZED (
    SELECT id, (%(now)s AT TIME ZONE time_zone)::date AS today FROM tenancy_school WHERE authority_id = %(authority)s
), told AS (
    SELECT f.school_id, f.held_on, f.registers, f.absent + f.excused AS missed, f.marks, p.today,
           f.held_on < p.today AND (p.today - f.held_on) %% 7 = 0 AS is_alike,
           NOT (f.absent + f.excused BETWEEN 1 AND %(few)s OR f.marks - f.absent - f.excused BETWEEN 1 AND %(few)s
                OR f.marks BETWEEN 1 AND %(few)s) AS is_told
      FROM attendance_schoolday f JOIN place p ON p.id = f.school_id
     WHERE f.authority_id = %(authority)s AND f.held_on BETWEEN %(first)s AND %(latest)s AND f.held_on <= p.today
)
SELECT school_id, held_on, coalesce(sum(missed) FILTER (WHERE is_told), 0), coalesce(sum(marks) FILTER (WHERE is_told), 0),
       coalesce(sum(registers) FILTER (WHERE held_on = today), 0), coalesce(sum(missed) FILTER (WHERE held_on = today), 0),
       coalesce(sum(marks) FILTER (WHERE held_on = today), 0), array_agg(registers) FILTER (WHERE is_alike)
  FROM told GROUP BY GROUPING SETS ((school_id), (held_on))
"""
_NOTHING: Final = SchoolDay(0, Count(0, 0))


def figures_of(actor: Actor, *, now: datetime, most_with_days: int | None = None) -> AuthorityFigures:
    """The figures of the authority that the actor inspects; three statements, however many schools it has.

    Where it has more than `most_with_days` schools, their own `days` are left empty, which spares reading them.
    """
    schools = tenancy.schools_for(actor.authority_id)
    here = {one.id: clock.local(now, one.time_zone).date() for one in schools}
    latest = max(here.values(), default=now.date())
    if most_with_days is not None and len(schools) > most_with_days:
        return _summed(actor, schools, latest, now)
    by_school: dict[int, dict[date, SchoolDay]] = {one.id: {} for one in schools}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [actor.authority_id, _first(latest), latest])
        for school_id, on, registers, missed, marks in cursor.fetchall():
            if on <= here[school_id]:
                by_school[school_id][on] = SchoolDay(registers, Count(missed, marks))
    rows = [_school(one, by_school[one.id], here[one.id]) for one in schools]
    return _authority(actor, rows, _days_of(rows))


def _first(latest: date) -> date:
    return latest - WINDOW - timedelta(days=1)


def _summed(actor: Actor, schools: list[SchoolFacts], latest: date, now: datetime) -> AuthorityFigures:
    found = {one.id: SchoolFigures(one, _NOTHING, 0, Count(0, 0), {}) for one in schools}
    days: list[tuple[date, Count]] = []
    facts: dict[str, Any] = {
        "authority": actor.authority_id,
        "first": _first(latest),
        "latest": latest,
        "now": now,
        "few": SMALLEST - 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMMED, facts)
        for school_id, on, missed, marks, registers, missed_today, marks_today, alike in cursor.fetchall():
            count = Count(int(missed), int(marks))
            if school_id is None:
                days.append((on, count))
            elif school_id in found:
                today = SchoolDay(int(registers), Count(int(missed_today), int(marks_today)))
                found[school_id] = SchoolFigures(found[school_id].school, today, _usual(alike), count, {})
    return _authority(actor, list(found.values()), sorted(days, key=lambda day: day[0]))


def _school(school: SchoolFacts, days: dict[date, SchoolDay], today: date) -> SchoolFigures:
    like_today = [day.registers for on, day in days.items() if on.weekday() == today.weekday() and on < today]
    return SchoolFigures(
        school=school,
        today=days.get(today, _NOTHING),
        usual=_usual(like_today),
        window=total_of(day.count for day in days.values()),
        days=days,
    )


def _usual(registers: Sequence[int] | None) -> int:
    return round(median(registers)) if registers else 0


def _days_of(rows: list[SchoolFigures]) -> list[tuple[date, Count]]:
    dates = sorted({on for row in rows for on in row.days})
    return [(on, total_of(row.days[on].count for row in rows if on in row.days)) for on in dates]


def _authority(actor: Actor, rows: list[SchoolFigures], days: list[tuple[date, Count]]) -> AuthorityFigures:
    return AuthorityFigures(
        authority=tenancy.access_authority(actor.authority_id),
        schools=rows,
        today=total_of(row.today.count for row in rows),
        window=total_of(row.window for row in rows),
        registers=sum(row.today.registers for row in rows),
        expected=sum(row.expected for row in rows),
        days=days,
    )
