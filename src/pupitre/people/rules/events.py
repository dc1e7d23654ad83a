"""What happens to accounts and persons that others want to know."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class SignedOut:
    """An account is no longer signed in on a device (`access.device_of`), whose next user may be somebody else."""

    account_id: int
    device: str


@dataclass(frozen=True, slots=True)
class SignedOutEverywhere:
    """An account's sessions have all ended with its password, but on the device `still`, where it was changed."""

    account_id: int
    still: str = ""


@dataclass(frozen=True, slots=True)
class PersonCreated:
    """A person was added to a school by hand or by another system; a roster's are not told one by one."""

    school_id: int
    person_id: int
    sourced_id: str


@dataclass(frozen=True, slots=True)
class PersonUpdated:
    """What the school keeps of a person was changed, other than by a roster.

    `changed` names columns of Person, or "roles", "guardians".
    """

    school_id: int
    person_id: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonEnded:
    """A person leaves the school on that date."""

    school_id: int
    person_id: int
    on: date
