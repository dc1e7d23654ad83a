"""How many requests a connection makes in a minute. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pupitre.kernel.errors import Busy

#: So many requests are counted here before the count that all processes share is asked again.
BATCH: Final = 20


class TooManyRequests(Busy):
    """Too many requests. Wait a little and try again."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.retry_after = seconds


def minute_of(now: datetime) -> int:
    """The number of the minute since 1970."""
    return int(now.timestamp()) // 60


def seconds_left(now: datetime) -> int:
    """Until the next minute; at least one."""
    return 60 - int(now.timestamp()) % 60


@dataclass(slots=True)
class Meter:
    """What one process knows of a connection's minute: all processes' count when last told, and its own since."""

    minute: int = 0
    shared: int = 0
    own: int = 0

    def count(self, minute: int) -> int:
        """Count a request; says how many there were in this minute, as far as is known here."""
        if minute != self.minute:
            self.minute, self.shared, self.own = minute, 0, 0
        self.own += 1
        return self.shared + self.own

    @property
    def is_due(self) -> bool:
        """Whether the shared count should hear of what was counted here: at first, and after each batch."""
        return self.own >= BATCH or (self.shared == 0 and self.own == 1)

    def told(self, minute: int, shared: int, sent: int) -> None:
        """The shared count heard of `sent` requests and stands at `shared`."""
        if minute == self.minute:
            self.shared, self.own = shared, max(self.own - sent, 0)
