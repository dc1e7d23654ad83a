"""What the agent sends, read leniently: a member of the wrong kind is as one that is missing, and nothing grows without end.

Texts lose what PostgreSQL cannot keep (NUL, halves of surrogate pairs). Locations, telephone and SIM numbers are not
even read: no school needs them of its pupils.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from pupitre.kernel.errors import Refused

#: Bytes of a body, entries of a list, characters of a text: far more than any agent sends.
MOST_BYTES: Final = 512 * 1024
MOST_ENTRIES: Final = 1000
MOST_TEXT: Final = 200
MOST_MESSAGE: Final = 1000
#: Lines of a log in one call; agents send ten.
MOST_LINES: Final = 50
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_quickly: Final = msgspec.json.Decoder().decode
_LAUNCHER: Final = "com.hmdm.launcher"
#: How the launcher's own entry is named in a configuration, which the agent repeats in what it reports.
_STAMP: Final = re.compile(r"pupitre ([0-9a-z.~-]{1,400})(?: ([0-9,]{1,200}))?")
_FAILED_TO_GET: Final = re.compile(
    r"(Failed to (?:download|install) app(?:lication)? )([A-Za-z][\w.]{2,150})\b(.*)", re.DOTALL
)


class Malformed(Refused):
    """This is not a message of Headwind's agent."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A DeviceInfo: what a device says of itself.

    Attributes:
        stamp: the version of the state whose configuration it holds; "" where it says none.
        commands: the commands that this configuration carried out, by their ids.
        files: what it has of our files: {path: (checksum, last update in ms)}.
        may_wipe: set only where the device confirms a reset.
    """

    number: str
    model: str = ""
    serial: str = ""
    imei: str = ""
    cpu: str = ""
    os_version: str = ""
    agent_version: str = ""
    battery: int | None = None
    is_charging: bool | None = None
    is_owner: bool = False
    #: Device administrator, drawing over others, usage statistics, accessibility.
    permissions: tuple[bool, ...] = ()
    applications: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    stamp: str = ""
    commands: tuple[int, ...] = ()
    may_wipe: bool | None = None


@dataclass(frozen=True, slots=True)
class Enrolling:
    """What a device says when it comes for the first time: everything that may be a ticket's code."""

    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a device's log."""

    logged_at: datetime
    level: int
    package: str
    message: str


def device_info(body: bytes) -> Reported:
    """Raises Malformed."""
    told = _object(body)
    applications = {
        package: text(one.get("version"))
        for one in _entries(told.get("applications"))
        if (package := text(one.get("pkg")))
    }
    stamp, commands = _stamp(told.get("applications"))
    return Reported(
        number=text(told.get("deviceId")),
        model=text(told.get("model")),
        serial=text(told.get("serial")),
        imei=text(told.get("imei")),
        cpu=text(told.get("cpu")),
        os_version=text(told.get("androidVersion")),
        agent_version=applications.pop(_LAUNCHER, ""),
        battery=_percent(told.get("batteryLevel")),
        is_charging=bool(told["batteryCharging"]) if isinstance(told.get("batteryCharging"), str) else None,
        is_owner=told.get("mdmMode") is True,
        permissions=tuple(one in (1, True, "1") for one in _list(told.get("permissions"))[:8]),
        applications=applications,
        files={
            path: (text(one.get("checksum")), number(one.get("lastUpdate")))
            for one in _entries(told.get("files"))
            if (path := text(one.get("path")))
        },
        stamp=stamp,
        commands=commands,
        may_wipe=told["factoryReset"] if isinstance(told.get("factoryReset"), bool) else None,
    )


def enrolling(body: bytes) -> Enrolling:
    """An empty body says nothing. Raises Malformed."""
    if not body.strip():
        return Enrolling()
    told = _object(body)
    said = [told.get("configuration"), told.get("customer"), *_list(told.get("groups"))[:10]]
    return Enrolling(tuple(code for one in said if (code := text(one))))


def log_lines(body: bytes, now: datetime) -> list[Line]:
    """The first `MOST_LINES`. A time that cannot be, or lies ahead, becomes `now`. Raises Malformed."""
    return [
        Line(
            _moment(one.get("timestamp"), now),
            min(max(number(one.get("logLevel")), 1), 5),
            text(one.get("packageId")),
            text(one.get("message"), MOST_MESSAGE),
        )
        for one in list(_entries(_parsed(body, list)))[:MOST_LINES]
    ]


def failed_application(line: Line) -> tuple[str, str] | None:
    """The package whose installation failed, and why, where the agent's own line says so: it reports it in no other way."""
    if line.package not in ("", _LAUNCHER):
        return None
    found = _FAILED_TO_GET.match(line.message)
    return (found[2], (found[1].strip() + found[3])[:MOST_TEXT]) if found else None


def settings_told(body: bytes) -> int:
    """How many settings an application reports. They are not kept. Raises Malformed."""
    return len(_parsed(body, list))


def text(told: object, longest: int = MOST_TEXT) -> str:
    """The text, fit to be kept; "" for anything else but a number."""
    if isinstance(told, str):
        # Nearly everything is printable, and seen to be so in no time.
        if len(told) <= longest and told.isprintable():
            return told.strip()
        return _UNFIT.sub("", told)[:longest].strip()
    is_number = isinstance(told, int) and not isinstance(told, bool) and abs(told) < 10**18
    return str(told) if is_number else ""


def number(told: object) -> int:
    """A whole number that the database can hold; 0 for anything else."""
    if isinstance(told, str) and told.isascii() and told.isdecimal() and len(told) < 19:
        told = int(told)
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return 0
    return int(told) if abs(told) < 2**62 else 0


def _percent(told: object) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told <= 100:
        return None
    return int(told)


def _moment(told: object, now: datetime) -> datetime:
    seconds = number(told) / 1000
    earliest = (now - timedelta(days=60)).timestamp()
    return datetime.fromtimestamp(seconds, UTC) if earliest < seconds <= now.timestamp() else now


def _stamp(applications: object) -> tuple[str, tuple[int, ...]]:
    for one in _entries(applications):
        found = _STAMP.fullmatch(text(one.get("name"), 700)) if one.get("pkg") == _LAUNCHER else None
        if found:
            ids = (part for part in (found[2] or "").split(",") if 0 < len(part) < 19)
            return found[1], tuple(int(part) for part in ids)
    return "", ()


def _object(body: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _parsed(body, dict)
    return found


def _parsed(body: bytes, kind: type) -> Any:
    if len(body) > MOST_BYTES:
        raise Malformed
    try:
        found = _quickly(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        try:
            found = json.loads(body)  # takes halves of surrogate pairs, too
        except (ValueError, RecursionError):  # not JSON, not UTF-8, digits without end, nested without end
            raise Malformed from None
    if not isinstance(found, kind):
        raise Malformed
    return found


def _list(told: object) -> list[Any]:
    return told if isinstance(told, list) else []


def _entries(told: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in _list(told)[:MOST_ENTRIES] if isinstance(one, dict))
