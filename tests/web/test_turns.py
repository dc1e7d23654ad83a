"""Too many ask at once: some wait, others are told to come back, and nobody in line is forgotten."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import FileResponse, HttpResponse
from django.test import RequestFactory

from pupitre.web.turns import Turns

Answers = list[tuple[str, dict[str, str], bytes]]


class Pages:
    """A product whose pages take as long as the test wants; it counts how many it works on at once."""

    def __init__(self) -> None:
        self.open, self.entered = threading.Event(), threading.Semaphore(0)
        self.lock, self.at_work, self.most = threading.Lock(), 0, 0
        self.connections: set[int] = set()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self.lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        self.entered.release()
        assert self.open.wait(10)
        self.connections.add(id(connection._connections))  # type: ignore[attr-defined]
        with self.lock:
            self.at_work -= 1
        if environ["PATH_INFO"] == "/breaks":
            raise RuntimeError("broken")
        start("200 OK", [])
        return HttpResponse(environ["PATH_INFO"].encode())


def environ(path: str, method: str = "GET", **more: str) -> dict[str, Any]:
    request: WSGIRequest = getattr(RequestFactory(), method.lower())(path)
    return {**request.environ, **more}


def ask(turns: Turns, path: str, method: str = "GET", **more: str) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []
    body = turns(
        environ(path, method, **more), lambda status, headers, _=None: told.extend([status, headers])
    )
    text = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return told[0], dict(told[1]), text


def asked_by(turns: Turns, path: str, answers: Answers, method: str = "GET") -> threading.Thread:
    thread = threading.Thread(target=lambda: answers.append(ask(turns, path, method)))
    thread.start()
    return thread


@pytest.fixture
def pages() -> Pages:
    return Pages()


def test_some_work_some_wait_and_the_others_are_told_at_once(pages: Pages) -> None:
    turns, answers = Turns(pages, at_once=2, waiting=1, patience=10), cast("Answers", [])
    threads = [asked_by(turns, f"/{number}", answers) for number in range(2)]
    for _ in range(2):
        assert pages.entered.acquire(timeout=10)
    threads.append(asked_by(turns, "/waits", answers))
    while turns._all._places.acquire(blocking=False):  # until the third stands in line
        turns._all._places.release()
    status, headers, body = ask(turns, "/refused", HTTP_ACCEPT_LANGUAGE="ca", HTTP_ACCEPT="text/html")
    assert status.startswith("503")
    assert 1 < int(headers["Retry-After"]) < 60
    assert headers["Cache-Control"] == "no-store"
    assert b'<html lang="ca"' in body
    assert turns.refused == 1
    assert ask(turns, "/api/v1/people")[1]["Content-Type"] == "application/problem+json"
    pages.open.set()
    for thread in threads:
        thread.join(10)
    assert sorted(body for _, _, body in answers) == [b"/0", b"/1", b"/waits"]
    assert pages.most == 2
    assert ask(turns, "/again")[2] == b"/again"


def test_who_waits_too_long_is_told_and_leaves_no_gap(pages: Pages) -> None:
    turns, answers = Turns(pages, at_once=1, waiting=5, patience=0.05), cast("Answers", [])
    thread = asked_by(turns, "/0", answers)
    assert pages.entered.acquire(timeout=10)
    for _ in range(10):
        assert ask(turns, "/late")[0].startswith("503")
    pages.open.set()
    thread.join(10)
    assert ask(turns, "/now")[2] == b"/now"


def test_signing_in_takes_no_more_than_half_of_the_turns(pages: Pages) -> None:
    turns, answers = Turns(pages, at_once=4, waiting=20, patience=10), cast("Answers", [])
    threads = [asked_by(turns, "/account/login/", answers, "POST") for _ in range(8)]
    for _ in range(2):
        assert pages.entered.acquire(timeout=10)
    threads += [asked_by(turns, "/page", answers) for _ in range(2)]
    for _ in range(2):
        assert pages.entered.acquire(timeout=10)
    assert pages.at_work == 4
    pages.open.set()
    for thread in threads:
        thread.join(10)
    assert len(answers) == 10
    assert all(status.startswith("200") for status, _, _ in answers)


def test_a_page_that_breaks_gives_its_turn_back(pages: Pages) -> None:
    pages.open.set()
    turns = Turns(pages, at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(RuntimeError, match="broken"):
            ask(turns, "/breaks")
    assert ask(turns, "/whole")[0] == "200 OK"


@pytest.mark.django_db
def test_a_file_holds_its_turn_until_it_is_sent_and_health_needs_none(tmp_path: Any) -> None:
    (tmp_path / "file").write_bytes(b"content")

    def product(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        if environ["PATH_INFO"] == "/file":
            return FileResponse((tmp_path / "file").open("rb"))
        return HttpResponse(b"page")

    turns = Turns(product, at_once=1, waiting=0)
    body = turns(environ("/file"), lambda *_: None)
    assert ask(turns, "/page")[0].startswith("503")
    assert ask(turns, "/health/live")[2] == b"page"
    assert ask(turns, "/health/ready")[2] == b"page"
    assert b"".join(body) == b"content"
    body.close()  # type: ignore[attr-defined]
    body.close()  # type: ignore[attr-defined]
    assert ask(turns, "/page")[2] == b"page"


class Slow:
    """A body that comes in pieces, and only when the test lets it."""

    def __init__(self, content: bytes, may_come: threading.Event) -> None:
        self.content, self.may_come = content, may_come

    def read(self, size: int) -> bytes:
        assert self.may_come.wait(10)
        piece, self.content = self.content[: min(size, 1000)], self.content[min(size, 1000) :]
        return piece


@pytest.mark.django_db
@pytest.mark.parametrize("size", [20_000, 400_000])
def test_who_sends_slowly_holds_no_turn(size: int) -> None:
    def product(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return HttpResponse(str(len(environ["wsgi.input"].read())).encode())

    turns, answers, may_come = Turns(product, at_once=1, waiting=2), cast("Answers", []), threading.Event()
    sends = {"wsgi.input": Slow(b"x" * size, may_come), "CONTENT_LENGTH": str(size)}
    thread = threading.Thread(target=lambda: answers.append(ask(turns, "/upload", "POST", **sends)))  # type: ignore[arg-type]
    thread.start()
    for _ in range(3):
        assert ask(turns, "/page")[2] == b"0"
    may_come.set()
    thread.join(10)
    assert answers[0][2] == str(size).encode()


@pytest.mark.django_db
def test_a_connection_goes_with_the_turn_from_thread_to_thread() -> None:
    backends: list[int] = []

    def product(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backends.append(cursor.fetchone()[0])
        start("200 OK", [])
        return HttpResponse(b"")

    turns, answers = Turns(product, at_once=1, waiting=5), cast("Answers", [])
    for number in range(4):
        asked_by(turns, f"/{number}", answers).join(10)
    assert len(answers) == 4
    assert len(set(backends)) == 1
    for held in turns._connections:
        held.close()
