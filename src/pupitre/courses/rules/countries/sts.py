"""STS-web, France: the XML export of a school's staff, divisions, groups, subjects, and who teaches which to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.countries.elements import Document
from pupitre.courses.rules.countries.layouts import YMD, Layout, Record, code, day, records, text
from pupitre.courses.rules.countries.siecle import DIVISION, GROUP, SEXES
from pupitre.courses.rules.findings import FindingCode, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import (
    AcademicSession,
    Class,
    Course,
    Demographics,
    Enrolment,
    Kind,
    Mode,
    Org,
    RosterRole,
    User,
    UserRole,
)
from pupitre.courses.rules.tables import Need, Table

ROOT = "STS_EDT"
STAFF, SERVICE, SUBJECT, YEAR = "sts:", "service:", "matiere:", "annee:"
_REQUIRED = Need.REQUIRED

PARAMETERS = Layout(
    "PARAMETRES",
    "UAJ/@CODE",
    (
        text("UAJ/@CODE", "school"),
        text("UAJ/DENOM_PRINC", "name"),
        text("UAJ/DENOM_COMPL", "more"),
        text("ANNEE_SCOLAIRE/@ANNEE", "year"),
        day("ANNEE_SCOLAIRE/DATE_DEBUT", "starts_on", order=YMD),
        day("ANNEE_SCOLAIRE/DATE_FIN", "ends_on", order=YMD),
    ),
    rows="PARAMETRES",
)
SUBJECTS = Layout(
    "MATIERES",
    "@CODE",
    (
        text("@CODE", "code", need=_REQUIRED),
        text("CODE_GESTION", "short"),
        text("LIBELLE_EDITION", "title"),
        text("LIBELLE_LONG", "long"),
        text("LIBELLE_COURT", "label"),
    ),
    rows="NOMENCLATURES/MATIERES/MATIERE",
)
PERSON = Layout(
    "INDIVIDUS",
    "@ID",
    (
        text("@ID", "id", need=_REQUIRED),
        text("@TYPE", "type"),
        text("NOM_USAGE", "used_name"),
        text("NOM_PATRONYMIQUE", "family_name"),
        text("PRENOM", "given_name", need=_REQUIRED),
        code("SEXE", "sex", SEXES),
        day("DATE_NAISSANCE", "born_on", order=YMD),
        text("FONCTION", "function"),
    ),
    rows="DONNEES/INDIVIDUS/INDIVIDU",
)
HEADS = Layout(
    "PROFS_PRINC",
    "CODE_STRUCTURE",
    (
        text("INDIVIDU@ID", "id", need=_REQUIRED),
        text("INDIVIDU@TYPE", "type"),
        text("CODE_STRUCTURE", "code", need=_REQUIRED),
    ),
    rows="DONNEES/INDIVIDUS/INDIVIDU/PROFS_PRINC/PROF_PRINC",
)
_STRUCTURE = (text("@CODE", "code", need=_REQUIRED), text("LIBELLE_LONG", "title"))
DIVISIONS = Layout("DIVISIONS", "@CODE", _STRUCTURE, rows="DONNEES/STRUCTURE/DIVISIONS/DIVISION")
GROUPS = Layout("GROUPES", "@CODE", _STRUCTURE, rows="DONNEES/STRUCTURE/GROUPES/GROUPE")


def _services(around: str, name: str, path: str) -> tuple[Layout, Layout]:
    """The services of divisions or of groups, and who teaches them."""
    where = (
        text(f"{around}@CODE", "structure", need=_REQUIRED),
        text("SERVICE@CODE_MATIERE", "subject", need=_REQUIRED),
    )
    taught = Layout(
        f"SERVICES {name}",
        "@CODE_MATIERE",
        (where[0], text("@CODE_MATIERE", "subject", need=_REQUIRED)),
        rows=f"{path}/SERVICES/SERVICE",
    )
    teachers = Layout(
        f"ENSEIGNANTS {name}",
        "@ID",
        (*where, text("@ID", "id", need=_REQUIRED), text("@TYPE", "type")),
        rows=f"{path}/SERVICES/SERVICE/ENSEIGNANTS/ENSEIGNANT",
    )
    return taught, teachers


DIVISION_SERVICES, DIVISION_TEACHERS = _services("DIVISION", "DIVISIONS", DIVISIONS.rows)
GROUP_SERVICES, GROUP_TEACHERS = _services("GROUPE", "GROUPES", GROUPS.rows)
LAYOUTS = (
    *(PARAMETERS, SUBJECTS, PERSON, HEADS, DIVISIONS, GROUPS),
    *(DIVISION_SERVICES, DIVISION_TEACHERS, GROUP_SERVICES, GROUP_TEACHERS),
)
#: Only teaching is read without asking; what an office or a head may do here is given on purpose.
FUNCTIONS = {"ens": RosterRole.TEACHER}
#: Whoever may be in the file, whatever role the user chose for her function.
_STAFF_ROLES = (
    *(RosterRole.TEACHER, RosterRole.AIDE, RosterRole.STAFF, RosterRole.PROCTOR, RosterRole.PRINCIPAL),
    *(RosterRole.ADMINISTRATOR, RosterRole.SITE_ADMINISTRATOR, RosterRole.COUNSELOR, RosterRole.NURSE),
)
_TOLD = {
    Kind.USERS: frozenset({"given_name", "family_name"}),
    Kind.ROLES: frozenset({"user", "org", "role"}),
    Kind.DEMOGRAPHICS: frozenset({"user", "birth_date", "sex"}),
    Kind.COURSES: frozenset({"title", "org", "code"}),
    Kind.CLASSES: frozenset({"title", "school", "course", "type", "terms"}),
    Kind.ENROLMENTS: frozenset({"class_", "user", "role", "primary"}),
}
#: What the export of pupils, which may be read beside this one, tells and this one does not.
_UNTOLD = ("identifier", "email", "phone", "sms", "grade", "middle_name")


@dataclass(slots=True)
class _Export:
    document: Document
    gathering: Gathering
    covering: Covering
    school: str = ""
    year: str = ""
    term: str = ""
    people: set[str] = field(default_factory=set)
    subjects: dict[str, str] = field(default_factory=dict)

    def table(self, layout: Layout) -> Table:
        return self.document.table(layout, self.gathering.findings)

    def is_there(self, layout: Layout) -> bool:
        return bool(self.document.rows[layout.name])


def gather(documents: Sequence[Document], gathering: Gathering, covering: Covering) -> None:
    """Reads one export; staff, divisions, groups and services are complete in it."""
    for kind, told in _TOLD.items():
        gathering.modes[kind] = Mode.DELTA
        gathering.told[kind] = gathering.told.get(kind, frozenset()) | told
    covering.roles.update(_STAFF_ROLES)
    covering.people.add(STAFF)
    covering.classes.update((DIVISION, GROUP, SERVICE))
    covering.whole_classes.update((DIVISION, GROUP, SERVICE))
    for document in documents:
        export = _Export(document, gathering, covering)
        _read_parameters(export)
        _read_subjects(export)
        _read_people(export)
        for layout, prefix in ((DIVISIONS, DIVISION), (GROUPS, GROUP)):
            _read_structures(export, layout, prefix)
        for taught, teachers, prefix in (
            (DIVISION_SERVICES, DIVISION_TEACHERS, DIVISION),
            (GROUP_SERVICES, GROUP_TEACHERS, GROUP),
        ):
            _read_services(export, taught, prefix)
            _read_teachers(export, teachers, prefix)
        _read_heads(export)


def _read_parameters(export: _Export) -> None:
    if not export.is_there(PARAMETERS):
        return
    table = export.table(PARAMETERS)
    for record in records(table, PARAMETERS):
        export.school, export.year = record["school"], record["year"]
        if export.school:
            name = f"{record['name']} {record['more']}".strip() or export.school
            org = Org(export.school, name, "school", export.school)
            export.gathering.rows[Kind.ORGS].pop(export.school, None)
            export.gathering.putter(Kind.ORGS, table, derived=True)(export.school, org, record.line)
        _read_year(export, table, record)


def _read_year(export: _Export, table: Table, record: Record) -> None:
    """The school year, named by the calendar year in which it begins; without both its dates it is none."""
    start, end = record.days["starts_on"], record.days["ends_on"]
    if start is None or end is None or not export.year.isdecimal():
        return
    ends_in = str(int(export.year) + 1)
    export.term = YEAR + export.year
    title = f"{export.year}-{ends_in}"
    session = AcademicSession(export.term, title, "schoolYear", start, end, ends_in)
    export.gathering.modes[Kind.ACADEMIC_SESSIONS] = Mode.DELTA
    export.gathering.putter(Kind.ACADEMIC_SESSIONS, table)(export.term, session, record.line)


def _read_subjects(export: _Export) -> None:
    if not export.is_there(SUBJECTS):
        return
    table = export.table(SUBJECTS)
    put = export.gathering.putter(Kind.COURSES, table)
    for record in records(table, SUBJECTS):
        title = record.first("title", "long", "label", "short", "code")
        export.subjects[record["code"]] = title
        key = SUBJECT + record["code"]
        put(key, Course(key, title, export.school, record.first("short", "code")), record.line)


# -- staff -----------------------------------------------------------------------------------------------------------


def _person_key(record: Record) -> str:
    return f"{STAFF}{record['type'].casefold() or 'epp'}:{record['id']}"


def _read_people(export: _Export) -> None:
    table, gathering = export.table(PERSON), export.gathering
    put, put_role = gathering.putter(Kind.USERS, table), gathering.putter(Kind.ROLES, table)
    put_birth = gathering.putter(Kind.DEMOGRAPHICS, table)
    role_of = gathering.role_reader(table, "FONCTION")
    for record in records(table, PERSON):
        key, family_name = _person_key(record), record.first("used_name", "family_name")
        if not family_name:
            table.add(Severity.ERROR, FindingCode.CELL_EMPTY, record.line, "NOM_USAGE")
            continue
        function = record["function"]
        role = FUNCTIONS.get(function.casefold()) or (
            role_of(function, record.line) if function else RosterRole.STAFF
        )
        if role is None:
            continue
        export.people.add(key)
        put(key, User(key, "", record["given_name"], family_name), record.line)
        row = UserRole(f"{key}:{role}", key, export.school, role)
        put_role(row.sourced_id, row, record.line)
        if record.days["born_on"] is not None or record["sex"]:
            put_birth(key, Demographics(key, record.days["born_on"], record["sex"]), record.line)
        export.covering.leave_alone(key, _UNTOLD)
        export.covering.by_name.add(key)


# -- classes ---------------------------------------------------------------------------------------------------------


def _class_key(export: _Export, prefix: str, name: str) -> str:
    return f"{prefix}{export.year}:{name}"


def _terms(export: _Export) -> tuple[str, ...]:
    return (export.term,) if export.term else ()


def _read_structures(export: _Export, layout: Layout, prefix: str) -> None:
    if not export.is_there(layout):
        return
    table, kind = export.table(layout), "homeroom" if prefix == DIVISION else "scheduled"
    put = export.gathering.putter(Kind.CLASSES, table)
    for record in records(table, layout):
        key, title = _class_key(export, prefix, record["code"]), record.first("title", "code")
        known: Class | None = export.gathering.rows[Kind.CLASSES].get(key)
        if known is not None:
            # The pupils' export, read before, has told its name.
            export.gathering.rows[Kind.CLASSES][key] = replace(known, terms=_terms(export))
            continue
        put(key, Class(key, title, export.school, terms=_terms(export), type=kind), record.line)


def _service_key(export: _Export, prefix: str, structure: str, subject: str) -> str:
    return f"{SERVICE}{export.year}:{'' if prefix == DIVISION else GROUP}{structure}:{subject}"


def _read_services(export: _Export, layout: Layout, prefix: str) -> None:
    if not export.is_there(layout):
        return
    table = export.table(layout)
    put = export.gathering.putter(Kind.CLASSES, table, derived=True)
    for record in records(table, layout):
        subject, structure = record["subject"], record["structure"]
        key = _service_key(export, prefix, structure, subject)
        title = f"{structure} {export.subjects.get(subject, subject)}"
        course = SUBJECT + subject if subject in export.subjects else ""
        put(key, Class(key, title, export.school, course, _terms(export)), record.line)


def _read_teachers(export: _Export, layout: Layout, prefix: str) -> None:
    if not export.is_there(layout):
        return
    table = export.table(layout)
    for record in records(table, layout):
        key = _service_key(export, prefix, record["structure"], record["subject"])
        _enrol(export, table, key, record, is_primary=False)


def _read_heads(export: _Export) -> None:
    """The form teacher of a division is its first teacher."""
    if not export.is_there(HEADS):
        return
    table = export.table(HEADS)
    for record in records(table, HEADS):
        _enrol(export, table, _class_key(export, DIVISION, record["code"]), record, is_primary=True)


def _enrol(export: _Export, table: Table, klass: str, record: Record, *, is_primary: bool) -> None:
    person = _person_key(record)
    if person not in export.people or klass not in export.gathering.rows[Kind.CLASSES]:
        column = "INDIVIDU / DIVISION"
        table.findings.tally(
            Severity.WARNING, FindingCode.LINKS_OUTSIDE, file=table.file, line=record.line, column=column
        )
        return
    key = f"{klass}:{person}:{RosterRole.TEACHER}"
    row = Enrolment(key, klass, person, export.school, RosterRole.TEACHER, is_primary)
    export.gathering.putter(Kind.ENROLMENTS, table, derived=True)(key, row, record.line)
