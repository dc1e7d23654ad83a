"""The golden files of countries' systems, made by hand (nobody in them exists), and a roster as lines to compare."""

import io
from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from pupitre.courses.rules.countries.workbooks import first_sheet
from pupitre.courses.rules.roster import Relation, Roster, RosterRole

GOLDEN = Path(__file__).parent / "golden"


def golden(*names: str) -> dict[str, bytes]:
    """Files of the folder of golden files, by their bare names."""
    return {Path(name).name: (GOLDEN / name).read_bytes() for name in names}


SAGA = golden("catalonia/saga.csv")
ESFERA = golden("catalonia/esfera.xlsx")
SIECLE = golden(
    *(f"france/{name}.xml" for name in ("ElevesSansAdresses", "ResponsablesAvecAdresses", "Structures"))
)
STS = golden("france/sts_emp_0990001X_2026.xml")
SIMAT = golden("colombia/anexo6a.csv")


def replaced(
    files: dict[str, bytes], name: str, old: str, new: str, encoding: str = "iso-8859-15"
) -> dict[str, bytes]:
    """The files with a text of one of them replaced; it must be there."""
    before, after = old.encode(encoding), new.encode(encoding)
    assert before in files[name], old
    return {**files, name: files[name].replace(before, after)}


def workbook(rows: Sequence[tuple[int, Sequence[str]]]) -> bytes:
    """A workbook with these rows of texts, numbered as a spreadsheet numbers them."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, cells in rows:
            for at, cell in enumerate(cells):
                if cell:
                    sheet.write_string(number - 1, at, cell)
    return buffer.getvalue()


def esfera_rows() -> list[tuple[int, list[str]]]:
    """The rows of the golden workbook, to be changed and written again."""
    return [(number, list(cells)) for number, cells in first_sheet(ESFERA["esfera.xlsx"])]


def lines_of(roster: Roster) -> list[str]:
    """What a roster says, one line a person and a class."""
    people = {user.sourced_id: user for user in roster.users}
    births = {row.user: row for row in roster.demographics}
    classes: dict[str, list[str]] = {}
    for row in roster.enrolments:
        sign = "" if row.role is RosterRole.STUDENT else "*" if row.primary else "+"
        classes.setdefault(row.user, []).append(sign + row.class_)
    families: dict[str, list[str]] = {}
    for pair in roster.guardianships:
        agent = people[pair.agent]
        relation = "" if pair.relation is Relation.GUARDIAN else f" ({pair.relation})"
        families.setdefault(pair.pupil, []).append(f"{agent.given_name} {agent.family_name}{relation}")
    lines = [
        f"class {row.sourced_id}: {row.title}, {row.type}"
        + "".join(f", {word}" for word in (row.course, *row.terms, *row.grades) if word)
        for row in roster.classes
    ]
    for role in roster.roles:
        user, birth = people[role.user], births.get(role.user)
        key = "" if user.sourced_id.startswith("guardian:") else f" {user.sourced_id}"
        parts = [
            f"{user.family_name}, {' '.join(filter(None, (user.given_name, user.middle_name)))}",
            birth.birth_date.isoformat() if birth is not None and birth.birth_date else "",
            birth.sex if birth is not None else "",
            *user.grades,
            *(user.email, user.phone, user.sms),
            " ".join(classes.get(user.sourced_id, ())),
            " and ".join(families.get(user.sourced_id, ())),
        ]
        lines.append(f"{role.role}{key}: " + " | ".join(filter(None, parts)))
    return lines
