"""The lessons that take place on a day or in a week, with what is different about them. On the hot path: one statement."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable.rules.calendar import Occurrence, SchoolCalendar, WeeklyLesson, occurrences_between

from .calendar import calendar_at, plain


@dataclass(frozen=True, slots=True)
class HeldLesson:
    """A lesson on a date, as it is really held: aware instants in the school's zone, the room and teachers of that day.

    `position` counts from 0 in the default bell schedule, breaks included; `length` is in periods. `substitute_id` stands
    in for `absent_teacher_id`, or for the only teacher where that is None.
    """

    lesson_id: int
    class_id: int
    class_title: str
    held_on: date
    starts_at: datetime
    ends_at: datetime
    week: str
    subject: str
    room: str
    usual_room: str
    is_cancelled: bool
    note: str
    teachers: Mapping[int, str]  # the timetable's, by person id
    absent_teacher_id: int | None
    substitute_id: int | None
    substitute_name: str
    position: int
    length: int
    room_id: int | None
    substitution_id: int | None = None

    @property
    def is_changed(self) -> bool:
        """Whether anything differs from the timetable today."""
        return (
            self.is_cancelled
            or self.substitute_id is not None
            or self.room != self.usual_room
            or bool(self.note)
        )

    @property
    def acting(self) -> Mapping[int, str]:
        """Who stands before the class on the day, by person id."""
        staying = {id_: name for id_, name in self.teachers.items() if not self.is_replaced(id_)}
        return staying | ({self.substitute_id: self.substitute_name} if self.substitute_id else {})

    def is_taught_by(self, person_id: int) -> bool:
        """Whether that person stands before the class on the day: a substitute does, whom she stands in for does not."""
        return person_id in self.acting

    def is_replaced(self, person_id: int) -> bool:
        """Whether a substitute stands in for that teacher of the lesson."""
        if self.substitute_id is None or person_id not in self.teachers:
            return False
        return self.absent_teacher_id == person_id or (
            self.absent_teacher_id is None and len(self.teachers) == 1
        )

    def is_under_way(self, now: datetime) -> bool:
        return not self.is_cancelled and self.starts_at <= now < self.ends_at


_NAME: Final = "coalesce(nullif({0}.preferred_name, ''), {0}.given_name) || ' ' || {0}.family_name"

# The stamp of the school's settings comes with every row, and with one where there is no lesson: under it the process
# remembers the calendar. A lesson may be changed on several dates.
# Lists stand in a sub-select: the planner, which does not look into it, then has no reason to plan each request anew.
_OTHERS: Final = f"""
  LEFT JOIN courses_class c ON c.id = l.class_id
  LEFT JOIN timetable_room r ON r.id = l.room_id
  LEFT JOIN LATERAL (
       SELECT array_agg(p.id ORDER BY p.family_key, p.id) AS ids,
              array_agg({_NAME.format("p")} ORDER BY p.family_key, p.id) AS names
         FROM timetable_lessonteacher lt JOIN people_person p ON p.id = lt.teacher_id
        WHERE lt.lesson_id = l.id) t ON true
  LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_array(s.held_on, s.id, s.absent_teacher_id, s.substitute_id, {_NAME.format("p")},
                                          s.room_id, sr.name, s.is_cancelled, s.note)) AS changes
         FROM timetable_substitution s LEFT JOIN people_person p ON p.id = s.substitute_id
         LEFT JOIN timetable_room sr ON sr.id = s.room_id
        WHERE s.lesson_id = l.id AND s.held_on BETWEEN %(first)s::date AND %(last)s::date) x ON true
"""  # noqa: S608 - put together from constants
_VALID: Final = """(l.starts_on IS NULL OR l.starts_on <= %(last)s::date) AND (l.ends_on IS NULL OR l.ends_on >= %(first)s::date)"""
_LESSONS: Final = f"""
SELECT school.settings_stamp, l.id, l.weekday, l.position, l.length, l.week, l.starts_on, l.ends_on,
       l.class_id, c.title, l.subject, l.room_id, r.name, t.ids, t.names, x.changes, {{usual}}
  FROM tenancy_school school
  LEFT JOIN timetable_lesson l ON {_VALID}
   {{restriction}}
{_OTHERS}
 WHERE school.id = %(school)s
"""  # noqa: S608 - put together from constants
#: One lesson as a sub-select of another context's statement: its class, and what `lesson_told` understands. Asks for
#: `lesson`, and for the date as `first` and as `last`.
LESSON_TOLD: Final = f"""
SELECT l.class_id, json_build_array(l.id, l.weekday, l.position, l.length, l.week, l.starts_on, l.ends_on, l.class_id,
       c.title, l.subject, l.room_id, r.name, t.ids, t.names, x.changes) AS told
  FROM timetable_lesson l
{_OTHERS}
 WHERE l.id = %(lesson)s AND {_VALID}
"""  # noqa: S608 - put together from constants
_CHANGED: Final = "SELECT lesson_id FROM timetable_substitution WHERE held_on BETWEEN %(first)s::date AND %(last)s::date AND"
# Who stands in once, or a room that is used once, has the lesson on that date only.
_USUAL: Final = {
    "teacher": """(l.id IN (SELECT lesson_id FROM timetable_lessonteacher WHERE teacher_id = %(teacher)s)
        OR l.class_id IN (SELECT class_id FROM courses_enrolment WHERE person_id = %(teacher)s AND role = 3))""",
    "room": "l.room_id IS NOT DISTINCT FROM %(room)s",
}
_WEEKDAYS: Final = """AND l.weekday = ANY((
         SELECT %(weekdays)s::smallint[] || ARRAY(SELECT runs_as_weekday FROM timetable_calendarexception
          WHERE kind = 2 AND starts_on <= %(last)s::date AND ends_on >= %(first)s::date))::smallint[])"""
#: The lessons of the classes in an array, which `{classes}` selects, on the weekdays of the dates from `first` to `last`: as a
#: sub-select of another context's statement, JSON that `lessons_told` understands. Asks for `weekdays`, too (`weekdays_of`).
LESSONS_TOLD: Final = f"""
SELECT json_agg(json_build_array(l.id, l.weekday, l.position, l.length, l.week, l.starts_on, l.ends_on, l.class_id,
       c.title, l.subject, l.room_id, r.name, t.ids, t.names, x.changes))
  FROM timetable_lesson l
{_OTHERS}
 WHERE {_VALID} AND l.class_id = ANY(({{classes}})::bigint[]) {_WEEKDAYS}
"""  # noqa: S608 - put together from constants
_RESTRICTIONS: Final = {
    "teacher": f"""AND (l.id IN (SELECT lesson_id FROM timetable_lessonteacher WHERE teacher_id = %(teacher)s)
        OR l.id IN ({_CHANGED} substitute_id = %(teacher)s)
        OR l.class_id IN (SELECT class_id FROM courses_enrolment WHERE person_id = %(teacher)s AND role = 3))""",  # noqa: S608 - put together from constants
    "room": f"AND (l.room_id = %(room)s OR l.id IN ({_CHANGED} room_id = %(room)s))",
    "classes": "AND l.class_id = ANY((SELECT %(classes)s::bigint[])::bigint[])",
    "lesson": "AND l.id = %(lesson)s",
    "besides": "AND l.id NOT IN (SELECT unnest(%(besides)s::bigint[]))",
}


def lessons_of_day(
    school: SchoolFacts,
    on_date: date,
    *,
    teacher_id: int | None = None,
    class_ids: Iterable[int] | None = None,
    lesson_id: int | None = None,
    room_id: int | None = None,
    besides: Iterable[int] | None = None,
) -> list[HeldLesson]:
    """The school's lessons on a date in order of time, cancelled ones included and marked; one statement.

    `teacher_id` leaves those that the person is on the timetable for, stands in for or assists in; `class_ids` those of the
    classes (of all children of a family at once); `lesson_id` that one; `room_id` those that usually or on the day are
    there; `besides` are ids of lessons to leave out. The actor's right to see them is the caller's question.
    """
    return timetable_between(
        school,
        on_date,
        on_date,
        teacher=teacher_id,
        classes=class_ids,
        lesson=lesson_id,
        room=room_id,
        besides=besides,
    )[1]


def lessons_between(
    school: SchoolFacts,
    first: date,
    last: date,
    *,
    teacher_id: int | None = None,
    class_ids: Iterable[int] | None = None,
    lesson_id: int | None = None,
    room_id: int | None = None,
) -> list[HeldLesson]:
    """What is held from `first` to `last`, both included; see `lessons_of_day`. One statement."""
    return timetable_between(
        school, first, last, teacher=teacher_id, classes=class_ids, lesson=lesson_id, room=room_id
    )[1]


def timetable_between(
    school: SchoolFacts,
    first: date,
    last: date,
    *,
    teacher: int | None = None,
    classes: Iterable[int] | None = None,
    lesson: int | None = None,
    room: int | None = None,
    besides: Iterable[int] | None = None,
) -> tuple[SchoolCalendar, list[HeldLesson]]:
    """The calendar, whose bell schedules and weeks a page may want to show, and the lessons; one statement."""
    told: dict[str, int | list[int] | None] = {
        "teacher": teacher,
        "classes": None if classes is None else list(classes),
        "lesson": lesson,
        "room": room,
        "besides": None if besides is None else list(besides),
    }
    asked = {name: value for name, value in told.items() if value is not None}
    restriction = " ".join(_RESTRICTIONS[name] for name in asked) + ("" if lesson else f" {_WEEKDAYS}")
    usual = " AND ".join(_USUAL[name] for name in asked if name in _USUAL) or "true"
    facts: dict[str, int | date | list[int]] = {
        "school": school.id,
        "first": first,
        "last": last,
        "weekdays": weekdays_of(first, last),
    }
    with connection.cursor() as cursor:
        statement = _LESSONS.replace("{restriction}", restriction).replace("{usual}", usual)
        cursor.execute(statement, {**facts, **asked})
        rows = cursor.fetchall()
    calendar = calendar_at(school.id, rows[0][0], school.time_zone, first, last)
    found = [row[1:] for row in rows if row[1] is not None]
    only_once = {row[0] for row in found if not row[-1]}
    return calendar, [
        held
        for held in _held(found, first, last, calendar)
        if held.lesson_id not in only_once
        or (teacher is not None and held.substitute_id == teacher)
        or (room is not None and held.room_id == room)
    ]


def lesson_told(school: SchoolFacts, told: Any, stamp: Hashable, on: date) -> HeldLesson | None:
    """The lesson that LESSON_TOLD found, as it is held on that date; None where it is not.

    `stamp` is that of the school's settings, read before or with it.
    """
    if told is None:
        return None
    calendar = calendar_at(school.id, stamp, school.time_zone, on, on)
    return next(_held([_plain_row(told)], on, on, calendar), None)


def lessons_told(
    school: SchoolFacts, told: Any, stamp: Hashable, first: date, last: date
) -> list[HeldLesson]:
    """The lessons that LESSONS_TOLD found, as they are held from `first` to `last`; see `lesson_told`."""
    calendar = calendar_at(school.id, stamp, school.time_zone, first, last)
    return list(_held([_plain_row(row) for row in plain(told) or ()], first, last, calendar))


def _plain_row(told: Iterable[Any]) -> tuple[Any, ...]:
    row = list(told)
    row[5:7] = (value and date.fromisoformat(value) for value in row[5:7])
    return (*row, True)


def weekdays_of(first: date, last: date) -> list[int]:
    """Those between the dates, Monday is 1."""
    days = min((last - first).days + 1, 7)
    return sorted((first + timedelta(days=day)).isoweekday() for day in range(days))


def _held(
    rows: list[tuple[Any, ...]], first: date, last: date, calendar: SchoolCalendar
) -> Iterator[HeldLesson]:
    by_id = {row[0]: row for row in rows}
    weekly = [WeeklyLesson(*row[:7]) for row in rows]
    changes = {(row[0], change[0]): change[1:] for row in rows if row[14] for change in plain(row[14])}
    for occurrence in occurrences_between(first, last, weekly, calendar):
        row = by_id[int(str(occurrence.lesson.id))]
        yield _lesson(row, occurrence, changes.get((row[0], occurrence.on.isoformat()), _UNCHANGED))


_UNCHANGED: Final = (None, None, None, "", None, "", False, "")


def _lesson(row: tuple[Any, ...], occurrence: Occurrence, change: Iterable[Any]) -> HeldLesson:
    lesson_id, _, position, length, _, _, _, class_id, title, subject, room_id, room, ids, names, _, _ = row
    change_id, absent_id, substitute_id, substitute, other_room_id, other_room, is_cancelled, note = change
    return HeldLesson(
        lesson_id=lesson_id,
        class_id=class_id,
        class_title=title,
        held_on=occurrence.on,
        starts_at=occurrence.starts_at,
        ends_at=occurrence.ends_at,
        week=occurrence.week,
        subject=subject,
        room=(other_room if other_room_id else room) or "",
        usual_room=room or "",
        is_cancelled=is_cancelled,
        note=note,
        teachers=dict(zip(ids or (), names or (), strict=True)),
        absent_teacher_id=absent_id,
        substitute_id=substitute_id,
        substitute_name=substitute or "",
        position=position,
        length=length,
        room_id=other_room_id or room_id,
        substitution_id=change_id,
    )
