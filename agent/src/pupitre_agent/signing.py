"""Signatures of the protocol: the device's, the session's and the server's (docs/devices/agent-protocol.md)."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .errors import Untrusted


def canonical(value: Any) -> bytes:
    """The one text of a JSON value that is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def encode(raw: bytes) -> str:
    """Base64, as all binary members are sent."""
    return base64.b64encode(raw).decode()


def decode(text: object) -> bytes:
    """The bytes of a base64 text. Raises Untrusted where it is none."""
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Untrusted("This is not base64.") from error


def request_text(method: str, path: str, time: str, body: bytes) -> bytes:
    """What a request's signature is about."""
    return f"{method}\n{path}\n{time}\n{hashlib.sha256(body).hexdigest()}".encode()


def sign_by_key(key: Ed25519PrivateKey, text: bytes) -> str:
    return encode(key.sign(text))


def sign_by_secret(secret: bytes, text: bytes) -> str:
    return encode(hmac.new(secret, text, hashlib.sha256).digest())


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half, as it is sent at enrolment."""
    return encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def verify(server_key: str, signature: object, value: Any) -> None:
    """Raises Untrusted unless the server's key signed the canonical JSON of the value."""
    verify_bytes(server_key, signature, canonical(value))


def verify_bytes(server_key: str, signature: object, content: bytes) -> None:
    """Raises Untrusted unless the server's key signed the content."""
    try:
        Ed25519PublicKey.from_public_bytes(decode(server_key)).verify(decode(signature), content)
    except (InvalidSignature, ValueError) as error:
        raise Untrusted("The signature is not the server's.") from error
