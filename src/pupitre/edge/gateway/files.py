"""Files for devices: whoever has a signed address gets the object, or a range of it, until the address ends.

No device is asked who it is here: a site's cache fetches once for all. What a site may fetch in an hour stands in the address.
"""

import re
from collections.abc import AsyncIterator, Coroutine, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pupitre.devices.rules.downloads import DOWNLOADS, Download, read_download
from pupitre.devices.rules.headwind import signing
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied, DomainError, NotFound, TooMany
from pupitre.kernel.signing import derived
from pupitre.kernel.storage import opened_store

from .protocols import Gateway
from .wire import Answer, Receive, Request, Route, Scope, Send

if TYPE_CHECKING:
    from obstore.store import ObjectStore

#: Bytes that are in memory for one download.
_PIECE: Final = 262_144
_MEGABYTE: Final = 1_000_000
#: A site may fetch at once what it may fetch in this share of an hour.
_BURST: Final = 0.25
_RANGE: Final = re.compile(rb"bytes=(\d{0,18})-(\d{0,18})")


class NotSigned(Denied):
    """This address was not made here."""


class AddressEnded(DomainError):
    """This address has ended. Ask for the state again: it has a new one."""

    status = 410


class SiteBudget(TooMany):
    """This site has fetched what it may at present. Come again after the pause that is named."""

    retry_after = 60


class Budgets:
    """What each site has fetched lately, at this process: a bucket that fills by its budget."""

    def __init__(self) -> None:
        self._left: dict[int, tuple[float, float]] = {}

    def take(self, site: int, budget: int, size: int, now: datetime) -> None:
        """Count a download of this size. `budget` in megabytes an hour. Raises SiteBudget naming a pause."""
        if not (site and budget):
            return
        at, rate = now.timestamp(), budget * _MEGABYTE / 3600
        most = max(rate * 3600 * _BURST, 1.0)
        left, since = self._left.get(site, (most, at))
        left = min(most, left + (at - since) * rate)
        if left <= 0:
            self._left[site] = (left, at)
            error = SiteBudget()
            error.retry_after = int(min(3600, 1 - left / rate))
            raise error
        # A file that is larger than the bucket goes through, and is paid for by those that follow.
        self._left[site] = (left - size, at)


class Files:
    """The adapter of downloads."""

    def __init__(self, gateway: Gateway) -> None:
        config = gateway.config
        self._secrets = tuple(derived(one, DOWNLOADS) for one in (config.secret_key, *config.old_secret_keys))
        self._url, self._fleet_secret = config.storage_url, config.headwind_secret
        self.budgets = Budgets()

    def routes(self) -> Iterable[Route]:
        """Everything below /files/."""
        return (Route("GET", "/files/", self.download), Route("HEAD", "/files/", self.download))

    def background(self) -> Iterable[Coroutine[Any, Any, None]]:
        """There is nothing."""
        return ()

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """There are none."""
        return False

    async def download(self, request: Request) -> Answer:
        """The object or a range of it."""
        found = read_download(request.raw_path.decode("ascii", "replace").partition("?")[0], self._secrets)
        if found is None or not self._may_fetch(request):
            raise NotSigned
        now = clock.now()
        if found.expires < now.timestamp():
            raise AddressEnded
        store = opened_store(self._url)
        size = await _size(store, found.key)
        tag = f'"{found.sha256}"'.encode()
        headers = _headers(found, tag, now)
        if request.headers.get(b"if-none-match") == tag:
            return Answer(304, b"", headers)
        part = _part(request, tag, size)
        if part is None:
            return Answer(416, b"", [*headers, (b"content-range", b"bytes */%d" % size)])
        first, last = part
        status = 200
        if part != (0, size):
            status = 206
            headers.append((b"content-range", b"bytes %d-%d/%d" % (first, last - 1, size)))
        headers.append((b"content-length", b"%d" % (last - first)))
        if request.method == "HEAD":
            return Answer(status, b"", headers)
        self.budgets.take(found.site, found.budget, last - first, now)
        return Answer(status, b"", headers, _pieces(store, found.key, first, last))

    def _may_fetch(self, request: Request) -> bool:
        """Headwind's agent signs what it fetches besides: who signs must do it rightly, others need not."""
        told = request.headers.get(b"x-request-signature")
        if told is None or not self._fleet_secret:
            return True
        target = request.raw_path.decode("latin-1") + (
            f"?{request.query.decode('latin-1')}" if request.query else ""
        )
        return signing.is_one_of(told.decode("latin-1"), [signing.of_file(self._fleet_secret, target)])


async def _size(store: "ObjectStore", key: str) -> int:
    import obstore

    try:
        return (await obstore.head_async(store, key))["size"]
    except (FileNotFoundError, obstore.exceptions.BaseError):
        raise NotFound from None


async def _pieces(store: "ObjectStore", key: str, first: int, last: int) -> AsyncIterator[bytes]:
    import obstore

    while first < last:
        until = min(first + _PIECE, last)
        yield bytes(await obstore.get_range_async(store, key, start=first, end=until))
        first = until


def _headers(found: Download, tag: bytes, now: datetime) -> list[tuple[bytes, bytes]]:
    left = max(0, found.expires - int(now.timestamp()))
    kind = (
        b"application/vnd.android.package-archive"
        if found.name.endswith(".apk")
        else b"application/octet-stream"
    )
    return [
        (b"content-type", kind),
        (b"etag", tag),
        (b"accept-ranges", b"bytes"),
        (b"cache-control", b"public, max-age=%d, immutable" % left),
        (b"x-content-type-options", b"nosniff"),
    ]


def _part(request: Request, tag: bytes, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last that is asked for; None where there are none such (RFC 9110, 14)."""
    asked = request.headers.get(b"range")
    matches = request.headers.get(b"if-range", tag) == tag
    found = _RANGE.fullmatch(asked) if asked and matches else None
    if found is None or found.groups() == (b"", b""):
        return (0, size)  # several ranges, or another unit: the whole is always right
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    begins, ends = int(first), min(int(last) + 1, size) if last else size
    if begins >= size or (last and int(last) < begins):
        return None
    return (begins, ends)
