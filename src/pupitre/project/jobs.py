"""Background work of the composition root: what needs several contexts at once."""

import contextlib
from datetime import datetime, timedelta
from typing import Any, Final

from procrastinate.exceptions import AlreadyEnqueued

from pupitre.kernel import clock
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.background import deferred, every_school, platform_job

#: So long the nightly retention works; what is left goes on the next night.
NIGHT: Final = timedelta(hours=4)
#: Of which one school may have so much, so that the largest backlog does not keep all others waiting.
SCHOOL: Final = timedelta(minutes=20)


@platform_job(cron="*/5 * * * *")
def keep_demonstration(timestamp: int = 0) -> None:
    """Let a lesson be under way in the demonstration at any hour. Does nothing where there is no demonstration."""
    from pupitre.project.demo import present

    present.refresh(now=clock.now())


@platform_job(cron="10 1 * * *")
def sweep_retention(timestamp: int = 0) -> None:
    """Every night: delete what is older than its rule allows, the schools that waited longest first."""
    from pupitre.project import retention

    now = clock.now()
    until = now + NIGHT
    retention.run_for_installation(now, retention.Pace(until))
    ends = tenancy.upkeep_ends(f"{retention.UPKEEP}:")
    first = datetime.min.replace(tzinfo=now.tzinfo)
    for school in sorted(every_school(), key=lambda one: ends.get(f"{retention.UPKEEP}:{one.id}") or first):
        # One lock for a night: however many workers there are, only one deletes at a time, and a worker that was killed in
        # the midst of it does not hold up the next night.
        deferred(forget_old, school.id, lock=f"{retention.UPKEEP}:{now:%Y-%m-%d}", until=until.isoformat())


@platform_job()
def forget_old(school_id: int, until: str) -> None:
    """One school's part. Not a tenant job: each batch has its own transaction."""
    from pupitre.project import retention

    now, ends = clock.now(), datetime.fromisoformat(until)
    if now < ends:
        pace = retention.Pace(min(ends, now + SCHOOL))
        retention.run_for_school(tenancy.school_by_id(school_id), now, pace)


def catch_up() -> None:
    """Have done at once, when a worker starts, what it missed while it was down."""
    from procrastinate.contrib.django import app

    from pupitre.project.demo import present

    missed: list[tuple[Any, str]] = [(app.tasks["pupitre.attendance.jobs.sweep_months"], "sweep_months")]
    if present.own_schools():
        missed.append((keep_demonstration, "keep_demonstration"))
    for job, name in missed:
        with contextlib.suppress(AlreadyEnqueued):
            job.configure(queueing_lock=name).defer(timestamp=0)
