"""The school's own delays, switches and codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from pupitre.attendance.models import AttendanceCode, AttendanceSettings
from pupitre.attendance.rules.settings import CodeTaken, check_codes, check_delays
from pupitre.attendance.rules.status import Status
from pupitre.people.rules import OFFICE, Actor, require


@transaction.atomic
def change_settings(
    actor: Actor,
    *,
    alerts_families: bool,
    alert_delay_minutes: int,
    register_due_minutes: int,
    correction_days: int,
) -> AttendanceSettings:
    """Set the delays and switches. Raises WrongDelay, WrongDays."""
    require(actor, OFFICE)
    check_delays(alert_delay_minutes, register_due_minutes, correction_days)
    found, _ = AttendanceSettings.objects.update_or_create(
        school_id=actor.place.id,
        defaults={
            "alerts_families": alerts_families,
            "alert_delay_minutes": alert_delay_minutes,
            "register_due_minutes": register_due_minutes,
            "correction_days": correction_days,
        },
    )
    return found


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """One of the school's codes as the form has it; `id` is 0 for a new one."""

    id: int
    code: str
    label: str
    status: Status
    is_active: bool = True


@transaction.atomic
def change_codes(actor: Actor, *, codes: Sequence[CodeFacts]) -> list[AttendanceCode]:
    """Write the school's codes in this order. Those not named stay as they are: marks point at them.

    Raises CodeEmpty, CodeTaken.
    """
    require(actor, OFFICE)
    check_codes([one.code for one in codes], [one.label for one in codes])
    held = {code.pk: code for code in AttendanceCode.objects.select_for_update()}
    written = []
    try:
        # Letters may be swapped: put aside first, then written.
        for one in codes:
            if one.id in held:
                AttendanceCode.objects.filter(pk=one.id).update(code=f"~{one.id % 1000}")
        for position, one in enumerate(codes):
            row = held.get(one.id) or AttendanceCode(school_id=actor.place.id)
            row.code, row.label = one.code.strip().upper(), one.label.strip()
            row.status, row.position, row.is_active = one.status, position, one.is_active
            row.save()
            written.append(row)
    except IntegrityError:
        raise CodeTaken from None
    return written
