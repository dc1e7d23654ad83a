"""What a file is that was uploaded as a timetable and is none: told by its first bytes, never by its name. Pure."""

from collections.abc import Iterable
from typing import Final

from pupitre.timetable.rules.findings import Finding, FindingCode
from pupitre.timetable.rules.plan import SourceFile

_PICTURES: Final = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_ARCHIVES: Final = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"\xfd7zXZ\0")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Names inside of a zip or, in UTF-16, of an OLE file, that tell a workbook from a document.
_OF_WORKBOOKS: Final = (b"xl/workbook", b"opendocument.spreadsheet", "Workbook".encode("utf-16-le"))
_OF_DOCUMENTS: Final = (b"word/document", b"opendocument.text", "WordDocument".encode("utf-16-le"))
_LOOKED_AT: Final = 8000
#: Characters below the space that text uses; the zero stands in UTF-16, 0x1a ended the files of DOS.
_OF_TEXT: Final = frozenset(b"\0\t\n\x0b\x0c\r\x1a")
_MOST_STRANGE: Final = 0.05


def foreign_files(files: Iterable[SourceFile]) -> tuple[Finding, ...]:
    """An error for each file that can be neither XML nor CSV: it says what the file is, and what to choose instead."""
    told = [(file.name, _foreign(file.content)) for file in files]
    return tuple(Finding(code, name) for name, code in told if code)


def _foreign(content: bytes) -> FindingCode | None:
    beginning = content[:_LOOKED_AT]
    if b"%PDF-" in beginning[:1024]:
        return FindingCode.IS_PDF
    if _is_picture(beginning):
        return FindingCode.IS_PICTURE
    if beginning.startswith((*_ZIP, _OLE)):
        return _packed(content)
    if beginning.startswith(_ARCHIVES):
        return FindingCode.IS_ARCHIVE
    if _is_web_page(beginning):
        return FindingCode.IS_WEB_PAGE
    return FindingCode.IS_NO_TEXT if _is_no_text(beginning) else None


def _is_picture(beginning: bytes) -> bool:
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return True
    # What phones take: HEIC and AVIF.
    return beginning.startswith(_PICTURES) or (beginning[:3] == b"\0\0\0" and beginning[4:8] == b"ftyp")


def _packed(content: bytes) -> FindingCode:
    """Office programs pack their files as zip archives, and the old ones as OLE."""
    if any(name in content for name in _OF_WORKBOOKS):
        return FindingCode.IS_WORKBOOK
    if content.startswith(_OLE) or any(name in content for name in _OF_DOCUMENTS):
        return FindingCode.IS_DOCUMENT
    return FindingCode.IS_ARCHIVE


def _is_web_page(beginning: bytes) -> bool:
    text = beginning.replace(b"\0", b"").lower()
    return b"<!doctype html" in text[:1000] or b"<html" in text[:1000]


def _is_no_text(beginning: bytes) -> bool:
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False  # UTF-16, in which half of a Greek text are bytes below the space
    strange = sum(byte < 0x20 and byte not in _OF_TEXT for byte in beginning)
    return strange > len(beginning) * _MOST_STRANGE
