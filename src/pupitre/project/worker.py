"""The worker: carries out the jobs that pages and the clock hand on (`python -m pupitre.project.worker`)."""

import os

import django

from pupitre.kernel import processes

CONCURRENCY = 4
#: Seconds a job may still take when the worker is told to stop; then it is given back to the queue.
GRACE = 3.0


def work() -> None:
    """Carry out jobs until SIGTERM or SIGINT."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pupitre.project.settings")
    django.setup()
    from procrastinate import PsycopgConnector
    from procrastinate.contrib.django import app, utils

    from pupitre.project import jobs

    jobs.catch_up()
    # Django's own connector is synchronous; a worker needs this one, with as few connections as it can do with.
    connector = PsycopgConnector(kwargs=utils.connector_params(), min_size=1, max_size=CONCURRENCY + 1)
    with app.replace_connector(connector):
        app.run_worker(concurrency=CONCURRENCY, shutdown_graceful_timeout=GRACE)


def main() -> None:
    if "PUPITRE_SUPERVISOR" in os.environ:
        processes.follow_parent()
    work()


if __name__ == "__main__":
    main()
