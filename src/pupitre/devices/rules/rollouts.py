"""What the rest of the product is told of rollouts. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RolloutHalted:
    """A rollout stopped by itself, because too many installations failed. `school_id` is None for the authority's."""

    authority_id: int
    school_id: int | None
    rollout_id: int
    application: str
    version: str
    failed: int
    reports: int
    at: datetime
