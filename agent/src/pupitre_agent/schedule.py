"""What holds at a moment by the rules of the week, and until when. Pure; the same as the server decides for its pages.

Local times are those of a clock on the wall: an hour that comes twice counts twice, one that is left out never comes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

Entry = Mapping[str, Any]

_DAY: Final = timedelta(days=1)
#: How far ahead one looks for an end: beyond a school year with its holidays.
_FURTHEST: Final = 500


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings that hold, and for those that a rule says, which entry says it."""

    settings: Mapping[str, Any]
    by: Mapping[str, Entry]
    #: The entries that hold, in the order in which they are laid.
    entries: tuple[Entry, ...]


def effective(settings: Mapping[str, Any], schedule: Sequence[Entry], at: datetime, zone: str) -> Effective:
    """The settings with what holds at `at` in the IANA time zone laid over them, the later entry last."""
    entries = holding(schedule, at, zone)
    laid = dict(settings)
    by: dict[str, Entry] = {}
    for entry in entries:
        for key, value in entry.get("settings", {}).items():
            laid[key], by[key] = value, entry
    return Effective(laid, by, entries)


def holding(schedule: Sequence[Entry], at: datetime, zone: str) -> tuple[Entry, ...]:
    """The entries that hold. While a lease lifts rules, those of the week do not."""
    local = at.astimezone(ZoneInfo(zone))
    leases = [one for one in schedule if is_lease(one) and _is_between(one, at)]
    if any(one.get("lifts_rules") for one in leases):
        return tuple(leases)
    return tuple(one for one in schedule if one in leases or (not is_lease(one) and _is_hour(one, local)))


def next_change(
    schedule: Sequence[Entry], after: datetime, zone: str, furthest: int = _FURTHEST
) -> datetime | None:
    """The first instant after `after` at which other entries hold, or None within so many days."""
    before = holding(schedule, after, zone)
    for moment in _moments(schedule, after, ZoneInfo(zone), furthest):
        if holding(schedule, moment, zone) != before:
            return moment
    return None


def ends_at(schedule: Sequence[Entry], entry: Entry, after: datetime, zone: str) -> datetime | None:
    """When an entry that holds ceases to."""
    for moment in _moments(schedule, after, ZoneInfo(zone), _FURTHEST):
        if entry not in holding(schedule, moment, zone):
            return moment
    return None


def is_lease(entry: Entry) -> bool:
    """Whether it holds once, between two instants."""
    return "starts_at" in entry


def _is_between(lease: Entry, at: datetime) -> bool:
    return datetime.fromisoformat(lease["starts_at"]) <= at < datetime.fromisoformat(lease["ends_at"])


def _is_hour(entry: Entry, local: datetime) -> bool:
    # "24:00" is after every time of the day, as text too.
    return bool(entry["from"] <= f"{local:%H:%M}" < entry["to"]) and takes_place(entry, local.date())


def takes_place(entry: Entry, on: date) -> bool:
    """Whether an entry of the week holds at all on that local day."""
    text = on.isoformat()
    if text in entry.get("also", ()):
        return True
    is_within = entry.get("first", "") <= text <= entry.get("last", "9999")
    return is_within and on.isoweekday() in entry.get("days", ()) and text not in entry.get("except", ())


def _moments(schedule: Sequence[Entry], after: datetime, zone: ZoneInfo, furthest: int) -> Iterator[datetime]:
    """Every instant after `after` at which something may begin or end, in order, each day's at a time."""
    leases = sorted(
        datetime.fromisoformat(one[name]).astimezone(UTC)
        for one in schedule
        if is_lease(one)
        for name in ("starts_at", "ends_at")
    )
    weekly = [one for one in schedule if not is_lease(one)]
    today = after.astimezone(zone).date()
    last = _last_day(weekly)
    for number in range(furthest):
        on = today + number * _DAY
        if on > last:
            break
        found = set(_of_day(weekly, on, zone))
        end = _midnight(on + _DAY, zone)
        found |= {moment for moment in leases if _midnight(on, zone) <= moment < end}
        yield from sorted(moment for moment in found if moment > after)
    reached = _midnight(min(last, today + (furthest - 1) * _DAY) + _DAY, zone) if last >= today else after
    yield from (moment for moment in leases if moment > after and moment >= reached)


def _last_day(weekly: Iterable[Entry]) -> date:
    """The last local day on which any entry of the week may hold."""
    named = [max([one.get("last", "9998-12-31"), *one.get("also", ())]) for one in weekly]
    return date.fromisoformat(max(named, default="1970-01-01"))


def _of_day(weekly: Iterable[Entry], on: date, zone: ZoneInfo) -> Iterator[datetime]:
    times = {one[name] for one in weekly if takes_place(one, on) for name in ("from", "to")}
    for text in times:
        yield from _at_wall(on, text, zone)
    if times:
        yield _midnight(on + _DAY, zone)
        yield from _turn(on, zone)


def _at_wall(on: date, text: str, zone: ZoneInfo) -> set[datetime]:
    """The instants at which the wall's clock shows that time: one, two where it comes twice."""
    if text == "24:00":
        return {_midnight(on + _DAY, zone)}
    wall = datetime.combine(on, time.fromisoformat(text), tzinfo=zone)
    return {wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(0), tzinfo=zone).astimezone(UTC)


def _turn(on: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The instant of that day at which the clocks are put forward or back, to the minute, if they are."""
    low, high = _midnight(on, zone), _midnight(on + _DAY, zone)
    before = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == before:
        return
    minutes = int((high - low) / timedelta(minutes=1))
    first, last = 0, minutes
    while last - first > 1:
        middle = (first + last) // 2
        if (low + timedelta(minutes=middle)).astimezone(zone).utcoffset() == before:
            first = middle
        else:
            last = middle
    yield low + timedelta(minutes=last)
