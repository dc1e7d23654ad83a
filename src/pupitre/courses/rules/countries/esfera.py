"""Esfer@, Catalonia's system: a workbook of pupils with rows of something else above its header and below its last pupil."""

from __future__ import annotations

from collections.abc import Sequence

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.countries import catalonia
from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.countries.households import Guardian, Households, contacts, document_number
from pupitre.courses.rules.countries.layouts import (
    Layout,
    Record,
    day,
    sheet_of_rows,
    table_of,
    text,
    unkept,
)
from pupitre.courses.rules.countries.workbooks import Row
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import User
from pupitre.courses.rules.tables import Need, Sheet, Table

FORM = "esfera:"
_REQUIRED = Need.REQUIRED
LAYOUT = Layout(
    "Esfer@",
    "Identificador de l’alumne/a",
    (
        text("Identificador de l’alumne/a", "number", need=_REQUIRED),
        text("Primer Cognom", "surname", need=_REQUIRED),
        text("Segon Cognom", "second_surname"),
        text("Nom", "given_name", need=_REQUIRED),
        day("Data naixement", "born_on"),
        text("Grup Classe", "form", need=Need.EXPECTED),
        text("Correu electrònic", "email", "Contacte alumne - Correu electrònic"),
        text("Telèfon", "phone", "Contacte alumne - Telèfon"),
        text("Tutor 1 - nom", "given_name_1"),
        text("Tutor 1 - 1r cognom", "surname_1"),
        text("Tutor 1 - 2n cognom", "second_surname_1"),
        text("Tutor 1 - doc. identitat", "document_1"),
        text("Contacte 1er tutor alumne - Valor", "contacts_1"),
        text("Contacte 1er tutor alumne - Observacions", "remarks_1"),
        text("Tutor 2 - nom", "given_name_2"),
        text("Tutor 2 - 1r cognom", "surname_2"),
        text("Tutor 2 - 2n cognom", "second_surname_2"),
        text("Tutor 2 - doc. identitat", "document_2"),
        text("Contacte 2on tutor alumne - Valor", "contacts_2"),
        text("Contacte 2on tutor alumne - Observacions", "remarks_2"),
        *unkept("Número de document d'identitat", "Tipus de document d'identitat", "Nacionalitat"),
        *unkept("País naixement", "Tipus de via", "Nom via", "Número", "Bloc", "Escala", "Planta", "Porta"),
        *unkept("Codi postal", "Localitat de residència", "Municipi de residència", "Observacions"),
        *unkept("Província de residència", "País de residència", "Contacte altres alumne - Valor"),
    ),
)
#: What a pupil's row has and a title or a total has not.
_TELLING = ("Identificador de l’alumne/a", "Primer Cognom", "Nom", "Data naixement", "Grup Classe")
_NAMES = frozenset(map(vocabulary.fold, ("Primer Cognom", "Nom")))
_HEADER_WITHIN = 40


def sheet_in(path: str, rows: Sequence[Row]) -> Sheet | None:
    """The pupils of a workbook, their rows numbered as there; None where it has no header of Esfer@'s."""
    best = max(rows[:_HEADER_WITHIN], key=lambda row: LAYOUT.likeness(row[1]), default=(0, []))
    folded = [vocabulary.fold(cell) for cell in best[1]]
    telling = [folded.index(word) for word in map(vocabulary.fold, _TELLING) if word in folded]
    if LAYOUT.likeness(best[1]) < 5 or len(telling) < 3:
        return None
    named = [at for at in telling if folded[at] in _NAMES]
    pupils = [row for row in rows if row[0] > best[0] and _filled(row, telling) > 1 and _filled(row, named)]
    return sheet_of_rows(path, [best, *pupils])


def _filled(row: Row, places: Sequence[int]) -> int:
    return sum(1 for at in places if at < len(row[1]) and row[1][at])


def gather(sheets: Sequence[Sheet], gathering: Gathering, covering: Covering) -> None:
    """Reads one workbook or several (a school exports by stage)."""
    tables = [table_of(sheet, LAYOUT, gathering.findings) for sheet in sheets]
    catalonia.gather_pupils(
        tables,
        LAYOUT,
        gathering,
        covering,
        families=("Tutor 1 - nom", "Tutor 2 - nom"),
        forms=("Grup Classe", FORM),
        read=_read,
    )


def _read(table: Table, record: Record, homes: Households) -> None:
    line, form = record.line, catalonia.group_name(record["form"])
    key = catalonia.pupil_key(record["number"])
    grade = catalonia.grade_of_group(form)
    own = contacts(record["email"], record["phone"])
    user = User(
        key,
        "",
        record["given_name"],
        f"{record['surname']} {record['second_surname']}".strip(),
        identifier=key.removeprefix(catalonia.PUPIL),
        email=own.email,
        phone=own.phone,
        sms=own.sms,
        grades=(grade,) if grade else (),
    )
    homes.pupil(table, user, line, born_on=record.days["born_on"])
    if form:
        homes.form(table, FORM + form, form, line, grade=grade)
        homes.member(table, FORM + form, key, line)
    for place in "12":
        homes.guardian(table, key, _guardian(record, place), line)


def _guardian(record: Record, place: str) -> Guardian:
    found = contacts(record[f"contacts_{place}"])
    return Guardian(
        record[f"given_name_{place}"],
        f"{record[f'surname_{place}']} {record[f'second_surname_{place}']}".strip(),
        catalonia.kinship(record[f"remarks_{place}"]),
        found.email,
        found.phone,
        found.sms,
        apart=document_number(record[f"document_{place}"]),
    )
