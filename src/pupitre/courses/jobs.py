"""Background work of courses: each job calls one action."""

import logging
from datetime import timedelta

from django.db import DatabaseError, transaction

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.rules import Actor, system_actor
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.background import deferred, every_school, platform_job, tenant_job
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

from .actions import keeping, pulling, rosters
from .actions.progress import VisibleProgress

#: A roster's files hold more about people than the school keeps; nobody needs them for longer.
FILES_KEPT = timedelta(days=30)
_log = logging.getLogger(__name__)


def _acting(school: SchoolFacts, account_id: int, name: str) -> Actor:
    """The office's person who asked, so that history says who it was."""
    office = system_actor(school)
    return Actor(account_id, school, roles=office.roles, name=name)


@tenant_job(queue="rosters", retries=0)
def read_files(school: SchoolFacts, import_id: int, account_id: int, name: str) -> None:
    """Read a large upload and compare it with the school."""
    rosters.read_import(_acting(school, account_id, name), import_id, now=clock.now())


@tenant_job(queue="rosters", retries=0)
def apply_roster(school: SchoolFacts, import_id: int, account_id: int, name: str) -> None:
    """Carry out an import; where it fails nothing is written but that it failed."""
    actor = _acting(school, account_id, name)
    with scope(school.id, account=account_id):
        try:
            with transaction.atomic(), VisibleProgress(school.id, import_id) as progress:
                rosters.apply_import(actor, import_id, now=clock.now(), tell=progress)
        except rosters.AlreadyApplied:
            return
        except (DomainError, DatabaseError) as error:
            _log.exception("import %s of school %s failed", import_id, school.slug)
            rosters.note_failure(actor, import_id, message=str(error).partition("\n")[0])
            pulling.note_failed_application(actor, import_id, error, now=clock.now())


@tenant_job(queue="rosters")
def forget_files(school: SchoolFacts) -> None:
    """Delete the files of old imports."""
    rosters.forget_files(system_actor(school), before=clock.now() - FILES_KEPT)


@platform_job(cron="40 2 * * *")
def sweep_files(timestamp: int = 0) -> None:
    """Every night, every school."""
    for school in every_school():
        with scope(school.id):
            deferred(forget_files, school.id, lock=f"rosters-{school.id}")


@platform_job(queue="rosters", retries=0)
def pull_roster(school_id: int) -> None:
    """Take over another system's roster. It is asked outside of any transaction: that may take minutes."""
    pulling.pull(tenancy.school_by_id(school_id), now=clock.now())


@tenant_job(queue="rosters")
def keep_export(school: SchoolFacts) -> None:
    """Keep the school's roster as files."""
    keeping.keep_export(system_actor(school), now=clock.now())


@platform_job(cron="7 * * * *")
def sweep_nightly(timestamp: int = 0) -> None:
    """Every hour, every school: what is due by its own clock. What was missed by an outage is made up for."""
    now = clock.now()
    for school in every_school():
        begin = now + timedelta(minutes=pulling.minute_of(school))
        with scope(school.id):
            if pulling.is_pull_due(school, now=now):
                deferred(pull_roster, school.id, lock=f"pull-{school.id}", at=begin)
            if keeping.is_export_due(system_actor(school), school, now=now):
                deferred(keep_export, school.id, lock=f"export-{school.id}", at=begin)
