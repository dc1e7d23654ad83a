"""Who may write notices to whom, what becomes of their text, and when somebody is reminded. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pupitre.kernel.errors import Conflict, Denied, Refused
from pupitre.messaging.rules.kinds import Audience
from pupitre.people.rules import OFFICE, Actor, Role

#: Write notices: the office to everybody, teachers to their own classes.
WRITERS: Final = OFFICE | {Role.TEACHER}
#: A reminder is sent to nobody twice within this time.
REMINDED_FOR: Final = timedelta(hours=20)
LONGEST_TITLE: Final = 140
LONGEST_BODY: Final = 20_000

_LINK: Final = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_PARAGRAPHS: Final = re.compile(r"\n\s*\n")


class NotYourClass(Denied):
    """You may write to your own classes only."""


class ClassNeeded(Refused):
    """Choose one of your classes: only the office writes to the whole school."""


class AlreadyWithdrawn(Conflict):
    """This notice was already withdrawn."""


class NotPublished(Refused):
    """This notice is not published yet."""


class EverybodyAnswered(Refused):
    """Nobody needs to be reminded today: all have answered, or were reminded within the last day."""


class NothingToConfirm(Refused):
    """This notice asks for no confirmation."""


def check_audience(actor: Actor, class_id: int | None, own_classes: frozenset[int]) -> None:
    """Refuse a class that is not the teacher's own, or the whole school from anybody but the office."""
    if actor.is_office:
        return
    if class_id is None:
        raise ClassNeeded
    if class_id not in own_classes:
        raise NotYourClass


def may_manage(actor: Actor, author_id: int | None) -> bool:
    """Whether the actor edits, publishes, withdraws a notice and sees who has read it."""
    return actor.is_office or (
        actor.is_any(WRITERS) and author_id is not None and author_id == actor.person_id
    )


def reaches_families(audience: Audience) -> bool:
    return audience in {Audience.FAMILIES, Audience.EVERYBODY}


def reaches_pupils(audience: Audience) -> bool:
    return audience in {Audience.PUPILS, Audience.EVERYBODY}


def reaches_staff(audience: Audience) -> bool:
    return audience in {Audience.STAFF, Audience.EVERYBODY}


def is_due_for_reminder(reminded_at: datetime | None, now: datetime) -> bool:
    return reminded_at is None or now - reminded_at >= REMINDED_FOR


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line: words, or a link where `href` is not empty."""

    text: str
    href: str = ""


Line = list[Piece]


def paragraphs_of(body: str) -> list[list[Line]]:
    """The text as paragraphs of lines of pieces. Nothing in it is markup; only addresses of the web become links."""
    text = body.replace("\r\n", "\n").replace("\r", "\n").strip()
    return [
        [_pieces(line) for line in block.strip("\n").split("\n")]
        for block in _PARAGRAPHS.split(text)
        if block.strip()
    ]


def _pieces(line: str) -> Line:
    found: Line = []
    at = 0
    for match in _LINK.finditer(line):
        href = _without_closing(match.group())
        if match.start() > at:
            found.append(Piece(line[at : match.start()]))
        found.append(Piece(href, href))
        at = match.start() + len(href)
    if at < len(line) or not found:
        found.append(Piece(line[at:]))
    return found


def _without_closing(link: str) -> str:
    """The address without the sentence's own punctuation behind it; brackets that it opened itself stay."""
    while link[-1:] in ".,;:!?'»)]":
        if link.endswith(")") and link.count("(") >= link.count(")"):
            break
        link = link[:-1]
    return link


def first_words(body: str, length: int = 140) -> str:
    """The beginning of a text for a list."""
    plain = " ".join(body.split())
    return plain if len(plain) <= length else plain[: length - 1].rsplit(" ", 1)[0] + "…"
