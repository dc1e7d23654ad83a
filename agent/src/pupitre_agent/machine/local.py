"""This computer, or one below a foreign root."""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import IO, Final

from pupitre_agent.store import write_atomically

from . import LINUX, WINDOWS, Ran, Registry
from .registry import FileRegistry, NoRegistry, system_registry

_LINUX_TOOLS: Final = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def this_machine(root: str = "/", system: str = "") -> "LocalMachine":
    """The machine to manage. `root` other than "/" is a foreign one, whose system must be named if it is not this one's."""
    return LocalMachine(Path(root), system or (WINDOWS if sys.platform == "win32" else LINUX))


class LocalMachine:
    """Files, tools and registry below a root."""

    def __init__(self, root: Path, system: str) -> None:
        self.root = root
        self.system = system
        self.is_foreign = root != Path("/")
        self.registry: Registry = self._registry()

    def _registry(self) -> Registry:
        if self.system != WINDOWS:
            return NoRegistry()
        return FileRegistry(self.root / "registry.json") if self.is_foreign else system_registry()

    def real(self, path: str) -> Path:
        if not self.is_foreign:
            return Path(path)
        if self.system == WINDOWS:
            found = PureWindowsPath(path)
            return self.root.joinpath(found.drive.rstrip(":") or "C", *found.parts[1:])
        return self.root / path.lstrip("/")

    def read(self, path: str) -> bytes | None:
        try:
            return self.real(path).read_bytes()
        except OSError:
            return None

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        write_atomically(self.real(path), content, mode)

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.real(path).unlink()

    def names(self, folder: str) -> list[str]:
        try:
            return sorted(one.name for one in self.real(folder).iterdir())
        except OSError:
            return []

    def mode(self, path: str) -> int | None:
        try:
            return self.real(path).stat().st_mode & 0o7777
        except OSError:
            return None

    def set_mode(self, path: str, mode: int) -> None:
        self.real(path).chmod(mode)

    def has(self, tool: str) -> bool:
        return self._found(tool) is not None

    def _found(self, tool: str) -> str | None:
        return shutil.which(tool, path=self._path())

    def _path(self) -> str:
        if self.system == WINDOWS and not self.is_foreign:
            return os.environ.get("PATH", "")
        if self.system == WINDOWS:
            return str(self.real(r"C:\Windows\System32"))
        return os.pathsep.join(str(self.real(folder)) for folder in _LINUX_TOOLS)

    def run(
        self,
        *args: str,
        given: bytes = b"",
        seconds: float = 60,
        limit: int = 64_000,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        tool = self._found(args[0])
        if tool is None:
            return Ran(127, f"{args[0]}: not found")
        # A session of its own on POSIX, so that what it starts ends with it.
        try:
            process = subprocess.Popen(
                [tool, *args[1:]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**self._environment(), **(environment or {})},
                cwd=str(self.root),
                start_new_session=os.name == "posix",
            )
        except OSError as error:
            return Ran(126, f"{args[0]}: {error.strerror or error}")
        return _wait(process, given, seconds, limit)

    def _environment(self) -> dict[str, str]:
        """Nothing of the agent's own surroundings but what a program cannot do without."""
        kept = ("SYSTEMROOT", "COMSPEC", "PROGRAMFILES", "PROGRAMDATA", "TEMP", "WINDIR", "PATHEXT")
        found = {name: os.environ[name] for name in kept if name in os.environ}
        found |= {
            "PATH": self._path(),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        if self.system == LINUX:
            found |= {"HOME": "/root", "DEBIAN_PRIORITY": "critical"}
        return found | ({"PUPITRE_AGENT_ROOT": str(self.root)} if self.is_foreign else {})


def _wait(process: "subprocess.Popen[bytes]", given: bytes, seconds: float, limit: int) -> Ran:
    kept = bytearray()
    reader = threading.Thread(target=_gather, args=(process.stdout, kept, limit), daemon=True)
    reader.start()
    feeder = threading.Thread(target=_feed, args=(process.stdin, given), daemon=True)
    feeder.start()
    try:
        code: int | None = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        code = None
    _end(process)
    for thread in (reader, feeder):
        thread.join(timeout=5)
    if process.stdout is not None:
        process.stdout.close()
    text = bytes(kept[:limit]).decode(errors="replace")
    return Ran(code, text + ("\n[cut]" if len(kept) > limit else ""))


def _gather(stream: IO[bytes] | None, kept: bytearray, limit: int) -> None:
    """All is read, so that the tool does not wait for us; what is beyond the limit is thrown away."""
    with contextlib.suppress(OSError, ValueError):
        while stream is not None and (piece := os.read(stream.fileno(), 65_536)):
            kept += piece[: max(0, limit + 1 - len(kept))]


def _feed(stream: IO[bytes] | None, given: bytes) -> None:
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            stream.write(given)
            stream.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Whatever of its group still runs does not after the time limit, nor behind our back."""
    kill_group = getattr(os, "killpg", None)
    with contextlib.suppress(OSError):
        if kill_group is None:
            process.kill()
        else:
            kill_group(process.pid, 9)
    process.wait()
