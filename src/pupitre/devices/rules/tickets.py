"""Enrolment codes: made of the installation's secret, so that a ticket can be shown again and the database holds no code. Pure."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from pupitre.kernel import tokens
from pupitre.kernel.errors import Conflict, Refused

#: A ticket lasts for so long unless its maker says otherwise, and for how long at most.
USUAL, LONGEST = timedelta(days=7), timedelta(days=60)
MOST_USES: Final = 2000
_GROUPS, _SIZE = 3, 4
_INFO: Final = b"pupitre enrolment ticket 1"


class TicketTooLong(Refused):
    """A ticket can be open for 60 days at most, and for 2000 devices."""


class TicketEnded(Conflict):
    """This ticket has ended. Make a new one."""


def code_of(secret: str, school_id: int, created_at: datetime) -> str:
    """The code of the ticket that a school made at that instant, such as `K7QH-M3XA-9RTC`."""
    key = hmac.digest(secret.encode(), _INFO, "sha256")
    number = int.from_bytes(
        hmac.digest(key, f"{school_id} {created_at.timestamp():.6f}".encode(), "sha256"), "big"
    )
    letters = []
    for _ in range(_GROUPS * _SIZE):
        number, letter = divmod(number, len(tokens.ALPHABET))
        letters.append(tokens.ALPHABET[letter])
    return "-".join("".join(letters[at : at + _SIZE]) for at in range(0, len(letters), _SIZE))


def digest_of(code: str) -> str:
    """What `models.EnrolmentTicket.digest` keeps of a code, however it was typed."""
    return hashlib.sha256(tokens.plain_code(code).encode()).hexdigest()
