"""Published notices and their receipts as facts: what `actions.history` takes. Pure."""

from dataclasses import dataclass
from datetime import datetime

from .kinds import Audience


@dataclass(frozen=True, slots=True)
class PastReceipt:
    """Whom a notice reached, because of which pupil (person ids), and what she did with it."""

    person: int
    pupil: int | None
    read_at: datetime | None = None
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastNotice:
    """A notice that was published. `author` and `klass` are ids."""

    title: str
    body: str
    audience: Audience
    author: int | None
    published_at: datetime
    needs_confirmation: bool
    receipts: tuple[PastReceipt, ...]
    klass: int | None = None
