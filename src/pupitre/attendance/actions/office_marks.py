"""Changing marks that stand in registers, on the office's word: each change keeps what it replaces."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from pupitre.attendance.models import Mark, MarkRevision, Register
from pupitre.attendance.rules.status import OFFICE_DEVICE, Outcome, Status
from pupitre.people.rules import Actor

from .figures import defer_refresh


@transaction.atomic
def rewrite_marks(
    actor: Actor, marks: Sequence[Mark], status: Status, outcome: Outcome, *, now: datetime, minutes: int = 0
) -> None:
    """Let these marks (locked, with their registers) say `status`; the registers count one version on."""
    if not marks:
        return
    MarkRevision.objects.bulk_create(_kept(mark, outcome, now) for mark in marks)
    Mark.objects.filter(pk__in=[mark.pk for mark in marks]).update(
        status=status,
        minutes=minutes,
        code=None,
        recorded_at=now,
        recorded_by_id=actor.person_id or None,
        device=OFFICE_DEVICE,
        is_explicit=True,
    )
    Register.objects.filter(pk__in={mark.register_id for mark in marks}).update(version=F("version") + 1)
    refresh_figures(actor, marks)


def refresh_figures(actor: Actor, marks: Iterable[Mark]) -> None:
    for held_on in sorted({mark.held_on for mark in marks}):
        defer_refresh(actor, held_on=held_on)


def _kept(mark: Mark, outcome: Outcome, now: datetime) -> MarkRevision:
    return MarkRevision(
        school_id=mark.school_id,
        register_id=mark.register_id,
        pupil_id=mark.pupil_id,
        status=mark.status,
        minutes=mark.minutes,
        code_id=mark.code_id,
        note=mark.note,
        recorded_at=mark.recorded_at,
        recorded_by_id=mark.recorded_by_id,
        device=mark.device,
        is_explicit=mark.is_explicit,
        outcome=outcome,
        kept_at=now,
    )
