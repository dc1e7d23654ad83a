"""Every change is kept by the database itself: who, when, what it was and what it became."""

import pytest
from django.db import ProgrammingError, connection, transaction

from pupitre.people.models import Person
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.models import Change
from pupitre.tenancy.scoping import scope
from tests.cast import Cast


def test_an_update_keeps_the_columns_that_changed_and_who_did_it(cast: Cast) -> None:
    with scope(cast.school.id, account=cast.secretary.account.pk):
        Person.objects.filter(pk=cast.pupil.person.pk).update(phone="+34 000", email="pau@familia.example")
        change = tenancy.changes_about(cast.pupil.person.pk)[0]
    assert (change.operation, change.account_id) == ("U", cast.secretary.account.pk)
    assert change.after == {"phone": "+34 000", "email": "pau@familia.example"}
    assert set(change.before or {}) == {"phone", "email"}


def test_writing_past_the_models_is_kept_too(cast: Cast) -> None:
    with scope(cast.school.id), connection.cursor() as cursor:
        cursor.execute("UPDATE people_person SET phone = '1' WHERE id = %s", [cast.pupil.person.pk])
        assert tenancy.changes_about(cast.pupil.person.pk)[0].after == {"phone": "1"}


def test_an_update_that_changes_nothing_leaves_no_trace(cast: Cast) -> None:
    with scope(cast.school.id):
        before = Change.objects.count()
        Person.objects.filter(pk=cast.pupil.person.pk).update(given_name=cast.pupil.person.given_name)
        assert Change.objects.count() == before


def test_a_school_reads_its_own_history_only(cast: Cast) -> None:
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.pupil.person.pk).update(phone="1")
    with scope(cast.other_school.id):
        assert tenancy.changes_about(cast.pupil.person.pk) == []


def test_nobody_forges_the_history(cast: Cast) -> None:
    with (
        scope(cast.school.id),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        Change.objects.filter(school_id=cast.school.id).update(account_id=1)
