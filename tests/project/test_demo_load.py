"""The demonstration in a database: complete, the same each time, resumable, and with a lesson under way at any hour.

Loading takes a quarter of a minute, so these tests share two databases of their own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections
from django.test import Client

from pupitre.attendance.actions import history
from pupitre.kernel import clock
from pupitre.people import queries as people
from pupitre.people.models import Account, AuthorityMembership
from pupitre.people.queries.keys import person_ids
from pupitre.people.rules import Role, system_actor
from pupitre.project.demo import load, present
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable import queries as timetable
from tests.database import migrated_copy, point_at

MADRID = ZoneInfo("Europe/Madrid")
MONDAY = datetime(2026, 11, 16, 8, 40, tzinfo=MADRID)
PRIMARY, SECONDARY, ABROAD = "oronetes", "puente-marinada", "puerto-arrayan"
COUNTED = (
    "people_person", "people_membership", "people_guardianship", "courses_class", "courses_enrolment", "timetable_lesson",
    "timetable_lessonteacher", "attendance_register", "attendance_mark", "attendance_markrevision", "attendance_absencenotice",
    "attendance_threshold", "messaging_notice", "messaging_receipt",
)  # fmt: skip


@contextmanager
def another_database(name: str) -> Iterator[None]:
    """Let the default connection lead to a fresh copy of the template for a while."""
    held = dict(connections["default"].settings_dict)
    with migrated_copy(f"{name}_{os.getpid()}") as (application, _owner):
        point_at(application)
        tenancy.forget_schools()
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"].settings_dict.update(held)
            tenancy.forget_schools()


class PowerCutError(Exception):
    """The power went."""


def load_until_secondary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load, and lose power in the middle of the second school."""
    real = history.load_history

    def failing(actor: Any, registers: Any) -> Any:
        if actor.place.slug == SECONDARY:
            raise PowerCutError
        return real(actor, registers)

    with monkeypatch.context() as patched, clock.frozen(MONDAY):
        patched.setattr(history, "load_history", failing)
        with pytest.raises(PowerCutError):
            load.ensure()


def counts_of(school: SchoolFacts) -> dict[str, int]:
    with scope(school.id), connection.cursor() as cursor:
        found = {}
        for table in COUNTED:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
        return found


def content_of(school: SchoolFacts) -> list[tuple[Any, ...]]:
    """Names, accounts' user names and marks by status: what two loads must agree in."""
    with scope(school.id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.sourced_id, p.given_name, p.family_name, a.username, "
            "(SELECT array_agg(m.status ORDER BY m.held_on, m.id) FROM attendance_mark m WHERE m.pupil_id = p.id AND m.status > 1) "
            "FROM people_person p LEFT JOIN people_account a ON a.id = p.account_id ORDER BY p.sourced_id"
        )
        return list(cursor.fetchall())


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """The demonstration, loaded with an interruption; with what a first load elsewhere had left after the same one."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        with another_database("demo_before"):
            load_until_secondary(patch)
            (primary,) = present.own_schools()
            before = {"counts": counts_of(primary), "content": content_of(primary)}
        with another_database("demo"):
            load_until_secondary(patch)
            before["interrupted"] = [school.slug for school in present.own_schools()]
            with clock.frozen(MONDAY):
                assert load.ensure()
                yield before


def school(slug: str) -> SchoolFacts:
    return next(one for one in present.own_schools() if one.slug == slug)


@cache
def all_personas() -> list[load.Persona]:
    return load.personas()


def persona(title: str) -> Account:
    found = next(one for one in all_personas() if one.title.startswith(title))
    account = Account.objects.get(username=found.username)
    assert account.check_password(found.password)
    return account


def roles_of(account: Account) -> dict[str, frozenset[Role]]:
    with scope(account=account.pk):
        places = people.places_for(account.pk, MONDAY.date())
    return {place.school.slug: place.roles for place in places}


def test_an_interrupted_load_leaves_whole_schools_only_and_is_finished_next_time(
    loaded: dict[str, Any],
) -> None:
    assert loaded["interrupted"] == [PRIMARY]
    assert {one.slug for one in present.own_schools()} == {PRIMARY, SECONDARY, ABROAD}


def test_two_loads_agree_in_every_name_and_mark(loaded: dict[str, Any]) -> None:
    primary = school(PRIMARY)
    # Before the interruption today's registers were not taken yet: they come last.
    with scope(primary.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM attendance_mark WHERE held_on < %s", [MONDAY.date()])
        marks = cursor.fetchone()[0]
    assert marks == loaded["counts"]["attendance_mark"]
    names = [row[:4] for row in content_of(primary)]
    assert names == [row[:4] for row in loaded["content"]]
    assert sum(len(row[4] or ()) for row in loaded["content"]) > 5000


def test_the_demonstration_is_as_large_as_promised(loaded: dict[str, Any]) -> None:
    counts = [counts_of(one) for one in present.own_schools()]
    total = {table: sum(one[table] for one in counts) for table in COUNTED}
    assert 380_000 < total["attendance_mark"] < 520_000
    assert 18_000 < total["attendance_register"] < 22_000
    assert total["timetable_lesson"] > 1_500
    assert total["attendance_absencenotice"] > 1_500
    assert total["attendance_markrevision"] > 3_000
    assert total["messaging_receipt"] > 5_000
    assert all(one["attendance_threshold"] == 2 for one in counts)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE activated_at IS NOT NULL) FROM people_account"
        )
        accounts, ready = cursor.fetchone()
    assert accounts > 2_500
    assert ready == len(all_personas()) - 1, "the small child has a card instead of a password"


def test_filling_it_again_changes_nothing(loaded: dict[str, Any]) -> None:
    before = [counts_of(one) for one in present.own_schools()]
    assert load.ensure()
    assert [counts_of(one) for one in present.own_schools()] == before


def test_figures_agree_with_the_marks(loaded: dict[str, Any]) -> None:
    with scope(school(SECONDARY).id), connection.cursor() as cursor:
        cursor.execute("SELECT sum(marks), sum(absent), sum(late), sum(excused) FROM attendance_dayfigure")
        figures = cursor.fetchone()
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE status = 2), count(*) FILTER (WHERE status = 3), "
            "count(*) FILTER (WHERE status = 4) FROM attendance_mark"
        )
        assert figures == cursor.fetchone()


def test_no_absence_that_the_office_justified_stays_unexcused(loaded: dict[str, Any]) -> None:
    with scope(school(SECONDARY).id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM attendance_mark m JOIN attendance_register r ON r.id = m.register_id "
            "JOIN attendance_absencenotice n ON n.pupil_id = m.pupil_id AND n.starts_at < r.ends_at AND n.ends_at > r.starts_at "
            "WHERE m.status = 2 AND n.state = 2 AND r.held_on < %s",
            [MONDAY.date()],
        )
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM attendance_markrevision WHERE outcome = 4")
        assert cursor.fetchone()[0] > 200


def test_each_persona_signs_in_and_is_what_the_title_says(loaded: dict[str, Any]) -> None:
    assert roles_of(persona("Head")) == {SECONDARY: {Role.HEAD}}
    assert roles_of(persona("Secretary")) == {SECONDARY: {Role.SECRETARY}}
    assert roles_of(persona("Teacher, in class")) == {SECONDARY: {Role.TEACHER}}
    assert roles_of(persona("Teacher in two")) == {PRIMARY: {Role.TEACHER}, SECONDARY: {Role.TEACHER}}
    assert roles_of(persona("Pupil")) == {SECONDARY: {Role.PUPIL}}
    assert roles_of(persona("Mother")) == {PRIMARY: {Role.GUARDIAN}, SECONDARY: {Role.GUARDIAN}}
    assert roles_of(persona("Father"))[SECONDARY] == {Role.GUARDIAN}
    inspector = persona("Inspector")
    assert roles_of(inspector) == {}
    assert AuthorityMembership.objects.filter(account=inspector, role=Role.INSPECTOR).count() == 1


def test_the_small_child_signs_in_by_card(loaded: dict[str, Any], client: Client) -> None:
    card = all_personas()[-1]
    assert client.get(card.username).status_code == 200
    answer = client.post(card.username, {"picked": card.password.replace(",", "")})
    assert answer.status_code in {302, 303}
    assert "_auth_user_id" in client.session


def test_a_parent_with_children_in_two_schools_has_one_account(loaded: dict[str, Any]) -> None:
    mother = persona("Mother")
    children = []
    for slug in (PRIMARY, SECONDARY):
        with scope(school(slug).id, account=mother.pk):
            children += people.pupils_of_guardian(people.actor_in(mother, school(slug), MONDAY.date()))
    assert len(children) >= 2
    assert len({child.school_id for child in children}) == 2


def test_whom_a_court_keeps_out_sees_no_record(loaded: dict[str, Any]) -> None:
    with scope(school(SECONDARY).id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE sees_record OR may_announce OR receives_notices) "
            "FROM people_guardianship WHERE court_note <> '' AND NOT receives_notices"
        )
        kept_out, seeing = cursor.fetchone()
    assert kept_out > 0
    assert seeing == 0


INSTANTS = [
    pytest.param(datetime(2026, 11, 16, 8, 45, tzinfo=MADRID), False, id="a Monday's first lesson"),
    pytest.param(datetime(2026, 11, 16, 12, 35, tzinfo=MADRID), True, id="in the second break"),
    pytest.param(datetime(2026, 11, 16, 23, 40, tzinfo=MADRID), True, id="late at night"),
    pytest.param(datetime(2026, 11, 22, 3, 0, tzinfo=MADRID), True, id="three on a Sunday morning"),
    pytest.param(datetime(2026, 11, 23, 8, 5, tzinfo=MADRID), True, id="before school on a Monday"),
    pytest.param(datetime(2026, 12, 8, 12, 0, tzinfo=MADRID), True, id="a holiday"),
]


@pytest.mark.parametrize(("instant", "is_changed"), INSTANTS)
def test_a_lesson_is_under_way_for_the_teacher_who_is_shown(
    loaded: dict[str, Any], instant: datetime, is_changed: bool
) -> None:
    with clock.frozen(instant):
        present.refresh(now=instant)
        place = school(SECONDARY)
        with scope(place.id):
            persons = person_ids(system_actor(place))
            shown = persons[present.generate(date(2026, 9, 7)).shown_teacher]
            held = timetable.lessons_of_day(place, instant.date())
            mine = [one for one in held if one.is_under_way(instant) and one.is_taught_by(shown)]
            assert len(mine) == 1
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT lesson_id FROM attendance_register WHERE held_on = %s", [instant.date()]
                )
                taken = {row[0] for row in cursor.fetchall()}
                cursor.execute(
                    "SELECT count(*) FROM timetable_calendarexception WHERE kind = 3 AND starts_on = %s",
                    [instant.date()],
                )
                assert cursor.fetchone()[0] == is_changed
    assert mine[0].lesson_id not in taken, "her register is left to the visitor"
    assert taken, "colleagues have begun"


def test_some_are_missing_and_one_register_is_not_taken(loaded: dict[str, Any]) -> None:
    instant = datetime(2026, 12, 9, 11, 0, tzinfo=MADRID)
    with clock.frozen(instant):
        present.refresh(now=instant)
        place = school(SECONDARY)
        with scope(place.id), connection.cursor() as cursor:
            held = timetable.lessons_of_day(place, instant.date())
            cursor.execute("SELECT lesson_id FROM attendance_register WHERE held_on = %s", [instant.date()])
            taken = {row[0] for row in cursor.fetchall()}
            cursor.execute(
                "SELECT count(*) FILTER (WHERE status = 2), count(*) FILTER (WHERE status = 4) FROM attendance_mark WHERE held_on = %s",
                [instant.date()],
            )
            absent, excused = cursor.fetchone()
    forgotten = [one for one in held if one.ends_at <= instant and one.lesson_id not in taken]
    assert 1 <= len(forgotten) <= 6
    assert absent > 0
    assert excused > 0


def test_a_database_with_schools_of_its_own_is_left_alone(db: None) -> None:
    before = len(tenancy.all_schools())
    assert load.ensure() is False
    assert load.personas() == []
    assert len(tenancy.all_schools()) == before > 0
