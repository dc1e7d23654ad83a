"""School days, weeks and occurrences, across summer time and around the world."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pupitre.timetable.rules.bell import Period, propose_periods
from pupitre.timetable.rules.calendar import (
    DayException,
    ExceptionKind,
    Holiday,
    SchoolCalendar,
    Substitution,
    WeekCycle,
    WeeklyLesson,
    instant,
    is_school_day,
    lessons_on,
    occurrences_between,
    school_day,
    week_of,
)

USUAL = propose_periods(["1", "2", "Recreo", "3", "4", "Recreo", "5"], time(8), 60, 30)
SHORT = (
    Period("1", time(8), time(8, 30)),
    Period("2", time(8, 30), time(9)),
    Period("3", time(9), time(9, 30)),
)
YEAR = SchoolCalendar(
    zone="Europe/Madrid",
    starts_on=date(2026, 9, 7),
    ends_on=date(2027, 6, 22),
    bells={"usual": USUAL, "short": SHORT},
    default_bells="usual",
    holidays=(Holiday(date(2026, 10, 12), date(2026, 10, 12)), Holiday(date(2026, 12, 23), date(2027, 1, 7))),
)
MONDAY = date(2026, 9, 14)
ZONES = [
    "Europe/Madrid",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Atlantic/Azores",
    "Asia/Kolkata",
]


def test_weekends_holidays_and_days_outside_the_session_are_free() -> None:
    free = [date(2026, 9, 12), date(2026, 10, 12), date(2027, 1, 7), date(2026, 9, 4), date(2027, 6, 23)]
    assert not any(is_school_day(on, YEAR) for on in free)
    assert is_school_day(MONDAY, YEAR)
    assert is_school_day(date(2027, 1, 8), YEAR)


def test_a_saturday_may_run_as_a_friday_and_a_strike_outranks_it() -> None:
    saturday = date(2026, 9, 19)
    runs = DayException(saturday, ExceptionKind.RUNS_AS_WEEKDAY, weekday=5, week="B")
    made_up = replace(YEAR, exceptions=(runs,))
    day = school_day(saturday, made_up)
    assert day is not None
    assert (day.weekday, day.week, day.bells) == (5, "B", "usual")
    friday = WeeklyLesson("f", 5, 0)
    assert [o.lesson.id for o in lessons_on(saturday, [friday, WeeklyLesson("s", 6, 0)], made_up)] == ["f"]
    strike = replace(YEAR, exceptions=(runs, DayException(saturday, ExceptionKind.NO_SCHOOL)))
    assert school_day(saturday, strike) is None


def test_under_other_bells_lessons_keep_their_period_by_name() -> None:
    short = replace(YEAR, exceptions=(DayException(MONDAY, ExceptionKind.OTHER_BELLS, bells="short"),))
    lessons = [
        WeeklyLesson("third", 1, 3),
        WeeklyLesson("fifth", 1, 6),
        WeeklyLesson("double", 1, 1, duration=3),
    ]
    found = {o.lesson.id: (o.starts_at.time(), o.ends_at.time()) for o in lessons_on(MONDAY, lessons, short)}
    assert found == {"third": (time(9), time(9, 30)), "double": (time(8, 30), time(9, 30))}
    wednesdays = replace(YEAR, bells_by_weekday=((1, "short"),))
    assert [o.lesson.id for o in lessons_on(MONDAY, lessons, wednesdays)] == ["double", "third"]


def test_the_second_break_is_not_the_first() -> None:
    duty = WeeklyLesson("duty", 1, 5)
    (usual,) = lessons_on(MONDAY, [duty], YEAR)
    assert usual.starts_at.time() == time(12, 30)


def test_weeks_take_turns_from_their_anchor_in_both_directions() -> None:
    year = replace(YEAR, cycle=WeekCycle(date(2026, 9, 16)))
    assert [week_of(MONDAY + timedelta(weeks=n), year) for n in range(-2, 3)] == ["A", "B", "A", "B", "A"]
    assert week_of(MONDAY + timedelta(days=6), year) == "A"
    assert week_of(MONDAY, YEAR) == ""


def test_holiday_weeks_may_hold_the_turn() -> None:
    counted = replace(YEAR, cycle=WeekCycle(date(2026, 12, 14)))
    held = replace(YEAR, cycle=WeekCycle(date(2026, 12, 14), skips_holiday_weeks=True))
    mondays = [date(2026, 12, 14) + timedelta(weeks=n) for n in range(5)]
    assert [week_of(on, counted) for on in mondays] == ["A", "B", "A", "B", "A"]
    # 21 and 22 December and 8 January are school days: only one week is wholly free.
    assert [week_of(on, held) for on in mondays] == ["A", "B", "", "A", "B"]
    back = replace(YEAR, cycle=WeekCycle(date(2027, 1, 4), skips_holiday_weeks=True))
    assert [week_of(on, back) for on in mondays] == ["A", "B", "", "A", "B"]


def test_lessons_follow_their_week_and_their_dates() -> None:
    year = replace(YEAR, cycle=WeekCycle(MONDAY))
    lessons = [
        WeeklyLesson("a", 1, 0, week="A"),
        WeeklyLesson("b", 1, 0, week="B"),
        WeeklyLesson("late", 1, 1, valid_from=MONDAY + timedelta(weeks=1)),
        WeeklyLesson("early", 1, 1, valid_until=MONDAY),
    ]
    found = [
        (o.on - MONDAY, o.lesson.id)
        for o in occurrences_between(MONDAY, MONDAY + timedelta(days=13), lessons, year)
    ]
    week = timedelta(weeks=1)
    assert found == [(timedelta(0), "a"), (timedelta(0), "early"), (week, "b"), (week, "late")]


def test_substitutions_stay_with_their_date() -> None:
    lesson = WeeklyLesson(1, 1, 0)
    changes = [
        Substitution(1, MONDAY, is_cancelled=True),
        Substitution(1, MONDAY + timedelta(weeks=1), teacher_ids=(9,)),
    ]
    found = list(occurrences_between(MONDAY, MONDAY + timedelta(weeks=2), [lesson], YEAR, changes))
    assert [o.is_cancelled for o in found] == [True, False, False]
    assert [o.substitution.teacher_ids if o.substitution else None for o in found] == [None, (9,), None]


def test_the_first_bell_rings_at_eight_in_summer_and_in_winter() -> None:
    lesson = WeeklyLesson(1, 1, 0)
    before, after = date(2026, 10, 19), date(2026, 10, 26)
    found = [o.starts_at for on in (before, after) for o in lessons_on(on, [lesson], YEAR)]
    assert [at.astimezone(UTC).hour for at in found] == [6, 7]
    assert [at.time() for at in found] == [time(8), time(8)]


def test_an_hour_that_is_left_out_begins_when_the_clock_is_put_forward() -> None:
    zone = ZoneInfo("Europe/Madrid")
    assert instant(date(2026, 3, 29), time(2, 30), zone).isoformat() == "2026-03-29T03:00:00+02:00"
    assert instant(date(2026, 3, 29), time(3), zone).isoformat() == "2026-03-29T03:00:00+02:00"


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    zone = ZoneInfo("Europe/Madrid")
    assert instant(date(2026, 10, 25), time(2, 30), zone).isoformat() == "2026-10-25T02:30:00+02:00"


def test_a_lesson_that_the_clock_swallows_does_not_take_place() -> None:
    nights = replace(
        YEAR,
        weekdays=frozenset({7}),
        bells={"usual": (Period("gone", time(2, 5), time(2, 55)), Period("cut", time(2, 30), time(3, 30)))},
    )
    lessons = [WeeklyLesson("gone", 7, 0), WeeklyLesson("cut", 7, 1)]
    (left,) = lessons_on(date(2027, 3, 28), lessons, nights)
    assert left.lesson.id == "cut"
    assert left.ends_at.astimezone(UTC) - left.starts_at.astimezone(UTC) == timedelta(minutes=30)


def test_a_day_that_an_island_skipped_is_empty() -> None:
    apia = replace(YEAR, zone="Pacific/Apia", starts_on=date(2011, 1, 1), ends_on=date(2012, 1, 1))
    assert lessons_on(date(2011, 12, 30), [WeeklyLesson(1, 5, 0)], apia) == []


_DATES = st.dates(date(1990, 1, 1), date(2037, 12, 30))


@given(st.sampled_from(ZONES), _DATES, st.lists(st.times(), min_size=2, max_size=6))
def test_an_earlier_local_time_is_never_a_later_instant(zone: str, on: date, times: list[time]) -> None:
    instants = [instant(on, at, ZoneInfo(zone)).astimezone(UTC) for at in sorted(times)]
    assert all(first <= second for first, second in pairwise(instants))


@given(st.sampled_from(ZONES), _DATES, st.times())
def test_a_local_time_that_exists_is_shown_by_the_clock(zone: str, on: date, at: time) -> None:
    moment = instant(on, at, ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
    wall = datetime.combine(on, at)
    # Where it does not exist, the clock shows the first time after the gap, which is never wider than an hour here.
    assert timedelta(0) <= moment.replace(tzinfo=None) - wall <= timedelta(hours=1)


@given(st.sampled_from(ZONES), st.dates(date(2026, 9, 1), date(2027, 6, 1)), st.integers(0, 60))
def test_occurrences_are_those_of_each_day_in_order(zone: str, first: date, days: int) -> None:
    year = replace(YEAR, zone=zone, cycle=WeekCycle(MONDAY, skips_holiday_weeks=True))
    lessons = [WeeklyLesson(n, n % 5 + 1, n % 7, week=("", "A", "B")[n % 3]) for n in range(20)]
    last = first + timedelta(days=days)
    found = list(occurrences_between(first, last, lessons, year))
    one_by_one = [o for n in range(days + 1) for o in lessons_on(first + timedelta(days=n), lessons, year)]
    assert found == one_by_one
    starts = [o.starts_at.astimezone(UTC) for o in found]
    assert starts == sorted(starts)
    assert all(o.starts_at.astimezone(UTC) < o.ends_at.astimezone(UTC) for o in found)


@pytest.mark.parametrize("skips", [True, False])
@given(on=st.dates(date(2026, 9, 7), date(2027, 6, 20)))
def test_the_whole_week_has_one_letter(skips: bool, on: date) -> None:
    year = replace(YEAR, cycle=WeekCycle(MONDAY, skips_holiday_weeks=skips))
    monday = on - timedelta(days=on.weekday())
    assert len({week_of(monday + timedelta(days=n), year) for n in range(7)}) == 1
