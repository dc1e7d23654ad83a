"""Packages for tests, written from the formats' public descriptions."""

import io
import struct
import tarfile
import zipfile

_NAMES = ["versionCode", "versionName", "manifest", "package"]
_IDS = (0x0101021B, 0x0101021C)


def _pool(strings: list[str], *, wide: bool) -> bytes:
    offsets, data = [], b""
    for one in strings:
        offsets.append(len(data))
        if wide:
            data += struct.pack("<H", len(one)) + one.encode("utf-16-le") + b"\0\0"
        else:
            data += bytes([len(one), len(one.encode())]) + one.encode() + b"\0"
    data += b"\0" * (-len(data) % 4)
    start = 28 + 4 * len(strings)
    head = struct.pack("<HHI5I", 1, 28, start + len(data), len(strings), 0, 0 if wide else 0x100, start, 0)
    return head + struct.pack(f"<{len(strings)}I", *offsets) + data


def manifest(package: str, version: str, code: int, *, wide: bool = True) -> bytes:
    """A binary AndroidManifest.xml with nothing but its first element."""
    pool = _pool([*_NAMES, package, version], wide=wide)
    ids = struct.pack("<HHI2I", 0x0180, 8, 16, *_IDS)
    nothing = 0xFFFFFFFF
    attributes = b"".join(
        struct.pack("<IIIHBBI", nothing, key, raw, 8, 0, kind, value)
        for key, raw, kind, value in ((0, nothing, 0x10, code), (1, 5, 0x03, 5), (3, 4, 0x03, 4))
    )
    element = struct.pack("<IIHHHHHH", nothing, 2, 20, 20, 3, 0, 0, 0) + attributes
    start = struct.pack("<HHIII", 0x0102, 16, 16 + len(element), 1, nothing) + element
    body = pool + ids + start
    return struct.pack("<HHI", 3, 8, 8 + len(body)) + body


def apk(
    package: str = "org.example.atlas", version: str = "2.1", code: int = 21, *, wide: bool = True
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("AndroidManifest.xml", manifest(package, version, code, wide=wide))
        archive.writestr("classes.dex", b"dex")
    return out.getvalue()


def deb(package: str = "atlas", version: str = "2.1-1", *, packed: str = "gz") -> bytes:
    control = f"Package: {package}\nVersion: {version}\nDescription: an atlas\n with: more\n".encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{packed}") as archive:  # type: ignore[call-overload]
        facts = tarfile.TarInfo("./control")
        facts.size = len(control)
        archive.addfile(facts, io.BytesIO(control))
    members = [("debian-binary", b"2.0\n"), (f"control.tar.{packed}", out.getvalue()), ("data.tar.xz", b"-")]
    found = b"!<arch>\n"
    for name, data in members:
        found += (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
            + data
            + b"\n" * (len(data) % 2)
        )
    return found
