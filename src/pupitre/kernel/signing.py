"""What the installation itself signs: keys that follow from its secret, so that every process has the same and none is kept.

Each purpose has a key of its own (HKDF, RFC 5869). The first of the secrets signs; what an older one signed is still
told from a forgery.
"""

import base64
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


@lru_cache(maxsize=64)
def derived(secret: str, purpose: str) -> bytes:
    """32 bytes that are this purpose's alone."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(
        algorithm=SHA256(), length=32, salt=None, info=b"pupitre signing 1 " + purpose.encode()
    ).derive(secret.encode())


class Signer:
    """An Ed25519 key of the installation (RFC 8032), and those it had before."""

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._keys: list[Ed25519PrivateKey] = [
            Ed25519PrivateKey.from_private_bytes(derived(secret, purpose)) for secret in secrets
        ]
        self._sign = self._keys[0].sign
        #: The public key, raw.
        self.public = self._keys[0].public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._sign(data)

    def endorsements(self) -> list[dict[str, str]]:
        """The present public key signed by each of those before: who trusts an old one may trust this one, too."""
        told = b"pupitre server key\n" + self.public
        return [
            {
                "by": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
                "signature": base64.b64encode(key.sign(told)).decode(),
            }
            for key in self._keys[1:]
        ]


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the holder of this raw Ed25519 key signed the data. A key or signature that is none says no."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
