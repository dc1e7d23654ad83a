"""How the tenant scope is set: round trips and CPU of five ways, on the embedded PostgreSQL.

    python -m bench.scope [--seconds 3]

Each way reads one person by key inside a transaction whose scope is one school. Figures are per read; the ratio is to
the same read without transaction and scope. Database CPU is the backend's own, from /proc (Linux only; else omitted).
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from pupitre.kernel.embedded import EmbeddedPostgres
from pupitre.kernel.scope import Scope, opening

SCOPED = "(SELECT coalesce(current_setting('pupitre.school', true), '')::bigint)"
READ = "SELECT family_name FROM person WHERE id = %s"
OPEN_READ = "SELECT family_name FROM open_person WHERE id = %s"


def prepare(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("person", "open_person"):
            connection.execute(
                f"CREATE TABLE {table} (school_id bigint, id bigint PRIMARY KEY, family_name text)"
            )  # type: ignore[arg-type]
            connection.execute(
                f"INSERT INTO {table} SELECT i % 400, i, 'name ' || i FROM generate_series(1, 100000) i"
            )  # type: ignore[arg-type]
        connection.execute("ALTER TABLE person ENABLE ROW LEVEL SECURITY")
        connection.execute(f"CREATE POLICY school ON person USING (school_id = {SCOPED})")  # type: ignore[arg-type]
        connection.execute("GRANT SELECT ON person, open_person TO pupitre_app")
        connection.execute("ANALYZE")


def query(school: int) -> str:
    """The settings by a query, which unlike SET can be prepared."""
    return (
        f"SELECT set_config('pupitre.school', '{school}', true), "
        "set_config('pupitre.account', '0', true), set_config('pupitre.authority', '0', true)"
    )


def bare(connection: psycopg.Connection[Any], key: int) -> None:
    connection.execute(OPEN_READ, [key])


def three_messages(connection: psycopg.Connection[Any], key: int) -> None:
    """BEGIN, the settings, the read, COMMIT: what a cursor in `transaction.atomic()` does."""
    connection.execute("BEGIN")
    connection.execute(query(key % 400))  # type: ignore[arg-type]
    connection.execute(READ, [key])
    connection.execute("COMMIT")


def one_query(connection: psycopg.Connection[Any], key: int) -> None:
    """BEGIN and a query of the settings in one message."""
    connection.pgconn.exec_(f"BEGIN; {query(key % 400)}".encode())
    connection.execute(READ, [key])
    connection.execute("COMMIT")


def one_message(connection: psycopg.Connection[Any], key: int) -> None:
    """BEGIN and the settings in one message: what `tenancy.scope` does."""
    connection.pgconn.exec_(opening(Scope(key % 400)))
    connection.execute(READ, [key])
    connection.execute("COMMIT")


def pipelined(connection: psycopg.Connection[Any], key: int) -> None:
    """Everything in one round trip; a page cannot, because it reads before it knows what to read next."""
    with connection.pipeline():
        connection.execute("BEGIN")
        connection.execute(query(key % 400))  # type: ignore[arg-type]
        connection.execute(READ, [key])
        connection.execute("COMMIT")


WAYS: list[tuple[str, int, Callable[[psycopg.Connection[Any], int], None]]] = [
    ("no transaction, no scope (not safe)", 1, bare),
    ("BEGIN / set_config / read / COMMIT", 4, three_messages),
    ("BEGIN; set_config in one message", 3, one_query),
    ("BEGIN; SET LOCAL in one message (ours)", 3, one_message),
    ("all pipelined", 1, pipelined),
]


def cpu_of(pid: int) -> float:
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(
    url: str, way: Callable[[psycopg.Connection[Any], int], None], seconds: float
) -> tuple[float, float, float]:
    """Wall, application CPU and database CPU of one read, in microseconds."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        for key in range(1, 200):
            way(connection, key)
        pid = connection.info.backend_pid
        started, own, theirs, count = time.perf_counter(), time.process_time(), cpu_of(pid), 0
        while time.perf_counter() - started < seconds:
            for key in range(1, 101):
                way(connection, key)
            count += 100
        wall = time.perf_counter() - started
        return (
            wall / count * 1e6,
            (time.process_time() - own) / count * 1e6,
            (cpu_of(pid) - theirs) / count * 1e6,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each way is measured")
    seconds = parser.parse_args().seconds
    table = Table("way", "round trips", "wall us", "app CPU us", "database CPU us", "database ratio")
    with TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        server.start()
        try:
            urls = server.ensure_roles_and_database("bench")
            prepare(urls.owner)
            base = 0.0
            for name, trips, way in WAYS:
                wall, app, database = measure(urls.application, way, seconds)
                base = base or database
                table.add_row(
                    name,
                    str(trips),
                    f"{wall:.0f}",
                    f"{app:.0f}",
                    f"{database:.0f}",
                    f"{database / base:.1f} x",
                )
        finally:
            server.destroy()
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
