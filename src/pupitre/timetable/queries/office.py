"""What the office's pages show: the calendar's rules, rooms, a lesson with what stands against it, absences to cover."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Q

from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.timetable.models import (
    BellSchedule,
    CalendarException,
    CalendarRule,
    Lesson,
    LessonTeacher,
    Period,
    Room,
)
from pupitre.timetable.rules.calendar import SchoolCalendar, school_day, week_of

from .calendar import calendar_between, plain
from .lessons import HeldLesson, timetable_between

_PAST_SHOWN: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Bells:
    """A bell schedule with its periods in order."""

    id: int
    name: str
    is_default: bool
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room that is offered, and how many lessons a week are in it."""

    id: int
    name: str
    capacity: int | None
    lessons: int


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """Everything that the calendar's page shows."""

    rule: CalendarRule
    bells: tuple[Bells, ...]
    exceptions: tuple[CalendarException, ...]
    rooms: tuple[RoomRow, ...]
    calendar: SchoolCalendar

    @property
    def weekdays(self) -> list[int]:
        return [day for day in range(1, 8) if self.rule.weekdays >> (day - 1) & 1]


def calendar_page(actor: Actor, today: date) -> CalendarPage:
    """The school's calendar for the office. Exceptions that are over for a month are left out."""
    require(actor, OFFICE)
    periods: dict[int, list[Period]] = {}
    for period in Period.objects.order_by("schedule_id", "position"):
        periods.setdefault(period.schedule_id, []).append(period)
    counts = dict(
        Lesson.objects.filter(_in_force(today), room__isnull=False)
        .order_by()
        .values_list("room_id")
        .annotate(Count("id"))
    )
    rooms = Room.objects.filter(ended_on__isnull=True).order_by("name").values_list("id", "name", "capacity")
    return CalendarPage(
        rule=CalendarRule.objects.first() or CalendarRule(),
        bells=tuple(
            Bells(row.pk, row.name, row.is_default, tuple(periods.get(row.pk, ())))
            for row in BellSchedule.objects.order_by("-is_default", "name")
        ),
        exceptions=tuple(
            CalendarException.objects.select_related("schedule")
            .filter(ends_on__gte=today - _PAST_SHOWN)
            .order_by("starts_on", "id")
        ),
        rooms=tuple(RoomRow(id_, name, seats, counts.get(id_, 0)) for id_, name, seats in rooms),
        calendar=calendar_between(actor.place, today, today + timedelta(days=365)),
    )


def _in_force(today: date) -> Q:
    return (Q(ends_on__isnull=True) | Q(ends_on__gte=today)) & (
        Q(starts_on__isnull=True) | Q(starts_on__lte=today)
    )


# A lesson by hand.


@dataclass(frozen=True, slots=True)
class Offered:
    """What a lesson may be made of: ids and names."""

    classes: tuple[tuple[int, str], ...]
    teachers: tuple[tuple[int, str], ...]
    rooms: tuple[tuple[int, str], ...]
    periods: tuple[tuple[int, str], ...]


_OFFERED: Final = """
SELECT json_build_object(
  'classes', (SELECT json_agg(json_build_array(id, title) ORDER BY title, id) FROM courses_class WHERE ended_on IS NULL),
  'teachers', (SELECT json_agg(json_build_array(p.id, p.family_name || ', ' || coalesce(nullif(p.preferred_name, ''), p.given_name))
                               ORDER BY p.family_key, p.id)
               FROM (SELECT DISTINCT person_id AS id FROM people_membership m WHERE m.school_id = %(school)s
                        AND m.role IN (1, 3, 4, 5) AND (m.ends_on IS NULL OR m.ends_on >= %(today)s)) t
               JOIN people_person p ON p.id = t.id WHERE p.ended_on IS NULL),
  'rooms', (SELECT json_agg(json_build_array(id, name) ORDER BY name) FROM timetable_room WHERE ended_on IS NULL),
  'periods', (SELECT json_agg(json_build_array(p.position, p.name || ' (' || to_char(p.starts_at, 'HH24:MI') || ')') ORDER BY p.position)
              FROM timetable_period p JOIN timetable_bellschedule s ON s.id = p.schedule_id
              WHERE s.is_default AND NOT p.is_break))
"""


def offered_for(actor: Actor, today: date) -> Offered:
    """Classes, teachers, rooms and periods that a lesson may be made of; one statement."""
    require(actor, OFFICE)
    with connection.cursor() as cursor:
        cursor.execute(_OFFERED, {"today": today, "school": actor.place.id})
        facts: dict[str, Any] = plain(cursor.fetchone()[0])
    return Offered(
        *(
            tuple((id_, name) for id_, name in facts[key] or ())
            for key in ("classes", "teachers", "rooms", "periods")
        )
    )


def access_lesson(actor: Actor, lesson_id: int) -> tuple[Lesson, list[int]]:
    """A lesson for the office, with its teachers' ids. Raises NotFound."""
    require(actor, OFFICE)
    lesson = Lesson.objects.select_related("klass", "room").filter(pk=lesson_id).first()
    if lesson is None:
        raise NotFound
    return lesson, list(LessonTeacher.objects.filter(lesson=lesson).values_list("teacher_id", flat=True))


@dataclass(frozen=True, slots=True)
class Clash:
    """Another lesson at the same time with the same class or pupils ("class"), a teacher or the room."""

    kind: str
    what: str
    subject: str
    class_title: str


# Two classes are one to their pupils when they share somebody who is in both now.
_CLASHES: Final = """
WITH others AS (
  SELECT l.id, l.class_id, l.room_id, l.subject, c.title FROM timetable_lesson l JOIN courses_class c ON c.id = l.class_id
   WHERE l.weekday = %(weekday)s AND l.id <> %(lesson)s
     AND l.position < %(position)s + %(length)s AND l.position + l.length > %(position)s
     AND (l.week = '' OR %(week)s = '' OR l.week = %(week)s)
     AND (l.ends_on IS NULL OR l.ends_on >= %(from_on)s)
     AND (l.ends_on IS NULL OR l.starts_on IS NULL OR l.ends_on >= l.starts_on)
     AND (%(ends_on)s::date IS NULL OR l.starts_on IS NULL OR l.starts_on <= %(ends_on)s::date))
SELECT 'class', '', o.subject, o.title FROM others o
 WHERE o.class_id = %(class)s OR EXISTS (
   SELECT FROM courses_enrolment a JOIN courses_enrolment b ON b.person_id = a.person_id AND b.class_id = o.class_id
    WHERE a.class_id = %(class)s AND a.role = 1 AND b.role = 1
      AND (a.ends_on IS NULL OR a.ends_on >= %(from_on)s) AND (b.ends_on IS NULL OR b.ends_on >= %(from_on)s))
UNION ALL
SELECT 'teacher', coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, o.subject, o.title
  FROM others o JOIN timetable_lessonteacher t ON t.lesson_id = o.id JOIN people_person p ON p.id = t.teacher_id
 WHERE t.teacher_id = ANY(%(teachers)s)
UNION ALL
SELECT 'room', r.name, o.subject, o.title FROM others o JOIN timetable_room r ON r.id = o.room_id WHERE o.room_id = %(room)s
ORDER BY 1, 2, 4
LIMIT 20
"""


def clashes_with(
    *,
    weekday: int,
    position: int,
    length: int,
    week: str,
    klass: int,
    teachers: Collection[int],
    room: int | None,
    from_on: date,
    ends_on: date | None,
    lesson: int = 0,
) -> list[Clash]:
    """What a lesson would stand against. `lesson` is itself where it exists already."""
    facts: dict[str, Any] = {
        "weekday": weekday,
        "position": position,
        "length": length,
        "week": week,
        "class": klass,
        "teachers": list(teachers),
        "room": room,
        "from_on": from_on,
        "ends_on": ends_on,
        "lesson": lesson,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLASHES, facts)
        return [Clash(*row) for row in cursor.fetchall()]


# Substitutions.


@dataclass(frozen=True, slots=True)
class Candidate:
    """A teacher who could take a lesson over. `is_on_duty` has guard duty then; else she is merely free."""

    id: int
    name: str
    is_on_duty: bool


@dataclass(frozen=True, slots=True)
class ToCover:
    """A lesson of an absent teacher, and who could take it, those on duty first."""

    lesson: HeldLesson
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class CoverDay:
    """The substitutions of a date: lessons to cover for the teacher asked for, and what is changed already."""

    on: date
    is_school_day: bool
    letter: str
    to_cover: tuple[ToCover, ...]
    changed: tuple[HeldLesson, ...]
    teachers: tuple[tuple[int, str], ...]
    rooms: tuple[tuple[int, str], ...]


def cover_day(actor: Actor, on: date, *, absent_id: int | None = None) -> CoverDay:
    """The day as who arranges substitutions needs it."""
    require(actor, OFFICE)
    calendar, lessons = timetable_between(actor.place, on, on)
    offered = offered_for(actor, on)
    day = school_day(on, calendar)
    duties = _cover_duties(on, day.weekday, day.week) if day and absent_id else []
    return CoverDay(
        on=on,
        is_school_day=day is not None,
        letter=week_of(on, calendar),
        to_cover=tuple(_to_cover(lessons, duties, offered.teachers, absent_id)) if absent_id else (),
        changed=tuple(lesson for lesson in lessons if lesson.substitution_id),
        teachers=offered.teachers,
        rooms=offered.rooms,
    )


def _to_cover(
    lessons: Sequence[HeldLesson],
    duties: Sequence[tuple[int, int, int]],
    teachers: Iterable[tuple[int, str]],
    absent_id: int,
) -> Iterator[ToCover]:
    absent = {lesson.absent_teacher_id for lesson in lessons if lesson.absent_teacher_id} | {absent_id}
    for lesson in lessons:
        if absent_id not in lesson.teachers:
            continue
        busy = {
            teacher
            for other in lessons
            if other.lesson_id != lesson.lesson_id
            and not other.is_cancelled
            and other.starts_at < lesson.ends_at
            and other.ends_at > lesson.starts_at
            for teacher in other.acting
        }
        on_duty = {
            teacher
            for teacher, position, length in duties
            if position < lesson.position + lesson.length and position + length > lesson.position
        }
        free = [
            Candidate(id_, name, id_ in on_duty)
            for id_, name in teachers
            if id_ not in busy and id_ not in absent
        ]
        yield ToCover(lesson, tuple(sorted(free, key=lambda c: not c.is_on_duty)))


def _cover_duties(on: date, weekday: int, week: str) -> list[tuple[int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT teacher_id, position, length FROM timetable_duty WHERE covers AND weekday = %(weekday)s "
            "AND (week = '' OR %(week)s = '' OR week = %(week)s) AND (starts_on IS NULL OR starts_on <= %(on)s) "
            "AND (ends_on IS NULL OR ends_on >= %(on)s)",
            {"weekday": weekday, "week": week, "on": on},
        )
        return list(cursor.fetchall())
