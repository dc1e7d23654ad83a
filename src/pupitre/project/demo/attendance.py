"""Two months of registers as schools have them: illness in runs, the same few who are late, absences announced and not.

Registers are per lesson. First the absences are planned (who, from when to when, why, who told the school and when), then
each register is filled from them, so that announcements, marks and justifications agree.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pupitre.project.demo.roster import Bell, Population, Pupil, School
from pupitre.project.demo.week import Lesson, Week


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """A day with lessons: those of `weekday` (1 = Monday), at the times of `bell` where the day has one of its own.

    Registers exist up to `last_period`, where that is set.
    """

    on: date
    weekday: int
    last_period: int | None = None
    bell: Bell | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """An absence from its first to its last day, both included.

    `first_period` and `last_period` bound a part of one day. `reason` is illness, medical, family, travel or unknown;
    `text` is what the family wrote, in the school's language. Without `announced_at` nobody told the school before.
    """

    key: str
    pupil_key: str
    school_key: str
    first_on: date
    last_on: date
    first_period: int
    last_period: int
    reason: str
    text: str = ""
    announced_at: datetime | None = None
    told_by: str | None = None
    justified_at: datetime | None = None
    has_document: bool = False

    def covers(self, period: int) -> bool:
        """Whether the pupil is away in that lesson of a day of the absence."""
        return self.first_period <= period <= self.last_period


class Mark(NamedTuple):
    """A pupil in a register. `status` is present, late (with `minutes`), absent, excused (announced before) or out."""

    pupil_key: str
    status: str
    minutes: int
    note: str


class AttendanceMark(NamedTuple):
    """A mark with its register, flat."""

    class_key: str
    on: date
    period: int
    pupil_key: str
    status: str
    minutes: int
    note: str


@dataclass(frozen=True, slots=True)
class Register:
    """The register of a lesson on a day; `taken_at` is None and `marks` is empty where nobody took it."""

    lesson: Lesson
    on: date
    taken_at: datetime | None
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class History:
    """What happened: absences in order of their first day, and the registers, made while they are iterated (once)."""

    absences: tuple[Absence, ...]
    registers: Iterator[Register]


_WHOLE_DAY = 99
_LENGTHS = ((1, 2, 3, 4, 5), (40, 27, 17, 9, 7))
# Mondays and Fridays are a little shorter of pupils than Wednesdays.
_WEEKDAY = {1: 1.3, 2: 0.95, 3: 0.85, 4: 0.9, 5: 1.25}

_TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "ca": {
        "illness": ("Té febre.", "Refredat fort.", "Ha passat mala nit, gastroenteritis.", "Grip.", "Mal de coll i febre.", "Otitis."),
        "medical": ("Visita al pediatre.", "Dentista.", "Analítica.", "Revisió de la vista.", "Ortodòncia."),
        "family": ("Assumpte familiar.", "Enterrament d'un familiar.", "Casament d'una tia.", "Tràmit a l'ajuntament."),
        "travel": ("Viatge familiar.", "Torna del viatge amb retard.", "Visita als avis."),
        "trip": ("Sortida al teatre", "Excursió a la llacuna", "Visita al museu"),
        "nurse": ("A la infermeria", "Amb l'orientadora"),
    },
    "es": {
        "illness": ("Tiene fiebre.", "Gastroenteritis.", "Catarro fuerte.", "Gripe.", "Dolor de garganta y fiebre.", "Migraña."),
        "medical": ("Cita médica.", "Dentista.", "Análisis de sangre.", "Ortodoncia.", "Fisioterapia."),
        "family": ("Asunto familiar.", "Fallecimiento de un familiar.", "Renovación del pasaporte.", "Boda en la familia."),
        "travel": ("Viaje familiar.", "Vuelve un día más tarde del viaje.", "Visita a la familia."),
        "trip": ("Salida al teatro", "Excursión a la laguna", "Visita al museo"),
        "nurse": ("En enfermería", "Con orientación"),
    },
}  # fmt: skip


def school_days(days: Sequence[date]) -> tuple[SchoolDay, ...]:
    """Ordinary school days, each with its own weekday's lessons."""
    return tuple(SchoolDay(on, on.isoweekday()) for on in days)


def build_history(
    population: Population,
    week: Week,
    days: Mapping[str, Sequence[SchoolDay]],
    rng: random.Random,
    *,
    now: datetime | None = None,
) -> History:
    """The absences and registers of the school days of each school (by school key).

    `now` (aware) cuts off what would be told after it: announcements and justifications still to come.
    """
    planned = plan_absences(population, week, days, rng)
    if now is not None:
        planned = tuple(_known_at(absence, now) for absence in planned)
    # A generator of its own: it does not matter when the caller draws from `rng` while iterating.
    own = random.Random(rng.getrandbits(64))  # noqa: S311
    return History(planned, _registers(population, week, days, planned, own))


def build_attendance(
    population: Population, week: Week, days: Mapping[str, Sequence[SchoolDay]], rng: random.Random
) -> Iterator[AttendanceMark]:
    """Every mark of every register taken, flat."""
    for register in build_history(population, week, days, rng).registers:
        lesson, on = register.lesson, register.on
        for pupil, status, minutes, note in register.marks:
            yield AttendanceMark(lesson.class_key, on, lesson.period, pupil, status, minutes, note)


def _known_at(absence: Absence, now: datetime) -> Absence:
    announced = absence.announced_at if absence.announced_at and absence.announced_at <= now else None
    justified = absence.justified_at if absence.justified_at and absence.justified_at <= now else None
    told = announced or justified
    return replace(
        absence, announced_at=announced, justified_at=justified, text=absence.text if told else "",
        told_by=absence.told_by if told else None, has_document=absence.has_document and told is not None,
    )  # fmt: skip


# Absences


class _Planner:
    """The absences of one school."""

    def __init__(
        self,
        population: Population,
        week: Week,
        school: School,
        days: Sequence[SchoolDay],
        rng: random.Random,
    ) -> None:
        self.school, self.days, self.rng = school, days, rng
        self.zone = ZoneInfo(school.time_zone)
        self.texts = _TEXTS[school.languages[0]]
        self.bell = week.bells[school.key]
        self.teller = tellers(population)
        self.away: dict[str, set[date]] = defaultdict(set)
        self.found: list[Absence] = []

    def plan(self, pupil: Pupil) -> None:
        """Go through the days of one pupil: frail or robust, punctual or not, seldom one who stays away often."""
        rng = self.rng
        frailty = rng.lognormvariate(-0.1, 0.45)
        chronic = rng.random() < (0.022 if self.school.stage != "primary" else 0.008)
        truant = self.school.stage == "secondary" and rng.random() < 0.045
        for at, day in enumerate(self.days):
            if day.on in self.away[pupil.person_key] or not here(pupil, day.on):
                continue
            chance = rng.random()
            illness = 0.0165 * frailty * _WEEKDAY[day.weekday]
            bounds = (illness, illness + 0.0085, illness + 0.0107, illness + 0.0107 + 0.16 * chronic)
            if chance < bounds[0]:
                self._add(pupil, at, rng.choices(*_LENGTHS)[0], "illness")
            elif chance < bounds[1]:
                self._part(pupil, day, "medical")
            elif chance < bounds[2]:
                self._add(pupil, at, rng.choice((1, 1, 1, 2, 3)), rng.choice(("family", "family", "travel")))
            elif chance < bounds[3]:
                self._add(pupil, at, rng.choice((1, 1, 2)), "unknown")
            elif truant and rng.random() < 0.07:
                self._part(pupil, day, "unknown")

    def infect(self, pupil: Pupil, absence: Absence) -> None:
        """A brother or sister may fall ill a day or two later."""
        after = [at for at, day in enumerate(self.days) if day.on > absence.first_on]
        at = after[min(len(after) - 1, self.rng.randint(0, 1))] if after else None
        if (
            at is not None
            and self.days[at].on not in self.away[pupil.person_key]
            and here(pupil, self.days[at].on)
        ):
            self._add(pupil, at, self.rng.choices(*_LENGTHS)[0], "illness")

    def _add(self, pupil: Pupil, at: int, length: int, reason: str) -> None:
        run = self.days[at : at + length]
        days = [day.on for day in run if day.on not in self.away[pupil.person_key]]
        # A run that meets another absence ends before it.
        days = days[
            : next((n for n, day in enumerate(run) if day.on in self.away[pupil.person_key]), len(days))
        ]
        self._keep(pupil, days, 1, _WHOLE_DAY, reason)

    def _part(self, pupil: Pupil, day: SchoolDay, reason: str) -> None:
        """Some lessons of a day: a visit to the doctor at its beginning or end, or lessons skipped."""
        last = self.bell.last_lesson[day.weekday]
        length = self.rng.randint(1, 2 if reason == "unknown" else 3)
        first = 1 if self.rng.random() < (0.15 if reason == "unknown" else 0.5) else last - length + 1
        self._keep(pupil, [day.on], first, first + length - 1, reason)

    def _keep(self, pupil: Pupil, days: list[date], first: int, last: int, reason: str) -> None:
        self.away[pupil.person_key].update(days)
        key = f"absence-{self.school.key}-{len(self.found) + 1:05d}"
        absence = Absence(key, pupil.person_key, self.school.key, days[0], days[-1], first, last, reason)
        self.found.append(self._told(absence))

    def _at(self, on: date, low: int, high: int) -> datetime:
        """A moment of the day between two minutes of the clock."""
        minutes = self.rng.randint(low, high)
        return datetime.combine(on, time(minutes // 60, minutes % 60), self.zone)

    def _told(self, absence: Absence) -> Absence:
        """What the family says: before, in the morning itself, afterwards, or nothing."""
        rng = self.rng
        teller = self.teller.get(absence.pupil_key)
        before = {"illness": 0.62, "medical": 0.87, "family": 0.78, "travel": 0.85, "unknown": 0.03}[
            absence.reason
        ]
        after = {"illness": 0.7, "medical": 0.75, "family": 0.5, "travel": 0.4, "unknown": 0.06}[
            absence.reason
        ]
        if teller is None:
            return absence
        spoken = self.texts.get(absence.reason, self.texts["family"])
        if rng.random() < before:
            return replace(
                absence, announced_at=self._announced(absence), told_by=teller, text=rng.choice(spoken)
            )
        if rng.random() < after:
            at = self._at(absence.last_on + timedelta(days=rng.randint(1, 4)), 7 * 60, 22 * 60)
            document = absence.reason in {"illness", "medical"} and rng.random() < 0.4
            return replace(
                absence, justified_at=at, told_by=teller, text=rng.choice(spoken), has_document=document
            )
        return absence

    def _announced(self, absence: Absence) -> datetime:
        opens = self.bell.periods[0].starts_at
        minute = opens.hour * 60 + opens.minute
        if absence.reason != "illness":
            return self._at(absence.first_on - timedelta(days=self.rng.randint(1, 9)), 8 * 60, 21 * 60 + 30)
        if self.rng.random() < 0.22:
            return self._at(absence.first_on - timedelta(days=1), 19 * 60, 22 * 60 + 30)
        # Most families write at breakfast; some when the first lesson has begun.
        return self._at(absence.first_on, minute - 80, minute + 10)


def here(pupil: Pupil, on: date) -> bool:
    """Whether the pupil belongs to the school on that day."""
    return pupil.begins_on <= on and (pupil.ends_on is None or on <= pupil.ends_on)


def tellers(population: Population) -> dict[str, str]:
    """The guardian who tells the school about each pupil: the first who has a say."""
    ties = sorted(
        (tie for tie in population.guardianships if tie.receives_notices), key=lambda tie: -tie.order
    )
    return {tie.pupil_key: tie.guardian_key for tie in ties}


def plan_absences(
    population: Population, week: Week, days: Mapping[str, Sequence[SchoolDay]], rng: random.Random
) -> tuple[Absence, ...]:
    """All absences of the days, about one pupil of twenty away on each."""
    planners = {
        school.key: _Planner(population, week, school, days[school.key], rng)
        for school in population.schools
        if days.get(school.key)
    }
    places = {pupil.person_key: pupil for pupil in population.pupils}
    for pupil in population.pupils:
        if pupil.school_key in planners:
            planners[pupil.school_key].plan(pupil)
    siblings = _siblings(population)
    for absence in [
        absence for planner in planners.values() for absence in planner.found if absence.reason == "illness"
    ]:
        for other in siblings.get(absence.pupil_key, ()):
            place = places[other]
            if place.school_key in planners and rng.random() < 0.16:
                planners[place.school_key].infect(place, absence)
    found = [absence for planner in planners.values() for absence in planner.found]
    return tuple(sorted(found, key=lambda absence: (absence.first_on, absence.key)))


def _siblings(population: Population) -> dict[str, list[str]]:
    """Brothers and sisters who live in one household."""
    homes: dict[str, list[str]] = defaultdict(list)
    for tie in population.guardianships:
        if tie.order == 1 and tie.household_key:
            homes[tie.household_key].append(tie.pupil_key)
    return {
        key: [other for other in home if other != key]
        for home in homes.values()
        for key in home
        if len(home) > 1
    }


def announce_ahead(
    population: Population,
    week: Week,
    days: Mapping[str, Sequence[SchoolDay]],
    rng: random.Random,
    *,
    now: datetime,
) -> tuple[Absence, ...]:
    """Absences of the coming days that the families have announced already: visits to the doctor and journeys."""
    planned = plan_absences(population, week, days, rng)
    known = (_known_at(absence, now) for absence in planned if absence.reason != "unknown")
    return tuple(
        replace(absence, key=f"ahead-{absence.key}") for absence in known if absence.announced_at is not None
    )


# Registers


def _registers(
    population: Population,
    week: Week,
    days: Mapping[str, Sequence[SchoolDay]],
    absences: Sequence[Absence],
    rng: random.Random,
) -> Iterator[Register]:
    members = _members(population)
    by_school: dict[str, list[Absence]] = defaultdict(list)
    for absence in absences:
        by_school[absence.school_key].append(absence)
    for school in population.schools:
        filler = _Filler(population, week, school, members, by_school[school.key], rng)
        for day in days.get(school.key, ()):
            yield from filler.day(day)


def _members(population: Population) -> dict[str, tuple[Pupil, ...]]:
    places = {pupil.person_key: pupil for pupil in population.pupils}
    found: dict[str, list[Pupil]] = defaultdict(list)
    for enrolment in population.enrolments:
        if enrolment.role == "student":
            found[enrolment.class_key].append(places[enrolment.person_key])
    return {key: tuple(pupils) for key, pupils in found.items()}


class _Filler:
    """Fills the registers of one school from its absences."""

    def __init__(
        self, population: Population, week: Week, school: School, members: dict[str, tuple[Pupil, ...]],
        absences: Sequence[Absence], rng: random.Random,
    ) -> None:  # fmt: skip
        self.rng, self.school, self.members = rng, school, members
        self.zone, self.texts, self.bell = (
            ZoneInfo(school.time_zone),
            _TEXTS[school.languages[0]],
            week.bells[school.key],
        )
        self.lessons: dict[int, list[Lesson]] = defaultdict(list)
        for lesson in week.lessons:
            if lesson.school_key == school.key:
                self.lessons[lesson.weekday].append(lesson)
        self.absences = absences
        self.present = {
            pupil.person_key: Mark(pupil.person_key, "present", 0, "") for pupil in population.pupils
        }
        own = [pupil.person_key for pupil in population.pupils if pupil.school_key == school.key]
        share = 0.035 if school.stage == "primary" else 0.06
        self.tardy = {key: rng.uniform(0.12, 0.4) for key in own if rng.random() < share}
        # Most teachers forget a register once a term, some once a week.
        teachers = sorted({lesson.teacher_key for lessons in self.lessons.values() for lesson in lessons})
        self.forgets = {key: 0.035 if rng.random() < 0.12 else 0.0025 for key in teachers}
        self.groups = [group.key for group in population.groups if group.school_key == school.key]
        self.classes = population.classes

    def day(self, day: SchoolDay) -> Iterator[Register]:
        """The registers of a day, in order of the lessons."""
        away = {
            absence.pupil_key: absence
            for absence in self.absences
            if absence.first_on <= day.on <= absence.last_on
        }
        trip = self._trip()
        for lesson in self.lessons[day.weekday]:
            if day.last_period is None or lesson.period <= day.last_period:
                yield self._register(lesson, day, away, trip)

    def _trip(self) -> tuple[str, str]:
        """On one day in seven a group is out on a trip: the group and the note."""
        return (
            (self.rng.choice(self.groups), self.rng.choice(self.texts["trip"]))
            if self.rng.random() < 0.14
            else ("", "")
        )

    def _register(
        self, lesson: Lesson, day: SchoolDay, away: dict[str, Absence], trip: tuple[str, str]
    ) -> Register:
        if self.rng.random() < self.forgets[lesson.teacher_key]:
            return Register(lesson, day.on, None, ())
        periods = (day.bell or self.bell).periods
        starts = next(period.starts_at for period in periods if period.number == lesson.period)
        taken = datetime.combine(day.on, starts, self.zone) + timedelta(seconds=self.rng.randint(60, 700))
        pupils = [pupil for pupil in self.members[lesson.class_key] if here(pupil, day.on)]
        marks = [self.present[pupil.person_key] for pupil in pupils]
        if lesson.period == 1:
            self._mark_late(marks)
        elif self.rng.random() < 0.0045 * len(marks):
            self._mark_one(marks)
        for at, pupil in enumerate(pupils):
            absence = away.get(pupil.person_key)
            if absence is not None and absence.covers(lesson.period):
                marks[at] = self._mark_away(absence, taken)
            elif trip[0] == pupil.group_key and lesson.period > 1:
                marks[at] = Mark(pupil.person_key, "out", 0, trip[1])
        return Register(lesson, day.on, taken, tuple(marks))

    def _mark_away(self, absence: Absence, taken: datetime) -> Mark:
        announced = absence.announced_at is not None and absence.announced_at <= taken
        return Mark(
            absence.pupil_key, "excused" if announced else "absent", 0, absence.text if announced else ""
        )

    def _mark_late(self, marks: list[Mark]) -> None:
        """The first lesson: some pupils are late every few days, anybody now and then."""
        rng = self.rng
        for at, mark in enumerate(marks):
            if rng.random() < self.tardy.get(mark.pupil_key, 0.008):
                marks[at] = Mark(mark.pupil_key, "late", min(35, 2 + int(rng.expovariate(0.16))), "")

    def _mark_one(self, marks: list[Mark]) -> None:
        """Now and then somebody comes late from the break, or is with the nurse."""
        rng = self.rng
        at = rng.randrange(len(marks)) if marks else 0
        if marks and rng.random() < 0.7:
            marks[at] = Mark(marks[at].pupil_key, "late", rng.randint(2, 9), "")
        elif marks:
            marks[at] = Mark(marks[at].pupil_key, "out", 0, rng.choice(self.texts["nurse"]))
