"""What time it is, also where somebody set the computer's clock.

While the computer runs, time is the server's last word plus what has passed since by a counter that nobody can set, standby
included. After a restart it is the computer's clock, corrected by what it was wrong when the server was last heard, but never
earlier than the last moment that was known: a clock set back makes a rule go on from where it was, not end.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

#: Seconds by which a clock may be wrong before it is told.
TOLERATED: Final = 600.0


class Source(Protocol):
    """Where times come from: the machine, or in tests a file."""

    def wall(self) -> float:
        """Seconds since 1970 by the clock that can be set."""

    def elapsed(self) -> float:
        """Seconds since some moment of this run of the computer, standby included."""

    def boot(self) -> str:
        """A name of this run of the computer."""


class SystemSource:
    """This computer's clocks."""

    def __init__(self, boot: Callable[[], str]) -> None:
        self._boot = boot()

    def wall(self) -> float:
        return time.time()

    def elapsed(self) -> float:
        # Linux' monotonic counter stands still in standby, this one does not; Windows' own does not, either.
        gettime, counter = getattr(time, "clock_gettime", None), getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if gettime is None or counter is None else float(gettime(counter))

    def boot(self) -> str:
        return self._boot


class MovedSource(SystemSource):
    """The same, moved by what a file says: {"wall": seconds, "elapsed": seconds, "boot": name}. Only below a foreign root."""

    def __init__(self, path: Path, boot: Callable[[], str]) -> None:
        super().__init__(boot)
        self._path = path

    def _moved(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return found

    def wall(self) -> float:
        return super().wall() + float(self._moved().get("wall", 0))

    def elapsed(self) -> float:
        return super().elapsed() + float(self._moved().get("elapsed", 0))

    def boot(self) -> str:
        return str(self._moved().get("boot", super().boot()))


@dataclass(frozen=True, slots=True)
class Anchor:
    """A moment from which time is counted on."""

    time: float
    elapsed: float
    boot: str
    #: By how much the computer's own clock was behind the server's.
    skew: float = 0.0
    #: The last moment that is known to have been.
    floor: float = 0.0
    #: Whether the server said so in this run of the computer, rather than the computer's own clock.
    is_sure: bool = False


class Clock:
    """The time to go by. `memory` is what an earlier run of the agent kept."""

    def __init__(self, source: Source, memory: dict[str, Any] | None = None) -> None:
        self._source = source
        self._anchor = Anchor(**memory) if memory else None
        #: What was found wrong with the computer's clock, in words; told to the school, and forgotten when it was.
        self.finding = ""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """Seconds since 1970."""
        anchor = self._anchor
        if anchor is None:
            return self._source.wall()
        if anchor.boot != self._source.boot():
            anchor = self._anchor = self._after_restart(anchor)
        counted = anchor.time + max(0.0, self._source.elapsed() - anchor.elapsed)
        return counted if anchor.is_sure else max(counted, self._source.wall() + anchor.skew)

    def _after_restart(self, before: Anchor) -> Anchor:
        told = self._source.wall() + before.skew
        if told < before.floor - TOLERATED:
            self.finding = (
                f"The computer's clock was set back by {_words(before.floor - told)} while it was off."
            )
        start = max(told, before.floor)
        return Anchor(start, self._source.elapsed(), self._source.boot(), before.skew, start)

    def heard(self, server: datetime) -> None:
        """The server said what time it is."""
        stamp = server.timestamp()
        if self._anchor is not None and abs(away := self.seconds() - stamp) > TOLERATED:
            way = "ahead" if away > 0 else "behind"
            self.finding = (
                f"The computer's clock was {_words(abs(away))} {way} when the server was heard again."
            )
        self._anchor = Anchor(
            stamp, self._source.elapsed(), self._source.boot(), stamp - self._source.wall(), stamp, True
        )

    def memory(self) -> dict[str, Any] | None:
        """What the next run of the agent must know; None before the server was ever heard."""
        if self._anchor is None:
            return None
        now = self.seconds()
        return {**asdict(self._anchor), "floor": max(self._anchor.floor, now)}


def _words(seconds: float) -> str:
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
