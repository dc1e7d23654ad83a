"""Run what actions deferred, in this process and transaction, outside of any scope: a job must bring its own."""

import json
from typing import Any

from django.db import connection
from procrastinate.contrib.django import app

from pupitre.kernel.scope import sentence


def run_jobs(*, due_only: bool = False) -> list[str]:
    """Run waiting jobs until none is left; answers their names. `due_only` leaves those scheduled for later."""
    done: list[str] = []
    while job := _next_job(due_only=due_only):
        job_id, name, arguments = job
        connection.connection.pgconn.exec_(sentence(None))
        app.tasks[name].func(**arguments)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job_id])
        done.append(name)
    return done


def _next_job(*, due_only: bool) -> tuple[int, str, dict[str, Any]] | None:
    due = (
        "AND (scheduled_at IS NULL OR scheduled_at <= %s)" if due_only else "AND %s::timestamptz IS NOT NULL"
    )
    from pupitre.kernel import clock

    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' {due} "
            "ORDER BY scheduled_at NULLS FIRST, id LIMIT 1",
            [clock.now()],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return row[0], row[1], json.loads(row[2]) if isinstance(row[2], str) else row[2]
