"""What pages ask the database, and what that alone costs: `python -m bench.replaying < task.json`, in a process of its own.

The task: `now`, `seconds`, and `cases` with name, path, cookies, token and body. Each is asked for through Django once, and what it
sends to the database - the scopes that it opens and the statements with their parameters - is then sent again and again over the same
connection without Django, in one transaction that is rolled back. Answers, by name: how many statements, milliseconds of
wall clock and of the backend's CPU, the statements with their plans, and how many pages of the database they touch.
"""

import json
import os
import re
import sys
import time
from datetime import datetime
from typing import Any

from bench.running import cpu_of

Sent = tuple[str, Any]


def record(client: Any, case: dict[str, Any]) -> list[Sent]:
    """What a page sends, in order: (statement, parameters), where a scope is a statement without any."""
    from django.db import connection

    from pupitre.tenancy import scoping

    sent: list[Sent] = []
    real = scoping._send

    def scope(text: bytes) -> None:
        sent.append((text.decode().removeprefix("BEGIN;"), None))
        real(text)

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params if params is not None else ()))
        return execute(sql, params, many, context)

    _ask(client, case)
    scoping._send = scope
    try:
        with connection.execute_wrapper(listen):
            _ask(client, case)
    finally:
        scoping._send = real
    return [one for one in sent if not one[0].startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))]


def _ask(client: Any, case: dict[str, Any]) -> None:
    if case["body"]:
        answer = client.post(
            case["path"],
            case["body"],
            content_type="application/json",
            headers={"x-csrftoken": case["token"]},
        )
    else:
        answer = client.get(case["path"])
    if answer.status_code != 200:
        raise RuntimeError(f"{case['name']}: {answer.status_code}")


def replay(sent: list[Sent], seconds: float) -> tuple[float, float]:
    """Milliseconds of wall clock and of the backend's CPU that the statements take without anything around them."""
    from django.db import connection

    raw = connection.connection
    pid, times = raw.info.backend_pid, 0
    for _ in range(8):
        _send(raw, sent)
    began, before = time.perf_counter(), cpu_of(pid)
    while time.perf_counter() - began < seconds:
        _send(raw, sent)
        times += 1
    return (time.perf_counter() - began) / times * 1000, (cpu_of(pid) - before) / times * 1000


def _send(raw: Any, sent: list[Sent]) -> None:
    """Past the driver's own BEGIN and ROLLBACK: after that one it would prepare everything anew, which no page does."""
    with raw.cursor() as cursor:
        raw.pgconn.exec_(b"BEGIN")
        for sql, params in sent:
            if params is None:
                raw.pgconn.exec_(sql.encode())
            else:
                cursor.execute(sql, params)
        raw.pgconn.exec_(b"ROLLBACK")


def explain(sent: list[Sent]) -> list[str]:
    """Each statement with the time of its plan's execution and how it was carried out."""
    from django.db import connection

    told = []
    with connection.connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for sql, params in sent:
            if params is None:
                connection.connection.pgconn.exec_(sql.encode())
            elif sql.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}", params)
                told.append("\n".join([" ".join(sql.split())[:300], *(row[0] for row in cursor.fetchall())]))
        cursor.execute("ROLLBACK")
    return told


def pages_of(plan: str) -> int:
    """How many pages of the database a statement touched, as its outermost node says: what hangs on no machine."""
    told = re.search(r"Buffers: shared([^\n]*)", plan.partition("\nPlanning:")[0])
    return sum(map(int, re.findall(r"(?:hit|read)=(\d+)", told[1]))) if told else 0


def main() -> None:
    task = json.load(sys.stdin)
    import django

    django.setup()
    from django.db import connection
    from django.test import Client

    from pupitre.kernel import clock

    answers = {}
    with clock.frozen(datetime.fromisoformat(task["now"])):
        for case in task["cases"]:
            client = Client(headers={"host": "127.0.0.1", "accept-language": "es"})
            for name, value in case["cookies"].items():
                client.cookies[name] = value
            sent = record(client, case)
            connection.ensure_connection()
            wall, database = replay(sent, task["seconds"]) if sent else (0.0, 0.0)
            plans = explain(sent)
            answers[case["name"]] = {
                "statements": sum(params is not None for _, params in sent),
                "wall": wall,
                "database": database,
                "plans": plans,
                "pages": sum(map(pages_of, plans)),
            }
    connection.close()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pupitre.project.settings")
    main()
