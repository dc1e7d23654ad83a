"""What people may do to the system: polkit decides, whatever desktop asks. And how good passwords are."""

import json
from typing import Final

from pupitre_agent.engine import File, Handler, Part, Settings
from pupitre_agent.machine import Machine

#: By setting: the actions (by how their names begin) that are denied to everybody but root while the setting is false.
_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "install_applications": (
        "org.freedesktop.packagekit.package-install",
        "org.freedesktop.packagekit.package-reinstall",
        "org.freedesktop.packagekit.repo-",
        "org.freedesktop.packagekit.system-sources-",
        "org.freedesktop.Flatpak.app-install",
        "org.freedesktop.Flatpak.runtime-install",
        "org.freedesktop.Flatpak.configure-remote",
        "org.freedesktop.Flatpak.modify-repo",
        "io.snapcraft.snapd.manage",
        "com.ubuntu.softwareproperties",
        "org.debian.apt.install",
    ),
    "uninstall_applications": (
        "org.freedesktop.packagekit.package-remove",
        "org.freedesktop.Flatpak.app-uninstall",
        "org.freedesktop.Flatpak.runtime-uninstall",
        "io.snapcraft.snapd.manage",
        "org.debian.apt.install-or-remove",
    ),
    "developer_mode": ("org.freedesktop.policykit.exec", "org.freedesktop.systemd1.manage-"),
    "add_accounts": ("org.freedesktop.accounts.", "org.gnome.controlcenter.user-accounts."),
    "change_wifi": (
        "org.freedesktop.NetworkManager.settings.modify.",
        "org.freedesktop.NetworkManager.enable-disable-",
        "org.freedesktop.NetworkManager.wifi.",
        "org.freedesktop.NetworkManager.network-control",
    ),
}
#: Never anybody's: by another clock a rule of the week would end.
_ALWAYS: Final = ("org.freedesktop.timedate1.",)
_RULES: Final = "/etc/polkit-1/rules.d/00-pupitre.rules"
_SCRIPT: Final = """\
// Written by pupitre-agent; changes are lost.
polkit.addRule(function (action, subject) {
    var denied = %s;
    if (subject.user === "root") {
        return polkit.Result.NOT_HANDLED;
    }
    for (var i = 0; i < denied.length; i++) {
        if (action.id.indexOf(denied[i]) === 0) {
            return polkit.Result.NO;
        }
    }
    return polkit.Result.NOT_HANDLED;
});
"""


def _wants(settings: Settings, machine: Machine) -> Part:
    off = [key for key in _ACTIONS if settings.get(key) is False]
    if not off:
        return Part()
    if not any(machine.mode(folder) is not None for folder in ("/etc/polkit-1", "/usr/share/polkit-1")):
        part = Part()
        for key in off:
            part.cannot(key, "polkit is not installed.")
        return part
    denied = sorted({action for key in off for action in _ACTIONS[key]} | set(_ALWAYS))
    # polkitd watches the folder by itself.
    return Part([File(_RULES, (_SCRIPT % json.dumps(denied)).encode())])


HANDLER: Final = Handler("permissions", frozenset(_ACTIONS), _wants)

#: How long a password is at least, and of how many kinds of characters.
_QUALITY: Final = {"present": (1, 0), "easy": (4, 0), "moderate": (8, 2), "strong": (12, 3)}


def _passcodes(settings: Settings, machine: Machine) -> Part:
    wanted = settings["passcode"]
    if wanted == "any":
        return Part()
    if machine.mode("/etc/security/pwquality.conf") is None:
        part = Part()
        part.cannot("passcode", "libpam-pwquality is not installed.")
        return part
    length, kinds = _QUALITY[wanted]
    text = f"# Written by pupitre-agent.\nminlen = {length}\nminclass = {kinds}\nenforce_for_root\n"
    return Part([File("/etc/security/pwquality.conf.d/60-pupitre.conf", text.encode())])


PASSCODES: Final = Handler("passcode", frozenset({"passcode"}), _passcodes)
