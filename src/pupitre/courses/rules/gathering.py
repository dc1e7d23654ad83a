"""Gathers rows from several tables into one roster: repeated rows, unknown words and references are judged here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.findings import FindingCode, Findings, Place, Severity
from pupitre.courses.rules.roster import (
    ATTRIBUTES,
    CLASSES,
    FILE_BITS,
    FILE_MASK,
    Choices,
    Class,
    Enrolment,
    Kind,
    Mode,
    Relation,
    Roster,
    RosterRole,
    Row,
    Source,
    Unknown,
)
from pupitre.courses.rules.tables import Table


@dataclass(slots=True)
class _Count:
    value: str
    place: Place
    count: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute of a kind that names rows of another kind; column is its name in the file."""

    kind: Kind
    attribute: str
    target: Kind
    column: str


REFERENCES = (
    Reference(Kind.ORGS, "parent", Kind.ORGS, "parentSourcedId"),
    Reference(Kind.ACADEMIC_SESSIONS, "parent", Kind.ACADEMIC_SESSIONS, "parentSourcedId"),
    Reference(Kind.COURSES, "org", Kind.ORGS, "orgSourcedId"),
    Reference(Kind.COURSES, "school_year", Kind.ACADEMIC_SESSIONS, "schoolYearSourcedId"),
    Reference(Kind.CLASSES, "school", Kind.ORGS, "schoolSourcedId"),
    Reference(Kind.CLASSES, "course", Kind.COURSES, "courseSourcedId"),
    Reference(Kind.CLASSES, "terms", Kind.ACADEMIC_SESSIONS, "termSourcedIds"),
    Reference(Kind.USERS, "primary_org", Kind.ORGS, "primaryOrgSourcedId"),
    Reference(Kind.ROLES, "user", Kind.USERS, "userSourcedId"),
    Reference(Kind.ROLES, "org", Kind.ORGS, "orgSourcedId"),
    Reference(Kind.GUARDIANSHIPS, "pupil", Kind.USERS, "userSourcedId"),
    Reference(Kind.GUARDIANSHIPS, "agent", Kind.USERS, "agentSourcedIds"),
    Reference(Kind.ENROLMENTS, "class_", Kind.CLASSES, "classSourcedId"),
    Reference(Kind.ENROLMENTS, "user", Kind.USERS, "userSourcedId"),
    Reference(Kind.ENROLMENTS, "school", Kind.ORGS, "schoolSourcedId"),
    Reference(Kind.DEMOGRAPHICS, "user", Kind.USERS, "sourcedId"),
)


def nowhere(_kind: Kind, _key: str) -> bool:
    """The files are all there is."""
    return False


@dataclass(slots=True)
class Gathering:
    """A roster while it is being read. columns: how a format calls the references of a kind, for the findings.
    exists: whether a row that the files do not hold is known to stand in those that they are a part of.
    families: line, user, agents and relations as OneRoster's users.csv has them, until the roles are known.
    """

    choices: Choices
    findings: Findings
    targets: Mapping[Kind, str] = field(default_factory=dict)
    columns: Mapping[tuple[Kind, str], str] = field(default_factory=dict)
    exists: Callable[[Kind, str], bool] = nowhere
    modes: dict[Kind, Mode] = field(default_factory=dict)
    rows: dict[Kind, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    places: dict[Kind, dict[str, int]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    ended: dict[Kind, set[str]] = field(default_factory=lambda: {kind: set() for kind in Kind})
    told: dict[Kind, frozenset[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    families: list[tuple[int, str, str, str]] = field(default_factory=list)
    _unknown_roles: dict[str, _Count] = field(default_factory=dict)
    _unknown_grades: dict[str, _Count] = field(default_factory=dict)

    def tell(self, kind: Kind, *tables: Table) -> None:
        """Remembers which attributes of a kind these tables have columns for."""
        names = {attribute.name for attribute in fields(CLASSES[kind])}
        there = frozenset().union(*(table.attributes() for table in tables))
        self.told[kind] = self.told.get(kind, frozenset()) | (there & names)

    def file_number(self, file: str) -> int:
        """The number under which places remember a file."""
        if file not in self.files:
            self.files.append(file)
        return min(self.files.index(file), FILE_MASK)

    def place(self, kind: Kind, key: str) -> Place:
        """Where a row was read."""
        packed = self.places[kind][key]
        return Place(self.files[packed & FILE_MASK], packed >> FILE_BITS)

    def putter(self, kind: Kind, table: Table, *, derived: bool = False) -> Callable[[str, Row, int], None]:
        """A function that keeps a row of this table under its identifier.

        derived: the row is a part of another one (a term of a section), so that it is repeated as a matter of course.
        """
        rows, places, number = self.rows[kind], self.places[kind], self.file_number(table.file)

        def put(key: str, row: Row, line: int) -> None:
            before = rows.get(key)
            if before is None:
                rows[key] = row
                places[key] = line << FILE_BITS | number
            elif before != row:
                self._contradiction(kind, key, table.file, line)
            elif not derived:
                self.findings.tally(Severity.NOTE, FindingCode.ROW_REPEATED, file=table.file, line=line)

        return put

    def _contradiction(self, kind: Kind, key: str, file: str, line: int) -> None:
        first = self.place(kind, key)
        self.findings.add(
            Severity.ERROR,
            FindingCode.ROW_CONTRADICTS,
            file=file,
            line=line,
            value=key,
            first_line=first.line,
            first_file=first.file,
        )

    # -- words -------------------------------------------------------------------------------------------------------

    def role_reader(self, table: Table, column: str) -> Callable[[str, int], RosterRole | None]:
        """A reader of roles: None where the row is to be left out, because the user chose so or must choose first."""
        chosen = {vocabulary.fold(word): role for word, role in self.choices.roles.items()}
        plain: dict[str, RosterRole] = {
            word: role
            for word, role in vocabulary.FORMAT_ROLES.items()
            if vocabulary.fold(word) not in chosen
        }

        def read(text: str, line: int) -> RosterRole | None:
            role = plain.get(text)
            if role is not None:
                return role
            word = vocabulary.fold(text.removeprefix("ext:"))
            meant = chosen[word] if word in chosen else vocabulary.ROLES.get(word)
            if meant is not None:
                if text != f"ext:{meant}" and word not in chosen:
                    self._say_role(FindingCode.ROLE_UNDERSTOOD, table, line, column, text, meant)
                else:
                    plain[text] = meant
                return meant
            if word in chosen:
                self._say_role(FindingCode.ROLE_SKIPPED, table, line, column, text, "")
            else:
                self._count(self._unknown_roles, text, Place(table.file, line, column))
            return None

        return read

    def _say_role(
        self, code: FindingCode, table: Table, line: int, column: str, text: str, meant: str
    ) -> None:
        self.findings.tally(
            Severity.NOTE, code, file=table.file, line=line, column=column, value=text, meant=meant
        )

    def grade_reader(self, table: Table, column: str) -> Callable[[str, int], str]:
        """A reader of grades: codes of the format, the user's mapping, else the text as it is."""
        chosen = {vocabulary.fold(word): grade for word, grade in self.choices.grades.items()}
        seen: dict[str, str] = {"": ""}

        def read(text: str, line: int) -> str:
            if text in seen:
                return seen[text]
            grade = chosen.get(vocabulary.fold(text)) or vocabulary.GRADES.get(text.casefold())
            if grade is not None:
                seen[text] = grade
                return grade
            self._count(self._unknown_grades, text, Place(table.file, line, column))
            return text

        return read

    @staticmethod
    def _count(counts: dict[str, _Count], text: str, place: Place) -> None:
        word = vocabulary.fold(text) or text
        if word not in counts:
            counts[word] = _Count(text, place)
        counts[word].count += 1

    # -- the end -----------------------------------------------------------------------------------------------------

    def finish(self, source: Source) -> Roster:
        """The roster, with references checked and everything found."""
        self._leave_out_what_ended()
        outside = self._check_references()
        self._check_dates()
        unknown_roles, unknown_grades = _unknown(self._unknown_roles), _unknown(self._unknown_grades)
        self._say_unknown(unknown_roles, Severity.ERROR, FindingCode.ROLE_UNKNOWN)
        self._say_unknown(unknown_grades, Severity.WARNING, FindingCode.GRADE_UNKNOWN)
        deltas = [kind for kind, mode in self.modes.items() if mode is Mode.DELTA and self.ended[kind]]
        return Roster(
            source=source,
            modes=dict(self.modes),
            **{ATTRIBUTES[kind]: tuple(rows.values()) for kind, rows in self.rows.items()},  # type: ignore[arg-type]
            tobedeleted={kind: frozenset(self.ended[kind]) for kind in deltas},
            fields=dict(self.told),
            outside=outside,
            unknown_roles=unknown_roles,
            unknown_grades=unknown_grades,
            findings=self.findings.done(),
            files=tuple(self.files),
            places=self.places,
        )

    def _say_unknown(self, words: tuple[Unknown, ...], severity: Severity, code: FindingCode) -> None:
        for word in words:
            place = word.place
            where = {"file": place.file, "column": place.column, "value": word.value}
            self.findings.add(severity, code, line=place.line, count=word.count, **where)

    def _leave_out_what_ended(self) -> None:
        """A row whose class or person the same files end goes with it; a living row wins over an ended one."""
        for kind, keys in self.ended.items():
            keys -= self.rows[kind].keys()
        for reference in REFERENCES:
            gone = self.ended[reference.target]
            if not gone:
                continue
            rows, places = self.rows[reference.kind], self.places[reference.kind]
            for key in [key for key, row in rows.items() if not gone.isdisjoint(_named(row, reference))]:
                if reference.attribute in {"parent", "terms", "primary_org", "school_year"}:
                    continue
                place = self.place(reference.kind, key)
                column = self._column(reference)
                self.findings.tally(
                    Severity.WARNING,
                    FindingCode.REFERENCE_ENDED,
                    file=place.file,
                    line=place.line,
                    column=column,
                )
                del rows[key], places[key]

    def _column(self, reference: Reference) -> str:
        return self.columns.get((reference.kind, reference.attribute), reference.column)

    def _check_references(self) -> dict[Kind, dict[str, Place]]:
        outside: dict[Kind, dict[str, Place]] = {}
        for reference in REFERENCES:
            complete = self.modes.get(reference.target) is Mode.BULK
            for key, named in self._unresolved(reference):
                if complete and self.exists(reference.target, named):
                    continue
                place = self.place(reference.kind, key)
                place = Place(place.file, place.line, self._column(reference))
                if complete:
                    self._orphan(place, named, reference.target)
                else:
                    outside.setdefault(reference.target, {}).setdefault(named, place)
        return outside

    def _unresolved(self, reference: Reference) -> Iterator[tuple[str, str]]:
        known, ended = self.rows[reference.target], self.ended[reference.target]
        for key, row in self.rows[reference.kind].items():
            for named in _named(row, reference):
                if named and named not in known and named not in ended:
                    yield key, named

    def _orphan(self, place: Place, value: str, target: Kind) -> None:
        self.findings.add(
            Severity.ERROR,
            FindingCode.ORPHAN,
            file=place.file,
            line=place.line,
            column=place.column,
            value=value,
            target=self.targets.get(target, target),
        )

    def _check_dates(self) -> None:
        for kind, begin, end in _SPANS:
            for key, row in self.rows[kind].items():
                first: date | None = getattr(row, begin)
                last: date | None = getattr(row, end)
                if first is not None and last is not None and last < first:
                    place = self.place(kind, key)
                    self.findings.add(
                        Severity.ERROR,
                        FindingCode.DATES_REVERSED,
                        file=place.file,
                        line=place.line,
                        value=last.isoformat(),
                    )


_SPANS = (
    (Kind.ACADEMIC_SESSIONS, "start_date", "end_date"),
    (Kind.ROLES, "begin_date", "end_date"),
    (Kind.ENROLMENTS, "begin_date", "end_date"),
)


def _named(row: Any, reference: Reference) -> tuple[str, ...]:
    named: str | tuple[str, ...] = getattr(row, reference.attribute)
    return named if isinstance(named, tuple) else (named,)


def _unknown(counts: Mapping[str, _Count]) -> tuple[Unknown, ...]:
    return tuple(Unknown(word.value, word.count, word.place) for word in counts.values())


def relation_reader(table: Table, column: str) -> Callable[[str, int], Relation]:
    """A reader of kinship; a word that nobody knows becomes 'other', and is said."""
    known = [relation.value for relation in Relation]
    seen: dict[str, Relation] = {"": Relation.GUARDIAN, **{relation.value: relation for relation in Relation}}

    def read(text: str, line: int) -> Relation:
        if text in seen:
            return seen[text]
        relation = vocabulary.RELATIONS.get(vocabulary.fold(text))
        code = FindingCode.WORD_CASE if relation else FindingCode.WORD_UNKNOWN
        severity = Severity.NOTE if relation else Severity.WARNING
        table.findings.tally(
            severity,
            code,
            file=table.file,
            line=line,
            column=column,
            value=text,
            meant=relation or Relation.OTHER,
            known=", ".join(known),
        )
        return relation or Relation.OTHER

    return read


def school_of(gathering: Gathering, class_key: str) -> str:
    """The school of a class that was read before, '' where the class is unknown."""
    found: Class | None = gathering.rows[Kind.CLASSES].get(class_key)
    return found.school if found is not None else ""


def enrolment(
    gathering: Gathering,
    *,
    class_: str,
    user: str,
    role: RosterRole,
) -> Enrolment:
    """An enrolment of a format that gives it no identifier: who is what in which class makes one."""
    key = f"{class_}:{user}:{role}"
    return Enrolment(key, class_, user, school_of(gathering, class_), role)
