"""The server, asked over HTTP by the standard library. Every answer of its own says what time it is."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from .backoff import Backoff
from .clock import Clock
from .errors import AgentError, AskedToWait, Declined, Retired, Unreachable
from .signing import decode, request_text, sign_by_key, sign_by_secret
from .store import Identity
from .wire import CHECK_IN, ENROLMENT, SESSION, WAKE, problem_kind

_TIMEOUT: Final = 30.0
_MOST: Final = 16 << 20
_LONGEST_WAIT: Final = 6 * 3600.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is signed for one address is not sent to another."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    told: Any

    def seconds(self, name: str, default: float) -> float:
        try:
            return min(max(float(self.headers.get(name.lower(), default)), 1.0), _LONGEST_WAIT)
        except ValueError:
            return default


class Network:
    """How the server is reached: straight, and where that fails by the school's proxy, so that a wrong proxy can be put right."""

    def __init__(self, server: str, trust: str = "") -> None:
        address = urlsplit(server)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
            raise AgentError("The server's address must begin with https://")
        self.server = server.rstrip("/")
        self._context = ssl.create_default_context()
        if trust:
            self._context.load_verify_locations(trust)
        #: host:port, of the settings.
        self.proxy = ""

    @property
    def context(self) -> ssl.SSLContext | None:
        return self._context if self.server.startswith("https:") else None

    def open(self, request: urllib.request.Request) -> Any:
        """The open answer. Raises OSError (HTTPError for what is not 2xx)."""
        try:
            return self._opener({}).open(request, timeout=_TIMEOUT)
        except urllib.error.HTTPError:
            raise
        except OSError:
            if not self.proxy:
                raise
        address = f"http://{self.proxy}"
        return self._opener({"http": address, "https": address}).open(request, timeout=_TIMEOUT)

    def _opener(self, proxies: dict[str, str]) -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPSHandler(context=self._context),
            _NoRedirect(),
        )


class Client:
    """One device's talks with its server."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self.network = network
        self._clock = clock
        #: Called with the answer that began a session.
        self.session_begun: Callable[[Mapping[str, Any]], None] = lambda _: None
        self._session: tuple[str, bytes] | None = None

    # Asking

    def enrol(self, identity: Identity, body: Mapping[str, Any]) -> Reply:
        """Signed by the device's own key."""
        return self._with_right_time(lambda: self._by_key(identity, ENROLMENT, body))

    def check_in(self, identity: Identity, body: Mapping[str, Any], etag: str) -> Reply:
        """Report and ask. Begins a session where there is none, or where it has ended."""
        headers = {"If-None-Match": etag} if etag else {}
        for is_last in (False, True):
            self._begin(identity)
            try:
                return self._with_right_time(lambda: self._by_session(CHECK_IN, body, headers))
            except Declined as error:
                if error.status != http.client.UNAUTHORIZED or is_last:
                    raise
                self._session = None
        raise Unreachable("No session could be begun.")

    def wake_headers(self, identity: Identity) -> dict[str, str]:
        """What opens the wake channel."""
        self._begin(identity)
        session, secret = self._known_session()
        time = self._time()
        text = request_text("GET", WAKE, time, b"")
        return {
            "Pupitre-Session": session,
            "Pupitre-Time": time,
            "Pupitre-Signature": sign_by_secret(secret, text),
        }

    def forget_session(self) -> None:
        self._session = None

    def _begin(self, identity: Identity) -> None:
        if self._session is None:
            reply = self._with_right_time(
                lambda: self._by_key(identity, SESSION, {"device": identity.device})
            )
            try:
                begun = str(reply.told["session"]), decode(reply.told["secret"])
            except (KeyError, TypeError) as error:
                raise Unreachable("The answer is not the server's.") from error
            self.session_begun(reply.told)
            self._session = begun

    def _known_session(self) -> tuple[str, bytes]:
        if self._session is None:
            raise Unreachable("There is no session.")
        return self._session

    def _with_right_time(self, ask: Callable[[], Reply]) -> Reply:
        """Once more where the server did not like our time: its refusal said what time it is."""
        try:
            return ask()
        except Declined as error:
            if error.status != http.client.UNAUTHORIZED or error.kind in {"session", "retired"}:
                raise
            return ask()

    # Signing

    def _by_key(self, identity: Identity, path: str, body: Mapping[str, Any]) -> Reply:
        content, time = json.dumps(body).encode(), self._time()
        signature = sign_by_key(identity.key, request_text("POST", path, time, content))
        return self._post(path, content, {"Pupitre-Time": time, "Pupitre-Signature": signature})

    def _by_session(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        session, secret = self._known_session()
        content, time = json.dumps(body).encode(), self._time()
        signature = sign_by_secret(secret, request_text("POST", path, time, content))
        own = {"Pupitre-Session": session, "Pupitre-Time": time, "Pupitre-Signature": signature}
        return self._post(path, content, {**own, **headers})

    def _time(self) -> str:
        return str(int(self._clock.seconds() * 1000))

    # HTTP

    def _post(self, path: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        request = urllib.request.Request(  # noqa: S310 - Network lets only http and https through
            self.network.server + path,
            content,
            {"Content-Type": "application/json", **headers},
            method="POST",
        )
        try:
            with self.network.open(request) as answer:
                return self._reply(answer.status, dict(answer.headers), answer.read(_MOST))
        except urllib.error.HTTPError as error:
            with error:
                reply = self._reply(error.code, dict(error.headers), error.read(_MOST))
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(
                f"The server could not be reached: {getattr(error, 'reason', error)}"
            ) from error
        return _judged(reply)

    def _reply(self, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            told = json.loads(body) if body else None
        except ValueError as error:
            raise Unreachable(f"The answer ({status}) is not the server's.") from error
        named = {name.lower(): value for name, value in headers.items()}
        if date := named.get("date"):
            self._hear(date)
        return Reply(status, named, told)

    def _hear(self, date: str) -> None:
        try:
            heard: datetime = parsedate_to_datetime(date)
        except ValueError:
            return
        self._clock.heard(heard)


def _judged(reply: Reply) -> Reply:
    """An answer that is not 2xx: 304 is one like others, the rest raises."""
    if reply.status == http.client.NOT_MODIFIED:
        return reply
    kind, reason = problem_kind(reply.told)
    if reply.status in {http.client.TOO_MANY_REQUESTS, http.client.SERVICE_UNAVAILABLE}:
        raise AskedToWait(reply.seconds("Retry-After", Backoff().most))
    if reply.status == http.client.FORBIDDEN and kind == "retired":
        raise Retired(reason)
    if reply.status >= http.client.INTERNAL_SERVER_ERROR:
        raise Unreachable(f"The server has trouble ({reply.status}).")
    raise Declined(reply.status, kind, reason)
