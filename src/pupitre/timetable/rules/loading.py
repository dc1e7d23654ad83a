"""Rooms and lessons of a whole school as facts: what `actions.loading` takes. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewRoom:
    """A room; `key` is the caller's name for it."""

    key: str
    name: str
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class NewLesson:
    """A lesson of every week. `klass` and `teachers` are sourcedIds, `room` a NewRoom's key or "".

    `position` is that of its period in the default bell schedule, breaks counted; `source` names the lesson from now on.
    """

    source: str
    klass: str
    subject: str
    weekday: int
    position: int
    teachers: tuple[str, ...]
    room: str = ""
    length: int = 1
