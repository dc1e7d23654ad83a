"""Figures of months that stand counted are the figures that the marks give, whatever was corrected or deleted since."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import starmap
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pupitre.attendance.actions import figures
from pupitre.attendance.jobs import sweep_days, sweep_months
from pupitre.attendance.models import DayFigure, KeptMonth, LessonMonth, Mark, PupilMonth, Register, SchoolDay
from pupitre.attendance.queries import kept, statistics
from pupitre.attendance.queries.letters import _tallies
from pupitre.attendance.queries.statistics import Figures, Stretch
from pupitre.attendance.rules.months import days_besides, following, is_over, months_between
from pupitre.attendance.rules.status import Status
from pupitre.courses import actions as courses
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from tests.attendance.office import everybody, past_register, taken_register, tuesdays
from tests.cast import NOW, TODAY, Cast
from tests.jobs import run_jobs

FIRST = date(2026, 7, 20)
DAYS = (TODAY - FIRST).days
ONES = st.tuples(st.integers(1, 5), st.integers(0, 30))


@dataclass
class Drawn:
    """A school's past: registers by (lesson, day) with three pupils' (status, minutes), then what was done to them."""

    registers: dict[tuple[int, int], list[tuple[int, int]]]
    corrections: list[tuple[int, int, tuple[int, int]]]
    deleted_marks: list[tuple[int, int]]
    deleted_registers: list[int]
    forgotten_months: set[int]
    stretch: tuple[int, int]


HISTORIES = st.builds(
    Drawn,
    registers=st.dictionaries(
        st.tuples(st.integers(0, 2), st.integers(0, DAYS)),
        st.lists(ONES, min_size=3, max_size=3),
        max_size=25,
    ),
    corrections=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 2), ONES), max_size=6),
    deleted_marks=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 2)), max_size=3),
    deleted_registers=st.lists(st.integers(0, 99), max_size=2),
    forgotten_months=st.sets(st.integers(7, 9), max_size=1),
    stretch=st.tuples(st.integers(0, DAYS + 5), st.integers(0, DAYS + 5)),
)


@dataclass
class Past:
    """What the history left, as plain rows to count: (pupil, class, day, begins, status, minutes)."""

    rows: list[tuple[int, int, date, str, int, int]]
    registers: set[tuple[int, date]] = field(default_factory=set)


def _write(cast: Cast, drawn: Drawn) -> None:
    """First the registers, counted; then what was done to them, each counted again as the product does it."""
    actor = cast.office
    other = courses.open_class(actor, sourced_id="2B-ART", title="Arts 2B", subject="Arts")
    art = timetable.schedule_lesson(actor, other, weekday=3, position=2, subject="Arts", teachers=[])
    lessons = [(cast.lesson, 9), (cast.next_lesson, 10), (art, 12)]
    pupils = list(everybody(cast))
    written = []
    for (which, day), marks in sorted(drawn.registers.items()):
        lesson, hour = lessons[which]
        on = FIRST + timedelta(days=day)
        marked = dict(zip(pupils, marks, strict=True))
        written.append(past_register(cast, on, marked, lesson=lesson, hour=hour))
    figures.refresh_days(actor, first=FIRST, last=TODAY)
    for number, pupil, (status, minutes) in drawn.corrections if written else []:
        register = written[number % len(written)]
        late = minutes if status == Status.LATE else 0
        Mark.objects.filter(register=register, pupil_id=pupils[pupil]).update(status=status, minutes=late)
        figures.defer_refresh(actor, held_on=register.held_on)
    for number, pupil in drawn.deleted_marks if written else []:
        register = written[number % len(written)]
        Mark.objects.filter(register=register, pupil_id=pupils[pupil]).delete()
        figures.defer_refresh(actor, held_on=register.held_on)
    for number in drawn.deleted_registers if written else []:
        register = written[number % len(written)]
        Mark.objects.filter(register=register).delete()
        Register.objects.filter(pk=register.pk).delete()
        figures.defer_refresh(actor, held_on=register.held_on)


def _past(cast: Cast, stretch: Stretch) -> Past:
    """Read row by row, without any statement of the product."""
    days = (stretch.first, stretch.last)
    marks = Mark.objects.filter(held_on__range=days).select_related("register")
    return Past(
        [
            (m.pupil_id, m.register.klass_id, m.held_on,
             clock.local(m.register.starts_at, cast.school.time_zone).strftime("%H:%M"), m.status, m.minutes)
            for m in marks
        ],
        set(Register.objects.filter(held_on__range=days).values_list("klass_id", "held_on")),
    )  # fmt: skip


def _figures(rows: Iterable[tuple[int, int, date, str, int, int]]) -> Figures:
    counted = Counter(row[4] for row in rows)
    return Figures(sum(counted.values()), *(counted[status] for status in range(1, 6)))


def _by(past: Past, key: Callable[[int, date], Any]) -> dict[Any, Figures]:
    """By whatever the key makes of class and day; a register without marks has figures of nothing."""
    keys = {key(klass, on) for klass, on in past.registers}
    return {one: _figures(row for row in past.rows if key(row[1], row[2]) == one) for one in keys}


def _expected_pupils(past: Past) -> list[tuple[Any, ...]]:
    """(pupil, figures, minutes late, days missed), who missed most first."""
    found = []
    for pupil in {row[0] for row in past.rows if row[4] != Status.PRESENT}:
        rows = [row for row in past.rows if row[0] == pupil]
        minutes = sum(row[5] for row in rows if row[4] == Status.LATE)
        days = len({row[2] for row in rows if row[4] in (Status.ABSENT, Status.EXCUSED)})
        found.append((pupil, _figures(rows), minutes, days))
    return sorted(found, key=lambda one: (-one[1].missed, -(one[1].marks - one[1].present), one[0]))


def _compare(cast: Cast, stretch: Stretch) -> None:
    past = _past(cast, stretch)
    found = statistics.overview_for(cast.secretary.actor, stretch, TODAY)
    assert {one.id: one.figures for one in found.classes} == _by(past, lambda klass, _on: klass)
    assert dict(found.months) == _by(past, lambda _klass, on: on.replace(day=1))
    assert dict(found.weekdays) == _by(past, lambda _klass, on: on.isoweekday())
    assert found.total == _figures(past.rows)
    exceptions = [row for row in past.rows if row[4] != Status.PRESENT]
    slots = sorted({(row[2].isoweekday(), row[3]) for row in exceptions})
    assert found.lessons == [
        (weekday, begins, one.missed, one.late)
        for weekday, begins in slots
        for one in [_figures(r for r in exceptions if (r[2].isoweekday(), r[3]) == (weekday, begins))]
    ]
    pupils = statistics.pupils_for(cast.secretary.actor, stretch, TODAY)
    told = [(one.pupil_id, one.figures, one.minutes_late, one.days) for one in pupils]
    assert told == _expected_pupils(past)
    assert statistics.pupils_for(cast.secretary.actor, stretch, TODAY, limit=1, offset=1) == pupils[1:2]
    hers = Past([row for row in past.rows if row[1] == cast.klass.pk])
    seen = statistics.pupils_for(cast.teacher.actor, stretch, TODAY)
    assert [(one.pupil_id, one.figures, one.minutes_late, one.days) for one in seen] == _expected_pupils(hers)
    days = SchoolDay.objects.filter(held_on__range=(stretch.first, stretch.last))
    by_day = {
        one.held_on: Figures(one.marks, one.present, one.absent, one.late, one.excused, one.out_of_class)
        for one in days
    }
    assert by_day == _by(past, lambda _klass, on: on)
    tallies = _tallies(stretch.first, stretch.last, with_all=True)
    assert {pupil: tally.marks for pupil, tally in tallies.items()} == {
        pupil: sum(row[0] == pupil for row in past.rows)
        for pupil in {row[0] for row in past.rows if row[4] in (Status.ABSENT, Status.LATE, Status.EXCUSED)}
    }


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=HISTORIES)
def test_kept_figures_equal_counted_ones(cast: Cast, drawn: Drawn) -> None:
    with transaction.atomic():
        with scope(cast.school.id):
            _write(cast, drawn)
            KeptMonth.objects.filter(month__month__in=drawn.forgotten_months).delete()
        run_jobs()
        with scope(cast.school.id):
            for first, last in ((0, DAYS), sorted(drawn.stretch)):
                _compare(cast, Stretch(FIRST + timedelta(days=first), FIRST + timedelta(days=last)))
        transaction.set_rollback(True)


def test_a_month_is_counted_when_it_is_over_and_only_then(cast: Cast) -> None:
    with scope(cast.school.id):
        for on in tuesdays(TODAY + timedelta(weeks=1), 4):
            taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}, on=on)
    run_jobs()
    with scope(cast.school.id):
        assert list(KeptMonth.objects.values_list("month", flat=True)) == [date(2026, 9, 1)]
        assert list(PupilMonth.objects.order_by("-absent", "pupil").values_list("absent", "marks", "days")) == [
            (2, 2, 2), (0, 2, 0), (0, 2, 0),
        ]  # fmt: skip
        assert LessonMonth.objects.get().begins == "09:00"
        assert not figures.keep_month(cast.office, month=date(2026, 10, 1), now=NOW)
        assert figures.keep_earliest_month(cast.office, now=NOW) is None
    with clock.frozen(NOW + timedelta(days=31)):
        sweep_days.func(timestamp=0)
        run_jobs()
    with scope(cast.school.id):
        assert KeptMonth.objects.count() == 2


def test_months_from_before_are_counted_one_job_each(cast: Cast) -> None:
    with scope(cast.school.id):
        for on in tuesdays(TODAY, 20):
            past_register(cast, on, dict.fromkeys(everybody(cast), (1, 0)))
    sweep_months.func(timestamp=0)
    done = run_jobs()
    with scope(cast.school.id):
        months = list(KeptMonth.objects.order_by("month").values_list("month", flat=True))
    assert months == [date(2026, month, 1) for month in (5, 6, 7, 8, 9)]
    assert (
        sum(name.endswith("keep_months") for name in done) == 1 + len(months) + 1
    )  # the other school, and a last look


def test_a_school_counts_and_reads_its_own_months_only(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast, Status.ABSENT), on=tuesdays(TODAY, 3)[-1])
    run_jobs()
    with scope(cast.other_school.id):
        assert not PupilMonth.objects.exists()
        assert not LessonMonth.objects.exists()
        assert kept.parts_of(date(2026, 9, 1), date(2026, 9, 30)).months == []
    with scope(authority=cast.authority.pk):
        assert SchoolDay.objects.count() == DayFigure.objects.count() == 1
        assert not PupilMonth.objects.exists()


def test_the_year_costs_no_more_statements_than_the_month(cast: Cast) -> None:
    with scope(cast.school.id):
        for on in tuesdays(TODAY, 12):
            past_register(cast, on, dict.fromkeys(everybody(cast), (Status.LATE, 3)))
    sweep_months.func(timestamp=0)
    run_jobs()
    counts = []
    for first in (TODAY - timedelta(days=30), TODAY - timedelta(days=90)):
        with scope(cast.school.id), CaptureQueriesContext(connection) as asked:
            statistics.overview_for(cast.secretary.actor, Stretch(first, TODAY), TODAY)
            statistics.pupils_for(cast.secretary.actor, Stretch(first, TODAY), TODAY)
            counts.append(len(asked))
    assert counts[0] == counts[1] <= 7


@pytest.mark.parametrize(
    ("kept_months", "besides"),
    [
        ([], [((9, 12), (11, 3))]),
        ([10], [((9, 12), (9, 30)), ((11, 1), (11, 3))]),
        ([10, 9], [((11, 1), (11, 3))]),
        ([9, 10, 11], []),
    ],
)
def test_days_besides_the_kept_months(kept_months: list[int], besides: list[Any]) -> None:
    first = date(2026, 9, 1) if 9 in kept_months else date(2026, 9, 12)
    last = date(2026, 11, 30) if 11 in kept_months else date(2026, 11, 3)
    months = [date(2026, month, 1) for month in kept_months]
    wanted = [(date(2026, *begins), date(2026, *ends)) for begins, ends in besides]
    assert days_besides(first, last, months) == wanted


def test_months_have_their_ends() -> None:
    assert list(months_between(date(2026, 11, 30), date(2027, 1, 1))) == list(
        starmap(date, [(2026, 11, 1), (2026, 12, 1), (2027, 1, 1)])
    )
    assert following(date(2026, 12, 1)) == date(2027, 1, 1)
    assert not is_over(date(2026, 10, 1), date(2026, 10, 31))
    assert is_over(date(2026, 10, 1), date(2026, 11, 1))


def test_the_widest_stretch_is_no_trouble(cast: Cast) -> None:
    with scope(cast.school.id):
        assert (
            statistics.overview_for(cast.secretary.actor, Stretch(date.min, date.max), TODAY).total
            == Figures()
        )
