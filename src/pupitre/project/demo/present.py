"""Keeping the demonstration in the present: a lesson under way at any hour, and the registers of the lessons before it.

Runs when the demonstration is filled, at every start and every few minutes (`jobs.py`). It says what it does: the day that
runs otherwise stands in the school's calendar under a name that tells why.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import count

from pupitre.attendance.actions import figures, history
from pupitre.attendance.queries import keys as attendance
from pupitre.attendance.rules.loading import PastNotice, PastRegister
from pupitre.kernel import clock
from pupitre.people.queries.keys import person_ids
from pupitre.people.rules import Actor, system_actor
from pupitre.project.demo import schools
from pupitre.project.demo.attendance import Absence, Register, SchoolDay, build_history
from pupitre.project.demo.population import build_population
from pupitre.project.demo.records import SchoolRecords
from pupitre.project.demo.roster import Bell, Period, Population
from pupitre.project.demo.today import DemoDay, demo_day
from pupitre.project.demo.week import Lesson, Week, solve_week
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable_actions
from pupitre.timetable import queries as timetable
from pupitre.timetable.actions.loading import forget_days
from pupitre.timetable.queries.calendar import calendar_between
from pupitre.timetable.queries.keys import lesson_keys
from pupitre.timetable.rules.calendar import school_day

SEED = 1
_LABELS = {"ca": "Dia de demostració", "es": "Día de demostración"}
#: The planner lets families write from eighty minutes before the first bell, which is to lie on the same day.
_EARLIEST_BELL = 90


@dataclass(frozen=True)
class Demonstration:
    """Everybody and the week, as they were when the demonstration was filled."""

    population: Population
    week: Week

    @property
    def slugs(self) -> frozenset[str]:
        return frozenset(school.slug for school in self.population.schools)

    def records(self, facts: SchoolFacts, now: datetime) -> SchoolRecords:
        school = next(one for one in self.population.schools if one.slug == facts.slug)
        return SchoolRecords(self.population, self.week, school, clock.local(now, facts.time_zone).date())

    def persona(self, role: str, school: str, *, place: int = 0) -> str:
        """The key of a person to sign in as."""
        found = [p.person_key for p in self.population.personas if p.role == role and p.school_key == school]
        return found[place]

    @property
    def shown_teacher(self) -> str:
        """Whoever signs in as this teacher has a lesson now."""
        return self.persona("teacher", "sec")


def generate(start: date) -> Demonstration:
    """The demonstration whose year began on that Monday; under half a second."""
    population = build_population(SEED, start)
    return Demonstration(population, solve_week(population))


def own_schools() -> list[SchoolFacts]:
    """The demonstration's schools that this installation has."""
    slugs = {plan.school.slug for plan in schools.plans()}
    return [school for school in tenancy.all_schools() if school.slug in slugs]


def keep(made: Demonstration, facts: SchoolFacts, *, now: datetime) -> DemoDay:
    """Let a lesson be under way in one of the schools and take the registers that would be taken by now.

    To be called within the school's scope; safe to repeat. Answers how the day runs.
    """
    records, actor = made.records(facts, now), system_actor(facts)
    day = _run_day(made, records, facts, actor, now)
    lessons = lesson_keys(actor)
    if records.school.key == "sec":
        _give_lesson(made, facts, actor, day, lessons, now)
    _fill(made, records, actor, day, lessons, now)
    return day


# How the day runs


def _run_day(
    made: Demonstration, records: SchoolRecords, facts: SchoolFacts, actor: Actor, now: datetime
) -> DemoDay:
    local = clock.local(now, facts.time_zone)
    calendar = calendar_between(facts.time_zone, local.date(), local.date())
    found = school_day(local.date(), calendar)
    stored = None
    if found is not None and (found.bells != calendar.default_bells or found.weekday != local.isoweekday()):
        bells = calendar.bells[found.bells]
        times = {one.name: (one.starts_at, one.ends_at) for one in bells}
        stored = DemoDay(local.date(), _retimed(records.bell, times), found.weekday, changed=True)
    preferred = made.week.hours_of(made.shown_teacher) if records.school.key == "sec" else frozenset()
    day = demo_day(local, records.bell, closed=found is None, stored=stored, preferred=preferred)
    if day.changed and day != stored:
        _store(records, actor, day)
    return day


def _retimed(bell: Bell, times: dict[str, tuple[time, time]]) -> Bell:
    """The bell with the stored periods, which go by their titles."""
    periods = tuple(
        Period(one.number, one.title, *times[one.title]) for one in bell.periods if one.title in times
    )
    return replace(bell, key=f"{bell.key}@", periods=periods)


def _store(records: SchoolRecords, actor: Actor, day: DemoDay) -> None:
    label = _LABELS[records.school.languages[0]]
    forget_days(actor, label=label, first=day.on - timedelta(days=400), last=day.on)
    schedule = timetable_actions.set_bell_schedule(
        actor, name=label, periods=records.periods(day.bell), is_default=False
    )
    timetable_actions.run_day_otherwise(actor, on=day.on, label=label, as_weekday=day.runs_as_weekday)
    timetable_actions.run_day_otherwise(actor, on=day.on, label=label, schedule_id=schedule.pk)


def _give_lesson(
    made: Demonstration,
    facts: SchoolFacts,
    actor: Actor,
    day: DemoDay,
    lessons: dict[str, tuple[int, int]],
    now: datetime,
) -> None:
    """Where the teacher who is shown is free now, she covers a colleague's class: the largest that is taught."""
    persons = person_ids(actor)
    shown = persons[made.shown_teacher]
    held = timetable.lessons_of_day(facts, day.on, teacher_id=shown)
    if any(one.is_under_way(now) and one.is_taught_by(shown) for one in held):
        return
    period = day.lesson_at(clock.local(now, facts.time_zone).time())
    if period is None or period.number is None:
        return
    found = made.week.at("sec", day.runs_as_weekday, period.number)
    sizes = made.population.classes
    size = {one.key: len([e for e in made.population.enrolments if e.class_key == one.class_key]) for one in found}
    covered = max(found, key=lambda one: (size[one.key], one.key))
    assert covered.class_key in sizes
    timetable_actions.change_day(
        actor,
        lessons[covered.key][0],
        day.on,
        substitute_id=shown,
        absent_teacher_id=persons[covered.teacher_key],
    )


# Registers and announcements


def _fill(
    made: Demonstration,
    records: SchoolRecords,
    actor: Actor,
    day: DemoDay,
    lessons: dict[str, tuple[int, int]],
    now: datetime,
) -> None:
    """The registers since the last one, and today's up to now."""
    last = attendance.last_day_taken(actor) or day.on
    closures = made.population.closures
    between = schools.school_days(closures, records.school.key, last + timedelta(days=1), day.on - timedelta(days=1))
    for on in between:
        ordinary = DemoDay(on, records.bell, on.isoweekday(), changed=False)
        _fill_day(made, records, actor, ordinary, lessons, now)
    _fill_day(made, records, actor, day, lessons, now)
    first = between[0] if between else day.on
    figures.refresh_days(actor, first=first, last=day.on)


def _fill_day(
    made: Demonstration,
    records: SchoolRecords,
    actor: Actor,
    day: DemoDay,
    lessons: dict[str, tuple[int, int]],
    now: datetime,
) -> None:
    absences, found = _plan(made, records, day, now)
    taken = attendance.lessons_taken(actor, day.on)
    left = _left_to_visitors(made, records, day, now)
    registers = (
        one
        for one in records.registers(found, day.bell, now=now)
        if lessons[one.lesson][0] not in taken and one.lesson not in left
    )
    _tell(records, actor, absences, day, now)
    history.load_history(actor, list(_as_announced(registers)))


def _as_announced(registers: Iterator[PastRegister]) -> Iterator[PastRegister]:
    yield from registers


def _plan(
    made: Demonstration, records: SchoolRecords, day: DemoDay, now: datetime
) -> tuple[tuple[Absence, ...], Iterator[Register]]:
    """Who is away on that day, and its registers: the same whenever it is asked."""
    key = records.school.key
    rng = random.Random(f"{made.population.seed}/{key}/{day.on}")  # noqa: S311
    opens = day.bell.periods[0].starts_at
    early = opens.hour * 60 + opens.minute < _EARLIEST_BELL
    week = made.week if early else replace(made.week, bells={**made.week.bells, key: day.bell})
    planned = SchoolDay(day.on, day.runs_as_weekday, bell=day.bell)
    made_history = build_history(made.population, week, {key: [planned]}, rng, now=now)
    return made_history.absences, made_history.registers


def _left_to_visitors(made: Demonstration, records: SchoolRecords, day: DemoDay, now: datetime) -> set[str]:
    """The lessons under way of the teachers whom visitors sign in as, and one of the first hour that somebody forgot."""
    period = day.lesson_at(clock.local(now, records.school.time_zone).time())
    shown = {p.person_key for p in made.population.personas if p.role == "teacher"}
    left: set[str] = set()
    if period is not None and period.number is not None and day.on == records.today:
        under_way = made.week.at(records.school.key, day.runs_as_weekday, period.number)
        left = {one.key for one in under_way if one.teacher_key in shown}
    first = made.week.at(records.school.key, day.runs_as_weekday, 1)
    forgotten = [one for one in first if one.teacher_key not in shown]
    return left | {_forgotten(forgotten, day).key}


def _forgotten(lessons: Sequence[Lesson], day: DemoDay) -> Lesson:
    return sorted(lessons, key=lambda one: one.key)[day.on.toordinal() % len(lessons)]


def _tell(records: SchoolRecords, actor: Actor, absences: Sequence[Absence], day: DemoDay, now: datetime) -> None:
    """What the families have told by now and the school does not know yet."""
    told = [notice for one in absences if (notice := records.absence(one, day.bell, now)) is not None]
    if not told:
        return
    persons = person_ids(actor)
    known = attendance.absences_told(actor, min(one.starts_at for one in told) - timedelta(days=1))
    fresh: list[PastNotice] = [one for one in told if (persons[one.pupil], one.starts_at) not in known]
    history.load_absences(actor, fresh)


def refresh(*, now: datetime) -> None:
    """Keep all of the demonstration's schools in the present; nothing where there are none."""
    found = own_schools()
    if not found:
        return
    start = first_day(found, now)
    made = generate(start)
    for facts in found:
        with scope(facts.id):
            keep(made, facts, now=now)


def first_day(found: Sequence[SchoolFacts], now: datetime) -> date:
    """The Monday on which the demonstration's year began: of a school that is there, or ten weeks back."""
    from pupitre.courses.loading import first_day as first_day_of

    for facts in found:
        with scope(facts.id):
            known = first_day_of(system_actor(facts))
        if known is not None:
            return known
    return schools.year_start_for(clock.local(now, schools.AUTHORITY.time_zone).date())


__all__ = ["Demonstration", "count", "first_day", "generate", "keep", "own_schools", "refresh"]
