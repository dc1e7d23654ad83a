"""Names of a school's tools and identity providers as other systems spell them. Pure."""

import re
import secrets
from typing import Final

#: The school first: whose row it is must be known before anybody has signed in.
_KEY: Final = re.compile(r"(\d{1,18})-[0-9a-f]{24}")


def new_key(school_id: int) -> str:
    return f"{school_id}-{secrets.token_hex(12)}"


def school_of(key: str) -> int | None:
    """The school that a key says to be of; None where it is none of ours."""
    match = _KEY.fullmatch(key)
    return int(match[1]) if match else None
