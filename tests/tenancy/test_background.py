"""Jobs carry their tenant, exist only if their transaction commits, and see nothing without a scope."""

import pytest
from django.db import DataError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.testing import InMemoryConnector

from pupitre.kernel.scope import sentence
from pupitre.people.models import Person
from pupitre.tenancy.background import deferred, platform_job, tenant_job
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.jobs import run_jobs

SEEN: list[tuple[str, list[str]]] = []


@tenant_job()
def list_people(school: SchoolFacts, *, prefix: str) -> None:
    SEEN.append((f"{prefix}{school.slug}", [person.given_name for person in Person.objects.all()]))


@platform_job()
def list_without_a_school() -> None:
    SEEN.append(("none", [person.given_name for person in Person.objects.all()]))


@pytest.fixture(autouse=True)
def nobody_seen() -> None:
    SEEN.clear()


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE '%%test_background%%'")
        return int(cursor.fetchone()[0])


def defer_and_fail(cast: Cast) -> None:
    deferred(list_people, cast.school.id, prefix="")
    assert waiting() == 1
    raise RuntimeError


def test_a_job_runs_in_its_schools_scope(cast: Cast) -> None:
    deferred(list_people, cast.other_school.id, prefix="at ")
    run_jobs()
    assert SEEN == [("at elm", ["Stan"])]


def test_a_job_of_a_transaction_that_failed_never_was(cast: Cast) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        defer_and_fail(cast)
    assert waiting() == 0


def test_a_worker_defers_in_its_jobs_transaction_too(cast: Cast) -> None:
    """Its own connector commits at once: the job would look for what is not committed yet."""
    own = InMemoryConnector()
    with app.replace_connector(own):
        with pytest.raises(RuntimeError), transaction.atomic():
            defer_and_fail(cast)
        assert waiting() == 0
        deferred(list_people, cast.school.id, prefix="")
    assert waiting() == 1
    assert not own.jobs


def test_a_job_of_the_platform_sees_no_school(cast: Cast) -> None:
    connection.ensure_connection()
    connection.connection.pgconn.exec_(sentence(None))
    with pytest.raises(DataError), transaction.atomic():
        list_without_a_school.func()
    assert SEEN == []


def test_a_job_leaves_no_scope_behind(cast: Cast) -> None:
    deferred(list_people, cast.school.id, prefix="")
    run_jobs()
    with pytest.raises(DataError), transaction.atomic():
        Person.objects.exists()


def test_deferring_within_a_scope_keeps_the_scope(cast: Cast) -> None:
    with scope(cast.school.id):
        deferred(list_people, cast.other_school.id, prefix="")
        assert Person.objects.filter(sourced_id="pupil").exists()
