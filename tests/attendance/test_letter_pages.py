"""The office's pages of letters: what is due, the archive with its PDF, and the thresholds."""

from datetime import timedelta

import pypdfium2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import letters
from pupitre.attendance.models import AbsenceLetter, Threshold
from pupitre.attendance.rules.absences import Counted, Window
from pupitre.attendance.rules.status import Status
from pupitre.courses import actions as courses
from pupitre.people import actions as people
from pupitre.people.models import Look
from pupitre.people.rules import LookAt, Role
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor

DUE = "/s/oak/attendance/letters"
THRESHOLDS = "/s/oak/attendance/thresholds"


@pytest.fixture
def rule(cast: Cast) -> Threshold:
    """One lesson without a reason in a month is enough, and the pupil has missed one."""
    with scope(cast.school.id):
        taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
        return letters.save_threshold(
            cast.secretary.actor,
            threshold_id=None,
            name="One lesson",
            counts=Counted.ABSENT_LESSONS,
            limit=1,
            window=Window.MONTH,
        )


def test_letters_are_written_printed_and_marked_as_sent(cast: Cast, visit: Visitor, rule: Threshold) -> None:
    browser = visit.as_(cast.secretary)
    page = browser.get(DUE).content.decode()
    assert "One lesson" in page
    assert "Pau Pupil" in page
    answer = browser.post(DUE, {"threshold": rule.pk, "pupil": [cast.pupil.person.pk]})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{DUE}/archive")
    assert "Pau Pupil" not in browser.get(DUE).content.decode()
    archive = browser.get(f"{DUE}/archive").content.decode()
    assert "Mara Pupil, Pere Pupil" in archive
    assert "Not sent yet" in archive
    with scope(cast.school.id):
        letter = AbsenceLetter.objects.get()
    pdf = browser.get(f"{DUE}.pdf?letter={letter.pk}")
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert len(pypdfium2.PdfDocument(pdf.content)) == 2
    assert browser.post(f"{DUE}/archive", {"letter": [letter.pk]}).status_code == 303
    assert "Not sent yet" not in browser.get(f"{DUE}/archive").content.decode()
    with scope(cast.school.id):
        assert list(Look.objects.values_list("subject_id", "what")) == [
            (cast.pupil.person.pk, LookAt.ATTENDANCE)
        ]


def test_a_second_tutor_is_told_that_the_letter_is_written(
    cast: Cast, visit: Visitor, rule: Threshold
) -> None:
    wanted = {"threshold": rule.pk, "pupil": [cast.pupil.person.pk]}
    assert visit.as_(cast.secretary).post(DUE, wanted).status_code == 303
    answer = visit.as_(cast.head).post(DUE, wanted)
    assert answer.status_code == 409
    assert "written in the meantime" in answer.content.decode()


def test_a_school_begins_with_the_usual_thresholds(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    assert "No thresholds yet" in browser.get(DUE).content.decode()
    assert browser.post(THRESHOLDS).status_code == 303
    assert "Latenesses: 5" in browser.get(THRESHOLDS).content.decode()


def test_a_threshold_is_changed_and_a_wrong_text_told_beside_the_form(
    cast: Cast, visit: Visitor, rule: Threshold
) -> None:
    browser = visit.as_(cast.secretary)
    facts = {
        "name": "Two",
        "counts": 1,
        "limit": 2,
        "window": 3,
        "letter_body": "Hello {guardian}",
        "is_active": "on",
    }
    assert browser.post(f"{THRESHOLDS}/{rule.pk}", facts).status_code == 303
    with scope(cast.school.id):
        rule.refresh_from_db()
    assert (rule.name, rule.limit, rule.window) == ("Two", 2, Window.YEAR)
    answer = browser.post(f"{THRESHOLDS}/new", {**facts, "name": "Three", "letter_body": "Hello {nobody}"})
    assert answer.status_code == 422
    assert "{nobody}" in answer.content.decode()
    assert browser.get(f"{THRESHOLDS}/999999").status_code == 404


def test_a_letter_that_does_not_exist_is_not_printed(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.secretary).get(f"{DUE}.pdf?letter=999999").status_code == 404
    assert visit.as_(cast.secretary).get(f"{DUE}.pdf?letter=x").status_code == 404


def test_others_are_turned_away(cast: Cast, visit: Visitor) -> None:
    for address in (DUE, f"{DUE}/archive", f"{DUE}.pdf", THRESHOLDS, f"{THRESHOLDS}/new"):
        assert visit.as_(cast.teacher).get(address).status_code == 403
        assert visit.as_(cast.mother).get(address).status_code == 403
        assert visit.as_(cast.stranger).get(address).status_code == 404
        assert visit.anonymous().get(address).status_code == 302


@pytest.mark.parametrize("address", [DUE, f"{DUE}/archive"])
def test_the_pages_cost_the_same_with_one_pupil_and_with_thirty(
    cast: Cast, visit: Visitor, rule: Threshold, address: str
) -> None:
    browser = visit.as_(cast.secretary)
    if address != DUE:
        browser.post(DUE, {"threshold": rule.pk, "pupil": [cast.pupil.person.pk]})
    browser.get(address)
    with CaptureQueriesContext(connection) as one:
        browser.get(address)
    with scope(cast.school.id):
        absent = {}
        for number in range(30):
            person = people.register_person(
                cast.office, sourced_id=f"m{number}", given_name="More", family_name=f"M{number}", now=NOW
            )
            people.grant_role(cast.office, person, Role.PUPIL)
            people.make_guardian(cast.office, person, cast.mother.person)
            courses.enrol(cast.office, cast.homeroom, person)
            absent[person.pk] = Status.ABSENT
        taken_register(cast, absent, on=TODAY - timedelta(weeks=1))
        if address != DUE:
            letters.issue_letters(cast.secretary.actor, threshold_id=rule.pk, pupil_ids=list(absent), now=NOW)
    with CaptureQueriesContext(connection) as thirty:
        page = browser.get(address).content.decode()
    assert page.count("More M") >= 30
    assert len(thirty) == len(one) <= 18
