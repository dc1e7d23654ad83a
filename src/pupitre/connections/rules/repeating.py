"""Writes that may be sent again. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from pupitre.kernel.errors import Conflict, DomainError, Refused

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class UnfitKey(DomainError):
    """An Idempotency-Key has 1 to 255 printable ASCII characters and no space."""


class UnderWay(Conflict):
    """A request with this Idempotency-Key is being answered at this moment. Try again in a second."""


class KeyUsedOtherwise(Refused):
    """This Idempotency-Key came with another request before. Use a new one for each write."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a write: HTTP's status, and the JSON body or ''."""

    status: int
    body: str


def key_told(header: str) -> str:
    """The key of a request's header. Raises UnfitKey."""
    if not _KEY.fullmatch(header):
        raise UnfitKey
    return header
