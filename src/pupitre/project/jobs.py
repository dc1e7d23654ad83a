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


@platform_job(queue="outside", retries=3)
def mail_fleet_managers(school_id: int, authority_id: int, facts: dict[str, Any]) -> None:
    """Tell an authority's fleet managers that a rollout has halted: they are in no school, and so have no bell."""
    from django.conf import settings
    from django.core.mail import send_mail
    from django.urls import reverse
    from django.utils.translation import gettext, override

    from pupitre.messaging.rules.kinds import WORDINGS, Kind
    from pupitre.people import queries as people

    wording, authority = WORDINGS[Kind.ROLLOUT_HALTED], tenancy.access_authority(authority_id)
    link = settings.CONFIG.base_url + reverse("fleet-rollouts", kwargs={"authority": authority.slug})
    for address, language in people.fleet_managers_of(authority_id):
        with override(language or authority.locale):
            told = f"{gettext(wording.sentence) % facts}\n\n{link}\n"
            send_mail(gettext(wording.title), told, settings.DEFAULT_FROM_EMAIL, [address])


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
