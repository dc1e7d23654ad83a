"""A certificate that a policy names, looked at before the computer is made to trust it."""

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .errors import CannotApply


def checked(pem: str) -> str:
    """The first certificate of a PEM text, written anew. Raises CannotApply where there is none."""
    return _loaded(pem).public_bytes(Encoding.PEM).decode()


def encoded(pem: str) -> str:
    """Its DER in base64."""
    return base64.b64encode(_loaded(pem).public_bytes(Encoding.DER)).decode()


def thumbprint(pem: str) -> str:
    """Its SHA-1 in hexadecimal: how Windows names it in its stores."""
    return hashlib.sha1(_loaded(pem).public_bytes(Encoding.DER), usedforsecurity=False).hexdigest()


def _loaded(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise CannotApply("This is not a certificate in PEM.") from error
