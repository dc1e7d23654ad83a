"""Absences announced and justified, and when a family is told of one that was not. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Final
from zoneinfo import ZoneInfo

from pupitre.kernel.errors import Conflict, Denied, Refused
from pupitre.timetable.rules.calendar import instant

from .status import Status


class Reason(IntEnum):
    """Why a pupil is away."""

    ILLNESS = 1
    MEDICAL = 2  # an appointment
    FAMILY = 3
    TRAVEL = 4  # the bus did not come, the road was closed
    OTHER = 5


class NoticeState(IntEnum):
    """What the office made of a justification."""

    PENDING = 1
    ACCEPTED = 2
    REFUSED = 3


class AlertState(IntEnum):
    """What became of an unannounced absence."""

    WAITING = 1
    TOLD = 2
    CALMED = 3  # the pupil came, it was announced, or the school tells nobody


class Counted(IntEnum):
    """What a threshold counts. Unjustified: absent, not excused, and no justification is waiting."""

    ABSENT_LESSONS = 1
    ABSENT_DAYS = 2
    LATENESSES = 3
    PERCENT_MISSED = 4  # of all lessons, justified or not


class Window(IntEnum):
    """Over what stretch of time a threshold counts."""

    MONTH = 1
    TERM = 2
    YEAR = 3


class MayNotAnnounce(Denied):
    """You may not announce absences for this pupil."""


class WrongSpan(Refused):
    """The absence must end after it begins."""


class TooLong(Refused):
    """An absence of more than %(days)s days cannot be announced at once. Please talk to the school."""


class TooEarly(Refused):
    """This lies too far ahead. Announce it within a year of its beginning."""


class TooLate(Refused):
    """This is more than %(days)s days ago. Please talk to the school."""


class Overlapping(Refused):
    """For part of this time another absence is already announced. Withdraw that one first, or choose other times."""


class AlreadyAnnounced(Refused):
    """This absence is already announced."""


class AlreadyDecided(Conflict):
    """Somebody has already decided on this justification."""


class AlreadyWithdrawn(Conflict):
    """This announcement was already withdrawn."""


class CannotWithdraw(Refused):
    """The school has already accepted this absence. Please talk to the school to change it."""


class ReasonNeeded(Refused):
    """Say why the justification is refused: the family reads it."""


class NotMissing(Conflict):
    """This pupil is not marked absent any more."""


class LessonOver(Conflict):
    """This lesson is over. The next register will show that the pupil is there."""


#: Families justify what is not older, and announce what is not longer.
LATEST_DAYS: Final = 60
LONGEST_DAYS: Final = 31
_YEAR: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, `ends_at` not included; aware instants."""

    starts_at: datetime
    ends_at: datetime

    def meets(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def holds(self, other: "Span") -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def joined(self, other: "Span") -> "Span":
        return Span(min(self.starts_at, other.starts_at), max(self.ends_at, other.ends_at))


def span_of_days(
    first: date, last: date, zone: str, from_time: time | None = None, until_time: time | None = None
) -> Span:
    """From the first day (or a time on it) to the end of the last (or a time on it), by the clock on the school's wall.

    The instants are in UTC: those of one zone are compared by the wall's hands, which an hour may show twice.
    """
    place = ZoneInfo(zone)
    starts_at = instant(first, from_time or time.min, place)
    day, hour = (last, until_time) if until_time is not None else (last + timedelta(days=1), time.min)
    return Span(starts_at.astimezone(UTC), instant(day, hour, place).astimezone(UTC))


def is_whole_days(span: Span, zone: str) -> bool:
    """Whether the span runs from midnight to midnight on the school's wall."""
    place = ZoneInfo(zone)
    return all(moment.astimezone(place).time() == time.min for moment in (span.starts_at, span.ends_at))


def last_day(span: Span, zone: str) -> date:
    """The last day that the span touches."""
    return (span.ends_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def check_span(span: Span, now: datetime, *, by_office: bool) -> None:
    """Refuse a span that cannot be meant. The office may write down what lies further back or is longer."""
    if span.ends_at <= span.starts_at:
        raise WrongSpan
    if span.starts_at - now > _YEAR:
        raise TooEarly
    if by_office:
        return
    if span.ends_at - span.starts_at > timedelta(days=LONGEST_DAYS):
        raise TooLong(days=LONGEST_DAYS)
    if now - span.ends_at > timedelta(days=LATEST_DAYS):
        raise TooLate(days=LATEST_DAYS)


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement as the overlap is judged by it."""

    id: int
    span: Span
    kind: Reason
    state: NoticeState


def judge_overlap(
    existing: Iterable[Announced], span: Span, kind: Reason, *, by_office: bool, has_document: bool
) -> int | None:
    """The id of the announcement that the new one extends, or None where it stands for itself.

    An announcement of the same kind that nobody has decided is extended, by the office also an accepted one. What adds
    nothing, or contradicts an announcement, is refused with a sentence that says so.
    """
    touching = [one for one in existing if one.state is not NoticeState.REFUSED and one.span.meets(span)]
    if not touching:
        return None
    if len(touching) > 1:
        raise Overlapping
    found = touching[0]
    if found.span.holds(span) and found.kind is kind and not has_document:
        raise AlreadyAnnounced
    is_open = found.state is NoticeState.PENDING or by_office
    if found.kind is kind and is_open:
        return found.id
    raise Overlapping


def may_withdraw(state: NoticeState, *, by_office: bool) -> bool:
    """A family takes back what was not accepted; the office everything."""
    return by_office or state is not NoticeState.ACCEPTED


@dataclass(frozen=True, slots=True)
class DayOfPupil:
    """What is known about a missing pupil when the alert falls due."""

    status: Status | None  # of the mark that raised the alert, as it is now
    is_announced: bool
    came_later: bool  # present or late in a lesson that began after that one


def judge_alert(day: DayOfPupil, *, tells_families: bool) -> AlertState:
    """Whether the family is told: only if the pupil is still missing and nobody knows why."""
    if day.status is not Status.ABSENT or day.is_announced or day.came_later or not tells_families:
        return AlertState.CALMED
    return AlertState.TOLD


def alert_due(starts_at: datetime, delay_minutes: int, now: datetime) -> datetime:
    """When a family is told: the delay counts from the lesson's start, never from before now."""
    return max(starts_at + timedelta(minutes=delay_minutes), now)


def minutes_late(starts_at: datetime, ends_at: datetime, now: datetime) -> int:
    """How late somebody is who comes in now; at most the whole lesson, at least a minute."""
    arrived = min(max(now, starts_at), ends_at)
    return max(int((arrived - starts_at).total_seconds() // 60), 1)
