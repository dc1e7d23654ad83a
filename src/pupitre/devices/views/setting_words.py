"""Every setting in words that somebody understands who is no technician: its name, what it does, and what its value says."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from pupitre.devices.rules import Level, Platform
from pupitre.devices.rules.headwind.coverage import COVERAGE, Carried
from pupitre.devices.rules.settings import SETTINGS, Group, Kind

Text = str | Promise

GROUPS: Final[Mapping[Group, tuple[Text, Text, str]]] = {
    Group.RESTRICTIONS: (lazy("Restrictions"), lazy("What may be used on the device."), "shield"),
    Group.MODE: (lazy("What the device is limited to"), lazy("Some applications only, or an exam."), "lock"),
    Group.NETWORK: (lazy("Network"), lazy("Wi-Fi, certificates, VPN and proxy."), "wifi"),
    Group.WEB: (lazy("Web sites"), lazy("Which addresses can be opened."), "globe"),
    Group.UPDATES: (lazy("Updates of the system"), lazy("When they are installed."), "refresh-cw"),
    Group.SCREEN: (lazy("Screen and sound"), lazy("Home screen, brightness, volume."), "monitor"),
    Group.APPLICATIONS: (lazy("Applications"), lazy("What is installed and removed."), "layout-grid"),
    Group.FILES: (lazy("Files"), lazy("Documents that lie on the device."), "file-text"),
}

#: {setting: (name, what it does)}
NAMES: Final[Mapping[str, tuple[Text, Text]]] = {
    "camera": (lazy("Camera"), lazy("Photos, videos and video calls.")),
    "microphone": (lazy("Microphone"), lazy("Recordings and calls.")),
    "bluetooth": (lazy("Bluetooth"), lazy("Headphones, keyboards and sending files to devices nearby.")),
    "usb_storage": (lazy("USB sticks and disks"), lazy("Reading and writing what is plugged in.")),
    "screenshots": (lazy("Pictures of the screen"), lazy("Screenshots and screen recordings.")),
    "install_applications": (
        lazy("Installing applications"),
        lazy("By whoever uses the device. What the school installs comes in any case."),
    ),
    "uninstall_applications": (
        lazy("Removing applications"),
        lazy("By whoever uses the device."),
    ),
    "factory_reset": (
        lazy("Resetting the device"),
        lazy("Back to the maker's settings, from the device itself."),
    ),
    "developer_mode": (lazy("Developer options"), lazy("Debugging and installing from a cable.")),
    "add_accounts": (lazy("Adding accounts"), lazy("Private accounts of Google, Microsoft and others.")),
    "change_wifi": (
        lazy("Choosing a Wi-Fi network"),
        lazy("Needed at home, if the network there is not known here."),
    ),
    "mobile_data": (lazy("Mobile data"), lazy("Internet by a SIM card.")),
    "passcode": (lazy("Screen lock"), lazy("How strong the code must be that opens the device.")),
    "mode": (
        lazy("Mode"),
        lazy("An exam also closes USB sticks, Bluetooth and installing. Name the applications that stay."),
    ),
    "allowed_applications": (
        lazy("Only these applications"),
        lazy("All others are hidden. One package a line, such as org.geogebra.android."),
    ),
    "blocked_applications": (
        lazy("Without these applications"),
        lazy("They are hidden, the others stay. One package a line."),
    ),
    "kiosk_application": (
        lazy("The one application"),
        lazy("For the mode with one application: its package, such as org.geogebra.android."),
    ),
    "wifi": (lazy("Wi-Fi networks"), lazy("Joined by themselves where they are in reach.")),
    "certificates": (
        lazy("Certificates"),
        lazy("Authorities that the device trusts, such as that of the school's filter."),
    ),
    "vpn": (lazy("VPN"), lazy("All traffic goes through this server.")),
    "proxy": (lazy("Proxy"), lazy("Web pages are fetched through this server.")),
    "site_cache": (
        lazy("Store of downloads at the school"),
        lazy("Applications and files are fetched from there first: its address."),
    ),
    "web": (
        lazy("Web sites"),
        lazy("Only these, or all but these. One address a line; those below it are meant, too."),
    ),
    "system_updates": (lazy("Installing updates"), lazy("At once, at night, or when somebody says so.")),
    "oldest_system": (
        lazy("Oldest version of the system"),
        lazy("Devices below it are shown as not in order, such as 14 or 13.1."),
    ),
    "wallpaper": (lazy("Picture of the home screen"), lazy("The address of a picture.")),
    "home_applications": (
        lazy("Applications on the home screen"),
        lazy("In this order. One package a line."),
    ),
    "screen_timeout": (lazy("Screen goes dark after"), lazy("Seconds without a touch.")),
    "brightness": (lazy("Brightness"), lazy("Percent.")),
    "volume": (lazy("Volume"), lazy("Percent; 0 is silent.")),
    "applications": (lazy("Applications of the catalogue"), lazy("What is installed, allowed or removed.")),
    "files": (lazy("Files on the device"), lazy("Put there, or removed.")),
}

CHOICES: Final[Mapping[str, Mapping[str, Text]]] = {
    "passcode": {
        "any": lazy("Anything, also none"),
        "present": lazy("Some lock"),
        "easy": lazy("A simple code"),
        "moderate": lazy("A code without simple rows of numbers"),
        "strong": lazy("Letters and numbers"),
    },
    "mode": {
        "open": lazy("Everything that is allowed"),
        "kiosk": lazy("One application"),
        "exam": lazy("Exam"),
    },
}
#: Of fields: {(setting, field): {choice: words}}
FIELD_CHOICES: Final[Mapping[tuple[str, str], Mapping[str, Text]]] = {
    ("web", "mode"): {
        "open": lazy("All"),
        "allow": lazy("Only these"),
        "block": lazy("All but these"),
    },
    ("wifi", "security"): {"wpa2": "WPA2", "wpa3": "WPA3", "open": lazy("Open, without a password")},
    ("vpn", "kind"): {"wireguard": "WireGuard", "openvpn": "OpenVPN", "ikev2": "IKEv2"},
    ("system_updates", "mode"): {
        "instant": lazy("At once"),
        "window": lazy("Between two times of the day"),
        "manual": lazy("When somebody starts it"),
    },
    ("applications", "action"): {
        "install": lazy("Install"),
        "allow": lazy("Allow"),
        "remove": lazy("Remove"),
    },
    ("files", "action"): {"put": lazy("Put on the device"), "remove": lazy("Remove")},
}
FIELDS: Final[Mapping[tuple[str, str], Text]] = {
    ("allowed_applications", "packages"): lazy("Packages, one a line"),
    ("blocked_applications", "packages"): lazy("Packages, one a line"),
    ("home_applications", "packages"): lazy("Packages, one a line"),
    ("wifi", "ssid"): lazy("Name of the network"),
    ("wifi", "security"): lazy("Security"),
    ("wifi", "password"): lazy("Password"),
    ("wifi", "hidden"): lazy("It does not show its name"),
    ("certificates", "name"): lazy("Name"),
    ("certificates", "pem"): lazy("Certificate (PEM)"),
    ("vpn", "kind"): lazy("Kind"),
    ("vpn", "server"): lazy("Server"),
    ("vpn", "user"): lazy("User"),
    ("vpn", "secret"): lazy("Secret"),
    ("proxy", "host"): lazy("Server"),
    ("proxy", "port"): lazy("Port"),
    ("proxy", "except"): lazy("Not for these addresses, one a line"),
    ("web", "mode"): lazy("Which"),
    ("web", "hosts"): lazy("Addresses, one a line"),
    ("system_updates", "mode"): lazy("When"),
    ("system_updates", "from"): lazy("From"),
    ("system_updates", "to"): lazy("To"),
    ("applications", "package"): lazy("Package"),
    ("applications", "action"): lazy("What to do"),
    ("applications", "version"): lazy("Version"),
    ("applications", "pinned"): lazy("Stay at this version"),
    ("applications", "name"): lazy("Name"),
    ("files", "path"): lazy("Path on the device"),
    ("files", "key"): lazy("Stored as"),
    ("files", "sha256"): "SHA-256",
    ("files", "size"): lazy("Size in bytes"),
    ("files", "action"): lazy("What to do"),
}
LEVELS: Final[Mapping[Level, Text]] = {
    Level.AUTHORITY: lazy("Authority"),
    Level.SCHOOL: lazy("School"),
    Level.GROUP: lazy("Class"),
    Level.PERSON: lazy("Person"),
    Level.DEVICE: lazy("Device"),
}
PLATFORMS: Final[Mapping[int, str]] = {
    Platform.ANDROID: "Android",
    Platform.WINDOWS: "Windows",
    Platform.LINUX: "Linux",
    Platform.IOS: "iPadOS",
    Platform.MACOS: "macOS",
    Platform.CHROMEOS: "ChromeOS",
}


def name_of(key: str) -> str:
    """What a setting is called; of a newer release's, its key."""
    return str(NAMES[key][0]) if key in NAMES else key


def say(key: str, value: Any) -> str:
    """A setting's value in a few words; secrets are not told."""
    setting = SETTINGS.get(key)
    if value is None or setting is None:
        return "–" if value is None else str(value)
    if setting.kind is Kind.FLAG:
        return _("Allowed") if value else _("Not allowed")
    if setting.kind is Kind.CHOICE:
        return str(CHOICES[key].get(value, value))
    if setting.kind is Kind.NAMED:
        return ", ".join(str(one.get("name") or one.get(setting.name_by)) for one in value) or _("None")
    return _SAID.get(key, _plain)(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            str(part) for name, part in value.items() if part not in (None, "", True) and name != "except"
        )
    return str(value)


def _packages(value: Mapping[str, Any]) -> str:
    return ", ".join(value.get("packages", ())) or _("None")


def _web(value: Mapping[str, Any]) -> str:
    mode, hosts = value.get("mode", "open"), value.get("hosts", ())
    if mode == "open":
        return _("All")
    shown = ", ".join(hosts[:4]) + (" …" if len(hosts) > 4 else "")
    if mode == "allow":
        return _("Only %(hosts)s") % {"hosts": shown}
    return _("All but %(hosts)s") % {"hosts": shown}


def _updates(value: Mapping[str, Any]) -> str:
    if value.get("mode") == "window":
        return _("From %(from)s to %(to)s") % {"from": value.get("from", ""), "to": value.get("to", "")}
    return str(FIELD_CHOICES["system_updates", "mode"].get(value.get("mode", ""), ""))


def _seconds(value: int) -> str:
    return ngettext("%(number)s second", "%(number)s seconds", value) % {"number": value}


def _percent(value: int) -> str:
    return f"{value} %"


_SAID: Final[Mapping[str, Callable[[Any], str]]] = {
    "allowed_applications": _packages,
    "blocked_applications": _packages,
    "home_applications": _packages,
    "web": _web,
    "system_updates": _updates,
    "screen_timeout": _seconds,
    "brightness": _percent,
    "volume": _percent,
}


def limits(key: str) -> list[tuple[str, str]]:
    """What platforms cannot do of a setting, as (platform, why): of Android by its stock agent, else those that lack it."""
    setting = SETTINGS[key]
    covered = COVERAGE.get(key)
    found = []
    if Platform.ANDROID in setting.platforms and covered is not None and covered.how is not Carried.WHOLLY:
        found.append((PLATFORMS[Platform.ANDROID], _(covered.note)))
    return found
