"""What happens to a device: the kinds of lines of its history, and what the rest of the product is told."""

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """A line of a device's history (`models.DeviceEvent.kind`)."""

    #: On a delivery note or zero-touch list.
    EXPECTED = "expected"
    ENROLLED = "enrolled"
    #: Came in, and waits for somebody to know it.
    WAITING = "waiting"
    APPROVED = "approved"
    #: Was not known by anybody and is let in no more.
    REFUSED = "refused"
    RETIRED = "retired"
    #: Taken back into use.
    RELEASED = "released"
    CHANGED = "changed"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    #: It is a class's: a trolley, or the class for which it came in.
    CLASS_CHANGED = "class-changed"
    BROKEN = "broken"
    LOST = "lost"
    STOLEN = "stolen"
    REPAIRED = "repaired"
    FOUND = "found"
    LENT = "lent"
    SIGNED = "signed"
    SWAPPED = "swapped"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class HoldersChanged:
    """Somebody else has these devices now, or nobody; or they belong to another class."""

    school_id: int
    device_ids: tuple[int, ...]
