"""A teacher opens the files and prints the cards of her pupils, not of all the school's."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.courses.models import Enrolment
from pupitre.kernel.errors import Denied
from pupitre.people import actions as people
from pupitre.people.models import ClassCard, Look, Person
from pupitre.people.queries.reach import openable
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.people.arrange import newcomer


@pytest.fixture
def stray(cast: Cast) -> Person:
    """A pupil of another class than the teacher's, of the same grade."""
    return newcomer(cast, "Oriol", "Other", Role.PUPIL, grade="07")


@pytest.fixture
def aunt(cast: Cast, stray: Person) -> Person:
    """Who looks after that pupil alone."""
    adult = newcomer(cast, "Ana", "Aunt", phone="600 999 888")
    with scope(cast.school.id):
        people.make_guardian(cast.office, stray, adult)
    return adult


def file(person: Person) -> str:
    return f"/s/oak/people/{person.pk}"


def looks(cast: Cast, person: Person) -> int:
    with scope(cast.school.id):
        return Look.objects.filter(subject=person).count()


def test_a_teacher_opens_her_pupils_and_their_guardians(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    for member in (cast.pupil, cast.classmate, cast.mother, cast.father):
        assert browser.get(file(member.person)).status_code == 200
    assert "mara@familia.example" in browser.get(file(cast.pupil.person)).content.decode()


def test_nobody_elses(cast: Cast, visit: Visitor, stray: Person, aunt: Person) -> None:
    browser = visit.as_(cast.teacher)
    for person in (stray, aunt):
        assert browser.get(file(person)).status_code == 403
        assert looks(cast, person) == 0
    for member in (cast.pupil, cast.mother):
        assert visit.as_(cast.colleague).get(file(member.person)).status_code == 403
        assert visit.as_(cast.stranger).get(file(member.person)).status_code == 404


def test_a_colleague_keeps_her_part_of_the_directory(cast: Cast, visit: Visitor, stray: Person) -> None:
    with scope(cast.school.id):
        people.change_person(cast.office, cast.colleague.person.pk, phone="600 777 666")
        people.grant_role(cast.office, cast.colleague.person, Role.GUARDIAN)
        people.make_guardian(cast.office, stray, cast.colleague.person)
    page = visit.as_(cast.teacher).get(file(cast.colleague.person))
    assert page.status_code == 200
    assert "600 777 666" not in page.content.decode()
    assert "Oriol Other" not in page.content.decode()


@pytest.mark.parametrize("member", ["head", "secretary"])
def test_the_office_opens_everybodys(
    cast: Cast, visit: Visitor, member: str, stray: Person, aunt: Person
) -> None:
    browser = visit.as_(getattr(cast, member))
    for person in (stray, aunt, cast.pupil.person, cast.mother.person):
        assert browser.get(file(person)).status_code == 200


@pytest.mark.parametrize("role", [Role.COUNSELLOR, Role.NURSE])
def test_who_cares_for_all_pupils_opens_theirs(cast: Cast, visit: Visitor, role: Role, stray: Person) -> None:
    with scope(cast.school.id):
        people.grant_role(cast.office, cast.colleague.person, role)
    assert visit.as_(cast.colleague).get(file(stray)).status_code == 200


def test_a_substitute_reaches_the_class_on_that_day(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        timetable.change_day(
            cast.office, cast.lesson.pk, TODAY, now=NOW, substitute_id=cast.colleague.person.pk
        )
        assert openable(cast.colleague.actor, [cast.pupil.person.pk], TODAY)
        assert not openable(cast.colleague.actor, [cast.pupil.person.pk], TODAY + timedelta(days=1))
    assert visit.as_(cast.colleague).get(file(cast.pupil.person)).status_code == 200


def test_a_tutor_reaches_her_form_and_an_enrolment_that_ended_does_not(cast: Cast) -> None:
    with scope(cast.school.id):
        tutor = courses.enrol(cast.office, cast.homeroom, cast.colleague.person, role=Enrolment.TEACHER)
        assert openable(cast.colleague.actor, [cast.pupil.person.pk], TODAY)
        Enrolment.objects.filter(pk=tutor.pk).update(ends_on=TODAY - timedelta(days=1))
        assert not openable(cast.colleague.actor, [cast.pupil.person.pk], TODAY)


def test_lists_name_everybody_and_lead_to_no_closed_file(
    cast: Cast, visit: Visitor, stray: Person, aunt: Person
) -> None:
    for path in ("/s/oak/people", f"/s/oak/classes/{cast.klass.pk}"):
        for member in (cast.teacher, cast.colleague):
            browser = visit.as_(member)
            page = browser.get(path)
            assert page.status_code == 200
            for link in set(re.findall(r'href="(/s/oak/people/\d+)"', page.content.decode())):
                assert browser.get(link).status_code == 200
    page = visit.as_(cast.teacher).get("/s/oak/people").content.decode()
    assert "Other, Oriol" in page
    assert f'href="{file(stray)}"' not in page
    assert f'href="{file(cast.pupil.person)}"' in page


def test_a_guardians_file_leads_to_her_pupils_alone(cast: Cast, visit: Visitor, stray: Person) -> None:
    with scope(cast.school.id):
        people.make_guardian(cast.office, stray, cast.mother.person)
    page = visit.as_(cast.teacher).get(file(cast.mother.person)).content.decode()
    assert f'href="{file(cast.pupil.person)}"' in page
    assert f'href="{file(stray)}"' not in page


def test_a_teacher_prints_and_ends_cards_of_her_pupils_alone(
    cast: Cast, visit: Visitor, stray: Person
) -> None:
    mine = newcomer(cast, "Mia", "Mine", Role.PUPIL, grade="07")
    with scope(cast.school.id):
        courses.enrol(cast.office, cast.klass, mine)
        people.issue_cards(cast.secretary.actor, [stray.pk], now=NOW)
        with pytest.raises(Denied):
            people.issue_cards(cast.teacher.actor, [mine.pk, stray.pk], now=NOW)
        assert not ClassCard.objects.filter(person=mine).exists()
        assert people.issue_cards(cast.teacher.actor, [mine.pk], now=NOW)
    browser = visit.as_(cast.teacher)
    page = browser.get("/s/oak/cards?grade=07").content.decode()
    assert "Mine, Mia" in page
    assert "Other, Oriol" not in page
    assert browser.post("/s/oak/cards/sheet", {"person": stray.pk}).status_code == 403
    assert browser.post(f"/s/oak/cards/{stray.pk}/revocation").status_code == 403
    with scope(cast.school.id):
        assert ClassCard.objects.filter(person=stray, revoked_at__isnull=True).exists()
    assert "Other, Oriol" in visit.as_(cast.secretary).get("/s/oak/cards?grade=07").content.decode()


@pytest.mark.parametrize("path", ["people", "cards?grade=07", "people/{pupil}", "people/{mother}"])
def test_pages_cost_the_same_with_thirty_pupils(cast: Cast, visit: Visitor, path: str) -> None:
    browser = visit.as_(cast.teacher)
    address = "/s/oak/" + path.format(pupil=cast.pupil.person.pk, mother=cast.mother.person.pk)

    def statements() -> int:
        browser.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address).status_code == 200
        return len(captured)

    one = statements()
    for number in range(15):
        newcomer(cast, f"Far{number}", "Other", Role.PUPIL, grade="07")
        child = newcomer(cast, f"Near{number}", "Other", Role.PUPIL, grade="07")
        with scope(cast.school.id):
            courses.enrol(cast.office, cast.klass, child)
            people.make_guardian(cast.office, child, cast.mother.person)
    assert statements() == one
