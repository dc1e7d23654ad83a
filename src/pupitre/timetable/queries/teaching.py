"""Who teaches whom."""

from datetime import date
from typing import Final

from django.db import connection

from pupitre.people.rules import Actor

_CURRENT: Final = (
    "({0}.{1} IS NULL OR {0}.{1} <= %(today)s) AND ({0}.ends_on IS NULL OR {0}.ends_on >= %(today)s)"
)
_CLASSES: Final = f"""
   SELECT t.class_id FROM courses_enrolment t
    WHERE t.person_id = %(person)s AND t.role IN (2, 3) AND {_CURRENT.format("t", "begins_on")}
   UNION
   SELECT l.class_id FROM timetable_lessonteacher t JOIN timetable_lesson l ON l.id = t.lesson_id
    WHERE t.teacher_id = %(person)s AND {_CURRENT.format("l", "starts_on")}
   UNION
   SELECT l.class_id FROM timetable_substitution s JOIN timetable_lesson l ON l.id = s.lesson_id
    WHERE s.substitute_id = %(person)s AND s.held_on = %(today)s AND NOT s.is_cancelled
"""  # noqa: S608 - put together from constants
_PUPILS: Final = f"""
SELECT DISTINCT e.person_id FROM courses_enrolment e
 WHERE e.role = 1 AND {_CURRENT.format("e", "begins_on")} AND e.class_id IN ({_CLASSES})
"""  # noqa: S608 - put together from constants


def pupils_taught_by(actor: Actor, today: date) -> frozenset[int]:
    """The pupils of the classes that the actor teaches: by enrolment, by the timetable, or standing in on that day."""
    with connection.cursor() as cursor:
        cursor.execute(_PUPILS, {"person": actor.person_id, "today": today})
        return frozenset(row[0] for row in cursor.fetchall())


def classes_taught_by(actor: Actor, today: date) -> frozenset[int]:
    """The classes that the actor teaches: by enrolment, by the timetable, or standing in on that day."""
    with connection.cursor() as cursor:
        cursor.execute(_CLASSES, {"person": actor.person_id, "today": today})
        return frozenset(row[0] for row in cursor.fetchall())
