"""Row-level security is the only tenant filter, and it fails closed."""

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from pupitre.people.models import Membership, Person
from pupitre.tenancy.scoping import current, each_school, scope
from tests.cast import Cast


def test_a_query_outside_of_any_scope_raises(cast: Cast) -> None:
    with pytest.raises(DataError), transaction.atomic():
        Person.objects.count()


def test_a_scope_sees_its_own_school_only(cast: Cast) -> None:
    with scope(cast.other_school.id):
        assert [person.given_name for person in Person.objects.all()] == ["Stan"]


def test_after_a_scope_queries_raise_again(cast: Cast) -> None:
    with scope(cast.school.id):
        assert Person.objects.exists()
    with pytest.raises(DataError), transaction.atomic():
        Person.objects.exists()


def test_an_inner_scope_puts_the_outer_one_back(cast: Cast) -> None:
    with scope(cast.school.id):
        with scope(cast.other_school.id):
            assert Person.objects.count() == 1
        assert Person.objects.count() > 1


def test_schools_are_read_one_after_the_other_and_the_outer_scope_put_back(cast: Cast) -> None:
    with scope(cast.school.id):
        own, outer = Person.objects.count(), current()
        with each_school(account=cast.mother.account.pk) as enter:
            enter(cast.other_school.id)
            assert Person.objects.count() == 1
            enter(cast.school.id)
            assert Person.objects.count() == own
            enter(cast.other_school.id)
        assert (Person.objects.count(), current()) == (own, outer)


def test_what_a_savepoint_undoes_leaves_the_scope_and_what_was_written_before(cast: Cast) -> None:
    with scope(cast.school.id):
        people = Person.objects.filter(pk=cast.pupil.person.pk)
        people.update(given_name="Before")
        with transaction.atomic():
            people.update(given_name="Undone")
            transaction.set_rollback(True)
        with transaction.atomic():
            assert people.get().given_name == "Before"


def test_a_row_cannot_be_written_into_another_school(cast: Cast) -> None:
    with scope(cast.school.id), pytest.raises(Exception, match="row-level security"), transaction.atomic():
        Membership.objects.create(school_id=cast.other_school.id, person=cast.pupil.person, role=7)


def test_a_row_cannot_point_at_another_schools_person(cast: Cast) -> None:
    with scope(cast.school.id), pytest.raises(IntegrityError, match="same_school"), transaction.atomic():
        Membership.objects.create(school_id=cast.school.id, person=cast.stranger.person, role=7)


def test_the_tests_connect_as_a_role_that_row_level_security_binds(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user"
        )
        assert cursor.fetchone() == (0,)


def test_an_account_finds_its_own_memberships_without_a_school(cast: Cast) -> None:
    with scope(0, account=cast.mother.account.pk):
        assert Membership.objects.count() == 1
