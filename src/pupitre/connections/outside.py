"""allauth's way to ask identity providers, whose addresses a school has entered, without being led into our own house.

The address that a name has led to is judged once the connection stands and before anything is sent, so that what the name
says a moment later does not count. Redirects are not followed, and only so much is read.
"""

import socket
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from pupitre.kernel.outward import is_public

_PATIENCE: Final = (4, 8)  # seconds to connect, and between two pieces of the answer
_MOST_READ: Final = 512 * 1024


class Unsafe(requests.RequestException):
    """The address must not be asked, or the answer is too long."""


def _judged(sock: socket.socket) -> socket.socket:
    if settings.CONFIG.private_addresses or is_public(str(sock.getpeername()[0])):
        return sock
    sock.close()
    raise Unsafe("the address lies in a private network")


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _judged(super()._new_conn())


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _judged(super()._new_conn())


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Guarded(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


class OutsideSession(requests.Session):
    """What allauth asks providers with."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # a proxy or .netrc of the machine's is none of the school's
        self.mount("http://", _Guarded())
        self.mount("https://", _Guarded())

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        if urlsplit(str(url)).scheme != "https" and not settings.CONFIG.private_addresses:
            raise Unsafe("the address does not begin with https://")
        kwargs |= {"allow_redirects": False, "stream": True, "timeout": _PATIENCE}
        answer = super().request(method, url, *args, **kwargs)
        with answer:
            answer._content = _read(answer)
        return answer


def _read(answer: requests.Response) -> bytes:
    read = bytearray()
    for piece in answer.iter_content(64 * 1024):
        read += piece
        if len(read) > _MOST_READ:
            raise Unsafe("the answer is too long")
    return bytes(read)


def read_document(url: str) -> bytes:
    """What stands at that address. Raises requests.RequestException."""
    with OutsideSession() as session:
        answer = session.get(url)
        answer.raise_for_status()
        if answer.status_code != 200:
            raise Unsafe("the answer is no document")
        return answer.content
