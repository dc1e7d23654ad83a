"""Carrying out what every context says of how long its rows are kept. `docs/operate/retention.md` tells it to operators."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection

from pupitre.attendance.actions.retention import RULES as ATTENDANCE
from pupitre.attendance.queries import statistics
from pupitre.attendance.rules.months import month_of
from pupitre.courses.actions.retention import RULES as COURSES
from pupitre.devices.actions.retention import RULES as DEVICES
from pupitre.kernel import clock
from pupitre.messaging.actions.retention import RULES as MESSAGING
from pupitre.people.actions.retention import MONTHS, RULES_OF_ALL
from pupitre.people.actions.retention import RULES as PEOPLE
from pupitre.tenancy import actions as tenancy
from pupitre.tenancy import retention
from pupitre.tenancy.retention import Ages, Rule
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable.actions.retention import RULES as TIMETABLE

RULES: Final = (*ATTENDANCE, *DEVICES, *MESSAGING, *PEOPLE, *TIMETABLE, *COURSES)
# The tables of queue, cache and libraries are nobody's context's.
RULES_OF_INSTALLATION: Final = (
    *RULES_OF_ALL,
    Rule(
        "finished and failed jobs",
        "SELECT j.id, e.at FROM procrastinate_jobs j "
        "CROSS JOIN LATERAL (SELECT max(at) AS at FROM procrastinate_events WHERE job_id = j.id) e "
        "WHERE j.status IN ('succeeded', 'failed', 'cancelled', 'aborted') AND e.at >= %(after)s AND e.at < %(before)s "
        "ORDER BY e.at, j.id LIMIT %(most)s",
        lambda ages: ages.days_ago(settings.CONFIG.keep_jobs_days),
        ("procrastinate_events.job_id", "procrastinate_jobs.id"),
    ),
    # Of other tools, for who signed in there with her account here.
    Rule(
        "tokens of tools",
        "SELECT id, expires_at FROM allauth_idp_oidc_token WHERE expires_at >= %(after)s AND expires_at < %(before)s "
        "ORDER BY expires_at, id LIMIT %(most)s",
        lambda ages: ages.days_ago(1),
        ("allauth_idp_oidc_token.id",),
    ),
    Rule(
        "counts of attempts",
        "SELECT cache_key AS id, expires FROM web_cache WHERE expires >= %(after)s AND expires < %(before)s "
        "ORDER BY expires, cache_key LIMIT %(most)s",
        lambda ages: ages.now,
        ("web_cache.cache_key",),
    ),
)
#: Under these names `tenancy.Upkeep` knows when it last ran.
UPKEEP: Final = "retention"
_log: Final = logging.getLogger(__name__)


@dataclass
class Told:
    """What was deleted: rows by table, months by name. `is_complete` is False where time ran out or others were in the way."""

    rows: Counter[str] = field(default_factory=Counter)
    months: list[str] = field(default_factory=list)
    is_complete: bool = True


@dataclass
class Pace:
    """Until when to work, and how much to rest: after each batch as long as it took, times `rest`, for others' sake."""

    until: datetime
    rest: float = 1.0
    watch: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep

    @property
    def is_over(self) -> bool:
        return clock.now() >= self.until


def ages_of(now: datetime, school: SchoolFacts | None = None) -> Ages:
    """What rules measure by; in the school's scope, where there is one.

    A month more than the school years themselves, because they do not all begin on the same day. And by the slower clock of
    this machine and the database: one that runs years ahead would have everything deleted.
    """
    now = min(now, _database_now())
    if school is None:
        return Ages(now, date.min)
    running = statistics.year_of(clock.local(now, school.time_zone).date()).first
    oldest = month_of(running).replace(year=running.year - settings.CONFIG.keep_school_years)
    return Ages(now, month_of(oldest - timedelta(days=1)))


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def forget_of_installation(now: datetime, pace: Pace) -> Told:
    """Months ahead and too old, sessions, jobs: what belongs to no school."""
    told = Told()
    ages = ages_of(now)
    for kept in MONTHS:
        try:
            retention.make_months(kept.table, now)
            told.months += retention.forget_months(kept, ages)
        except (
            OperationalError
        ) as error:  # somebody held the table longer than we wait; there is a next night
            told.is_complete = False
            _log.warning("the months of %s were left for the next night: %s", kept.table, error)
    _delete(RULES_OF_INSTALLATION, ages, 0, pace, told)
    return told


def forget_of_school(school: SchoolFacts, now: datetime, pace: Pace) -> Told:
    """Everything of a school that is older than the rules allow, as far as the time goes."""
    told = Told()
    with scope(school.id):
        ages = ages_of(now, school)
    _delete(RULES, ages, school.id, pace, told)
    return told


def _delete(rules: tuple[Rule, ...], ages: Ages, school_id: int, pace: Pace, told: Told) -> None:
    for rule in rules:
        if pace.is_over:
            told.is_complete = False
            return
        try:
            told.is_complete &= _delete_by(rule, ages, school_id, pace, told)
        except (OperationalError, OSError) as error:
            told.is_complete = False
            _log.warning("%s of school %s were left for the next night: %s", rule.name, school_id, error)


def _delete_by(rule: Rule, ages: Ages, school_id: int, pace: Pace, told: Told) -> bool:
    began = pace.watch()
    for batch in retention.batches(rule, ages, school_id):
        told.rows.update(batch.rows)
        if pace.is_over:
            return False
        pace.sleep(pace.rest * (pace.watch() - began))
        began = pace.watch()
    return True


def run_for_installation(now: datetime, pace: Pace) -> Told:
    """`forget_of_installation`, noted."""
    tenancy.note_upkeep(UPKEEP, began_at=now)
    told = forget_of_installation(now, pace)
    _note(UPKEEP, told)
    return told


def run_for_school(school: SchoolFacts, now: datetime, pace: Pace) -> Told:
    """`forget_of_school`, noted and logged."""
    name = f"{UPKEEP}:{school.id}"
    tenancy.note_upkeep(name, began_at=now)
    told = forget_of_school(school, now, pace)
    _note(name, told)
    return told


def _note(name: str, told: Told) -> None:
    facts = {"rows": dict(told.rows), "months": told.months, "complete": told.is_complete}
    tenancy.note_upkeep(name, ended_at=clock.now() if told.is_complete else None, facts=facts)
    if told.rows or told.months or not told.is_complete:
        counts = ", ".join(f"{count} of {table}" for table, count in sorted(told.rows.items()) if count)
        rest = "" if told.is_complete else "; the rest follows the next night"
        _log.info("%s: %s%s%s", name, counts or "nothing", "".join(f", {m}" for m in told.months), rest)


def due(school: SchoolFacts, now: datetime) -> Iterator[tuple[str, str, int]]:
    """(rule, table, rows) of what would go in a school."""
    with scope(school.id):
        yield from _due(RULES, ages_of(now, school))


def due_of_installation(now: datetime) -> Iterator[tuple[str, str, int]]:
    """The same of what belongs to no school; of months the server's estimate."""
    ages = ages_of(now)
    months = ((kept, part) for kept in MONTHS for part in retention.due_months(kept, ages))
    yield from chain(
        ((f"month {part.name}", kept.table, part.rows) for kept, part in months),
        _due(RULES_OF_INSTALLATION, ages),
    )


def _due(rules: tuple[Rule, ...], ages: Ages) -> Iterator[tuple[str, str, int]]:
    for rule in rules:
        for table, count in retention.count_due(rule, ages).items():
            if count:
                yield rule.name, table, count
