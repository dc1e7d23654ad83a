"""A family announces absences, justifies past ones, hands documents in and takes announcements back."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from pupitre.attendance.models import AbsenceNotice
from pupitre.attendance.rules.absences import NoticeState, Reason
from pupitre.attendance.rules.documents import LARGEST_BYTES
from pupitre.people.models import Guardianship
from pupitre.reports.forms import read_document
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast
from tests.conftest import Visitor

NEW = "/s/oak/family/absences/new"
PDF = b"%PDF-1.7 a note"


def sheet(*children: Any, first: date = TODAY, **facts: Any) -> dict[str, Any]:
    ids = [str(child.person.pk) for child in children]
    return {"pupils": ids, "first_day": first.isoformat(), "kind": "1", **facts}


def announced(cast: Cast) -> list[AbsenceNotice]:
    with scope(cast.school.id):
        return list(AbsenceNotice.objects.order_by("pupil_id"))


def test_both_children_at_once_for_the_whole_day(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    answer = client.post(NEW, sheet(cast.pupil, cast.sister, reason="Fever"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/family")
    first, second = announced(cast)
    assert {first.pupil_id, second.pupil_id} == {cast.pupil.person.pk, cast.sister.person.pk}
    assert first.starts_at == datetime(2026, 10, 12, 22, 0, tzinfo=UTC)
    assert first.ends_at == datetime(2026, 10, 13, 22, 0, tzinfo=UTC)
    assert (first.kind, first.reason, first.state) == (Reason.ILLNESS, "Fever", NoticeState.PENDING)
    assert first.announced_by_id == cast.mother.person.pk
    assert "announced" in client.get("/family").content.decode()


def test_a_part_of_a_later_day_and_a_range_over_the_end_of_summer_time(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    tomorrow = TODAY + timedelta(days=1)
    client.post(NEW, sheet(cast.pupil, first=tomorrow, from_time="11:00", until_time="12:30", kind="2"))
    client.post(NEW, sheet(cast.sister, first=date(2026, 10, 23), last_day="2026-10-27", kind="3"))
    part, stretch = announced(cast)
    assert (part.starts_at, part.ends_at) == (
        datetime(2026, 10, 14, 9, 0, tzinfo=UTC),
        datetime(2026, 10, 14, 10, 30, tzinfo=UTC),
    )
    assert stretch.ends_at == datetime(2026, 10, 27, 23, 0, tzinfo=UTC)


def test_a_document_comes_with_it_or_later(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    client.post(NEW, sheet(cast.pupil, document=SimpleUploadedFile("note.pdf", PDF)))
    client.post(NEW, sheet(cast.sister))
    with_it, without = announced(cast)
    address = f"/s/oak/family/absences/{without.pk}/document"
    assert client.post(address, {"document": SimpleUploadedFile("late.pdf", PDF)}).status_code == 303
    answer = client.get(address)
    assert (answer.content, answer.headers["Content-Disposition"]) == (PDF, "attachment")
    assert visit.as_(cast.father).get(f"/s/oak/family/absences/{with_it.pk}/document").content == PDF
    assert visit.as_(cast.barred).get(f"/s/oak/family/absences/{with_it.pk}/document").status_code == 404


def test_what_is_no_document_is_refused_with_a_sentence(cast: Cast, visit: Visitor) -> None:
    file = SimpleUploadedFile("note.pdf", b"MZ not a pdf")
    answer = visit.as_(cast.mother).post(NEW, sheet(cast.pupil, document=file))
    assert answer.status_code == 422
    assert "neither a PDF nor a photo" in answer.content.decode()
    assert announced(cast) == []


def test_all_or_none(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    client.post(NEW, sheet(cast.sister))
    answer = client.post(NEW, sheet(cast.pupil, cast.sister))
    assert answer.status_code == 422
    assert "already announced" in answer.content.decode()
    assert len(announced(cast)) == 1


def test_the_last_day_does_not_lie_before_the_first(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.mother).post(NEW, sheet(cast.pupil, last_day="2026-10-01"))
    assert answer.status_code == 422
    assert "The last day lies before the first." in answer.content.decode()


def test_another_familys_child_cannot_be_chosen(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.mother).post(NEW, sheet(cast.classmate)).status_code == 422
    assert visit.as_(cast.barred).post(NEW, sheet(cast.pupil)).status_code == 422
    with scope(cast.school.id):
        Guardianship.objects.filter(guardian=cast.father.person).update(may_announce=False)
    assert visit.as_(cast.father).post(NEW, sheet(cast.pupil)).status_code == 422
    for member in (cast.teacher, cast.pupil, cast.secretary):
        assert visit.as_(member).post(NEW, sheet(cast.pupil)).status_code == 403
    assert announced(cast) == []


def test_a_past_day_is_justified_from_its_button(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.mother).get(f"{NEW}?pupil={cast.sister.person.pk}&day=2026-10-06").content.decode()
    assert 'value="2026-10-06"' in page
    assert page.count("checked") >= 2
    assert visit.as_(cast.mother).get(f"{NEW}?pupil=x&day=nonsense").status_code == 200


def test_it_is_taken_back_while_the_school_has_not_accepted_it(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    client.post(NEW, sheet(cast.pupil))
    [told] = announced(cast)
    assert "Withdraw" in client.get("/family").content.decode()
    assert visit.as_(cast.barred).post(f"/s/oak/family/absences/{told.pk}/withdrawal").status_code == 404
    assert client.post(f"/s/oak/family/absences/{told.pk}/withdrawal").status_code == 303
    [told] = announced(cast)
    assert told.withdrawn_at is not None


def test_a_huge_document_is_read_no_further_than_to_refuse_it() -> None:
    file = SimpleUploadedFile("note.pdf", b"%PDF-" + b" " * (2 * LARGEST_BYTES))
    assert len(read_document(file).data) == LARGEST_BYTES + 1
