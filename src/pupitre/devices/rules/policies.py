"""What a policy, an assignment, a lesson rule and a lease must be. Pure."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Final

from pupitre.kernel.errors import Conflict, Denied, Refused

#: The ranks that people give: -50 to 50.
RANKS: Final = range(-50, 51)
#: A rule names a school year at most, so that its document has an end.
LONGEST_RULE: Final = timedelta(days=400)
#: A lease without a lesson, by who cares for devices.
LONGEST_LEASE: Final = timedelta(hours=8)
_LONGEST_NAME: Final = 120


class NameNeeded(Refused):
    """Give it a name of at most 120 characters."""


class NameTaken(Conflict):
    """There is another policy of this name."""


class NothingNew(Refused):
    """Nothing is different from what holds already."""


class NotYourPolicy(Denied):
    """This policy is the authority's. The school can give it to classes and devices, but not change it."""


class AlreadyAssigned(Conflict):
    """This policy is given there already."""


class DatesReversed(Refused):
    """The end lies before the beginning."""


class RankTooHigh(Refused):
    """Give a rank from -50 to 50."""


class WrongHours(Refused):
    """Give days of the week, and hours whose end comes after their beginning, such as 20:00 to 24:00."""


class NoTimes(Refused):
    """Say when the rule holds: in lessons, or at which hours."""


class NothingSaid(Refused):
    """Say what shall be different."""


class TooLong(Refused):
    """This lasts too long."""


class NotTaughtNow(Denied):
    """You teach this class at other times. During a lesson you can decide for its devices."""


def checked_name(name: str) -> str:
    """The name as it is kept. Raises NameNeeded."""
    clean = " ".join(name.split())
    if not 0 < len(clean) <= _LONGEST_NAME:
        raise NameNeeded
    return clean


def check_assignment(rank: int, starts_on: date | None, ends_on: date | None) -> None:
    """Raises RankTooHigh, DatesReversed."""
    if rank not in RANKS:
        raise RankTooHigh
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise DatesReversed


def check_rule_dates(starts_on: date, ends_on: date) -> None:
    """Raises DatesReversed, TooLong."""
    if ends_on < starts_on:
        raise DatesReversed
    if ends_on - starts_on > LONGEST_RULE:
        raise TooLong


def checked_hours(hours: Collection[Any]) -> list[dict[str, Any]]:
    """Hours [{"days": [ISO weekdays], "from": "HH:MM", "to": "HH:MM"}] as they are kept. Raises WrongHours."""
    found = []
    for one in hours:
        days = sorted(set(one.get("days", ())))
        starts, ends = str(one.get("from", "")), str(one.get("to", ""))
        if not days or not set(days) <= set(range(1, 8)) or not is_clock(starts) or starts >= ends:
            raise WrongHours
        if ends != "24:00" and not is_clock(ends):
            raise WrongHours
        found.append({"days": days, "from": starts, "to": ends})
    return found


def is_clock(text: str) -> bool:
    """Whether the text is a time as HH:MM."""
    if len(text) != 5 or text[2] != ":" or not (text[:2] + text[3:]).isascii():
        return False
    return text[:2].isdigit() and text[3:].isdigit() and int(text[:2]) < 24 and int(text[3:]) < 60


def lease_end(wanted: datetime | None, *, now: datetime, lesson_ends_at: datetime | None) -> datetime:
    """When a lease ends: as wanted, but not after the lesson, nor after the longest lease without one. Raises TooLong."""
    latest = lesson_ends_at or now + LONGEST_LEASE
    ends_at = wanted or latest
    if ends_at > latest:
        raise TooLong
    if ends_at <= now:
        raise DatesReversed
    return ends_at
