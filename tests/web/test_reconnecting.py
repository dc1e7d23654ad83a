"""PostgreSQL restarts between two pages, or under one, and readers see their page or are told when to come back."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, connections
from django.test import Client, override_settings

from tests.web import dying_urls


@pytest.fixture(autouse=True)
def pages(db: None) -> Iterator[None]:
    dying_urls.asked.clear()
    with override_settings(ROOT_URLCONF="tests.web.dying_urls"):
        yield


def in_a_web_thread(act: Callable[[Client], None]) -> None:
    """Run it in a thread with a connection of its own, as the web server's are: committed, and kept between requests."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            act(Client(raise_request_exception=False))
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def kill_backend() -> None:
    """End this thread's backend from another connection, as a restart of the server does."""
    process = connection.connection.info.backend_pid

    def kill() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        connection.close()

    thread = threading.Thread(target=kill)
    thread.start()
    thread.join()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_restart_between_two_requests_is_not_seen(method: str) -> None:
    def act(browser: Client) -> None:
        ask = getattr(browser, method)
        assert ask("/dies/0/").status_code == 200
        first = connection.connection
        assert ask("/dies/0/").status_code == 200
        assert connection.connection is first
        kill_backend()
        assert ask("/dies/0/").status_code == 200
        assert connection.connection is not first
        assert dying_urls.asked == {"/dies/0/": 3}  # nothing was asked twice

    in_a_web_thread(act)


@pytest.mark.parametrize("address", ["/dies/1/", "/dies-in-scope/"])
def test_a_page_whose_connection_dies_is_asked_for_again(address: str) -> None:
    def act(browser: Client) -> None:
        assert browser.get("/health/ready").status_code == 200
        assert browser.get(address).status_code == 200
        assert dying_urls.asked == {address: 2}

    in_a_web_thread(act)


def test_what_a_form_sends_is_never_sent_twice() -> None:
    def act(browser: Client) -> None:
        answer = browser.post("/dies/1/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "may not have been saved" in answer.content.decode()
        assert dying_urls.asked == {"/dies/1/": 1}
        assert browser.post("/dies/1/").status_code == 200

    in_a_web_thread(act)


def test_a_script_is_told_in_its_own_form() -> None:
    def act(browser: Client) -> None:
        answer = browser.post("/dies/1/", {}, content_type="application/json")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.json()["status"] == 503

    in_a_web_thread(act)


def test_a_database_that_stays_away_is_told_after_the_second_try() -> None:
    def act(browser: Client) -> None:
        answer = browser.get("/dies/9/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert dying_urls.asked == {"/dies/9/": 2}

    in_a_web_thread(act)


def test_an_error_of_a_statement_stays_an_error() -> None:
    def act(browser: Client) -> None:
        assert browser.get("/breaks/").status_code == 500
        assert dying_urls.asked == {"/breaks/": 1}

    in_a_web_thread(act)
