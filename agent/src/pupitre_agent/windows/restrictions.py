"""Restrictions that are values of the registry, and how good passwords are. Names as in Microsoft's policy reference."""

from typing import Final

from pupitre_agent.engine import Handler, Made, Part, Settings, Value
from pupitre_agent.machine import Machine

POLICIES: Final = r"HKLM\SOFTWARE\Policies\Microsoft"
_SYSTEM: Final = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
_SERVICES: Final = r"HKLM\SYSTEM\CurrentControlSet\Services"
_DISABLED: Final = 4

#: By setting: what holds while it is false.
_OFF: Final[dict[str, tuple[Value, ...]]] = {
    "camera": (Value(rf"{POLICIES}\Camera", "AllowCamera", 0),),
    "bluetooth": (
        Value(rf"{_SERVICES}\BTHUSB", "Start", _DISABLED),
        Value(rf"{_SERVICES}\bthserv", "Start", _DISABLED),
    ),
    "usb_storage": (
        Value(rf"{POLICIES}\Windows\RemovableStorageDevices", "Deny_All", 1),
        Value(rf"{_SERVICES}\USBSTOR", "Start", _DISABLED),
    ),
    # Not EnableAppInstaller: that would take winget from the agent as well.
    "install_applications": (
        Value(rf"{POLICIES}\Windows\Installer", "DisableUserInstalls", 1),
        Value(rf"{POLICIES}\Windows\Installer", "DisableMSI", 1),
        Value(rf"{POLICIES}\WindowsStore", "RemoveWindowsStore", 1),
        Value(rf"{POLICIES}\Windows\Appx", "BlockNonAdminUserInstall", 1),
    ),
    "uninstall_applications": (
        Value(rf"{POLICIES}\Windows\Explorer", "NoUninstallFromStart", 1),
        Value(
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\Programs", "NoProgramsAndFeatures", 1
        ),
    ),
    "developer_mode": (
        Value(rf"{POLICIES}\Windows\Appx", "AllowDevelopmentWithoutDevLicense", 0),
        Value(rf"{POLICIES}\Windows\Appx", "AllowAllTrustedApps", 0),
    ),
    "add_accounts": (Value(_SYSTEM, "NoConnectedUser", 3),),
}
_LENGTHS: Final = {"any": 0, "present": 1, "easy": 4, "moderate": 8, "strong": 12}


def _restriction(key: str) -> Handler:
    def wants(settings: Settings, machine: Machine) -> Part:
        return Part(list(_OFF[key])) if settings[key] is False else Part()

    return Handler(key, frozenset({key}), wants)


def _passcode(settings: Settings, machine: Machine) -> Part:
    length = _LENGTHS[settings["passcode"]]
    if not length:
        return Part()
    put = ("net", "accounts", f"/minpwlen:{length}")
    return Part([Made("passcode", (put,), (("net", "accounts", "/minpwlen:0"),))])


HANDLERS: Final = (*map(_restriction, _OFF), Handler("passcode", frozenset({"passcode"}), _passcode))
