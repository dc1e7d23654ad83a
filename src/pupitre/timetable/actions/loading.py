"""Bringing a whole school's rooms and lessons at once: from another system, or the demonstration's."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.db import transaction

from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import bulk
from pupitre.timetable.models import CalendarException
from pupitre.timetable.rules.loading import NewLesson, NewRoom

_LESSON = (
    "id", "school_id", "class_id", "weekday", "position", "length", "week", "subject", "room_id", "starts_on", "ends_on", "source",
)  # fmt: skip


@transaction.atomic
def load_timetable(
    actor: Actor,
    *,
    rooms: Sequence[NewRoom],
    lessons: Sequence[NewLesson],
    class_ids: Mapping[str, int],
    person_ids: Mapping[str, int],
) -> dict[str, int]:
    """Write rooms and lessons that the school does not have yet; answers the lessons' ids by their source.

    The bell schedule is set before, by `set_bell_schedule`. `class_ids` and `person_ids` are by sourcedId.
    """
    require(actor, OFFICE)
    school = actor.place.id
    room_ids = dict(zip((r.key for r in rooms), bulk.next_ids("timetable_room", len(rooms)), strict=True))
    ids = dict(
        zip((one.source for one in lessons), bulk.next_ids("timetable_lesson", len(lessons)), strict=True)
    )
    bulk.insert_rows(
        "timetable_room",
        ("id", "school_id", "name", "capacity", "ended_on"),
        ((room_ids[one.key], school, one.name, one.capacity, None) for one in rooms),
    )
    bulk.insert_rows(
        "timetable_lesson",
        _LESSON,
        (
            (ids[one.source], school, class_ids[one.klass], one.weekday, one.position, one.length, "", one.subject,
             room_ids[one.room] if one.room else None, None, None, one.source)
            for one in lessons
        ),
    )  # fmt: skip
    bulk.insert_rows(
        "timetable_lessonteacher",
        ("school_id", "lesson_id", "teacher_id"),
        ((school, ids[one.source], person_ids[teacher]) for one in lessons for teacher in one.teachers),
    )
    return ids


@transaction.atomic
def forget_days(actor: Actor, *, label: str, first: date, last: date) -> int:
    """Take back what was said about single days under that label; answers how many such rows there were."""
    require(actor, OFFICE)
    found = CalendarException.objects.filter(label=label, starts_on__gte=first, ends_on__lte=last)
    return found.delete()[0]
