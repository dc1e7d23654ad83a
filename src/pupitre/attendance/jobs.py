"""Background work of attendance: each job calls one action."""

from datetime import date, datetime, timedelta

from pupitre.kernel import clock
from pupitre.people.rules import system_actor
from pupitre.tenancy.background import deferred, every_authority, every_school, platform_job, tenant_job
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

from .actions import absences, alerts, figures
from .queries.alerts import any_due

#: How far back the nightly sweep counts and excuses again.
SWEPT_DAYS = 14


@tenant_job(queue="alerts")
def decide_alerts(school: SchoolFacts) -> None:
    """Tell families whose child is missing, or calm the alert."""
    alerts.decide_due_alerts(system_actor(school), now=clock.now())


@tenant_job()
def refresh_day(school: SchoolFacts, held_on: str) -> None:
    """Count a day of the school again."""
    figures.refresh_day(system_actor(school), held_on=date.fromisoformat(held_on))


@tenant_job()
def refresh_month(school: SchoolFacts, month: str) -> None:
    """Count a month that is over again, after something in it was corrected."""
    figures.keep_month(system_actor(school), month=date.fromisoformat(month), now=clock.now())


@tenant_job()
def keep_months(school: SchoolFacts) -> None:
    """Count the earliest month that never was, and leave the next one to the next job: each has its own transaction."""
    if figures.keep_earliest_month(system_actor(school), now=clock.now()):
        deferred(keep_months, school.id, lock=f"months:{school.id}")


@tenant_job()
def tidy_days(school: SchoolFacts) -> None:
    """Excuse what is covered by now, and count the last days again."""
    now, actor = clock.now(), system_actor(school)
    absences.excuse_covered(actor, since=now - timedelta(days=SWEPT_DAYS), now=now)
    first, last = figures.recent_days(now, SWEPT_DAYS)
    figures.refresh_days(actor, first=first, last=last)


@platform_job(cron="*/5 * * * *")
def sweep_alerts(timestamp: int = 0) -> None:
    """Catch the alerts whose job was lost or came before its time: a worker was down, a clock was wrong."""
    now = clock.now()
    for school in every_school():
        if _has_due_alerts(school, now):
            with scope(school.id):
                deferred(decide_alerts, school.id)


def _has_due_alerts(school: SchoolFacts, now: datetime) -> bool:
    with scope(school.id):
        return any_due(now - timedelta(minutes=2))


@platform_job(cron="40 2 * * *")
def sweep_days(timestamp: int = 0) -> None:
    """Every night, each school's last days once more."""
    for school in every_school():
        with scope(school.id):
            deferred(tidy_days, school.id)
            deferred(keep_months, school.id, lock=f"months:{school.id}")


@platform_job(cron="*/10 * * * *")
def count_authorities(timestamp: int = 0) -> None:
    """Every authority's last days, summed over its schools: for itself, whatever number of schools it has."""
    now = clock.now()
    for authority_id in every_authority():
        with scope(authority=authority_id):
            figures.count_authority(authority_id, now=now)


@platform_job()
def sweep_months(timestamp: int = 0) -> None:
    """Every school's months that were never counted: after an upgrade, or after years were brought from elsewhere."""
    for school in every_school():
        with scope(school.id):
            deferred(keep_months, school.id, lock=f"months:{school.id}")
