"""SIMAT, Colombia: the report 'Anexo 6A' of the pupils enrolled, a CSV in ISO-8859-1 with semicolons.

The tables of codes are as schools' programs know them; sources differ about the kinds of document, on which nothing
depends here: a pupil is known by the number alone, which she keeps when her document changes with her age.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.countries.households import Households
from pupitre.courses.rules.countries.layouts import (
    Layout,
    Record,
    code,
    day,
    records,
    sheet_of_rows,
    table_of,
    text,
    unkept,
)
from pupitre.courses.rules.countries.workbooks import Row
from pupitre.courses.rules.findings import FindingCode, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import User
from pupitre.courses.rules.tables import Need, Sheet, Table

PUPIL, FORM = "simat:", "simat:"
_REQUIRED = Need.REQUIRED
SHIFTS = {
    "1": "Completa",
    "2": "Mañana",
    "3": "Tarde",
    "4": "Nocturna",
    "5": "Fin de semana",
    "6": "Única",
}
DOCUMENTS = {
    "1": "CC",
    "2": "TI",
    "3": "CE",
    "4": "CE",
    "5": "RC",
    "6": "NIP",
    "7": "NUIP",
    "8": "NES",
    "9": "CCB",
    "10": "PEP",
    "11": "PPT",
    "12": "PPT",
    "13": "PPT",
}
#: Grades as numbers; cycles of adults (21 to 26) and accelerated learning (99) are asked.
GRADES = {"-2": "PR", "-1": "PK", "0": "KG", **{str(year): f"{year:02}" for year in range(1, 14)}}
LAYOUT = Layout(
    "Anexo 6A",
    "NRO_DOCUMENTO",
    (
        text("NRO_DOCUMENTO", "number", need=_REQUIRED),
        code("TIPO_DOCUMENTO", "document", DOCUMENTS),
        text("APELLIDO1", "surname", need=_REQUIRED),
        text("APELLIDO2", "second_surname"),
        text("NOMBRE1", "given_name", need=_REQUIRED),
        text("NOMBRE2", "second_name"),
        day("FECHA_NACIMIENTO", "born_on"),
        code("GENERO", "sex", {"m": "male", "f": "female"}),
        text("GRADO", "grade", need=Need.EXPECTED),
        text("GRUPO", "group", need=Need.EXPECTED),
        code("TIPO_JORNADA", "shift", SHIFTS),
        text("ANO_INF", "year"),
        text("CODIGO_DANE", "school", need=Need.EXPECTED),
        text("CONS_SEDE", "site", "DANE_SEDE"),
        text("INSTITUCION", "school_name", "NOMBRE_INSTITUCION"),
        text("ESTADO", "state"),
        *unkept("MES_INF", "MUN_CODIGO", "DANE_ANTERIOR", "ZONA", "SECTOR", "SEDE", "EXP_DEPTO", "EXP_MUN"),
        *unkept("DIRECCION_RESIDENCIA", "TEL", "RES_DEPTO", "RES_MUN", "ESTRATO", "SISBEN", "SISBEN IV"),
        *unkept("NAC_DEPTO", "NAC_MUN", "POB_VICT_CONF", "TIPO_DISCAPACIDAD", "CAP_EXC", "ETNIA", "RES"),
        *unkept("INS_FAMILIAR", "CARACTER", "ESPECIALIDAD", "METODOLOGIA", "MATRICULA_CONTRATADA"),
        *unkept("REPITENTE", "NUEVO", "SIT_ACAD_ANO_ANT", "CON_ALUM_ANO_ANT", "PER_ID"),
    ),
)
_LIKELY = 7
_LEFT = frozenset({"retirado", "retirada", "trasladado", "trasladada", "desertor", "desertora"})
_HEADER_WITHIN = 40


def is_simat(sheet: Sheet) -> bool:
    """Whether most of the report's columns are there."""
    return any(LAYOUT.likeness(cells) >= _LIKELY for cells in sheet.delimiters.values())


def sheet_in(path: str, rows: Sequence[Row]) -> Sheet | None:
    """The report as a workbook, in which secretariats pass it on; None where it is none."""
    for at, (_, cells) in enumerate(rows[:_HEADER_WITHIN]):
        if LAYOUT.likeness(cells) >= _LIKELY:
            return sheet_of_rows(path, rows[at:])
    return None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a pupil sits: what tells two forms apart that both call themselves 601."""

    year: str
    school: str
    site: str
    shift: str
    grade: str
    group: str

    @property
    def key(self) -> str:
        return f"{FORM}{self.year}:{self.school}:{self.site}:{self.shift}:{self.grade}:{self.group}"

    @property
    def name(self) -> str:
        """Groups are numbered through the school ('601') or within the grade ('1')."""
        return self.group if len(self.group) > 2 or not self.grade else f"{self.grade}-{self.group}"


def gather(sheets: Sequence[Sheet], gathering: Gathering, covering: Covering) -> None:
    """Reads one report or several."""
    tables = [table_of(sheet, LAYOUT, gathering.findings) for sheet in sheets]
    homes = Households.of(tables, gathering, covering)
    covering.people.add(PUPIL)
    if all(table.has("GRUPO") for table in tables):
        covering.classes.add(FORM)
        covering.whole_classes.add(FORM)
    seats: list[tuple[Table, int, str, _Place, str]] = []
    for table in tables:
        grade_of = gathering.grade_reader(table, "GRADO")
        for record in records(table, LAYOUT):
            if vocabulary.fold(record["state"]) in _LEFT:
                where = {"file": table.file, "column": "ESTADO"}
                homes.gathering.findings.tally(
                    Severity.NOTE, FindingCode.PUPILS_LEFT, line=record.line, **where
                )
                continue
            grade = GRADES.get(_plain(record["grade"])) or grade_of(record["grade"], record.line)
            key = _pupil(table, record, grade, homes)
            if record["group"]:
                seats.append((table, record.line, key, _place(record), grade))
    titles = _titles({place for *_, place, _ in seats})
    for table, line, key, place, grade in seats:
        homes.form(table, place.key, titles[place], line, school=place.school, grade=grade)
        homes.member(table, place.key, key, line, school=place.school)


def _plain(number: str) -> str:
    """A number as its table has it: spreadsheets write '06' and '6.0' for 6."""
    bare = number.removesuffix(".0")
    return bare.lstrip("0") or "0" if bare.isdecimal() else bare


def _place(record: Record) -> _Place:
    grade, group = _plain(record["grade"]), record["group"].removesuffix(".0")
    return _Place(record["year"], record["school"], record["site"], record["shift"], grade, group)


def _pupil(table: Table, record: Record, grade: str, homes: Households) -> str:
    number = "".join(filter(str.isalnum, record["number"].removesuffix(".0"))).upper()
    key = PUPIL + number
    if record["school"]:
        homes.school(table, record["school"], record["school_name"], record.line)
    user = User(
        key,
        "",
        f"{record['given_name']} {record['second_name']}".strip(),
        f"{record['surname']} {record['second_surname']}".strip(),
        identifier=number,
        user_ids=((record["document"], number),) if record["document"] else (),
        grades=(grade,) if grade else (),
    )
    homes.pupil(
        table, user, record.line, school=record["school"], born_on=record.days["born_on"], sex=record["sex"]
    )
    return key


def _titles(places: set[_Place]) -> dict[_Place, str]:
    """Short names of forms, with the shift and then the site where several would have the same."""
    names = Counter(place.name for place in places)
    longer = Counter((place.name, place.shift) for place in places)
    return {
        place: " ".join(
            (
                place.name,
                *([place.shift] if names[place.name] > 1 and place.shift else []),
                *([place.site] if longer[place.name, place.shift] > 1 and place.site else []),
            )
        )
        for place in places
    }
