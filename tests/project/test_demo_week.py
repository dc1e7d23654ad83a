"""The solved week: nobody in two places, every lesson held, in a room that fits; and a lesson under way at any hour."""

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise

import pytest

from pupitre.project.demo.population import build_population
from pupitre.project.demo.roster import Bell, Population
from pupitre.project.demo.today import DemoDay, demo_day
from pupitre.project.demo.week import Week, solve_week

START = date(2026, 9, 7)
MONDAY = datetime(2026, 11, 16)  # noqa: DTZ001  (a wall clock)


@cache
def made(seed: int) -> tuple[Population, Week]:
    population = build_population(seed, START)
    return population, solve_week(population)


@pytest.fixture(params=(1, 2, 3, 4, 5, 6))
def solved(request: pytest.FixtureRequest) -> tuple[Population, Week]:
    return made(request.param)


Solved = tuple[Population, Week]


def test_the_same_people_get_the_same_week() -> None:
    population, week = made(1)
    assert solve_week(population) == week


def test_every_class_has_all_its_lessons(solved: Solved) -> None:
    population, week = solved
    held = Counter(lesson.class_key for lesson in week.lessons)
    assert held == {one.key: one.lessons for one in population.classes.values() if one.kind == "scheduled"}
    assert len({lesson.key for lesson in week.lessons}) == len(week.lessons)


def test_no_room_is_used_twice_at_once(solved: Solved) -> None:
    _, week = solved
    used = Counter((lesson.room_key, lesson.weekday, lesson.period) for lesson in week.lessons)
    assert max(used.values()) == 1
    school_of = {room.key: room.school_key for room in week.rooms}
    assert all(school_of[lesson.room_key] == lesson.school_key for lesson in week.lessons)


def test_no_teacher_is_in_two_places_at_once_by_the_clock(solved: Solved) -> None:
    _, week = solved
    times: dict[tuple[str, int], list[tuple[time, time]]] = defaultdict(list)
    for lesson in week.lessons:
        period = next(
            one
            for one in week.bells[lesson.school_key].lessons(lesson.weekday)
            if one.number == lesson.period
        )
        times[lesson.teacher_key, lesson.weekday].append((period.starts_at, period.ends_at))
    for hours in times.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(hours)))


def test_a_teacher_of_two_schools_is_at_one_of_them_each_day(solved: Solved) -> None:
    population, week = solved
    shared = {key for key, _ in population.unavailable}
    where: dict[tuple[str, int], set[str]] = defaultdict(set)
    for lesson in week.lessons:
        if lesson.teacher_key in shared:
            where[lesson.teacher_key, lesson.weekday].add(lesson.school_key)
            assert lesson.weekday not in population.unavailable[lesson.teacher_key, lesson.school_key]
    assert all(len(found) == 1 for found in where.values())


def test_no_pupil_is_in_two_places_at_once_and_none_has_a_free_hour(solved: Solved) -> None:
    population, week = solved
    classes: dict[str, list[str]] = defaultdict(list)
    for enrolment in population.enrolments:
        if enrolment.role == "student":
            classes[enrolment.person_key].append(enrolment.class_key)
    hours: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for lesson in week.lessons:
        hours[lesson.class_key].append((lesson.weekday, lesson.period))
    for pupil in population.pupils:
        own = [hour for key in classes[pupil.person_key] for hour in hours[key]]
        assert len(set(own)) == len(own)
        for weekday in range(1, 6):
            periods = sorted(period for day, period in own if day == weekday)
            assert periods == list(range(1, len(periods) + 1))
            assert len(periods) <= week.bells[pupil.school_key].last_lesson[weekday]


def test_classes_of_a_block_run_side_by_side(solved: Solved) -> None:
    population, week = solved
    hours: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for lesson in week.lessons:
        hours[lesson.class_key].add((lesson.weekday, lesson.period))
    for block in population.blocks:
        assert len({frozenset(hours[key]) for key in block.class_keys}) == 1
        assert len(hours[block.class_keys[0]]) == block.lessons


def test_a_subject_is_spread_over_the_week(solved: Solved) -> None:
    population, week = solved
    for block in population.blocks:
        days = Counter(lesson.weekday for lesson in week.lessons if lesson.class_key == block.class_keys[0])
        assert max(days.values()) <= -(-block.lessons // 5)


def test_lessons_are_in_a_room_for_their_subject_or_in_the_homeroom(solved: Solved) -> None:
    population, week = solved
    kind_of = {room.key: room.kind for room in week.rooms}
    at_home = 0
    for lesson in week.lessons:
        one = population.classes[lesson.class_key]
        kind = kind_of[lesson.room_key]
        assert kind == one.room_kind if one.room_kind else kind in {"homeroom", "small"}
        at_home += lesson.room_key in {f"{key}-room" for key in one.group_keys}
    assert at_home > 0.6 * len(week.lessons)


def test_no_class_is_larger_than_its_room(solved: Solved) -> None:
    population, week = solved
    pupils = Counter(
        enrolment.class_key for enrolment in population.enrolments if enrolment.role == "student"
    )
    capacity = {room.key: room.capacity for room in week.rooms}
    assert [
        lesson.key for lesson in week.lessons if pupils[lesson.class_key] > capacity[lesson.room_key]
    ] == []


def walk(
    bell: Bell, minutes: int, *, start: datetime = MONDAY, closed: bool = False, step: int = 1
) -> list[DemoDay]:
    stored, days = None, []
    for minute in range(0, minutes, step):
        now = start + timedelta(minutes=minute)
        stored = demo_day(now, bell, closed=closed, stored=stored)
        assert stored.lesson_at(now.time()) is not None, now
        days.append(stored)
    return days


@pytest.mark.parametrize("school", ["pri", "sec", "col"])
@pytest.mark.parametrize("closed", [False, True])
def test_a_lesson_is_under_way_at_every_minute_of_the_week(school: str, closed: bool) -> None:
    bell = made(1)[1].bells[school]
    days = walk(bell, 7 * 24 * 60, closed=closed)
    for day in dict.fromkeys((day.on, day.bell.periods, day.runs_as_weekday) for day in days):
        periods = day[1]
        assert all(one.starts_at < one.ends_at for one in periods)
        assert all(one.ends_at <= two.starts_at for one, two in pairwise(periods))
    fresh = [
        demo_day(MONDAY + timedelta(minutes=minute), bell, closed=closed) for minute in range(7 * 24 * 60)
    ]
    assert all(day.lesson_at((MONDAY + timedelta(minutes=minute)).time()) for minute, day in enumerate(fresh))


def test_at_the_last_second_of_the_day_a_lesson_is_under_way() -> None:
    now = MONDAY.replace(hour=23, minute=59, second=59, microsecond=999_999)
    assert demo_day(now, made(1)[1].bells["sec"]).lesson_at(now.time()) is not None


def test_in_the_lessons_of_a_school_day_nothing_is_changed() -> None:
    bell = made(1)[1].bells["sec"]
    day = demo_day(MONDAY.replace(hour=9, minute=30), bell)
    assert day == DemoDay(MONDAY.date(), bell, 1, changed=False)


def test_a_break_is_cut_short_and_what_was_stays() -> None:
    bell = made(1)[1].bells["sec"]
    day = demo_day(MONDAY.replace(hour=10, minute=20), bell)
    assert day.changed
    assert day.lessons[:2] == bell.lessons(1)[:2]
    assert (day.lessons[2].starts_at, day.lessons[2].ends_at) == (time(10, 20), time(11, 15))


def test_the_stored_day_stands_while_its_lesson_lasts() -> None:
    bell = made(1)[1].bells["sec"]
    first = demo_day(MONDAY.replace(hour=18, minute=2), bell)
    assert demo_day(MONDAY.replace(hour=18, minute=40), bell, stored=first) is first
    tomorrow = MONDAY + timedelta(days=1, hours=9)
    assert demo_day(tomorrow, bell, stored=first) == DemoDay(tomorrow.date(), bell, 2, changed=False)


def test_a_sunday_evening_begins_with_an_hour_of_the_teacher_who_is_shown() -> None:
    population, week = made(1)
    teacher = next(
        persona
        for persona in population.personas
        if persona.role == "teacher" and persona.school_key == "sec"
    )
    hours = week.hours_of(teacher.person_key)
    now = MONDAY - timedelta(hours=6)
    day = demo_day(now, week.bells["sec"], preferred=hours)
    lesson = day.lesson_at(now.time())
    assert lesson is not None
    assert lesson.number is not None
    assert (day.runs_as_weekday, lesson.number) in hours
    assert any(
        one.teacher_key == teacher.person_key for one in week.at("sec", day.runs_as_weekday, lesson.number)
    )
