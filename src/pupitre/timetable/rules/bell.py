"""Bell schedules: times out of the names of hours, a proposal where the names carry none, and which period it is now."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from pupitre.timetable.rules.findings import Finding, FindingCode, FindingList
from pupitre.timetable.rules.words import is_break_name, is_lunch_name, tidy

_CLOCK: Final = r"(?P<h{n}>\d{{1,2}})\s*(?:[:.hH]\s*(?P<m{n}>\d{{2}}))\s*(?:h(?:rs|oras|eures)?|uhr)?"
_HOUR: Final = r"(?P<h{n}>\d{{1,2}})\s*(?:(?:[:.hH]\s*(?P<m{n}>\d{{2}}))|h)?\s*(?:h(?:rs|oras|eures)?|uhr)?"
_DASH: Final = r"\s*(?:-|–|—|−|/|→|\ba\b|\bto\b|\bà\b|\bbis\b|\bàs\b|\bas\b)\s*"
_RANGE: Final = re.compile(
    r"(?<![\d:.])" + _HOUR.format(n=1) + _DASH + _HOUR.format(n=2) + r"(?![\d:.])", re.IGNORECASE
)
_MOMENT: Final = re.compile(r"(?<![\d:.])" + _CLOCK.format(n=1) + r"(?![\d:.])", re.IGNORECASE)
_EARLIEST_BARE_HOUR: Final = 6
_DAY: Final = 24 * 60
#: No name of an hour is longer, and the patterns above are slow on what is not a name.
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Period:
    """One stretch of the school day in local time, `ends_at` not included. Breaks are periods too."""

    name: str
    starts_at: time
    ends_at: time
    is_break: bool = False


def parse_time(cell: str) -> time | None:
    """The one time of day in a cell ("8:30", "8h30", "08.30", "8:30:00"), or None."""
    text = re.sub(r"^(\d{1,2}:\d{2}):\d{2}(?:\.0+)?$", r"\1", tidy(cell)[:_LONGEST_NAME])
    match = _MOMENT.fullmatch(text)
    return _time(match["h1"], match["m1"]) if match else None


def times_in_name(name: str) -> tuple[time | None, time | None]:
    """The start and the end that the name of an hour carries: "8:30-9:25", "8h30 à 9h25", "08:30", "8-9"."""
    name = tidy(name)[:_LONGEST_NAME]
    for match in _RANGE.finditer(name):
        starts_at, ends_at = _time(match["h1"], match["m1"]), _time(match["h2"], match["m2"])
        if (
            starts_at
            and ends_at
            and starts_at < ends_at
            and (_is_written_out(match) or _looks_like_hours(match))
        ):
            return starts_at, ends_at
    match_one = _MOMENT.search(name)
    return (_time(match_one["h1"], match_one["m1"]), None) if match_one else (None, None)


def _is_written_out(match: re.Match[str]) -> bool:
    return match["m1"] is not None or "h" in match[0].casefold()


def _looks_like_hours(match: re.Match[str]) -> bool:
    # "8-9" is a time of day; "1-2" is a double lesson.
    return int(match["h1"]) >= _EARLIEST_BARE_HOUR


def _time(hour: str, minute: str | None) -> time | None:
    if int(hour) >= 24 or int(minute or 0) >= 60:
        return None
    return time(int(hour), int(minute or 0))


def propose_periods(
    names: Sequence[str],
    first_lesson: time,
    lesson_minutes: int,
    break_minutes: int,
    *,
    lunch_minutes: int = 60,
    breaks: frozenset[int] = frozenset(),
) -> tuple[Period, ...]:
    """A bell schedule for the hours of a file, for a person to correct.

    Times in the names are kept; the others follow one another from `first_lesson`. Breaks are known by their names
    and by `breaks` (positions). What would pass midnight is held at 23:59, where validation then finds it.
    """
    starts = [times_in_name(name)[0] for name in names]
    cursor = _minutes(first_lesson)
    periods = []
    for position, name in enumerate(names):
        is_break = position in breaks or is_break_name(name)
        told_start, told_end = times_in_name(name)
        begin = _minutes(told_start) if told_start else cursor
        length = lunch_minutes if is_lunch_name(name) else break_minutes if is_break else lesson_minutes
        following = starts[position + 1] if position + 1 < len(names) else None
        end = _minutes(told_end) if told_end else _end(begin, length, following if told_start else None)
        periods.append(Period(name, _of_minutes(begin), _of_minutes(end), is_break))
        cursor = end
    return tuple(periods)


def _end(begin: int, length: int, following: time | None) -> int:
    if following and _minutes(following) > begin:
        return min(begin + length, _minutes(following))
    return begin + length


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _of_minutes(minutes: int) -> time:
    held = max(0, min(minutes, _DAY - 1))
    return time(held // 60, held % 60)


def validate_periods(periods: Sequence[Period]) -> tuple[Finding, ...]:
    """Every period must end after it starts and none may overlap another; the order given does not matter."""
    found = FindingList()
    for period in periods:
        if period.ends_at <= period.starts_at:
            found.add(
                FindingCode.PERIOD_ENDS_BEFORE_START,
                name=period.name,
                starts_at=f"{period.starts_at:%H:%M}",
                ends_at=f"{period.ends_at:%H:%M}",
            )
    latest: Period | None = None
    for period in sorted(periods, key=lambda p: (p.starts_at, p.ends_at)):
        if latest and period.starts_at < latest.ends_at:
            found.add(
                FindingCode.PERIODS_OVERLAP,
                first=latest.name,
                second=period.name,
                starts_at=f"{period.starts_at:%H:%M}",
                ends_at=f"{latest.ends_at:%H:%M}",
            )
        if latest is None or period.ends_at > latest.ends_at:
            latest = period
    return found.freeze()


def period_now(periods: Sequence[Period], local_time: time) -> Period | None:
    """The period, break or lesson, in which the local time lies; None between and outside them."""
    return next((p for p in periods if p.starts_at <= local_time < p.ends_at), None)
