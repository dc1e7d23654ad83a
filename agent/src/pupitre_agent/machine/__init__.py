r"""The port to the computer: all that the agent reads and changes of it goes through here.

Paths are those of the real system ("/etc/hosts", "C:\Windows"); a machine below a foreign root translates them, and finds only the
tools that lie below it. So the same code runs in tests as an unprivileged process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

Args = tuple[str, ...]
#: What a registry value can be: REG_DWORD, REG_SZ, REG_MULTI_SZ.
RegistryValue = int | str | list[str]

LINUX: Final = "linux"
WINDOWS: Final = "windows"


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a tool: its exit code, and what it said, cut to the limit. None: it was stopped at the time limit."""

    code: int | None
    output: str

    @property
    def succeeded(self) -> bool:
        return self.code == 0

    @property
    def failure(self) -> str:
        """In one line, why it failed."""
        if self.code is None:
            return "did not end in time"
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return f"ended with {self.code}" + (f": {lines[-1][:300]}" if lines else "")


class Registry(Protocol):
    r"""The Windows registry, its keys written as HKLM\SOFTWARE\..."""

    def get(self, key: str, name: str) -> RegistryValue | None: ...

    def put(self, key: str, name: str, value: RegistryValue) -> None: ...

    def drop(self, key: str, name: str) -> None: ...

    def keys(self, key: str) -> list[str]:
        """The names of the keys below it."""


class Machine(Protocol):
    """A computer."""

    system: str
    registry: Registry

    @property
    def is_foreign(self) -> bool:
        """Whether it lies below a root that is not this computer's."""

    def real(self, path: str) -> Path:
        """Where a path of the system lies in truth."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is none, or it may not be read."""

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Put a file there, whole or not at all, making its folders."""

    def remove(self, path: str) -> None:
        """Take a file away, if it is there."""

    def names(self, folder: str) -> list[str]:
        """What lies in a folder, sorted; nothing where there is none."""

    def mode(self, path: str) -> int | None:
        """The permission bits of what lies there, links followed."""

    def set_mode(self, path: str, mode: int) -> None: ...

    def has(self, tool: str) -> bool: ...

    def run(
        self,
        *args: str,
        given: bytes = b"",
        seconds: float = 60,
        limit: int = 64_000,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a tool, and wait. It is not found: code 127."""


def text_of(machine: Machine, path: str) -> str:
    """A file's text, stripped; empty where there is none."""
    return (machine.read(path) or b"").decode(errors="replace").strip()


def quoted(args: Sequence[str]) -> str:
    """A command as a person reads it."""
    return " ".join(args)
