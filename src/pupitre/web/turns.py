"""Who works and who waits: the few threads that answer pages, and what is said where too many ask.

A process answers as many requests at once as it has connections to the database. The others wait for their turn, which
costs a sleeping thread each; who would wait too long is told at once to come back, by a page that costs nothing. So a
morning that is too much for the machines makes some people wait a few seconds, and nobody for ever. Registers lose nothing:
a phone keeps what is refused and sends it again.

Signing in has a lane of its own inside: passwords are slow to compare on purpose, and those who are in must not wait for
those who come.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.utils import translation

from pupitre.kernel.errors import Busy

from .middleware import HEADERS, MACHINE_DOORS, BodyLimitMiddleware, error_page

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

#: Asked by machines that watch us. Whoever takes a process for dead because it is busy makes the others busier.
_WATCHED: Final = ("/health/live", "/health/ready")
#: Where passwords and codes are compared. Below /account/, with POST.
_SLOW: Final = "/account/"
_RETRY: Final = (4, 15)
#: Bodies up to the first size lie in memory, up to the second many may come at once; larger ones only a few, for they fill disks.
_SMALL: Final = 256 * 1024
_LARGE: Final = 8 * 1024 * 1024
_PIECE: Final = 64 * 1024
_log = logging.getLogger(__name__)


class TooManyAsk(Busy):
    """Very many people are using Pupitre at this moment. Please try again in a few seconds."""


class _Lane:
    """Room for some at work and some more who wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)

    def enter(self, patience: float) -> bool:
        """Wait for a turn for so many seconds; at once False where too many wait already."""
        if not self._places.acquire(blocking=False):
            return False
        if self._turns.acquire(timeout=max(0.0, patience)):
            return True
        self._places.release()
        return False

    def leave(self) -> None:
        self._turns.release()
        self._places.release()


class Turns:
    """`at_once` requests are worked on, at most `waiting` wait for at most `patience` seconds, the others are refused."""

    def __init__(
        self, application: Application, *, at_once: int, waiting: int, patience: float = 5.0
    ) -> None:
        self._application = application
        self._patience = patience
        self._all = _Lane(at_once, waiting)
        self._slow = _Lane(max(1, at_once // 2), waiting // 2)
        self._uploads = threading.BoundedSemaphore(max(1, waiting // 2))
        self._large_uploads = threading.BoundedSemaphore(at_once)
        self.refused = 0
        self._connections: list[Any] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path in _WATCHED or path.startswith(settings.STATIC_URL):
            return self._work(environ, start_response, [])
        lanes = [self._all]
        if environ["REQUEST_METHOD"] == "POST" and path.startswith(_SLOW):
            lanes.insert(0, self._slow)
        if not self._receive(environ):
            return self._refuse(environ, start_response)
        if not self._enter(lanes):
            environ["wsgi.input"].close()
            return self._refuse(environ, start_response)
        return self._work(environ, start_response, lanes)

    def _receive(self, environ: Environ) -> bool:
        """Take the body in before its turn: who sends slowly must not hold one. False where too many send much at once."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or not 0 < int(length) <= BodyLimitMiddleware.limit_for(environ):
            environ["wsgi.input"] = BytesIO()  # there is none, or it is refused unread
            return True
        if int(length) <= _SMALL:
            environ["wsgi.input"] = _kept(environ["wsgi.input"], int(length), BytesIO())
            return True
        uploads = self._uploads if int(length) <= _LARGE else self._large_uploads
        if not uploads.acquire(blocking=False):
            return False
        try:
            environ["wsgi.input"] = _kept(environ["wsgi.input"], int(length), SpooledTemporaryFile(_SMALL))  # noqa: SIM115
        finally:
            uploads.release()
        return True

    def _enter(self, lanes: list["_Lane"]) -> bool:
        """A turn in each of the lanes, or in none."""
        until = time.monotonic() + self._patience
        for number, lane in enumerate(lanes):
            if not lane.enter(until - time.monotonic()):
                for entered in lanes[:number]:
                    entered.leave()
                return False
        return True

    def _work(self, environ: Environ, start_response: StartResponse, lanes: list["_Lane"]) -> Iterable[bytes]:
        """The answer, whole where it is small. The turn ends with it, whatever happens; that of a file when it is sent."""

        def done() -> None:
            for lane in lanes:
                lane.leave()
            if lanes:
                environ["wsgi.input"].close()

        try:
            with self._connection():
                answer: Any = self._application(environ, start_response)
                if getattr(answer, "streaming", True):
                    streamed, done = _Streamed(answer, done), _nothing
                    return streamed
                try:
                    return [answer.content]
                finally:
                    answer.close()
        finally:
            done()

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """Lend this thread a connection for its turn: there are many threads that wait, and few connections.

        The one that was used last is lent first, because PostgreSQL's process behind it is still warm.
        """
        own = getattr(connections._connections, "default", None)  # type: ignore[attr-defined]
        try:
            held = self._connections.pop()
        except IndexError:
            held = connections.create_connection("default")
            held.inc_thread_sharing()
        connections["default"] = held
        try:
            yield
        finally:
            if own is None:
                del connections["default"]
            else:
                connections["default"] = own
            self._connections.append(held)

    def _refuse(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.refused += 1
        if self.refused & (self.refused - 1) == 0:  # the 1st, 2nd, 4th, 8th: the log must not add to the load
            _log.warning(
                "more people ask than can be answered; refused so far", extra={"refused": self.refused}
            )
        status, headers, body = _refusal(_language(environ), _wants_json(environ))
        retry = str(random.randint(*_RETRY))  # noqa: S311 - so that they do not all come back at once
        start_response(status, [*headers, ("Retry-After", retry)])
        return [body]


def _kept(stream: Any, length: int, kept: IO[bytes]) -> IO[bytes]:
    """The stream's content, all there is of the length that was announced."""
    while length > 0 and (piece := stream.read(min(length, _PIECE))):
        kept.write(piece)
        length -= len(piece)
    kept.seek(0)
    return kept


def _nothing() -> None:
    """The turn has ended, or ends elsewhere."""


class _Streamed:
    """A body that is made while it is sent: a file. Its turn ends when the server has closed it."""

    def __init__(self, answer: Any, done: Callable[[], None]) -> None:
        self._answer, self._done = answer, done

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        done, self._done = self._done, _nothing
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            done()


def _wants_json(environ: Environ) -> bool:
    kinds = f"{environ.get('HTTP_ACCEPT', '')} {environ.get('CONTENT_TYPE', '')}"
    return "json" in kinds or environ["PATH_INFO"].startswith(MACHINE_DOORS)


def _language(environ: Environ) -> str:
    return translation.get_language_from_request(WSGIRequest(environ))


@lru_cache(maxsize=32)
def _refusal(language: str, as_json: bool) -> tuple[str, list[tuple[str, str]], bytes]:
    """The page that is said instead, made once for each language: refusing must cost next to nothing."""
    accept = "application/json" if as_json else "text/html"
    request = WSGIRequest({**_EMPTY, "HTTP_ACCEPT": accept})
    with translation.override(language):
        answer = error_page(request, TooManyAsk())
    headers = {**HEADERS, **dict(answer.items()), "Cache-Control": "no-store"}
    headers["Content-Length"] = str(len(answer.content))
    headers.pop("Retry-After", None)
    return f"503 {answer.reason_phrase}", list(headers.items()), answer.content


_EMPTY: Final[Environ] = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "HTTP_HOST": "localhost",
    "wsgi.input": BytesIO(),
    "wsgi.url_scheme": "http",
}
