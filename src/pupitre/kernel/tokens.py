"""Random secrets that people and machines carry, and how they are kept.

A token of 256 random bits needs no slow hash: SHA-256 is enough (reference: NIST 800-63B, look-up secrets).
Short codes that a person types are kept by Argon2 elsewhere.
"""

import hashlib
import hmac
import secrets

#: No 0/O, 1/I/L, U/V, 5/S, 2/Z, 8/B: a code is read aloud over the phone.
ALPHABET = "ACDEFGHJKMNPQRTWXY34679"


def new_token() -> str:
    """A URL-safe secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What the database keeps of a token: 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def matches(token: str, kept: str) -> bool:
    return hmac.compare_digest(digest(token), kept)


def new_code(groups: int = 3, size: int = 4) -> str:
    """A code that a person types from paper, such as `K7QH-M3XA-9RTC` (about 54 bits at the default size)."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(size)) for _ in range(groups))


def plain_code(typed: str) -> str:
    """The code as it was issued, however it was typed: spaces, dashes and case do not count."""
    return "".join(c for c in typed.upper() if c in ALPHABET)
