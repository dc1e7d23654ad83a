"""Reading what a package says of itself: Android's APK and Debian's deb. Pure; fed with whatever somebody uploads.

An APK is a zip whose AndroidManifest.xml is binary XML: chunks of (type, header size, size), among them a pool of strings, the
resource ids of attribute names, and elements with typed attributes (Android's ResourceTypes.h). A deb is an `ar` archive whose
control.tar names package and version. What neither says, as msi does not, people type.
"""

import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Final

from .applications import NotAPackage

#: As much as a page takes in (`web.middleware.BodyLimitMiddleware`). Larger ones are named by their maker's address.
LARGEST: Final = 255 * 1024 * 1024
_LARGEST_MANIFEST: Final = 8 * 1024 * 1024
_LARGEST_CONTROL: Final = 4 * 1024 * 1024
_VERSION_CODE, _VERSION_NAME, _VERSION_CODE_MAJOR = 0x0101021B, 0x0101021C, 0x01010576
_STRING, _FIRST_INT, _LAST_INT = 0x03, 0x10, 0x1F
_POOL, _XML, _IDS, _START = 0x0001, 0x0003, 0x0180, 0x0102
_UTF8: Final = 0x100
_NO_STRING: Final = 0xFFFFFFFF
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_AR: Final = b"!<arch>\n"
_PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """What the file says. "" and 0 where it does not say."""

    kind: str
    package: str = ""
    version: str = ""
    code: int = 0


def read_package(stream: IO[bytes]) -> PackageFacts:
    """What kind of package this is and what it says of itself; the stream stands anywhere afterwards.

    Raises NotAPackage, and nothing else, whatever is in the file.
    """
    stream.seek(0)
    head = stream.read(8)
    stream.seek(0)
    try:
        if head == _AR:
            return _deb(stream)
        if head == _OLE:
            return PackageFacts("msi")
        if head[:4] == b"PK\x03\x04":
            return _apk(stream)
    except (
        zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, struct.error, EOFError, KeyError, IndexError,
        ValueError, OverflowError, NotImplementedError, RuntimeError, OSError,
    ):  # fmt: skip
        raise NotAPackage from None
    raise NotAPackage


# APK


def _apk(stream: IO[bytes]) -> PackageFacts:
    with zipfile.ZipFile(stream) as archive:
        found = archive.getinfo("AndroidManifest.xml")
        if found.file_size > _LARGEST_MANIFEST:
            raise NotAPackage
        with archive.open(found) as manifest:
            data = manifest.read(_LARGEST_MANIFEST + 1)
    if len(data) > _LARGEST_MANIFEST:
        raise NotAPackage
    facts = read_manifest(data)
    if not _PACKAGE.fullmatch(facts.package):
        raise NotAPackage
    return facts


def read_manifest(data: bytes) -> PackageFacts:
    """The facts of a binary AndroidManifest.xml; of its first element, which is `manifest`."""
    kind, header, size = struct.unpack_from("<HHI", data, 0)
    if kind != _XML:
        raise ValueError
    strings: list[str] = []
    ids: list[int] = []
    at, end = header, min(size, len(data))
    while at + 8 <= end:
        kind, header, size = struct.unpack_from("<HHI", data, at)
        if size < 8:
            raise ValueError
        if kind == _POOL:
            strings = _strings(data, at, header)
        elif kind == _IDS:
            count = (size - header) // 4
            ids = list(struct.unpack_from(f"<{count}I", data, at + header))
        elif kind == _START:
            return _manifest(data, at + header, strings, ids)
        at += size
    raise ValueError


def _strings(data: bytes, at: int, header: int) -> list[str]:
    count, _styles, flags, start, _ = struct.unpack_from("<5I", data, at + 8)
    if count > len(data) // 4:
        raise ValueError
    offsets = struct.unpack_from(f"<{count}I", data, at + header)
    read = _utf8 if flags & _UTF8 else _utf16
    return [read(data, at + start + offset) for offset in offsets]


def _utf16(data: bytes, at: int) -> str:
    (length,) = struct.unpack_from("<H", data, at)
    at += 2
    if length & 0x8000:
        (low,) = struct.unpack_from("<H", data, at)
        length, at = (length & 0x7FFF) << 16 | low, at + 2
    return data[at : at + 2 * length].decode("utf-16-le", errors="replace")


def _utf8(data: bytes, at: int) -> str:
    _, at = _short(data, at)  # in characters
    length, at = _short(data, at)  # in bytes
    return data[at : at + length].decode(errors="replace")


def _short(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first & 0x80:
        return (first & 0x7F) << 8 | data[at + 1], at + 2
    return first, at + 1


def _manifest(data: bytes, at: int, strings: list[str], ids: list[int]) -> PackageFacts:
    name, start, size, count = struct.unpack_from("<4xIHHH", data, at)
    if strings[name] != "manifest" or size < 20:
        raise ValueError
    package, version, code, major = "", "", 0, 0
    for number in range(count):
        _, key, raw, kind, value = struct.unpack_from("<III3xBI", data, at + start + number * size)
        identity = ids[key] if key < len(ids) else 0
        text = strings[value] if kind == _STRING else strings[raw] if raw != _NO_STRING else ""
        integer = value if _FIRST_INT <= kind <= _LAST_INT else 0
        if strings[key] == "package" and not identity:
            package = text
        elif identity == _VERSION_CODE:
            code = integer
        elif identity == _VERSION_CODE_MAJOR:
            major = integer
        elif identity == _VERSION_NAME:
            version = text  # "" where it is the name of a resource: then people type it
    return PackageFacts("apk", package, version, (major & 0x7FFFFFFF) << 32 | code)


# deb


def _deb(stream: IO[bytes]) -> PackageFacts:
    stream.seek(len(_AR))
    while header := stream.read(60):
        if len(header) < 60 or header[58:] != b"`\n":
            raise ValueError
        name, size = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        if size < 0:
            raise ValueError
        if name == "control.tar.zst":
            return PackageFacts("deb")  # nothing here reads zstd: people type what it is
        if name.startswith("control.tar"):
            if size > _LARGEST_CONTROL:
                raise ValueError
            return _control(name, stream.read(size))
        stream.seek(size + size % 2, io.SEEK_CUR)
    raise ValueError


def _control(name: str, data: bytes) -> PackageFacts:
    with tarfile.open(fileobj=io.BytesIO(_unpacked(name, data)), mode="r:") as archive:
        for member in archive:
            if (
                member.isfile()
                and member.name.removeprefix("./") == "control"
                and member.size < _LARGEST_CONTROL
            ):
                held = archive.extractfile(member)
                return _fields(held.read().decode(errors="replace") if held else "")
    raise ValueError


def _unpacked(name: str, data: bytes) -> bytes:
    """The archive, as far as it is no bomb."""
    if name.endswith(".xz"):
        return lzma.LZMADecompressor(memlimit=64 * 1024 * 1024).decompress(data, _LARGEST_CONTROL)
    if name.endswith(".gz"):
        return zlib.decompressobj(31).decompress(data, _LARGEST_CONTROL)
    if name.endswith(".tar"):
        return data
    raise NotAPackage


def _fields(control: str) -> PackageFacts:
    told = dict(
        line.split(":", 1) for line in control.splitlines() if ":" in line and not line.startswith(" ")
    )
    package, version = told.get("Package", "").strip(), told.get("Version", "").strip()
    if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", package) or not version:
        raise ValueError
    return PackageFacts("deb", package, version[:80])
