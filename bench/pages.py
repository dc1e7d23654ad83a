"""The register page, saving a register and the family page on the demonstration, beside an empty view on the same server.

    python -m bench.pages [--seconds 4] [--profile register] [--statements]

CPU is that of the server's process and of PostgreSQL's, from /proc, divided by the requests answered; the ratio is to the
empty view's. Requests per second and core are the requests that one second of the server's and database's CPU answers.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from bench.measuring import Case, marks_of, measure, raw
from bench.running import HOME, Running, Session, cpu_of, fetch, running, sign_in, wait_until_quiet

GOAL_RATIO, GOAL_DATABASE_MS = 18.0, 1.5
CONNECTIONS = (1, 4, 16)
SCHOOL = "puente-marinada"
_THIRTY = """
SELECT r.id, r.lesson_id, r.held_on, array_agg(m.pupil_id ORDER BY m.pupil_id)
  FROM attendance_register r JOIN attendance_mark m ON m.register_id = r.id
 WHERE r.held_on < current_date GROUP BY r.id HAVING count(*) BETWEEN 28 AND 31 ORDER BY r.id DESC LIMIT 1000
"""


# What is asked for


@dataclass(frozen=True)
class Marked:
    """A register that was taken: its address and its pupils."""

    path: str
    pupils: tuple[int, ...]


def cases(found: Running) -> list[Case]:
    """The pages as the demonstration's people see them."""
    people = _personas()
    teacher = sign_in(found.address, *people["Teacher, in class right now"])
    secretary = sign_in(found.address, *people["Secretary"])
    mother = sign_in(found.address, *people["Mother, children in two schools"])
    shown, pupils = _register_now(found, teacher)
    reopened = _reopened()

    def saves(turn: int) -> list[bytes]:
        return [raw(f"{one.path}/marks", secretary, _marks(one, turn)) for one in reopened]

    return [
        Case("empty view", lambda _: [raw("/health/live", None)], "/health/live"),
        Case(f"register, {pupils} pupils", lambda _: [raw(shown, teacher)], shown, teacher),
        Case("saving a register", saves, f"{reopened[0].path}/marks", secretary, _marks(reopened[0], 1)),
        Case("family, 2 schools", lambda _: [raw("/family", mother)], "/family", mother),
    ]


def _personas() -> dict[str, tuple[str, str]]:
    note = json.loads((HOME / "prepared.json").read_text())
    return {one["title"]: (one["username"], one["password"]) for one in note["personas"]}


def _register_now(found: Running, teacher: Session) -> tuple[str, int]:
    """The largest register of the teacher's day, by the links of its page."""
    on = datetime.now(ZoneInfo("Europe/Madrid")).date()
    page = fetch(found.address, f"/s/{SCHOOL}/day/{on}", teacher)
    sizes = {}
    for path in dict.fromkeys(re.findall(rf'href="(/s/{SCHOOL}/registers/\d+/{on})"', page)):
        sizes[path] = len(set(re.findall(r'name="?mark-(\d+)', fetch(found.address, path, teacher))))
    largest = max(sizes, key=lambda path: sizes[path])
    return largest, sizes[largest]


def _reopened() -> list[Marked]:
    """Registers of some thirty pupils that the office may correct: a thousand, so that none is corrected all the time."""
    from django.db import connection

    from pupitre.tenancy.queries import access_school
    from pupitre.tenancy.scoping import scope

    with scope(access_school(SCHOOL).id), connection.cursor() as cursor:
        cursor.execute(_THIRTY)
        rows = cursor.fetchall()
        cursor.execute(
            "UPDATE attendance_register SET closed_at = NULL WHERE closed_at IS NOT NULL AND id = ANY(%s)",
            [[row[0] for row in rows]],
        )
        # What earlier runs left would make each save read more and more.
        cursor.execute(
            "DELETE FROM attendance_markrevision WHERE register_id = ANY(%s)", [[row[0] for row in rows]]
        )
    return [Marked(f"/s/{SCHOOL}/registers/{lesson}/{on}", tuple(pupils)) for _, lesson, on, pupils in rows]


def _marks(one: Marked, turn: int) -> str:
    return marks_of(one.pupils, turn, datetime.now(UTC).isoformat())


# Statements


@contextmanager
def application() -> Iterator[None]:
    """Django in this process, on the benchmark's database, to count statements."""
    import os

    from pupitre.kernel import config
    from pupitre.project import database

    os.environ["PUPITRE_DATA_DIR"] = str(HOME)
    settings = config.load(os.environ)
    database.adopt(settings, database.joined(settings))
    import django

    django.setup()
    from django.db import connections

    try:
        yield
    finally:
        connections.close_all()


def statements(case: Case) -> list[str]:
    """What the page asks the database; besides, a scope is opened and committed."""
    from django.db import connection
    from django.test import Client

    client = Client(headers={"host": "127.0.0.1", "accept-language": "es"})
    told: list[str] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        told.append(sql)
        return execute(sql, params, many, context)

    for name, value in (case.session.cookies if case.session else {}).items():
        client.cookies[name] = value

    def ask() -> None:
        if case.body and case.session:
            token = {"x-csrftoken": case.session.token}
            client.post(case.path, case.body, content_type="application/json", headers=token)
        else:
            client.get(case.path)

    ask()
    with connection.execute_wrapper(listen):
        ask()
    return told


# The table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each figure is measured")
    parser.add_argument("--profile", default="", help="record the server with py-spy while this case runs")
    parser.add_argument("--statements", action="store_true", help="show what each page asks the database")
    asked = parser.parse_args()
    console = Console(width=150)
    with running() as found:
        wait_until_quiet(found)
        with application():
            known = cases(found)
            if asked.profile:
                _profile(found, next(one for one in known if one.name.startswith(asked.profile)))
                return
            table = _table()
            base: dict[int, float] = {}
            for case in known:
                asks = statements(case)
                if asked.statements:
                    console.print(f"\n{case.name}:", *asks, sep="\n  ", highlight=False, markup=False)
                _measure_case(found, case, len(asks), asked.seconds, table, base)
    console.print(table)
    console.print(
        f"Goals: at most {GOAL_RATIO:.0f} x the empty view, at most {GOAL_DATABASE_MS} ms of the database."
    )


def _table() -> Table:
    table = Table(
        title="Pages on the demonstration: one server process with four threads, PostgreSQL beside it"
    )
    for heading in (
        "page",
        "bytes",
        "sent",
        "statements",
        "connections",
        "requests/s",
        "per core",
        "server ms",
        "ratio",
        "database ms",
        "p50 ms",
        "p95 ms",
    ):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    return table


def _measure_case(
    found: Running, case: Case, asks: int, seconds: float, table: Table, base: dict[int, float]
) -> None:
    measure(found, case, 4, 1.5)  # warms prepared statements, templates and the database's cache
    for connections in CONNECTIONS:
        one = measure(found, case, connections, seconds)
        base.setdefault(connections, one.server)
        first = connections == CONNECTIONS[0]
        table.add_row(
            case.name if first else "",
            f"{one.size:,}" if first else "",
            f"{one.sent:,}" if first else "",
            str(asks) if first else "",
            str(connections),
            f"{one.rate:.0f}",
            f"{1000 / (one.server + one.database):.0f}",
            f"{one.server:.2f}",
            f"{one.server / base[connections]:.1f} x",
            f"{one.database:.2f}",
            f"{one.median:.1f}",
            f"{one.late:.1f}" + (f" ({one.failed} failed: {one.failure})" if one.failed else ""),
        )
    table.add_section()


def _profile(found: Running, case: Case) -> None:
    """Write a flame graph of the server under this case, and its stacks as text, below the benchmark's folder."""
    pid = max(found.of("web"), key=cpu_of)
    measure(found, case, 4, 2.0)
    for form, name in (("raw", "stacks.txt"), ("flamegraph", "flame.svg")):
        out = HOME / f"{case.name.split(',')[0].replace(' ', '-')}-{name}"
        command = ["py-spy", "record", "-p", str(pid), "-d", "8", "-r", "400", "-f", form, "-o", str(out)]
        recorder = subprocess.Popen(
            [str(Path(sys.executable).parent / command[0]), *command[1:]], stdout=subprocess.DEVNULL
        )
        time.sleep(0.5)
        measure(found, case, 4, 9.0)
        recorder.wait()
        sys.stdout.write(f"{out}\n")


if __name__ == "__main__":
    main()
