"""What the office's pages need of rosters: forms, who is in them, who teaches whom, and the school's sessions.

Read by SQL, because lists of hundreds of pupils take one statement each and no model instances.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from pupitre.attendance.rules.thresholds import Period
from pupitre.people import queries as people
from pupitre.people.rules import OFFICE, Actor, Role

_CURRENT = "({0}.begins_on IS NULL OR {0}.begins_on <= %s) AND ({0}.ends_on IS NULL OR {0}.ends_on >= %s)"


def rows(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of one statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Form:
    """A homeroom: the class that a pupil belongs to."""

    id: int
    title: str


def forms_for() -> list[Form]:
    """The school's forms, by name."""
    found = rows(
        "SELECT id, title FROM courses_class WHERE kind = 'homeroom' AND ended_on IS NULL ORDER BY title, id"
    )
    return [Form(*row) for row in found]


def form_of(pupil_ids: Iterable[int], today: date) -> dict[int, Form]:
    """The form of each of these pupils today.

    The forms are read first: in a large region PostgreSQL would look up the class of every enrolment instead.
    """
    found = rows(
        "WITH form AS MATERIALIZED (SELECT id, title FROM courses_class WHERE kind = 'homeroom') "  # noqa: S608
        "SELECT DISTINCT ON (e.person_id) e.person_id, c.id, c.title "
        "FROM courses_enrolment e JOIN form c ON c.id = e.class_id "
        f"WHERE e.person_id = ANY(%s) AND e.role = 1 AND {_CURRENT.format('e')} "
        "ORDER BY e.person_id, e.begins_on DESC NULLS LAST, c.id",
        [list(set(pupil_ids)), today, today],
    )
    return {person_id: Form(form_id, title) for person_id, form_id, title in found}


def pupils_of_form(form_id: int, today: date) -> list[int]:
    """Who is in the form today."""
    found = rows(
        "SELECT e.person_id FROM courses_enrolment e "  # noqa: S608
        f"WHERE e.class_id = %s AND e.role = 1 AND {_CURRENT.format('e')}",
        [form_id, today, today],
    )
    return [row[0] for row in found]


def periods() -> list[Period]:
    """The school's academic sessions, the longest first."""
    found = rows(
        "SELECT kind, starts_on, ends_on FROM courses_academicsession WHERE ended_on IS NULL "
        "ORDER BY ends_on - starts_on DESC, starts_on DESC"
    )
    return [Period(*row) for row in found]


SEES_ALL_FIGURES = OFFICE | {Role.COUNSELLOR}


def classes_seen_by(actor: Actor, today: date) -> list[int] | None:
    """The classes whose figures the actor sees: None for all, else those taught by enrolment or by the timetable."""
    if actor.is_any(SEES_ALL_FIGURES):
        return None
    found = rows(
        "SELECT e.class_id FROM courses_enrolment e "  # noqa: S608
        f"WHERE e.person_id = %s AND e.role IN (2, 3) AND {_CURRENT.format('e')} "
        "UNION SELECT l.class_id FROM timetable_lessonteacher t "
        "JOIN timetable_lesson l ON l.school_id = t.school_id AND l.id = t.lesson_id WHERE t.teacher_id = %s",
        [actor.person_id, today, today, actor.person_id],
    )
    return sorted(row[0] for row in found)


def teaches_pupil(actor: Actor, pupil_id: int, today: date) -> bool:
    """Whether the pupil is in a class whose figures the actor sees."""
    classes = classes_seen_by(actor, today)
    if classes is None:
        return True
    return bool(
        rows(
            "SELECT 1 FROM courses_enrolment e WHERE e.person_id = %s AND e.role = 1 AND e.class_id = ANY(%s) LIMIT 1",
            [pupil_id, classes],
        )
    )


def guardians_told(pupil_ids: Iterable[int], today: date) -> dict[int, tuple[int, ...]]:
    """For each pupil the guardians who are told: entitled to notices and to the record, not ended, not gone."""
    found: dict[int, tuple[int, ...]] = {}
    for relation in people.guardians_of(sorted(set(pupil_ids)), today):
        if relation.receives_notices and relation.sees_record and relation.guardian.ended_on is None:
            found[relation.pupil_id] = (*found.get(relation.pupil_id, ()), relation.guardian_id)
    return found
