"""Documentation out of plain files: headings, paragraphs, lists and code in a few signs of Markdown. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_PIECE: Final = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line. `kind` is text, code, strong, em or link."""

    kind: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page. `kind` is title, heading, subheading, text, list, steps, code or table; `anchor` is a heading's."""

    kind: str
    lines: tuple[tuple[Piece, ...], ...] = ()
    code: str = ""
    anchor: str = ""
    #: A table's, the first is its head.
    rows: tuple[tuple[tuple[Piece, ...], ...], ...] = ()

    @property
    def words(self) -> str:
        return "".join(piece.text for line in self.lines for piece in line)


def blocks_of(text: str) -> tuple[Block, ...]:
    """The parts of a text in order."""
    return tuple(_block(part) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """What empty lines part; code keeps its own, whether it is fenced or moved in."""
    fenced = re.split(r"^(```.*?^```)$", text, flags=re.MULTILINE | re.DOTALL)
    for part in fenced:
        if part.startswith("```"):
            yield part
        else:
            yield from (one.strip("\n") for one in re.split(r"\n\s*\n", part) if one.strip())


def _block(part: str) -> Block:
    if part.startswith("```"):
        return Block("code", code=part.strip("`").strip("\n"))
    if part.startswith("    "):
        return Block("code", code="\n".join(line.removeprefix("    ") for line in part.split("\n")))
    if part.startswith("#"):
        return _heading(part)
    if part.startswith("|"):
        return _table(part)
    for sign, kind in ((r"- ", "list"), (r"\d+\. ", "steps")):
        if re.match(sign, part):
            lines = re.split(f"^{sign}", part, flags=re.MULTILINE)
            return Block(kind, tuple(pieces_of(" ".join(line.split())) for line in lines if line.strip()))
    return Block("text", (pieces_of(" ".join(part.split())),))


def _heading(part: str) -> Block:
    signs, _, words = " ".join(part.split()).partition(" ")
    kind = {1: "title", 2: "heading"}.get(len(signs), "subheading")
    return Block(kind, (pieces_of(words),), anchor=re.sub(r"\W+", "-", words.lower()).strip("-"))


def _table(part: str) -> Block:
    lines = [line.strip().strip("|") for line in part.split("\n")]
    rows = [tuple(pieces_of(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)) for line in lines]
    return Block("table", rows=tuple(row for number, row in enumerate(rows) if number != 1))


def pieces_of(line: str) -> tuple[Piece, ...]:
    """A line's stretches."""
    found: list[Piece] = []
    at = 0
    for match in _PIECE.finditer(line):
        if match.start() > at:
            found.append(Piece("text", line[at : match.start()]))
        code, strong, em, words, href = match.groups()
        kind = "code" if code else "strong" if strong else "em" if em else "link"
        found.append(Piece(kind, code or strong or em or words, href or ""))
        at = match.end()
    if at < len(line):
        found.append(Piece("text", line[at:]))
    return tuple(found)
