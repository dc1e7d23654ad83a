"""Windows Installer and winget. What is installed stands in the registry, whoever put it there."""

import re
from typing import Final

from pupitre_agent.machine import Machine, Ran

from . import versions

_PLACES: Final = (
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
)
#: Windows Installer's way to say that it worked and that a restart completes it.
_RESTART: Final = frozenset({1641, 3010})


def _entries(machine: Machine) -> list[tuple[str, str, str, str]]:
    """(key, name, version, folder) of everything that can be uninstalled."""
    found = []
    for place in _PLACES:
        for key in machine.registry.keys(place):
            values = [
                str(machine.registry.get(rf"{place}\{key}", one) or "")
                for one in ("DisplayName", "DisplayVersion", "InstallLocation")
            ]
            if values[0]:
                found.append((key, *values))
    return found  # type: ignore[return-value]


def installed_folders(machine: Machine) -> dict[str, str]:
    """Where applications lie, by their names and keys in lower case."""
    return {
        name.lower(): folder for key, title, _, folder in _entries(machine) if folder for name in (key, title)
    }


def _product(machine: Machine, package: str) -> str:
    """The product code of a package that is named by it or by its title; else what was asked for."""
    return next((key for key, title, *_ in _entries(machine) if package in {key, title}), package)


def _judged(ran: Ran) -> Ran:
    return Ran(0, ran.output) if ran.code in _RESTART else ran


class Msi:
    """Packages of Windows Installer, named by product code or title. They are always files."""

    def installed(self, machine: Machine) -> dict[str, str]:
        return {name: version for key, title, version, _ in _entries(machine) for name in (key, title)}

    def install(self, machine: Machine, package: str, version: str, path: str, *, is_downgrade: bool) -> Ran:
        if not path:
            return Ran(1, "A package of Windows Installer needs a file.")
        if is_downgrade and not (removed := self.remove(machine, package)).succeeded:
            return removed  # Windows Installer goes back only by removing first
        return _judged(machine.run("msiexec", "/i", path, "/qn", "/norestart", "ALLUSERS=1", seconds=1800))

    def remove(self, machine: Machine, package: str) -> Ran:
        product = _product(machine, package)
        return _judged(machine.run("msiexec", "/x", product, "/qn", "/norestart", seconds=1800))

    def hold(self, machine: Machine, package: str, *, is_held: bool) -> Ran | None:
        return None

    def is_newer(self, machine: Machine, one: str, other: str) -> bool:
        return versions.is_newer(one, other)


class Winget:
    """Packages of winget's sources, named by their identifiers, for all users."""

    _agreed = ("--exact", "--silent", "--disable-interactivity", "--accept-source-agreements")

    def installed(self, machine: Machine) -> dict[str, str]:
        ran = machine.run(
            "winget", "list", "--disable-interactivity", "--accept-source-agreements", limit=1_000_000
        )
        return _table(ran.output)

    def install(self, machine: Machine, package: str, version: str, path: str, *, is_downgrade: bool) -> Ran:
        if is_downgrade and not (removed := self.remove(machine, package)).succeeded:
            return removed
        wanted = ("--version", version) if version else ()
        return machine.run(
            "winget", "install", "--id", package, *wanted, *self._agreed, "--accept-package-agreements",
            "--scope", "machine", "--force", seconds=1800,
        )  # fmt: skip

    def remove(self, machine: Machine, package: str) -> Ran:
        return machine.run("winget", "uninstall", "--id", package, *self._agreed, seconds=1800)

    def hold(self, machine: Machine, package: str, *, is_held: bool) -> Ran | None:
        return machine.run("winget", "pin", "add" if is_held else "remove", "--id", package, "--exact")

    def is_newer(self, machine: Machine, one: str, other: str) -> bool:
        return versions.is_newer(one, other)


def _table(text: str) -> dict[str, str]:
    """Identifiers and versions of winget's table, by the columns of its heading, whatever its language."""
    # Before the heading winget draws a wheel that turns, by carriage returns.
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n")]
    rule = next((number for number, line in enumerate(lines) if re.fullmatch("-{10,}", line.strip())), 0)
    if not rule:
        return {}
    heading = lines[rule - 1]
    starts = [
        place
        for place, sign in enumerate(heading)
        if sign != " " and (not place or heading[place - 1] == " ")
    ]
    if len(starts) < 3:
        return {}
    ends = [*starts[1:], None]
    found = {}
    for line in lines[rule + 1 :]:
        name, version = (line[starts[at] : ends[at]].strip() for at in (1, 2))
        if name and version:
            found[name] = version
    return found
