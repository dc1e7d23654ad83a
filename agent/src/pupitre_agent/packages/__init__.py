"""Applications, each kind by the system's own tool."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pupitre_agent.machine import Machine, Ran

from . import apt, flatpak, windows

#: Seconds that an installation may take.
PATIENCE: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Application:
    """An application as the desired state names it."""

    package: str
    kind: str
    action: str
    version: str = ""
    version_id: int = 0
    url: str = ""
    sha256: str = ""
    size: int = 0
    cache: str = ""
    pinned: bool = False
    keeps_newer: bool = False

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Application":
        known = {name: entry[name] for name in cls.__dataclass_fields__ if entry.get(name) is not None}
        return cls(**{"kind": "", "action": "install", **known})


class Tool(Protocol):
    """How one kind of package is installed."""

    def installed(self, machine: Machine) -> dict[str, str]:
        """All packages of that kind with their versions."""

    def install(self, machine: Machine, package: str, version: str, path: str, *, is_downgrade: bool) -> Ran:
        """Install that version ("" any), of a file where `path` says one."""

    def remove(self, machine: Machine, package: str) -> Ran: ...

    def hold(self, machine: Machine, package: str, *, is_held: bool) -> Ran | None:
        """Keep it at its version, whatever else updates the computer, or no more. None where the tool knows no such thing."""

    def is_newer(self, machine: Machine, one: str, other: str) -> bool:
        """Whether the first version is after the second."""


TOOLS: Final[Mapping[str, Tool]] = {
    "deb": apt.Apt(),
    "flatpak": flatpak.Flatpak(),
    "msi": windows.Msi(),
    "winget": windows.Winget(),
}


def tools_of(machine: Machine) -> dict[str, Tool]:
    """The kinds that this computer has tools for."""
    needed = {"deb": "dpkg-query", "flatpak": "flatpak", "msi": "msiexec", "winget": "winget"}
    return {kind: tool for kind, tool in TOOLS.items() if machine.has(needed[kind])}
