"""What the pages of families, heads and authorities need besides the cast."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import figures
from pupitre.attendance.models import DayFigure, SchoolDay
from pupitre.courses import actions as courses
from pupitre.courses.models import Class
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.models import Person
from pupitre.people.rules import Relation, Role, system_actor
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from tests.cast import BELL, NOW, Cast


def statements(act: Callable[[], Any]) -> int:
    """How many statements the act takes when it is done a second time."""
    act()
    with CaptureQueriesContext(connection) as made:
        act()
    return len(made)


def child_in_elm(cast: Cast, *, given: str = "Elma") -> Person:
    """The mother's third child, in the other school: in Santiago it is ten past four in the morning."""
    with scope(cast.other_school.id):
        office = system_actor(cast.other_school)
        child = people.register_person(
            office, sourced_id=given, given_name=given, family_name="Pupil", now=NOW
        )
        people.grant_role(office, child, Role.PUPIL)
        mother = people.register_person(
            office, sourced_id="mara", given_name="Mara", family_name="Pupil", now=NOW
        )
        people.grant_role(office, mother, Role.GUARDIAN)
        people.link_account(office, mother, cast.mother.account)
        people.make_guardian(office, child, mother, relation=Relation.MOTHER)
        courses.open_session(office, sourced_id="26", title="2026", school_year=2026,
                             starts_on=date(2026, 3, 1), ends_on=date(2026, 12, 20))  # fmt: skip
        form = courses.open_class(office, sourced_id="3B", title="3B", kind=Class.HOMEROOM)
        courses.enrol(office, form, child)
        timetable.set_bell_schedule(office, name="Day", periods=BELL)
        teacher = cast.stranger.person
        timetable.schedule_lesson(office, form, weekday=2, position=0, subject="Historia", teachers=[teacher])
    return child


def more_children(cast: Cast, count: int) -> None:
    """Further children of the mother in the class."""
    with scope(cast.school.id):
        for number in range(count):
            child = people.register_person(
                cast.office,
                sourced_id=f"more-{number}",
                given_name=f"More{number}",
                family_name="Pupil",
                now=NOW,
            )
            people.grant_role(cast.office, child, Role.PUPIL)
            people.make_guardian(cast.office, child, cast.mother.person, relation=Relation.MOTHER)
            courses.enrol(cast.office, cast.homeroom, child)


def more_lessons(cast: Cast, count: int) -> None:
    """Further lessons of the class today."""
    with scope(cast.school.id):
        for number in range(count):
            timetable.schedule_lesson(
                cast.office,
                cast.klass,
                weekday=2,
                position=3,
                subject=f"Extra {number}",
                teachers=[cast.teacher.person],
            )


def figure(
    cast: Cast, *, missed: int, marks: int, on: date, school_id: int | None = None, klass: Any = None
) -> None:
    """A class's day in numbers, and the school's with it, as attendance's job writes them."""
    school = school_id or cast.school.id
    with scope(school):
        if klass is None and school != cast.school.id:
            klass = courses.open_class(
                system_actor(cast.other_school), sourced_id=f"c{on}{missed}", title="3B"
            )
        DayFigure.objects.create(
            school_id=school,
            authority=cast.authority,
            klass=klass or cast.klass,
            held_on=on,
            registers=1,
            marks=marks,
            present=marks - missed,
            absent=missed,
        )
        day, _ = SchoolDay.objects.get_or_create(school_id=school, authority=cast.authority, held_on=on)
        day.registers, day.marks, day.absent = day.registers + 1, day.marks + marks, day.absent + missed
        day.present += marks - missed
        day.save()
        place = cast.school if school == cast.school.id else cast.other_school
        today = clock.local(NOW, place.time_zone).date()
        figures.count_standing(system_actor(place), today=today)
    with scope(authority=cast.authority.pk):
        figures.count_authority(cast.authority.pk, now=NOW)
