"""Opens a zip that someone uploaded, without trusting it."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pupitre.courses.rules.findings import Finding, FindingCode, Severity

MEBIBYTE = 1 << 20
# A million people with everything about them are some 400 MB.
MOST_BYTES = 2048 * MEBIBYTE
MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The files of a zip, by their path; empty where a finding says why it was refused."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def files_of_zip(data: bytes, *, most_bytes: int = MOST_BYTES, most_entries: int = MOST_ENTRIES) -> Unpacked:
    """Unpacks the CSV and text files in memory; all or nothing.

    What a zip says about its sizes is not believed: reading stops at most_bytes whatever it says.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unpacked(archive, most_bytes, most_entries)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
        return _refused(FindingCode.ZIP_BROKEN)
    except (ValueError, RuntimeError, UnicodeError, OverflowError, MemoryError):
        return _refused(FindingCode.ZIP_BROKEN)
    except Exception as error:
        # The decompressors of bz2 and lzma raise classes of their own; zipfile lets struct.error through.
        if type(error).__module__ in {"struct", "lzma", "_lzma", "bz2", "_bz2"}:
            return _refused(FindingCode.ZIP_BROKEN)
        raise


def _refused(code: FindingCode, file: str = "", params: Mapping[str, str | int] | None = None) -> Unpacked:
    return Unpacked(findings=(Finding(Severity.ERROR, code, file, params=params or {}),))


def _unpacked(archive: zipfile.ZipFile, most_bytes: int, most_entries: int) -> Unpacked:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    too_large: dict[str, str | int] = {"limit": f"{most_bytes // MEBIBYTE} MiB", "entries": most_entries}
    if len(entries) > most_entries:
        return _refused(FindingCode.ZIP_TOO_LARGE, params=too_large)
    files: dict[str, bytes] = {}
    left = most_bytes
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if leads_outside(name):
            return _refused(FindingCode.ZIP_PATH, file=entry.filename[:200])
        if not is_roster_file(name):
            continue
        if entry.flag_bits & 1:
            return _refused(FindingCode.ZIP_ENCRYPTED)
        with archive.open(entry) as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            return _refused(FindingCode.ZIP_TOO_LARGE, params=too_large)
        files[name] = content
    return Unpacked(files)


def leads_outside(name: str) -> bool:
    """Whether a path in a zip points outside of the folder that it is unpacked to."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":") or "\0" in name


def is_archive(path: str, data: bytes) -> bool:
    """Whether a file is a zip to be unpacked; a workbook is one, too, and stays whole."""
    name = path.lower()
    return name.endswith(".zip") or (data.startswith(b"PK\x03\x04") and not name.endswith(".xlsx"))


def is_roster_file(path: str) -> bool:
    """Whether a path can be a file of a roster; what Macs and editors leave in folders is not."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if not parts or parts[-1].startswith((".", "~")) or "__MACOSX" in parts:
        return False
    return parts[-1].lower().endswith((".csv", ".txt", ".tsv", ".xml", ".xlsx"))
