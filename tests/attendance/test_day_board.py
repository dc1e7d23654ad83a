"""The office sees who is missing now, which registers are not taken, and acts on it with one tap."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import absences
from pupitre.attendance.models import AbsenceNotice, Mark, MarkRevision
from pupitre.attendance.queries.board import board_for
from pupitre.attendance.rules.absences import LessonOver, NotMissing, Reason
from pupitre.attendance.rules.status import Outcome, Status
from pupitre.courses import actions as courses
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied
from pupitre.people import actions as people
from pupitre.people.models import Look, Person
from pupitre.people.rules import LookAt, Role
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, Cast
from tests.conftest import Visitor

BOARD = "/s/oak/board"


@pytest.fixture
def missing(cast: Cast) -> int:
    """The pupil is absent from the lesson under way; the register's id."""
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.mother.person.pk).update(phone="+34 600 111 222")
        Person.objects.filter(pk=cast.barred.person.pk).update(phone="+34 699 999 999")
        register = taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
    return register.pk


def announce(cast: Cast, pupil: Any) -> AbsenceNotice:
    with scope(cast.school.id):
        return absences.announce_absence(
            cast.mother.actor,
            pupil_id=pupil.person.pk,
            starts_at=NOW - timedelta(hours=2),
            ends_at=NOW + timedelta(hours=6),
            kind=Reason.ILLNESS,
            now=NOW,
        )


def test_the_board_shows_who_is_missing_since_when_and_unannounced(
    cast: Cast, visit: Visitor, missing: int
) -> None:
    page = visit.as_(cast.secretary).get(BOARD).content.decode()
    assert "Pau Pupil" in page
    assert "since 09:00" in page
    assert "Not announced" in page
    assert "Family is told at 09:20" in page
    assert "Sia Pupil" not in page


def test_an_announced_absence_is_told_apart(cast: Cast, visit: Visitor, missing: int) -> None:
    announce(cast, cast.pupil)
    with scope(cast.school.id):
        board = board_for(cast.secretary.actor, now=NOW)
    assert [one.is_announced for one in board.missing] == [True]
    assert board.unannounced == 0
    page = visit.as_(cast.secretary).get(BOARD).content.decode()
    assert "Illness" in page
    assert "Not announced" not in page


def test_who_was_announced_and_whose_lesson_has_not_begun_is_listed_too(cast: Cast) -> None:
    announce(cast, cast.sister)
    with scope(cast.school.id):
        board = board_for(cast.secretary.actor, now=NOW)
    assert [one.pupil_name for one in board.announced] == ["Sia Pupil"]
    assert board.missing == []


def test_a_register_that_is_due_and_not_taken_is_shown_with_its_teacher(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        assert board_for(cast.secretary.actor, now=NOW).untaken == []
        later = board_for(cast.secretary.actor, now=NOW + timedelta(minutes=6))
        assert [(one.class_title, one.teachers, one.minutes) for one in later.untaken] == [
            ("Maths 1A", ("Tess Teacher",), 16)
        ]
        taken_register(cast, everybody(cast))
        assert board_for(cast.secretary.actor, now=NOW + timedelta(minutes=6)).untaken == []
    with clock.frozen(NOW + timedelta(hours=3)):
        page = visit.as_(cast.secretary).get(BOARD).content.decode()
    assert "Tess Teacher" in page


def test_late_arrivals_are_listed_with_their_minutes(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.LATE}, minutes=12)
        board = board_for(cast.secretary.actor, now=NOW)
    assert [(one.name, one.minutes) for one in board.late] == [("Pau Pupil", 12)]
    assert board.missing == []


def test_since_is_the_first_of_the_lessons_missed_in_a_row(cast: Cast) -> None:
    later = NOW + timedelta(hours=1)
    with scope(cast.school.id):
        marks = {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}
        first = taken_register(cast, marks)
        taken_register(cast, marks, lesson=cast.next_lesson, now=later)
        board = board_for(cast.secretary.actor, now=later)
    assert [one.since for one in board.missing] == [first.starts_at]


def test_the_board_is_filtered_by_class_and_grade(cast: Cast, visit: Visitor, missing: int) -> None:
    with scope(cast.school.id):
        empty = courses.open_class(cast.office, sourced_id="2B", title="2B", kind="homeroom")
        assert len(board_for(cast.secretary.actor, form_id=cast.homeroom.pk, now=NOW).missing) == 1
        assert board_for(cast.secretary.actor, form_id=empty.pk, now=NOW).missing == []
        assert board_for(cast.secretary.actor, grade="09", now=NOW).missing == []
    page = visit.as_(cast.secretary).get(f"{BOARD}?form={empty.pk}&grade=07").content.decode()
    assert "Pau Pupil" not in page
    assert "form=" in page


def test_the_board_renews_only_its_part(cast: Cast, visit: Visitor, missing: int) -> None:
    part = visit.as_(cast.secretary).get(BOARD, headers={"HX-Request": "true"}).content.decode()
    assert "Pau Pupil" in part
    assert "<html" not in part


def test_numbers_stand_behind_one_tap_and_that_tap_is_kept(cast: Cast, visit: Visitor, missing: int) -> None:
    browser = visit.as_(cast.secretary)
    assert "600 111 222" not in browser.get(BOARD).content.decode()
    sheet = browser.get(
        f"{BOARD}/pupils/{cast.pupil.person.pk}", headers={"HX-Request": "true"}
    ).content.decode()
    assert "tel:+34600111222" in sheet
    assert "<html" not in sheet
    with scope(cast.school.id):
        looks = list(Look.objects.values_list("subject_id", "what", "account_id"))
    assert looks == [(cast.pupil.person.pk, LookAt.CONTACTS, cast.secretary.account.pk)]


def test_the_barred_guardians_number_is_never_shown(cast: Cast, visit: Visitor, missing: int) -> None:
    page = visit.as_(cast.secretary).get(f"{BOARD}/pupils/{cast.pupil.person.pk}").content.decode()
    assert "Bard Outsider" in page
    assert "Do not call" in page
    assert "699" not in page


def test_a_call_is_noted_and_excuses_the_pupil(cast: Cast, visit: Visitor, missing: int) -> None:
    facts = {
        "pupil": cast.pupil.person.pk,
        "last_day": "2026-10-15",
        "kind": 1,
        "reason": "Fever, until Thursday",
    }
    answer = visit.as_(cast.secretary).post(f"{BOARD}/calls", facts)
    assert (answer.status_code, answer.headers["Location"]) == (303, BOARD)
    with scope(cast.school.id):
        notice = AbsenceNotice.objects.get()
        mark = Mark.objects.get(register_id=missing, pupil=cast.pupil.person)
        kept = MarkRevision.objects.get()
    assert (notice.by_office, notice.state, notice.reason) == (True, 2, "Fever, until Thursday")
    assert clock.local(notice.ends_at, "Europe/Madrid").isoformat() == "2026-10-16T00:00:00+02:00"
    assert mark.status == Status.EXCUSED
    assert (kept.status, kept.outcome) == (Status.ABSENT, Outcome.JUSTIFIED)


def test_a_pupil_who_comes_in_is_late_by_the_minutes_since_the_lesson_began(
    cast: Cast, visit: Visitor, missing: int
) -> None:
    facts = {"came": f"{missing}-{cast.pupil.person.pk}"}
    told = visit.as_(cast.secretary).post(f"{BOARD}/arrivals", facts, follow=True)
    assert b"Marked as late by 10 minutes." in told.content
    with scope(cast.school.id):
        mark = Mark.objects.select_related("register").get(register_id=missing, pupil=cast.pupil.person)
        assert (mark.status, mark.minutes, mark.register.version) == (Status.LATE, 10, 2)
        assert MarkRevision.objects.get().outcome == Outcome.CORRECTED
        with pytest.raises(NotMissing):
            absences.mark_arrived(
                cast.head.actor, register_id=missing, pupil_id=cast.pupil.person.pk, now=NOW
            )


def test_who_comes_in_after_the_lesson_has_missed_it(cast: Cast, visit: Visitor, missing: int) -> None:
    with scope(cast.school.id):
        ends_at = Mark.objects.select_related("register").get(
            register_id=missing, pupil=cast.pupil.person
        ).register.ends_at  # fmt: skip
    facts = {"came": f"{missing}-{cast.pupil.person.pk}"}
    with clock.frozen(ends_at - timedelta(minutes=1)):
        assert "Came in" in visit.as_(cast.secretary).get(BOARD).content.decode()
    with clock.frozen(ends_at):
        page = visit.as_(cast.secretary).get(BOARD).content.decode()
        answer = visit.as_(cast.secretary).post(f"{BOARD}/arrivals", facts)
    assert "Pau Pupil" in page
    assert "Came in" not in page
    assert answer.status_code == LessonOver.status
    assert "This lesson is over." in answer.content.decode()
    with scope(cast.school.id):
        assert Mark.objects.get(register_id=missing, pupil=cast.pupil.person).status == Status.ABSENT
        with pytest.raises(LessonOver):
            absences.mark_arrived(
                cast.head.actor, register_id=missing, pupil_id=cast.pupil.person.pk, now=ends_at
            )


def test_others_of_the_school_may_not_open_the_board(cast: Cast, visit: Visitor) -> None:
    for member in (cast.teacher, cast.pupil, cast.mother):
        assert visit.as_(member).get(BOARD).status_code == 403
        assert visit.as_(member).get(f"{BOARD}/pupils/{cast.pupil.person.pk}").status_code == 403
        assert visit.as_(member).post(f"{BOARD}/calls").status_code == 403
    with scope(cast.school.id), pytest.raises(Denied):
        board_for(cast.teacher.actor, now=NOW)


def test_a_stranger_and_the_anonymous_find_no_board(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.stranger).get(BOARD).status_code == 404
    assert visit.anonymous().get(BOARD).status_code == 302


def test_the_board_costs_the_same_with_one_missing_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        others = [_another_pupil(cast, number) for number in range(30)]
        marks = {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}
        taken_register(cast, {**marks, **dict.fromkeys(others, Status.PRESENT)})
    announce(cast, cast.sister)
    browser = visit.as_(cast.secretary)
    browser.get(BOARD)
    with CaptureQueriesContext(connection) as one:
        browser.get(BOARD)
    with scope(cast.school.id):
        Mark.objects.filter(pupil_id__in=others).update(status=Status.ABSENT)
        for pupil_id in others[:5]:
            absences.announce_absence(
                cast.office, pupil_id=pupil_id, starts_at=NOW, ends_at=NOW + timedelta(hours=5),
                kind=Reason.FAMILY, now=NOW,
            )  # fmt: skip
    with CaptureQueriesContext(connection) as thirty:
        page = browser.get(BOARD).content.decode()
    assert page.count('id="missing-') == 31
    assert len(thirty) == len(one) <= 20


def _another_pupil(cast: Cast, number: int) -> int:
    person = people.register_person(
        cast.office,
        sourced_id=f"more-{number}",
        given_name="More",
        family_name=f"Pupil {number}",
        now=NOW,
        grade="07",
    )
    people.grant_role(cast.office, person, Role.PUPIL)
    courses.enrol(cast.office, cast.homeroom, person)
    return person.pk
