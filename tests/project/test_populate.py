"""A populated region: whole schools with people in several of them, the same each time, and what was interrupted goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from pupitre.kernel import clock
from pupitre.people.models import Account
from pupitre.project import cli
from pupitre.project.populate import load, region, teaching
from pupitre.project.populate.families import people_of
from pupitre.project.populate.past import Past
from pupitre.project.populate.teaching import SchoolWeek
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.models import TenantModel
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from tests.project.test_demo_load import another_database

NOW = datetime(2026, 11, 19, 10, 30, tzinfo=ZoneInfo("Europe/Madrid"))
ASKED = (
    "populate",
    "--schools",
    "2",
    "--users",
    "300",
    "--authority",
    "vall",
    "--workers",
    "1",
    "--history",
    "0.02",
)
FILLED = {"people", "courses", "timetable", "attendance", "messaging"}
#: What every populated school has.
FULL = {
    "attendance_absencenotice", "attendance_alert", "attendance_dayfigure", "attendance_mark", "attendance_markrevision",
    "attendance_register", "attendance_schoolday", "attendance_schoolstanding", "attendance_threshold", "courses_academicsession", "courses_class",
    "courses_classgroup", "courses_classsession", "courses_course", "courses_enrolment", "messaging_notice", "messaging_notification",
    "messaging_receipt", "people_guardianship", "people_look", "people_membership", "people_person", "tenancy_change",
    "timetable_bellschedule", "timetable_calendarexception", "timetable_calendarrule", "timetable_lesson", "timetable_lessonteacher",
    "timetable_period", "timetable_room",
}  # fmt: skip


class PowerCutError(Exception):
    """The power went."""


def populate() -> int:
    """The command inside this process, whose connection leads to the tests' database."""
    from pupitre.project.commands import populate as command

    with clock.frozen(NOW):
        return command.run_populate(cli._parser().parse_args(ASKED))


def counts(school: SchoolFacts) -> dict[str, int]:
    """The rows of each of the school's tables."""
    tables = [
        one._meta.db_table
        for one in apps.get_models()
        if issubclass(one, TenantModel) and one._meta.app_label in FILLED
    ]
    with scope(school.id), connection.cursor() as cursor:
        found = {}
        for table in [*tables, "tenancy_change"]:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
    return found


def rows(school: SchoolFacts, statement: str) -> list[tuple[Any, ...]]:
    with scope(school.id), connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def schools() -> list[SchoolFacts]:
    tenancy.forget_schools()
    return tenancy.schools_for(tenancy.authority_at("vall").pk)


@pytest.fixture(scope="module")
def populated(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, int]]:
    """A region whose first run lost its power in the second school; answers what the first run left of each school."""
    real = Past.make
    made: list[Past] = []

    def failing(self: Past) -> tuple[int, int]:
        if made:
            raise PowerCutError
        made.append(self)
        return real(self)

    with django_db_blocker.unblock(), another_database("populate"):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Past, "make", failing)
            with pytest.raises(PowerCutError):
                populate()
        left = {one.slug: counts(one)["people_person"] for one in schools()}
        assert populate() == 0
        yield left


@contextmanager
def signed_in(username: str) -> Iterator[Client]:
    client = Client()
    client.force_login(Account.objects.get(username=username))
    with clock.frozen(NOW):
        yield client


def test_an_interrupted_region_keeps_whole_schools_and_goes_on(populated: dict[str, int]) -> None:
    (first,) = populated
    held = {one.slug: counts(one)["people_person"] for one in schools()}
    assert held.keys() > populated.keys()
    assert held[first] == populated[first] > 50


def test_a_second_run_changes_nothing(populated: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    before, accounts = [counts(one) for one in schools()], Account.objects.count()
    assert populate() == 0
    assert "there already" in capsys.readouterr().out
    assert [counts(one) for one in schools()] == before
    assert Account.objects.count() == accounts


def test_every_table_of_a_school_is_filled(populated: dict[str, int]) -> None:
    for school in schools():
        held = counts(school)
        assert not {table for table in FULL if not held[table]}


def test_other_numbers_are_refused(populated: dict[str, int]) -> None:
    from pupitre.project.commands import populate as command

    args = cli._parser().parse_args([*ASKED, "--seed", "2"])
    with clock.frozen(NOW), pytest.raises(cli.CommandError, match="--authority"):
        command.run_populate(args)
    assert len(schools()) == 2


def test_families_and_teachers_belong_to_several_schools(populated: dict[str, int]) -> None:
    accounts = [dict(rows(one, "SELECT account_id, role FROM people_membership")) for one in schools()]
    both = accounts[0].keys() & accounts[1].keys()
    assert {accounts[0][one] for one in both} == {3, 8}


def test_siblings_and_separated_parents_are_among_the_families(populated: dict[str, int]) -> None:
    statement = "SELECT count(*) FILTER (WHERE NOT lives_with), max(children) FROM people_guardianship g JOIN (SELECT guardian_id, count(*) AS children FROM people_guardianship GROUP BY 1) c USING (guardian_id)"
    apart, children = zip(*(rows(one, statement)[0] for one in schools()), strict=True)
    assert sum(apart) > 0
    assert max(children) > 1


def test_no_teacher_is_at_two_places_at_once(populated: dict[str, int]) -> None:
    for school in schools():
        twice = "SELECT teacher_id FROM timetable_lessonteacher t JOIN timetable_lesson l ON l.id = t.lesson_id GROUP BY teacher_id, weekday, position HAVING count(*) > 1"
        assert not rows(school, twice)
        pupils = "SELECT e.person_id FROM courses_enrolment e JOIN timetable_lesson l ON l.class_id = e.class_id WHERE e.role = 1 GROUP BY e.person_id HAVING count(*) <> 30 OR count(DISTINCT (weekday, position)) <> 30"
        assert not rows(school, pupils)


def test_the_days_figures_are_those_of_the_marks(populated: dict[str, int]) -> None:
    for school in schools():
        told = rows(
            school,
            "SELECT sum(registers), sum(marks), sum(present), sum(absent + excused) FROM attendance_dayfigure",
        )
        marks = rows(
            school,
            "SELECT count(*), count(*) FILTER (WHERE status = 1), count(*) FILTER (WHERE status IN (2, 4)) FROM attendance_mark",
        )
        registers = rows(school, "SELECT count(*) FROM attendance_register")
        assert told[0] == (registers[0][0], *marks[0])


def test_the_last_days_are_whole_and_no_register_is_of_a_free_day(populated: dict[str, int]) -> None:
    for school in schools():
        days = rows(school, "SELECT held_on, count(*) FROM attendance_register GROUP BY 1 ORDER BY 1")
        lessons = dict(rows(school, "SELECT weekday, count(*) FROM timetable_lesson GROUP BY 1"))
        assert [count for _, count in days[-2:]] == [lessons[on.isoweekday()] for on, _ in days[-2:]]
        assert days[-1][0].isoformat() == "2026-11-18"
        assert all(on.isoweekday() < 6 for on, _ in days)


def test_the_pages_of_a_teacher_a_guardian_and_the_inspector_open(populated: dict[str, int]) -> None:
    school = schools()[0]
    who = "SELECT min(a.username) FROM people_membership m JOIN people_account a ON a.id = m.account_id WHERE m.role = %d"
    lesson, on = rows(
        school, "SELECT lesson_id, held_on FROM attendance_register ORDER BY held_on DESC, id LIMIT 1"
    )[0]
    pages = {
        3: ["/", f"/s/{school.slug}/timetable"],
        2: [f"/s/{school.slug}/registers/{lesson}/{on}", f"/s/{school.slug}/board", f"/s/{school.slug}/people?q=ma", f"/s/{school.slug}/classes"],
        8: ["/family", "/notifications"],
    }  # fmt: skip
    for role, paths in pages.items():
        with signed_in(rows(school, who % role)[0][0]) as client:
            for path in paths:
                assert client.get(path, follow=True).status_code == 200, path
    with signed_in(load.INSPECTOR.format(authority="vall")) as client:
        assert school.name in client.get("/a/vall/").text


def test_schools_are_of_many_sizes_and_classes_of_one() -> None:
    plan = region.Region("vall", 60, 60 * 2500, 0.0, 7)
    sizes = sorted(one.pupils for one in plan.planned)
    assert sum(sizes) == pytest.approx(60 * 2500 / region.USERS_A_PUPIL, rel=0.01)
    assert sizes[-6] > 3 * sizes[6]
    largest = max(plan.planned, key=lambda one: one.pupils)
    week = SchoolWeek(people_of(plan, largest.number, 2026), region.Years(NOW.date()))
    forms = [len(form) for _, form in week.people.forms]
    assert 25 < sum(forms) / len(forms) <= 30
    assert max(forms) <= 30
    assert len(week.drafts.lessons) >= len(forms) * teaching.DAYS * teaching.PERIODS


def test_equal_seeds_make_equal_schools_and_others_others() -> None:
    def told(seed: int) -> list[tuple[str, dict[str, Any]]]:
        people = people_of(region.Region("vall", 2, 300, 0.0, seed), 1, 2026)
        SchoolWeek(people, region.Years(NOW.date()))
        return [(key, one.told) for key, one in people.humans.items()]

    assert told(1) == told(1)
    assert not {key for key, _ in told(1)} & {key for key, _ in told(2)}
