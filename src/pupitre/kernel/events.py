"""The seam by which a context tells others what happened without knowing them.

An event is a frozen dataclass in its context's `rules`. Actions publish it inside their transaction; whoever wants to
know is subscribed by the composition root. A subscriber that has slow work to do defers a job, which then exists if,
and only if, the publisher's transaction commits.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Event = TypeVar("Event")
_subscribers: dict[type[Any], list[Callable[[Any], None]]] = {}


def subscribe(kind: type[Event], subscriber: Callable[[Event], None]) -> None:
    """Call `subscriber` with every event of exactly that class. Subscribing twice changes nothing."""
    known = _subscribers.setdefault(kind, [])
    if subscriber not in known:
        known.append(subscriber)


def unsubscribe(kind: type[Event], subscriber: Callable[[Event], None]) -> None:
    """Take the subscriber off again."""
    known = _subscribers.get(kind, [])
    if subscriber in known:
        known.remove(subscriber)


def publish(event: object) -> None:
    """Hand the event to everybody who subscribed to its class, in their order. Their errors are the publisher's."""
    for subscriber in tuple(_subscribers.get(type(event), ())):
        subscriber(event)
