"""Takes the passwords out of a roster's files before they are stored anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from pupitre.courses.rules import vocabulary
from pupitre.courses.rules.tables import sheet_of

_TABLES = (".csv", ".txt", ".tsv")


def without_passwords(path: str, data: bytes) -> tuple[bytes, bool]:
    """The file with its column of passwords emptied, and whether any stood there. All other bytes stay as they are."""
    if not path.lower().endswith(_TABLES):
        # Formats that have no place for a password, and that would not survive being taken for a table.
        return data, False
    sheet = sheet_of(path, data)
    there = [
        (len(cells), delimiter, at)
        for delimiter, cells in sheet.delimiters.items()
        for at, cell in enumerate(cells)
        if vocabulary.fold(cell) == "password"
    ]
    if not there:
        return data, False
    _, delimiter, at = max(there)
    # Separators and quotation marks are ASCII in all encodings but UTF-16, and Latin-1 keeps every byte as it is.
    encoding = sheet.encoding if "16" in sheet.encoding else "latin-1"
    text = data.decode(encoding, "surrogatepass" if "16" in encoding else "strict")
    out, found = [], False
    for number, record in _records(text, sheet.header_line):
        changed = record if number == 0 else emptied(record, delimiter, at)
        found = found or changed != record
        out.append(changed)
    if not found:
        return data, False
    end = "\n" if "\n" in text else "\r"
    return end.join(out).encode(encoding, "surrogatepass" if "16" in encoding else "strict"), True


def _records(text: str, header_line: int) -> Iterator[tuple[int, str]]:
    """Records with their line breaks inside; 0 and the text for what stands up to the header, which is left alone."""
    end = "\n" if "\n" in text else "\r"
    lines = text.split(end)
    yield from ((0, line) for line in lines[:header_line])
    held: list[str] = []
    for number, line in enumerate(lines[header_line:], start=1):
        if not held and '"' not in line:
            yield number, line
            continue
        held.append(line)
        if line.count('"') % 2 == (1 if len(held) > 1 else 0):
            yield number, end.join(held)
            held = []
    # A quotation mark that never closes: the file is refused, and what it hides is emptied line by line.
    yield from ((1, line.replace('"', "")) for line in held)


def emptied(record: str, delimiter: str, at: int) -> str:
    """A record as it stands in the file, with one cell emptied."""
    cells: list[str] = []
    is_open = False
    for piece in record.split(delimiter):
        if is_open:
            cells[-1] += delimiter + piece
        else:
            cells.append(piece)
        if piece.count('"') % 2:
            is_open = not is_open
    if len(cells) > at:
        cells[at] = "\r" if cells[at].endswith("\r") else ""
    return delimiter.join(cells)
