"""Keeping the demonstration in the present: a lesson under way at any hour, and the registers of the lessons before it.

Runs when the demonstration is filled, at every start and every few minutes (`jobs.py`). It says what it does: the day that
runs otherwise stands in the school's calendar under a name that tells why.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property

from django.db import connection

from pupitre.attendance.actions import figures, history
from pupitre.attendance.queries import keys as attendance
from pupitre.courses.actions import loading as courses
from pupitre.kernel import clock
from pupitre.people.queries.keys import person_ids
from pupitre.people.rules import Actor, system_actor
from pupitre.project.demo import fleet, schools
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

    def persona(self, role: str, school: str | None, *, place: int = 0) -> str:
        """The key of a person to sign in as."""
        found = [p.person_key for p in self.population.personas if p.role == role and p.school_key == school]
        return found[place]

    @property
    def shown_teacher(self) -> str:
        """Whoever signs in as this teacher has a lesson now."""
        return self.persona("teacher", "sec")

    @property
    def small_child(self) -> str:
        """Who signs in by class card."""
        return self.persona("pupil", "pri")


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
    school = _School(made, made.records(facts, now), facts, system_actor(facts), now)
    day = school.run_day()
    school.fill(day, school.give_lesson(day) if school.records.school.key == "sec" else "")
    return day


@dataclass(frozen=True)
class _School:
    """One school at one moment."""

    made: Demonstration
    records: SchoolRecords
    facts: SchoolFacts
    actor: Actor
    now: datetime

    @cached_property
    def lesson_ids(self) -> dict[str, int]:
        return {source: found[0] for source, found in lesson_keys(self.actor).items()}

    @cached_property
    def person_ids(self) -> dict[str, int]:
        return person_ids(self.actor)

    @property
    def wall(self) -> datetime:
        return clock.local(self.now, self.facts.time_zone)

    def under_way(self, day: DemoDay) -> tuple[Lesson, ...]:
        """The lessons of the timetable that are held now."""
        period = day.lesson_at(self.wall.time())
        if period is None or period.number is None or day.on != self.wall.date():
            return ()
        return self.made.week.at(self.records.school.key, day.runs_as_weekday, period.number)

    # How the day runs

    def run_day(self) -> DemoDay:
        """How today runs so that a lesson is under way; stored where that differs from the calendar."""
        on, bell = self.wall.date(), self.records.bell
        calendar = calendar_between(self.facts, on, on)
        found = school_day(on, calendar)
        stored = None
        if found is not None and (found.bells != calendar.default_bells or found.weekday != on.isoweekday()):
            times = {one.name: (one.starts_at, one.ends_at) for one in calendar.bells[found.bells]}
            stored = DemoDay(on, _retimed(bell, times), found.weekday, changed=True)
        is_shown = self.records.school.key == "sec"
        preferred = self.made.week.hours_of(self.made.shown_teacher) if is_shown else frozenset()
        day = demo_day(self.wall, bell, closed=found is None, stored=stored, preferred=preferred)
        if day.changed and day != stored:
            self._store(day)
        return day

    def _store(self, day: DemoDay) -> None:
        label = _LABELS[self.records.school.languages[0]]
        forget_days(self.actor, label=label, first=day.on - timedelta(days=400), last=day.on)
        periods = self.records.periods(day.bell)
        schedule = timetable_actions.set_bell_schedule(
            self.actor, name=label, periods=periods, is_default=False
        )
        run_otherwise = timetable_actions.run_day_otherwise
        run_otherwise(self.actor, on=day.on, label=label, as_weekday=day.runs_as_weekday)
        run_otherwise(self.actor, on=day.on, label=label, schedule_id=schedule.pk)

    def give_lesson(self, day: DemoDay) -> str:
        """Where the teacher who is shown is free now, she covers a colleague's class, if she can one without a register.

        Answers the source of the lesson that she has.
        """
        shown, names = (
            self.person_ids[self.made.shown_teacher],
            {id_: key for key, id_ in self.lesson_ids.items()},
        )
        for one in timetable.lessons_of_day(self.facts, day.on, teacher_id=shown):
            if one.is_under_way(self.now) and one.is_taught_by(shown):
                return names[one.lesson_id]
        found = self.under_way(day)
        if not found:
            return ""
        sizes = Counter(one.class_key for one in self.made.population.enrolments)
        taken = attendance.lessons_taken(self.actor, day.on)
        free = [one for one in found if self.lesson_ids[one.key] not in taken] or found
        covered = max(free, key=lambda one: (sizes[one.class_key], one.key))
        timetable_actions.change_day(
            self.actor,
            self.lesson_ids[covered.key],
            day.on,
            now=self.now,
            substitute_id=shown,
            absent_teacher_id=self.person_ids[covered.teacher_key],
        )
        return covered.key

    # Registers and announcements

    def fill(self, day: DemoDay, hers: str) -> None:
        """The registers since the last one, and today's up to now but the lesson `hers`."""
        last = attendance.last_day_taken(self.actor) or day.on
        closures, key = self.made.population.closures, self.records.school.key
        between = schools.school_days(closures, key, last + timedelta(days=1), day.on - timedelta(days=1))
        for on in between:
            self._fill_day(DemoDay(on, self.records.bell, on.isoweekday(), changed=False), "")
        self._fill_day(day, hers)
        figures.refresh_days(self.actor, first=between[0] if between else day.on, last=day.on)

    def _fill_day(self, day: DemoDay, hers: str) -> None:
        absences, found = self._plan(day)
        taken = attendance.lessons_taken(self.actor, day.on)
        left = {hers} | self._left(day)
        registers = (
            one
            for one in self.records.registers(found, day.bell, now=self.now)
            if one.lesson not in left and self.lesson_ids[one.lesson] not in taken
        )
        self._tell(absences, day)
        history.load_history(self.actor, registers)

    def _plan(self, day: DemoDay) -> tuple[tuple[Absence, ...], Iterator[Register]]:
        """Who is away on that day, and its registers: the same whenever it is asked."""
        made, key = self.made, self.records.school.key
        rng = random.Random(f"{made.population.seed}/{key}/{day.on}")  # noqa: S311
        opens = day.bell.periods[0].starts_at
        early = opens.hour * 60 + opens.minute < _EARLIEST_BELL
        week = made.week if early else replace(made.week, bells={**made.week.bells, key: day.bell})
        planned = SchoolDay(day.on, day.runs_as_weekday, bell=day.bell)
        found = build_history(made.population, week, {key: [planned]}, rng, now=self.now)
        return found.absences, found.registers

    def _left(self, day: DemoDay) -> set[str]:
        """The lessons under way of those whom visitors sign in as, and one of the first hour that somebody forgot."""
        shown = {p.person_key for p in self.made.population.personas if p.role == "teacher"}
        first = self.made.week.at(self.records.school.key, day.runs_as_weekday, 1)
        others = sorted(one.key for one in first if one.teacher_key not in shown)
        left = {one.key for one in self.under_way(day) if one.teacher_key in shown}
        return left | {others[day.on.toordinal() % len(others)]}

    def _tell(self, absences: Sequence[Absence], day: DemoDay) -> None:
        """What the families have told by now and the school does not know yet."""
        found = (self.records.absence(one, day.bell, self.now) for one in absences)
        told = [one for one in found if one is not None]
        if told:
            since = min(one.starts_at for one in told) - timedelta(days=1)
            known = attendance.absences_told(self.actor, since)
            fresh = [one for one in told if (self.person_ids[one.pupil], one.starts_at) not in known]
            history.load_absences(self.actor, fresh)


def _retimed(bell: Bell, times: dict[str, tuple[time, time]]) -> Bell:
    """The bell with the stored periods, which go by their titles."""
    periods = tuple(
        Period(one.number, one.title, *times[one.title]) for one in bell.periods if one.title in times
    )
    return replace(bell, key=f"{bell.key}@", periods=periods)


def refresh(*, now: datetime) -> None:
    """Keep all of the demonstration's schools in the present; nothing where there are none."""
    found = own_schools()
    if not found:
        return
    start = first_day(found, now)
    made = generate(start)
    for facts in found:
        with scope(facts.id):
            _wait_for_turn(facts)
            keep(made, facts, now=now)
    fleet.ensure(made, found, now=now)
    sum_up(found, now=now)


def sum_up(found: Sequence[SchoolFacts], *, now: datetime) -> None:
    """Sum the days of the authorities of those schools. Outside of any scope."""
    for authority_id in sorted({facts.authority_id for facts in found}):
        with scope(authority=authority_id):
            figures.count_authority(authority_id, now=now)


def _wait_for_turn(facts: SchoolFacts) -> None:
    """Two workers that wake at once would take the same registers: the second waits, and then sees them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('pupitre.project.demo'), %s)", [facts.id])


def first_day(found: Sequence[SchoolFacts], now: datetime) -> date:
    """The Monday on which the demonstration's year began: of a school that is there, or ten weeks back."""
    for facts in found:
        with scope(facts.id):
            known = courses.first_day(system_actor(facts))
        if known is not None:
            return known
    return schools.year_start_for(clock.local(now, schools.AUTHORITY.time_zone).date())
