"""One CSV file as it comes from people's computers: its encoding, its delimiter, its columns, its rows with their lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from pupitre.courses.rules import dates, vocabulary
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.roster import Kind

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


class Need(IntEnum):
    """Whether a column may be missing or a cell empty: refused, said, or accepted."""

    OPTIONAL = 0
    EXPECTED = 1
    REQUIRED = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a format: the attribute of the row that it fills ('' where it is known but not kept)."""

    name: str
    attribute: str = ""
    need: Need = Need.OPTIONAL
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file of a format, and the kind of row that it mainly fills (None: recognised, not kept)."""

    name: str
    kind: Kind | None
    columns: tuple[Column, ...] = ()

    def column_of(self, attribute: str) -> str:
        """The name that the format gives to an attribute's column."""
        return next((column.name for column in self.columns if column.attribute == attribute), attribute)


def columns(text: str, **attributes: str) -> tuple[Column, ...]:
    """Columns from the names in order: 'a* b+ c' where * is required and + expected; attributes by name.

    Blanks are written as underscores, an underscore as two. 'a=x|y' gives other names that mean the same column.
    """
    found = []
    for word in text.split():
        word, _, aliases = word.partition("=")
        need = {"*": Need.REQUIRED, "+": Need.EXPECTED}.get(word[-1], Need.OPTIONAL)
        key = word.rstrip("*+")
        known = tuple(alias.replace("_", " ") for alias in aliases.split("|") if alias)
        name = key.replace("__", "\0").replace("_", " ").replace("\0", "_")
        found.append(Column(name, attributes.get(key, ""), need, known))
    return tuple(found)


# -- the bytes -------------------------------------------------------------------------------------------------------

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20
_ENCODING_NAMES = {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-16": "UTF-16", "utf-32": "UTF-32"}


def encoding_of(data: bytes) -> str:
    """The encoding of a file: by its mark, by its NULs, else UTF-8 where it is valid, else Windows' or Latin-1."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = data[:200]
    if len(head) > 3 and head.count(0) > len(head) // 3:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    if _decodes(data, "utf-8"):
        return "utf-8"
    return "cp1252" if _decodes(data, "cp1252") else "latin-1"


def _decodes(data: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _check_encoding(data: bytes, encoding: str, file: str, findings: Findings) -> str:
    """Says what is odd about the encoding; a file in two encodings is read as UTF-8 and refused at its line."""
    if encoding.startswith(("cp1252", "latin")):
        text = data.decode("utf-8", "replace")
        if any(ord(character) > 127 and character != "\ufffd" for character in text):
            line = text.count("\n", 0, text.index("\ufffd")) + 1
            findings.add(ERROR, FindingCode.ENCODING_MIXED, file=file, line=line)
            return "utf-8"
        name = "Windows-1252" if encoding == "cp1252" else "Latin-1"
        findings.add(NOTE, FindingCode.ENCODING_UNDERSTOOD, file=file, encoding=name)
    elif encoding in _ENCODING_NAMES:
        findings.add(NOTE, FindingCode.ENCODING_UNDERSTOOD, file=file, encoding=_ENCODING_NAMES[encoding])
    return encoding


def _text_of(data: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", newline="")


# -- the header ------------------------------------------------------------------------------------------------------

_MOST_NAMED = 20
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file whose first line was looked at: enough to recognise the format, nothing read yet.

    Of a share of a larger file (`parts.Part`), `lines` are the line numbers there, line by line, and `witnesses` cells
    of the rest of it by column, with their lines: what a whole column decides is decided as for the whole file.
    """

    path: str
    data: bytes
    encoding: str
    delimiters: Mapping[str, tuple[str, ...]]
    header_line: int
    lines: Sequence[int] = ()
    witnesses: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def line(self, number: int) -> int:
        """The line of the original file, for the line with this number here."""
        if not self.lines:
            return number
        return self.lines[min(number, len(self.lines)) - 1]

    def header(self, spec: FileSpec) -> tuple[str, tuple[str, ...]]:
        """The delimiter and the header: the delimiter under which most columns of the format are recognised."""
        known = _names_of(spec)
        return max(
            self.delimiters.items(),
            key=lambda item: (sum(vocabulary.fold(cell) in known for cell in item[1]), len(item[1])),
        )

    def likeness(self, spec: FileSpec) -> int:
        """How well the header fits: columns recognised, less twice the required ones that are missing."""
        cells = {vocabulary.fold(cell) for cell in self.header(spec)[1]}
        hits = missing = 0
        for column in spec.columns:
            there = not cells.isdisjoint(_folded_names(column))
            hits += there
            missing += column.need is Need.REQUIRED and not there
        return hits - 2 * missing


def sheet_of(
    path: str,
    data: bytes,
    lines: Sequence[int] = (),
    witnesses: Mapping[str, Mapping[str, int]] | None = None,
) -> Sheet:
    """Looks at the first line with anything in it. `lines` and `witnesses`: see Sheet."""
    encoding = encoding_of(data)
    stream = _text_of(data, encoding)
    line, text = 0, ""
    for line, text in enumerate(stream, start=1):
        text = text.replace("\0", "").strip("\r\n").lstrip("\ufeff")
        if text.strip(" \t,;|\"'") and not (line == 1 and text.casefold().startswith("sep=")):
            break
    else:
        return Sheet(path, data, encoding, {",": ()}, 0)
    split = {delimiter: _split(text, delimiter) for delimiter in _DELIMITERS}
    header_line = lines[min(line, len(lines)) - 1] if lines else line
    return Sheet(path, data, encoding, split, header_line, lines, witnesses or {})


def _split(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), []))
    except csv.Error:
        return ()


def _folded_names(column: Column) -> set[str]:
    return {vocabulary.fold(column.name), *map(vocabulary.fold, column.aliases)}


def _names_of(spec: FileSpec) -> set[str]:
    return set().union(*map(_folded_names, spec.columns)) if spec.columns else set()


def distance(left: str, right: str, limit: int) -> int:
    """How many letters must be added, dropped, changed or swapped; limit + 1 for more than limit."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, one in enumerate(left):
        earlier, before, row = before, row, [i + 1]
        for j, other in enumerate(right):
            cost = min(before[j + 1] + 1, row[j] + 1, before[j] + (one != other))
            if i and j and one == right[j - 1] and left[i - 1] == other:
                cost = min(cost, earlier[j - 1] + 1)
            row.append(cost)
    return min(row[-1], limit + 1)


_TAIL = "sourcedid"


def is_misspelling(word: str, right: str) -> bool:
    """Whether two folded names differ by a slip of the finger: never in their digits, hardly in a short name.

    The tail that most columns share does not count: parentSourcedId is not agentSourcedId.
    """
    if [c for c in word if c.isdigit()] != [c for c in right if c.isdigit()]:
        return False
    for tail in (_TAIL + "s", _TAIL):
        if word.endswith(tail) and right.endswith(tail):
            word, right = word.removesuffix(tail), right.removesuffix(tail)
    shorter = min(len(word), len(right))
    limit = max(1, shorter // 5)
    return shorter > 3 and max(len(word), len(right)) < 60 and distance(word, right, limit) <= limit


def only_misspelling_of(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate that the word is a misspelling of, or None for none or several."""
    near = [candidate for candidate in candidates if is_misspelling(word, candidate)]
    return near[0] if len(near) == 1 else None


def _listed(names: Sequence[str]) -> str:
    """Names of columns as one text; a sheet may have hundreds, which nobody reads."""
    return ", ".join([*names[:_MOST_NAMED], "…"] if len(names) > _MOST_NAMED else names)


class _Header:
    """Matches the cells of a header with the columns of a format, and says what it understood."""

    def __init__(
        self, cells: Sequence[str], spec: FileSpec, file: str, line: int, findings: Findings
    ) -> None:
        self.cells, self.spec, self.file, self.line, self.findings = cells, spec, file, line, findings
        self.at: dict[str, int] = {}
        self._match_exactly()
        self._match_closely()
        self._say_what_is_left()

    def _match_exactly(self) -> None:
        for column in self.spec.columns:
            names = _folded_names(column)
            exact = vocabulary.fold(column.name)
            places = [i for i, cell in enumerate(self.cells) if vocabulary.fold(cell) in names]
            if len(places) > 1:
                true_name = [i for i in places if vocabulary.fold(self.cells[i]) == exact]
                places = true_name if len(true_name) == 1 else places
            if len(places) > 1:
                self._add(ERROR, FindingCode.COLUMN_TWICE, column.name)
            if places:
                self._take(column, places[0])

    def _take(self, column: Column, place: int) -> None:
        self.at[column.name] = place
        if self.cells[place] != column.name:
            self._add(NOTE, FindingCode.COLUMN_UNDERSTOOD, column.name, self.cells[place])

    def _match_closely(self) -> None:
        taken = set(self.at.values())
        free = {i: vocabulary.fold(cell) for i, cell in enumerate(self.cells) if cell and i not in taken}
        open_columns = {vocabulary.fold(c.name): c for c in self.spec.columns if c.name not in self.at}
        for place, word in free.items():
            right = only_misspelling_of(word, open_columns)
            if right is not None and only_misspelling_of(right, free.values()) == word:
                self._take(open_columns[right], place)

    def _say_what_is_left(self) -> None:
        taken = set(self.at.values())
        ignored = [cell[:80] for place, cell in enumerate(self.cells) if cell and place not in taken]
        if ignored:
            self._add(NOTE, FindingCode.COLUMN_IGNORED, _listed(ignored))
        for column in self.spec.columns:
            if column.name not in self.at and column.need is Need.REQUIRED:
                self._add(ERROR, FindingCode.COLUMN_MISSING, column.name)
            elif column.name not in self.at and column.need is Need.EXPECTED:
                self._add(WARNING, FindingCode.COLUMN_EXPECTED, column.name)

    def _add(self, severity: Severity, code: FindingCode, column: str, value: str = "") -> None:
        self.findings.add(severity, code, file=self.file, line=self.line, column=column, value=value)


# -- the rows --------------------------------------------------------------------------------------------------------

Cells = list[str]
ReadDate = Callable[[str, int], date | None]


class Table:
    """A file of a known format, ready to be read row by row.

    Rows are lists of stripped cells with one empty cell at the end: a column that the file does not have is read
    there, so that readers need no question per cell.
    """

    def __init__(self, sheet: Sheet, spec: FileSpec, findings: Findings) -> None:
        self.sheet, self.spec, self.findings = sheet, spec, findings
        self.file = sheet.path
        self.encoding = _check_encoding(sheet.data, sheet.encoding, self.file, findings)
        self.delimiter, cells = sheet.header(spec)
        self.width = len(cells)
        self.ended: list[str] = []
        if self.delimiter != ",":
            name = _DELIMITERS[self.delimiter]
            findings.add(NOTE, FindingCode.DELIMITER_UNDERSTOOD, file=self.file, delimiter=name)
        header = _Header(cells, spec, self.file, sheet.header_line, findings)
        self.at = header.at
        if not self.at:
            findings.add(ERROR, FindingCode.FILE_WITHOUT_HEADER, file=self.file, line=1)
        self._required = [(c.name, self.at[c.name]) for c in self._there(Need.REQUIRED)]
        self._expected = [(c.name, self.at[c.name]) for c in self._there(Need.EXPECTED)]

    def _there(self, need: Need) -> list[Column]:
        return [column for column in self.spec.columns if column.need is need and column.name in self.at]

    @property
    def readable(self) -> bool:
        """Whether rows can be told: every required column is there."""
        return all(c.name in self.at for c in self.spec.columns if c.need is Need.REQUIRED) and bool(self.at)

    def has(self, *names: str) -> bool:
        """Whether the file has all these columns."""
        return all(name in self.at for name in names)

    def places(self, *names: str) -> list[int]:
        """Where these columns stand in a row; the empty cell at the end for one that the file does not have."""
        return [self.at.get(name, self.width) for name in names]

    def attributes(self) -> frozenset[str]:
        """The attributes that the file tells something about."""
        return frozenset(c.attribute for c in self.spec.columns if c.attribute and c.name in self.at)

    def add(self, severity: Severity, code: FindingCode, line: int, column: str, value: str = "") -> None:
        """A finding at a line of this file."""
        self.findings.add(severity, code, file=self.file, line=line, column=column, value=value)

    def living_rows(self, key: str) -> Iterator[tuple[int, Cells]]:
        """The rows that are complete, with their first line; the keys of ended ones go to `ended`."""
        (at_key,), at_status = self.places(key), self.at.get("status", self.at.get("Status", self.width))
        unkept, told = self._unkept(), dict[str, int]()
        empty = True
        for line, row in self._all_rows():
            empty = False
            if row[at_status] and not self._is_active(row, at_status, line):
                if row[at_key]:
                    self.ended.append(row[at_key])
                else:
                    self.add(ERROR, FindingCode.CELL_EMPTY, line, key)
                continue
            if not self._is_complete(row, line):
                continue
            for _name, place in unkept:
                if row[place]:
                    unkept = self._told(unkept, row, line, told)
                    break
            yield line, row
        if told:
            self.add(NOTE, FindingCode.COLUMN_NOT_KEPT, min(told.values()), _listed(list(told)))
        if empty and self.readable and not self.sheet.lines:
            self.findings.add(WARNING, FindingCode.FILE_EMPTY, file=self.file)

    def _is_complete(self, row: Cells, line: int) -> bool:
        is_complete = True
        for name, place in self._required:
            if not row[place]:
                self.add(ERROR, FindingCode.CELL_EMPTY, line, name)
                is_complete = False
        if is_complete:
            for name, place in self._expected:
                if not row[place]:
                    self._tally(WARNING, FindingCode.CELL_EXPECTED, line, name)
        return is_complete

    def quietly(self) -> Table:
        """The same table for another walk over its rows: what the first walk says is not said again."""
        silent = Table.__new__(Table)
        silent.__dict__.update(self.__dict__, findings=Findings(), ended=[])
        return silent

    def _tally(self, severity: Severity, code: FindingCode, line: int, column: str, value: str = "") -> None:
        self.findings.tally(severity, code, file=self.file, line=line, column=column, value=value)

    def _is_active(self, row: Cells, at_status: int, line: int) -> bool:
        status = vocabulary.fold(row[at_status])
        if status in vocabulary.STATUS_ACTIVE:
            return True
        if status not in vocabulary.STATUS_ENDED:
            self.add(ERROR, FindingCode.STATUS_UNKNOWN, line, "status", row[at_status])
            return True
        if status != "tobedeleted":
            self._tally(WARNING, FindingCode.ROW_ENDED, line, "status", row[at_status])
        return False

    def _unkept(self) -> list[tuple[str, int]]:
        quiet = {"status", "Status", "dateLastModified"}
        return [
            (column.name, self.at[column.name])
            for column in self.spec.columns
            if not column.attribute and column.name in self.at and column.name not in quiet
        ]

    def _told(
        self, unkept: list[tuple[str, int]], row: Cells, line: int, told: dict[str, int]
    ) -> list[tuple[str, int]]:
        """Collects each column that holds something and is not kept, once; of passwords it warns at once."""
        for name, place in unkept:
            if row[place] and name.casefold() == "password":
                self.add(WARNING, FindingCode.PASSWORD_NOT_READ, line, name)
            elif row[place]:
                told[name] = line
        return [(name, place) for name, place in unkept if not row[place]]

    def _all_rows(self) -> Iterator[tuple[int, Cells]]:
        width, header_line = self.width, self.sheet.header_line
        surplus: tuple[int, int] | None = None
        for line, row in self._raw_rows():
            if line <= header_line:
                continue
            row = [cell.strip() for cell in row]
            length = len(row)
            if not any(row):
                continue
            if surplus is None:
                surplus = (max(0, length - width), line)
            if length > width or surplus[0]:
                if any(row[width:]) or length - width != surplus[0]:
                    # One row longer than its neighbours is a value with a separator in it, also where it ends empty.
                    self.add(ERROR, FindingCode.ROW_TOO_LONG, line if length > width else surplus[1], "")
                    surplus = (0, line)
                    continue
                self._tally(NOTE, FindingCode.ROW_TRAILING, line, "")
                del row[width:]
            elif length < width:
                self._tally(WARNING, FindingCode.ROW_SHORT, line, "")
                row.extend([""] * (width - length))
            row.append("")
            yield line, row

    def _raw_rows(self) -> Iterator[tuple[int, Cells]]:
        """Rows with the physical line on which they begin; a row that cannot be split is said and left out."""
        lines = self._lines()
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            line = self.sheet.line(reader.line_num + 1)
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                is_open = "unexpected end" in str(error) or "field larger" in str(error)
                self.add(ERROR, FindingCode.QUOTE_OPEN if is_open else FindingCode.CSV_BROKEN, line, "")
                continue
            if row:
                yield line, row

    def _lines(self) -> Iterator[str]:
        for number, line in enumerate(_text_of(self.sheet.data, self.encoding), start=1):
            if "\0" in line:
                self.add(ERROR, FindingCode.CHARACTER_NUL, self.sheet.line(number), "")
                line = line.replace("\0", "")
            yield line

    # -- cells -----------------------------------------------------------------------------------------------------

    def distinct(self, *names: str) -> dict[str, dict[str, int]]:
        """The different values of some columns, each with the first line where it stands."""
        seen: dict[str, dict[str, int]] = {name: dict(self.sheet.witnesses.get(name, ())) for name in names}
        watched = [(seen[name], self.at[name]) for name in names if name in self.at]
        if watched:
            for line, row in self.quietly()._raw_rows():
                if line <= self.sheet.header_line:
                    continue
                for values, place in watched:
                    if place < len(row) and row[place] not in values:
                        values.setdefault(row[place].strip(), line)
        return seen

    def date_readers(self, *names: str, chosen: str, usual: str = "") -> list[ReadDate]:
        """A reader for each of these columns, its order of day and month decided by all of the column's cells."""
        values = self.distinct(*names)
        proven = {dates.judge_column(cells, chosen="", usual="").order for cells in values.values()} - {""}
        # One program wrote all columns: a 30th of June in one tells how its neighbour is to be read.
        likely = proven.pop() if len(proven) == 1 else usual
        found = {
            name: dates.judge_column(cells, chosen=chosen, usual=likely) for name, cells in values.items()
        }
        return [self._date_reader(name, values[name], column) for name, column in found.items()]

    def _date_reader(self, name: str, cells: dict[str, int], column: dates.DateColumn) -> ReadDate:
        self._say_order(name, cells, column)
        known: dict[str, date | None] = {"": None}

        def read(text: str, line: int) -> date | None:
            if text in known:
                return known[text]
            found = column.read(text)
            if found is None:
                if not (column.trouble and dates.needs_order(text)):
                    self.add(ERROR, FindingCode.DATE_UNREADABLE, line, name, text)
            else:
                known[text] = found
                if dates.has_time(text):
                    self._tally(NOTE, FindingCode.DATE_TIME_CUT, line, name)
            return found

        return read

    def _say_order(self, name: str, cells: dict[str, int], column: dates.DateColumn) -> None:
        value, line = next(((cell, line) for cell, line in cells.items() if dates.needs_order(cell)), ("", 0))
        if not value:
            return
        if column.trouble is not None:
            mixed = column.trouble is dates.Trouble.MIXED
            code = FindingCode.DATE_MIXED if mixed else FindingCode.DATE_AMBIGUOUS
            self.add(ERROR, code, line, name, value)
            return
        if not column.order:
            return
        self.findings.add(
            NOTE,
            FindingCode.DATE_ORDER,
            file=self.file,
            line=line,
            column=name,
            value=value,
            order=dates.ORDER_WORDS[column.order],
        )

    def words(self, name: str, known: Sequence[str], usual: str = "") -> Callable[[str, int], str]:
        """A reader of words of a closed list: other case is said, unknown words are said and kept."""
        by_fold = vocabulary.by_fold(known)
        seen: dict[str, str] = {"": usual, **{word: word for word in known}}

        def read(text: str, line: int) -> str:
            word = seen.get(text)
            if word is not None:
                return word
            word = by_fold.get(vocabulary.fold(text.removeprefix("ext:")))
            where = {"file": self.file, "line": line, "column": name, "value": text}
            if word is not None and text == f"ext:{word}":
                seen[text] = word
            elif word is not None:
                self.findings.tally(NOTE, FindingCode.WORD_CASE, **where, meant=word)  # type: ignore[arg-type]
            elif not text.startswith("ext:"):
                self.findings.tally(WARNING, FindingCode.WORD_UNKNOWN, **where, known=", ".join(known))  # type: ignore[arg-type]
            return word or text.removeprefix("ext:")

        return read

    def flags(self, name: str) -> Callable[[str, int], bool | None]:
        """A reader of true and false; None where the cell is empty or says neither."""
        seen: dict[str, bool | None] = {"": None, "true": True, "false": False}

        def read(text: str, line: int) -> bool | None:
            if text in seen:
                return seen[text]
            word = vocabulary.fold(text)
            flag = True if word in vocabulary.TRUE else False if word in vocabulary.FALSE else None
            code = FindingCode.WORD_CASE if flag is not None else FindingCode.WORD_LEFT_BLANK
            self.findings.tally(
                NOTE if flag is not None else WARNING,
                code,
                file=self.file,
                line=line,
                column=name,
                value=text,
                meant=str(flag).lower(),
                known="true, false",
            )
            return flag

        return read

    def sexes(self, name: str) -> Callable[[str, int], str]:
        """A reader of sexes; what 'M' says is decided by the letters beside it in the column."""
        letter_m = vocabulary.meaning_of_m(self.distinct(name)[name])
        words = {**vocabulary.SEX_WORDS, "m": letter_m, "h": "male"}
        seen: dict[str, str] = {"": "", **{sex: sex for sex in vocabulary.SEXES}}

        def read(text: str, line: int) -> str:
            if text in seen:
                return seen[text]
            sex = words.get(vocabulary.fold(text.removeprefix("ext:")), "")
            self.findings.tally(
                NOTE if sex else WARNING,
                FindingCode.WORD_CASE if sex else FindingCode.WORD_LEFT_BLANK,
                file=self.file,
                line=line,
                column=name,
                value=text,
                meant=sex,
                known=", ".join(vocabulary.SEXES),
            )
            return sex

        return read


def list_of(cell: str) -> tuple[str, ...]:
    """The items of a cell that holds a list: 'a,b'; an item with a comma in it stands in quotation marks."""
    if not cell:
        return ()
    if "," not in cell and '"' not in cell:
        return (cell,)
    if '"' in cell:
        try:
            items = [item for row in csv.reader([cell], skipinitialspace=True, strict=True) for item in row]
        except csv.Error:
            items = cell.split(",")
    else:
        items = cell.split(",")
    return tuple(item for item in map(str.strip, items) if item)
