"""A small, suspicious XML reader: no document type, no entities, limits on everything, and the line of each element."""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Final
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, InputSource, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from pupitre.timetable.rules.words import tidy

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_ELEMENTS: Final = 400_000
MOST_LEVELS: Final = 32


class MalformedXmlError(Exception):
    """The file is not well-formed."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


class ForbiddenXmlError(Exception):
    """The file declares a document type or entities."""

    def __init__(self, line: int | None = None) -> None:
        super().__init__("document type or entity declaration")
        self.line = line


class OversizedXmlError(Exception):
    """The file is larger or deeper than any that is meant honestly."""


@dataclass(slots=True)
class Element:
    """An element: `tag` as written, `key` its tag without case and underscores, tidy text, children in order."""

    tag: str
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    @property
    def key(self) -> str:
        return tag_key(self.tag)

    def all(self, *keys: str) -> list["Element"]:
        """The children whose key is one of `keys`."""
        return [child for child in self.children if child.key in keys]

    def first(self, *keys: str) -> "Element | None":
        return next((child for child in self.children if child.key in keys), None)

    def value(self, *keys: str) -> str:
        """The text of the first such child, or ""."""
        child = self.first(*keys)
        return child.text if child else ""

    def values(self, *keys: str) -> tuple[str, ...]:
        """The texts of all such children, without empty ones and repetitions."""
        return tuple(dict.fromkeys(child.text for child in self.all(*keys) if child.text))


def tag_key(tag: str) -> str:
    """A tag without case, underscores and hyphens: programs changed these between versions."""
    return tag.replace("_", "").replace("-", "").casefold()


class _Builder(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        self._locator: Locator | None = None

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 (SAX's name)
        self._locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 (SAX's names)
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._open) >= MOST_LEVELS:
            raise OversizedXmlError
        line = self._locator.getLineNumber() if self._locator else None
        element = Element(name, line or 1)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def characters(self, content: str) -> None:
        if self._texts:
            self._texts[-1].append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 (SAX's names)
        self._open.pop().text = tidy("".join(self._texts.pop()))


def parse_xml(content: bytes) -> Element:
    """The root element. Raises MalformedXmlError, ForbiddenXmlError or OversizedXmlError, and nothing else, whatever the bytes."""
    if len(content) > MOST_BYTES:
        raise OversizedXmlError
    builder = _Builder()
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(builder)
    source = InputSource()
    source.setByteStream(BytesIO(content))
    try:
        parser.parse(source)
    except SAXParseException as problem:
        raise MalformedXmlError(str(problem.getMessage()), problem.getLineNumber()) from problem
    except DefusedXmlException as problem:
        raise ForbiddenXmlError(parser.getLineNumber()) from problem
    except (SAXException, ValueError, LookupError) as problem:
        # An encoding that Python does not know, or does not know byte by byte.
        raise MalformedXmlError(str(problem)) from problem
    if builder.root is None:
        raise MalformedXmlError("no element found", 1)
    return builder.root
