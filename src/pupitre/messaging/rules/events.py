"""What messaging tells the rest of the product."""

from dataclasses import dataclass

from pupitre.messaging.rules.kinds import Audience


@dataclass(frozen=True, slots=True)
class NoticePublished:
    """A notice is on its way to those whom it reaches; `class_id` where it is for one class."""

    school_id: int
    notice_id: int
    audience: Audience
    class_id: int | None
    needs_confirmation: bool
