"""Layouts of countries' files as tables: each field's column or element, what it fills, and how it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pupitre.courses.rules import dates, vocabulary
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.tables import Column, FileSpec, Need, Sheet, Table, sheet_of

#: Dates that are written year-month-day only.
YMD = ""
DMY = dates.DMY


class Reads(StrEnum):
    """How a field's text is understood."""

    TEXT = "text"
    DATE = "date"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table, or an element below a row's element.

    name: the column's header; or the element's path, '@X' for an attribute of the row and 'PARENT@X' for one of an
    element around it. attribute: what it fills, '' for what is recognised and not kept. order: of a date.
    codes: what the words of a code table mean; a word that is not in it is said and left empty.
    """

    name: str
    attribute: str = ""
    need: Need = Need.OPTIONAL
    reads: Reads = Reads.TEXT
    order: str = DMY
    codes: Mapping[str, str] = field(default_factory=dict, hash=False)
    aliases: tuple[str, ...] = ()


def text(name: str, attribute: str, *aliases: str, need: Need = Need.OPTIONAL) -> Field:
    """A field that is taken as it stands."""
    return Field(name, attribute, need, aliases=aliases)


def day(name: str, attribute: str, *aliases: str, order: str = DMY, need: Need = Need.OPTIONAL) -> Field:
    """A date; year-month-day is read whatever the order."""
    return Field(name, attribute, need, Reads.DATE, order, aliases=aliases)


def code(name: str, attribute: str, codes: Mapping[str, str], *aliases: str) -> Field:
    """A word of a code table."""
    return Field(name, attribute, reads=Reads.CODE, codes=codes, aliases=aliases)


def unkept(*names: str) -> tuple[Field, ...]:
    """Fields that are known and of which nothing is kept."""
    return tuple(Field(name) for name in names)


@dataclass(frozen=True, slots=True)
class Layout:
    """A file or a part of one. key: the name of the field that every row has. rows: the path of its rows' elements,
    without the root's name; '' for a table.
    """

    name: str
    key: str
    fields: tuple[Field, ...]
    rows: str = ""

    @property
    def spec(self) -> FileSpec:
        """The layout as the reader of tables knows it."""
        return FileSpec(self.name, None, tuple(map(_column, self.fields)))

    def likeness(self, cells: Iterable[str]) -> int:
        """How many of the fields have a cell with their name."""
        folded = {vocabulary.fold(cell) for cell in cells}
        return sum(
            not folded.isdisjoint(map(vocabulary.fold, (known.name, *known.aliases))) for known in self.fields
        )


def _column(known: Field) -> Column:
    return Column(known.name, known.attribute, known.need, known.aliases)


@dataclass(frozen=True, slots=True)
class Record:
    """A row: texts by attribute ('' where untold), dates by attribute (None where untold)."""

    line: int
    texts: Mapping[str, str]
    days: Mapping[str, date | None]

    def __getitem__(self, attribute: str) -> str:
        return self.texts[attribute]

    def first(self, *attributes: str) -> str:
        """The first of these that says something."""
        return next((self.texts[name] for name in attributes if self.texts[name]), "")


def records(table: Table, layout: Layout) -> Iterator[Record]:
    """The rows of a table, each field read as the layout says. What cannot be read is said."""
    if not table.readable:
        return
    kept = [known for known in layout.fields if known.attribute]
    places = dict(zip(kept, table.places(*(known.name for known in kept)), strict=True))
    texts = [(known, place) for known, place in places.items() if known.reads is not Reads.DATE]
    days = [(known, place) for known, place in places.items() if known.reads is Reads.DATE]
    for line, row in table.living_rows(layout.key):
        yield Record(
            line,
            {known.attribute: _text(table, known, row[place], line) for known, place in texts},
            {known.attribute: _day(table, known, row[place], line) for known, place in days},
        )


def _text(table: Table, known: Field, cell: str, line: int) -> str:
    if known.reads is Reads.TEXT or not cell:
        return cell
    meant = known.codes.get(cell.casefold())
    if meant is None:
        table.findings.tally(
            Severity.WARNING,
            FindingCode.WORD_LEFT_BLANK,
            file=table.file,
            line=line,
            column=known.name,
            value=cell,
            known=", ".join(known.codes),
        )
    return meant or ""


def _day(table: Table, known: Field, cell: str, line: int) -> date | None:
    if not cell:
        return None
    found = dates.DateColumn(known.order).read(cell)
    if found is None:
        table.add(Severity.ERROR, FindingCode.DATE_UNREADABLE, line, known.name, cell)
    return found


# -- tables from other sources ---------------------------------------------------------------------------------------


def sheet_of_rows(path: str, rows: Iterable[tuple[int, Sequence[str]]]) -> Sheet:
    """Rows with their lines, header first, as a sheet in which each stands on its own line (or the next free one).

    What stands beside the header's columns belongs to none, and is left out.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    reached, width = 1, 0
    for line, told in rows:
        width = width or len(told)
        cells = [*told[:width], *([""] * (width - len(told)))]
        buffer.write("\n" * (line - reached))
        reached = max(reached, line) + 1
        writer.writerow([" ".join(cell.replace("\0", "").split()) for cell in cells])
    return sheet_of(path, buffer.getvalue().encode("utf-8", "replace"))


def table_of(sheet: Sheet, layout: Layout, findings: Findings) -> Table:
    """The sheet, to be read as this layout says."""
    return Table(sheet, layout.spec, findings)
