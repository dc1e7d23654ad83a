"""Requests and answers, as all protocols of the gateway see them. Pure: ASGI's dictionaries on one side, these on the other."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec

from pupitre.kernel.errors import Busy, DomainError

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

#: Applications and facts of hardware that are kept of one device, however many differences it reports.
MOST_INSTALLED: Final = 20_000
MOST_FACTS: Final = 200

JSON: Final = (b"content-type", b"application/json")
_PROBLEM: Final = (b"content-type", b"application/problem+json")


class TooLarge(DomainError):
    """This is larger than anything that a device has to say."""

    status = 413


class Gone(DomainError):
    """The connection ended before the request did."""


class Unreadable(DomainError):
    """The body is not what this address takes."""

    status = 422


class Request:
    """One request. Its body is read once, by who wants it."""

    __slots__ = ("_receive", "_trusted", "headers", "method", "path", "raw_path", "scope")

    def __init__(self, scope: Scope, receive: Receive, trusted_proxies: int = 0) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        #: Unquoted; `raw_path` is as it was asked for.
        self.path: str = scope["path"]
        self.raw_path: bytes = scope["raw_path"]
        #: Names in lower case.
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive, self._trusted = receive, trusted_proxies

    @property
    def query(self) -> bytes:
        found: bytes = self.scope["query_string"]
        return found

    @property
    def address(self) -> str:
        """Where the request comes from; behind proxies that are trusted, what the first of them saw."""
        client = self.scope.get("client")
        direct = str(client[0]) if client else ""
        if self._trusted:
            seen = self.headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
            if len(seen) >= self._trusted and (found := seen[-self._trusted].strip()):
                return found[:64]
        return direct

    async def body(self, most: int) -> bytes:
        """The whole body. Raises TooLarge, Gone."""
        message = await self._receive()
        found: bytes = message.get("body", b"")
        if len(found) > most:
            raise TooLarge
        if not message.get("more_body", False):
            if message["type"] == "http.disconnect":
                raise Gone
            return found
        parts, size = [found], len(found)
        while message.get("more_body", False):
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise TooLarge
        return b"".join(parts)

    async def gone(self) -> None:
        """Returns when whoever asked has hung up: for answers that are long in coming. The body must have been read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


class Answer:
    """One answer: a body, or a stream of pieces."""

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        stream: AsyncIterator[bytes] | None = None,
    ) -> None:
        self.status, self.body, self.headers, self.stream = status, body, headers, stream


Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a handler is asked. A path that ends with a slash is that of everything below it."""

    method: str
    path: str
    handler: Handler


def json_answer(status: int, told: object, headers: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
    """What was told, as JSON."""
    body = msgspec.json.encode(told)
    return Answer(status, body, [JSON, (b"content-length", b"%d" % len(body)), *headers])


def problem(
    status: int,
    title: str,
    *,
    kind: str = "",
    detail: str = "",
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> Answer:
    """An error as RFC 9457 has it. `kind` is the last part of its `type`, by which programs tell it."""
    told = {"type": f"/problems/{kind}" if kind else "about:blank", "title": title, "status": status}
    if detail:
        told["detail"] = detail
    body = msgspec.json.encode(told)
    return Answer(status, body, [_PROBLEM, (b"content-length", b"%d" % len(body)), *headers])


def refusal(error: DomainError) -> Answer:
    """The answer to what the domain refuses: its status, its words, and when to come again."""
    headers: Headers = []
    if isinstance(error, Busy) or error.status == 429:
        headers.append((b"retry-after", b"%d" % int(getattr(error, "retry_after", 30))))
    return problem(error.status, error.message, kind=getattr(error, "kind", ""), headers=headers)
