"""SAGA, Catalonia's older system: one CSV of pupils, ISO-8859-1, whose column names begin with a number that changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pupitre.courses.rules.countries import catalonia
from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.countries.households import (
    Guardian,
    Households,
    contacts,
    document_number,
    surnames_first,
)
from pupitre.courses.rules.countries.layouts import Layout, Record, day, table_of, text, unkept
from pupitre.courses.rules.findings import FindingCode, Severity
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import User
from pupitre.courses.rules.tables import Need, Sheet, Table

FORM = "saga:"
_REQUIRED = Need.REQUIRED
LAYOUT = Layout(
    "SAGA CSV",
    "IDENTIFICADOR DE L'ALUMNE/A",
    (
        text("IDENTIFICADOR DE L'ALUMNE/A", "number", need=_REQUIRED),
        text("NOM", "name", need=_REQUIRED),
        day("DATA NAIXEMENT", "born_on"),
        text("RESPONSABLE 1", "guardian_1"),
        text("TELÈFON RESP. 1", "phone_1"),
        text("MÒBIL RESP. 1", "sms_1"),
        text("ADREÇA ELECTR. RESP. 1", "email_1"),
        text("PARENTIU RESP. 1", "kinship_1"),
        text("DOC. IDENTITAT RESP. 1", "document_1"),
        text("RESPONSABLE 2", "guardian_2"),
        text("TELÈFON RESP. 2", "phone_2"),
        text("MÒBIL RESP. 2", "sms_2"),
        text("ADREÇA ELECTR. RESP. 2", "email_2"),
        text("PARENTIU RESP. 2", "kinship_2"),
        text("DOC. IDENTITAT RESP. 2", "document_2"),
        text("CORREU ELECTRÒNIC", "email"),
        text("GRUPSCLASSE", "forms", need=Need.EXPECTED),
        *unkept("#", "ADREÇA", "LOCALITAT", "MUNICIPI", "CP", "ALTRES TELÈFONS", "CENTRE PROCEDÈNCIA"),
        *unkept(
            "DOC. IDENTITAT", "GRUPS", "NIVELL", "ADREÇA RESP. 1", "LOCALITAT RESP. 1", "MUNICIPI RESP. 1"
        ),
        *unkept("CP RESP. 1", "ADREÇA RESP. 2", "LOCALITAT RESP. 2", "MUNICIPI RESP. 2", "CP RESP. 2"),
    ),
)
_NUMBERED = re.compile(r"\d\d_")


def is_saga(sheet: Sheet) -> bool:
    """Whether the header is SAGA's: columns with numbers before names that are SAGA's."""
    return any(
        sum(bool(_NUMBERED.match(cell)) for cell in cells) >= 3 and LAYOUT.likeness(_bare(cells)) >= 3
        for cells in sheet.delimiters.values()
    )


def _bare(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(_NUMBERED.sub("", cell, count=1) for cell in cells)


def _without_numbers(sheet: Sheet) -> Sheet:
    return replace(sheet, delimiters={sign: _bare(cells) for sign, cells in sheet.delimiters.items()})


def gather(sheets: Sequence[Sheet], gathering: Gathering, covering: Covering) -> None:
    """Reads one file or several (a school exports by stage)."""
    tables = [table_of(_without_numbers(sheet), LAYOUT, gathering.findings) for sheet in sheets]
    catalonia.gather_pupils(
        tables,
        LAYOUT,
        gathering,
        covering,
        families=("RESPONSABLE 1", "RESPONSABLE 2"),
        forms=("GRUPSCLASSE", FORM),
        read=_read,
    )


def _read(table: Table, record: Record, homes: Households) -> None:
    line = record.line
    family, given = surnames_first(record["name"])
    if not given:
        table.add(Severity.ERROR, FindingCode.NAME_UNSPLIT, line, "NOM", record["name"])
        return
    forms = [name for cell in re.split("[,;]", record["forms"]) if (name := catalonia.group_name(cell))]
    key = catalonia.pupil_key(record["number"])
    grade = next(filter(None, map(catalonia.grade_of_group, forms)), "")
    user = User(
        key,
        "",
        given,
        family,
        identifier=key.removeprefix(catalonia.PUPIL),
        email=contacts(record["email"]).email,
        grades=(grade,) if grade else (),
    )
    homes.pupil(table, user, line, born_on=record.days["born_on"])
    for name in forms:
        homes.form(table, FORM + name, name, line, grade=catalonia.grade_of_group(name))
        homes.member(table, FORM + name, key, line)
    for place in "12":
        homes.guardian(table, key, _guardian(record, place), line)


def _guardian(record: Record, place: str) -> Guardian:
    family, given = surnames_first(record[f"guardian_{place}"])
    found = contacts(record[f"phone_{place}"], record[f"sms_{place}"], record[f"email_{place}"])
    return Guardian(
        given,
        family,
        catalonia.kinship(record[f"kinship_{place}"]),
        found.email,
        found.phone,
        found.sms,
        apart=document_number(record[f"document_{place}"]),
    )
