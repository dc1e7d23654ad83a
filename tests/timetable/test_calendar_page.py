"""The office keeps the calendar: periods, weeks, holidays, other days, rooms; and the clock is changed."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.kernel.errors import Conflict, Denied, NotFound
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import BellSchedule, CalendarException, CalendarRule, Period, Room
from pupitre.timetable.queries import lessons_of_day
from pupitre.timetable.rules.errors import DatesReversed, PeriodsUnclear
from tests.cast import TODAY, Cast
from tests.conftest import Visitor

WHERE = "/s/oak/calendar"
BELLS = {
    "name": "Day",
    "is_default": "on",
    "period-name": ["1", "Break", "2", ""],
    "period-start": ["08:00", "09:00", "09:20", ""],
    "period-end": ["09:00", "09:20", "10:20", ""],
    "period-kind": ["lesson", "break", "lesson", "lesson"],
}


def test_periods_are_changed(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.secretary).post(f"{WHERE}/bells", BELLS).status_code == 303
    with scope(cast.school.id):
        listed = Period.objects.order_by("position").values_list("name", "starts_at", "is_break")
        assert list(listed) == [("1", time(8), False), ("Break", time(9), True), ("2", time(9, 20), False)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"period-end": ["09:30", "09:20", "10:20", ""]}, "before “1” ends at 09:30"),
        ({"period-end": ["07:30", "09:20", "10:20", ""]}, "begins at 08:00 and ends at 07:30"),
        ({"period-start": ["never", "09:00", "09:20", ""]}, "“1” is not known here"),
        ({"name": ""}, "needs a name"),
    ],
)
def test_periods_that_cannot_be_are_refused_and_stay_in_the_form(
    cast: Cast, visit: Visitor, wrong: dict[str, Any], said: str
) -> None:
    answer = visit.as_(cast.secretary).post(f"{WHERE}/bells", BELLS | wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "09:20" in answer.content.decode()
    with scope(cast.school.id), pytest.raises(PeriodsUnclear):
        timetable.set_bell_schedule(cast.office, name="X", periods=[("1", time(9), time(8), False)])


def test_holidays_and_days_that_run_otherwise(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    holiday = {"label": "Fair", "starts_on": "2026-10-12", "ends_on": "2026-10-16"}
    assert browser.post(f"{WHERE}/holidays", holiday).status_code == 303
    other = {"label": "Made up", "on": "2026-10-14", "how": "weekday-2"}
    assert browser.post(f"{WHERE}/other-days", other).status_code == 303
    shown = browser.get(WHERE).content.decode()
    assert "Fair" in shown
    assert "as a Tuesday" in shown
    with scope(cast.school.id):
        assert lessons_of_day(cast.school, TODAY) == []
        assert len(lessons_of_day(cast.school, date(2026, 10, 14))) == 2
        entry = CalendarException.objects.get(label="Fair")
    assert browser.post(f"{WHERE}/exceptions/{entry.pk}/deletion").status_code == 303
    assert browser.post(f"{WHERE}/exceptions/{entry.pk}/deletion").status_code == 404
    with scope(cast.school.id):
        assert len(lessons_of_day(cast.school, TODAY)) == 2


def test_a_holiday_that_ends_before_it_begins_and_a_day_without_a_way(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    wrong = {"label": "Fair", "starts_on": "2026-10-12", "ends_on": "2026-10-01"}
    answer = browser.post(f"{WHERE}/holidays", wrong)
    assert answer.status_code == 422
    assert "The last day lies before the first." in answer.content.decode()
    assert (
        browser.post(f"{WHERE}/other-days", {"label": "x", "on": "2026-10-14", "how": "bell-77"}).status_code
        == 422
    )
    with scope(cast.school.id):
        with pytest.raises(DatesReversed):
            timetable.close_day(cast.office, starts_on=TODAY, ends_on=TODAY - timedelta(days=1), label="x")
        with pytest.raises(NotFound):
            timetable.run_day_otherwise(cast.office, on=TODAY, label="x", schedule_id=999)


def test_weekdays_and_the_cycle_of_weeks(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    facts = {
        "weekdays": ["1", "2", "3", "4", "5", "6"],
        "cycle_starts_on": "2026-09-07",
        "holidays_pause_cycle": "on",
    }
    assert browser.post(f"{WHERE}/weeks", facts).status_code == 303
    with scope(cast.school.id):
        rule = CalendarRule.objects.get()
        assert (rule.weekdays, rule.cycle_starts_on, rule.holidays_pause_cycle) == (
            63,
            date(2026, 9, 7),
            True,
        )
    assert "this is a week B" in browser.get(WHERE).content.decode()
    assert browser.post(f"{WHERE}/weeks", {"weekdays": ["9"]}).status_code == 422


def test_rooms_are_added_and_no_longer_offered(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    assert browser.post(f"{WHERE}/rooms", {"name": "Gym", "capacity": "60"}).status_code == 303
    with scope(cast.school.id):
        room = Room.objects.get(name="Gym")
    assert "60 seats" in browser.get(WHERE).content.decode()
    assert browser.post(f"{WHERE}/rooms/{room.pk}/closure").status_code == 303
    assert "Gym" not in browser.get("/s/oak/timetable?by=room").content.decode()
    assert browser.post(f"{WHERE}/rooms/999999/closure").status_code == 404
    assert browser.post(f"{WHERE}/rooms", {"name": "Gym"}).status_code == 303
    with scope(cast.school.id):
        assert Room.objects.get(name="Gym").capacity == 60


def test_a_bell_schedule_that_is_used_stays(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    short = {**BELLS, "name": "Short", "is_default": ""}
    browser.post(f"{WHERE}/bells", short)
    with scope(cast.school.id):
        schedule = BellSchedule.objects.get(name="Short")
        assert not schedule.is_default
        timetable.run_day_otherwise(cast.office, on=TODAY, label="Fog", schedule_id=schedule.pk)
        with pytest.raises(Conflict):
            timetable.delete_bell_schedule(cast.office, schedule.pk)
        CalendarException.objects.all().delete()
    assert browser.post(f"{WHERE}/bells/{schedule.pk}/deletion").status_code == 303


def test_only_the_office_keeps_the_calendar(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.teacher).get(WHERE).status_code == 403
    assert visit.as_(cast.mother).post(f"{WHERE}/holidays", {}).status_code == 403
    assert visit.as_(cast.stranger).get(WHERE).status_code == 404
    assert visit.anonymous().get(WHERE).status_code == 302
    with scope(cast.school.id), pytest.raises(Denied):
        timetable.set_weeks(cast.teacher.actor, weekdays=[1])


def test_thirty_holidays_and_rooms_cost_as_many_statements_as_one(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    counts = []
    for _ in range(2):
        browser.get(WHERE)  # a calendar that was changed is read once and remembered
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(WHERE).status_code == 200
        counts.append(len(queries))
        with scope(cast.school.id):
            for number in range(30):
                timetable.open_room(cast.office, name=f"R{number}")
                day = TODAY + timedelta(days=number)
                timetable.close_day(cast.office, starts_on=day, ends_on=day, label="x")
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("school", "before", "after"),
    [
        # Madrid puts the clock back on 25 October 2026, Santiago put it forward on 6 September 2026.
        ("oak", (date(2026, 10, 20), "07:00"), (date(2026, 10, 27), "08:00")),
        ("elm", (date(2026, 9, 1), "13:00"), (date(2026, 9, 8), "12:00")),
    ],
)
def test_lessons_keep_their_local_time_when_the_clock_is_changed(
    cast: Cast, school: str, before: tuple[date, str], after: tuple[date, str]
) -> None:
    from datetime import UTC

    place = cast.school if school == "oak" else cast.other_school
    office = replace(cast.office, school=place)
    with scope(place.id):
        if school == "elm":
            timetable.set_bell_schedule(office, name="Day", periods=[("1", time(9), time(10), False)])
            klass = courses.open_class(office, sourced_id="k", title="K")
            timetable.schedule_lesson(office, klass, weekday=2, position=0, subject="X", teachers=[])
        for on, in_utc in (before, after):
            lesson = lessons_of_day(place, on)[0]
            assert f"{lesson.starts_at:%H:%M}" == "09:00"
            assert f"{lesson.starts_at.astimezone(UTC):%H:%M}" == in_utc
