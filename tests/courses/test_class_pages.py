"""Classes: staff see them, the office enrols people and attaches forms."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.courses import queries
from pupitre.courses.models import Class, ClassGroup, Enrolment
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied
from pupitre.people import actions as people
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast
from tests.conftest import Visitor


@pytest.fixture
def office(cast: Cast, visit: Visitor) -> Client:
    return visit.as_(cast.secretary)


def page_of(cast: Cast) -> str:
    return f"/s/oak/classes/{cast.klass.pk}"


def test_staff_see_classes_with_teachers_and_pupils(cast: Cast, visit: Visitor) -> None:
    teacher = visit.as_(cast.teacher)
    shown = teacher.get("/s/oak/classes").content.decode()
    assert "Maths 1A" in shown
    assert "Tess Teacher" in shown
    assert "Maths 1A" not in teacher.get("/s/oak/classes?q=biology").content.decode()
    klass = teacher.get(page_of(cast)).content.decode()
    assert "Pau Pupil" in klass
    assert "Enrol somebody" not in klass


def test_of_many_classes_a_page_shows_some(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        for number in range(60):
            courses.open_class(cast.office, sourced_id=f"many-{number}", title=f"Many {number:02d}")
    teacher = visit.as_(cast.teacher)
    pages = [teacher.get(f"/s/oak/classes?page={page}").content.decode() for page in (1, 2, 99)]
    assert "Many 10" in pages[0]
    assert "Many 59" not in pages[0]
    assert "Many 59" in pages[1]
    assert "Many 59" in pages[2], "the last page answers for those behind it"
    part = teacher.get("/s/oak/classes?q=many+59", headers={"HX-Request": "true"}).content.decode()
    assert "Many 59" in part
    assert "Many 58" not in part
    assert "<main" not in part


def test_the_office_enrols_by_hand_and_ends(cast: Cast, office: Client) -> None:
    found = office.get(f"{page_of(cast)}?q=league").content.decode()
    assert "Cole League" in found
    answer = office.post(f"{page_of(cast)}/enrolments", {"person": cast.colleague.person.pk, "role": 2})
    assert answer.status_code == 303
    assert "Cole League" in office.get(page_of(cast)).content.decode()
    with scope(cast.school.id):
        row = Enrolment.objects.get(klass=cast.klass, person=cast.colleague.person)
        assert (row.role, row.origin, row.begins_on) == (Enrolment.TEACHER, Enrolment.BY_HAND, TODAY)
    office.post(f"{page_of(cast)}/enrolments/{row.pk}/end")
    assert "Cole League" not in office.get(page_of(cast)).content.decode()


def test_who_left_can_be_enrolled_again(cast: Cast, office: Client) -> None:
    with scope(cast.school.id):
        row = Enrolment.objects.get(klass=cast.homeroom, person=cast.pupil.person)
        courses.end_enrolment(cast.office, row, today=TODAY)
        assert cast.pupil.person not in queries.pupils_of([cast.klass.pk], today=TODAY)
        courses.enrol(cast.office, cast.homeroom, cast.pupil.person)
        assert cast.pupil.person in queries.pupils_of([cast.klass.pk], today=TODAY)


def test_a_form_is_detached_and_attached(cast: Cast, office: Client) -> None:
    office.post(f"{page_of(cast)}/homerooms", {"homeroom": cast.homeroom.pk, "do": "detach"})
    with scope(cast.school.id):
        assert not ClassGroup.objects.filter(klass=cast.klass).exists()
        assert queries.pupils_of([cast.klass.pk], today=TODAY) == []
    office.post(f"{page_of(cast)}/homerooms", {"homeroom": cast.homeroom.pk, "do": "attach"})
    with scope(cast.school.id):
        assert len(queries.pupils_of([cast.klass.pk], today=TODAY)) == 3
    refused = office.post(f"{page_of(cast)}/homerooms", {"homeroom": cast.klass.pk, "do": "attach"})
    assert refused.status_code == 422


def test_what_others_ask_about_classes(cast: Cast) -> None:
    with scope(cast.school.id):
        assert queries.homeroom_of([cast.pupil.person.pk, cast.teacher.person.pk], today=TODAY) == {
            cast.pupil.person.pk: "1A"
        }
        assert queries.classes_of_teacher(cast.teacher.actor, today=TODAY) == [cast.klass]
        assert queries.classes_of_teacher(cast.colleague.actor, today=TODAY) == []


def test_who_may_not(cast: Cast, visit: Visitor) -> None:
    for address in ("/s/oak/classes", page_of(cast)):
        assert visit.as_(cast.pupil).get(address).status_code == 403
        assert visit.as_(cast.mother).get(address).status_code == 403
        assert visit.as_(cast.stranger).get(address).status_code == 404
        assert visit.anonymous().get(address).status_code == 302
    assert visit.as_(cast.teacher).post(f"{page_of(cast)}/enrolments", {}).status_code == 403
    with scope(cast.school.id), pytest.raises(Denied):
        courses.enrol(cast.teacher.actor, cast.klass, cast.colleague.person)


@pytest.mark.parametrize("form", [{}, {"person": "x"}, {"person": "999999", "role": "1"}, {"person": "-1"}])
def test_nonsense_is_not_found(cast: Cast, office: Client, form: dict[str, str]) -> None:
    assert office.post(f"{page_of(cast)}/enrolments", form).status_code == 404


def test_the_number_of_queries_does_not_grow(cast: Cast, office: Client) -> None:
    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert office.get(address).status_code == 200
        return len(captured)

    addresses = ("/s/oak/classes", page_of(cast), f"{page_of(cast)}?q=many")
    count(addresses[0])
    before = [count(address) for address in addresses]
    with scope(cast.school.id):
        for n in range(30):
            one = people.register_person(
                cast.office, sourced_id=f"m{n}", given_name=f"G{n}", family_name="Many", now=clock.now()
            )
            people.grant_role(cast.office, one, Role.PUPIL)
            courses.enrol(cast.office, cast.homeroom, one)
            courses.open_class(cast.office, sourced_id=f"h{n}", title=f"H{n}", kind=Class.HOMEROOM)
    assert [count(address) for address in addresses] == before
