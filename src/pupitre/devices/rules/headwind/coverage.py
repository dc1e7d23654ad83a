"""Which settings the stock agent can carry out, and why not those that it cannot. Shown in docs and told of each device."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .versions import compare


class Carried(StrEnum):
    """How far a setting reaches an Android device by this agent."""

    WHOLLY = "wholly"
    PARTLY = "partly"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far, and what must be known of it."""

    how: Carried
    note: str = ""


def gettext_noop(message: str) -> str:
    """Mark a note for the catalogues; pages translate it when they show it."""
    return message


_WHOLLY: Final = Coverage(Carried.WHOLLY)
#: Of every setting in `rules.settings`, for Android.
COVERAGE: Final[Mapping[str, Coverage]] = {
    "camera": _WHOLLY,
    "microphone": Coverage(Carried.PARTLY, gettext_noop("The microphone is muted; the system leaves no owner of a device more.")),
    "bluetooth": _WHOLLY,
    "usb_storage": _WHOLLY,
    "screenshots": _WHOLLY,
    "install_applications": _WHOLLY,
    "uninstall_applications": _WHOLLY,
    "factory_reset": _WHOLLY,
    "developer_mode": _WHOLLY,
    "add_accounts": _WHOLLY,
    "change_wifi": _WHOLLY,
    "mobile_data": _WHOLLY,
    "passcode": _WHOLLY,
    "mode": Coverage(
        Carried.PARTLY,
        gettext_noop("The free agent does not pin an application to the screen. Other applications are hidden, and the home screen "
        "shows only what is allowed."),
    ),
    "allowed_applications": Coverage(
        Carried.PARTLY,
        gettext_noop("Hides every other application that the catalogue, a policy or the device's report names, and those that tablets "
        "are delivered with. One that was never named by anybody stays."),
    ),
    "blocked_applications": _WHOLLY,
    "kiosk_application": Coverage(Carried.PARTLY, gettext_noop("As for the mode.")),
    "wifi": Coverage(
        Carried.NOT, gettext_noop("The agent joins no network after enrolment; the first one goes into the enrolment's QR code.")),
    "certificates": Coverage(Carried.PARTLY, gettext_noop("Installed for good: the agent takes none back.")),
    "vpn": Coverage(Carried.NOT, gettext_noop("The agent sets up no VPN.")),
    "proxy": Coverage(Carried.PARTLY, gettext_noop("Without the exceptions, which the agent does not know.")),
    "site_cache": Coverage(
        Carried.NOT, gettext_noop("The agent checks no hash of what it fetches, so it is sent to no server but ours.")),
    "web": Coverage(Carried.PARTLY, gettext_noop("In Chrome, by its own settings. Block other browsers besides.")),
    "system_updates": _WHOLLY,
    "oldest_system": Coverage(Carried.PARTLY, gettext_noop("Told as a problem of the device; nothing can be forced.")),
    "wallpaper": Coverage(Carried.PARTLY, gettext_noop("On the agent's own home screen.")),
    "home_applications": _WHOLLY,
    "screen_timeout": _WHOLLY,
    "brightness": _WHOLLY,
    "volume": _WHOLLY,
    "applications": _WHOLLY,
    "files": _WHOLLY,
}  # fmt: skip


def too_old(oldest: object, has: str) -> list[dict[str, str]]:
    """That the device's system is older than it may be, as a device's `problems`."""
    if not isinstance(oldest, str) or not oldest or not has or compare(has, oldest) >= 0:
        return []
    return [{"key": "oldest_system", "reason": f"Android {has} is older than {oldest}."}]


def not_carried(keys: Iterable[str]) -> list[dict[str, str]]:
    """The settings among these that the agent cannot carry out, as a device's `problems`."""
    return [
        {"key": key, "reason": COVERAGE[key].note}
        for key in sorted(keys)
        if key in COVERAGE and COVERAGE[key].how is Carried.NOT
    ]
