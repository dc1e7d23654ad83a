"""The only place that asks what time it is. Everything else takes `now` as a parameter."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_frozen: ContextVar[datetime | None] = ContextVar("pupitre_frozen_now", default=None)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)


def today(zone: str) -> date:
    """The date on the wall of a place in the IANA time zone `zone`."""
    return local(now(), zone).date()


def local(instant: datetime, zone: str) -> datetime:
    """The instant as a clock on a wall in `zone` shows it (aware)."""
    return instant.astimezone(ZoneInfo(zone))


@contextmanager
def frozen(instant: datetime) -> Iterator[None]:
    """Hold the clock still, in tests and in the demonstration's own arithmetic."""
    token = _frozen.set(instant)
    try:
        yield
    finally:
        _frozen.reset(token)
