"""What a policy can say: every setting with its kind, and how two policies' words about it become one.

A policy's document is {"settings": {key: value}, "locked": [key]}. What a wider level locks, a narrower cannot change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from . import Platform

Value = object
EVERYWHERE: Final = frozenset(Platform)
ANDROID: Final = frozenset({Platform.ANDROID})
COMPUTERS: Final = frozenset({Platform.WINDOWS, Platform.LINUX})
APPLE: Final = frozenset({Platform.IOS, Platform.MACOS})


class Kind(Enum):
    """What a setting's value is."""

    FLAG = "flag"  # true: allowed or on
    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"
    #: Named things, merged by their name: {"wifi": [{"ssid": ...}, ...]}
    NAMED = "named"
    #: One thing of several fields that belong together, taken whole.
    WHOLE = "whole"


class Group(Enum):
    """Where a page shows the setting."""

    RESTRICTIONS = "restrictions"
    MODE = "mode"
    NETWORK = "network"
    WEB = "web"
    UPDATES = "updates"
    SCREEN = "screen"
    APPLICATIONS = "applications"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name_by: the field that names an entry of a NAMED setting.
        fields: the fields of an entry or of a WHOLE, with their kinds' words; those in `secret` are sealed.
    """

    key: str
    group: Group
    kind: Kind
    platforms: frozenset[Platform] = EVERYWHERE
    choices: tuple[str, ...] = ()
    name_by: str = ""
    fields: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()
    least: int = 0
    most: int = 0


_ALL: Final = (
    # Restrictions: true allows.
    Setting("camera", Group.RESTRICTIONS, Kind.FLAG),
    Setting("microphone", Group.RESTRICTIONS, Kind.FLAG, ANDROID | APPLE),
    Setting("bluetooth", Group.RESTRICTIONS, Kind.FLAG),
    Setting("usb_storage", Group.RESTRICTIONS, Kind.FLAG, ANDROID | COMPUTERS),
    Setting("screenshots", Group.RESTRICTIONS, Kind.FLAG, ANDROID | APPLE),
    Setting("install_applications", Group.RESTRICTIONS, Kind.FLAG),
    Setting("uninstall_applications", Group.RESTRICTIONS, Kind.FLAG),
    Setting("factory_reset", Group.RESTRICTIONS, Kind.FLAG, ANDROID | APPLE),
    Setting("developer_mode", Group.RESTRICTIONS, Kind.FLAG, ANDROID | COMPUTERS),
    Setting("add_accounts", Group.RESTRICTIONS, Kind.FLAG),
    Setting("change_wifi", Group.RESTRICTIONS, Kind.FLAG),
    Setting("mobile_data", Group.RESTRICTIONS, Kind.FLAG, ANDROID),
    Setting("passcode", Group.RESTRICTIONS, Kind.CHOICE, choices=("any", "present", "easy", "moderate", "strong")),
    # What a device is limited to.
    Setting("mode", Group.MODE, Kind.CHOICE, choices=("open", "kiosk", "exam")),
    Setting("allowed_applications", Group.MODE, Kind.WHOLE, fields=("packages",)),
    Setting("blocked_applications", Group.MODE, Kind.WHOLE, fields=("packages",)),
    Setting("kiosk_application", Group.MODE, Kind.TEXT),
    # Network.
    Setting("wifi", Group.NETWORK, Kind.NAMED, name_by="ssid", fields=("ssid", "security", "password", "hidden"),
            secret=frozenset({"password"})),
    Setting("certificates", Group.NETWORK, Kind.NAMED, name_by="name", fields=("name", "pem")),
    Setting("vpn", Group.NETWORK, Kind.WHOLE, fields=("kind", "server", "user", "secret"), secret=frozenset({"secret"})),
    Setting("proxy", Group.NETWORK, Kind.WHOLE, fields=("host", "port", "except")),
    Setting("site_cache", Group.NETWORK, Kind.TEXT),
    # Web.
    Setting("web", Group.WEB, Kind.WHOLE, fields=("mode", "hosts")),  # mode: open, block, allow
    # Updates of the system.
    Setting("system_updates", Group.UPDATES, Kind.WHOLE, fields=("mode", "from", "to")),  # instant, window, manual
    Setting("oldest_system", Group.UPDATES, Kind.TEXT),
    # Screen.
    Setting("wallpaper", Group.SCREEN, Kind.TEXT),
    Setting("home_applications", Group.SCREEN, Kind.WHOLE, fields=("packages",)),
    Setting("screen_timeout", Group.SCREEN, Kind.NUMBER, least=15, most=3600),
    Setting("brightness", Group.SCREEN, Kind.NUMBER, ANDROID, least=5, most=100),
    Setting("volume", Group.SCREEN, Kind.NUMBER, ANDROID, least=0, most=100),
    # Applications and files: {"package", "action": install|remove|allow, "version", "pinned"}.
    Setting("applications", Group.APPLICATIONS, Kind.NAMED, name_by="package",
            fields=("package", "action", "version", "pinned", "name")),
    Setting("files", Group.FILES, Kind.NAMED, name_by="path", fields=("path", "key", "sha256", "size", "action")),
)  # fmt: skip
SETTINGS: Final[Mapping[str, Setting]] = {one.key: one for one in _ALL}
