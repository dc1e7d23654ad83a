"""What the timetable tells the rest of the product."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class CoverChanged:
    """Somebody is newly to stand in for a lesson that is not over, or need not any more.

    `substitute_id` is the person who does now, `released_id` the one who did before; one of them may be None, and they
    differ. `group` is the class as it stands beside the subject.
    """

    school_id: int
    lesson_id: int
    held_on: date
    starts_at: datetime
    subject: str
    group: str
    substitute_id: int | None
    released_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class DayChanged:
    """A lesson is held otherwise on that date than the timetable has it: by a substitute, elsewhere, or not at all.

    `is_undone` where what was said before does not count any more.
    """

    school_id: int
    lesson_id: int
    held_on: date
    substitute_id: int | None
    room_id: int | None
    is_cancelled: bool
    is_undone: bool
