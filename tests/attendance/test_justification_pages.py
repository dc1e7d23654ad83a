"""The office's list of justifications, one of them, its decision and its document."""

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import absences
from pupitre.attendance.models import AbsenceNotice
from pupitre.attendance.rules.absences import Reason
from pupitre.attendance.rules.documents import Document
from pupitre.people import actions as people
from pupitre.people.models import Look
from pupitre.people.rules import LookAt, Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor

LIST = "/s/oak/absences"


def announced(cast: Cast, document: Document | None = None, pupil: Any = None) -> int:
    with scope(cast.school.id):
        notice = absences.announce_absence(
            cast.mother.actor,
            pupil_id=(pupil or cast.pupil).person.pk,
            starts_at=NOW - timedelta(hours=2),
            ends_at=NOW + timedelta(hours=3),
            kind=Reason.MEDICAL,
            reason="The dentist on the square",
            document=document,
            now=NOW,
        )
    return notice.pk


def test_the_list_shows_what_waits_and_not_the_familys_words(cast: Cast, visit: Visitor) -> None:
    announced(cast)
    page = visit.as_(cast.secretary).get(LIST).content.decode()
    assert "Pupil, Pau" in page
    assert "Medical appointment" in page
    assert "The dentist" not in page


def test_the_list_is_filtered_by_state_class_and_name(cast: Cast, visit: Visitor) -> None:
    announced(cast)
    browser = visit.as_(cast.secretary)
    assert "Pupil, Pau" not in browser.get(f"{LIST}?state=accepted").content.decode()
    assert "Pupil, Pau" in browser.get(f"{LIST}?form={cast.homeroom.pk}&q=pup").content.decode()
    assert "Pupil, Pau" not in browser.get(f"{LIST}?q=mate").content.decode()
    assert browser.get(f"{LIST}?state=nonsense&form=x&page=-1").status_code == 200


def test_opening_one_is_a_look_that_is_kept(cast: Cast, visit: Visitor) -> None:
    notice = announced(cast)
    page = visit.as_(cast.secretary).get(f"{LIST}/{notice}").content.decode()
    assert "The dentist on the square" in page
    with scope(cast.school.id):
        assert list(Look.objects.values_list("subject_id", "what")) == [
            (cast.pupil.person.pk, LookAt.ATTENDANCE)
        ]


def test_the_chosen_are_accepted_in_bulk(cast: Cast, visit: Visitor) -> None:
    ids = [announced(cast), announced(cast, pupil=cast.sister)]
    answer = visit.as_(cast.secretary).post(f"{LIST}/decisions", {"notice": ids, "verdict": "accept"})
    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    with scope(cast.school.id):
        assert set(AbsenceNotice.objects.values_list("state", flat=True)) == {2}


def test_a_refusal_without_a_reason_is_told_on_the_page(cast: Cast, visit: Visitor) -> None:
    notice = announced(cast)
    answer = visit.as_(cast.secretary).post(f"{LIST}/decisions", {"notice": notice, "verdict": "refuse"})
    assert answer.status_code == 422
    assert "Say why the justification is refused" in answer.content.decode()


def test_a_document_is_handed_out_as_an_attachment_and_the_look_kept(cast: Cast, visit: Visitor) -> None:
    notice = announced(cast, Document("attest à.pdf", b"%PDF-1.7 x"))
    answer = visit.as_(cast.secretary).get(f"{LIST}/{notice}/document")
    assert answer.content == b"%PDF-1.7 x"
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with scope(cast.school.id):
        assert LookAt.DOCUMENT in Look.objects.values_list("what", flat=True)


def test_guardians_reach_the_document_and_others_do_not(cast: Cast, visit: Visitor) -> None:
    notice = announced(cast, Document("a.pdf", b"%PDF-1.7 x"))
    address = f"{LIST}/{notice}/document"
    assert visit.as_(cast.father).get(address).status_code == 200
    for member in (cast.barred, cast.teacher, cast.classmate, cast.stranger):
        assert visit.as_(member).get(address).status_code == 404


def test_the_office_notes_an_absence_with_a_document(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    assert "Pupil, Pau" in browser.get(f"{LIST}/new?q=pau").content.decode()
    facts = {
        "pupil": cast.pupil.person.pk, "first_day": "2026-10-14", "last_day": "2026-10-14", "from_time": "11:00",
        "until_time": "12:15", "kind": 2, "document": SimpleUploadedFile("x.jpg", b"\xff\xd8\xff photo"),
    }  # fmt: skip
    answer = browser.post(f"{LIST}/new", facts)
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"]).content.decode()
    assert "11:00–12:15" in page
    assert "x.jpg" in page


def test_wrong_times_are_told_beside_the_form(cast: Cast, visit: Visitor) -> None:
    facts = {"pupil": cast.pupil.person.pk, "first_day": "2026-10-15", "last_day": "2026-10-14", "kind": 1}
    answer = visit.as_(cast.secretary).post(f"{LIST}/new", facts)
    assert answer.status_code == 422
    assert "must end after it begins" in answer.content.decode()


def test_a_counsellor_reads_and_does_not_decide(cast: Cast, visit: Visitor) -> None:
    notice = announced(cast)
    with scope(cast.school.id):
        people.grant_role(cast.office, cast.colleague.person, Role.COUNSELLOR)
    browser = visit.as_(cast.colleague)
    assert browser.get(f"{LIST}/{notice}").status_code == 200
    assert browser.post(f"{LIST}/decisions", {"notice": notice, "verdict": "accept"}).status_code == 403


def test_others_are_turned_away(cast: Cast, visit: Visitor) -> None:
    notice = announced(cast)
    for member, status in ((cast.teacher, 403), (cast.mother, 403), (cast.stranger, 404)):
        for address in (LIST, f"{LIST}/{notice}", f"{LIST}/new"):
            assert visit.as_(member).get(address).status_code == status
    assert visit.anonymous().get(LIST).status_code == 302


def test_the_list_costs_the_same_with_one_row_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    announced(cast)
    browser = visit.as_(cast.secretary)
    browser.get(LIST)
    with CaptureQueriesContext(connection) as one:
        browser.get(LIST)
    with scope(cast.school.id):
        for n in range(1, 31):
            absences.announce_absence(
                cast.mother.actor, pupil_id=cast.sister.person.pk, starts_at=NOW + timedelta(days=n),
                ends_at=NOW + timedelta(days=n, hours=3), kind=Reason.FAMILY, now=NOW,
            )  # fmt: skip
    with CaptureQueriesContext(connection) as thirty:
        page = browser.get(LIST).content.decode()
    assert page.count("Family matter") == 30
    assert len(thirty) == len(one) <= 14
