"""How the server's answers are taken, whatever they are."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pupitre_agent.client import Client, Network
from pupitre_agent.clock import Clock
from pupitre_agent.errors import AskedToWait, Declined, Retired, Unreachable
from pupitre_agent.store import Identity

from agent.tests.test_clock import START, Hands

Answer = tuple[int, dict[str, str], Any]
SESSION: Answer = (200, {}, {"session": "s", "secret": "AAAA"})


@dataclass
class Scripted:
    """A server that answers what it is told to, in order, and remembers what it was asked."""

    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def client(self) -> tuple[Client, Clock, Identity]:
        clock = Clock(Hands())
        identity = Identity(f"http://127.0.0.1:{self.port}", "d-1", "", Ed25519PrivateKey.generate())
        return Client(Network(identity.server), clock), clock, identity


@pytest.fixture
def server() -> Iterator[Scripted]:
    found = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            found.asked.append((self.path, dict(self.headers)))
            status, headers, told = found.answers.pop(0)
            body = told if isinstance(told, bytes) else b"" if told is None else json.dumps(told).encode()
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield found
    http.shutdown()
    http.server_close()
    thread.join()


def problem(kind: str) -> dict[str, str]:
    return {"type": f"/problems/{kind}", "title": "No.", "detail": "Why not."}


def test_nothing_new_is_said_with_its_next_time(server: Scripted) -> None:
    server.answers = [SESSION, (304, {"ETag": '"1"', "Pupitre-Next": "812"}, None)]
    client, _, identity = server.client()
    reply = client.check_in(identity, {"battery": 83}, '"1"')
    assert (reply.told, reply.seconds("Pupitre-Next", 900)) == (None, 812)
    path, headers = server.asked[1]
    assert path == "/device/v1/check-in"
    assert headers["If-None-Match"] == '"1"'
    assert headers["Pupitre-Session"] == "s"


def test_a_session_that_has_ended_is_begun_anew_once(server: Scripted) -> None:
    server.answers = [SESSION, (401, {}, problem("session")), SESSION, (200, {}, {"commands": []})]
    client, _, identity = server.client()
    assert client.check_in(identity, {}, "").status == 200
    server.answers = [(401, {}, problem("session")), SESSION, (401, {}, problem("session"))]
    with pytest.raises(Declined, match="Why not"):
        client.check_in(identity, {}, "")


def test_a_wrong_clock_is_put_right_by_the_refusal(server: Scripted) -> None:
    date = {"Date": formatdate(START + 7200, usegmt=True)}
    server.answers = [(401, date, problem("clock")), SESSION, (304, {}, None)]
    client, clock, identity = server.client()
    client.check_in(identity, {}, "")
    assert clock.seconds() == START + 7200
    first, second = (int(headers["Pupitre-Time"]) for _, headers in server.asked[:2])
    assert second - first == 7200 * 1000
    assert "behind" not in clock.finding, "it was never heard before: nobody moved it"


@pytest.mark.parametrize(
    ("status", "told", "seconds"),
    [(429, "40", 40), (503, "7", 7), (503, "soon", 900), (429, "9999999", 21_600)],
)
def test_a_busy_server_says_when_to_come_again(
    server: Scripted, status: int, told: str, seconds: float
) -> None:
    server.answers = [(status, {"Retry-After": told}, problem("busy"))]
    client, _, identity = server.client()
    with pytest.raises(AskedToWait) as raised:
        client.check_in(identity, {}, "")
    assert raised.value.seconds == seconds


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, problem("x")),
        (502, {}, b"<html>Bad gateway"),
        (200, {}, b"<html>Sign in to the guests' Wi-Fi"),
        (302, {"Location": "http://127.0.0.1:1/"}, b"moved"),
        (200, {}, {"other": 1}),
        (200, {}, ["a list"]),
    ],
)
def test_what_is_not_the_servers_answer_is_no_answer(server: Scripted, answer: Answer) -> None:
    server.answers = [answer]
    client, _, identity = server.client()
    with pytest.raises(Unreachable):
        client.check_in(identity, {}, "")
    assert len(server.asked) == 1, "nothing signed is sent elsewhere"


def test_only_the_servers_own_word_retires_a_device(server: Scripted) -> None:
    client, _, identity = server.client()
    server.answers = [(403, {}, problem("unknown"))]
    with pytest.raises(Declined):
        client.check_in(identity, {}, "")
    server.answers = [(403, {}, b"Forbidden by the proxy")]
    with pytest.raises(Unreachable):
        client.check_in(identity, {}, "")
    server.answers = [(403, {}, problem("retired"))]
    with pytest.raises(Retired):
        client.check_in(identity, {}, "")


def test_the_proxy_is_asked_only_where_the_straight_way_fails(server: Scripted) -> None:
    client, _, identity = server.client()
    client.network.proxy = "127.0.0.1:9"
    server.answers = [SESSION, (304, {}, None)]
    assert client.check_in(identity, {}, "").status == 304
    # A server that cannot be reached straight, by a proxy that can.
    other = Client(Network("http://127.0.0.1:9"), Clock(Hands()))
    other.network.proxy = f"127.0.0.1:{server.port}"
    server.answers = [SESSION, (304, {}, None)]
    assert other.check_in(identity, {}, "").status == 304
    assert server.asked[-1][0] == "http://127.0.0.1:9/device/v1/check-in"
