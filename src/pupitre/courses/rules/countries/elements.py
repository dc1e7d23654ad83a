"""Reads the rows of an XML file without trusting it: no document type, no entities, limits on everything, no tree in memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, InputSource, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from pupitre.courses.rules.countries.layouts import Layout, sheet_of_rows
from pupitre.courses.rules.findings import FindingCode, Findings, Severity
from pupitre.courses.rules.tables import Table

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ELEMENTS: Final = 3_000_000
MOST_ROWS: Final = 400_000
MOST_LEVELS: Final = 24
_MOST_CHARACTERS: Final = 2000
_LOOKED_AT: Final = 1 << 16
_FIRST_ELEMENT = re.compile(r"<([A-Za-z_][\w.:-]*)")

Row = tuple[int, dict[str, str]]


class UnreadableXmlError(Exception):
    """The file is broken, forbidden or too large; `code` says which."""

    def __init__(self, code: FindingCode, line: int | None = None) -> None:
        super().__init__(code)
        self.code, self.line = code, line


@dataclass(slots=True)
class Document:
    """The rows of each layout, by the layout's name, and the attributes of the root."""

    path: str
    root: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def table(self, layout: Layout, findings: Findings) -> Table:
        """The rows of a layout, to be read as a table is: an element that no row has is a column that is not there."""
        rows = self.rows.get(layout.name, [])
        told = [
            known
            for known in layout.fields
            if not rows or any(name in row for _, row in rows for name in (known.name, *known.aliases))
        ]
        cells = [
            (
                line,
                [next((row[n] for n in (known.name, *known.aliases) if row.get(n)), "") for known in told],
            )
            for line, row in rows
        ]
        sheet = sheet_of_rows(self.path, [(1, [known.name for known in told]), *cells])
        return Table(sheet, layout.spec, findings)

    def first(self, layout: Layout) -> Mapping[str, str]:
        """The first row of a layout, by the names of its fields; empty where there is none."""
        rows = self.rows.get(layout.name)
        return rows[0][1] if rows else {}


def root_of(data: bytes) -> str:
    """The name of the root element, as far as a glance tells; '' for what is no XML."""
    head = data[:_LOOKED_AT]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head.decode("utf-16", "replace")
    else:
        text = head.decode("latin-1")
    if not text.lstrip("ï»¿\ufeff \t\r\n").startswith("<"):
        return ""
    match = _FIRST_ELEMENT.search(text)
    return match[1].upper() if match else ""


def read_rows(path: str, data: bytes, layouts: Sequence[Layout]) -> Document:
    """The rows of these layouts. Raises UnreadableXmlError and nothing else, whatever the bytes."""
    if len(data) > MOST_BYTES:
        raise UnreadableXmlError(FindingCode.XML_TOO_LARGE)
    handler = _Rows(Document(path), layouts)
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(handler)
    source = InputSource()
    if data.startswith(codecs.BOM_UTF8):
        # An editor that adds this mark writes UTF-8, whatever the first line goes on saying.
        source.setEncoding("utf-8")
        data = data.removeprefix(codecs.BOM_UTF8)
    source.setByteStream(BytesIO(data))
    try:
        parser.parse(source)
    except SAXParseException as problem:
        raise UnreadableXmlError(FindingCode.XML_BROKEN, problem.getLineNumber()) from problem
    except DefusedXmlException as problem:
        raise UnreadableXmlError(FindingCode.XML_FORBIDDEN, parser.getLineNumber()) from problem
    except (SAXException, ValueError, LookupError) as problem:
        # An encoding that Python does not know, or does not know byte by byte.
        raise UnreadableXmlError(FindingCode.XML_BROKEN, 1) from problem
    return handler.document


def say(findings: Findings, path: str, problem: UnreadableXmlError) -> None:
    """Puts the problem among the findings."""
    findings.add(Severity.ERROR, problem.code, file=path, line=problem.line)


@dataclass(slots=True)
class _Open:
    """A row whose element is not closed yet; base: the level of its element."""

    layout: Layout
    wanted: frozenset[str]
    base: int
    line: int
    values: dict[str, str]


class _Rows(ContentHandler):
    def __init__(self, document: Document, layouts: Sequence[Layout]) -> None:
        super().__init__()
        self.document = document
        self._layouts: dict[str, list[tuple[Layout, frozenset[str]]]] = {}
        for layout in layouts:
            document.rows[layout.name] = []
            wanted = frozenset(n for known in layout.fields for n in (known.name, *known.aliases))
            self._layouts.setdefault(layout.rows, []).append((layout, wanted))
        self._names: list[str] = []
        self._attributes: list[dict[str, str]] = []
        self._texts: list[list[str]] = []
        self._open: list[_Open] = []
        self._count = self._rows = 0
        self._locator: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 (SAX's name)
        self._locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (SAX's names)
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._names) >= MOST_LEVELS:
            raise UnreadableXmlError(FindingCode.XML_TOO_LARGE)
        attributes = {key.upper(): str(value)[:_MOST_CHARACTERS] for key, value in attrs.items()}
        if not self._names:
            self.document.root, self.document.attributes = name.upper(), attributes
        self._names.append(name.upper())
        self._attributes.append(attributes)
        self._texts.append([])
        for layout, wanted in self._layouts.get("/".join(self._names[1:]), ()):
            self._rows += 1
            if self._rows > MOST_ROWS:
                raise UnreadableXmlError(FindingCode.XML_TOO_LARGE)
            values = {key: v for key, v in self._surroundings() if key in wanted}
            line = self._locator.getLineNumber() if self._locator else None
            self._open.append(_Open(layout, wanted, len(self._names), line or 1, values))
        for row in self._open:
            below = "/".join(self._names[row.base :])
            for key, value in attributes.items():
                self._tell(row, f"{below}/@{key}" if below else f"@{key}", value)

    def _surroundings(self) -> Iterator[tuple[str, str]]:
        for name, attributes in zip(self._names[:-1], self._attributes[:-1], strict=True):
            for key, value in attributes.items():
                yield f"{name}@{key}", value.strip()

    @staticmethod
    def _tell(row: _Open, name: str, value: str) -> None:
        if name in row.wanted and not row.values.get(name):
            row.values[name] = " ".join(value.split())

    def characters(self, content: str) -> None:
        if (
            self._texts
            and sum(map(len, self._texts[-1][-3:])) < _MOST_CHARACTERS
            and len(self._texts[-1]) < _MOST_CHARACTERS
        ):
            self._texts[-1].append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 (SAX's names)
        text = "".join(self._texts.pop())[:_MOST_CHARACTERS]
        for row in self._open:
            if len(self._names) > row.base:
                self._tell(row, "/".join(self._names[row.base :]), text)
        while self._open and self._open[-1].base == len(self._names):
            row = self._open.pop()
            self.document.rows[row.layout.name].append((row.line, row.values))
        self._names.pop()
        self._attributes.pop()
