"""The week of a class, a teacher, a room or a pupil, and who may see whose."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import Duty
from pupitre.timetable.queries.imports import choices_before, known_names
from pupitre.timetable.rules.importing import propose
from tests.cast import NOW, TODAY, Cast, Member
from tests.conftest import Visitor
from tests.timetable.files import DATA, real


def page(browser: Client, query: str = "") -> str:
    answer = browser.get(f"/s/oak/timetable{query}")
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_a_teacher_sees_her_own_week_first(cast: Cast, visit: Visitor) -> None:
    shown = page(visit.as_(cast.teacher))
    assert "<h1>Teacher, Tess</h1>" in shown
    assert shown.count('class="lesson') == 2
    assert "1A" in shown
    assert "Room 12" in shown


def test_staff_choose_a_class_a_room_a_teacher_or_a_pupil(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.colleague)
    for query in (f"?class={cast.homeroom.pk}", f"?class={cast.klass.pk}", f"?person={cast.pupil.person.pk}"):
        assert page(browser, query).count('class="lesson') == 2, query
    assert "Room 12" in page(browser, "?by=room")
    assert "?person=" in page(browser, "?by=person&q=pu")
    assert page(browser, f"?teacher={cast.colleague.person.pk}").count('class="lesson') == 0


def test_a_pupil_sees_his_own_and_a_mother_those_of_both(cast: Cast, visit: Visitor) -> None:
    assert page(visit.as_(cast.pupil)).count('class="lesson') == 2
    shown = page(visit.as_(cast.mother))
    assert "Pau Pupil" in shown
    assert "Sia Pupil" in shown
    assert page(visit.as_(cast.father), f"?person={cast.sister.person.pk}").count('class="lesson') == 2


def test_nobody_sees_anothers(cast: Cast, visit: Visitor) -> None:
    refused: list[tuple[Member, str]] = [
        (cast.pupil, f"?person={cast.sister.person.pk}"),
        (cast.pupil, f"?teacher={cast.teacher.person.pk}"),
        (cast.pupil, f"?class={cast.homeroom.pk}"),
        (cast.mother, f"?person={cast.classmate.person.pk}"),
        (cast.mother, "?room=1"),
        (cast.barred, f"?person={cast.pupil.person.pk}"),
        (cast.stranger, ""),
        (cast.teacher, "?person=999999"),
        (cast.teacher, "?class=999999"),
        (cast.teacher, "?room=nonsense"),
    ]
    for member, query in refused:
        assert visit.as_(member).get(f"/s/oak/timetable{query}").status_code == 404, (member.account, query)
    assert visit.anonymous().get("/s/oak/timetable").status_code == 302
    assert page(visit.as_(cast.barred)).count('class="lesson') == 0


def test_weeks_follow_one_another_with_holidays_and_letters(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        timetable.set_weeks(cast.office, weekdays=[1, 2, 3, 4, 5], cycle_starts_on=TODAY)
        timetable.close_day(
            cast.office,
            starts_on=TODAY + timedelta(days=7),
            ends_on=TODAY + timedelta(days=8),
            label="Autumn fair",
        )
    browser = visit.as_(cast.teacher)
    assert "Week A" in page(browser)
    shown = page(browser, "?week=2026-10-21")
    assert "Week B" in shown
    assert "Autumn fair" in shown
    assert shown.count('class="lesson') == 0
    assert page(browser, "?week=yesterday").count('class="lesson') == 2


def test_substitutions_and_cancelled_lessons_are_shown(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        timetable.change_day(
            cast.office,
            cast.lesson.pk,
            TODAY,
            now=NOW,
            substitute_id=cast.colleague.person.pk,
            note="Bring atlas",
        )
        timetable.change_day(cast.office, cast.next_lesson.pk, TODAY, now=NOW, is_cancelled=True)
    shown = page(visit.as_(cast.pupil))
    assert "Substitute: Cole League" in shown
    assert "Bring atlas" in shown
    assert "Cancelled" in shown
    assert "You stand in" in page(visit.as_(cast.colleague))


def test_duties_stand_in_the_teachers_week_only(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        Duty.objects.create(
            school_id=cast.school.id,
            teacher=cast.teacher.person,
            weekday=5,
            position=0,
            title="Guard",
            covers=True,
        )
    assert "Guard" in page(visit.as_(cast.teacher))
    assert "Guard" not in page(visit.as_(cast.pupil))


def test_double_lessons_span_and_simultaneous_ones_share_a_cell(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        for subject, position, length in (("Art", 0, 2), ("Drama", 1, 1), ("Long", 1, 3)):
            timetable.schedule_lesson(
                cast.office,
                cast.klass,
                weekday=3,
                position=position,
                length=length,
                subject=subject,
                teachers=[],
            )
    shown = page(visit.as_(cast.pupil))
    assert '<td data-day="3" rowspan="2">' in shown
    assert shown.count("<b>Long</b>") == 2, "before and after the break"


@pytest.mark.parametrize("whose", ["teacher", "class", "person"])
def test_thirty_lessons_cost_as_many_statements_as_two(cast: Cast, visit: Visitor, whose: str) -> None:
    ids = {"teacher": cast.teacher.person.pk, "class": cast.homeroom.pk, "person": cast.pupil.person.pk}
    browser = visit.as_(cast.secretary)
    page(browser)
    with CaptureQueriesContext(connection) as few:
        page(browser, f"?{whose}={ids[whose]}")
    with scope(cast.school.id):
        for weekday in range(1, 6):
            for position in (0, 1, 3, 4, 0, 1, 3):
                timetable.schedule_lesson(
                    cast.office,
                    cast.klass,
                    weekday=weekday,
                    position=position,
                    subject="X",
                    teachers=[cast.teacher.person],
                )
    with CaptureQueriesContext(connection) as many:
        assert page(browser, f"?{whose}={ids[whose]}").count('class="lesson') == 37
    assert len(many) == len(few)
    assert len(many) <= 11


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason="no reference data")
def test_a_real_class_has_the_week_that_its_timetable_gives(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        apply_real(cast, "primaria")
    shown = page(visit.as_(cast.secretary), f"?by=class&week={TODAY + timedelta(days=7)}")
    assert "4 AÑOS" in shown
    with scope(cast.school.id):
        from pupitre.timetable.queries.weeks import Whose, choices_for, week_of_choice

        choices = choices_for(cast.office, TODAY)
        choice = next(choice for choice in choices.of(Whose.CLASS) if choice.name == "6º")
        week = week_of_choice(cast.office, choice, TODAY + timedelta(days=7))
        (plan,) = [
            timetable.receive_timetable(
                cast.office, real("primaria_data_and_timetable.fet"), now=clock.now()
            )[1]
        ]
        expected = sorted(
            (plan.days[lesson.day].weekday or 0, lesson.first_period, lesson.subject)
            for lesson in plan.lessons
            if "6º" in lesson.groups
        )
        assert sorted((x.held_on.isoweekday(), x.position, x.subject) for x in week.lessons) == expected
        assert len(expected) > 20


def apply_real(cast: Cast, name: str) -> dict[str, Any]:
    received, plan = timetable.receive_timetable(
        cast.office, real(f"{name}_data_and_timetable.fet"), now=clock.now()
    )
    choices = propose(plan, known_names(TODAY), TODAY, before=choices_before())
    timetable.choose_timetable(cast.office, received.pk, replace(choices, starts_on=TODAY))
    return timetable.apply_timetable(cast.office, received.pk, now=clock.now(), today=TODAY)


def test_a_day_with_other_bells_tells_its_times(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        short = timetable.set_bell_schedule(
            cast.office, name="Short", periods=[("1", time(10), time(10, 30), False)], is_default=False
        )
        timetable.run_day_otherwise(cast.office, on=TODAY, label="Fog", schedule_id=short.pk)
    shown = page(visit.as_(cast.pupil))
    assert "10:00–10:30" in shown
    assert "Fog" in shown
