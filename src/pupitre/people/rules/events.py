"""What happens to accounts that others want to know."""

from dataclasses import dataclass


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
