"""One school's share of a region's files: what must be known of the rest, so that it is read as the whole would be."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pupitre.courses.rules.roster import Kind

#: Raised whenever the same files would be read into other facts: schools that did not change are then read again.
READING_VERSION = 1

FACTS_NAME = "part.json"
LINES_SUFFIX = ".lines"


@dataclass(frozen=True, slots=True)
class Part:
    """What the share does not hold itself.

    lines: for each file the numbers that its lines have in the original. witnesses: cells of the original's other rows
    that decide how a column is read, by file and column, with their lines. elsewhere: rows of other schools that rows
    of this one name.
    """

    lines: Mapping[str, Sequence[int]] = field(default_factory=dict)
    witnesses: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    elsewhere: Mapping[Kind, Collection[str]] = field(default_factory=dict)

    def exists(self, kind: Kind, key: str) -> bool:
        """Whether another school's share has the row."""
        return key in self.elsewhere.get(kind, ())

    def entries(self) -> dict[str, bytes]:
        """What is packed beside the files, so that the share can be read again."""
        facts = {
            "witnesses": self.witnesses,
            "elsewhere": {kind.value: sorted(keys) for kind, keys in self.elsewhere.items()},
        }
        lines = {f"{path}{LINES_SUFFIX}": _packed(numbers) for path, numbers in self.lines.items()}
        return {FACTS_NAME: json.dumps(facts).encode(), **lines}


def part_of(entries: Mapping[str, bytes]) -> Part | None:
    """What `Part.entries` packed, or None where files are a school's own."""
    if FACTS_NAME not in entries:
        return None
    facts: dict[str, Any] = json.loads(entries[FACTS_NAME])
    lines = {
        path.removesuffix(LINES_SUFFIX): _unpacked(data)
        for path, data in entries.items()
        if path.endswith(LINES_SUFFIX)
    }
    elsewhere = {Kind(kind): frozenset(keys) for kind, keys in facts["elsewhere"].items()}
    return Part(lines, facts["witnesses"], elsewhere)


def _packed(numbers: Sequence[int]) -> bytes:
    return array("I", numbers).tobytes()


def _unpacked(data: bytes) -> Sequence[int]:
    numbers = array("I")
    numbers.frombytes(data)
    return numbers


def digest_of(files: Mapping[str, bytes], part: Part, choices: object) -> str:
    """What tells whether a share says the same as another: its files, what decides how they are read, and by what rules.

    Where lines stand in the original does not matter: another school's new pupil moves them all.
    """
    witnesses = {
        path: {column: sorted(cells) for column, cells in columns.items()}
        for path, columns in part.witnesses.items()
    }
    facts = [READING_VERSION, choices, witnesses]
    found = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode())
    for path in sorted(files):
        found.update(f"\0{path}\0{len(files[path])}\0".encode())
        found.update(files[path])
    return found.hexdigest()
