"""Two months of registers: how many are away, who told the school, and that marks and absences agree."""

import random
import time
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache

from pupitre.project.demo import attendance, schools
from pupitre.project.demo.attendance import Absence, History, Register, SchoolDay
from pupitre.project.demo.notices import build_notices, readers
from pupitre.project.demo.population import build_population
from pupitre.project.demo.roster import Population
from pupitre.project.demo.week import Week, solve_week

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)


@cache
def made() -> tuple[Population, Week]:
    population = build_population(1, schools.year_start_for(TODAY))
    return population, solve_week(population)


def days() -> dict[str, tuple[SchoolDay, ...]]:
    population, _ = made()
    first = TODAY - timedelta(days=61)
    return {
        school.key: attendance.school_days(schools.school_days(population.closures, school.key, first, TODAY))
        for school in population.schools
    }


@cache
def lived() -> tuple[tuple[Absence, ...], tuple[Register, ...]]:
    history: History = attendance.build_history(*made(), days(), random.Random(5))
    return history.absences, tuple(history.registers)


def test_two_months_take_seconds_and_come_out_the_same() -> None:
    started = time.perf_counter()
    first = list(attendance.build_attendance(*made(), days(), random.Random(5)))
    assert time.perf_counter() - started < 15
    assert len(first) > 350_000
    assert first == list(attendance.build_attendance(*made(), days(), random.Random(5)))
    marks = [
        (register.on, register.lesson.class_key, *mark) for register in lived()[1] for mark in register.marks
    ]
    assert [(mark.on, mark.class_key, *mark[3:]) for mark in first] == marks


def test_the_registers_do_not_depend_on_what_else_is_drawn_while_they_are_made() -> None:
    rng = random.Random(5)
    history = attendance.build_history(*made(), days(), rng)
    rng.random()
    assert next(history.registers) == lived()[1][0]


def test_about_one_pupil_in_twenty_is_away() -> None:
    statuses = Counter(mark.status for register in lived()[1] for mark in register.marks)
    away = (statuses["absent"] + statuses["excused"]) / statuses.total()
    assert 0.04 < away < 0.06
    assert set(statuses) == {"present", "absent", "late", "excused", "out"}
    assert 0.002 < statuses["late"] / statuses.total() < 0.02
    assert statuses["excused"] > statuses["absent"]


def test_mondays_and_fridays_are_shorter_of_pupils() -> None:
    illness = Counter(absence.first_on.isoweekday() for absence in lived()[0] if absence.reason == "illness")
    assert min(illness[1], illness[5]) > max(illness[3], illness[4])


def test_illness_comes_in_runs_and_a_few_pupils_stay_away_often() -> None:
    lengths = Counter((one.last_on - one.first_on).days + 1 for one in lived()[0] if one.reason == "illness")
    assert lengths[1] > lengths[3] > 0
    away: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    for register in lived()[1]:
        for mark in register.marks:
            marks[mark.pupil_key] += 1
            away[mark.pupil_key] += mark.status in {"absent", "excused"}
    rates = sorted(away[key] / marks[key] for key in marks)
    assert rates[len(rates) // 2] < 0.06
    assert 8 <= sum(rate > 0.2 for rate in rates) <= 70


def test_the_same_few_are_late() -> None:
    late: Counter[str] = Counter()
    for register in lived()[1]:
        late.update(mark.pupil_key for mark in register.marks if mark.status == "late")
    often = [count for count in late.values() if count >= 5]
    assert sum(often) > 0.3 * late.total()
    assert len(often) < 0.1 * len(made()[0].pupils)
    minutes = [mark.minutes for register in lived()[1] for mark in register.marks if mark.status == "late"]
    assert min(minutes) >= 1
    assert max(minutes) <= 35


def test_marks_agree_with_the_absences() -> None:
    absences: dict[tuple[str, date], Absence] = {}
    for absence in lived()[0]:
        day = absence.first_on
        while day <= absence.last_on:
            # The days of one pupil's absences do not overlap, or the marks would contradict one of them.
            assert absences.setdefault((absence.pupil_key, day), absence) is absence
            day += timedelta(days=1)
    for register in lived()[1]:
        for mark in register.marks:
            found = absences.get((mark.pupil_key, register.on))
            away = found is not None and found.covers(register.lesson.period)
            assert away == (mark.status in {"absent", "excused"})
            if found is not None and mark.status == "excused":
                assert found.announced_at is not None
                assert register.taken_at is not None
                assert found.announced_at <= register.taken_at


def test_registers_hold_the_pupils_of_the_class_on_that_day() -> None:
    population, _ = made()
    places = {pupil.person_key: pupil for pupil in population.pupils}
    members: dict[str, set[str]] = defaultdict(set)
    for enrolment in population.enrolments:
        if enrolment.role == "student":
            members[enrolment.class_key].add(enrolment.person_key)
    for register in lived()[1]:
        if register.taken_at is not None:
            here = {
                key for key in members[register.lesson.class_key] if attendance.here(places[key], register.on)
            }
            assert {mark.pupil_key for mark in register.marks} == here
            assert len(register.marks) == len(here)


def test_a_few_registers_were_not_taken() -> None:
    registers = lived()[1]
    untaken = [register for register in registers if register.taken_at is None]
    assert 0.002 < len(untaken) / len(registers) < 0.02
    assert all(not register.marks for register in untaken)
    assert len({(register.lesson.key, register.on) for register in registers}) == len(registers)


def test_only_a_guardian_with_a_say_tells_the_school() -> None:
    population, _ = made()
    entitled = {(tie.pupil_key, tie.guardian_key) for tie in population.guardianships if tie.receives_notices}
    for absence in lived()[0]:
        told = absence.announced_at or absence.justified_at
        assert (absence.told_by is None) == (told is None)
        assert absence.told_by is None or (absence.pupil_key, absence.told_by) in entitled
    assert any(absence.has_document for absence in lived()[0])


def test_a_day_under_way_has_registers_and_news_up_to_now() -> None:
    population, week = made()
    today = {"sec": [SchoolDay(date(2026, 11, 21), 4, last_period=2, bell=week.bells["sec"])]}
    now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    history = attendance.build_history(population, week, today, random.Random(3), now=now)
    registers = list(history.registers)
    assert {(register.lesson.weekday, register.lesson.period) for register in registers} == {(4, 1), (4, 2)}
    assert {register.on for register in registers} == {date(2026, 11, 21)}
    assert history.absences
    assert all(absence.announced_at is None or absence.announced_at <= now for absence in history.absences)
    assert all(absence.justified_at is None for absence in history.absences)


def test_families_have_announced_absences_of_the_coming_days() -> None:
    population, week = made()
    coming = {
        school.key: attendance.school_days(
            schools.school_days(
                population.closures, school.key, TODAY + timedelta(days=1), TODAY + timedelta(days=7)
            )
        )
        for school in population.schools
    }
    ahead = attendance.announce_ahead(population, week, coming, random.Random(1), now=NOW)
    assert 5 <= len(ahead) <= 80
    assert all(
        absence.first_on > TODAY and absence.announced_at is not None and absence.announced_at <= NOW
        for absence in ahead
    )


def test_notices_reach_only_those_entitled_and_are_read_before_they_are_confirmed() -> None:
    population, _ = made()
    notices, receipts = build_notices(population, random.Random(2), now=NOW)
    assert len(notices) >= 12
    assert {notice.language for notice in notices} == {"ca", "es", "de"}
    barred = {tie.guardian_key for tie in population.guardianships if not tie.receives_notices}
    barred -= {tie.guardian_key for tie in population.guardianships if tie.receives_notices}
    assert barred
    assert not barred & {receipt.guardian_key for receipt in receipts}
    by_key = {notice.key: notice for notice in notices}
    for receipt in receipts:
        notice = by_key[receipt.notice_key]
        assert receipt.read_at is None or notice.published_at <= receipt.read_at <= NOW
        assert receipt.confirmed_at is None or (notice.needs_confirmation and receipt.read_at is not None)
        assert (
            receipt.confirmed_at is None
            or receipt.read_at is None
            or receipt.read_at <= receipt.confirmed_at <= NOW
        )
    assert {(receipt.notice_key, receipt.guardian_key) for receipt in receipts} == {
        (notice.key, guardian) for notice in notices for guardian in readers(population, notice)
    }
    read = sum(receipt.read_at is not None for receipt in receipts)
    assert 0.75 < read / len(receipts) < 0.95


def test_a_notice_to_a_grade_stays_in_it() -> None:
    population, _ = made()
    notice = next(
        notice
        for notice in build_notices(population, random.Random(2), now=NOW)[0]
        if notice.audience == ("sec-3E",)
    )
    pupils = {pupil.person_key for pupil in population.pupils if pupil.grade_key == "sec-3E"}
    own = {
        tie.guardian_key
        for tie in population.guardianships
        if tie.pupil_key in pupils and tie.receives_notices
    }
    assert set(readers(population, notice)) <= own
