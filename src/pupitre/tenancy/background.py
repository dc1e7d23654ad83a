"""Jobs that carry their tenant. A context's `jobs.py` marks its functions; actions defer them in their own transaction."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.manager import JobManager

from . import queries
from .rules import SchoolFacts
from .scoping import scope

Job = Callable[..., None]

#: In the worker the app has a connector with connections of its own. A job deferred through those is seen before what it
#: is about is committed: it would find nothing to do, and be gone. This one always writes in Django's transaction.
_within_transaction = JobManager(DjangoConnector(alias=DEFAULT_DB_ALIAS))


def _refresh_connection() -> None:
    """Let go of a connection that the server has closed. Inside a transaction, as in tests, there is none to let go of."""
    if not connection.in_atomic_block:
        close_old_connections()


def tenant_job(*, queue: str = "default", retries: int = 3) -> Callable[[Job], Any]:
    """Mark `function(school, **facts)` as a job of one school; `facts` must be JSON.

    The job runs in one transaction whose scope is that school. Defer it by `deferred(job, school.id, **facts)`, inside
    the transaction whose work it continues: it exists if, and only if, that transaction commits.
    """

    def mark(function: Job) -> Any:
        @wraps(function)
        def run(school_id: int, **facts: Any) -> None:
            _refresh_connection()
            with scope(school_id):
                function(queries.school_by_id(school_id), **facts)

        name = f"{function.__module__}.{function.__name__}"
        return app.task(name=name, queue=queue, retry=retries)(run)

    return mark


def platform_job(
    *, queue: str = "default", cron: str | None = None, retries: int = 1
) -> Callable[[Job], Any]:
    """Mark a job of the whole installation, such as a sweep that defers one tenant job a school.

    It runs without a scope. With `cron` it runs by itself and is handed the `timestamp` it was due.
    """

    def mark(function: Job) -> Any:
        @wraps(function)
        def run(**facts: Any) -> None:
            _refresh_connection()
            function(**facts)

        task: Any = app.task(name=f"{function.__module__}.{function.__name__}", queue=queue, retry=retries)(
            run
        )
        return app.periodic(cron=cron)(task) if cron else task

    return mark


def deferred(job: Any, school_id: int, *, lock: str | None = None, at: Any = None, **facts: Any) -> int:
    """Defer a tenant job within the current transaction; `at` is an aware datetime before which it does not run.

    `job` is the job or its name, such as `pupitre.attendance.jobs.decide_alerts`: actions stand below jobs and name them.
    `lock` makes jobs of the same name and school wait for each other.
    """
    options = {"lock": lock, "schedule_at": at}
    chosen = {name: value for name, value in options.items() if value is not None}
    task = app.tasks[job] if isinstance(job, str) else job
    deferrer = task.configure(**chosen)
    deferrer.job_manager = _within_transaction
    return int(deferrer.defer(school_id=school_id, **facts))


def every_school() -> list[SchoolFacts]:
    """For sweeps."""
    return queries.all_schools()


def every_authority() -> list[int]:
    """The ids of all authorities, for sweeps that visit each in its own scope."""
    return queries.all_authorities()
