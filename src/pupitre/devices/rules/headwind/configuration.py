"""The configuration that a device is given: its desired state in the words of Headwind's agent.

The agent evaluates no rule of the week. What is rendered here holds at the moment of the answer; whoever calls tells the
device to ask again when that changes.
"""

import base64
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from pupitre.devices.rules.applications import Wanted

from . import packages, signing, verbs
from .packages import LAUNCHER, Locks
from .reading import Reported
from .verbs import Order
from .versions import compare

#: Where certificates are put on the device, below its shared storage.
_CERTIFICATES: Final = "pupitre/"
#: {setting that forbids: restrictions of Android's UserManager}
_RESTRICTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "camera": ("no_camera",),
    "microphone": ("no_unmute_microphone",),
    "bluetooth": ("no_bluetooth", "no_config_bluetooth"),
    "usb_storage": ("no_usb_file_transfer", "no_physical_media"),
    "install_applications": ("no_install_apps", "no_install_unknown_sources"),
    "uninstall_applications": ("no_uninstall_apps",),
    "factory_reset": ("no_factory_reset", "no_safe_boot"),
    "developer_mode": ("no_debugging_features",),
    "add_accounts": ("no_modify_accounts",),
    "change_wifi": ("no_config_wifi",),
    "mobile_data": ("no_config_mobile_networks",),
}
_PASSCODES: Final = frozenset({"any", "present", "easy", "moderate", "strong"})
_UPDATES: Final = {"instant": 1, "window": 2, "manual": 3}
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_CHROME: Final = "com.android.chrome"
#: Where a device has a file of ours already, the time that we gave it; it fetches what has a later one.
_FIRST_TIME: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of a device between its requests (`models.Inventory`): what it reported, and what was locked on it."""

    applications: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    ever_locked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """Everything that a configuration is made of.

    Attributes:
        number: how the device is called; `asked_as` how it called itself.
        settings: those that hold now.
        named: packages that its state speaks of, at whatever hour.
        known: packages of the catalogue.
        link: the address of a file of ours: (key, sha256, name) -> URL.
        panel: what opens the administrator's panel on the device.
        mqtt: whether messages come by a broker instead of held requests.
    """

    number: str
    asked_as: str
    version: str
    settings: Mapping[str, Any]
    time_zone: str
    link: Callable[[str, str, str], str]
    certificate_link: Callable[[str], str]
    panel: str
    now: datetime
    named: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    applications: Sequence[Wanted] = ()
    remembered: Remembered = Remembered()
    orders: Sequence[Order] = ()
    lock: Order | None = None
    mqtt: bool = False


def locks_of(wish: Wish) -> Locks:
    """What is locked and what is free on the device now."""
    known = wish.known | wish.remembered.applications.keys()
    return packages.locks(wish.settings, wish.named, known, wish.remembered.ever_locked)


def render(wish: Wish, locks: Locks) -> dict[str, Any]:
    """`data` of the answer. What the agent shall leave alone is not in it."""
    return own(wish.number, wish.asked_as, wish.panel) | shared(wish, locks)


def own(number: str, asked_as: str, panel: str) -> dict[str, Any]:
    """What is this device's alone."""
    told = {"deviceNumber": number, "password": signing.admin_password(panel)}
    return told if asked_as == number else {**told, "newNumber": number}


def shared(wish: Wish, locks: Locks) -> dict[str, Any]:
    """All the rest: the same for devices whose state, reports and orders are the same."""
    told: dict[str, Any] = {}
    told |= _ground(wish) | _switches(wish.settings) | _screen(wish.settings) | _mode(wish.settings)
    told |= _updates(wish.settings)
    told["restrictions"] = ",".join(_restrictions(wish.settings))
    told |= verbs.members(wish.orders, wish.lock)
    told["applications"] = list(_applications(wish, locks))
    certificates = list(_certificates(wish))
    told["applicationSettings"] = list(_settings(wish, locks, certificates))
    told["files"] = [*_files(wish), *certificates]
    told["actions"] = []
    return told


def waiting(number: str, asked_as: str, title: str) -> dict[str, Any]:
    """The configuration of a device that nobody has approved yet: it shows that it waits, and nothing else."""
    return {
        "deviceNumber": number,
        **({"newNumber": number} if asked_as != number else {}),
        "title": title,
        "appName": title,
        "pushOptions": "polling",
        "requestUpdates": "donottrack",
        "disableLocation": True,
        "lock": False,
        "factoryReset": False,
        "reboot": False,
        "runDefaultLauncher": True,
        "applications": [_launcher("0", ())],
        "applicationSettings": [],
        "files": [],
        "actions": [],
    }


def remembered_after(report: Reported, before: Remembered) -> Remembered:
    """What is kept once a device has reported."""
    return Remembered(report.applications, report.files, before.ever_locked)


# Parts


def _ground(wish: Wish) -> dict[str, Any]:
    """What is so for every device of pupils: nobody is located, nobody guesses the panel's password."""
    return {
        "requestUpdates": "donottrack",
        "disableLocation": True,
        "pushOptions": "mqttAlarm" if wish.mqtt else "polling",
        "keepaliveTime": 300,
        "timeZone": wish.time_zone,
        "downloadUpdates": "wifi",
        "permissive": False,
        "showWifi": wish.settings.get("change_wifi") is not False,
    }


def _switches(settings: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, name in (
        ("bluetooth", "bluetooth"),
        ("mobile_data", "mobileData"),
        ("usb_storage", "usbStorage"),
    ):
        # True allows; only what is forbidden is also switched off.
        if settings.get(key) is False:
            told[name] = False
    told["disableScreenshots"] = settings.get("screenshots") is False or settings.get("mode") == "exam"
    if settings.get("passcode") in _PASSCODES:
        told["passwordMode"] = settings["passcode"]
    return told


def _restrictions(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, names in _RESTRICTIONS.items():
        if settings.get(key) is False:
            yield from names


def _screen(settings: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if (seconds := _number(settings.get("screen_timeout"))) is not None:
        told |= {"manageTimeout": True, "timeout": seconds}
    if (percent := _number(settings.get("brightness"))) is not None:
        told |= {"autoBrightness": False, "brightness": round(min(percent, 100) * 255 / 100)}
    if (percent := _number(settings.get("volume"))) is not None:
        told |= {"manageVolume": True, "volume": min(percent, 100)}
    if str(settings.get("wallpaper", "")).startswith(("https://", "http://")):
        told["backgroundImageUrl"] = settings["wallpaper"]
    return told


def _mode(settings: Mapping[str, Any]) -> dict[str, Any]:
    is_limited = settings.get("mode") in ("kiosk", "exam")
    told: dict[str, Any] = {
        # Who is shown no home screen of ours keeps the maker's.
        "runDefaultLauncher": not is_limited
        and not packages.packages_of(settings.get("home_applications"))
        and packages.allowed(settings) is None,
        "lockStatusBar": is_limited,
        "lockSafeSettings": is_limited,
        "kioskMode": False,
    }
    kiosk = settings.get("kiosk_application")
    if is_limited and isinstance(kiosk, str) and kiosk:
        told |= {"kioskMode": True, "mainApp": kiosk, "kioskHome": True, "kioskRecents": False}
        told |= {"kioskNotifications": False, "kioskSystemInfo": True, "kioskLockButtons": False}
    return told


def _updates(settings: Mapping[str, Any]) -> dict[str, Any]:
    said = settings.get("system_updates")
    if not isinstance(said, Mapping):
        return {"systemUpdateType": 0}
    told: dict[str, Any] = {"systemUpdateType": _UPDATES.get(str(said.get("mode")), 0)}
    starts, ends = str(said.get("from", "")), str(said.get("to", ""))
    if told["systemUpdateType"] == 2:
        if not (_CLOCK.fullmatch(starts) and _CLOCK.fullmatch(ends)):
            return {"systemUpdateType": 0}
        told |= {"systemUpdateFrom": starts, "systemUpdateTo": ends}
    return told


# Applications


def _applications(wish: Wish, locks: Locks) -> Iterator[dict[str, Any]]:
    """What is to be installed, removed and shown. The agent takes nothing off that is not named."""
    shown = _shown(wish, locks)
    listed: set[str] = {LAUNCHER}
    yield _launcher(wish.version, wish.orders) | _update_of_itself(wish)
    for one in wish.applications:
        if one.package in listed:
            continue
        listed.add(one.package)
        yield from _application(one, wish, shown)
    for package in sorted(shown.keys() - listed):
        yield _entry(package, "", shown.get(package))


def _launcher(version: str, orders: Iterable[Order]) -> dict[str, Any]:
    """The agent itself. It repeats the name in its next report, which is how we learn what it holds and has done."""
    ids = ",".join(str(one.id) for one in orders if verbs.CARRIAGE[one.verb].proof is verbs.Proof.STAMP)
    return _entry(LAUNCHER, f"pupitre {version} {ids}".rstrip(), None)


def _update_of_itself(wish: Wish) -> dict[str, Any]:
    """The version of the agent that the tablet shall have, where the catalogue says so."""
    for one in wish.applications:
        if one.package == LAUNCHER and one.action == "install" and one.version:
            return {
                "id": one.version_id,
                "version": one.version,
                "code": one.code,
                "url": _address(one, wish),
                "skipVersion": one.keeps_newer,
            }
    return {}


def _address(one: Wanted, wish: Wish) -> str | None:
    return (wish.link(one.file_key, one.sha256, f"{one.package}.apk") if one.file_key else one.url) or None


def _application(one: Wanted, wish: Wish, shown: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    order = shown.get(one.package)
    if one.action == "remove":
        yield {**_entry(one.package, one.name, None), "remove": True}
        return
    entry = _entry(one.package, one.name, order)
    if one.action == "allow":
        yield entry
        return
    if one.kind == "web":
        yield {**entry, "type": "web", "url": one.url}
        return
    has = wish.remembered.applications.get(one.package, "")
    if has and not one.keeps_newer and compare(has, one.version) > 0:
        # Android goes back only over a removal, and the agent only removes the version that is named.
        yield {**_entry(one.package, one.name, None), "version": has, "remove": True}
    yield {
        **entry,
        "id": one.version_id,
        "version": one.version or "0",
        "code": one.code,
        "url": _address(one, wish),
        "skipVersion": not one.version or (one.keeps_newer and bool(has) and compare(has, one.version) > 0),
    }


def _entry(package: str, name: str, order: int | None) -> dict[str, Any]:
    """An application that is there already; shown on the home screen where it has a place in the order."""
    return {
        "type": "app",
        "name": name or package,
        "pkg": package,
        "version": "0",
        "code": 0,
        "url": None,
        "showIcon": order is not None,
        "screenOrder": order or 0,
        "remove": False,
        "skipVersion": False,
        "runAfterInstall": False,
        "runAtBoot": False,
    }


def _shown(wish: Wish, locks: Locks) -> dict[str, int]:
    """{package: place} on the agent's home screen."""
    home = packages.packages_of(wish.settings.get("home_applications"))
    only = packages.allowed(wish.settings)
    usable = [one.package for one in wish.applications if one.action != "remove"]
    candidates = home or [*(sorted(only) if only is not None else ()), *usable]
    chosen = dict.fromkeys(
        one for one in candidates if one not in locks.locked and (only is None or one in only)
    )
    return {package: place for place, package in enumerate(chosen, start=1)}


# Settings of applications, files


def _settings(
    wish: Wish, locks: Locks, certificates: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Switches of the agent itself, and managed settings of Chrome. What is no longer wanted is taken back by name."""
    yield _setting(LAUNCHER, "locked_packages", ",".join(sorted(locks.locked)))
    yield _setting(LAUNCHER, "unlocked_packages", ",".join(sorted(locks.unlocked)))
    yield _setting(LAUNCHER, "proxy", _proxy(wish.settings.get("proxy")))
    if certificates:
        yield _setting(LAUNCHER, "certificates", ",".join(str(one["path"]) for one in certificates))
    if _CHROME not in locks.locked:
        yield from _chrome(wish.settings.get("web"))


def _setting(package: str, name: str, value: str) -> dict[str, Any]:
    return {
        "packageId": package,
        "name": name,
        "type": 1,
        "value": value,
        "readonly": True,
        "lastUpdate": 0,
    }


def _proxy(value: object) -> str:
    """host:port; "0" takes a proxy back."""
    host = str(value.get("host", "")) if isinstance(value, Mapping) else ""
    port = _number(value.get("port")) if isinstance(value, Mapping) else None
    return f"{host}:{port or 3128}" if host else "0"


def _chrome(value: object) -> Iterator[dict[str, Any]]:
    """Lists as texts in quotes: without them the agent takes a list apart itself, and loses its last letter."""
    told = value if isinstance(value, Mapping) else {}
    hosts = [str(one) for one in told.get("hosts", ()) if isinstance(one, str)]
    blocked = {"block": hosts, "allow": ["*"]}.get(str(told.get("mode")), [])
    allowed = hosts if told.get("mode") == "allow" else []
    yield _setting(_CHROME, "URLBlocklist", f'"{_listed(blocked)}"')
    yield _setting(_CHROME, "URLAllowlist", f'"{_listed(allowed)}"')


def _listed(hosts: Iterable[str]) -> str:
    return "[" + ",".join(f'"{re.sub(r"[^A-Za-z0-9.:/*_-]", "", one)}"' for one in hosts) + "]"


def _files(wish: Wish) -> Iterator[dict[str, Any]]:
    said = wish.settings.get("files") or ()
    wanted: set[str] = set()
    for one in said:
        path, sha = safe_path(one.get("path")), str(one.get("sha256", ""))
        if not path or path in wanted:
            continue
        wanted.add(path)
        if one.get("action") == "remove":
            yield {"path": path, "remove": True, "lastUpdate": 0, "url": None, "checksum": ""}
        elif one.get("key") and re.fullmatch("[0-9a-f]{64}", sha):
            yield _file(path, wish.link(str(one["key"]), sha, path.rpartition("/")[2]), sha, wish)
    for path in wish.remembered.files:
        # It was ours, and no policy speaks of it any more.
        if path not in wanted and not path.startswith(_CERTIFICATES) and safe_path(path) == path:
            yield {"path": path, "remove": True, "lastUpdate": 0, "url": None, "checksum": ""}


def _file(path: str, url: str, sha: str, wish: Wish) -> dict[str, Any]:
    checksum = sha[:32]
    has, at = wish.remembered.files.get(path, ("", 0))
    if not at:
        at = int(wish.now.timestamp() * 1000) // _FIRST_TIME * _FIRST_TIME
    elif has.lower() != checksum:
        at += 1
    return {
        "path": path,
        "url": url,
        "checksum": checksum,
        "lastUpdate": at,
        "remove": False,
        "varContent": False,
    }


def safe_path(told: object) -> str:
    """A path below the shared storage; "" for one that leads out of it."""
    parts = [part for part in str(told or "").replace("\\", "/").split("/") if part not in ("", ".")]
    return "" if ".." in parts or str(told).startswith("//") else "/".join(parts)


def _certificates(wish: Wish) -> Iterator[dict[str, Any]]:
    for one in wish.settings.get("certificates") or ():
        der = der_of(str(one.get("pem", "")))
        if der:
            sha = sha256(der).hexdigest()
            yield _file(f"{_CERTIFICATES}{sha[:16]}.pem", wish.certificate_link(_token(der)), sha, wish)


def der_of(pem: str) -> bytes:
    """The first certificate of a PEM text; nothing where there is none."""
    try:
        return ssl.PEM_cert_to_DER_cert(pem.strip())
    except ValueError:
        return b""


def _token(der: bytes) -> str:
    return base64.urlsafe_b64encode(der).decode().rstrip("=")


def certificate_of(token: str) -> str | None:
    """The certificate in an address that `certificate_link` was given, as PEM; None where it is none."""
    try:
        der = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    # A certificate is a SEQUENCE of two bytes of length.
    return ssl.DER_cert_to_PEM_cert(der) if der[:2] == b"\x30\x82" and len(der) < 6000 else None


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
