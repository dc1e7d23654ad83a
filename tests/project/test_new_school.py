"""A school that was just founded tells whoever may fill it where that is done."""

import pytest
from django.test import Client

from pupitre.attendance.rules.status import Status
from pupitre.courses import actions as courses
from pupitre.people import actions as people
from pupitre.people.rules import Role, system_actor
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from tests.attendance.office import everybody, taken_register
from tests.cast import BELL, NOW, PASSWORD, Cast
from tests.conftest import Visitor

ROSTERS, TIMETABLES = "/s/ash/rosters", "/s/ash/timetable/imports"
EMPTY, NO_PUPILS, NO_TIMETABLE = "The school is still empty", "No pupils yet", "No timetable yet"


@pytest.fixture
def ash(cast: Cast) -> SchoolFacts:
    """A third school, founded a minute ago."""
    founded = founding.found_school(
        cast.authority, slug="ash", name="Ash School", country="ES", locale="en", time_zone="Europe/Madrid"
    )
    return tenancy.facts_of(founded)


def joined(school: SchoolFacts, role: Role) -> Client:
    """A browser of somebody who has that role and nothing else there."""
    key = f"ash-{role.name.lower()}"
    account = people.open_account(
        username=key, password=PASSWORD, display_name=key, now=NOW, email=f"{key}@ash.example"
    )
    with scope(school.id):
        actor = system_actor(school)
        person = people.register_person(actor, sourced_id=key, given_name="Ada", family_name=key, now=NOW)
        people.grant_role(actor, person, role)
        people.link_account(actor, person, account)
    browser = Client()
    browser.force_login(account)
    return browser


def shown(browser: Client, page: str) -> str:
    answer = browser.get(f"/s/ash/{page}")
    assert answer.status_code == 200
    return answer.content.decode().split("<main", 1)[1]


def add_pupils(school: SchoolFacts) -> None:
    with scope(school.id):
        actor = system_actor(school)
        form = courses.open_class(actor, sourced_id="1A", title="1A", kind="homeroom")
        child = people.register_person(
            actor, sourced_id="child", given_name="Kim", family_name="Kid", now=NOW
        )
        people.grant_role(actor, child, Role.PUPIL)
        courses.enrol(actor, form, child)


def add_lesson(school: SchoolFacts) -> None:
    with scope(school.id):
        actor = system_actor(school)
        timetable.set_bell_schedule(actor, name="Day", periods=BELL)
        klass = courses.open_class(actor, sourced_id="1A-ART", title="Art 1A", subject="Art")
        timetable.schedule_lesson(actor, klass, weekday=2, position=0, subject="Art", teachers=[])


@pytest.mark.parametrize(
    ("role", "page"),
    [
        (Role.SECRETARY, "board"),
        (Role.HEAD, "board"),
        (Role.HEAD, "overview"),
        (Role.SECRETARY, "timetable"),
        (Role.HEAD, "timetable"),
    ],
)
def test_whoever_may_fill_an_empty_school_is_led_to_both_imports(
    ash: SchoolFacts, role: Role, page: str
) -> None:
    said = shown(joined(ash, role), page)
    assert EMPTY in said
    assert f'href="{ROSTERS}"' in said
    assert f'href="{TIMETABLES}"' in said


@pytest.mark.parametrize("page", ["board", "overview", "timetable"])
def test_with_pupils_only_the_timetable_is_missing(ash: SchoolFacts, page: str) -> None:
    browser = joined(ash, Role.HEAD)
    add_pupils(ash)
    said = shown(browser, page)
    assert EMPTY not in said
    assert ROSTERS not in said
    assert f'href="{TIMETABLES}" class="button primary"' in said


def test_with_a_timetable_only_the_roster_is_missing(ash: SchoolFacts) -> None:
    browser = joined(ash, Role.HEAD)
    add_lesson(ash)
    for page in ("board", "overview"):
        said = shown(browser, page)
        assert NO_PUPILS in said
        assert f'href="{ROSTERS}" class="button primary"' in said
        assert TIMETABLES not in said
    assert NO_PUPILS not in shown(browser, "timetable")


def test_bells_without_a_lesson_lead_to_the_timetable(ash: SchoolFacts) -> None:
    browser = joined(ash, Role.SECRETARY)
    add_pupils(ash)
    with scope(ash.id):
        timetable.set_bell_schedule(system_actor(ash), name="Day", periods=BELL)
    said = shown(browser, "timetable")
    assert NO_TIMETABLE in said
    assert "/s/ash/timetable/lessons/new" in said


def test_nobody_else_is_led_there(ash: SchoolFacts) -> None:
    for role in (Role.TEACHER, Role.PUPIL):
        said = shown(joined(ash, role), "timetable")
        assert ROSTERS not in said
        assert TIMETABLES not in said


def test_a_school_that_has_both_is_not_bothered(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.head)
    for page in ("board", "overview", "timetable"):
        said = browser.get(f"/s/oak/{page}").content.decode().split("<main", 1)[1]
        assert "/s/oak/rosters" not in said
    with scope(cast.school.id):
        taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
    assert "Pau Pupil" in browser.get("/s/oak/board").content.decode()
