"""Looking people up, opening files, and the office's changes: who may, who may not, and what stays behind."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.people import actions as people
from pupitre.people.models import Guardianship, Look, Membership, Person
from pupitre.people.rules import LookAt, Role, system_actor
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.people.arrange import newcomer

FACTS = {"given_name": "Pau", "family_name": "Pupil"}


def address(person: Person, rest: str = "") -> str:
    return f"/s/oak/people/{person.pk}{rest}"


@pytest.mark.parametrize("words", ["clau", "MATE", "Clàudia Ma", "mate c"])
def test_a_teacher_finds_a_pupil_by_the_beginning_of_a_name(cast: Cast, visit: Visitor, words: str) -> None:
    page = visit.as_(cast.teacher).get("/s/oak/people", {"q": words}).content.decode()
    assert "Mate, Clàudia" in page
    assert "Teacher, Tess" not in page


def test_the_search_knows_roles_and_grades(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    families = browser.get("/s/oak/people", {"role": Role.GUARDIAN.value}).content.decode()
    assert "Pupil, Mara" in families
    assert "Pupil, Pau" not in families
    assert "Nobody found" in browser.get("/s/oak/people", {"grade": "12"}).content.decode()


def test_htmx_gets_the_results_alone(cast: Cast, visit: Visitor) -> None:
    part = visit.as_(cast.teacher).get("/s/oak/people", {"q": "pupil"}, headers={"HX-Request": "true"})
    assert "Pupil, Pau" in part.content.decode()
    assert "<html" not in part.content.decode()


def test_people_of_another_school_are_not_found(cast: Cast, visit: Visitor) -> None:
    assert "Stan" not in visit.as_(cast.head).get("/s/oak/people", {"q": "stan"}).content.decode()
    assert visit.as_(cast.head).get(f"/s/oak/people/{cast.stranger.person.pk}").status_code == 404


@pytest.mark.parametrize("role", ["pupil", "mother"])
def test_families_and_pupils_search_nobody_and_open_no_file(cast: Cast, visit: Visitor, role: str) -> None:
    browser = visit.as_(getattr(cast, role))
    assert browser.get("/s/oak/people").status_code == 403
    assert browser.get(address(cast.pupil.person)).status_code == 403
    with scope(cast.school.id):
        assert not Look.objects.exists()


def test_opening_a_file_leaves_a_look(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.teacher).get(address(cast.pupil.person)).status_code == 200
    with scope(cast.school.id):
        look = Look.objects.get()
        assert (look.subject_id, look.account_id, look.actor_name, look.what, look.looked_at) == (
            cast.pupil.person.pk,
            cast.teacher.account.pk,
            "Tess Teacher",
            LookAt.FILE,
            NOW,
        )


@pytest.mark.parametrize("page", ["/edit", "/history", "/guardians/{barred}"])
def test_no_way_to_the_protected_data_is_without_a_look(cast: Cast, visit: Visitor, page: str) -> None:
    client = visit.as_(cast.secretary)
    assert (
        client.get(address(cast.pupil.person, page.format(barred=cast.barred.person.pk))).status_code == 200
    )
    with scope(cast.school.id):
        look = Look.objects.get(subject=cast.pupil.person)
    assert look.account_id == cast.secretary.account.pk


def test_a_role_of_another_school_is_not_there(cast: Cast, visit: Visitor) -> None:
    with scope(cast.other_school.id):
        office = system_actor(cast.other_school)
        person = people.register_person(office, given_name="Sira", family_name="Secretary", now=NOW)
        people.link_account(office, person, cast.secretary.account)
        role = people.grant_role(office, person, Role.GUARDIAN)
    path = address(cast.secretary.person, f"/roles/{role.pk}/end")
    assert visit.as_(cast.secretary).post(path).status_code == 404


def test_a_refused_look_shows_and_keeps_nothing(cast: Cast, visit: Visitor) -> None:
    aide = newcomer(cast, "Ada", "Aide", Role.AIDE)
    with scope(cast.school.id):
        people.link_account(cast.office, aide, cast.inspector)
    browser = visit.as_(type("Member", (), {"account": cast.inspector}))
    assert browser.get(address(cast.pupil.person)).status_code == 403
    with scope(cast.school.id):
        assert not Look.objects.exists()


def test_a_teacher_sees_the_guardians_contact_and_not_the_courts_words(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.teacher).get(address(cast.pupil.person)).content.decode()
    assert "mara@familia.example" in page
    assert "May not collect" in page
    assert "Order 12/2026" not in page
    assert "2014" not in page


@pytest.mark.parametrize("role", ["head", "secretary"])
def test_the_office_sees_the_courts_words_and_birth_data(cast: Cast, visit: Visitor, role: str) -> None:
    page = visit.as_(getattr(cast, role)).get(address(cast.pupil.person)).content.decode()
    assert "Order 12/2026" in page
    assert "2014" in page


def test_a_counsellor_sees_the_courts_words_and_a_nurse_does_not(cast: Cast) -> None:
    with scope(cast.school.id):
        for role, sees in ((Role.COUNSELLOR, True), (Role.NURSE, False)):
            actor = type(cast.teacher.actor)(
                1, cast.school, cast.colleague.person.pk, frozenset({role}), name="C"
            )
            opened = people.open_file(actor, cast.pupil.person.pk, today=TODAY, now=NOW)
            assert (opened.shows_sensitive, any(tie.court_note for tie in opened.guardians)) == (sees, sees)


def test_a_colleagues_contact_is_the_offices(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        people.change_person(cast.office, cast.colleague.person.pk, phone="600 111 222")
    assert "600 111 222" not in visit.as_(cast.teacher).get(address(cast.colleague.person)).content.decode()
    assert "600 111 222" in visit.as_(cast.secretary).get(address(cast.colleague.person)).content.decode()


def test_the_office_changes_a_person(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    assert 'value="2014-03-02"' in browser.get(address(cast.pupil.person, "/edit")).content.decode()
    chosen = {**FACTS, "preferred_name": "Pauet", "born_on": "2014-03-03", "phone": "600", "grade": "08"}
    assert browser.post(address(cast.pupil.person, "/edit"), chosen).status_code == 303
    with scope(cast.school.id):
        person = Person.objects.get(pk=cast.pupil.person.pk)
    assert (person.full_name, person.born_on, person.grade) == ("Pauet Pupil", date(2014, 3, 3), "08")
    assert person.given_key == "pauet pupil"
    assert "Pupil, Pauet" in visit.as_(cast.teacher).get("/s/oak/people", {"q": "pauet"}).content.decode()


def test_an_unfit_change_is_told(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.secretary).post(
        address(cast.pupil.person, "/edit"), {**FACTS, "email": "nonsense"}
    )
    assert answer.status_code == 422
    assert "Please check these points" in answer.content.decode()


OFFICE_ONLY = [
    ("/edit", FACTS),
    ("/departure", {}),
    ("/roles", {"role": Role.HEAD.value}),
    ("/guardians/new", {"adult": 1}),
    ("/photo", {"remove": "1"}),
]


@pytest.mark.parametrize(("path", "facts"), OFFICE_ONLY)
@pytest.mark.parametrize("role", ["teacher", "mother", "pupil"])
def test_nobody_but_the_office_changes_anything(
    cast: Cast, visit: Visitor, role: str, path: str, facts: dict[str, Any]
) -> None:
    answer = visit.as_(getattr(cast, role)).post(address(cast.pupil.person, path), facts)
    assert answer.status_code == 403
    stranger = visit.as_(cast.stranger).post(address(cast.pupil.person, path), facts)
    assert stranger.status_code == 404


def test_a_teacher_cannot_loosen_a_courts_limits(cast: Cast, visit: Visitor) -> None:
    path = address(cast.pupil.person, f"/guardians/{cast.barred.person.pk}")
    for member in (cast.teacher, cast.barred, cast.mother):
        assert visit.as_(member).get(path).status_code == 403
        assert (
            visit.as_(member).post(path, {"relation": "2", "priority": "1", "sees_record": "on"}).status_code
            == 403
        )
    with scope(cast.school.id):
        assert not Guardianship.objects.get(guardian=cast.barred.person).sees_record


def test_the_office_adds_a_person_and_her_role(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.secretary).post(
        "/s/oak/people/new",
        {"given_name": "Nou", "family_name": "Vingut", "role": Role.PUPIL.value, "grade": "05"},
    )
    assert answer.status_code == 303
    with scope(cast.school.id):
        added = Person.objects.get(family_name="Vingut")
        assert Membership.objects.get(person=added).role == Role.PUPIL
        assert added.sourced_id.startswith("pupitre-")


def test_the_office_gives_and_ends_roles(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.head)
    browser.post(address(cast.colleague.person, "/roles"), {"role": Role.COUNSELLOR.value})
    with scope(cast.school.id):
        given = Membership.objects.get(person=cast.colleague.person, role=Role.COUNSELLOR)
    browser.post(address(cast.colleague.person, f"/roles/{given.pk}/end"))
    with scope(cast.school.id):
        given.refresh_from_db()
        assert given.ends_on == TODAY - timedelta(days=1)
        assert given.account_id == cast.colleague.account.pk


def test_nobody_locks_herself_out_of_the_office(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        own = Membership.objects.get(person=cast.head.person)
    browser = visit.as_(cast.head)
    assert browser.post(address(cast.head.person, f"/roles/{own.pk}/end")).status_code == 422
    assert browser.post(address(cast.head.person, "/departure")).status_code == 422


def test_who_leaves_loses_access_at_once_and_comes_back(cast: Cast, visit: Visitor) -> None:
    office, teacher = visit.as_(cast.secretary), visit.as_(cast.colleague)
    office.post(address(cast.colleague.person, "/departure"))
    assert teacher.get("/s/oak/people").status_code == 404
    assert "League" not in office.get("/s/oak/people", {"q": "league"}).content.decode()
    assert "League" in office.get("/s/oak/people", {"q": "league", "left": "1"}).content.decode()
    office.post(address(cast.colleague.person, "/departure"), {"back": "1"})
    assert teacher.get("/s/oak/people").status_code == 200


def test_the_office_names_a_guardian_and_her_limits(cast: Cast, visit: Visitor) -> None:
    aunt = newcomer(cast, "Aina", "Tieta")
    browser = visit.as_(cast.secretary)
    path = address(cast.classmate.person, "/guardians/new")
    assert "Aina Tieta" in browser.get(path, {"q": "tie"}).content.decode()
    assert "Pau Pupil" not in browser.get(path, {"q": "pau"}).content.decode()
    then = browser.post(path, {"adult": aunt.pk})
    assert then.headers["Location"].endswith(f"/guardians/{aunt.pk}")
    browser.post(
        then.headers["Location"], {"relation": "5", "priority": "2", "sees_record": "on", "court_note": "K"}
    )
    with scope(cast.school.id):
        tie = Guardianship.objects.get(guardian=aunt)
        assert (tie.sees_record, tie.may_collect, tie.court_note, tie.priority) == (True, False, "K", 2)


def test_a_person_of_another_school_cannot_be_made_a_guardian(cast: Cast, visit: Visitor) -> None:
    path = address(cast.classmate.person, "/guardians/new")
    answer = visit.as_(cast.secretary).post(path, {"adult": cast.stranger.person.pk})
    assert answer.status_code == 404


def statements(browser: Any, path: str) -> int:
    browser.get(path)
    with CaptureQueriesContext(connection) as captured:
        browser.get(path)
    return len(captured)


def test_the_search_costs_the_same_with_many(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    one = statements(browser, "/s/oak/people?q=mate")
    for number in range(30):
        newcomer(cast, f"Nou{number}", "Mate", Role.PUPIL)
    assert statements(browser, "/s/oak/people?q=mate") == one


def test_a_file_costs_the_same_with_many_guardians(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    one = statements(browser, address(cast.pupil.person))
    for number in range(30):
        adult = newcomer(cast, f"Adult{number}", "Pupil")
        with scope(cast.school.id):
            people.make_guardian(cast.office, cast.pupil.person, adult)
    assert statements(browser, address(cast.pupil.person)) == one
