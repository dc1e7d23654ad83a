"""What a school may set about attendance. Pure."""

from collections.abc import Sequence
from typing import Final

from pupitre.kernel.errors import Refused

DELAY_MOST: Final = 240
DAYS_MOST: Final = 90


class WrongDelay(Refused):
    """A delay is between 0 and %(most)s minutes."""


class WrongDays(Refused):
    """Registers can be corrected for 0 to %(most)s days."""


class CodeEmpty(Refused):
    """A code needs a letter and a word."""


class CodeTaken(Refused):
    """Two codes have the same letter."""


def check_delays(alert_minutes: int, due_minutes: int, correction_days: int) -> None:
    if not all(0 <= minutes <= DELAY_MOST for minutes in (alert_minutes, due_minutes)):
        raise WrongDelay(most=DELAY_MOST)
    if not 0 <= correction_days <= DAYS_MOST:
        raise WrongDays(most=DAYS_MOST)


def check_codes(codes: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse codes without a letter or word, and two with the same letter."""
    letters = [code.strip().upper() for code in codes]
    if not all(letters) or not all(label.strip() for label in labels):
        raise CodeEmpty
    if len(set(letters)) != len(letters):
        raise CodeTaken
