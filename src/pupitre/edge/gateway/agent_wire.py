"""The own agent's protocol on the wire: docs/devices/agent-protocol.md. Pure: parses, authenticates, renders."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec

from pupitre.devices.rules import InstallState, Platform, Verb
from pupitre.kernel.errors import Denied, DomainError

from .wire import MOST_FACTS, MOST_INSTALLED, Unreadable

ENROLMENT: Final = "/device/v1/enrolment"
SESSION: Final = "/device/v1/session"
CHECK_IN: Final = "/device/v1/check-in"
WAKE: Final = "/device/v1/wake"
#: Bytes of a body. An inventory of some thousand packages is a tenth of that.
MOST: Final = 2_000_000
MOST_ENROLMENT: Final = 16_000
#: How far a device's clock may be from the server's, in milliseconds.
APART: Final = 300_000
PLATFORMS: Final = {
    "android": Platform.ANDROID,
    "windows": Platform.WINDOWS,
    "linux": Platform.LINUX,
    "ios": Platform.IOS,
    "macos": Platform.MACOS,
    "chromeos": Platform.CHROMEOS,
}
VERBS: Final = {verb: verb.name.lower() for verb in Verb}
INSTALLED: Final = {
    "installed": InstallState.INSTALLED,
    "failed": InstallState.FAILED,
    "removed": InstallState.REMOVED,
}

_ZERO: Final = b"\\u0000"
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Long = Annotated[str, msgspec.Meta(max_length=20_000)]
_Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
_Size = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Whole = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
_Id = Annotated[int, msgspec.Meta(ge=1, le=2**62)]


class NotAuthentic(DomainError):
    """The request is not signed by the key of this device."""

    status = 401
    kind = "signature"


class OutOfTime(NotAuthentic):
    """The device's clock is more than five minutes from the server's."""

    kind = "clock"


class SessionEnded(DomainError):
    """The session has ended. Begin another."""

    status = 401
    kind = "session"


class IsRetired(Denied):
    """This device was taken out of use."""

    kind = "retired"


class IsUnknown(Denied):
    """This device is not known here. It has to be enrolled."""

    kind = "unknown"


# What devices say


class Enrolment(msgspec.Struct):
    """A device that asks to be let in."""

    code: Annotated[str, msgspec.Meta(min_length=4, max_length=64)]
    key: Annotated[str, msgspec.Meta(min_length=44, max_length=44)]
    platform: Annotated[str, msgspec.Meta(max_length=20)]
    serial: _Text = ""
    hostname: _Text = ""
    maker: _Text = ""
    model: _Text = ""
    os_version: _Text = ""
    agent_version: _Text = ""


class Opening(msgspec.Struct):
    """A device that asks for a session."""

    device: _Text


class Problem(msgspec.Struct):
    key: _Text = ""
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class Installed(msgspec.Struct):
    version: _Id
    state: Annotated[str, msgspec.Meta(max_length=20)]
    message: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class Result(msgspec.Struct):
    command: _Id
    state: Annotated[str, msgspec.Meta(max_length=20)]
    output: _Long = ""
    code: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**32)] | None = None


class Inventory(msgspec.Struct):
    """The difference of what is installed to what was told under `base`."""

    digest: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    base: Annotated[str, msgspec.Meta(max_length=128)] = ""
    set: Annotated[dict[_Text, _Text], msgspec.Meta(max_length=MOST_INSTALLED)] = {}
    gone: Annotated[list[_Text], msgspec.Meta(max_length=MOST_INSTALLED)] = []
    hardware: Annotated[dict[_Text, _Text | _Whole | bool], msgspec.Meta(max_length=MOST_FACTS)] = {}


class CheckIn(msgspec.Struct):
    """What a device reports. None is what it did not mention."""

    applied: _Text | None = None
    battery: _Percent | None = None
    charging: bool | None = None
    battery_health: Annotated[int, msgspec.Meta(ge=0, le=200)] | None = None
    storage_free: _Size | None = None
    os_version: _Text | None = None
    agent_version: _Text | None = None
    problems: Annotated[list[Problem], msgspec.Meta(max_length=100)] | None = None
    inventory: Inventory | None = None
    installations: Annotated[list[Installed], msgspec.Meta(max_length=200)] = []
    results: Annotated[list[Result], msgspec.Meta(max_length=100)] = []

    @property
    def says_more(self) -> bool:
        """Whether there is more in it than that the device is there."""
        return not (
            self.battery_health is None
            and self.storage_free is None
            and self.os_version is None
            and self.agent_version is None
            and self.problems is None
        )


_enrolment: Final = msgspec.json.Decoder(Enrolment)
_opening: Final = msgspec.json.Decoder(Opening)
_check_in: Final = msgspec.json.Decoder(CheckIn)
_Message = TypeVar("_Message")


def read_enrolment(body: bytes) -> Enrolment:
    """Raises Unreadable naming the member."""
    return _read(_enrolment, body)


def read_opening(body: bytes) -> Opening:
    """Raises Unreadable."""
    return _read(_opening, body)


def read_check_in(body: bytes) -> CheckIn:
    """Raises Unreadable. A body of nothing says nothing."""
    return _read(_check_in, body) if body else CheckIn()


def _read(decoder: "msgspec.json.Decoder[_Message]", body: bytes) -> _Message:
    try:
        # PostgreSQL keeps no zero in a text, and no half of a surrogate pair.
        return decoder.decode(_without_zeros(body) if _ZERO in body else body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unreadable(str(error).replace("%", "%%")) from None


def _without_zeros(body: bytes) -> bytes:
    """Where one is taken out, what stood around it can be another: that is put in the place of, which makes none."""
    return body.replace(_ZERO, b"").replace(_ZERO, b"\\ufffd")


def raw_key(text: str) -> bytes:
    """The 32 bytes of a public key in base64. Raises Unreadable."""
    found = from_base64(text)
    if len(found) != 32:
        raise Unreadable("key is not the 32 bytes of an Ed25519 public key in base64")
    return found


def number_of(key: bytes) -> str:
    """What a device is called that has this public key: the same whenever it asks."""
    return "d-" + base64.b32encode(hashlib.sha256(b"pupitre device " + key).digest()[:10]).decode().lower()


# Authentication


def signed_text(method: str, path: str, time: bytes, body: bytes) -> bytes:
    """What a signature is over."""
    return f"{method}\n{path}\n".encode() + time + b"\n" + hashlib.sha256(body).hexdigest().encode()


def time_of(header: bytes, now_ms: int) -> bytes:
    """The header Pupitre-Time, once it is found near enough. Raises OutOfTime, NotAuthentic."""
    if not header.isdigit() or len(header) > 15:
        raise NotAuthentic
    if abs(int(header) - now_ms) > APART:
        raise OutOfTime
    return header


def from_base64(text: str | bytes) -> bytes:
    """Decoded; nothing where it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def is_authentic(secret: bytes, text: bytes, signature: bytes) -> bool:
    """Whether the HMAC is of this text under the session's secret."""
    return hmac.compare_digest(base64.b64encode(hmac.digest(secret, text, "sha256")), signature)


# Sessions

_FORM: Final = struct.Struct(">BQI4s3s")  # form, device's id, end, check of its key, chance


@dataclass(frozen=True, slots=True)
class Session:
    """What a session's text says. It proves nothing by itself: its secret does, which only the device was told."""

    text: str
    device_id: int
    #: Seconds since 1970.
    ends_at: int
    key_check: bytes


def new_session(device_id: int, key: bytes, ends_at: int) -> Session:
    """A session of the device that has this public key."""
    packed = _FORM.pack(1, device_id, ends_at, check_of(key), secrets.token_bytes(3))
    return Session(base64.urlsafe_b64encode(packed).decode().rstrip("="), device_id, ends_at, check_of(key))


def read_session(text: bytes) -> Session:
    """Raises SessionEnded where it is no session's text."""
    if len(text) != 27:
        raise SessionEnded
    try:
        form, device_id, ends_at, check, _chance = _FORM.unpack(
            base64.b64decode(text + b"=", altchars=b"-_", validate=True)
        )
    except (ValueError, struct.error):
        raise SessionEnded from None
    if form != 1 or device_id >= 2**63:
        raise SessionEnded
    return Session(text.decode("ascii"), device_id, ends_at, check)


def secret_of(text: str | bytes, secret: bytes) -> bytes:
    """A session's secret: every gateway that has the installation's can tell it, and keeps nothing."""
    return hmac.digest(secret, text.encode() if isinstance(text, str) else text, "sha256")


def check_of(key: bytes) -> bytes:
    """Ties a session to the device's key: with another key it has ended."""
    return hashlib.sha256(key).digest()[:4]


# What devices are told


def canonical(told: object) -> bytes:
    """Canonical JSON: keys sorted, no space, nothing escaped that need not be. What is signed."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def etag(version: str) -> bytes:
    return f'"{version}"'.encode()


def version_in(header: bytes | None) -> str:
    """The version that If-None-Match names; '' for none."""
    if not header:
        return ""
    found = re.fullmatch(rb'\s*(?:W/)?"([^"]{0,400})"\s*', header)
    return found.group(1).decode("ascii", "replace") if found else ""


def digest_of(installed: dict[str, str], hardware: dict[str, Any]) -> str:
    """An inventory's digest: SHA-256 of {"applications", "hardware"} in canonical JSON."""
    return hashlib.sha256(canonical({"applications": installed, "hardware": hardware})).hexdigest()
