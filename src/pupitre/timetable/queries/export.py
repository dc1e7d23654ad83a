"""The timetable in force as CSV."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from django.db import connection

from pupitre.people.rules import STAFF, Actor, require
from pupitre.timetable.rules.plan import ImportedTimetable, PlanDay, PlanLesson, PlanPeriod
from pupitre.timetable.rules.timetable_csv import write_csv

from .calendar import calendar_between

# A class that takes forms as a whole is written as those forms, so that another import finds the same pupils.
_LESSONS: Final = """
SELECT l.id, l.weekday, l.position, l.length, l.week, l.subject, coalesce(r.name, ''),
       coalesce(nullif(ARRAY(SELECT h.title FROM courses_classgroup g JOIN courses_class h ON h.id = g.homeroom_id
                             WHERE g.class_id = l.class_id ORDER BY h.title), '{}'), ARRAY[c.title]),
       ARRAY(SELECT coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name
               FROM timetable_lessonteacher t JOIN people_person p ON p.id = t.teacher_id
              WHERE t.lesson_id = l.id ORDER BY p.family_key, p.id)
  FROM timetable_lesson l JOIN courses_class c ON c.id = l.class_id LEFT JOIN timetable_room r ON r.id = l.room_id
 WHERE (l.starts_on IS NULL OR l.starts_on <= %(on)s) AND (l.ends_on IS NULL OR l.ends_on >= %(on)s)
UNION ALL
SELECT d.id, d.weekday, d.position, d.length, d.week, d.title, coalesce(r.name, ''), '{}',
       ARRAY[coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name]
  FROM timetable_duty d JOIN people_person p ON p.id = d.teacher_id LEFT JOIN timetable_room r ON r.id = d.room_id
 WHERE (d.starts_on IS NULL OR d.starts_on <= %(on)s) AND (d.ends_on IS NULL OR d.ends_on >= %(on)s)
ORDER BY 2, 3, 1
"""


def timetable_csv(actor: Actor, on: date, weekdays: Mapping[int, str]) -> str:
    """The lessons and duties in force on the date, in the form that `rules.timetable_csv.read_csv` reads back.

    `weekdays` gives the names of ISO weekdays in the reader's language.
    """
    require(actor, STAFF)
    calendar = calendar_between(actor.place, on, on)
    periods = calendar.bells.get(calendar.default_bells, ())
    with connection.cursor() as cursor:
        cursor.execute(_LESSONS, {"on": on})
        rows = cursor.fetchall()
    listed = sorted(calendar.weekdays | {row[1] for row in rows})
    return write_csv(
        ImportedTimetable(
            days=tuple(PlanDay(weekdays[day], day) for day in listed),
            periods=tuple(PlanPeriod(p.name, p.starts_at, p.ends_at, p.is_break) for p in periods),
            lessons=tuple(
                PlanLesson(
                    activity_id=str(number),
                    teachers=tuple(teachers),
                    subject=subject,
                    groups=tuple(groups),
                    tags=(),
                    day=listed.index(weekday),
                    first_period=position,
                    duration=length,
                    room=room or None,
                    week=week,
                )
                for number, (
                    _id,
                    weekday,
                    position,
                    length,
                    week,
                    subject,
                    room,
                    groups,
                    teachers,
                ) in enumerate(rows, 1)
                if position < len(periods)
            ),
        )
    )
