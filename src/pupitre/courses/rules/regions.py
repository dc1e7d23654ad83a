"""The schools of a region's files: which orgs they are, what belongs to which, and which of Pupitre's schools each is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.roster import Org

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A school that Pupitre has, by what a roster may call it."""

    id: int
    sourced_id: str
    identifier: str
    name: str


@dataclass(frozen=True, slots=True)
class Matched:
    """Orgs that teach and the schools that they are. doubtful: orgs that could be several schools, or share one."""

    schools: Mapping[str, int]
    missing: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def units_of(orgs: Iterable[Org]) -> dict[str, str]:
    """Each org's school: itself where it teaches, else the nearest above it that does; orgs above all schools are left out.

    Where no org says that it teaches, each is a school of its own, as for a single school's files.
    """
    rows = {org.sourced_id: org for org in orgs}
    teaching = {key for key, org in rows.items() if org.type in vocabulary.TEACHING_ORGS} or set(rows)
    found = {key: _climbed(key, rows, teaching) for key in rows}
    return {key: unit for key, unit in found.items() if unit}


def _climbed(key: str, rows: Mapping[str, Org], teaching: set[str]) -> str:
    seen: set[str] = set()
    while key in rows and key not in teaching and key not in seen:
        seen.add(key)
        key = rows[key].parent
    return key if key in teaching else ""


def lineage(unit: str, orgs: Mapping[str, Org], below: Mapping[str, Sequence[str]]) -> list[str]:
    """The orgs that a school's share holds: what is above it, the school itself, and its departments (`below`, by school)."""
    above: list[str] = []
    key = orgs[unit].parent
    while key in orgs and key not in above and key != unit:
        above.append(key)
        key = orgs[key].parent
    # Schools above are another's share, and would be taken for a choice.
    return [*(key for key in above if key not in below), *below[unit]]


def match_schools(units: Iterable[Org], schools: Iterable[Candidate]) -> Matched:
    """Find the school of each org: by sourcedId first, then by the authority's code, then by name."""
    orgs, candidates = {org.sourced_id: org for org in units}, list(schools)
    found: dict[str, int] = {}
    doubtful: list[str] = []
    for name in ("sourced_id", "identifier", "name"):
        taken = set(found.values())
        left = _by_word([school for school in candidates if school.id not in taken], attrgetter(name))
        open_orgs = [org for org in orgs.values() if org.sourced_id not in found]
        for word, named in _by_word(open_orgs, attrgetter(name)).items():
            known = left.get(word, [])
            if len(known) == len(named) == 1:
                found[named[0].sourced_id] = known[0].id
            elif known:
                doubtful.extend(org.sourced_id for org in named)
    doubtful = [key for key in dict.fromkeys(doubtful) if key not in found]
    missing = [key for key in orgs if key not in found and key not in doubtful]
    return Matched(found, tuple(missing), tuple(doubtful))


def _by_word(rows: Iterable[_T], word_of: Callable[[_T], str]) -> dict[str, list[_T]]:
    found: dict[str, list[_T]] = {}
    for row in rows:
        word = vocabulary.fold(word_of(row))
        if word:
            found.setdefault(word, []).append(row)
    return found
