"""All schools of an authority in figures, without anybody's name, from the days' figures alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final

from django.db import connection

from pupitre.kernel import clock
from pupitre.people.rules import Actor
from pupitre.reports.rules import Count, total_of
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
_NOTHING: Final = SchoolDay(0, Count(0, 0))


def figures_of(actor: Actor, *, now: datetime) -> AuthorityFigures:
    """The figures of the authority that the actor inspects; three statements, however many schools it has."""
    schools = tenancy.schools_for(actor.authority_id)
    here = {one.id: clock.local(now, one.time_zone).date() for one in schools}
    latest = max(here.values(), default=now.date())
    by_school: dict[int, dict[date, SchoolDay]] = {one.id: {} for one in schools}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [actor.authority_id, latest - WINDOW - timedelta(days=1), latest])
        for school_id, on, registers, missed, marks in cursor.fetchall():
            if on <= here[school_id]:
                by_school[school_id][on] = SchoolDay(registers, Count(missed, marks))
    rows = [_school(one, by_school[one.id], here[one.id]) for one in schools]
    return _authority(tenancy.access_authority(actor.authority_id), rows)


def _school(school: SchoolFacts, days: dict[date, SchoolDay], today: date) -> SchoolFigures:
    like_today = [day.registers for on, day in days.items() if on.weekday() == today.weekday() and on < today]
    return SchoolFigures(
        school=school,
        today=days.get(today, _NOTHING),
        usual=round(median(like_today)) if like_today else 0,
        window=total_of(day.count for day in days.values()),
        days=days,
    )


def _authority(authority: Authority, rows: list[SchoolFigures]) -> AuthorityFigures:
    dates = sorted({on for row in rows for on in row.days})
    return AuthorityFigures(
        authority=authority,
        schools=rows,
        today=total_of(row.today.count for row in rows),
        window=total_of(row.window for row in rows),
        registers=sum(row.today.registers for row in rows),
        expected=sum(row.expected for row in rows),
        days=[(on, total_of(row.days[on].count for row in rows if on in row.days)) for on in dates],
    )
