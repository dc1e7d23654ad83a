"""Which applications are locked on a device now, and which must be set free.

The agent hides what `locked_packages` names and forgets nothing by itself: a package that is no longer named there stays
hidden until `unlocked_packages` names it. So every answer names both, and what was ever locked on the device is remembered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LAUNCHER: Final = "com.hmdm.launcher"
#: Never hidden: without them a device cannot be used, or cannot be reached any more.
FREE: Final = frozenset(
    {
        LAUNCHER,
        "android",
        "com.android.inputmethod.latin",
        "com.android.packageinstaller",
        "com.android.permissioncontroller",
        "com.android.phone",
        "com.android.providers.settings",
        "com.android.shell",
        "com.android.systemui",
        "com.android.webview",
        "com.google.android.gms",
        "com.google.android.gsf",
        "com.google.android.inputmethod.latin",
        "com.google.android.packageinstaller",
        "com.google.android.permissioncontroller",
        "com.google.android.webview",
        "com.samsung.android.honeyboard",
    }
)
#: What tablets are delivered with and nobody thinks of naming, when only some applications are allowed.
ORDINARY: Final = frozenset(
    {
        "com.android.browser",
        "com.android.calculator2",
        "com.android.calendar",
        "com.android.camera",
        "com.android.camera2",
        "com.android.chrome",
        "com.android.contacts",
        "com.android.deskclock",
        "com.android.email",
        "com.android.gallery3d",
        "com.android.mms",
        "com.android.music",
        "com.android.settings",
        "com.android.vending",
        "com.google.android.apps.chromecast.app",
        "com.google.android.apps.docs",
        "com.google.android.apps.kids.home",
        "com.google.android.apps.maps",
        "com.google.android.apps.messaging",
        "com.google.android.apps.nbu.files",
        "com.google.android.apps.photos",
        "com.google.android.apps.podcasts",
        "com.google.android.apps.tachyon",
        "com.google.android.apps.youtube.kids",
        "com.google.android.apps.youtube.music",
        "com.google.android.calculator",
        "com.google.android.calendar",
        "com.google.android.contacts",
        "com.google.android.deskclock",
        "com.google.android.gm",
        "com.google.android.googlequicksearchbox",
        "com.google.android.keep",
        "com.google.android.play.games",
        "com.google.android.videos",
        "com.google.android.youtube",
        "com.sec.android.app.camera",
        "com.sec.android.app.sbrowser",
        "com.sec.android.gallery3d",
        "com.netflix.mediaclient",
    }
)
#: Settings whose value is {"packages": [...]}.
_LISTS: Final = ("allowed_applications", "blocked_applications", "home_applications")


@dataclass(frozen=True, slots=True)
class Locks:
    """What is hidden, and what is set free; no package is in both."""

    locked: frozenset[str]
    unlocked: frozenset[str]


def packages_of(value: object) -> list[str]:
    """The packages of {"packages": [...]}, in their order."""
    told = value.get("packages") if isinstance(value, Mapping) else None
    return [one for one in told if isinstance(one, str) and one] if isinstance(told, list | tuple) else []


def allowed(settings: Mapping[str, Any]) -> frozenset[str] | None:
    """The only applications that may be used; None where no setting says so."""
    only: set[str] | None = None
    if "allowed_applications" in settings:
        only = set(packages_of(settings["allowed_applications"]))
    kiosk = settings.get("kiosk_application")
    if settings.get("mode") in ("kiosk", "exam") and isinstance(kiosk, str) and kiosk:
        only = (only or set()) | {kiosk}
    return None if only is None else frozenset(only)


def named(settings: Mapping[str, Any], schedule: Sequence[Mapping[str, Any]] = ()) -> frozenset[str]:
    """Every package that the settings, or an entry of the schedule that may hold at some time, speak of."""
    found: set[str] = set()
    for said in (settings, *(entry.get("settings", {}) for entry in schedule)):
        for key in _LISTS:
            found.update(packages_of(said.get(key)))
        if isinstance(kiosk := said.get("kiosk_application"), str) and kiosk:
            found.add(kiosk)
        found.update(str(one["package"]) for one in said.get("applications", ()) if one.get("package"))
    return frozenset(found)


def locks(
    settings: Mapping[str, Any], named: Iterable[str], known: Iterable[str], ever_locked: Iterable[str]
) -> Locks:
    """What these settings lock of the packages that are known, and what is therefore free.

    Args:
        settings: those that hold now, rules of the week laid over.
        named: what the device's state speaks of at whatever hour.
        known: what else may be on the device: in the catalogue, in its report.
        ever_locked: what was locked on it by any earlier answer.
    """
    spoken_of = frozenset(named) | frozenset(ever_locked)
    blocked = frozenset(packages_of(settings.get("blocked_applications")))
    only = allowed(settings)
    if only is not None:
        blocked |= (spoken_of | frozenset(known) | ORDINARY) - only
    blocked -= FREE
    return Locks(blocked, spoken_of - blocked - FREE)
