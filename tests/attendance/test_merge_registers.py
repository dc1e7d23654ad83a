"""Two devices took the same register: what each is answered, and what the register says in the end."""

from datetime import timedelta
from typing import Any

import pytest

from pupitre.attendance.actions import registers as actions
from pupitre.attendance.actions.office_marks import rewrite_marks
from pupitre.attendance.models import Mark, MarkRevision, Register
from pupitre.attendance.rules.status import Outcome, Status
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor

from .registers import PHONE, TABLET, address, at, said, send


def marks(cast: Cast) -> dict[str, tuple[int, int]]:
    with scope(cast.school.id):
        return {row[0]: row[1:] for row in Mark.objects.values_list("pupil__sourced_id", "status", "minutes")}


def test_a_device_sends_marks_and_is_answered_the_whole_register(cast: Cast, visit: Visitor) -> None:
    answer = send(visit.as_(cast.teacher), cast, said(cast.pupil, "L", minutes=5, note="Bus"))
    found = answer.json()
    assert answer.status_code == 200
    assert (found["version"], found["closed"], found["merged"], found["batch"]) == (1, False, [], "b-1")
    assert found["marks"] == {
        str(cast.pupil.person.pk): ["L", 5, "Bus"],
        str(cast.sister.person.pk): ["P", 0, ""],
        str(cast.classmate.person.pk): ["P", 0, ""],
    }
    assert marks(cast)["pupil"] == (Status.LATE, 5)


def test_an_empty_batch_takes_the_register_with_everybody_present(cast: Cast, visit: Visitor) -> None:
    send(visit.as_(cast.teacher), cast)
    assert {status for status, _ in marks(cast).values()} == {Status.PRESENT}


def test_sending_again_changes_nothing(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    first = send(browser, cast, said(cast.pupil, "A", 5)).json()
    again = send(browser, cast, said(cast.pupil, "A", 5)).json()
    assert first == again
    with scope(cast.school.id):
        assert not MarkRevision.objects.exists()


def test_the_later_mark_counts_whichever_arrives_first(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    send(browser, cast, said(cast.pupil, "L", 8, minutes=3), device=TABLET)
    answer = send(browser, cast, said(cast.pupil, "A", 2), said(cast.sister, "A", 2), device=PHONE).json()
    assert marks(cast)["pupil"] == (Status.LATE, 3)
    assert marks(cast)["sister"] == (Status.ABSENT, 0)
    (told,) = answer["merged"]
    assert (told["kind"], told["mine"], told["other"]) == ("overruled", ["A", 0, ""], ["L", 3, ""])
    assert told["use"] == "Use mine: “Absent”"
    assert "Pau Pupil" in told["text"]
    with scope(cast.school.id):
        kept = MarkRevision.objects.get(is_explicit=True)
        assert (kept.status, kept.device, kept.outcome) == (Status.ABSENT, PHONE, Outcome.LATER)


def test_a_mark_that_replaces_an_unseen_one_is_told(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    send(browser, cast, said(cast.pupil, "A", 2), device=TABLET)
    (told,) = send(browser, cast, said(cast.pupil, "L", 8, minutes=3), device=PHONE).json()["merged"]
    assert told["kind"] == "replaced"
    seen = send(browser, cast, said(cast.pupil, "A", 9), device=TABLET, base=2).json()
    assert seen["merged"] == []
    assert marks(cast)["pupil"] == (Status.ABSENT, 0)


def test_use_mine_decides(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    send(browser, cast, said(cast.pupil, "L", 8, minutes=3), device=TABLET)
    version = send(browser, cast, said(cast.pupil, "A", 2)).json()["version"]
    answer = send(browser, cast, said(cast.pupil, "A", 10), base=version).json()
    assert answer["merged"] == []
    assert marks(cast)["pupil"] == (Status.ABSENT, 0)


def test_what_arrives_after_the_closing_counts_if_it_was_made_before(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    with clock.frozen(at(20)):
        assert browser.post(address(cast, "/closure"), {}).status_code == 303
    with clock.frozen(at(50)):
        early = send(browser, cast, said(cast.pupil, "A", 10), base=1)
        late = send(browser, cast, said(cast.sister, "A", 30), base=1).json()
    assert early.status_code == 200
    assert marks(cast)["pupil"] == (Status.ABSENT, 0)
    assert marks(cast)["sister"] == (Status.PRESENT, 0)
    assert [told["kind"] for told in late["merged"]] == ["after-closing"]
    assert late["closed"] is True
    with scope(cast.school.id):
        assert MarkRevision.objects.get(outcome=Outcome.AFTER_CLOSING).pupil_id == cast.sister.person.pk


def test_the_offices_justification_stands_against_a_devices_absent(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    send(browser, cast, said(cast.pupil, "A", 2), device=TABLET)
    with scope(cast.school.id):
        found = list(Mark.objects.select_related("register").filter(pupil=cast.pupil.person))
        rewrite_marks(cast.secretary.actor, found, Status.EXCUSED, Outcome.JUSTIFIED, now=at(9))
    answer = send(browser, cast, said(cast.pupil, "A", 10)).json()
    assert [told["kind"] for told in answer["merged"]] == ["justified"]
    assert marks(cast)["pupil"][0] == Status.EXCUSED
    send(browser, cast, said(cast.pupil, "L", 10, minutes=10))
    assert marks(cast)["pupil"] == (Status.LATE, 10)


def test_a_clock_that_is_wrong_is_told_and_never_beats_a_right_one(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    send(browser, cast, said(cast.pupil, "L", 5, minutes=5), device=TABLET)
    answer = send(browser, cast, said(cast.pupil, "A", 900), said(cast.sister, "A", 900)).json()
    assert marks(cast)["pupil"] == (Status.LATE, 5)
    assert marks(cast)["sister"] == (Status.ABSENT, 0)
    assert len(answer["merged"]) == 2
    assert any("clock is wrong" in told["text"] for told in answer["merged"])


def test_a_device_may_not_pose_as_the_office(cast: Cast, visit: Visitor) -> None:
    send(visit.as_(cast.teacher), cast, said(cast.pupil, "E"), device="office")
    with scope(cast.school.id):
        assert Mark.objects.get(pupil=cast.pupil.person).device == ""


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"marks": "no"},
        {"marks": [{"pupil": "1", "code": "A", "recorded_at": "2026-10-13T07:10:00Z"}]},
        {"marks": [{"pupil": 1, "code": "A", "recorded_at": "yesterday"}]},
        {"marks": [{"pupil": 1, "code": "A", "recorded_at": "2026-10-13T07:10:00"}]},
        {"marks": [{"pupil": 1, "code": "A", "recorded_at": "2026-13-45T07:10:00Z"}]},
        {"marks": [None]},
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(cast: Cast, visit: Visitor, body: Any) -> None:
    answer = visit.as_(cast.teacher).post(address(cast, "/marks"), data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["title"] == "These marks could not be read."


def test_nobody_else_sends(cast: Cast, visit: Visitor) -> None:
    for member, status in ((cast.stranger, 404), (cast.colleague, 404), (cast.mother, 403)):
        assert send(visit.as_(member), cast, said(cast.pupil, "A")).status_code == status
    assert send(visit.anonymous(), cast, said(cast.pupil, "A")).status_code == 302
    assert marks(cast) == {}


def test_a_device_asks_who_is_signed_in(cast: Cast, visit: Visitor) -> None:
    found = visit.as_(cast.teacher).get("/registers/session").json()
    assert found["account"] == cast.teacher.account.pk
    assert found["now"] == NOW.isoformat()
    assert len(found["csrf"]) > 30
    assert visit.anonymous().get("/registers/session").json()["account"] == 0


def test_marks_that_come_days_later_count_if_they_were_made_in_time(cast: Cast, visit: Visitor) -> None:
    with clock.frozen(NOW + timedelta(days=20)):
        send(visit.as_(cast.teacher), cast, said(cast.pupil, "A", 10))
    assert marks(cast)["pupil"] == (Status.ABSENT, 0)


def test_versions_count_the_saves(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    assert [
        send(browser, cast, said(cast.pupil, code, n)).json()["version"] for n, code in enumerate("APA")
    ] == [1, 2, 3]
    with scope(cast.school.id):
        assert Register.objects.get().version == 3
        taken = actions.take_register(
            cast.teacher.actor, lesson_id=cast.lesson.pk, held_on=TODAY, told=[], now=NOW, base_version=3
        )
        assert taken.version == 3
