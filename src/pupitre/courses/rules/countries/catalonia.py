"""What Esfer@ and SAGA have in common: identifiers, names of groups, words of kinship."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.countries.covering import Covering
from pupitre.courses.rules.countries.households import Households
from pupitre.courses.rules.countries.layouts import Layout, Record, records
from pupitre.courses.rules.gathering import Gathering
from pupitre.courses.rules.roster import Relation
from pupitre.courses.rules.tables import Table

#: Pupils have one number in all Catalan systems (RALC), so that a school's change from one to the other keeps them.
PUPIL = "ralc:"

_STAGES = {"pri": 0, "ep": 0, "eso": 6, "btx": 10, "bat": 10, "batx": 10}
_LAST = {0: 6, 6: 4, 10: 2}
_GROUP = re.compile(r"(?:([1-6])(?:r|n|t|e)?)?(eso|btx|batx|bat|pri|ep)([1-6])?[a-z]{0,2}")
_KINSHIP = (
    (("mare", "madre"), Relation.MOTHER),
    (("pare", "padre"), Relation.FATHER),
    (("avi", "avia", "abuelo", "abuela", "oncle", "tieta", "tia", "germa", "germana"), Relation.RELATIVE),
)


def grade_of_group(name: str) -> str:
    """The grade that a group's name cannot but mean ('ESO1A', '1r ESO B', 'BTX2C'), else ''."""
    match = _GROUP.fullmatch(vocabulary.fold(name))
    if match is None or bool(match[1]) == bool(match[3]):
        return ""
    year, first = int(match[1] or match[3]), _STAGES[match[2]]
    return f"{first + year:02}" if year <= _LAST[first] else ""


def kinship(words: str) -> Relation:
    """What the guardian is to the pupil, where the words say it."""
    folded = {vocabulary.fold(word) for word in re.split(r"[\s/,;()-]+", words)}
    for names, relation in _KINSHIP:
        if folded & set(names):
            return relation
    return Relation.GUARDIAN


def pupil_key(number: str) -> str:
    """The identifier of a pupil; spreadsheets turn long numbers into 9.2E+10 or add a '.0'."""
    bare = number.strip().removesuffix(".0")
    return PUPIL + bare


def group_name(cell: str) -> str:
    """A group's name with single blanks: exports pad the codes of vocational courses."""
    return " ".join(cell.split())


def gather_pupils(
    tables: Sequence[Table],
    layout: Layout,
    gathering: Gathering,
    covering: Covering,
    *,
    families: tuple[str, str],
    forms: tuple[str, str],
    read: Callable[[Table, Record, Households], None],
) -> None:
    """Reads pupils line by line. `families` are the guardians' columns; `forms` the groups' column and the mark of their keys."""
    homes = Households.of(tables, gathering, covering, families=families)
    column, mark = forms
    if all(table.has(column) for table in tables):
        covering.classes.add(mark)
        covering.whole_classes.add(mark)
    for table in tables:
        for record in records(table, layout):
            read(table, record, homes)
    homes.done()
