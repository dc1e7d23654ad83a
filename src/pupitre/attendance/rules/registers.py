"""Who may take a register and when, and what a fresh one proposes. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pupitre.kernel.errors import Conflict, Refused
from pupitre.timetable.rules.calendar import instant

from .merging import OPENS_BEFORE
from .status import Status


class NotYetHeld(Refused):
    """This lesson has not begun yet. Its register opens 15 minutes before."""


class LessonCancelled(Refused):
    """This lesson does not take place, so it has no register."""


class RegisterClosed(Conflict):
    """This register is closed. Reopen it to correct it."""


class CorrectionOver(Refused):
    """This register can no longer be corrected here. Please ask the office."""


class ReasonMissing(Refused):
    """Say why the register is reopened: it is kept in its history."""


class NotClosed(Conflict):
    """This register is not closed."""


class NotInClass(Refused):
    """One of these pupils is not in this class."""


class UnknownCode(Refused):
    """The school does not use this code."""


class NotUnderstood(Refused):
    """These marks could not be read."""


class Phase(StrEnum):
    """How far a lesson's register is."""

    CANCELLED = "cancelled"
    UPCOMING = "upcoming"  # too early to take it
    OPEN = "open"  # nobody has taken it yet
    TAKEN = "taken"
    CLOSED = "closed"
    MISSED = "missed"  # never taken, and too late for a teacher
    SETTLED = "settled"  # taken, never closed, and too late for a teacher


@dataclass(frozen=True, slots=True)
class RegisterFacts:
    """What decides about a register: its lesson, its state, the school's delays, and who asks."""

    held_on: date
    starts_at: datetime
    is_cancelled: bool
    is_taken: bool
    closed_at: datetime | None
    correction_days: int
    zone: str
    is_office: bool


def corrects_until(facts: RegisterFacts) -> datetime | None:
    """Until when this person may write; None: without end."""
    if facts.is_office:
        return None
    day = facts.held_on + timedelta(days=facts.correction_days + 1)
    return instant(day, time.min, ZoneInfo(facts.zone))


def judge_phase(facts: RegisterFacts, now: datetime) -> Phase:
    """How far the register is for the person who asks."""
    if facts.is_taken and facts.closed_at is not None:
        return Phase.CLOSED
    if facts.is_cancelled and not facts.is_taken:
        return Phase.CANCELLED
    if now < facts.starts_at - OPENS_BEFORE:
        return Phase.UPCOMING
    until = corrects_until(facts)
    if until is not None and now >= until:
        return Phase.SETTLED if facts.is_taken else Phase.MISSED
    return Phase.TAKEN if facts.is_taken else Phase.OPEN


def refuse_unless_writable(facts: RegisterFacts, now: datetime) -> None:
    """Raise what keeps this person from writing into the register at `now`."""
    phase = judge_phase(facts, now)
    if phase is Phase.CLOSED:
        raise RegisterClosed
    if phase is Phase.CANCELLED:
        raise LessonCancelled
    if phase is Phase.UPCOMING:
        raise NotYetHeld
    if phase in {Phase.SETTLED, Phase.MISSED}:
        raise CorrectionOver


def may_reopen(facts: RegisterFacts, now: datetime) -> bool:
    """Whether this person may reopen the closed register."""
    until = corrects_until(facts)
    return facts.closed_at is not None and (until is None or now < until)


def merge_deadline(facts: RegisterFacts) -> datetime | None:
    """Marks that were made later than this and arrive from a device are kept, and do not count."""
    ends = [moment for moment in (facts.closed_at, corrects_until(facts)) if moment is not None]
    return min(ends, default=None)


def propose(*, is_announced: bool) -> Status:
    """What a fresh register says before anybody touches it."""
    return Status.EXCUSED if is_announced else Status.PRESENT
