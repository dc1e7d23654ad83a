"""A family's page: all children of an account in all its schools, each school read in its own scope."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection

from pupitre.attendance.queries import statistics
from pupitre.attendance.queries.statistics import Figures, Irregularity, Stretch
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.messaging.queries.notices import Waiting
from pupitre.people import queries as people
from pupitre.people.rules import Actor, Role
from pupitre.reports.queries.days import PupilDay, days_of_guardian, family_days
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import each_school


@dataclass(frozen=True, slots=True)
class FamilySchool:
    """One school of a family: its children there and what waits to be read."""

    school: SchoolFacts
    person_id: int
    today: date
    children: list[PupilDay]
    notices: list[Waiting]

    @property
    def may_announce(self) -> bool:
        return any(child.may_announce for child in self.children)


def family_of(actor: Actor, *, now: datetime) -> list[FamilySchool]:
    """The schools where the account is a guardian, with the children whom it may see there.

    One statement a school, however many children and lessons there are. Called outside of a school.
    """
    # The date decides which memberships count; a guardian's rarely ends, and the farthest zone is half a day away.
    places = people.places_for(actor.account_id, now.date())
    found = []
    with each_school(account=actor.account_id) as enter:
        for place in places:
            if Role.GUARDIAN in place.roles:
                enter(place.school.id)
                found.append(_in_school(place.school, place.person_id, now))
    return found


def _in_school(school: SchoolFacts, person_id: int, now: datetime) -> FamilySchool:
    today = clock.local(now, school.time_zone).date()
    children, notices = family_days(school, person_id, now=now)
    return FamilySchool(school, person_id, today, children, notices if children else [])


def children_of(actor: Actor, *, now: datetime) -> list[PupilDay]:
    """The children whom a guardian may see in the actor's school."""
    return days_of_guardian(actor.place, actor.person_id, now=now)


def entitled_pupil(actor: Actor, pupil_id: int) -> str:
    """The name of a pupil whose record is the actor's to see: her own, or of one she looks after. NotFound else."""
    if pupil_id == actor.person_id and actor.is_pupil:
        return actor.name
    if people.guardianship_of(actor, pupil_id) is None:
        raise NotFound
    return people.access_person(actor, pupil_id).full_name


@dataclass(frozen=True, slots=True)
class Record:
    """A pupil's attendance of a school year, as the pupil and the family read it."""

    pupil_id: int
    name: str
    stretch: Stretch
    figures: Figures
    minutes_late: int
    months: list[tuple[date, Figures]]
    exceptions: list[Irregularity]


_MONTHS: Final = """
SELECT date_trunc('month', held_on)::date, count(*), count(*) FILTER (WHERE status = 1), count(*) FILTER (WHERE status = 2),
       count(*) FILTER (WHERE status = 3), count(*) FILTER (WHERE status = 4), count(*) FILTER (WHERE status = 5),
       coalesce(sum(minutes) FILTER (WHERE status = 3), 0)
  FROM attendance_mark WHERE pupil_id = %s AND held_on BETWEEN %s AND %s GROUP BY 1 ORDER BY 1
"""
_EXCEPTIONS: Final = """
SELECT m.held_on, r.starts_at, l.subject, c.title, m.status, m.minutes
  FROM attendance_mark m JOIN attendance_register r ON r.id = m.register_id
  JOIN timetable_lesson l ON l.id = r.lesson_id JOIN courses_class c ON c.id = r.class_id
 WHERE m.pupil_id = %s AND m.held_on BETWEEN %s AND %s AND m.status <> 1
 ORDER BY r.starts_at DESC LIMIT 200
"""


def record_of(actor: Actor, pupil_id: int, *, now: datetime) -> Record:
    """The school year of a pupil, for the pupil and entitled guardians; teachers' notes are left out. NotFound else."""
    name = entitled_pupil(actor, pupil_id)
    today = clock.local(now, actor.place.time_zone).date()
    year = statistics.year_of(today)
    stretch = Stretch(year.first, min(year.last, today))
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS, [pupil_id, stretch.first, stretch.last])
        months = cursor.fetchall()
        cursor.execute(_EXCEPTIONS, [pupil_id, stretch.first, stretch.last])
        exceptions = cursor.fetchall()
    total = Figures()
    for row in months:
        total = total.plus(Figures(*map(int, row[1:7])))
    return Record(
        pupil_id=pupil_id,
        name=name,
        stretch=stretch,
        figures=total,
        minutes_late=sum(int(row[7]) for row in months),
        months=[(row[0], Figures(*map(int, row[1:7]))) for row in months],
        exceptions=[
            Irregularity(on, starts_at, subject, title, Status(status), minutes, "")
            for on, starts_at, subject, title, status, minutes in exceptions
        ],
    )
