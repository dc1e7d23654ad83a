"""The Windows registry: the real one, and one in a file for a machine below a foreign root."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Final

from pupitre_agent.store import write_atomically

from . import Registry, RegistryValue

_ROOT: Final = "HKLM"


class NoRegistry:
    """What a system has that knows no registry."""

    def get(self, key: str, name: str) -> RegistryValue | None:
        return None

    def put(self, key: str, name: str, value: RegistryValue) -> None:
        raise OSError("This system has no registry.")

    def drop(self, key: str, name: str) -> None:
        return

    def keys(self, key: str) -> list[str]:
        return []


class FileRegistry:
    """Keys and their values in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _read(self) -> dict[str, dict[str, RegistryValue]]:
        try:
            found: dict[str, dict[str, RegistryValue]] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        return found

    def get(self, key: str, name: str) -> RegistryValue | None:
        return self._read().get(key, {}).get(name)

    def put(self, key: str, name: str, value: RegistryValue) -> None:
        found = self._read()
        found.setdefault(key, {})[name] = value
        write_atomically(self._path, json.dumps(found, indent=1).encode())

    def drop(self, key: str, name: str) -> None:
        found = self._read()
        found.get(key, {}).pop(name, None)
        write_atomically(self._path, json.dumps({one: held for one, held in found.items() if held}).encode())

    def keys(self, key: str) -> list[str]:
        start = f"{key}\\"
        return sorted({one[len(start) :].split("\\")[0] for one in self._read() if one.startswith(start)})


if sys.platform == "win32":
    import winreg

    class SystemRegistry:
        """This computer's, the 64-bit view."""

        _rights = winreg.KEY_WOW64_64KEY

        def _path(self, key: str) -> str:
            root, _, path = key.partition("\\")
            if root != _ROOT:
                raise OSError(f"Only {_ROOT} is managed, not {root}.")
            return path

        def get(self, key: str, name: str) -> RegistryValue | None:
            try:
                with winreg.OpenKey(
                    winreg.HKEY_LOCAL_MACHINE, self._path(key), 0, winreg.KEY_READ | self._rights
                ) as opened:
                    value, _ = winreg.QueryValueEx(opened, name)
            except FileNotFoundError:
                return None
            return value if isinstance(value, int | list) else str(value)

        def put(self, key: str, name: str, value: RegistryValue) -> None:
            kind = {int: winreg.REG_DWORD, str: winreg.REG_SZ, list: winreg.REG_MULTI_SZ}[type(value)]
            with winreg.CreateKeyEx(
                winreg.HKEY_LOCAL_MACHINE, self._path(key), 0, winreg.KEY_WRITE | self._rights
            ) as opened:
                winreg.SetValueEx(opened, name, 0, kind, value)

        def drop(self, key: str, name: str) -> None:
            with (
                contextlib.suppress(FileNotFoundError),
                winreg.OpenKey(
                    winreg.HKEY_LOCAL_MACHINE, self._path(key), 0, winreg.KEY_WRITE | self._rights
                ) as opened,
            ):
                winreg.DeleteValue(opened, name)

        def keys(self, key: str) -> list[str]:
            found: list[str] = []
            with (
                contextlib.suppress(OSError),
                winreg.OpenKey(
                    winreg.HKEY_LOCAL_MACHINE, self._path(key), 0, winreg.KEY_READ | self._rights
                ) as opened,
            ):
                while True:
                    found.append(winreg.EnumKey(opened, len(found)))
            return found

    def system_registry() -> Registry:
        """The registry of this computer."""
        return SystemRegistry()

else:

    def system_registry() -> Registry:
        """This computer has none."""
        return NoRegistry()
