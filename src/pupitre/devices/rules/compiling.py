"""From assignments, lesson rules and leases to the one document of a `Target`. Pure.

All that one level says to one whom is composed here, once, when it changes; `composing.compose` lays the levels over each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from .composing import merged
from .settings import SETTINGS, Kind

#: What an authority locks in a school, the school's own ranks do not reach.
ABOVE_ALL: Final = 100_000
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Assigned:
    """A policy that is assigned to the whom, as its current version says."""

    assignment_id: int
    policy_id: int
    policy: str
    settings: Mapping[str, Any]
    locked: frozenset[str] = frozenset()
    rank: int = 0
    #: None for all.
    platform: int | None = None
    #: By an authority, below its own level: what it locks, the school's assignments to the same whom cannot change.
    is_wider: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """From one time to another on a local date; times are HH:MM, `ends` is not included."""

    on: date
    starts: str
    ends: str


@dataclass(frozen=True, slots=True)
class Hours:
    """Given hours of a rule: ISO weekdays, and times as HH:MM, `ends` not included (24:00 is midnight)."""

    days: frozenset[int]
    starts: str
    ends: str


def compile_document(
    assigned: Iterable[Assigned], schedule: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The document of a `Target`: {"settings", "locked", "why", "ranks", "platforms", "schedule"}, parts that say nothing left out.

    It is the same in whatever order the assignments come: of two of the same rank the later made holds.
    """
    ordered = sorted(assigned, key=lambda one: (one.rank, one.assignment_id))
    ordered = [_without(one, _locked_wider(ordered, one.platform)) for one in ordered]
    document = _said([one for one in ordered if one.platform is None])
    platforms = {
        str(platform): said
        for platform in sorted({one.platform for one in ordered if one.platform is not None})
        if (said := _said([one for one in ordered if one.platform == platform]))
    }
    if platforms:
        document["platforms"] = platforms
    if schedule:
        document["schedule"] = list(schedule)
    return document


def _locked_wider(assigned: Iterable[Assigned], platform: int | None) -> frozenset[str]:
    return frozenset(
        key for one in assigned if one.is_wider and one.platform in (None, platform) for key in one.locked
    )


def _without(one: Assigned, keys: frozenset[str]) -> Assigned:
    if one.is_wider or not keys & one.settings.keys():
        return one
    left = {key: value for key, value in one.settings.items() if key not in keys}
    return Assigned(
        one.assignment_id, one.policy_id, one.policy, left, one.locked - keys, one.rank, one.platform
    )


def _said(ordered: Iterable[Assigned]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    locked: set[str] = set()
    why: dict[str, list[Any]] = {}
    ranks: dict[str, int] = {}
    for one in ordered:
        for key, value in one.settings.items():
            setting = SETTINGS.get(key)
            is_named = setting is not None and setting.kind is Kind.NAMED
            if is_named and setting is not None and key in settings:
                value = merged(settings[key], value, setting.name_by)
            elif not is_named:
                locked.discard(key)
            settings[key] = value
            why[key] = [one.policy_id, one.policy]
            ranks[key] = one.rank + (ABOVE_ALL if one.is_wider and key in one.locked else 0)
            if key in one.locked:
                locked.add(key)
    found = {
        "settings": settings,
        "locked": sorted(locked),
        "why": why,
        "ranks": {key: rank for key, rank in ranks.items() if rank},
    }
    return {name: part for name, part in found.items() if part}


# The week.


def rule_entries(
    rule_id: int,
    label: str,
    settings: Mapping[str, Any],
    spans: Iterable[Span],
    hours: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """A lesson rule as entries of the schedule: its lessons' `spans`, and `hours` as `weekly_hours` makes them."""
    return [
        {"id": f"rule-{rule_id}-{number}", "label": label, **entry, "settings": dict(settings)}
        for number, entry in enumerate([*weekly_entries(spans), *hours], start=1)
    ]


def lease_entry(
    lease_id: int,
    label: str,
    settings: Mapping[str, Any],
    starts_at: datetime,
    ends_at: datetime,
    *,
    lifts_rules: bool,
) -> dict[str, Any]:
    """A lease as an entry of the schedule."""
    entry = {
        "id": f"lease-{lease_id}",
        "label": label,
        "starts_at": rfc3339(starts_at),
        "ends_at": rfc3339(ends_at),
        "settings": dict(settings),
    }
    return entry | ({"lifts_rules": True} if lifts_rules else {})


def rfc3339(instant: datetime) -> str:
    """The instant in UTC, to the second."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def weekly_entries(spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Spans on dates as entries of the week that hold on exactly these dates, and end with the last of them.

    Spans of a date that touch become one. A weekday is named where the dates on which it holds are more than those between on
    which it does not (`except`); else its dates are named one by one (`also`). So the turn of weeks A and B, holidays, a Saturday
    that runs as a Monday and a day with other bells need no words of their own.
    """
    dates: dict[tuple[str, str], set[date]] = {}
    for on, starts, ends in _joined(spans):
        dates.setdefault((starts, ends), set()).add(on)
    return [_entry(starts, ends, dates[starts, ends]) for starts, ends in sorted(dates)]


def _joined(spans: Iterable[Span]) -> list[tuple[date, str, str]]:
    found: list[tuple[date, str, str]] = []
    for span in sorted(spans, key=lambda one: (one.on, one.starts, one.ends)):
        if span.starts >= span.ends:
            continue
        if found and found[-1][0] == span.on and span.starts <= found[-1][2]:
            on, starts, ends = found[-1]
            found[-1] = (on, starts, max(ends, span.ends))
        else:
            found.append((span.on, span.starts, span.ends))
    return found


def _entry(starts: str, ends: str, dates: set[date]) -> dict[str, Any]:
    first, last = min(dates), max(dates)
    days: list[int] = []
    without: list[date] = []
    also: list[date] = []
    for weekday in range(1, 8):
        held = {on for on in dates if on.isoweekday() == weekday}
        missing = [on for on in _weekdays(weekday, first, last) if on not in held]
        if len(held) > len(missing):
            days.append(weekday)
            without += missing
        else:
            also += held
    entry: dict[str, Any] = {
        "days": days,
        "from": starts,
        "to": ends,
        "first": first.isoformat(),
        "last": last.isoformat(),
    }
    for name, found in (("except", without), ("also", also)):
        if found:
            entry[name] = [on.isoformat() for on in sorted(found)]
    return entry


def _weekdays(weekday: int, first: date, last: date) -> list[date]:
    start = first + ((weekday - first.isoweekday()) % 7) * _DAY
    return [start + 7 * n * _DAY for n in range((last - start).days // 7 + 1)] if start <= last else []


def weekly_hours(
    hours: Iterable[Hours], first: date, last: date, closed: Iterable[date]
) -> list[dict[str, Any]]:
    """Given hours between two dates, both included, as entries of the week; they do not hold on `closed` dates."""
    shut = sorted(set(closed))
    found = []
    for one in hours:
        entry: dict[str, Any] = {
            "days": sorted(one.days),
            "from": one.starts,
            "to": one.ends,
            "first": first.isoformat(),
            "last": last.isoformat(),
        }
        without = [on.isoformat() for on in shut if on.isoweekday() in one.days and first <= on <= last]
        found.append(entry | ({"except": without} if without else {}))
    return found
