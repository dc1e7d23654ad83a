"""Closing a register, and opening it again with a reason."""

from datetime import timedelta
from typing import Any

import pytest

from pupitre.attendance.actions import registers as actions
from pupitre.attendance.actions.registers import Told
from pupitre.attendance.models import Mark, Register, Reopening
from pupitre.attendance.rules import registers as rules
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor

from .registers import address


@pytest.fixture
def school(cast: Cast) -> Any:
    with scope(cast.school.id):
        yield cast


def close(cast: Cast, who: Any = None) -> None:
    actions.close_register((who or cast.teacher).actor, lesson_id=cast.lesson.pk, held_on=TODAY, now=NOW)


def reopen(cast: Cast, reason: str = "Pau came in", now: Any = NOW, who: Any = None) -> Reopening:
    actor = (who or cast.teacher).actor
    return actions.reopen_register(actor, lesson_id=cast.lesson.pk, held_on=TODAY, reason=reason, now=now)


def test_a_teacher_closes_her_register(school: Cast) -> None:
    close(school)
    register = Register.objects.get()
    assert (register.closed_at, register.closed_by_id) == (NOW, school.teacher.person.pk)
    assert Mark.objects.filter(status=Status.PRESENT).count() == 3
    with pytest.raises(rules.RegisterClosed):
        close(school)


def test_a_closed_register_is_not_written(school: Cast, visit: Visitor) -> None:
    close(school)
    with pytest.raises(rules.RegisterClosed):
        actions.take_register(
            school.teacher.actor,
            lesson_id=school.lesson.pk,
            held_on=TODAY,
            told=[Told(school.pupil.person.pk, "A")],
            now=NOW,
        )
    answer = visit.as_(school.teacher).post(address(school), {f"mark-{school.pupil.person.pk}": "A"})
    assert answer.status_code == 409
    assert b"This register is closed" in answer.content
    assert not Mark.objects.filter(status=Status.ABSENT).exists()


def test_the_closing_saves_what_the_form_says(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    browser.post(address(cast, "/closure"), {f"mark-{cast.pupil.person.pk}": "A", "version": "0"})
    page = browser.get(address(cast)).content.decode()
    assert "Reopen to correct" in page
    assert "<fieldset disabled>" in page
    with scope(cast.school.id):
        assert Mark.objects.get(pupil=cast.pupil.person).status == Status.ABSENT


def test_reopening_needs_a_reason_which_stays_in_the_history(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    browser.post(address(cast, "/closure"), {})
    assert browser.post(address(cast, "/reopening"), {"reason": " "}).status_code == 422
    assert browser.post(address(cast, "/reopening"), {"reason": "Pau came in"}).status_code == 303
    history = browser.get(address(cast, "/history")).content.decode()
    assert "Pau came in" in history
    assert "Tess Teacher" in history
    with scope(cast.school.id):
        assert Register.objects.get().closed_at is None
        assert Reopening.objects.get().closed_by_id == cast.teacher.person.pk


def test_what_is_open_cannot_be_reopened(school: Cast) -> None:
    with pytest.raises(rules.NotClosed):
        reopen(school)


def test_after_a_week_only_the_office_reopens(school: Cast) -> None:
    close(school)
    with pytest.raises(rules.CorrectionOver):
        reopen(school, now=NOW + timedelta(days=9))
    assert (
        reopen(school, now=NOW + timedelta(days=90), who=school.secretary).reopened_by_id
        == school.secretary.person.pk
    )


def test_others_neither_close_nor_reopen(cast: Cast, visit: Visitor) -> None:
    for part in ("/closure", "/reopening"):
        assert visit.as_(cast.colleague).post(address(cast, part), {"reason": "x"}).status_code == 404
        assert visit.as_(cast.stranger).post(address(cast, part), {"reason": "x"}).status_code == 404
        assert visit.as_(cast.pupil).post(address(cast, part), {"reason": "x"}).status_code == 403
        assert visit.anonymous().post(address(cast, part)).status_code == 302
    with scope(cast.school.id), pytest.raises(NotFound):
        close(cast, who=cast.colleague)


def test_a_lesson_of_tomorrow_is_not_closed(cast: Cast, visit: Visitor) -> None:
    with clock.frozen(NOW - timedelta(days=1)):
        assert visit.as_(cast.teacher).post(address(cast, "/closure"), {}).status_code == 422
