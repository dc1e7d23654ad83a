"""Asking other people's servers over HTTP, at addresses that a school has entered, without being led into our own house.

The name is resolved here, every address that it leads to must be public, and the connection goes to just that address:
what the name leads to a moment later does not count. Redirects are answers like others. `kernel.config` says whether
private addresses may be asked (`allow_private`); they then need no TLS either.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

#: More than this of an answer is not read.
MOST_READ: Final = 64 * 1024
#: IPv6 networks that carry an IPv4 address inside (RFC 6052, 3056, 4380) and would lead around the guard.
_CARRIERS: Final = tuple(
    ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class OutwardError(Exception):
    """There was no answer. The children say why."""


class Refused(OutwardError):
    """The address must not be asked: not https, or it leads into a private network."""


class Unreachable(OutwardError):
    """The name is unknown, nobody listens there, or what answers does not speak HTTP."""


class Untrusted(OutwardError):
    """The certificate is not valid for that name."""


class TookTooLong(OutwardError):
    """The whole answer did not come in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers in lower case, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check_address(url: str, *, allow_private: bool) -> SplitResult:
    """The address taken apart. Raises Refused for one that is never asked, whatever its name leads to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise Refused
    if not parts.hostname or parts.username is not None or port == 0 or not url.isascii():
        raise Refused
    if any(character.isspace() or ord(character) < 32 for character in url):
        raise Refused
    return parts


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, allow_private: bool = False
) -> Answer:
    """Send `body` there and wait for the answer, `seconds` in all. Raises the children of OutwardError."""
    return ask("POST", url, body, headers, seconds=seconds, allow_private=allow_private)


def ask(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    seconds: float,
    most: int = MOST_READ,
    allow_private: bool = False,
) -> Answer:
    """As `post` by any method; of the answer `most` bytes are read. Raises the children of OutwardError."""
    parts = check_address(url, allow_private=allow_private)
    default = 443 if parts.scheme == "https" else 80
    address = _public_address(str(parts.hostname), parts.port or default, allow_private=allow_private)
    connection = _Pinned(parts, address, seconds)
    return _within(connection, seconds, lambda: _exchange(connection, method, parts, body, headers, most))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the Internet and to nobody's house."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if any(found in network for network in _CARRIERS):
            return False
    return found.is_global and not found.is_multicast


def _public_address(host: str, port: int, *, allow_private: bool) -> tuple[int, str]:
    """The family and address to connect to. A name that leads to one private address among others is refused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable from None
    if not allow_private and not all(is_public(str(row[4][0])) for row in found):
        raise Refused
    family, _, _, _, where = found[0]
    return family, str(where[0])


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was chosen before, under the name that the certificate must have."""

    def __init__(self, parts: SplitResult, address: tuple[int, str], seconds: float) -> None:
        self._is_tls = parts.scheme == "https"
        port = parts.port or (443 if self._is_tls else 80)
        super().__init__(str(parts.hostname), port, timeout=seconds)
        self.default_port = 443 if self._is_tls else 80  # decides whether the Host header names it
        self._address = address[1]
        self._line: socket.socket | None = None

    def connect(self) -> None:
        self.sock = self._line = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_tls:
            self.sock = self._line = _trust().wrap_socket(self.sock, server_hostname=self.host)

    def hang_up(self) -> None:
        """End the exchange from another thread; whoever reads gets an error at once."""
        if self._line is not None:  # not `sock`, which the answer has taken over
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)  # TLS's own would take the object apart


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _within(connection: _Pinned, seconds: float, run: Callable[[], Answer]) -> Answer:
    """A time for the whole of it: a socket's own timeout begins anew with every byte that drips in."""
    late = threading.Event()

    def end() -> None:
        late.set()
        connection.hang_up()

    watch = threading.Timer(seconds, end)
    watch.daemon = True
    watch.start()
    try:
        answer = run()
    except TimeoutError:
        raise TookTooLong from None
    except ssl.SSLCertVerificationError:
        raise Untrusted from None
    except (OSError, http.client.HTTPException, ValueError):
        raise (TookTooLong if late.is_set() else Unreachable) from None
    finally:
        watch.cancel()
        connection.close()
    if late.is_set():
        raise TookTooLong  # what was read is only its beginning
    return answer


def _exchange(
    connection: _Pinned,
    method: str,
    parts: SplitResult,
    body: bytes | None,
    headers: Mapping[str, str],
    most: int,
) -> Answer:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request(method, path, body, dict(headers))
    answer = connection.getresponse()
    told = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, told, answer.read(most))
