"""Whether what a policy or a rule says can be carried out: every value is looked at, and what is wrong names its field."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from pupitre.kernel.errors import Refused

from . import secrets
from .settings import SETTINGS, Group, Kind, Setting

Check = Callable[[Any], Any]

#: As many entries as one setting may have, and as many packages or hosts as one list.
MOST_ENTRIES: Final = 200
MOST_LISTED: Final = 500
_LONGEST: Final = 500
WEB_MODES: Final = ("open", "block", "allow")
UPDATE_MODES: Final = ("instant", "window", "manual")
WIFI_SECURITY: Final = ("open", "wpa2", "wpa3")
VPN_KINDS: Final = ("wireguard", "openvpn", "ikev2")
APPLICATION_ACTIONS: Final = ("install", "allow", "remove")
FILE_ACTIONS: Final = ("put", "remove")

#: What may be said for an hour: nothing that is downloaded, installed or joined by name.
FOR_AN_HOUR: Final = frozenset(
    key
    for key, one in SETTINGS.items()
    if one.kind is not Kind.NAMED
    and one.group in {Group.RESTRICTIONS, Group.MODE, Group.WEB, Group.SCREEN}
    and key not in {"factory_reset", "passcode", "wallpaper"}
)

_PACKAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:@/-]{0,199}")
_HOST: Final = re.compile(
    r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_VERSION: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){0,3}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one value. `message` is English with named placeholders for `facts`; `path` is where it stands within."""

    key: str
    message: str
    path: tuple[str | int, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def pointer(self) -> str:
        return "/".join(str(part) for part in (self.key, *self.path))

    @property
    def text(self) -> str:
        return self.message % self.facts if self.facts else self.message


class SettingsWrong(Refused):
    """Some settings cannot be kept as they are: %(what)s"""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(what="; ".join(f"{one.pointer}: {one.text}" for one in findings))


def gettext_noop(message: str) -> str:
    """Mark a message for the catalogues; the caller translates it when it is shown."""
    return message


class _Wrong(Exception):
    def __init__(self, message: str, *path: str | int, **facts: object) -> None:
        super().__init__(message)
        self.message, self.path, self.facts = message, path, facts


NOT_KNOWN: Final = gettext_noop("There is no such setting.")
NOT_FOR_AN_HOUR: Final = gettext_noop("This cannot be set for lessons or hours only.")
NOT_FLAG: Final = gettext_noop("This is either allowed or not.")
NOT_CHOICE: Final = gettext_noop("Choose one of: %(choices)s.")
NOT_NUMBER: Final = gettext_noop("Give a whole number from %(least)s to %(most)s.")
EMPTY: Final = gettext_noop("This cannot be empty.")
TOO_LONG: Final = gettext_noop("This is too long: at most %(most)s characters.")
NOT_TEXT: Final = gettext_noop("Give a text.")
NOT_LIST: Final = gettext_noop("Give a list.")
TOO_MANY: Final = gettext_noop("These are too many: at most %(most)s.")
NOT_ENTRY: Final = gettext_noop("This has other parts than expected.")
UNKNOWN_FIELD: Final = gettext_noop("This part is not known: %(name)s.")
TWICE: Final = gettext_noop("%(name)s is named twice.")
NOT_PACKAGE: Final = gettext_noop(
    "%(text)s is no name of an application's package, such as org.geogebra.android."
)
NOT_HOST: Final = gettext_noop("%(text)s is no address of a web site, such as wikipedia.org.")
NOT_URL: Final = gettext_noop("Give an address that begins with https:// or http://.")
NOT_CLOCK: Final = gettext_noop("Give a time such as 21:30.")
NOT_VERSION: Final = gettext_noop("Give a version such as 14 or 13.1.")
NOT_CERTIFICATE: Final = gettext_noop("This is no certificate in PEM format (-----BEGIN CERTIFICATE-----).")
PRIVATE_KEY: Final = gettext_noop(
    "This holds a private key. Give the certificate alone; a private key belongs on no other device."
)
NOT_PATH: Final = gettext_noop("Give a path within the device's documents, such as Documents/atlas.pdf.")
NOT_DIGEST: Final = gettext_noop("Give a SHA-256 in hexadecimal.")
WIFI_PASSWORD: Final = gettext_noop("A Wi-Fi password has 8 to 63 characters.")
WIFI_NAME: Final = gettext_noop("The name of a Wi-Fi network has at most 32 bytes.")
WINDOW_NEEDS_TIMES: Final = gettext_noop("Say from when until when updates may be installed.")
KIOSK_NEEDS_APPLICATION: Final = gettext_noop("Say which application the device is limited to.")
LOCKED_UNSAID: Final = gettext_noop("Only what is set can be locked.")


def checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """A policy's document {"settings", "locked"} as it is kept, its secrets sealed. Raises SettingsWrong."""
    settings, findings = _looked_at(document.get("settings", {}))
    locked = sorted(set(document.get("locked", ())))
    findings += [Finding(key, LOCKED_UNSAID) for key in locked if key not in document.get("settings", {})]
    if findings:
        raise SettingsWrong(findings)
    return {"settings": secrets.sealed(settings), "locked": locked}


def checked_for_an_hour(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a lesson rule or a lease. Raises SettingsWrong."""
    clean, findings = _looked_at(settings)
    findings += [Finding(key, NOT_FOR_AN_HOUR) for key in clean if key not in FOR_AN_HOUR]
    if findings:
        raise SettingsWrong(findings)
    return clean


def _looked_at(settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    clean: dict[str, Any] = {}
    findings = []
    for key, value in settings.items():
        setting = SETTINGS.get(key)
        try:
            clean[key] = _value(setting, value)
        except _Wrong as wrong:
            findings.append(Finding(key, wrong.message, wrong.path, wrong.facts))
    if clean.get("mode") == "kiosk" and "kiosk_application" not in settings:
        findings.append(Finding("kiosk_application", KIOSK_NEEDS_APPLICATION))
    return clean, findings


# Kinds.


def _value(setting: Setting | None, value: Any) -> Any:
    if setting is None:
        raise _Wrong(NOT_KNOWN)
    return _KINDS[setting.kind](setting, value)


def _flag(_: Setting, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(NOT_FLAG)
    return value


def _choice(setting: Setting, value: Any) -> str:
    return _one_of(*setting.choices)(value)  # type: ignore[no-any-return]


def _number(setting: Setting, value: Any) -> int:
    return _whole(setting.least, setting.most)(value)  # type: ignore[no-any-return]


def _free_text(setting: Setting, value: Any) -> str:
    return str(_TEXTS[setting.key](value))


def _named(setting: Setting, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise _Wrong(NOT_LIST)
    if len(value) > MOST_ENTRIES:
        raise _Wrong(TOO_MANY, most=MOST_ENTRIES)
    found: dict[str, dict[str, Any]] = {}
    for number, entry in enumerate(value):
        try:
            clean = _entry(setting, entry)
        except _Wrong as wrong:
            raise _Wrong(wrong.message, number, *wrong.path, **wrong.facts) from None
        name = str(clean[setting.name_by])
        if name in found:
            raise _Wrong(TWICE, number, setting.name_by, name=name)
        found[name] = clean
    return list(found.values())


def _entry(setting: Setting, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong(NOT_ENTRY)
    for name in value:
        if name not in setting.fields:
            raise _Wrong(UNKNOWN_FIELD, str(name), name=name)
    checks, found = _FIELDS[setting.key], {}
    for name in setting.fields:
        check, is_needed = checks[name]
        held = value.get(name)
        if held is None or held == "":
            if is_needed:
                raise _Wrong(EMPTY, name)
            continue
        try:
            found[name] = held if name in setting.secret and secrets.is_sealed(held) else check(held)
        except _Wrong as wrong:
            raise _Wrong(wrong.message, name, *wrong.path, **wrong.facts) from None
    _TOGETHER.get(setting.key, _anything)(found)
    return found


_KINDS: Final[Mapping[Kind, Callable[[Setting, Any], Any]]] = {
    Kind.FLAG: _flag,
    Kind.CHOICE: _choice,
    Kind.NUMBER: _number,
    Kind.TEXT: _free_text,
    Kind.NAMED: _named,
    Kind.WHOLE: _entry,
}


# Fields: each takes what was given and returns what is kept.


def _text(most: int = _LONGEST, *, lines: bool = False) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise _Wrong(NOT_TEXT)
        text = value.strip()
        # Control characters and halves of characters are typed by nobody and kept by no column.
        if not (re.sub(r"[\r\n\t]", "", text) if lines else text).isprintable():
            raise _Wrong(NOT_TEXT)
        if not text:
            raise _Wrong(EMPTY)
        if len(text) > most:
            raise _Wrong(TOO_LONG, most=most)
        return text

    return check


def _matching(pattern: re.Pattern[str], message: str, change: Callable[[str], str] = str) -> Check:
    plain = _text()

    def check(value: Any) -> str:
        text = change(plain(value))
        if not pattern.fullmatch(text):
            raise _Wrong(message, text=str(value)[:80])
        return text

    return check


def _one_of(*choices: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise _Wrong(NOT_CHOICE, choices=", ".join(choices))
        return value

    return check


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _Wrong(NOT_NUMBER, least=least, most=most)
        return value

    return check


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(NOT_FLAG)
    return value


def _several(check: Check) -> Check:
    def several(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _Wrong(NOT_LIST)
        if len(value) > MOST_LISTED:
            raise _Wrong(TOO_MANY, most=MOST_LISTED)
        return list(dict.fromkeys(_at(number, one, check) for number, one in enumerate(value)))

    return several


def _at(number: int, value: Any, check: Check) -> Any:
    try:
        return check(value)
    except _Wrong as wrong:
        raise _Wrong(wrong.message, number, *wrong.path, **wrong.facts) from None


def _bare_host(text: str) -> str:
    """People paste whole addresses: what counts is the host. Other scripts than Latin are written as DNS has them."""
    host = (
        re.sub(r"^[a-z]+://", "", text.strip().lower()).split("/", 1)[0].split("?", 1)[0].rsplit("@", 1)[-1]
    )
    host = re.sub(r":[0-9]+$", "", host).rstrip(".")
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return text


def _url(value: Any) -> str:
    text = str(_text()(value))
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _Wrong(NOT_URL) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", text):
        raise _Wrong(NOT_URL)
    return text


def _certificate(value: Any) -> str:
    from cryptography.x509 import load_pem_x509_certificate  # not for processes that check nothing

    text = str(_text(20_000, lines=True)(value))
    if "PRIVATE KEY" in text:
        raise _Wrong(PRIVATE_KEY)
    try:
        load_pem_x509_certificate(text.encode())
    except ValueError:
        raise _Wrong(NOT_CERTIFICATE) from None
    return text


def _path(value: Any) -> str:
    text = str(_text(300)(value)).replace("\\", "/")
    parts = text.split("/")
    if any(part in {"", ".", ".."} for part in parts) or ":" in text or not text.isprintable():
        raise _Wrong(NOT_PATH)
    return text


def _ssid(value: Any) -> str:
    text = str(_text()(value))
    if len(text.encode()) > 32:
        raise _Wrong(WIFI_NAME)
    return text


def _password(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 8 <= len(value) <= 63:
        raise _Wrong(WIFI_PASSWORD)
    return value


_package: Final = _matching(_PACKAGE, NOT_PACKAGE)
_host: Final = _matching(_HOST, NOT_HOST, _bare_host)
_clock: Final = _matching(_CLOCK, NOT_CLOCK)

_TEXTS: Final[Mapping[str, Check]] = {
    "kiosk_application": _package,
    "site_cache": _url,
    "oldest_system": _matching(_VERSION, NOT_VERSION),
    "wallpaper": _url,
}
#: {setting: {field: (check, whether it is needed)}}
_FIELDS: Final[Mapping[str, Mapping[str, tuple[Check, bool]]]] = {
    "allowed_applications": {"packages": (_several(_package), True)},
    "blocked_applications": {"packages": (_several(_package), True)},
    "home_applications": {"packages": (_several(_package), True)},
    "wifi": {
        "ssid": (_ssid, True),
        "security": (_one_of(*WIFI_SECURITY), True),
        "password": (_password, False),
        "hidden": (_yes_or_no, False),
    },
    "certificates": {"name": (_text(100), True), "pem": (_certificate, True)},
    "vpn": {
        "kind": (_one_of(*VPN_KINDS), True),
        "server": (_host, True),
        "user": (_text(200), False),
        "secret": (_text(5_000, lines=True), False),
    },
    "proxy": {"host": (_host, True), "port": (_whole(1, 65_535), True), "except": (_several(_host), False)},
    "web": {"mode": (_one_of(*WEB_MODES), True), "hosts": (_several(_host), False)},
    "system_updates": {
        "mode": (_one_of(*UPDATE_MODES), True),
        "from": (_clock, False),
        "to": (_clock, False),
    },
    "applications": {
        "package": (_package, True),
        "action": (_one_of(*APPLICATION_ACTIONS), True),
        "version": (_text(100), False),
        "pinned": (_yes_or_no, False),
        "name": (_text(200), False),
    },
    "files": {
        "path": (_path, True),
        "key": (_text(300), False),
        "sha256": (_matching(_DIGEST, NOT_DIGEST, str.lower), False),
        "size": (_whole(0, 2**40), False),
        "action": (_one_of(*FILE_ACTIONS), True),
    },
}


# What fields must be together.


def _anything(_: Mapping[str, Any]) -> None:
    """Fields of most settings do not depend on each other."""


def _wifi(entry: dict[str, Any]) -> None:
    if entry["security"] == "open":
        entry.pop("password", None)
    elif "password" not in entry:
        raise _Wrong(EMPTY, "password")


def _updates(entry: Mapping[str, Any]) -> None:
    if entry["mode"] == "window" and not ("from" in entry and "to" in entry):
        raise _Wrong(WINDOW_NEEDS_TIMES, "from")


def _web(entry: dict[str, Any]) -> None:
    if entry["mode"] == "open":
        entry.pop("hosts", None)
    elif not entry.get("hosts"):
        raise _Wrong(EMPTY, "hosts")


_TOGETHER: Final[Mapping[str, Callable[[dict[str, Any]], None]]] = {
    "wifi": _wifi,
    "system_updates": _updates,
    "web": _web,
}
