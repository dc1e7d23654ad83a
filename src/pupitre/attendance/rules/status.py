"""The five statuses of a mark, what becomes of marks that do not count any more, and the codes of a school."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Status(IntEnum):
    """What a mark says. The names in lower case are the `kind` of the status chips."""

    PRESENT = 1
    ABSENT = 2
    LATE = 3
    EXCUSED = 4
    OUT = 5  # out of class: sent by the school to the nurse, an exam, an outing

    @property
    def kind(self) -> str:
        return self.name.lower()


#: Not in the room when the lesson was held, whether or not somebody knows why.
AWAY: Final = frozenset({Status.ABSENT, Status.EXCUSED, Status.OUT})


class Outcome(IntEnum):
    """Why a mark is kept as a revision and does not count."""

    CORRECTED = 1  # the same person or device, or the office, said otherwise later
    LATER = 2  # another device's mark was made later
    EXPLICIT = 3  # nobody had touched it; somebody's decision replaced it
    JUSTIFIED = 4  # the office justified the absence
    TIED = 5  # made at the same moment on two devices: the order of their names decided
    AFTER_CLOSING = 6  # it arrived after the closing and was made after it


#: The `device` of marks that the office's justification of an absence wrote. No device's mark overrules them by time.
OFFICE_DEVICE: Final = "office"


@dataclass(frozen=True, slots=True)
class Code:
    """One of the school's codes: `code` is what forms send and people read, `id` is 0 for a default one."""

    id: int
    code: str
    label: str
    status: Status

    @property
    def kind(self) -> str:
        return self.status.kind


#: The letters that schools of that language write where they have not chosen their own, in the order of Status.
DEFAULT_LETTERS: Final[dict[str, str]] = {
    "es": "PFRJS",
    "ca": "PFRJS",
    "fr": "PARED",
    "de": "AFVEB",
    "en": "PALEO",
    "pt": "PFAJS",
}


def default_codes(locale: str, labels: Sequence[str]) -> list[Code]:
    """The codes of a school without its own. `labels` are the five words in the order of Status, translated."""
    letters = DEFAULT_LETTERS.get(locale[:2], DEFAULT_LETTERS["en"])
    return [
        Code(0, letter, label, status) for letter, label, status in zip(letters, labels, Status, strict=True)
    ]
