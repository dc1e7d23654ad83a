"""Secrets that must be read back (what a school enters for another system), unreadable in a copy of the database alone.

The key follows from the installation's secret (HKDF, RFC 5869). The composition root names that secret once by `use`,
after it the ones before it: what they sealed is still read, and whatever is written anew is sealed by the newest.
"""

import base64
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_INFO: Final = b"pupitre sealing 1"
_secrets: list[str] = []


class Unreadable(Exception):
    """Nothing sealed under any of the installation's secrets; an old one may be missing from its settings."""


def use(secrets: Sequence[str]) -> None:
    """Seal under the first of these secrets from now on, and read what was sealed under any of them."""
    _secrets[:] = secrets
    _cipher.cache_clear()


def seal(text: str) -> bytes:
    """The text, unreadable without the installation's secret. For a `BinaryField`; some 100 bytes longer than the text."""
    return _cipher().encrypt(text.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """What was sealed. Raises Unreadable."""
    from cryptography.fernet import InvalidToken

    try:
        return _cipher().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise Unreadable from None


def sealed_anew(sealed: bytes | memoryview) -> bytes:
    """The same text under the newest secret, for who wants to give an old secret up. Raises Unreadable."""
    return seal(unseal(sealed))


@lru_cache(maxsize=1)
def _cipher() -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # not for processes that never read a secret

    if not _secrets:
        raise RuntimeError("sealing.use was not called: the settings name the secrets")
    return MultiFernet([Fernet(_key(secret)) for secret in _secrets])


def _key(secret: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
