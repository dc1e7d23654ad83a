"""Reads the first sheet of an .xlsx workbook without trusting it: plain texts of cells, dates in ISO form, limits on everything.

Read with our own few lines, as elements are: what a country's export needs of the format is little, and a workbook that
someone uploads must not be able to exhaust the server.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, InputSource

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

MOST_BYTES: Final = 96 * 1024 * 1024
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 400
MOST_CELLS: Final = 4_000_000
_MOST_CHARACTERS: Final = 2000

Row = tuple[int, list[str]]


class UnreadableWorkbookError(Exception):
    """No workbook, a broken one, or one that is larger than a school's."""


def is_workbook(path: str, data: bytes) -> bool:
    """Whether the file is to be read as a workbook; what is in it is seen when it is read."""
    return path.lower().endswith(".xlsx") and data.startswith(b"PK\x03\x04")


def first_sheet(data: bytes) -> list[Row]:
    """The rows with anything in them, numbered as the spreadsheet numbers them. Raises UnreadableWorkbookError only."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Workbook(archive).rows()
    except UnreadableWorkbookError:
        raise
    except (SAXException, SAXParseException, DefusedXmlException, zipfile.BadZipFile, zlib.error) as problem:
        raise UnreadableWorkbookError from problem
    except (ValueError, LookupError, RuntimeError, OSError, EOFError, OverflowError, MemoryError) as problem:
        raise UnreadableWorkbookError from problem
    except Exception as problem:
        # The decompressors of bz2 and lzma raise classes of their own; zipfile lets struct.error through.
        if type(problem).__module__ in {"struct", "lzma", "_lzma", "bz2", "_bz2"}:
            raise UnreadableWorkbookError from problem
        raise


class _Workbook:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._left = archive, MOST_BYTES
        self._names = set(archive.namelist())
        if "xl/workbook.xml" not in self._names:
            raise UnreadableWorkbookError

    def rows(self) -> list[Row]:
        book = _Book()
        self._parse("xl/workbook.xml", book)
        links = _Links()
        self._parse("xl/_rels/workbook.xml.rels", links)
        path = links.targets.get(book.first_sheet, "worksheets/sheet1.xml")
        path = path.removeprefix("/") if path.startswith("/") else f"xl/{path}"
        if path not in self._names:
            raise UnreadableWorkbookError
        texts, styles = _SharedTexts(), _Styles()
        self._parse("xl/sharedStrings.xml", texts)
        self._parse("xl/styles.xml", styles)
        cells = _Cells(texts.texts, styles.dates(), date(1904, 1, 1) if book.is_1904 else _EPOCH)
        self._parse(path, cells)
        return cells.rows

    def _parse(self, name: str, handler: ContentHandler) -> None:
        """A part of the workbook; one that is not there says nothing."""
        if name not in self._names:
            return
        with self._archive.open(name) as stream:
            content = stream.read(self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise UnreadableWorkbookError
        parser = DefusedExpatParser(forbid_dtd=True)
        parser.setContentHandler(handler)
        source = InputSource()
        source.setByteStream(io.BytesIO(content))
        parser.parse(source)


_EPOCH: Final = date(1899, 12, 30)


def _bare(name: str) -> str:
    """An element's name without the prefix that some programs put before all of them."""
    return name.rpartition(":")[2]


class _Book(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.first_sheet, self.is_1904 = "", False

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (SAX's names)
        if _bare(name) == "sheet" and not self.first_sheet:
            told = {_bare(key): value for key, value in attrs.items() if ":" in key}
            self.first_sheet = str(told.get("id", ""))
        elif _bare(name) == "workbookPr":
            self.is_1904 = attrs.get("date1904", "") in {"1", "true"}


class _Links(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.targets: dict[str, str] = {}

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (SAX's names)
        if _bare(name) == "Relationship":
            self.targets[attrs.get("Id", "")] = attrs.get("Target", "")


class _Texts(ContentHandler):
    """Collects the text of `t` elements; phonetic readings beside them are left out."""

    def __init__(self) -> None:
        super().__init__()
        self._inside = self._phonetic = 0
        self.text: list[str] = []

    def open_text(self, name: str) -> None:
        self._inside += name == "t"
        self._phonetic += name == "rPh"

    def close_text(self, name: str) -> None:
        self._inside -= name == "t"
        self._phonetic -= name == "rPh"

    def characters(self, content: str) -> None:
        if self._inside and not self._phonetic and len(self.text) < _MOST_CHARACTERS:
            self.text.append(content)

    def taken(self) -> str:
        text = "".join(self.text)[:_MOST_CHARACTERS]
        self.text = []
        return text


class _SharedTexts(_Texts):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (SAX's names)
        self.open_text(_bare(name))

    def endElement(self, name: str) -> None:  # noqa: N802 (SAX's names)
        self.close_text(_bare(name))
        if _bare(name) == "si":
            self.texts.append(self.taken())


class _Styles(ContentHandler):
    """Which styles of cells show a date."""

    def __init__(self) -> None:
        super().__init__()
        self._formats: dict[str, str] = {}
        self._styles: list[str] = []
        self._in_cells = False

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (SAX's names)
        bare = _bare(name)
        if bare == "numFmt":
            self._formats[attrs.get("numFmtId", "")] = attrs.get("formatCode", "")
        elif bare == "cellXfs":
            self._in_cells = True
        elif bare == "xf" and self._in_cells:
            self._styles.append(attrs.get("numFmtId", "0"))

    def endElement(self, name: str) -> None:  # noqa: N802 (SAX's names)
        if _bare(name) == "cellXfs":
            self._in_cells = False

    def dates(self) -> frozenset[str]:
        return frozenset(str(n) for n, style in enumerate(self._styles) if self._is_date(style))

    def _is_date(self, style: str) -> bool:
        if style in {"14", "15", "16", "17", "22"}:
            return True
        bare = re.sub(r'"[^"]*"|\[[^]]*\]|\\.', "", self._formats.get(style, "")).lower()
        return "y" in bare and "d" in bare


class _Cells(_Texts):
    def __init__(self, shared: list[str], dates: frozenset[str], epoch: date) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._shared, self._dates, self._epoch = shared, dates, epoch
        self._row: list[str] = []
        self._number = self._column = self._count = 0
        self._type = self._style = ""
        self._in_value = False
        self._value: list[str] = []

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (SAX's names)
        bare = _bare(name)
        self.open_text(bare)
        if bare == "row":
            self._begin_row(attrs)
        elif bare == "c":
            self._spend(1)
            self._column = _column(attrs.get("r", "")) or self._column + 1
            self._type, self._style, self._value = attrs.get("t", "n"), attrs.get("s", ""), []
        elif bare == "v":
            self._in_value = True

    def _spend(self, cells: int) -> None:
        """Counts cells, the empty ones before a cell, too: a sheet may claim its last column in every row."""
        self._count += cells
        if self._count > MOST_CELLS:
            raise UnreadableWorkbookError

    def _begin_row(self, attrs: Mapping[str, str] | AttributesImpl) -> None:
        told = attrs.get("r", "")
        number = int(told) if str(told).isdecimal() else self._number + 1
        self._number, self._column, self._row = max(number, self._number + 1), 0, []
        if self._number > MOST_ROWS:
            raise UnreadableWorkbookError

    def characters(self, content: str) -> None:
        if self._in_value and len(self._value) < _MOST_CHARACTERS:
            self._value.append(content)
        super().characters(content)

    def endElement(self, name: str) -> None:  # noqa: N802 (SAX's names)
        bare = _bare(name)
        self.close_text(bare)
        if bare == "v":
            self._in_value = False
        elif bare == "c":
            self._end_cell()
        elif bare == "row" and any(self._row):
            self.rows.append((self._number, self._row))

    def _end_cell(self) -> None:
        text = self.taken() if self._type == "inlineStr" else self._meaning("".join(self._value))
        self.text = []
        if text and self._column <= MOST_COLUMNS:
            missing = max(0, self._column - len(self._row))
            self._spend(missing)
            self._row.extend([""] * missing)
            self._row[self._column - 1] = " ".join(text.split())

    def _meaning(self, value: str) -> str:
        if self._type == "s":
            place = int(value or 0)
            return self._shared[place] if 0 <= place < len(self._shared) else ""
        if self._type != "n" or not value:
            return "" if self._type == "e" else value[:_MOST_CHARACTERS]
        number = float(value)
        if self._style in self._dates and 0 < number < 200_000:
            return (self._epoch + timedelta(days=int(number))).isoformat()
        return str(int(number)) if number == int(number) and abs(number) < 1e15 else value


def _column(reference: str) -> int:
    """The number of a cell's column: 'C7' is 3; 0 where there is no reference."""
    number = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    return number
