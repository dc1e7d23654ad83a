"""The cast: two schools and the people in them. Their comments are the access specification.

It is Tuesday, 13 October 2026, 09:10 in Madrid: the first lesson of class 1A is under way. The running product that
browsers visit has no frozen clock: for it the same cast is built around the present (`Moment`).
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from pupitre.courses import actions as courses
from pupitre.courses.models import Class, Enrolment
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.models import Account, Person
from pupitre.people.rules import Actor, Relation, Role, system_actor
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.models import Authority
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import Lesson

NOW = datetime(2026, 10, 13, 7, 10, tzinfo=UTC)
TODAY = date(2026, 10, 13)
PASSWORD = "correct horse battery"
BELL = [
    ("1", time(9, 0), time(9, 55), False),
    ("2", time(9, 55), time(10, 50), False),
    ("Break", time(10, 50), time(11, 20), True),
    ("3", time(11, 20), time(12, 15), False),
    ("4", time(12, 15), time(13, 10), False),
]


@dataclass(frozen=True)
class Moment:
    """When the cast lives: the instant, the bells of its first school, and that school's zone."""

    now: datetime = NOW
    bell: tuple[tuple[str, time, time, bool], ...] = tuple(BELL)
    zone: str = "Europe/Madrid"

    @property
    def is_usual(self) -> bool:
        return self.now == NOW

    @property
    def weekday(self) -> int:
        return clock.local(self.now, self.zone).isoweekday()

    @property
    def year(self) -> int:
        """The year in which the school year begins."""
        here = clock.local(self.now, self.zone)
        return here.year if here.month >= 8 else here.year - 1


@dataclass
class Member:
    """Somebody of the cast: the person, the account, and the actor that actions take."""

    person: Person
    account: Account
    actor: Actor


@dataclass
class Cast:
    authority: Authority
    school: SchoolFacts
    other_school: SchoolFacts
    moment: Moment
    #: Sees everything of the school; needs a second factor where the authority demands it (here it does not).
    head: Member = field(init=False)
    #: Runs the office: rosters (also from where they are pulled, and which exports are kept), board, justifications,
    #: letters, invitations, connections of other systems.
    secretary: Member = field(init=False)
    #: Takes the registers of her own lessons; opens the files of her pupils and of who looks after them (each opening is
    #: logged; court notes are the office's), her colleagues' part of the directory, and prints class cards of her pupils
    #: without a password. Lists name everybody of the school. Not the office's pages.
    teacher: Member = field(init=False)
    #: Teaches other classes: opens neither file nor card of a pupil of 1A, but on a day on which he is made a substitute
    #: there, when he may take over the register, too.
    colleague: Member = field(init=False)
    #: Sees his own day and record, nobody else's.
    pupil: Member = field(init=False)
    #: Sister of the pupil, in the same class.
    sister: Member = field(init=False)
    #: In the class, no relation to the others.
    classmate: Member = field(init=False)
    #: Mother of pupil and sister: sees their day and record, announces absences, is told.
    mother: Member = field(init=False)
    #: Their father, separated: sees the record and is told, too.
    father: Member = field(init=False)
    #: By a court's order sees nothing and is told nothing.
    barred: Member = field(init=False)
    #: A teacher of the other school, who must see nothing.
    stranger: Member = field(init=False)
    #: The authority's: sees all schools' figures and no pupil's name.
    inspector: Account = field(init=False)
    #: Cares for the school's devices: lets them in, gives them out, tells them what to do, sees who has which. No person's
    #: file, no register, no page of the office.
    technician: Member = field(init=False)
    #: The authority's: sees all schools' devices, and no name of whoever has one; tells them what to do as each school's
    #: technician would. No other figures.
    fleet_manager: Account = field(init=False)
    klass: Class = field(init=False)
    homeroom: Class = field(init=False)
    #: Tuesday's first lesson of the class: under way at NOW.
    lesson: Lesson = field(init=False)
    #: Tuesday's second lesson.
    next_lesson: Lesson = field(init=False)

    @property
    def office(self) -> Actor:
        return system_actor(self.school)


def build_cast(moment: Moment | None = None) -> Cast:
    """Found both schools and everybody in them. Takes the present as it was for the tests, or another."""
    moment = moment or Moment()
    authority = founding.found_authority(
        slug="valley",
        name="The Valley",
        country="ES",
        locale="es",
        time_zone="Europe/Madrid",
        requires_second_factor=False,
    )
    oak = founding.found_school(
        authority, slug="oak", name="Oak School", country="ES", locale="en", time_zone=moment.zone
    )
    elm = founding.found_school(
        authority, slug="elm", name="Elm School", country="CL", locale="es", time_zone="America/Santiago"
    )
    cast = Cast(authority, tenancy.facts_of(oak), tenancy.facts_of(elm), moment)
    _fill_oak(cast)
    _fill_elm(cast)
    cast.inspector = _account("inspector", "Ines Pector")
    people.appoint_inspector(authority_id=authority.pk, account=cast.inspector)
    cast.fleet_manager = _account("fleet", "Flee Tmanager")
    people.appoint_fleet_manager(authority_id=authority.pk, account=cast.fleet_manager)
    return cast


def _fill_oak(cast: Cast) -> None:
    with scope(cast.school.id):
        actor = cast.office
        cast.head = _member(actor, "head", "Hedy", "Head", Role.HEAD)
        cast.secretary = _member(actor, "secretary", "Sira", "Secretary", Role.SECRETARY)
        cast.technician = _member(actor, "technician", "Teo", "Nician", Role.TECHNICIAN)
        cast.teacher = _member(actor, "teacher", "Tess", "Teacher", Role.TEACHER)
        cast.colleague = _member(actor, "colleague", "Cole", "League", Role.TEACHER)
        cast.pupil = _member(actor, "pupil", "Pau", "Pupil", Role.PUPIL, born_on=date(2014, 3, 2), grade="07")
        cast.sister = _member(
            actor, "sister", "Sia", "Pupil", Role.PUPIL, born_on=date(2014, 3, 2), grade="07"
        )
        cast.classmate = _member(actor, "classmate", "Clàudia", "Mate", Role.PUPIL, grade="07")
        cast.mother = _member(actor, "mother", "Mara", "Pupil", Role.GUARDIAN, email="mara@familia.example")
        cast.father = _member(actor, "father", "Pere", "Pupil", Role.GUARDIAN, email="pere@familia.example")
        cast.barred = _member(
            actor, "barred", "Bard", "Outsider", Role.GUARDIAN, email="bard@familia.example"
        )
        for child in (cast.pupil, cast.sister):
            people.make_guardian(actor, child.person, cast.mother.person, relation=Relation.MOTHER)
            people.make_guardian(
                actor,
                child.person,
                cast.father.person,
                relation=Relation.FATHER,
                lives_with=False,
                priority=2,
            )
        people.make_guardian(
            actor,
            cast.pupil.person,
            cast.barred.person,
            sees_record=False,
            receives_notices=False,
            may_announce=False,
            may_collect=False,
            court_note="Order 12/2026",
            priority=3,
        )
        _teach(cast, actor)


def _teach(cast: Cast, actor: Actor) -> None:
    moment, year = cast.moment, cast.moment.year
    courses.open_session(
        actor,
        sourced_id=f"{year}-{year % 100 + 1}",
        title=f"{year}-{year % 100 + 1}",
        school_year=year + 1,
        starts_on=date(year, 9, 1) if moment.is_usual else date(year, 8, 1),
        ends_on=date(year + 1, 6, 30) if moment.is_usual else date(year + 1, 7, 31),
    )
    cast.homeroom = courses.open_class(actor, sourced_id="1A", title="1A", kind=Class.HOMEROOM)
    cast.klass = courses.open_class(actor, sourced_id="1A-MAT", title="Maths 1A", subject="Maths")
    courses.attach_homeroom(actor, cast.klass, cast.homeroom)
    for child in (cast.pupil, cast.sister, cast.classmate):
        courses.enrol(actor, cast.homeroom, child.person)
    courses.enrol(actor, cast.klass, cast.teacher.person, role=Enrolment.TEACHER)
    timetable.set_bell_schedule(actor, name="Day", periods=moment.bell)
    room = timetable.open_room(actor, name="Room 12")
    where: dict[str, Any] = {"subject": "Maths", "teachers": [cast.teacher.person], "room": room}
    cast.lesson = timetable.schedule_lesson(actor, cast.klass, weekday=moment.weekday, position=0, **where)
    cast.next_lesson = timetable.schedule_lesson(
        actor, cast.klass, weekday=moment.weekday, position=1, **where
    )


def _fill_elm(cast: Cast) -> None:
    with scope(cast.other_school.id):
        actor = system_actor(cast.other_school)
        cast.stranger = _member(actor, "stranger", "Stan", "Stranger", Role.TEACHER)


def _account(username: str, name: str, email: str = "") -> Account:
    return people.open_account(username=username, password=PASSWORD, display_name=name, now=NOW, email=email)


def _member(actor: Actor, key: str, given: str, family: str, role: Role, **facts: Any) -> Member:
    person = people.register_person(
        actor, sourced_id=key, given_name=given, family_name=family, now=NOW, **facts
    )
    people.grant_role(actor, person, role)
    account = _account(key, f"{given} {family}", facts.get("email", ""))
    people.link_account(actor, person, account)
    return Member(
        person, account, Actor(account.pk, actor.school, person.pk, frozenset({role}), name=str(account))
    )
