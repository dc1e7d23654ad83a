"""Bell schedules: times in names, proposals, validation, now."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pupitre.timetable.rules.bell import (
    Period,
    parse_time,
    period_now,
    propose_periods,
    times_in_name,
    validate_periods,
)
from pupitre.timetable.rules.findings import FindingCode
from pupitre.timetable.rules.words import is_break_name, week_letter, weekday_in


@pytest.mark.parametrize(
    ("name", "starts_at", "ends_at"),
    [
        ("8:30-9:25", time(8, 30), time(9, 25)),
        ("8h30 à 9h25", time(8, 30), time(9, 25)),
        ("08.30 – 09.25", time(8, 30), time(9, 25)),
        ("8h-9h", time(8), time(9)),
        ("8-9", time(8), time(9)),
        ("3ª hora (10:20-11:15)", time(10, 20), time(11, 15)),
        ("08:00", time(8), None),
        ("1-2", None, None),
        ("1ª SESION", None, None),
        ("25:00-26:00", None, None),
    ],
)
def test_names_of_hours_may_carry_times(name: str, starts_at: time | None, ends_at: time | None) -> None:
    assert times_in_name(name) == (starts_at, ends_at)


def test_one_time_in_a_cell() -> None:
    assert parse_time(" 8h30 ") == parse_time("08.30") == parse_time("8:30:00") == time(8, 30)
    assert parse_time("8:75") is parse_time("half past eight") is parse_time("") is None


@pytest.mark.parametrize(
    "name",
    ["RECREO", "Lunch", "Große Pause", "Esbarjo", "Récréation", "Almoço", "COMIDA", "Mittagspause", "Pati 1"],
)
def test_breaks_are_known_in_six_languages(name: str) -> None:
    assert is_break_name(name)
    assert not is_break_name("1ª SESION")


@pytest.mark.parametrize(
    ("name", "weekday"),
    [
        ("MIÉRCOLES", 3),
        ("Di", 2),
        ("3ª-feira", 2),
        ("Sábado", 6),
        ("dl.", 1),
        ("Day 4", 4),
        ("8", None),
        ("x y", 3),
        ("?", None),
    ],
)
def test_days_are_known_in_six_languages(name: str, weekday: int | None) -> None:
    assert weekday_in(name) == weekday


def test_weeks_are_letters_or_numbers_or_every_one() -> None:
    assert [week_letter(cell) for cell in ("A", "Semana B", "2", "", "todas", "A/B", "C")] == [
        "A",
        "B",
        "B",
        "",
        "",
        "",
        None,
    ]


def test_the_hours_of_a_primary_school_become_a_day() -> None:
    names = ["1ª SESION", "2ª SESION", "RECREO", "3ª SESION", "4ª SESION", "COMIDA", "5ª SESION", "6ª SESION"]
    periods = propose_periods(names, time(9), 50, 30, lunch_minutes=90)
    assert [f"{p.starts_at:%H:%M}" for p in periods] == [
        "09:00", "09:50", "10:40", "11:10", "12:00", "12:50", "14:20", "15:10",
    ]  # fmt: skip
    assert [p.name for p in periods if p.is_break] == ["RECREO", "COMIDA"]
    assert validate_periods(periods) == ()


def test_told_times_are_kept_and_the_others_follow() -> None:
    periods = propose_periods(["8:30-9:25", "Pati", "11:00", "11:40", "5"], time(8), 55, 20)
    assert [(str(p.starts_at)[:5], str(p.ends_at)[:5]) for p in periods] == [
        ("08:30", "09:25"),
        ("09:25", "09:45"),
        ("11:00", "11:40"),
        ("11:40", "12:35"),
        ("12:35", "13:30"),
    ]


def test_a_break_may_be_told_by_its_place() -> None:
    assert propose_periods(["a", "b"], time(8), 60, 15, breaks=frozenset({1}))[1].is_break


def test_overlaps_and_periods_that_end_before_they_start_are_found() -> None:
    bad = (Period("2", time(9), time(10)), Period("1", time(8), time(9, 5)), Period("3", time(11), time(11)))
    findings = validate_periods(bad)
    assert [finding.code for finding in findings] == [
        FindingCode.PERIOD_ENDS_BEFORE_START,
        FindingCode.PERIODS_OVERLAP,
    ]
    assert findings[1].what() == "“2” begins at 09:00, before “1” ends at 09:05."


def test_a_day_that_passes_midnight_is_held_and_found() -> None:
    periods = propose_periods(["1", "2", "3"], time(22), 60, 10)
    assert [finding.code for finding in validate_periods(periods)] == [FindingCode.PERIOD_ENDS_BEFORE_START]


def test_the_bell_belongs_to_the_lesson_that_it_begins() -> None:
    periods = propose_periods(["1", "Pausa", "2"], time(8), 60, 30)
    moments = (time(7, 59), time(8), time(9), time(9, 30), time(10, 30))
    found = [period_now(periods, moment) for moment in moments]
    assert [period.name if period else None for period in found] == [None, "1", "Pausa", "2", None]


@given(st.lists(st.text(max_size=20), max_size=15), st.times(), st.integers(1, 300), st.integers(1, 300))
def test_a_proposal_has_every_hour_and_never_raises(
    names: list[str], first: time, lesson: int, rest: int
) -> None:
    periods = propose_periods(names, first, lesson, rest)
    assert [period.name for period in periods] == names
    validate_periods(periods)


@given(st.integers(0, 10), st.integers(10, 60), st.integers(5, 30))
def test_a_proposal_within_a_day_is_valid(hours: int, lesson: int, rest: int) -> None:
    names = [str(n) if n % 3 else "Recreo" for n in range(1, hours + 1)]
    assert validate_periods(propose_periods(names, time(8), lesson, rest)) == ()
