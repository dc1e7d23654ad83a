"""How marks of several devices become one register (docs/decisions/0006-merging-registers.md). Pure.

Which mark counts follows from the set of all marks that were ever made, not from the order in which they arrived. So two
devices may send in any order and as often as they like, and every explicit mark is either the one that counts or kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .status import OFFICE_DEVICE, Outcome, Status

#: How far a device's corrected clock may be ahead of the server's before nobody believes it.
CLOCK_AHEAD: Final = timedelta(minutes=2)
#: How long before the lesson a register can be opened, and a mark be made.
OPENS_BEFORE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class MarkFacts:
    """What somebody said about one pupil in one lesson. `code_id` and `recorded_by` are 0 where there is none."""

    status: Status
    recorded_at: datetime
    device: str = ""
    is_explicit: bool = True
    minutes: int = 0
    code_id: int = 0
    note: str = ""
    recorded_by: int = 0

    @property
    def is_justification(self) -> bool:
        """The office's word that an absence is excused."""
        return self.device == OFFICE_DEVICE and self.status is Status.EXCUSED

    def says_the_same(self, other: "MarkFacts") -> bool:
        return (self.status, self.minutes, self.code_id, self.note) == (
            other.status,
            other.minutes,
            other.code_id,
            other.note,
        )

    def is_same_act(self, other: "MarkFacts") -> bool:
        """The same tap, received again."""
        made_here = (self.device, self.recorded_by, self.recorded_at, self.is_explicit)
        made_there = (other.device, other.recorded_by, other.recorded_at, other.is_explicit)
        return made_here == made_there and self.says_the_same(other)


@dataclass(frozen=True, slots=True)
class KeptMark:
    """A mark that does not count, and why."""

    mark: MarkFacts
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class PupilMarks:
    """All that is known about one pupil in one register: the mark that counts, and those that do not."""

    current: MarkFacts | None = None
    kept: tuple[KeptMark, ...] = ()


class Kind(StrEnum):
    """What happened to a mark that arrived; what the teacher is shown, except for the first two."""

    KNOWN = "known"  # it had arrived before, or says nothing new
    COUNTS = "counts"
    REPLACED = "replaced"  # it counts, instead of another device's mark that its sender had not seen
    OVERRULED = "overruled"  # another mark counts
    JUSTIFIED = "justified"  # the office has excused this absence
    AFTER_CLOSING = "after-closing"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mark's arrival: the pupil's marks as they are now, what to keep anew, and what to tell."""

    marks: PupilMarks
    kind: Kind
    newly_kept: tuple[KeptMark, ...] = ()
    other: MarkFacts | None = None  # the mark it replaced, or that overruled it


def choose(marks: Iterable[MarkFacts]) -> MarkFacts | None:
    """The mark that counts.

    Explicit beats implicit; among explicit ones the latest counts, and at the same moment the order of the devices' names.
    But an absence that the office has excused stays excused: only a later word that the pupil was there changes it.
    Of marks that nobody touched the first counts.
    """
    known = list(marks)
    explicit = [mark for mark in known if mark.is_explicit]
    if not explicit:
        return min(known, key=_order, default=None)
    told = max((mark for mark in explicit if not mark.is_justification), key=_order, default=None)
    justification = max((mark for mark in explicit if mark.is_justification), key=_order, default=None)
    if told is None or justification is None:
        return told or justification
    return justification if told.status is Status.ABSENT else max(told, justification, key=_order)


def _order(mark: MarkFacts) -> tuple[datetime, str, int, int, int, str, int]:
    return (
        mark.recorded_at,
        mark.device,
        mark.status,
        mark.minutes,
        mark.code_id,
        mark.note,
        mark.recorded_by,
    )


def receive(
    marks: PupilMarks, incoming: MarkFacts, *, deadline: datetime | None = None, has_seen: bool = False
) -> Arrival:
    """Let a mark arrive. `deadline`: marks made after it (a closing) are kept and do not count.

    `has_seen` says that its sender knew the mark that counted: overruling that is a correction and no surprise.
    """
    if _is_known(marks, incoming):
        return Arrival(marks, Kind.KNOWN)
    if deadline is not None and incoming.recorded_at > deadline:
        return _too_late(marks, incoming)
    counting = [kept.mark for kept in marks.kept if kept.outcome is not Outcome.AFTER_CLOSING]
    winner = choose([*([marks.current] if marks.current else []), *counting, incoming])
    losers = [mark for mark in (marks.current, incoming) if mark is not None and mark is not winner]
    assert winner is not None
    newly_kept = tuple(
        KeptMark(mark, _why(mark, winner, has_seen=has_seen)) for mark in losers if _is_worth(mark, winner)
    )
    after = PupilMarks(winner, marks.kept + newly_kept)
    kind, other = _told(marks.current, incoming, winner, has_seen=has_seen)
    return Arrival(after, kind, newly_kept, other)


def _is_known(marks: PupilMarks, incoming: MarkFacts) -> bool:
    if not incoming.is_explicit and marks.current is not None:
        return marks.current.is_explicit or _order(marks.current) <= _order(incoming)
    told = [marks.current] if marks.current else []
    return any(incoming.is_same_act(mark) for mark in (*told, *(kept.mark for kept in marks.kept)))


def _is_worth(loser: MarkFacts, winner: MarkFacts) -> bool:
    """What nobody touched is no decision; it is kept only as that which a decision replaced."""
    return loser.is_explicit or winner.is_explicit


def _too_late(marks: PupilMarks, incoming: MarkFacts) -> Arrival:
    if not incoming.is_explicit:
        return Arrival(marks, Kind.KNOWN)
    kept = KeptMark(incoming, Outcome.AFTER_CLOSING)
    return Arrival(PupilMarks(marks.current, (*marks.kept, kept)), Kind.AFTER_CLOSING, (kept,), marks.current)


def _why(loser: MarkFacts, winner: MarkFacts, *, has_seen: bool) -> Outcome:
    if not loser.is_explicit:
        return Outcome.EXPLICIT
    if winner.is_justification and loser.status is Status.ABSENT:
        return Outcome.JUSTIFIED
    if has_seen or loser.device == winner.device:
        return Outcome.CORRECTED
    return Outcome.TIED if loser.recorded_at == winner.recorded_at else Outcome.LATER


def _told(
    before: MarkFacts | None, incoming: MarkFacts, winner: MarkFacts, *, has_seen: bool
) -> tuple[Kind, MarkFacts | None]:
    if winner is incoming:
        surprising = (
            before is not None and before.is_explicit and not has_seen and before.device != incoming.device
        )
        if surprising and before is not None and not before.says_the_same(incoming):
            return Kind.REPLACED, before
        return Kind.COUNTS, None
    if not incoming.is_explicit or winner.says_the_same(incoming):
        return Kind.KNOWN, None
    return (Kind.JUSTIFIED if winner.is_justification else Kind.OVERRULED), winner


def receive_all(
    marks: PupilMarks, incoming: Sequence[MarkFacts], *, deadline: datetime | None = None
) -> PupilMarks:
    """Let several marks of one pupil arrive, one after the other."""
    for mark in incoming:
        marks = receive(marks, mark, deadline=deadline).marks
    return marks


def believe(mark: MarkFacts, *, starts_at: datetime, now: datetime) -> tuple[MarkFacts, bool]:
    """The mark with a time that can be true, and whether its own could not.

    A clock that is ahead of the server's, or that tells a time before the register could be opened, is not believed: its
    mark counts as made when the lesson began, so it never beats one whose time is known. The answer does not depend on
    when the mark arrives, so sending it again changes nothing.
    """
    if starts_at - OPENS_BEFORE <= mark.recorded_at <= now + CLOCK_AHEAD:
        return mark, False
    return replace(mark, recorded_at=starts_at), True
