"""The web server's connections all end, as when PostgreSQL restarts, and nobody who is signed in sees an error."""

import urllib.request

import psycopg

from tests.journeys.conftest import Product, session_cookie


def test_every_thread_answers_after_its_connection_ended(product: Product) -> None:
    cookie = session_cookie(product, product.cast.teacher)
    request = urllib.request.Request(
        product.url("/account"), headers={"Cookie": f"{cookie['name']}={cookie['value']}"}
    )

    def status() -> int:
        with urllib.request.urlopen(request, timeout=20) as answer:  # raises for 4xx and 5xx
            assert "/login" not in answer.url
            return int(answer.status)

    threads = 8  # more than the web server has
    assert [status() for _ in range(threads)] == [200] * threads
    with psycopg.connect(product.database) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
        assert ended is not None
        assert ended[0] >= 1
    assert [status() for _ in range(threads)] == [200] * threads
