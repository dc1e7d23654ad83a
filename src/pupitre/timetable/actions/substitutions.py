"""Changing one lesson on one day: a substitute, another room, a note, or that it is not held."""

from datetime import date

from django.db import transaction

from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.timetable.models import Substitution
from pupitre.timetable.queries import lessons_of_day
from pupitre.timetable.rules.errors import NotHeldThen, NothingChanged


@transaction.atomic
def change_day(
    actor: Actor,
    lesson_id: int,
    held_on: date,
    *,
    substitute_id: int | None = None,
    absent_teacher_id: int | None = None,
    room_id: int | None = None,
    is_cancelled: bool = False,
    note: str = "",
) -> Substitution:
    """Say what is different about a lesson on a date, instead of what was said before.

    Raises NotHeldThen where the lesson does not take place on that date, and NothingChanged where nothing is different.
    """
    require(actor, OFFICE)
    if not (substitute_id or room_id or is_cancelled or note):
        raise NothingChanged
    if not lessons_of_day(actor.place, held_on, lesson_id=lesson_id):
        raise NotHeldThen
    found, _ = Substitution.objects.update_or_create(
        school_id=actor.place.id,
        lesson_id=lesson_id,
        held_on=held_on,
        defaults={
            "substitute_id": None if is_cancelled else substitute_id,
            "absent_teacher_id": absent_teacher_id,
            "room_id": room_id,
            "is_cancelled": is_cancelled,
            "note": note,
        },
    )
    return found


@transaction.atomic
def undo_change(actor: Actor, lesson_id: int, held_on: date) -> None:
    """Let the lesson be held on that date as the timetable has it."""
    require(actor, OFFICE)
    done, _ = Substitution.objects.filter(lesson_id=lesson_id, held_on=held_on).delete()
    if not done:
        raise NotFound
