"""What courses tell the rest of the product."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EnrolmentChanged:
    """A person joined or left a class, other than by a roster. `role` is a column of Enrolment.

    Classes that take a form as a whole follow it, and are not told one by one.
    """

    school_id: int
    class_id: int
    person_id: int
    role: int
    is_ended: bool


@dataclass(frozen=True, slots=True)
class RosterImported:
    """A roster was applied: whoever keeps a copy of people and classes reads them again."""

    school_id: int
    import_id: int


@dataclass(frozen=True, slots=True)
class PullNeedsOffice:
    """Another system's roster waits for somebody to look at it (`import_id`), or could not be pulled (None)."""

    school_id: int
    import_id: int | None
    at: datetime
