"""Past registers and absences as facts: what `actions.history` takes. Pure.

Made for bringing years of history from another system: everything is named as that system named it, by sourcedIds and by
the lessons' sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from .absences import Counted, NoticeState, Reason, Window
from .status import Outcome, Status


class PastMark(NamedTuple):
    """A pupil in a register."""

    pupil: str
    status: int  # a Status, as a number: there are hundreds of thousands
    minutes: int = 0
    note: str = ""
    is_explicit: bool = False


class Replaced(NamedTuple):
    """What a mark said before it was corrected."""

    pupil: str
    status: Status
    recorded_at: datetime
    kept_at: datetime
    outcome: Outcome = Outcome.CORRECTED


@dataclass(frozen=True, slots=True)
class PastRegister:
    """The register of a lesson on a day; `lesson` is the lesson's source. Instants are aware."""

    lesson: str
    held_on: date
    starts_at: datetime
    ends_at: datetime
    taken_at: datetime
    taken_by: str
    closed_at: datetime | None
    marks: Sequence[PastMark]
    replaced: Sequence[Replaced] = ()


@dataclass(frozen=True, slots=True)
class PastNotice:
    """An absence that was announced or justified; aware instants, `ends_at` not included."""

    pupil: str
    starts_at: datetime
    ends_at: datetime
    kind: Reason
    reason: str
    announced_at: datetime
    announced_by: str
    state: NoticeState
    by_office: bool = False
    decided_at: datetime | None = None
    decided_by: str = ""
    decision_note: str = ""
    document_key: str = ""
    document_name: str = ""
    document_type: str = ""


class Loaded(NamedTuple):
    """How much was written."""

    registers: int
    marks: int


class NewCode(NamedTuple):
    """One of the school's own codes."""

    code: str
    label: str
    status: Status


class NewThreshold(NamedTuple):
    """When the school writes which letter; the text may name rules.thresholds.PLACEHOLDERS."""

    name: str
    counts: Counted
    limit: int
    window: Window
    title: str
    body: str
