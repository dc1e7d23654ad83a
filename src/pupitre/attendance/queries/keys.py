"""Which registers and absences are there already. For bringing more from elsewhere."""

from datetime import date, datetime

from pupitre.attendance.models import AbsenceNotice, Register
from pupitre.people.rules import OFFICE, Actor, require


def last_day_taken(actor: Actor) -> date | None:
    """The last day of which the school has a register."""
    require(actor, OFFICE)
    return Register.objects.order_by("-held_on").values_list("held_on", flat=True).first()


def lessons_taken(actor: Actor, on: date) -> set[int]:
    """The lessons whose register of that day is there."""
    require(actor, OFFICE)
    return set(Register.objects.filter(held_on=on).values_list("lesson_id", flat=True))


def absences_told(actor: Actor, since: datetime) -> set[tuple[int, datetime]]:
    """Pupil and beginning of the absences that end after that moment."""
    require(actor, OFFICE)
    return set(AbsenceNotice.objects.filter(ends_at__gt=since).values_list("pupil_id", "starts_at"))
