"""Background work of the fleet: each job calls one action."""

from typing import Any

from pupitre.kernel import clock
from pupitre.tenancy.background import deferred, every_authority, every_school, platform_job, tenant_job
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

from .actions import commands, figures, fleet, placing, rollouts, targets

# Policies


@tenant_job()
def compile_policy(school: SchoolFacts, policy_id: int) -> None:
    """An authority's policy says something else: whoever has it in this school is told anew."""
    targets.compile_policy(policy_id, now=clock.now())


@tenant_job()
def compile_rules(school: SchoolFacts) -> None:
    """Lesson rules follow the timetable, the calendar and who is in which class."""
    targets.compile_rules(school, now=clock.now())


@tenant_job()
def compile_dated(school: SchoolFacts) -> None:
    """What begins or ends with a date."""
    targets.compile_dated(now=clock.now())


@platform_job(cron="*/10 * * * *")
def sweep_rules(timestamp: int = 0) -> None:
    """Compile lesson rules anew in schools whose timetable changed; where none is left, one statement says so."""
    for school in every_school():
        with scope(school.id):
            if targets.stale_rules(school, now=clock.now())[0]:
                deferred(compile_rules, school.id, lock=f"targets:{school.id}")


@platform_job(cron="3 * * * *")
def sweep_dates(timestamp: int = 0) -> None:
    """Every hour, because midnight comes to each school at its own time."""
    for authority_id in every_authority():
        with scope(authority=authority_id):
            targets.compile_dated(now=clock.now())
    for school in every_school():
        with scope(school.id):
            deferred(compile_dated, school.id, lock=f"targets:{school.id}")


# Applications


@platform_job(cron="*/5 * * * *")
def judge_rollouts(timestamp: int = 0) -> None:
    """Halt rollouts of which too many installations failed: the authorities', and those that schools have of their own."""
    for authority_id in every_authority():
        with scope(authority=authority_id):
            rollouts.judge_running(now=clock.now())
            schools = rollouts.schools_with_running(authority_id)
        for school_id in schools:
            deferred(judge_rollout, school_id, lock=f"rollouts:{school_id}")


@tenant_job()
def judge_rollout(school: SchoolFacts) -> None:
    """The same for one school's own."""
    rollouts.judge_running(now=clock.now())


# The fleet


@tenant_job()
def place_devices(school: SchoolFacts) -> None:
    """Bring the classes of the school's devices up to date."""
    placing.place(school.id)


@tenant_job(queue="default")
def tell_matching(school: SchoolFacts, **facts: Any) -> None:
    """One school's part of what a fleet manager tells all devices of a search."""
    fleet.tell_matching(school, now=clock.now(), **facts)


@platform_job(cron="*/10 * * * *")
def count_fleets(timestamp: int = 0) -> None:
    """Every school's devices for the overviews, and the end of commands that nobody fetched in time."""
    for school in every_school():
        with scope(school.id):
            figures.count_fleet(school)
            commands.expire_commands(school.id, now=clock.now())


@platform_job(cron="12 * * * *")
def sweep_places(timestamp: int = 0) -> None:
    """After midnight, which comes to each school at its own time: enrolments begin and end by their dates."""
    for school in every_school():
        if clock.local(clock.now(), school.time_zone).hour == 0:
            with scope(school.id):
                deferred(place_devices, school.id, lock=f"placing:{school.id}")
