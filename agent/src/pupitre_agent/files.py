"""Files that policies put on the computer, in a folder of their own that everybody reads and only the agent writes."""

import contextlib
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from .downloads import Downloads
from .engine import Problem
from .errors import CannotApply
from .machine import WINDOWS, Machine

_FOLDER: Final = {"linux": "/srv/pupitre", WINDOWS: r"C:\Users\Public\Documents\Pupitre"}


class Files:
    """The folder, and which of its files are ours: {path: hash}, kept by the caller."""

    def __init__(self, machine: Machine, downloads: Downloads, kept: dict[str, str]) -> None:
        self._folder = machine.real(_FOLDER[machine.system])
        self._downloads = downloads
        self.kept = dict(kept)

    def bring(self, entries: Sequence[Mapping[str, Any]]) -> list[Problem]:
        """Put what is to be there, and remove what was put and is named no more. Returns what could not be done."""
        problems = []
        wanted = {str(one["path"]) for one in entries if one.get("action", "put") == "put"}
        for entry in entries:
            path = str(entry.get("path", ""))
            try:
                self._bring(path, entry)
            except (CannotApply, OSError, KeyError) as error:
                problems.append(Problem("files", f"{path}: {error}"))
        for path in [one for one in self.kept if one not in wanted]:
            self._remove(path)
        return problems

    def _bring(self, path: str, entry: Mapping[str, Any]) -> None:
        place = self._place(path)
        if entry.get("action", "put") != "put":
            self._remove(path)
            return
        sha256, size = str(entry["sha256"]), int(entry.get("size") or 0)
        if self.kept.get(path) == sha256 and place.is_file() and (not size or place.stat().st_size == size):
            return
        found = self._downloads.fetch(str(entry["url"]), sha256, size, str(entry.get("cache") or ""))
        self._make_folders(place.parent)
        new = place.with_name(f".{place.name}.new")
        shutil.copyfile(found, new)
        new.chmod(0o644)
        new.replace(place)
        self.kept[path] = sha256
        self._downloads.forget(sha256)

    def _place(self, path: str) -> Path:
        """Where it lies. Raises CannotApply for a path that leads out of the folder, also by a link."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or re.search(r"[\\:\x00-\x1f<>|?*\"]", path):
            raise CannotApply("The path must stay below the folder.")
        place = self._folder.joinpath(*parts)
        if self._folder.resolve() not in place.resolve().parents:
            raise CannotApply("The path leads out of the folder by a link.")
        return place

    def _make_folders(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        while folder != self._folder.parent:
            if os.name == "posix":
                folder.chmod(0o755)
            folder = folder.parent

    def _remove(self, path: str) -> None:
        place = self._place(path)
        place.unlink(missing_ok=True)
        self.kept.pop(path, None)
        with contextlib.suppress(OSError):  # a folder that is not empty stays
            folder = place.parent
            while folder != self._folder:
                folder.rmdir()
                folder = folder.parent
