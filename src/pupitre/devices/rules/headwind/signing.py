"""Headwind's signatures: SHA-1 of one secret of the fleet and a text. They tell who knows the secret, not which device speaks."""

from collections.abc import Iterable
from hashlib import md5, sha1
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import quote_plus, unquote

import msgspec

#: Before it the agent cuts off what it signs, and after it only the last character.
_DATA: Final = b'"data":'
_BLANK: Final = b" \t\n\x0b\f\r"
_encode: Final = msgspec.json.Encoder().encode

POLLING: Final = "/rest/notification/polling/"
SHORT_POLLING: Final = "/rest/notifications/device/"


def digest(text: str | bytes) -> str:
    """Headwind's H: SHA-1 as upper-case hexadecimal digits."""
    octets = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return sha1(octets, usedforsecurity=False).hexdigest().upper()


def is_one_of(told: str, expected: Iterable[str]) -> bool:
    """Whether a signature is one of those, whatever its case."""
    given = told.strip().upper().encode("ascii", "replace")
    return any(compare_digest(given, one.encode()) for one in list(expected))


def of_device(secret: str, number: str) -> str:
    """What a request for the configuration is signed by."""
    return digest(secret + number)


def of_poll(secret: str, path: str, raw: str) -> list[str]:
    """The signatures with which a device may ask for messages.

    The agent signs the path with its number as Java's URLEncoder writes it, its HTTP library sends it another way, and the
    stock server compares with the decoded path. A blank is `+`, `%20` or itself in the three.

    Args:
        secret: the fleet's.
        path: `POLLING` or `SHORT_POLLING`.
        raw: the device's number as it stands in the request's path, escaped.
    """
    number = unquote(raw)
    forms = {java_encoded(number), raw, number}
    return [digest(secret + path + form) for form in sorted(forms)]


def java_encoded(text: str) -> str:
    """As java.net.URLEncoder writes it: blanks as +, and ~ escaped, but * not."""
    return quote_plus(text, safe="*", errors="replace").replace("~", "%7E")


def of_file(secret: str, target: str) -> str:
    """What the download of this address is signed by: its text after the first `/files/`, the query with it."""
    return digest(secret + target.partition("/files/")[2])


def mqtt_password(secret: str) -> str:
    """The password that every stock agent gives to the broker, as user `hmdm`."""
    return digest("hmdm" + secret)


def admin_password(code: str) -> str:
    """The `password` of a configuration: what opens the agent's administrator's panel on the device itself."""
    return md5(code.encode(), usedforsecurity=False).hexdigest().upper()


def answer(data: Any = None) -> bytes:
    """The envelope of a good answer. `data` is the last member: nothing may follow it but one brace."""
    return b'{"status":"OK","message":null,"data":' + _encode(data) + b"}"


def answer_in_parts(own: Any, shared: bytes) -> bytes:
    """The same of an object in two parts, of which the second was encoded before, with its braces."""
    return b'{"status":"OK","message":null,"data":' + _encode(own)[:-1] + b"," + shared[1:] + b"}"


def error(message: str) -> bytes:
    """The envelope of a refusal. It is sent with HTTP 200, and never signed."""
    return _encode({"status": "ERROR", "message": message, "data": None})


def signature_of(secret: str, body: bytes) -> str:
    """`X-Response-Signature`: over the text of `data` exactly as it is sent, without any white space, that in strings too."""
    return digest(secret.encode() + body[body.index(_DATA) + len(_DATA) : -1].translate(None, _BLANK))


#: The one error that the agent treats by itself: it asks for another number.
NOT_FOUND: Final = "error.notfound.device"
MALFORMED: Final = "error.params.missing"
DENIED: Final = "error.permission.denied"
BUSY: Final = "error.busy"
