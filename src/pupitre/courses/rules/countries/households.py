"""Pupils with their forms and guardians, as the exports that know nothing else of a school give them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.findings import FindingCode, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import (
    Class,
    Demographics,
    Enrolment,
    Guardianship,
    Kind,
    Mode,
    Org,
    Relation,
    RosterRole,
    User,
    UserRole,
)
from pupitre.courses.rules.tables import Table

_KINDS = (Kind.CLASSES, Kind.USERS, Kind.ROLES, Kind.ENROLMENTS, Kind.DEMOGRAPHICS)
_TOLD: Mapping[Kind, frozenset[str]] = {
    Kind.USERS: frozenset(
        {"identifier", "given_name", "middle_name", "family_name", "email", "phone", "sms", "grades"}
    ),
    Kind.ROLES: frozenset({"user", "org", "role", "begin_date", "end_date"}),
    Kind.ENROLMENTS: frozenset({"class_", "user", "role", "end_date"}),
    Kind.DEMOGRAPHICS: frozenset({"user", "birth_date"}),
    Kind.CLASSES: frozenset({"title", "type", "grades"}),
}
#: The facts (see `facts`) that only a pupil's row tells.
_PUPILS_FACTS = frozenset({"identifier", "grade", "middle_name"})
_FACT_OF = {"grades": "grade"}


@dataclass(frozen=True, slots=True)
class Guardian:
    """A guardian as one row tells about her. apart: what tells her from all others in these files, '' for nothing.

    It is not kept: elsewhere she is known by a child (`child`, or the pupil of the row) and her name.
    """

    given_name: str
    family_name: str
    relation: Relation = Relation.GUARDIAN
    email: str = ""
    phone: str = ""
    sms: str = ""
    apart: str = ""
    child: str = ""

    @property
    def name(self) -> tuple[str, str]:
        return (vocabulary.fold(self.family_name), vocabulary.fold(self.given_name))

    @property
    def contacts(self) -> frozenset[str]:
        return frozenset(filter(None, (self.email.casefold(), self.phone, self.sms)))


@dataclass(slots=True)
class _Known:
    guardian: Guardian
    table: Table
    line: int


@dataclass(slots=True)
class Households:
    """Gathers pupils, forms and guardians. tells: which attributes of a pupil the files have a place for."""

    gathering: Gathering
    covering: Covering
    tells: frozenset[str]
    has_families: bool = True
    _guardians: dict[str, _Known] = field(default_factory=dict)
    _apart: dict[str, str] = field(default_factory=dict)
    _by_name: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tables: Sequence[Table],
        gathering: Gathering,
        covering: Covering,
        *,
        families: tuple[str, ...] = (),
    ) -> Self:
        """Households of tables that all have what is to be told. families: columns of which one tells guardians."""
        shared = frozenset.intersection(*(table.attributes() for table in tables))
        tells = {"identifier", "grades"} | (shared & {"email", "phone", "middle_name"})
        if "phone" in tells:
            tells.add("sms")
        told = all(any(table.has(column) for column in families) for table in tables)
        return cls(gathering, covering, frozenset(tells), has_families=told)

    def __post_init__(self) -> None:
        for kind in _KINDS:
            self._announce(kind)
        self.covering.roles.add(RosterRole.STUDENT)
        if self.has_families:
            self._announce(Kind.GUARDIANSHIPS)
            self.covering.roles.add(RosterRole.GUARDIAN)
            self.covering.families = True

    def _announce(self, kind: Kind) -> None:
        self.gathering.modes[kind] = Mode.DELTA
        self.gathering.told[kind] = self.gathering.told.get(kind, frozenset()) | _TOLD.get(kind, frozenset())

    # -- schools and forms -------------------------------------------------------------------------------------------

    def school(self, table: Table, code: str, name: str, line: int) -> None:
        """The school that the rows name, so that the user can choose among several."""
        self.gathering.putter(Kind.ORGS, table, derived=True)(
            code, Org(code, name or code, "school", code), line
        )

    def form(
        self,
        table: Table,
        key: str,
        title: str,
        line: int,
        *,
        school: str = "",
        grade: str = "",
        homeroom: bool = True,
    ) -> None:
        """A form (or a group, where it is no homeroom). What an earlier row said about it stays."""
        if key in self.gathering.rows[Kind.CLASSES]:
            return
        kind = "homeroom" if homeroom else "scheduled"
        grades = (grade,) if grade else ()
        self.gathering.putter(Kind.CLASSES, table)(
            key, Class(key, title, school, type=kind, grades=grades), line
        )
        if not grade:
            self.covering.leave_alone(key, ("grades",))

    # -- pupils ------------------------------------------------------------------------------------------------------

    def pupil(
        self,
        table: Table,
        user: User,
        line: int,
        *,
        school: str = "",
        born_on: date | None = None,
        sex: str = "",
        leaves_on: date | None = None,
    ) -> None:
        """A pupil with her role; a second row about the same pupil must say the same."""
        key = user.sourced_id
        self.gathering.putter(Kind.USERS, table)(key, user, line)
        role = UserRole(f"{key}:{RosterRole.STUDENT}", key, school, RosterRole.STUDENT, end_date=leaves_on)
        self.gathering.putter(Kind.ROLES, table, derived=True)(role.sourced_id, role, line)
        if born_on is not None or sex:
            if sex:
                self.gathering.told[Kind.DEMOGRAPHICS] |= {"sex"}
            birth = Demographics(key, born_on, sex)
            self.gathering.putter(Kind.DEMOGRAPHICS, table, derived=True)(key, birth, line)
        silent = {"email", "phone", "sms", "middle_name", "grades", "identifier"} - self.tells
        if not user.grades:
            silent.add("grades")
        self.covering.leave_alone(key, (_FACT_OF.get(name, name) for name in silent))

    def member(
        self,
        table: Table,
        form: str,
        pupil: str,
        line: int,
        *,
        school: str = "",
        leaves_on: date | None = None,
    ) -> None:
        """A pupil's place in a form or group."""
        key = f"{form}:{pupil}:{RosterRole.STUDENT}"
        row = Enrolment(key, form, pupil, school, RosterRole.STUDENT, end_date=leaves_on)
        self.gathering.putter(Kind.ENROLMENTS, table, derived=True)(key, row, line)

    # -- guardians ---------------------------------------------------------------------------------------------------

    def guardian(self, table: Table, pupil: str, guardian: Guardian, line: int) -> None:
        """A pupil's guardian. The same person in the rows of brothers and sisters is one."""
        if not self.has_families or not (guardian.given_name or guardian.family_name):
            return
        key = self._key_of(table, pupil, guardian, line)
        self._merge(table, key, guardian, line)
        self._link(table, pupil, key, guardian.relation, line)

    def _key_of(self, table: Table, pupil: str, guardian: Guardian, line: int) -> str:
        """What tells people apart in the files (a document, a number) names nobody outside of them: a child and a name do."""
        if guardian.apart:
            key = self._apart.setdefault(guardian.apart, "")
            if not key:
                key = self._apart[guardian.apart] = self._named(guardian.child or pupil, guardian.name)
                return key
            known = self._guardians[key]
            if known.guardian.name == guardian.name:
                return key
            where = {"file": table.file, "value": f"{guardian.given_name} {guardian.family_name}"}
            self.gathering.findings.add(
                Severity.WARNING, FindingCode.DOCUMENT_SHARED, line=line, first_line=known.line, **where
            )
        for key in self._by_name.get(guardian.name, ()):
            if self._guardians[key].guardian.contacts & guardian.contacts:
                return key
        key = "guardian:" + digest(pupil, *guardian.name)
        self.covering.unnumbered.add(key)
        return key

    def _named(self, child: str, name: tuple[str, str]) -> str:
        """The identifier of somebody known by a child and a name; who bears the name of another gets one of her own."""
        key = "guardian:" + digest(child, *name)
        while key in self._guardians:
            key += "+"
        self.covering.unnumbered.add(key)
        return key

    def _merge(self, table: Table, key: str, guardian: Guardian, line: int) -> None:
        known = self._guardians.get(key)
        if known is None:
            self._guardians[key] = _Known(guardian, table, line)
            self._by_name.setdefault(guardian.name, []).append(key)
            return
        first = known.guardian
        known.guardian = replace(
            first,
            email=first.email or guardian.email,
            phone=first.phone or guardian.phone,
            sms=first.sms or guardian.sms,
        )

    def _link(self, table: Table, pupil: str, key: str, relation: Relation, line: int) -> None:
        pair = Guardianship(pupil, key, relation)
        if pair.sourced_id not in self.gathering.rows[Kind.GUARDIANSHIPS]:
            self.gathering.putter(Kind.GUARDIANSHIPS, table)(pair.sourced_id, pair, line)

    def done(self) -> None:
        """Puts the guardians, once all rows were read."""
        for key, known in self._guardians.items():
            told, gathering = known.guardian, self.gathering
            user = User(
                key, "", told.given_name, told.family_name, email=told.email, phone=told.phone, sms=told.sms
            )
            gathering.putter(Kind.USERS, known.table)(key, user, known.line)
            role = UserRole(f"{key}:{RosterRole.GUARDIAN}", key, "", RosterRole.GUARDIAN)
            gathering.putter(Kind.ROLES, known.table)(role.sourced_id, role, known.line)
            self.covering.leave_alone(key, _PUPILS_FACTS)


# -- words -----------------------------------------------------------------------------------------------------------


def digest(*parts: str) -> str:
    """A short name for something that shall not be read from an identifier: an identity document, a family's names."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def document_number(cell: str) -> str:
    """The first identity document of a cell ('12345678Z - X1234567L'), bare; '' where it is none."""
    first = re.split(r"\s+-\s+|[,;/]", cell, maxsplit=1)[0]
    bare = "".join(filter(str.isalnum, first.upper()))
    return bare if len(bare) >= 6 and len(set(bare)) > 2 else ""


@dataclass(frozen=True, slots=True)
class Contacts:
    """What a cell of contacts holds: the first of each."""

    email: str = ""
    phone: str = ""
    sms: str = ""


_MOBILE = re.compile(r"(?:(?:\+|00)34)?[67]\d{8}")


def contacts(*cells: str) -> Contacts:
    """Addresses and numbers as offices write them, several to a cell: '699 88 77 66 - nom@exemple.cat'."""
    email = phone = sms = ""
    for part in (part for cell in cells for part in re.split(r"\s+-\s+|[,;|/]", cell)):
        word = re.sub(r"\([^)]*\)", "", part).strip()
        digits = re.sub(r"[^\d+]", "", word)
        if "@" in word:
            email = email or word.split()[0]
        elif len(digits) >= 7 and _MOBILE.fullmatch(digits):
            sms = sms or digits
        elif len(digits) >= 7:
            phone = phone or digits
    return Contacts(email, phone, sms)


def surnames_first(cell: str) -> tuple[str, str]:
    """Family and given name of 'Cognoms, Nom'; the given name is '' where there is no comma."""
    family, _, given = cell.partition(",")
    return " ".join(family.split()), " ".join(given.split())
