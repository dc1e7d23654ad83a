"""Files of the server, or of a copy in the house: resumed where they were broken off, accepted only with the right hash."""

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urljoin, urlsplit

from .errors import AddressEnded, CannotApply, Postponed

_PIECE: Final = 1 << 18
#: Left free on the disk whatever is fetched.
_SPARE: Final = 200 << 20

Open = Callable[[urllib.request.Request], Any]


class Downloads:
    """A folder of what was fetched, named by its hash."""

    #: An address had ended: the state must be asked for again.
    address_ended = False

    def __init__(self, folder: Path, open_url: Open) -> None:
        self._folder = folder
        self._open = open_url

    def fetch(self, url: str, sha256: str, size: int, cache: str = "") -> Path:
        """The file with that hash. Raises CannotApply with the reason; what has come already is kept for the next time."""
        if len(sha256) != 64 or not sha256.isalnum():
            raise CannotApply("The file is named without its hash.")
        self._folder.mkdir(parents=True, exist_ok=True)
        whole = self._folder / sha256.lower()
        if whole.exists():
            return whole
        part = whole.with_suffix(".part")
        self._check_room(size - (part.stat().st_size if part.exists() else 0))
        failures: list[Exception] = []
        for source in _sources(url, cache):
            try:
                self._fetch(source, part, sha256)
                self._check(part, sha256)
                part.replace(whole)
            except (OSError, ValueError, CannotApply) as error:
                failures.append(error)
            else:
                return whole
        self.address_ended = self.address_ended or isinstance(failures[-1], AddressEnded)
        raise _failure(failures, str(urlsplit(url).hostname))

    def forget(self, sha256: str) -> None:
        """What was used is not kept."""
        (self._folder / sha256.lower()).unlink(missing_ok=True)

    def _check_room(self, needed: int) -> None:
        if shutil.disk_usage(self._folder).free < needed + _SPARE:
            raise CannotApply(f"There is no room on the disk for {needed / 1e6:.0f} MB.")

    def _fetch(self, url: str, part: Path, sha256: str) -> None:
        have = part.stat().st_size if part.exists() else 0
        request = urllib.request.Request(url)  # noqa: S310 - `_sources` lets only http and https through
        if have:
            request.add_header("Range", f"bytes={have}-")
            request.add_header("If-Range", f'"{sha256.lower()}"')
        try:
            answer = self._open(request)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # all of it is here; the hash decides
            raise _of_answer(error) from error
        with closing(answer), part.open("ab" if answer.status == 206 else "wb") as file:
            announced = answer.headers.get("Content-Length", "")
            come = 0
            for piece in _pieces(answer):
                file.write(piece)
                come += len(piece)
        if announced.isdigit() and come < int(announced):
            # What has come is kept: the next time goes on from there.
            raise OSError(f"broken off after {come} of {announced} bytes")

    def _check(self, part: Path, sha256: str) -> None:
        digest = hashlib.sha256()
        with part.open("rb") as file:
            for piece in _pieces(file):
                digest.update(piece)
        if digest.hexdigest() != sha256.lower():
            part.unlink()
            raise CannotApply("What came is not the file that was announced: its hash differs.")


def _of_answer(error: urllib.error.HTTPError) -> CannotApply:
    if error.code == http.client.GONE:
        return AddressEnded("The address of the file has ended.")
    if error.code in {http.client.TOO_MANY_REQUESTS, http.client.SERVICE_UNAVAILABLE}:
        told = error.headers.get("Retry-After", "")
        return Postponed("The server asks to wait.", float(told) if told.isdigit() else 60.0)
    return CannotApply(f"The server answered {error.code}.")


def _failure(failures: list[Exception], host: str) -> CannotApply:
    """The last source's failure, which is the server's own: a copy in the house that fails is nobody's fault."""
    last = failures[-1]
    if isinstance(last, CannotApply):
        return last
    return Postponed(f"{host}: {last}")


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _sources(url: str, cache: str) -> list[str]:
    """Where to ask, the house's copy first: the same path at its address."""
    address = urlsplit(url)
    found = [url]
    if cache:
        path = address.path + (f"?{address.query}" if address.query else "")
        found.insert(0, urljoin(cache, path))
    if any(urlsplit(one).scheme not in {"http", "https"} for one in found):
        raise CannotApply("A file can only be fetched by HTTP.")
    return found
