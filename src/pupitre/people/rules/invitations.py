"""Letters with a code by which people take over their account. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from pupitre.kernel.errors import Conflict, Refused
from pupitre.kernel.text import fold
from pupitre.people.rules import STAFF, Role

#: A letter's code is good for two school months, a code sent by e-mail for two days.
LETTER_LASTS = timedelta(days=60)
MAIL_LASTS = timedelta(days=2)
#: What fits into one PDF and one request; a larger school prints grade by grade.
LETTERS_AT_ONCE = 1500

USERNAME_LENGTH = (3, 40)
_USERNAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")


class AlreadySomebody(Conflict):
    """Your account already is another person in this school. The office can put the two together."""


class TakenByAnother(Conflict):
    """There is another account for this person. Sign in with it, or ask the office for help."""


class RecoverElsewhere(Refused):
    """Your account leads to an authority too, so letters of schools cannot change its password. Use "Forgot your password?" instead."""


class LettersMissing(Refused):
    """Your account leads to other schools too. The code of a letter of each of them is needed: their offices print one."""


class UnfitUsername(Refused):
    """A user name has 3 to 40 small letters, digits, dots, dashes or underscores, and begins with a letter."""


class UsernameTaken(Conflict):
    """The user name is taken. Choose another one."""


class Group(IntEnum):
    """Whom a list of invitations is about."""

    FAMILIES = 1
    PUPILS = 2
    STAFF = 3


ROLES_OF: dict[Group, frozenset[Role]] = {
    Group.FAMILIES: frozenset({Role.GUARDIAN}),
    Group.PUPILS: frozenset({Role.PUPIL}),
    Group.STAFF: STAFF,
}


class InvitationState(IntEnum):
    """How far an invitation has come."""

    NONE = 0
    SENT = 1
    EXPIRED = 2


def state_of(issued_at: datetime | None, expires_at: datetime | None, now: datetime) -> InvitationState:
    """Whether somebody without an account holds a code that still works."""
    if issued_at is None or expires_at is None:
        return InvitationState.NONE
    return InvitationState.SENT if now < expires_at else InvitationState.EXPIRED


class Proof(IntEnum):
    """What a code's holder must know besides the code."""

    BIRTH_DATE = 1
    FAMILY_NAME = 2


@dataclass(frozen=True, slots=True)
class Identity:
    """What the school knows of a code's owner, as far as the proof needs it."""

    family_name: str
    born_on: date | None

    @property
    def proof(self) -> Proof:
        return Proof.BIRTH_DATE if self.born_on else Proof.FAMILY_NAME


def proves(identity: Identity, *, born_on: date | None, family_name: str) -> bool:
    """Whether the holder is the owner. Accents and case do not count, nor which of two family names is told."""
    if identity.born_on:
        return born_on == identity.born_on
    told, known = fold(family_name), fold(identity.family_name)
    return bool(told) and (told == known or told in known.split())


def usernames(given_name: str, family_name: str, proposed: str = "") -> list[str]:
    """User names to try in turn, best first; more than one may be taken."""
    given, family = (
        _plain(given_name),
        _plain(family_name.split(maxsplit=1)[0] if family_name.split() else ""),
    )
    stem = ".".join(part for part in (given, family) if part)[: USERNAME_LENGTH[1] - 4] or "user"
    if not stem[0].isalpha():
        stem = f"u{stem}"
    first = [fold(proposed).partition("@")[0]] if is_username(fold(proposed).partition("@")[0]) else []
    return [*first, *([stem] if is_username(stem) else []), *(f"{stem}{n}" for n in range(2, 60))]


def _plain(name: str) -> str:
    return "".join(c for c in fold(name) if c in _USERNAME and c.isalnum())


def is_username(name: str) -> bool:
    """An @ is refused so that nobody's user name can be somebody else's e-mail address."""
    shortest, longest = USERNAME_LENGTH
    return shortest <= len(name) <= longest and name[0].isalpha() and set(name) <= _USERNAME
