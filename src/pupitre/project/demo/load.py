"""Filling an empty database with the demonstration: an authority, three schools, two months of registers.

Everything is written by the application's role through the contexts' actions, one transaction a school. What was
interrupted is finished the next time: a school is either complete or not there.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.urls import reverse

from pupitre.attendance.actions import figures, history
from pupitre.attendance.rules.absences import Counted, Window
from pupitre.attendance.rules.loading import NewCode, NewThreshold
from pupitre.attendance.rules.status import DEFAULT_LETTERS, Status
from pupitre.courses.actions import loading as courses
from pupitre.kernel import clock
from pupitre.messaging.actions import history as messaging
from pupitre.people import actions as people
from pupitre.people.actions import loading as people_loading
from pupitre.people.rules import system_actor
from pupitre.people.rules.loading import NewAccount
from pupitre.project.demo import attendance, fleet, fleet_rules, notices, present, schools
from pupitre.project.demo.present import SEED, Demonstration
from pupitre.project.demo.records import display_name
from pupitre.project.demo.roster import School
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.models import Authority
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.actions.loading import load_timetable

#: Everybody's whom one can sign in as. It opens invented data only, and is printed beside the address.
PASSWORD = "demostracio"  # noqa: S105
#: One guardian and one pupil of so many have no account yet: for them the office prints letters.
_WITHOUT_ACCOUNT = 7
#: The class card of a child at the primary school: its address ends with this, and these pictures are tapped in order.
_CARD, _PICTURES = "marinada", ("sun", "cat", "star")


@dataclass(frozen=True)
class Persona:
    """Somebody to sign in as."""

    title: str
    username: str
    password: str


# Title, then role, school and which of these among the population's personas.
_SHOWN = (
    ("Head", "head", "sec", 0),
    ("Secretary", "secretary", "sec", 0),
    ("Teacher, in class right now", "teacher", "sec", 0),
    ("Teacher in two schools", "teacher", "pri", 0),
    ("Pupil", "pupil", "sec", 0),
    ("Mother, children in two schools", "guardian", "sec", 0),
    ("Father, separated", "guardian", "sec", 1),
    ("Inspector, figures of all schools", "inspector", None, 0),
)


def ensure(*, now: datetime | None = None) -> bool:
    """Fill the database if it is empty, or finish what was begun; then keep the present. Answers whether it is there.

    A database with schools of its own is left alone.
    """
    now = now or clock.now()
    found = present.own_schools()
    if not found and tenancy.all_schools():
        return False
    made = present.generate(present.first_day(found, now))
    complete = {facts.slug for facts in found if _is_complete(facts)}
    if complete != made.slugs:
        _fill(made, complete, now)
    there = present.own_schools()
    for facts in there:
        with scope(facts.id):
            present.keep(made, facts, now=now)
    fleet.ensure(made, there, now=now)
    fleet_rules.ensure_people(made, there, PASSWORD, now=now)
    present.sum_up(there, now=now)
    return True


def personas() -> list[Persona]:
    """Whom one can sign in as, the same for every installation; empty where the demonstration is not there."""
    if not present.own_schools():
        return []
    made = present.generate(present.first_day(present.own_schools(), clock.now()))
    shown = []
    for title, role, school, place in _SHOWN:
        key = made.persona(role, school, place=place)
        shown.append(Persona(title, made.population.people[key].username, PASSWORD))
    shown.append(Persona("Technician, the school's devices", fleet_rules.TECHNICIAN, PASSWORD))
    shown.append(Persona("Fleet manager, all schools' devices", fleet_rules.MANAGER, PASSWORD))
    slug = next(one.slug for one in made.population.schools if one.key == "pri")
    card = reverse("card", kwargs={"school": slug, "token": _CARD})
    return [*shown, Persona("Small child, with the class card", card, ", ".join(_PICTURES))]


def run_demo(_args: argparse.Namespace) -> int:
    """`pupitre demo`: fill an empty database and say whom one can sign in as."""
    began = time.monotonic()
    if not ensure():
        sys.stderr.write("This database has schools of its own; the demonstration goes into an empty one.\n")
        return 1
    sys.stdout.write(f"The demonstration is there ({time.monotonic() - began:.0f} s).\n")
    for persona in personas():
        sys.stdout.write(f"  {persona.title:<34} {persona.username:<28} {persona.password}\n")
    return 0


def _is_complete(facts: SchoolFacts) -> bool:
    with scope(facts.id):
        return courses.first_day(system_actor(facts)) is not None


def _fill(made: Demonstration, complete: set[str], now: datetime) -> None:
    authority = _found_authority()
    accounts = people_loading.open_accounts(list(_accounts(made)), now=now)
    inspector = made.population.people[made.persona("inspector", None)].username
    people.appoint_inspector(authority_id=authority.pk, account=people_loading.account_of(inspector))
    days = {
        school.key: attendance.school_days(_days(made, school, now)) for school in made.population.schools
    }
    rng = random.Random(SEED)  # noqa: S311
    past = attendance.build_history(made.population, made.week, days, rng, now=now)
    written = notices.build_notices(made.population, random.Random(SEED), now=now)  # noqa: S311
    for key, registers in groupby(past.registers, key=lambda one: one.lesson.school_key):
        school = next(one for one in made.population.schools if one.key == key)
        if school.slug not in complete:
            told = tuple(one for one in past.absences if one.school_key == key)
            _School(made, authority, school, accounts, now).load(told, registers, written)


def _found_authority() -> Authority:
    """The demonstration's people sign in at once, so its authority does not ask for a second factor. Real ones do."""
    told = schools.AUTHORITY
    return founding.found_authority(
        slug=told.key,
        name=told.name,
        country=told.country,
        locale=told.language,
        time_zone=told.time_zone,
        requires_second_factor=False,
    )


def _accounts(made: Demonstration) -> Iterator[NewAccount]:
    """An account for everybody but a few guardians and pupils and the smallest children; one for all of a person's schools."""
    shown = {made.persona(role, school, place=place) for _, role, school, place in _SHOWN}
    small = {
        p.person_key for p in made.population.pupils if made.population.people[p.person_key].email is None
    }
    for number, person in enumerate(made.population.people.values()):
        is_shown = person.key in shown
        is_waiting = not person.key.startswith("staff") and number % _WITHOUT_ACCOUNT == 0
        is_carded = person.key == made.small_child
        if is_shown or is_carded or not (is_waiting or person.key in small):
            # Whoever takes an account over confirms the address; the roster's stays with the person until then.
            email = (person.email or "") if is_shown else ""
            secret = PASSWORD if is_shown else ""
            yield NewAccount(person.username, display_name(person), email, person.language, secret)


def _days(made: Demonstration, school: School, now: datetime) -> tuple[date, ...]:
    yesterday = clock.local(now, school.time_zone).date() - timedelta(days=1)
    return schools.school_days(
        made.population.closures, school.key, made.population.school_year_start, yesterday
    )


@dataclass(frozen=True)
class _School:
    """One school while it is filled."""

    made: Demonstration
    authority: Authority
    school: School
    accounts: dict[str, int]
    now: datetime

    def load(
        self,
        absences: tuple[attendance.Absence, ...],
        registers: Iterator[attendance.Register],
        written: tuple[tuple[notices.Notice, ...], tuple[notices.Receipt, ...]],
    ) -> None:
        """Everything of the school, in one transaction."""
        with transaction.atomic():
            facts = self._found()
            with scope(facts.id):
                self._fill(facts, absences, registers, written)

    def _found(self) -> SchoolFacts:
        school = self.school
        row = founding.found_school(
            self.authority,
            slug=school.slug,
            name=school.name,
            country=school.country,
            locale=school.languages[0],
            time_zone=school.time_zone,
            sourced_id=school.key,
        )
        return tenancy.facts_of(row)

    def _fill(
        self,
        facts: SchoolFacts,
        absences: tuple[attendance.Absence, ...],
        registers: Iterator[attendance.Register],
        written: tuple[tuple[notices.Notice, ...], tuple[notices.Receipt, ...]],
    ) -> None:
        actor, records = system_actor(facts), self.made.records(facts, self.now)
        person_ids = people_loading.load_people(actor, records.everybody(self.accounts), now=self.now)
        class_ids = courses.load_teaching(actor, records.teaching(), person_ids=person_ids)
        timetable.set_bell_schedule(actor, name=records.bell.title, periods=records.periods(records.bell))
        timetable.set_weeks(actor, weekdays=range(1, 6))
        for one in self.made.population.closures:
            if one.school_key == self.school.key:
                timetable.close_day(actor, starts_on=one.first_on, ends_on=one.last_on, label=one.title)
        load_timetable(
            actor,
            rooms=records.rooms(),
            lessons=records.lessons(),
            class_ids=class_ids,
            person_ids=person_ids,
        )
        if self.school.key == "pri":
            child = person_ids[self.made.small_child]
            people_loading.load_card(actor, child, token=_CARD, pictures=_PICTURES, now=self.now)
        history.load_ways(actor, codes=_codes(self.school), thresholds=_thresholds(self.school))
        history.load_history(actor, records.registers(registers, records.bell, now=self.now))
        told = (records.absence(one, records.bell, self.now) for one in absences)
        history.load_absences(actor, [one for one in told if one is not None])
        history.excuse_loaded(actor)
        first = self.made.population.school_year_start
        figures.refresh_days(actor, first=first, last=records.today)
        posted = records.notices(*written, class_ids=class_ids, person_ids=person_ids)
        messaging.load_notices(actor, posted)


_LABELS = {
    "ca": ("Present", "Falta", "Retard", "Falta justificada", "Sortida de classe"),
    "es": ("Presente", "Falta", "Retraso", "Falta justificada", "Salida de clase"),
}
_LETTERS = {
    "ca": (
        ("Cinc faltes en un mes", "Faltes d'assistència de {pupil}",
         ("Benvolguts {guardian},\n\nentre {from} i {until} {pupil} ({class}) ha faltat a {count} classes sense justificar. "
         "Us demanem que ens en feu arribar el motiu o que parleu amb el tutor.\n\n{school}")),
        ("Cinc retards en un mes", "Retards de {pupil}",
         ("Benvolguts {guardian},\n\nentre {from} i {until} {pupil} ({class}) ha arribat tard {count} vegades. "
         "Us demanem que ens ajudeu perquè arribi a l'hora.\n\n{school}")),
    ),
    "es": (
        ("Cinco faltas en un mes", "Faltas de asistencia de {pupil}",
         ("Estimados {guardian}:\n\nEntre {from} y {until} {pupil} ({class}) ha faltado a {count} clases sin justificar. "
         "Les rogamos que nos comuniquen el motivo o hablen con su tutor.\n\n{school}")),
        ("Cinco retrasos en un mes", "Retrasos de {pupil}",
         ("Estimados {guardian}:\n\nEntre {from} y {until} {pupil} ({class}) ha llegado tarde {count} veces. "
         "Les rogamos que nos ayuden a que llegue a su hora.\n\n{school}")),
    ),
}  # fmt: skip


def _codes(school: School) -> list[NewCode]:
    """The secondary school has codes of its own, with one more for the school's outings; the others use the usual ones."""
    if school.key != "sec":
        return []
    labels, letters = _LABELS["es"], DEFAULT_LETTERS["es"]
    usual = [
        NewCode(letter, label, status) for letter, label, status in zip(letters, labels, Status, strict=True)
    ]
    return [*usual, NewCode("X", "Actividad extraescolar", Status.OUT)]


def _thresholds(school: School) -> list[NewThreshold]:
    counted = (Counted.ABSENT_LESSONS, Counted.LATENESSES)
    return [
        NewThreshold(name, what, 5, Window.MONTH, title, body)
        for what, (name, title, body) in zip(counted, _LETTERS[school.languages[0]], strict=True)
    ]
