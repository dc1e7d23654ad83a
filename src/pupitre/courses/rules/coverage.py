"""Files that hold only a part of a school: whom they mean, and who of that part has left. Everybody else stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.facts import IN_CLASS, IN_SCHOOL, Facts, Said
from pupitre.courses.rules.findings import Finding, FindingCode, Severity
from pupitre.courses.rules.planning import Sides
from pupitre.courses.rules.roster import ATTRIBUTES, Coverage, Kind, Roster
from pupitre.people.rules import Role

#: So many of the pupils known so far may be missing before it looks like an export of only some groups.
_MANY, _AT_LEAST = 0.25, 5


# -- who they are ----------------------------------------------------------------------------------------------------


def with_known_people(roster: Roster, present: Mapping[Kind, Mapping[str, Facts]]) -> Roster:
    """The roster under the identifiers that the school has for its people already.

    A pupil is known again by another identifier of hers; a guardian without one by a child and her name or address.
    """
    if roster.coverage is None:
        return roster
    names = _known_pupils(roster, roster.coverage, present)
    names |= _known_guardians(roster, roster.coverage, present, names)
    names |= _known_staff(roster, roster.coverage, present)
    return _renamed(roster, names) if names else roster


def _known_pupils(
    roster: Roster, coverage: Coverage, present: Mapping[Kind, Mapping[str, Facts]]
) -> dict[str, str]:
    known = present.get(Kind.USERS, {})
    by_identifier = {facts["identifier"]: key for key, facts in known.items() if facts.get("identifier")}
    own = {user.sourced_id for user in roster.users}
    names: dict[str, str] = {}
    for user in roster.users:
        key = user.sourced_id
        if key in known:
            continue
        found = next((other for other in coverage.aliases.get(key, ()) if other in known), None)
        other = by_identifier.get(user.identifier, "") if user.identifier else ""
        if found is None and other and _one_name_agrees(user, known[other]):
            found = other
        if found is not None and found not in own and found not in names.values():
            names[key] = found
    return names


def _one_name_agrees(user: Any, facts: Facts) -> bool:
    """An identifier alone may be a number that the school gave to somebody else."""
    names = ((getattr(user, name), facts.get(name) or "") for name in ("family_name", "given_name"))
    return any(one and vocabulary.fold(one) == vocabulary.fold(other) for one, other in names)


def _known_guardians(
    roster: Roster,
    coverage: Coverage,
    present: Mapping[Kind, Mapping[str, Facts]],
    names: Mapping[str, str],
) -> dict[str, str]:
    """By a child whom she has there already and her name or address; else by her name and an address or number."""
    known, users = present.get(Kind.USERS, {}), {user.sourced_id: user for user in roster.users}
    families: dict[str, list[str]] = {}
    contacts: dict[str, list[str]] = {}
    for facts in present.get(Kind.GUARDIANSHIPS, {}).values():
        guardian = facts["guardian"]
        families.setdefault(facts["pupil"], []).append(guardian)
        for contact in _contacts(known.get(guardian, {})):
            contacts.setdefault(contact, []).append(guardian)
    found: dict[str, str] = {}
    taken = set(users)

    def look(key: str, candidates: Iterable[str], *, by_email: bool) -> None:
        if key in found or key in known:
            return
        for other in candidates:
            if other not in taken and _is_the_same(users[key], known.get(other, {}), by_email=by_email):
                found[key] = other
                taken.add(other)
                return

    for pair in roster.guardianships:
        if pair.agent in coverage.unnumbered and pair.agent in users:
            look(pair.agent, families.get(names.get(pair.pupil, pair.pupil), ()), by_email=True)
    for key in sorted(coverage.unnumbered & users.keys()):
        told = {"email": users[key].email, "phone": users[key].phone, "sms": users[key].sms}
        look(key, (k for contact in _contacts(told) for k in contacts.get(contact, ())), by_email=False)
    return found


def _contacts(facts: Facts) -> Iterator[str]:
    """Addresses and numbers to compare: a number is the same with and without its country's."""
    if facts.get("email"):
        yield facts["email"].casefold()
    for name in ("phone", "sms"):
        digits = "".join(filter(str.isdigit, facts.get(name) or ""))
        if len(digits) >= 9:
            yield digits[-9:]


def _known_staff(
    roster: Roster, coverage: Coverage, present: Mapping[Kind, Mapping[str, Facts]]
) -> dict[str, str]:
    if not coverage.by_name:
        return {}
    known = present.get(Kind.USERS, {})
    family = {Role.PUPIL.value, Role.GUARDIAN.value}
    staff = {row["person"] for row in present.get(Kind.ROLES, {}).values() if row["role"] not in family}
    there: dict[tuple[str, str], list[str]] = {}
    for key in staff & known.keys():
        there.setdefault(_folded(known[key]), []).append(key)
    here: dict[tuple[str, str], list[str]] = {}
    for user in roster.users:
        if user.sourced_id in coverage.by_name:
            names = vocabulary.fold(user.family_name), vocabulary.fold(user.given_name)
            here.setdefault(names, []).append(user.sourced_id)
    own = {user.sourced_id for user in roster.users}
    return {
        keys[0]: others[0]
        for names, keys in here.items()
        if len(keys) == len(others := there.get(names, [])) == 1
        and keys[0] not in known
        and others[0] not in own
    }


def _folded(facts: Facts) -> tuple[str, str]:
    return vocabulary.fold(facts.get("family_name") or ""), vocabulary.fold(facts.get("given_name") or "")


def _is_the_same(user: Any, facts: Facts, *, by_email: bool) -> bool:
    if by_email and user.email and user.email.casefold() == str(facts.get("email", "")).casefold():
        return True
    return _folded(facts) == (vocabulary.fold(user.family_name), vocabulary.fold(user.given_name))


_NAMING: Mapping[Kind, tuple[str, ...]] = {
    Kind.USERS: ("sourced_id",),
    Kind.ROLES: ("user",),
    Kind.GUARDIANSHIPS: ("pupil", "agent"),
    Kind.ENROLMENTS: ("user",),
    Kind.DEMOGRAPHICS: ("user",),
}
_NAMED_BY_PERSON = frozenset({Kind.ROLES, Kind.ENROLMENTS})


def _renamed(roster: Roster, names: Mapping[str, str]) -> Roster:
    places = {kind: dict(rows) for kind, rows in roster.places.items()}
    kinds: dict[str, tuple[Any, ...]] = {}
    for kind, attributes in _NAMING.items():
        rows: list[Any] = []
        every: tuple[Any, ...] = roster.rows(kind)
        for row in every:
            new = {name: names[getattr(row, name)] for name in attributes if getattr(row, name) in names}
            if kind in _NAMED_BY_PERSON and new:
                # Their own identifiers are made of the person's.
                new["sourced_id"] = row.sourced_id.replace(row.user, new["user"])
            changed: Any = replace(row, **new) if new else row
            if changed.sourced_id != row.sourced_id:
                places[kind][changed.sourced_id] = places[kind].pop(row.sourced_id)
            rows.append(changed)
        kinds[ATTRIBUTES[kind]] = tuple(rows)
    coverage = roster.coverage
    if coverage is not None:
        untold = {names.get(key, key): facts for key, facts in coverage.untold.items()}
        coverage = replace(coverage, untold=untold)
    return replace(roster, places=places, coverage=coverage, **kinds)  # type: ignore[arg-type]


# -- who has left ----------------------------------------------------------------------------------------------------


def limit(said: Said, roster: Roster, sides: Sides) -> None:
    """Takes back what the files do not tell about a person, and ends who is missing of the part that they cover."""
    if roster.coverage is None:
        return
    for kind in (Kind.USERS, Kind.CLASSES):
        rows = said.rows.get(kind, {})
        for key, untold in roster.coverage.untold.items():
            for name in untold if key in rows else ():
                rows[key].pop(name, None)
    if roster.errors:
        return
    leaving = _Leaving(said, roster.coverage, sides)
    for kind, keys in leaving.found().items():
        if kind in said.modes:
            said.ended.setdefault(kind, set()).update(keys)
    leaving.say_many()


class _Leaving:
    """Only what an earlier roster brought can be missing; what the school entered itself is not looked at."""

    def __init__(self, said: Said, coverage: Coverage, sides: Sides) -> None:
        self.said, self.coverage, self.sides = said, coverage, sides
        self.words = {IN_SCHOOL[role].value for role in coverage.roles if role in IN_SCHOOL}
        self.parts = {IN_CLASS[role] for role in coverage.roles if role in IN_CLASS}
        self.roles: dict[str, set[int]] = {}
        for facts in self._living(Kind.ROLES):
            self.roles.setdefault(facts["person"], set()).add(facts["role"])
        self.classes: dict[str, list[str]] = {}
        for facts in self._living(Kind.ENROLMENTS):
            self.classes.setdefault(facts["person"], []).append(facts["class"])
        self.pupils: set[str] = set()

    def _living(self, kind: Kind) -> Iterator[Facts]:
        return (facts for _, facts in self._items(kind))

    def _items(self, kind: Kind) -> Iterator[tuple[str, Facts]]:
        ended = self.sides.last_ended.get(kind, {})
        return ((k, facts) for k, facts in self.sides.last.get(kind, {}).items() if k not in ended)

    def _missing(self, kind: Kind) -> Iterator[tuple[str, Facts]]:
        here = self.said.rows.get(kind, {})
        return ((key, facts) for key, facts in self._items(kind) if key not in here)

    def found(self) -> dict[Kind, set[str]]:
        self.pupils = {key for key, _ in self._missing(Kind.USERS) if self._is_covered(key)}
        families = {
            key
            for key, facts in self._missing(Kind.GUARDIANSHIPS)
            if self.coverage.families and facts["pupil"] in self.said.rows.get(Kind.USERS, {})
        }
        return {
            Kind.USERS: self.pupils | self._guardians(families),
            Kind.GUARDIANSHIPS: families,
            Kind.ROLES: {key for key, facts in self._missing(Kind.ROLES) if self._is_a_lost_role(facts)},
            Kind.ENROLMENTS: {
                key
                for key, facts in self._missing(Kind.ENROLMENTS)
                if facts["role"] in self.parts and facts["class"].startswith(self.coverage.classes)
            },
            Kind.CLASSES: {
                key
                for key, _ in self._missing(Kind.CLASSES)
                if self.coverage.whole_classes and key.startswith(self.coverage.whole_classes)
            },
        }

    def _is_covered(self, key: str) -> bool:
        """Whether the person has only covered roles, and is known by these files: by her number or by all her classes."""
        roles = self.roles.get(key, set()) - {Role.GUARDIAN.value}
        if not roles or not self.roles[key] <= self.words:
            return False
        classes = self.classes.get(key, ())
        if self.coverage.people and key.startswith(self.coverage.people):
            return True
        return bool(classes) and all(klass.startswith(self.coverage.classes) for klass in classes)

    def _guardians(self, families: set[str]) -> set[str]:
        """Guardians who have no child left."""
        if not self.coverage.families:
            return set()
        kept: set[str] = set()
        lost: set[str] = set()
        for key, facts in self._items(Kind.GUARDIANSHIPS):
            gone = key in families or facts["pupil"] in self.pupils
            (lost if gone else kept).add(facts["guardian"])
        here = self.said.rows.get(Kind.USERS, {})
        return {
            key for key in lost - kept if key not in here and self.roles.get(key) == {Role.GUARDIAN.value}
        }

    def _is_a_lost_role(self, facts: Facts) -> bool:
        here = self.said.rows.get(Kind.USERS, {})
        known = facts["person"] in here or facts["person"].startswith(self.coverage.people)
        return facts["role"] in self.words and known

    def say_many(self) -> None:
        """A warning where so many are missing that the export may be of some groups only."""
        known = sum(1 for key, _ in self._items(Kind.USERS) if self._is_covered(key))
        if len(self.pupils) < _AT_LEAST or len(self.pupils) < known * _MANY:
            return
        params: dict[str, str | int] = {"count": len(self.pupils), "known": known}
        self.said.findings.append(Finding(Severity.WARNING, FindingCode.MANY_LEAVE, params=params))
