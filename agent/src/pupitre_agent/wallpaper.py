"""The picture behind everything: a policy names an address, a desktop a file."""

import hashlib
import urllib.request
from contextlib import closing
from typing import Any, Final
from urllib.parse import urlsplit

from .downloads import Open
from .errors import CannotApply
from .machine import WINDOWS, Machine

_FOLDER: Final = {"linux": "/usr/local/share/backgrounds/", WINDOWS: "C:\\Users\\Public\\Pictures\\"}
_MOST: Final = 25_000_000
#: How each kind begins.
_KINDS: Final = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg", b"RIFF": "webp", b"<svg": "svg"}


def is_address(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in {"http", "https"}


def place_of(machine: Machine, address: str) -> str:
    """Where the picture of that address lies once it was fetched; empty before."""
    name = _name(address)
    found = next((one for one in machine.names(_FOLDER[machine.system]) if one.startswith(f"{name}.")), "")
    return _FOLDER[machine.system] + found if found else ""


def _name(address: str) -> str:
    return f"pupitre-{hashlib.sha256(address.encode()).hexdigest()[:16]}"


def fetch(machine: Machine, address: str, open_url: Open) -> None:
    """Fetch it, in the place of an earlier one. Raises CannotApply."""
    try:
        with closing(open_url(urllib.request.Request(address))) as answer:  # noqa: S310 - `is_address` was asked
            content: bytes = answer.read(_MOST + 1)
    except OSError as error:
        raise CannotApply(f"The picture could not be fetched: {error}") from error
    kind = next((kind for start, kind in _KINDS.items() if content.startswith(start)), "")
    if not kind or len(content) > _MOST:
        raise CannotApply(
            "What lies at the address of the picture is none (PNG, JPEG, WebP, SVG), or too large."
        )
    folder = _FOLDER[machine.system]
    for name in machine.names(folder):
        if name.startswith("pupitre-"):
            machine.remove(folder + name)
    machine.write(f"{folder}{_name(address)}.{kind}", content)


def with_place(machine: Machine, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that name the file. Raises CannotApply while it is not there."""
    address = settings.get("wallpaper")
    if not is_address(address):
        return settings
    place = place_of(machine, str(address))
    if not place:
        raise CannotApply("The picture has not been fetched yet.")
    return {**settings, "wallpaper": place}
