"""The teacher's day: which lessons it shows, in what state, and what it costs."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import registers as actions
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import Substitution
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor

from .registers import address, at


def test_it_opens_on_the_lesson_of_now(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.teacher).get("/s/oak/day").content.decode()
    assert "Take the register" in page
    assert page.count("Maths 1A") == 3
    assert f'href="{address(cast)}"' in page
    assert "data-keep" in page


def test_the_state_of_each_lesson_is_told(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    with clock.frozen(at(120)):
        assert "Not taken" in browser.get("/s/oak/day").content.decode()
    with scope(cast.school.id):
        actions.take_register(
            cast.teacher.actor, lesson_id=cast.lesson.pk, held_on=TODAY, now=NOW,
            told=[actions.Told(cast.pupil.person.pk, "A")],
        )  # fmt: skip
    page = browser.get("/s/oak/day").content.decode()
    assert "Taken 09:10" in page
    assert "1 missing" in page
    with scope(cast.school.id):
        actions.close_register(cast.teacher.actor, lesson_id=cast.lesson.pk, held_on=TODAY, now=NOW)
    assert "Closed" in browser.get("/s/oak/day").content.decode()


def test_substitutions_are_in_the_day_of_both(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        Substitution.objects.create(
            school_id=cast.school.id, lesson=cast.lesson, held_on=TODAY, note="Worksheet 3",
            absent_teacher=cast.teacher.person, substitute=cast.colleague.person,
        )  # fmt: skip
        Substitution.objects.create(
            school_id=cast.school.id, lesson=cast.next_lesson, held_on=TODAY, is_cancelled=True
        )
    covering = visit.as_(cast.colleague).get("/s/oak/day").content.decode()
    assert "You stand in" in covering
    assert "for Tess Teacher" in covering
    assert "Worksheet 3" in covering
    absent = visit.as_(cast.teacher).get("/s/oak/day").content.decode()
    assert "Cole League stands in" in absent
    assert "Cancelled" in absent
    assert "Take the register" not in absent


def test_other_days_by_date(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    assert "No lessons" in browser.get("/s/oak/day/2026-10-14").content.decode()
    next_week = browser.get("/s/oak/day/2026-10-20").content.decode()
    assert next_week.count("Maths 1A") == 2
    assert "data-keep" not in next_week
    assert browser.get("/s/oak/day/2026-13-01").status_code == 404


def test_others_are_turned_away(cast: Cast, visit: Visitor) -> None:
    assert visit.anonymous().get("/s/oak/day").status_code == 302
    assert visit.as_(cast.stranger).get("/s/oak/day").status_code == 404
    assert visit.as_(cast.pupil).get("/s/oak/day").status_code == 403
    assert visit.as_(cast.head).get("/s/oak/day").status_code == 200


def test_it_costs_the_same_with_one_lesson_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    browser.get("/s/oak/day")
    with CaptureQueriesContext(connection) as few:
        browser.get("/s/oak/day")
    with scope(cast.school.id):
        for _ in range(30):
            timetable.schedule_lesson(
                cast.office, cast.klass, weekday=2, position=3, subject="More", teachers=[cast.teacher.person]
            )
    with CaptureQueriesContext(connection) as many:
        page = browser.get("/s/oak/day")
    assert page.content.decode().count("Maths 1A") == 33
    assert len(few) == len(many) <= 8


def test_the_day_is_kept_on_the_device(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.teacher).get("/s/oak/day")
    assert (page.headers["Pupitre-Keep"], page.headers["Pupitre-Account"]) == (
        "day",
        str(cast.teacher.account.pk),
    )


def test_a_lesson_opens_a_quarter_of_an_hour_before(cast: Cast, visit: Visitor) -> None:
    with clock.frozen(at(0) - timedelta(minutes=20)):
        page = visit.as_(cast.teacher).get(address(cast)).content.decode()
        assert "This lesson has not begun yet" in page
        assert "<fieldset disabled>" in page
        assert "data-save hidden" in page
    with clock.frozen(at(0) - timedelta(minutes=10)):
        page = visit.as_(cast.teacher).get(address(cast)).content.decode()
        assert "<fieldset>" in page
        assert "data-save hidden" not in page
