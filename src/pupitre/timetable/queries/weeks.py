"""The week of a class, a teacher, a room or a pupil, for those who may see it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from pupitre.kernel.errors import NotFound
from pupitre.people import queries as people
from pupitre.people.rules import OFFICE, STAFF, TEACHES, Actor
from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable.rules.bell import Period
from pupitre.timetable.rules.calendar import (
    SchoolCalendar,
    WeeklyLesson,
    instant,
    occurrences_between,
    school_day,
    week_of,
)

from .calendar import NEAR, calendar_between, plain
from .lessons import HeldLesson, timetable_between

_DAYS: Final = 7


class Whose(StrEnum):
    """What a week view is of."""

    CLASS = "class"
    TEACHER = "teacher"
    ROOM = "room"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that has a week: a class or form, a teacher, a room or a pupil, by its id."""

    whose: Whose
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the actor may choose from."""

    classes: tuple[Choice, ...] = ()
    teachers: tuple[Choice, ...] = ()
    rooms: tuple[Choice, ...] = ()
    persons: tuple[Choice, ...] = ()

    def of(self, whose: Whose) -> tuple[Choice, ...]:
        return {
            Whose.CLASS: self.classes,
            Whose.TEACHER: self.teachers,
            Whose.ROOM: self.rooms,
            Whose.PERSON: self.persons,
        }[whose]

    @property
    def all(self) -> tuple[Choice, ...]:
        return (*self.classes, *self.teachers, *self.rooms, *self.persons)


@dataclass(frozen=True, slots=True)
class HeldDuty:
    """A teacher's time without pupils, on a date."""

    title: str
    room: str
    held_on: date
    position: int
    length: int
    covers: bool


@dataclass(frozen=True, slots=True)
class DayOff:
    """A rule of the calendar that changes a day of the week: its label, and on which dates."""

    label: str
    starts_on: date
    ends_on: date
    kind: int
    as_weekday: int | None


@dataclass(frozen=True, slots=True)
class Week:
    """A week of something. `days` are the dates with a column, `periods` the default bell schedule's."""

    choice: Choice
    monday: date
    letter: str
    days: tuple[date, ...]
    periods: tuple[Period, ...]
    lessons: tuple[HeldLesson, ...]
    calendar: SchoolCalendar
    duties: tuple[HeldDuty, ...] = ()
    days_off: tuple[DayOff, ...] = field(default_factory=tuple)

    def is_school_day(self, on: date) -> bool:
        return school_day(on, self.calendar) is not None

    def usual_start(self, lesson: HeldLesson) -> datetime | None:
        """When the lesson begins by the default bells; another time is worth telling."""
        if lesson.position >= len(self.periods):
            return None
        return instant(lesson.held_on, self.periods[lesson.position].starts_at, lesson.starts_at.tzinfo)  # type: ignore[arg-type]


# Who may be looked at.


# Teachers are looked up from who teaches: of a school's people they are few.
_CHOICES: Final = """
SELECT json_build_object(
  'classes', (SELECT json_agg(json_build_array(id, title) ORDER BY kind, title, id) FROM courses_class c
              WHERE ended_on IS NULL AND (kind = 'homeroom' OR NOT EXISTS (
                SELECT FROM courses_classgroup g WHERE g.class_id = c.id))),
  'teachers', (SELECT json_agg(json_build_array(p.id, p.family_name || ', ' || coalesce(nullif(p.preferred_name, ''), p.given_name))
                               ORDER BY p.family_key, p.id)
               FROM (SELECT teacher_id AS id FROM timetable_lessonteacher
                      UNION SELECT m.person_id FROM people_membership m WHERE m.school_id = %(school)s AND m.role = 3
                               AND (m.ends_on IS NULL OR m.ends_on >= %(today)s)) t
               JOIN people_person p ON p.id = t.id WHERE p.ended_on IS NULL),
  'rooms', (SELECT json_agg(json_build_array(id, name) ORDER BY name) FROM timetable_room WHERE ended_on IS NULL))
"""


def choices_for(actor: Actor, today: date) -> Choices:
    """Staff choose any class, teacher and room; pupils and guardians their own. One statement."""
    if actor.is_any(STAFF):
        return _staffs_choices(actor, today)
    own = []
    if actor.is_pupil:
        own.append(Choice(Whose.PERSON, actor.person_id, actor.name))
    if actor.is_guardian:
        own += [Choice(Whose.PERSON, p.pk, p.full_name) for p in people.pupils_of_guardian(actor, today)]
    return Choices(persons=tuple(own))


def _staffs_choices(actor: Actor, today: date) -> Choices:
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES, {"today": today, "school": actor.place.id})
        facts: dict[str, Any] = plain(cursor.fetchone()[0])

    def listed(name: str, whose: Whose) -> tuple[Choice, ...]:
        return tuple(Choice(whose, id_, title) for id_, title in facts[name] or ())

    return Choices(
        classes=listed("classes", Whose.CLASS),
        teachers=listed("teachers", Whose.TEACHER),
        rooms=listed("rooms", Whose.ROOM),
    )


def usual_choice(actor: Actor, choices: Choices) -> Choice | None:
    """Where the actor begins: her own week, her eldest pupil's, or the first form's. None where there is none."""
    if actor.is_any(TEACHES):
        own = next((c for c in choices.teachers if c.id == actor.person_id), None)
        if own:
            return own
    return next(iter((*choices.persons, *choices.classes, *choices.teachers)), None)


def access_choice(actor: Actor, choices: Choices, whose: Whose, id_: int) -> Choice:
    """What the actor asked to see, or NotFound: for what does not exist and for what is not hers to see."""
    found = next((choice for choice in choices.of(whose) if choice.id == id_), None)
    if found:
        return found
    if not actor.is_any(STAFF):
        raise NotFound
    if whose is Whose.PERSON:
        return Choice(whose, id_, people.access_person(actor, id_).full_name)
    if whose is Whose.CLASS:
        return _access_class(id_)
    raise NotFound


def _access_class(class_id: int) -> Choice:
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM courses_class WHERE id = %s", [class_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    return Choice(Whose.CLASS, class_id, row[0])


# Which classes.


_CLASSES_OF_PUPIL: Final = """
SELECT class_id FROM courses_enrolment WHERE person_id = %(id)s AND role = 1
   AND (begins_on IS NULL OR begins_on <= %(last)s) AND (ends_on IS NULL OR ends_on >= %(first)s)
"""
# A form's week is that of the classes that take it as a whole, and of those in which half of the form or, being small
# groups, mostly pupils of the form are.
_CLASSES_OF_FORM: Final = """
WITH form AS (SELECT person_id FROM courses_enrolment WHERE class_id = %(id)s AND role = 1
                AND (ends_on IS NULL OR ends_on >= %(first)s))
SELECT %(id)s::bigint
UNION SELECT class_id FROM courses_classgroup WHERE homeroom_id = %(id)s
UNION SELECT class_id FROM (
  SELECT e.class_id, count(*) AS pupils, count(*) FILTER (WHERE e.person_id IN (SELECT person_id FROM form)) AS of_form
    FROM courses_enrolment e
   WHERE e.role = 1 AND (e.ends_on IS NULL OR e.ends_on >= %(first)s)
     AND e.class_id IN (SELECT class_id FROM courses_enrolment WHERE person_id IN (SELECT person_id FROM form))
   GROUP BY e.class_id) counted
 WHERE of_form * 2 >= (SELECT count(*) FROM form) OR of_form * 2 > pupils
"""


def classes_of_pupil(pupil_id: int, first: date, last: date) -> list[int]:
    """The classes that the pupil is in on some day from `first` to `last`."""
    return _class_ids(_CLASSES_OF_PUPIL, pupil_id, first, last)


def classes_of_form(class_id: int, first: date, last: date) -> list[int]:
    """The class itself and, if it is a form, the classes that teach its pupils."""
    return _class_ids(_CLASSES_OF_FORM, class_id, first, last)


def _class_ids(statement: str, id_: int, first: date, last: date) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": id_, "first": first, "last": last})
        return [row[0] for row in cursor.fetchall()]


# The week.


def week_of_choice(actor: Actor, choice: Choice, on: date) -> Week:
    """The week in which the date lies. The caller obtained the choice by `choices_for` or `access_choice`."""
    monday = on - timedelta(days=on.weekday())
    sunday = monday + timedelta(days=_DAYS - 1)
    asked: dict[str, Any] = {}
    if choice.whose is Whose.TEACHER:
        asked["teacher"] = choice.id
    elif choice.whose is Whose.ROOM:
        asked["room"] = choice.id
    elif choice.whose is Whose.PERSON:
        asked["classes"] = classes_of_pupil(choice.id, monday, sunday)
    else:
        asked["classes"] = classes_of_form(choice.id, monday, sunday)
    calendar, lessons = timetable_between(actor.place, monday, sunday, **asked)
    if choice.whose is Whose.ROOM:
        lessons = [lesson for lesson in lessons if lesson.room_id == choice.id]
    periods = calendar.bells.get(calendar.default_bells, ())
    days = [monday + timedelta(days=n) for n in range(_DAYS)]
    return Week(
        choice=choice,
        monday=monday,
        letter=week_of(monday, calendar),
        days=tuple(
            day
            for day in days
            if day.isoweekday() in calendar.weekdays or school_day(day, calendar) is not None
        ),
        periods=periods,
        lessons=tuple(lessons),
        calendar=calendar,
        duties=tuple(_duties(choice.id, days, calendar)) if choice.whose is Whose.TEACHER else (),
        days_off=_days_off(monday, sunday),
    )


_DUTIES: Final = """
SELECT d.title, coalesce(r.name, ''), d.weekday, d.position, d.length, d.week, d.covers, d.starts_on, d.ends_on
  FROM timetable_duty d LEFT JOIN timetable_room r ON r.id = d.room_id
 WHERE d.teacher_id = %(teacher)s AND (d.starts_on IS NULL OR d.starts_on <= %(last)s)
   AND (d.ends_on IS NULL OR d.ends_on >= %(first)s)
"""


def _duties(teacher_id: int, days: list[date], calendar: SchoolCalendar) -> Iterable[HeldDuty]:
    with connection.cursor() as cursor:
        cursor.execute(_DUTIES, {"teacher": teacher_id, "first": days[0], "last": days[-1]})
        rows = cursor.fetchall()
    for on in days:
        day = school_day(on, calendar)
        if day is None:
            continue
        for title, room, weekday, position, length, week, covers, starts_on, ends_on in rows:
            in_force = (starts_on is None or starts_on <= on) and (ends_on is None or on <= ends_on)
            if in_force and weekday == day.weekday and (not week or not day.week or week == day.week):
                yield HeldDuty(title, room, on, position, length, covers)


def _days_off(first: date, last: date) -> tuple[DayOff, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT label, starts_on, ends_on, kind, runs_as_weekday FROM timetable_calendarexception "
            "WHERE starts_on <= %s AND ends_on >= %s ORDER BY starts_on, id",
            [last, first],
        )
        return tuple(DayOff(*row) for row in cursor.fetchall())


_SLOTS: Final = """
SELECT DISTINCT weekday, position, length, week, starts_on, ends_on FROM timetable_lesson
 WHERE ends_on IS NULL OR ends_on >= %s
"""


def first_day_with_lessons(school: SchoolFacts, from_on: date) -> date | None:
    """The school's first day with a lesson on or after the date, by its calendar. None where there is none within a year."""
    with connection.cursor() as cursor:
        cursor.execute(_SLOTS, [from_on])
        slots = [WeeklyLesson(number, *row) for number, row in enumerate(cursor.fetchall())]
    last = from_on + NEAR
    calendar = calendar_between(school, from_on, last)
    return next((lesson.on for lesson in occurrences_between(from_on, last, slots, calendar)), None)


def may_arrange(actor: Actor) -> bool:
    """Whether the actor may change the timetable."""
    return actor.is_any(OFFICE)
