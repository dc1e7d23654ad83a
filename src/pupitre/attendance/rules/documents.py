"""What a justification's document may be: told by its content, never by its name. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from pupitre.kernel.errors import Refused

LARGEST_BYTES: Final = 10 * 1024 * 1024
#: ISO base media brands of HEIF images (ISO/IEC 23008-12).
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})


class TooLarge(Refused):
    """The document is larger than 10 MB. Take the photo again with a lower resolution, or send it in parts."""


class UnknownDocument(Refused):
    """This is neither a PDF nor a photo (JPEG, PNG, HEIC). Choose another file."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was uploaded."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A file whose content is what its type says; `name` is safe to hand to a browser."""

    name: str
    media_type: str
    data: bytes


def check_document(document: Document) -> CheckedDocument:
    """The document with the type that its content has. Raises TooLarge or UnknownDocument."""
    if len(document.data) > LARGEST_BYTES:
        raise TooLarge
    found = _kind_of(document.data)
    if found is None:
        raise UnknownDocument
    extension, media_type = found
    return CheckedDocument(safe_name(document.name, extension), media_type, document.data)


def _kind_of(data: bytes) -> tuple[str, str] | None:
    if data.startswith(b"%PDF-"):
        return "pdf", "application/pdf"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg", "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", "image/png"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "heic", "image/heic"
    return None


def safe_name(name: str, extension: str) -> str:
    """The file's own name without folders and control characters, with the extension that its content has."""
    stem = re.split(r"[\\/]", name)[-1].rpartition(".")[0] or name
    stem = re.sub(r"[\x00-\x1f\x7f\"<>:|?*\\/]+", " ", stem).strip(" .")[:80] or "document"
    return f"{stem}.{extension}"
