"""Lending a device: who signs, what may follow what, and what the rest of the product is told. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from pupitre.kernel.errors import Conflict, Denied, Refused

from . import Condition, LoanState, Standing

#: From this age on a pupil signs for herself.
OF_AGE: Final = 18
#: Loans that hold a device.
OPEN: Final = frozenset({LoanState.PROPOSED, LoanState.RUNNING})
#: What one may report of a device.
REPORTED: Final = frozenset({Condition.BROKEN, Condition.LOST, Condition.STOLEN})
#: Gone: the device is to be locked.
GONE: Final = frozenset({Condition.LOST, Condition.STOLEN})
#: Can be lent: not yet heard of, too, because a delivery is often handed out before it is switched on.
LENDABLE: Final = frozenset({Standing.EXPECTED, Standing.ENROLLED})
LONGEST_TEXT: Final = 4000
MOST_ACCESSORIES: Final = 20


class Shown(StrEnum):
    """Which loans a page lists."""

    OPEN = "open"
    TO_SIGN = "to-sign"
    OVERDUE = "overdue"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LoanProposed:
    """Contracts wait for the families of these persons."""

    school_id: int
    loan_ids: tuple[int, ...]
    persons: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceReported:
    """Somebody reported a device broken, lost or stolen."""

    school_id: int
    device_id: int
    label: str
    condition: Condition
    by_person: int
    at: datetime


def is_of_age(born_on: date | None, today: date) -> bool:
    """Whether somebody signs for herself; who gave no day of birth does not."""
    if born_on is None:
        return False
    return (today.year - born_on.year) - ((today.month, today.day) < (born_on.month, born_on.day)) >= OF_AGE


def check_span(starts_on: date, due_on: date | None) -> None:
    """Raises DueBeforeStart."""
    if due_on is not None and due_on < starts_on:
        raise DueBeforeStart


def accessories_of(told: str | list[str] | tuple[str, ...]) -> list[str]:
    """Names of accessories of what was typed, each once. Raises TooManyAccessories."""
    lines = told.splitlines() if isinstance(told, str) else list(told)
    found = list(dict.fromkeys(one.strip()[:80] for one in lines if one.strip()))
    if len(found) > MOST_ACCESSORIES:
        raise TooManyAccessories
    return found


def is_lendable(standing: int, condition: int) -> bool:
    return standing in LENDABLE and condition == Condition.GOOD


class AlreadyLent(Conflict):
    """This device is lent already."""


class NotLendable(Refused):
    """This device cannot be lent: it is broken, gone, waits for approval or was taken out of use."""


class NotASpare(Refused):
    """This device cannot take the other's place: somebody has it, or it is not in order."""


class DueBeforeStart(Refused):
    """A loan ends after it begins."""


class TooManyAccessories(Refused):
    """These are too many accessories."""


class TextTooLong(Refused):
    """These conditions are too long."""


class NothingToSign(Conflict):
    """This contract does not wait for a signature any more."""


class NotEntitledToSign(Denied):
    """This contract is signed by a guardian who looks after the pupil, or by the pupil when of age."""


class NotRunning(Conflict):
    """This loan is not running."""


class NotAgreed(Refused):
    """To sign, confirm that you have read the contract and agree to it."""


class SignedInFuture(Refused):
    """A contract cannot have been signed on a day to come."""


class HappenedInFuture(Refused):
    """What is reported cannot have happened on a day to come."""


class NothingTold(Refused):
    """Please say in a few words what happened."""


class NobodyToLendTo(Refused):
    """There is nobody in this class to whom a device could be lent."""


class IncidentClosed(Conflict):
    """This report is closed already."""
