"""What a new school lacks before its first register can be taken."""

from dataclasses import dataclass
from typing import Final

from django.db import connection

from pupitre.people.rules import OFFICE, Actor

_BEGUN: Final = """
SELECT EXISTS (SELECT FROM courses_enrolment WHERE role = 1), EXISTS (SELECT FROM timetable_lesson)
"""


@dataclass(frozen=True, slots=True)
class Lacking:
    """What of a roster and a timetable the school has; one of them is missing."""

    has_pupils: bool
    has_lessons: bool


def lacking_for(actor: Actor) -> Lacking | None:
    """What is missing, for those who may import it. None for everybody else, and where nothing is missing."""
    if not actor.is_any(OFFICE):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_BEGUN)
        found = Lacking(*cursor.fetchone())
    return None if found.has_pupils and found.has_lessons else found
