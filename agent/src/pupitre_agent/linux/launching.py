"""Which applications may be started. Decided by permissions of what is started, not by what a menu shows.

A program that root alone may read and execute starts for nobody else, from a menu, a terminal or a script. That needs no kernel
module, no profile and no daemon, is the same on every distribution, and comes back by restoring a number. A Flatpak's folder is
shut in the same way; a snap, which lies in a read-only image, is disabled by its own tool. The menu's entry is hidden besides.
"""

import posixpath
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pupitre_agent.engine import File, Handler, Made, Mode, Part, Settings
from pupitre_agent.errors import CannotApply
from pupitre_agent.machine import Machine, text_of

_MENUS: Final = (
    "/usr/share/applications",
    "/var/lib/flatpak/exports/share/applications",
    "/var/lib/snapd/desktop/applications",
)
#: Menus look here first.
_OVER: Final = "/usr/local/share/applications"
_PROGRAMS: Final = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/games", "/usr/sbin", "/sbin")
_SHUT: Final = 0o700
#: What starts other things: shutting it would shut more than the application.
_SHARED: Final = re.compile(
    r"(ba|da|z|k)?sh|env|python[\d.]*|perl[\d.]*|ruby[\d.]*|java|node(js)?|gjs(-console)?|mono|wine\w*|flatpak|snap|"
    r"xdg-open|gio|dbus-\w+|gapplication|pkexec|sudo|systemctl|x-terminal-emulator|gtk-launch|electron\d*"
)
#: A session falls over without them.
_KEPT: Final = re.compile(
    r"(org\.gnome\.Shell|gnome-shell|org\.gnome\.Settings|gnome-session|pupitre-agent).*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Launcher:
    """An entry of the menu."""

    file: str
    command: tuple[str, ...]
    is_hidden: bool
    flatpak: str
    snap: str
    #: The Debian package that it came with.
    package: str

    def is_of(self, name: str) -> bool:
        """Whether somebody who writes that name means this application."""
        own = self.file.removesuffix(".desktop")
        return name.removesuffix(".desktop") in {own, self.flatpak, self.snap, self.package} - {""}


def launchers(machine: Machine) -> list[Launcher]:
    """All entries of the computer's menus."""
    owners = _owners(machine)
    return [
        _launcher(machine, f"{folder}/{name}", owners)
        for folder in _MENUS
        for name in machine.names(folder)
        if name.endswith(".desktop")
    ]


def _launcher(machine: Machine, path: str, owners: dict[str, str]) -> Launcher:
    fields = _main_section(text_of(machine, path))
    try:
        command = tuple(word for word in shlex.split(fields.get("Exec", "")) if not word.startswith("%"))
    except ValueError:
        command = ()
    hidden = "true" in {fields.get("NoDisplay", ""), fields.get("Hidden", "")}
    snap = fields.get("X-SnapInstanceName", "")
    return Launcher(
        posixpath.basename(path), command, hidden, fields.get("X-Flatpak", ""), snap, owners.get(path, "")
    )


def _main_section(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    is_main = False
    for line in text.splitlines():
        if line.startswith("["):
            is_main = line.strip() == "[Desktop Entry]"
        elif is_main and "=" in line:
            key, _, value = line.partition("=")
            fields.setdefault(key.strip(), value.strip())
    return fields


def _owners(machine: Machine) -> dict[str, str]:
    """Which Debian package an entry of the menu came with, from dpkg's own lists."""
    folder = "/var/lib/dpkg/info"
    found: dict[str, str] = {}
    for name in machine.names(folder):
        if name.endswith(".list"):
            package = name.removesuffix(".list").partition(":")[0]
            lines = text_of(machine, f"{folder}/{name}").splitlines()
            found |= {line: package for line in lines if line.endswith(".desktop")}
    return found


def command_of(machine: Machine, name: str) -> tuple[str, ...]:
    """How an application is started. Raises CannotApply where it is not installed."""
    for one in launchers(machine):
        if one.is_of(name):
            return ("flatpak", "run", one.flatpak) if one.flatpak else one.command
    if machine.has(name):
        return (name,)
    raise CannotApply(f"{name} is not installed.")


# Allowing and blocking


def _wants(settings: Settings, machine: Machine) -> Part:
    allowed = _names(settings.get("allowed_applications"))
    blocked = _names(settings.get("blocked_applications"))
    if kiosk := str(settings.get("kiosk_application") or ""):
        allowed = [*allowed, kiosk] if allowed else allowed
    part = Part()
    shut = []
    for one in launchers(machine):
        is_outside = bool(allowed) and not one.is_hidden and not any(one.is_of(name) for name in allowed)
        if (is_outside and not _KEPT.fullmatch(one.file)) or any(one.is_of(name) for name in blocked):
            shut.append(one)
    # A program that an allowed application starts as well stays.
    needed = {
        path
        for one in launchers(machine)
        if one not in shut
        for path in [_program(machine, one.command)]
        if path
    }
    for one in shut:
        _shut(machine, one, needed, part)
    for name in blocked:
        _shut_program(machine, name, part)
    part.now = list(_endings(machine, [one.path for one in part.resources if isinstance(one, Mode)]))
    return part


def _names(value: object) -> list[str]:
    packages = value.get("packages") if isinstance(value, dict) else None
    return [str(one) for one in packages or []]


def _shut(machine: Machine, one: Launcher, needed: set[str], part: Part) -> None:
    entry = "[Desktop Entry]\nType=Application\nName=-\nHidden=true\nNoDisplay=true\n"
    part.resources.append(File(f"{_OVER}/{one.file}", entry.encode()))
    if one.flatpak:
        part.resources.append(Mode(f"/var/lib/flatpak/app/{one.flatpak}", _SHUT))
    elif one.snap:
        part.resources.append(
            Made(f"snap {one.snap}", (("snap", "disable", one.snap),), (("snap", "enable", one.snap),))
        )
    elif (path := _program(machine, one.command)) and path not in needed:
        if _SHARED.fullmatch(posixpath.basename(path)):
            part.cannot(
                "blocked_applications",
                f"{one.file}: is started by {path}, which others need: it is only hidden.",
            )
        else:
            part.resources.append(Mode(path, _SHUT))


def _shut_program(machine: Machine, name: str, part: Part) -> None:
    """An application without an entry in the menu is named by its program, or is not there."""
    path = _program(machine, (name,))
    if path and not _SHARED.fullmatch(posixpath.basename(path)) and Mode(path, _SHUT) not in part.resources:
        part.resources.append(Mode(path, _SHUT))


def _program(machine: Machine, command: tuple[str, ...]) -> str:
    """The file that a command starts; empty where there is none."""
    name = next((word for word in command if word != "env" and "=" not in word), "")
    if not name:
        return ""
    paths: Iterable[str] = [name] if name.startswith("/") else [f"{folder}/{name}" for folder in _PROGRAMS]
    return next((path for path in paths if machine.mode(path) is not None), "")


def _endings(machine: Machine, paths: list[str]) -> Iterable[tuple[str, ...]]:
    """What is open when a lesson's rule begins is closed: asked to end, as at signing out."""
    shut = {_target(machine, path) for path in paths}
    for number in machine.names("/proc"):
        if not number.isdigit():
            continue
        link = machine.real(f"/proc/{number}/exe")
        try:
            program = str(link.readlink())
        except OSError:
            continue
        is_roots = text_of(machine, f"/proc/{number}/loginuid") in {"", "4294967295"}
        if not is_roots and any(program == path or program.startswith(f"{path}/") for path in shut):
            yield ("kill", "-TERM", number)


def _target(machine: Machine, path: str) -> str:
    """The file itself, where the path is a link: what the kernel says a process runs."""
    real = machine.real(path)
    resolved = str(real.resolve())
    root = str(machine.real("/").resolve()).rstrip("/")
    return resolved[len(root) :] if root and resolved.startswith(root) else resolved


HANDLER: Final = Handler(
    "launching", frozenset({"allowed_applications", "blocked_applications", "kiosk_application"}), _wants
)
