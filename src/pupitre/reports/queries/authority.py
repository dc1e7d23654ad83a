"""All schools of an authority in figures, without anybody's name, from what is kept of their days alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from statistics import median
from typing import Any, Final

from django.db import connection

from pupitre.attendance.rules.telling import SMALLEST, WINDOW
from pupitre.kernel import clock
from pupitre.people.rules import Actor
from pupitre.reports.rules import Count, total_of
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts

#: A line chart stays readable with so many schools beside the authority's own line.
MOST_LINES: Final = 3
#: Schools side by side on a page; the sums are those of all.
SHOWN: Final = 25


class Order(StrEnum):
    """By what the schools are put in order."""

    MISSED = "missed"
    REGISTERS = "registers"
    NAME = "name"


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

    id: int
    name: str
    today: SchoolDay
    usual: int
    window: Count

    @property
    def expected(self) -> int:
        return max(self.usual, self.today.registers)


@dataclass(frozen=True, slots=True)
class AuthorityFigures:
    """An authority in figures. `schools` are how many it has, `found` how many of them are looked for, and `shown` those of
    the part asked for. The sums are those of all its schools. `days` are those with lessons anywhere, in order, each with
    the sum of what may be told; `lines` each school's own days by its id, where there are few schools.
    """

    name: str
    slug: str
    schools: int
    found: int
    shown: list[SchoolFigures]
    today: Count
    window: Count
    registers: int
    expected: int
    days: list[tuple[date, Count]]
    lines: Mapping[int, Mapping[date, Count]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A school with each of its days, for a workbook."""

    school: SchoolFigures
    days: Mapping[date, SchoolDay]


_ORDERS: Final = {
    Order.MISSED: "window_missed::float / nullif(window_marks, 0) DESC NULLS LAST, name, id",
    Order.REGISTERS: "greatest(usual - registers, 0) DESC, name, id",
    Order.NAME: "name, id",
}
# What is too small to be told is left out of the sums, as `rules.Count` says it. A school that was not counted today has taken
# no register yet. The policy lets the authority's rows through; they are named besides.
_LINES: Final = """
WITH line AS MATERIALIZED (
    SELECT s.id, s.name, CASE WHEN k.ends_at > %(now)s THEN k.held_on ELSE (%(now)s AT TIME ZONE s.time_zone)::date END AS today,
           CASE WHEN k.ends_at > %(now)s THEN k.registers ELSE 0 END AS registers,
           CASE WHEN k.ends_at > %(now)s THEN k.missed ELSE 0 END AS missed,
           CASE WHEN k.ends_at > %(now)s THEN k.marks ELSE 0 END AS marks,
           CASE WHEN k.ends_at > %(now)s THEN k.usual_today
                ELSE coalesce(k.usual[extract(isodow FROM %(now)s AT TIME ZONE s.time_zone)::int], 0) END AS usual,
           coalesce(k.window_missed, 0) AS window_missed, coalesce(k.window_marks, 0) AS window_marks
      FROM tenancy_school s LEFT JOIN attendance_schoolstanding k ON k.school_id = s.id AND k.authority_id = %(authority)s
     WHERE s.authority_id = %(authority)s
), total AS (
    SELECT count(*) AS schools, count(*) FILTER (WHERE {wanted}) AS found, min(today) AS earliest, max(today) AS latest, coalesce(sum(registers), 0) AS registers,
           coalesce(sum(greatest(usual, registers)), 0) AS expected, coalesce(sum(window_missed), 0) AS window_missed,
           coalesce(sum(window_marks), 0) AS window_marks,
           coalesce(sum(missed) FILTER (WHERE {told}), 0) AS missed, coalesce(sum(marks) FILTER (WHERE {told}), 0) AS marks
      FROM line
), part AS (
    SELECT id, name, registers, missed, marks, usual, window_missed, window_marks FROM line
     WHERE {wanted} ORDER BY {order} LIMIT %(most)s OFFSET %(behind)s
)
SELECT a.name, a.slug, t.*, p.* FROM tenancy_authority a CROSS JOIN total t LEFT JOIN part p ON true WHERE a.id = %(authority)s
"""
#: So many columns say something of the authority, in every row.
_HEAD: Final = 12
_TOLD: Final = "NOT (missed BETWEEN 1 AND %(few)s OR marks - missed BETWEEN 1 AND %(few)s OR marks BETWEEN 1 AND %(few)s)"
_DAYS: Final = """
SELECT held_on, missed, marks FROM attendance_authorityday
 WHERE authority_id = %s AND held_on BETWEEN %s AND %s ORDER BY held_on
"""
_SCHOOL_DAYS: Final = """
SELECT school_id, held_on, registers, absent + excused, marks FROM attendance_schoolday
 WHERE authority_id = %s AND held_on BETWEEN %s AND %s ORDER BY held_on
"""
_NOTHING: Final = SchoolDay(0, Count(0, 0))


def figures_of(
    actor: Actor, *, now: datetime, order: Order = Order.MISSED, words: str = "", page: int = 1
) -> AuthorityFigures:
    """A part of the schools of the authority that the actor inspects, and the sums of all; two statements, however many
    schools it has, and one more where words are looked for in their names. A page behind the last one is empty.
    """
    wanted = tenancy.schools_named(actor.authority_id, words) if words.strip() else None
    statement = _LINES.format(
        told=_TOLD, order=_ORDERS[order], wanted="true" if wanted is None else "id = ANY(%(wanted)s)"
    )
    facts: dict[str, Any] = {
        "authority": actor.authority_id,
        "now": now,
        "few": SMALLEST - 1,
        "wanted": wanted,
        "most": SHOWN,
        "behind": SHOWN * (page - 1),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        rows = cursor.fetchall()
    name, slug, schools, found, earliest, latest, *sums = rows[0][:_HEAD]
    registers, expected, window_missed, window_marks, missed, marks = map(int, sums)
    today = Count(missed, marks)
    lines: dict[int, dict[date, Count]] = {}
    if schools > MOST_LINES:
        days = _days(actor, latest, today if earliest == latest else None)
    else:
        lines = _lines(actor, latest or now.date())
        days = _days_of(lines.values())
    return AuthorityFigures(
        name=name,
        slug=slug,
        schools=schools,
        found=found,
        shown=[_school(row[_HEAD:]) for row in rows if row[_HEAD] is not None],
        today=today,
        window=Count(window_missed, window_marks),
        registers=registers,
        expected=expected,
        days=days,
        lines=lines,
    )


def _school(row: Sequence[Any]) -> SchoolFigures:
    key, name, registers, missed, marks, usual, window_missed, window_marks = row
    today = SchoolDay(registers, Count(missed, marks))
    return SchoolFigures(key, name, today, usual, Count(window_missed, window_marks))


def _days(actor: Actor, latest: date, today: Count | None) -> list[tuple[date, Count]]:
    """The days as they were last summed, a few minutes ago at most; `today` is newer, where it is the same day everywhere."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, [actor.authority_id, latest - WINDOW, latest])
        found = {on: Count(missed, marks) for on, missed, marks in cursor.fetchall()}
    if today is not None and (today.marks or latest in found):
        found[latest] = today
    return list(found.items())


def _lines(actor: Actor, latest: date) -> dict[int, dict[date, Count]]:
    lines: dict[int, dict[date, Count]] = {}
    for school_id, on, _registers, missed, marks in _school_days(actor, latest):
        lines.setdefault(school_id, {})[on] = Count(missed, marks)
    return lines


def _days_of(lines: Iterable[Mapping[date, Count]]) -> list[tuple[date, Count]]:
    dates = sorted({on for line in lines for on in line})
    return [(on, total_of(line[on] for line in lines if on in line)) for on in dates]


def _school_days(actor: Actor, latest: date) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_SCHOOL_DAYS, [actor.authority_id, latest - WINDOW, latest])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def sheets_of(actor: Actor, *, now: datetime) -> list[Sheet]:
    """Every school of the authority with each of its days, by name, for a workbook; two statements."""
    schools = tenancy.schools_for(actor.authority_id)
    here = {one.id: clock.local(now, one.time_zone).date() for one in schools}
    by_school: dict[int, dict[date, SchoolDay]] = {one.id: {} for one in schools}
    # The school that is furthest behind still has a whole window.
    for latest in sorted(set(here.values())):
        for school_id, on, registers, missed, marks in _school_days(actor, latest):
            if here[school_id] == latest:
                by_school[school_id][on] = SchoolDay(registers, Count(missed, marks))
    return [_sheet(one, by_school[one.id], here[one.id]) for one in schools]


def _sheet(school: SchoolFacts, days: Mapping[date, SchoolDay], today: date) -> Sheet:
    like_today = [day.registers for on, day in days.items() if on.weekday() == today.weekday() and on < today]
    figures = SchoolFigures(
        school.id,
        school.name,
        days.get(today, _NOTHING),
        round(median(like_today)) if like_today else 0,
        total_of(day.count for day in days.values()),
    )
    return Sheet(figures, days)
