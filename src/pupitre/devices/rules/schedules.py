"""What holds at a moment by the rules of the week, and when that changes next. The agent decides the same by itself.

A schedule is a list of entries as `docs/devices/agent-protocol.md` has them: of the week (`days`, `from`, `to`, `first`, `last`,
`except`, `also`; local dates and times) or between two instants (`starts_at`, `ends_at`; RFC 3339). Local times are those of a clock
on the wall: an hour that comes twice counts twice, one that is left out never comes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

Entry = Mapping[str, Any]

#: The end of the day in an entry's `to`.
MIDNIGHT: Final = "24:00"
_DAY: Final = timedelta(days=1)
#: Further than any school year: where an entry says no end, nobody looks beyond.
_FURTHEST: Final = 500


@dataclass(frozen=True, slots=True)
class Holding:
    """The entries that hold at a moment, in the order in which they are laid over the settings."""

    entries: tuple[Entry, ...] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """What they say together: of the same setting the later entry's word."""
        return {key: value for entry in self.entries for key, value in entry.get("settings", {}).items()}

    def says(self, key: str) -> Entry | None:
        """The entry whose word holds for that setting."""
        return next((one for one in reversed(self.entries) if key in one.get("settings", {})), None)


NOTHING: Final = Holding()


def is_lease(entry: Entry) -> bool:
    """Whether the entry holds between two instants, once, rather than by the week."""
    return "starts_at" in entry


def holding_at(schedule: Sequence[Entry], instant: datetime, zone: str) -> Holding:
    """Which entries hold at that instant in the IANA time zone. While a lease lifts rules, entries of the week do not."""
    if not schedule:
        return NOTHING
    local = instant.astimezone(ZoneInfo(zone))
    leases = [one for one in schedule if is_lease(one) and _runs(one, instant)]
    if any(one.get("lifts_rules") for one in leases):
        return Holding(tuple(leases))
    return Holding(
        tuple(
            one for one in schedule if (_runs(one, instant) if is_lease(one) else _holds_weekly(one, local))
        )
    )


def next_change(schedule: Sequence[Entry], instant: datetime, zone: str) -> datetime | None:
    """The first instant (UTC) after `instant` at which other entries hold; None if they never do."""
    if not schedule:
        return None
    now = _ids(holding_at(schedule, instant, zone))
    for moment in _moments(schedule, instant, ZoneInfo(zone)):
        if _ids(holding_at(schedule, moment, zone)) != now:
            return moment
    return None


def until(schedule: Sequence[Entry], entry: Entry, instant: datetime, zone: str) -> datetime | None:
    """Until when (UTC) an entry goes on to hold that holds at `instant`, also where the next takes over from it."""
    own = [one for one in schedule if one.get("id") == entry.get("id") or one.get("lifts_rules")]
    for moment in _moments(own, instant, ZoneInfo(zone)):
        if entry.get("id") not in _ids(holding_at(own, moment, zone)):
            return moment
    return None


def _ids(holding: Holding) -> list[Any]:
    return [one.get("id") for one in holding.entries]


def _runs(lease: Entry, instant: datetime) -> bool:
    return _instant(lease["starts_at"]) <= instant < _instant(lease["ends_at"])


def _holds_weekly(entry: Entry, local: datetime) -> bool:
    clock = f"{local:%H:%M}"
    return entry["from"] <= clock < entry["to"] and takes_place(entry, local.date())


def takes_place(entry: Entry, on: date) -> bool:
    """Whether an entry of the week holds on that local date at all."""
    text = on.isoformat()
    if text in entry.get("also", ()):
        return True
    return (
        on.isoweekday() in entry["days"]
        and entry.get("first", "") <= text <= entry.get("last", "9999")
        and text not in entry.get("except", ())
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moments(schedule: Sequence[Entry], after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants after `after` at which something may begin or end, in order."""
    leases = sorted(
        _instant(one[name]).astimezone(UTC)
        for one in schedule
        if is_lease(one)
        for name in ("starts_at", "ends_at")
        if _instant(one[name]) > after
    )
    weekly = [one for one in schedule if not is_lease(one)]
    start = after.astimezone(zone).date()
    for number in range(_days_ahead(weekly, start)):
        found = {moment for moment in _of_day(weekly, start + number * _DAY, zone) if moment > after}
        bound = max(found, default=_wall(start + number * _DAY, "00:00", zone)[0])
        while leases and leases[0] <= bound:
            found.add(leases.pop(0))
        yield from sorted(found)
    yield from leases


def _days_ahead(weekly: Iterable[Entry], start: date) -> int:
    """How many days there is something to look for: to the last that any entry names, and the midnight after it."""
    lasts = [max([one.get("last", "9999"), *one.get("also", ())]) for one in weekly]
    if not lasts:
        return 0
    last = max(lasts)
    return _FURTHEST if last > "9998" else min(max((date.fromisoformat(last) - start).days + 1, 0), _FURTHEST)


def _of_day(weekly: Iterable[Entry], on: date, zone: ZoneInfo) -> Iterator[datetime]:
    times = {text for entry in weekly if takes_place(entry, on) for text in (entry["from"], entry["to"])}
    if not times:
        return
    for text in times:
        yield from _wall(on, text, zone)
    yield from _turn(on, zone)


def _wall(on: date, text: str, zone: ZoneInfo) -> list[datetime]:
    """The instants at which a clock on the wall shows that time: one, or two where it comes twice."""
    if text == MIDNIGHT:
        on, text = on + _DAY, "00:00"
    wall = datetime.combine(on, time.fromisoformat(text), tzinfo=zone)
    return sorted({wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)})


def _turn(on: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The instant of that date at which the clocks are put forward or back, if they are."""
    early = datetime.combine(on, time(0), tzinfo=zone).astimezone(UTC)
    late = datetime.combine(on + _DAY, time(0), tzinfo=zone).astimezone(UTC)
    before = early.astimezone(zone).utcoffset()
    if late.astimezone(zone).utcoffset() == before:
        return
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        middle = middle.replace(second=0, microsecond=0)
        if middle <= early:
            break
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    yield late
