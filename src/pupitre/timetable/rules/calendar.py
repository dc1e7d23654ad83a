"""The school's calendar as arithmetic: school days, weeks A and B, and which lessons take place when, in the school's zone.

Local times become instants by two rules. A time that does not exist, because the clock was put forward over it, is the moment
at which the clock was put forward; a time that comes twice, because it was put back, is the first. So an earlier local time
is never a later instant. A lesson that the change swallows whole does not take place.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from pupitre.timetable.rules.bell import Period
from pupitre.timetable.rules.words import words

_WEEK: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


class ExceptionKind(StrEnum):
    NO_SCHOOL = "no_school"
    RUNS_AS_WEEKDAY = "runs_as_weekday"
    OTHER_BELLS = "other_bells"


@dataclass(frozen=True, slots=True)
class DayException:
    """What is different on one date. `weekday` (ISO) and `week` belong to RUNS_AS_WEEKDAY, `bells` to OTHER_BELLS.

    A date may have several: no school outranks the others, which add up. A day that runs as another weekday is a
    school day even in holidays or at a weekend.
    """

    on: date
    kind: ExceptionKind
    weekday: int | None = None
    week: str = ""
    bells: str = ""


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days without school, both ends included."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class WeekCycle:
    """Weeks take turns, from Monday to Sunday. The week of `anchor_on` has the first of `letters`.

    With `skips_holiday_weeks` a week without any school day has no letter and the turn waits.
    """

    anchor_on: date
    letters: tuple[str, ...] = ("A", "B")
    skips_holiday_weeks: bool = False


@dataclass(frozen=True, slots=True)
class SchoolCalendar:
    """One school's academic session. Dates are local, both ends included; `zone` is an IANA name; weekdays are ISO.

    `bells` holds the bell schedules by name; `default_bells` is the one that lessons count their periods in;
    `bells_by_weekday` names those of weekdays that differ (a short Wednesday).
    """

    zone: str
    starts_on: date
    ends_on: date
    bells: Mapping[str, tuple[Period, ...]]
    default_bells: str
    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    bells_by_weekday: tuple[tuple[int, str], ...] = ()
    holidays: tuple[Holiday, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    cycle: WeekCycle | None = None


@dataclass(frozen=True, slots=True)
class WeeklyLesson:
    """A lesson of every week, or of one letter. `first_period` counts from 0 in the calendar's default bells."""

    id: Hashable
    weekday: int
    first_period: int
    duration: int = 1
    week: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Substitution:
    """What is different about one lesson on one date; None leaves it as it is. Ids are the caller's."""

    lesson_id: Hashable
    on: date
    is_cancelled: bool = False
    teacher_ids: tuple[Hashable, ...] | None = None
    room_id: Hashable | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A lesson on a date: aware instants in the school's zone, `ends_at` not included."""

    lesson: WeeklyLesson
    on: date
    starts_at: datetime
    ends_at: datetime
    week: str = ""
    substitution: Substitution | None = None

    @property
    def is_cancelled(self) -> bool:
        return self.substitution is not None and self.substitution.is_cancelled


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """How a date runs: as which weekday, in which week, by which bells."""

    on: date
    weekday: int
    week: str
    bells: str


# Days.


def is_school_day(on: date, calendar: SchoolCalendar) -> bool:
    """Whether there is school on the date."""
    return _weekday_run(on, calendar) is not None


def school_day(on: date, calendar: SchoolCalendar) -> SchoolDay | None:
    """How the date runs, or None where there is no school."""
    weekday = _weekday_run(on, calendar)
    if weekday is None:
        return None
    told = _exceptions(on, calendar)
    week = next((e.week for e in told if e.week), "") or week_of(on, calendar)
    bells = next((e.bells for e in told if e.kind is ExceptionKind.OTHER_BELLS and e.bells), "")
    return SchoolDay(
        on, weekday, week, bells or dict(calendar.bells_by_weekday).get(weekday, calendar.default_bells)
    )


def _exceptions(on: date, calendar: SchoolCalendar) -> list[DayException]:
    return [exception for exception in calendar.exceptions if exception.on == on]


def _weekday_run(on: date, calendar: SchoolCalendar) -> int | None:
    told = _exceptions(on, calendar)
    if not calendar.starts_on <= on <= calendar.ends_on or any(
        e.kind is ExceptionKind.NO_SCHOOL for e in told
    ):
        return None
    for exception in told:
        if exception.kind is ExceptionKind.RUNS_AS_WEEKDAY and exception.weekday is not None:
            return exception.weekday
    if any(holiday.starts_on <= on <= holiday.ends_on for holiday in calendar.holidays):
        return None
    return on.isoweekday() if on.isoweekday() in calendar.weekdays else None


# Weeks.


def week_of(on: date, calendar: SchoolCalendar) -> str:
    """The letter of the week in which the date lies; "" without a cycle and, if they are skipped, in holiday weeks."""
    cycle = calendar.cycle
    if cycle is None or not cycle.letters:
        return ""
    monday, anchor = _monday(on), _monday(cycle.anchor_on)
    turns = (monday - anchor) // _WEEK
    if cycle.skips_holiday_weeks:
        idle = _idle_mondays(calendar)
        if monday in idle:
            return ""
        skipped = sum(min(monday, anchor) <= week < max(monday, anchor) for week in idle)
        turns += skipped if turns < 0 else -skipped
    return cycle.letters[turns % len(cycle.letters)]


def _monday(on: date) -> date:
    return on - timedelta(days=on.weekday())


def _idle_mondays(calendar: SchoolCalendar) -> set[date]:
    """The weeks of the session that holidays or exceptions leave without any school day."""
    mondays = {_monday(e.on) for e in calendar.exceptions if e.kind is ExceptionKind.NO_SCHOOL}
    for holiday in calendar.holidays:
        first, last = max(holiday.starts_on, calendar.starts_on), min(holiday.ends_on, calendar.ends_on)
        week = _monday(first)
        while week <= last:
            mondays.add(week)
            week += _WEEK
    return {week for week in mondays if not any(is_school_day(week + n * _DAY, calendar) for n in range(7))}


# Lessons.


def lessons_on(
    on: date,
    lessons: Iterable[WeeklyLesson],
    calendar: SchoolCalendar,
    substitutions: Iterable[Substitution] = (),
) -> list[Occurrence]:
    """What takes place on the date, cancelled lessons included and marked, in order of time.

    Under other bells a lesson keeps its periods by name; a lesson whose periods those bells do not have does not take
    place. Without a cycle every lesson runs each week, whatever its letter.
    """
    day = school_day(on, calendar)
    if day is None:
        return []
    changed = {(s.lesson_id, s.on): s for s in substitutions}
    spans = _spans(calendar, day.bells)
    zone = ZoneInfo(calendar.zone)
    found = [
        occurrence
        for lesson in lessons
        if _runs(lesson, day) and (occurrence := _occurrence(lesson, day, spans, zone, changed))
    ]
    return sorted(
        found, key=lambda o: (o.starts_at.astimezone(UTC), o.ends_at.astimezone(UTC), str(o.lesson.id))
    )


def occurrences_between(
    first: date,
    last: date,
    lessons: Iterable[WeeklyLesson],
    calendar: SchoolCalendar,
    substitutions: Iterable[Substitution] = (),
) -> Iterator[Occurrence]:
    """What takes place from `first` to `last`, both included, in order of time."""
    by_weekday: dict[int, list[WeeklyLesson]] = {}
    for lesson in lessons:
        by_weekday.setdefault(lesson.weekday, []).append(lesson)
    by_date: dict[date, list[Substitution]] = {}
    for substitution in substitutions:
        by_date.setdefault(substitution.on, []).append(substitution)
    on, end = max(first, calendar.starts_on), min(last, calendar.ends_on)
    while on <= end:
        weekday = _weekday_run(on, calendar)
        if weekday is not None:
            yield from lessons_on(on, by_weekday.get(weekday, ()), calendar, by_date.get(on, ()))
        on += _DAY


def _runs(lesson: WeeklyLesson, day: SchoolDay) -> bool:
    return (
        lesson.weekday == day.weekday
        and (not lesson.week or not day.week or lesson.week == day.week)
        and (lesson.valid_from is None or lesson.valid_from <= day.on)
        and (lesson.valid_until is None or day.on <= lesson.valid_until)
    )


def _spans(calendar: SchoolCalendar, bells: str) -> list[Period | None]:
    """For each period of the default bells, the one of the day's bells that bears its name."""
    usual = calendar.bells.get(calendar.default_bells, ())
    if bells == calendar.default_bells:
        return list(usual)
    there = dict(zip(_keys(calendar.bells.get(bells, ())), calendar.bells.get(bells, ()), strict=True))
    return [there.get(key) for key in _keys(usual)]


def _keys(periods: Sequence[Period]) -> list[tuple[tuple[str, ...], int]]:
    """Names as they are compared; the second break of a day is not the first."""
    met: Counter[tuple[str, ...]] = Counter()
    keys = []
    for period in periods:
        name = words(period.name) or (period.name,)
        keys.append((name, met[name]))
        met[name] += 1
    return keys


def _occurrence(
    lesson: WeeklyLesson,
    day: SchoolDay,
    spans: list[Period | None],
    zone: ZoneInfo,
    changed: Mapping[tuple[Hashable, date], Substitution],
) -> Occurrence | None:
    span = spans[max(lesson.first_period, 0) : lesson.first_period + lesson.duration]
    periods = [period for period in span if period is not None]
    if not periods:
        return None
    starts_at = instant(day.on, min(p.starts_at for p in periods), zone)
    ends_at = instant(day.on, max(p.ends_at for p in periods), zone)
    if starts_at.astimezone(UTC) >= ends_at.astimezone(UTC):
        return None
    return Occurrence(lesson, day.on, starts_at, ends_at, day.week, changed.get((lesson.id, day.on)))


# The clock on the wall.


def instant(on: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant, aware in `zone`, at which a clock on the wall there shows `at` on that date.

    Of an hour that comes twice, the first. Of an hour that is left out, the moment at which the clock was put forward.
    """
    wall = datetime.combine(on, at.replace(fold=0), tzinfo=zone)
    if wall.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return wall
    return _put_forward(wall, zone)


def _put_forward(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the gap in which `wall` lies, found by halving, to the second."""
    before, after = wall.utcoffset(), wall.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    plain = wall.replace(tzinfo=UTC)
    early, late = plain - after, plain - before
    while late - early > _SECOND:
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if middle <= early:
            break
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.astimezone(zone)
