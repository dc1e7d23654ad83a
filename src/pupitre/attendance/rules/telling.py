"""What may be told of a school to who must not find anybody in it: nothing that rests on so few that one could be guessed."""

from datetime import timedelta
from typing import Final

#: Fewer than these are not told to an authority.
SMALLEST: Final = 5
#: How far back an authority compares its schools.
WINDOW: Final = timedelta(days=30)


def is_small(count: int) -> bool:
    """Whether a count could point at somebody. None at all points at nobody."""
    return 0 < count < SMALLEST
