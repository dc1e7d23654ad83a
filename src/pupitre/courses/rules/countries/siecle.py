"""SIECLE, France: XML exports of pupils, of those responsible for them, and of a school's divisions and groups.

There is no public specification. ELEVE_ID links the files of one export and may mean another pupil in the next: pupils
are known by their national number, and nothing is read from files of two exports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.countries.elements import Document
from pupitre.courses.rules.countries.households import Guardian, Households, digest
from pupitre.courses.rules.countries.layouts import Layout, Record, code, day, records, text
from pupitre.courses.rules.dates import DMY, DateColumn
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import User
from pupitre.courses.rules.tables import Need, Table

PUPILS, GUARDIANS, STRUCTURES = "BEE_ELEVES", "BEE_RESPONSABLES", "BEE_STRUCTURES"
ROOTS = frozenset({PUPILS, GUARDIANS, STRUCTURES})
#: Exports of the same system that hold nothing of a roster.
OTHER_ROOTS = frozenset(
    {"BEE_NOMENCLATURES", "BEE_NOMENCLATURE", "BEE_COMMUN", "BEE_COMMUNS", "BEE_GEOGRAPHIQUE"}
    | {"BEE_ETABLISSEMENT", "BEE_ETABLISSEMENTS"}
)
FILES = {
    PUPILS: "ElevesAvecAdresses.xml / ElevesSansAdresses.xml",
    GUARDIANS: "ResponsablesAvecAdresses.xml",
    STRUCTURES: "Structures.xml",
}
DIVISION, GROUP = "division:", "groupe:"
#: Whose number is not there yet has a name for one.
_NUMBERED, _UNNUMBERED = "ine:", "eleve:"

_REQUIRED = Need.REQUIRED
SEXES = {"1": "male", "2": "female", "m": "male", "f": "female"}
PARAMETERS = Layout(
    "PARAMETRES",
    "UAJ",
    (
        text("UAJ", "school"),
        text("ANNEE_SCOLAIRE", "year"),
        text("DATE_EXPORT", "exported"),
    ),
    rows="PARAMETRES",
)
PUPIL = Layout(
    "ELEVES",
    "@ELEVE_ID",
    (
        text("@ELEVE_ID", "id", need=_REQUIRED),
        text("INE_RNIE", "ine"),
        text("ID_NATIONAL", "national"),
        text("NOM_DE_FAMILLE", "family_name", "NOM", need=_REQUIRED),
        text("NOM_USAGE", "used_name"),
        text("PRENOM", "given_name", need=_REQUIRED),
        text("PRENOM2", "middle_name"),
        day("DATE_NAISS", "born_on"),
        code("CODE_SEXE", "sex", SEXES),
        text("CODE_MEF", "mef"),
        day("DATE_SORTIE", "left_on"),
        text("MEL", "email"),
        text("TEL_PORTABLE", "sms"),
        text("TEL_PERSONNEL", "phone"),
    ),
    rows="DONNEES/ELEVES/ELEVE",
)
MEMBER = Layout(
    "STRUCTURES",
    "CODE_STRUCTURE",
    (
        text("STRUCTURES_ELEVE@ELEVE_ID", "pupil", need=_REQUIRED),
        text("CODE_STRUCTURE", "code", need=_REQUIRED),
        code("TYPE_STRUCTURE", "type", {"d": DIVISION, "g": GROUP}),
    ),
    rows="DONNEES/STRUCTURES/STRUCTURES_ELEVE/STRUCTURE",
)
PERSON = Layout(
    "PERSONNES",
    "@PERSONNE_ID",
    (
        text("@PERSONNE_ID", "id", need=_REQUIRED),
        text("NOM_DE_FAMILLE", "family_name", "NOM", need=_REQUIRED),
        text("NOM_USAGE", "used_name"),
        text("PRENOM", "given_name"),
        text("TEL_PERSONNEL", "phone"),
        text("TEL_PORTABLE", "sms"),
        text("MEL", "email"),
    ),
    rows="DONNEES/PERSONNES/PERSONNE",
)
LINK = Layout(
    "RESPONSABLES",
    "ELEVE_ID",
    (
        text("ELEVE_ID", "pupil", need=_REQUIRED),
        text("PERSONNE_ID", "person"),
        text("RESP_LEGAL", "legal"),
        text("NIVEAU_RESPONSABILITE", "level"),
    ),
    rows="DONNEES/RESPONSABLES/RESPONSABLE_ELEVE",
)
_STRUCTURE = (
    text("@CODE_STRUCTURE", "code", "CODE_STRUCTURE", need=_REQUIRED),
    text("LIBELLE_LONG", "title"),
)
DIVISIONS = Layout("DIVISIONS", "@CODE_STRUCTURE", _STRUCTURE, rows="DONNEES/DIVISIONS/DIVISION")
GROUPS = Layout("GROUPES", "@CODE_STRUCTURE", _STRUCTURE, rows="DONNEES/GROUPES/GROUPE")
LAYOUTS = {
    PUPILS: (PARAMETERS, PUPIL, MEMBER),
    GUARDIANS: (PARAMETERS, PERSON, LINK),
    STRUCTURES: (PARAMETERS, DIVISIONS, GROUPS),
}
#: By how a MEF begins; what else there is (SEGPA, ULIS, vocational) is asked.
GRADES = {"100": "06", "101": "07", "102": "08", "103": "09", "200": "10", "201": "11", "202": "12"}
#: Who is responsible by law. NIVEAU_RESPONSABILITE replaced RESP_LEGAL; its higher levels are people to be called.
_LEGAL, _LEGAL_LEVEL = {"1", "2"}, {"1"}


@dataclass(slots=True)
class _Export:
    gathering: Gathering
    homes: Households
    school: str
    year: str
    exported: date | None
    pupils: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    @property
    def findings(self) -> Findings:
        return self.gathering.findings


def gather(documents: Sequence[Document], gathering: Gathering, covering: Covering) -> None:
    """Reads the files of one export."""
    by_root = {root: [d for d in documents if d.root == root] for root in (PUPILS, GUARDIANS, STRUCTURES)}
    if not _belong_together(documents, gathering.findings) or not _are_complete(by_root, gathering.findings):
        return
    told = documents[0].first(PARAMETERS)
    homes = Households(
        gathering,
        covering,
        _tells(by_root[PUPILS]),
        has_families=bool(by_root[PUPILS] and by_root[GUARDIANS]),
    )
    exported = DateColumn(DMY).read(told.get("DATE_EXPORT", ""))
    export = _Export(gathering, homes, told.get("UAJ", ""), told.get("ANNEE_SCOLAIRE", ""), exported)
    covering.people.update((_NUMBERED, _UNNUMBERED))
    covering.classes.update((DIVISION, GROUP))
    for document in by_root[STRUCTURES]:
        covering.whole_classes.update((DIVISION, GROUP))
        _read_structures(document, export)
    for document in by_root[PUPILS]:
        _read_pupils(document, export)
        _read_members(document, export)
    for document in by_root[GUARDIANS]:
        _read_guardians(document, export)
    homes.done()


def _tells(documents: Sequence[Document]) -> frozenset[str]:
    """Which of a pupil's attributes all the files tell; some are exported without addresses."""
    told = {"email": "MEL", "phone": "TEL_PERSONNEL", "sms": "TEL_PORTABLE", "middle_name": "PRENOM2"}
    found = {
        attribute
        for attribute, element in told.items()
        if any(element in row for document in documents for _, row in document.rows[PUPIL.name])
    }
    return frozenset({"identifier", "grades"} | found)


# -- one export ------------------------------------------------------------------------------------------------------


def _belong_together(documents: Sequence[Document], findings: Findings) -> bool:
    """Whether school, year and, where numbers link the files, the day of the export are the same."""
    agree = True
    for document in documents[1:]:
        first = _first_with_links(documents) if document.root != STRUCTURES else documents[0]
        names = ["UAJ", "ANNEE_SCOLAIRE", *(["DATE_EXPORT"] if document.root != STRUCTURES else [])]
        here, there = document.first(PARAMETERS), first.first(PARAMETERS)
        for name in names:
            one, other = there.get(name, ""), here.get(name, "")
            if one and other and one != other:
                agree = False
                findings.add(
                    Severity.ERROR,
                    FindingCode.EXPORTS_DIFFER,
                    file=first.path,
                    column=name,
                    value=one,
                    other=document.path,
                    meant=other,
                )
    return agree


def _first_with_links(documents: Sequence[Document]) -> Document:
    return next((d for d in documents if d.root != STRUCTURES), documents[0])


def _are_complete(by_root: dict[str, list[Document]], findings: Findings) -> bool:
    pupils, guardians = by_root[PUPILS], by_root[GUARDIANS]
    if guardians and not pupils:
        findings.add(Severity.ERROR, FindingCode.PARTNER_ALONE, file=guardians[0].path, meant=FILES[PUPILS])
        return False
    if pupils and not guardians:
        findings.add(
            Severity.WARNING, FindingCode.PARTNER_MISSING, file=pupils[0].path, meant=FILES[GUARDIANS]
        )
    return True


# -- divisions and groups --------------------------------------------------------------------------------------------


def _read_structures(document: Document, export: _Export) -> None:
    for layout, prefix in ((DIVISIONS, DIVISION), (GROUPS, GROUP)):
        if not document.rows[layout.name]:
            continue
        table = document.table(layout, export.findings)
        for record in records(table, layout):
            _form(table, prefix, record["code"], export, record.line, record["title"])


def _form(table: Table, prefix: str, name: str, export: _Export, line: int, title: str = "") -> str:
    key = f"{prefix}{export.year}:{name}"
    export.homes.form(table, key, title or name, line, school=export.school, homeroom=prefix == DIVISION)
    return key


# -- pupils ----------------------------------------------------------------------------------------------------------


def _read_pupils(document: Document, export: _Export) -> None:
    table = document.table(PUPIL, export.findings)
    if export.school:
        export.homes.school(table, export.school, "", 1)
    grade_of = export.gathering.grade_reader(table, "CODE_MEF")
    for record in records(table, PUPIL):
        left = record.days["left_on"]
        if left is not None and (export.exported is None or left <= export.exported):
            export.gone.add(record["id"])
            _tally(table, Severity.NOTE, FindingCode.PUPILS_LEFT, record.line, "DATE_SORTIE")
            continue
        keys = _keys(table, record)
        if not keys:
            continue
        known = GRADES.get(record["mef"][:3])
        grade = known or grade_of(record["mef"], record.line)
        export.pupils[record["id"]] = keys[0]
        user = User(
            keys[0],
            "",
            record["given_name"],
            record.first("used_name", "family_name"),
            record["middle_name"],
            identifier=record.first("ine", "national"),
            email=record["email"],
            phone=_number(record["phone"]),
            sms=_number(record["sms"]),
            grades=(grade,) if grade else (),
        )
        export.homes.covering.aliases[keys[0]] = tuple(keys[1:])
        export.homes.pupil(
            table,
            user,
            record.line,
            school=export.school,
            born_on=record.days["born_on"],
            sex=record["sex"],
            leaves_on=left,
        )


def _keys(table: Table, record: Record) -> list[str]:
    """Under what the pupil is or may be known: her numbers, the newer first, and her name with her date of birth."""
    numbers = [_NUMBERED + record[name].upper() for name in ("ine", "national") if record[name]]
    born_on = record.days["born_on"]
    named = []
    if born_on is not None:
        names = (record["family_name"].casefold(), record["given_name"].casefold(), born_on.isoformat())
        named = [_UNNUMBERED + digest(*names)]
    if not numbers and named:
        _tally(table, Severity.WARNING, FindingCode.IDENTIFIER_PROVISIONAL, record.line, "INE")
    elif not numbers:
        table.add(Severity.ERROR, FindingCode.CELL_EMPTY, record.line, "INE_RNIE / ID_NATIONAL")
    return numbers + named


def _read_members(document: Document, export: _Export) -> None:
    table = document.table(MEMBER, export.findings)
    for record in records(table, MEMBER):
        pupil = export.pupils.get(record["pupil"])
        if pupil is None:
            if record["pupil"] not in export.gone:
                _tally(table, Severity.WARNING, FindingCode.LINKS_OUTSIDE, record.line, "ELEVE_ID")
            continue
        key = _form(table, record["type"] or DIVISION, record["code"], export, record.line)
        export.homes.member(table, key, pupil, record.line, school=export.school)


# -- those responsible -----------------------------------------------------------------------------------------------


def _read_guardians(document: Document, export: _Export) -> None:
    people = {r["id"]: r for r in records(document.table(PERSON, export.findings), PERSON)}
    table = document.table(LINK, export.findings)
    children: dict[str, list[tuple[str, int]]] = {}
    for record in records(table, LINK):
        pupil, person = export.pupils.get(record["pupil"]), people.get(record["person"])
        if record["pupil"] in export.gone:
            continue
        if pupil is None or person is None:
            _tally(table, Severity.WARNING, FindingCode.LINKS_OUTSIDE, record.line, "ELEVE_ID / PERSONNE_ID")
        elif record["legal"] in _LEGAL or record["level"] in _LEGAL_LEVEL:
            children.setdefault(record["person"], []).append((pupil, record.line))
        else:
            column = "RESP_LEGAL / NIVEAU_RESPONSABILITE"
            _tally(table, Severity.NOTE, FindingCode.CONTACTS_LEFT_OUT, record.line, column)
    for number, links in children.items():
        # PERSONNE_ID tells people apart within the export only: outside they are known by their children and names.
        eldest = min(pupil for pupil, _ in links)
        for pupil, line in links:
            export.homes.guardian(table, pupil, _guardian(people[number], eldest), line)


def _guardian(person: Record, child: str) -> Guardian:
    return Guardian(
        person["given_name"],
        person.first("used_name", "family_name"),
        apart=f"{child}:{person['id']}",
        child=child,
        email=person["email"],
        phone=_number(person["phone"]),
        sms=_number(person["sms"]),
    )


def _number(text: str) -> str:
    return "".join(filter(lambda sign: sign.isdigit() or sign == "+", text))


def _tally(table: Table, severity: Severity, found: FindingCode, line: int, column: str) -> None:
    table.findings.tally(severity, found, file=table.file, line=line, column=column)
