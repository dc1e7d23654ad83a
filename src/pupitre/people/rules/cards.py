"""Class cards for children without e-mail: who may have one, its pictures, and when it locks. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pupitre.kernel.errors import Refused, TooMany
from pupitre.people.rules import Role

#: lucide names. Things that a child of five names the same way twice, and that differ in outline, not in colour only.
PICTURES = (
    "apple",
    "bird",
    "bike",
    "cat",
    "fish",
    "flower",
    "house",
    "key",
    "moon",
    "star",
    "sun",
    "umbrella",
)
PICTURES_TO_CHOOSE = 3
LOCKS_AFTER = 5
LOCKED_FOR = timedelta(minutes=10)
#: 12 * 11 * 10 orders of pictures: with these failures in all a thief guesses right once in 66 stolen cards.
REVOKED_AFTER = 20
CARDS_AT_ONCE = 400


class NoCardFor(Refused):
    """Class cards are for pupils who have no password of their own."""


class CardLocked(TooMany):
    """The card rests for a few minutes after too many wrong pictures. Ask your teacher."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a card after an attempt."""

    is_right: bool
    failures: int
    locked_until: datetime | None
    is_revoked: bool


def judge_attempt(*, is_right: bool, failures: int, now: datetime) -> Verdict:
    """A right answer wipes the failures; every fifth wrong one locks, the twentieth ends the card."""
    if is_right:
        return Verdict(is_right=True, failures=0, locked_until=None, is_revoked=False)
    failures += 1
    locks = failures % LOCKS_AFTER == 0
    return Verdict(
        is_right=False,
        failures=failures,
        locked_until=now + LOCKED_FOR if locks else None,
        is_revoked=failures >= REVOKED_AFTER,
    )


def may_have_card(roles: frozenset[Role], *, has_password: bool) -> bool:
    """Only who is a pupil and nothing else, and has no secret of her own that a card would weaken."""
    return roles == {Role.PUPIL} and not has_password


def are_pictures(chosen: list[str]) -> bool:
    return len(chosen) == PICTURES_TO_CHOOSE and set(chosen) <= set(PICTURES)
