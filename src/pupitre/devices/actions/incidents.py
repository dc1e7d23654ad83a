"""Devices reported broken, lost or stolen, by whoever has them or cares for them, and what became of it."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from pupitre.devices.models import Command, Device, Incident, Loan
from pupitre.devices.queries import lending as queries
from pupitre.devices.queries.device import access_device
from pupitre.devices.rules import (
    CARES,
    SEES,
    CommandState,
    Condition,
    Standing,
    Verb,
    commanding,
)
from pupitre.devices.rules import lending as rules
from pupitre.devices.rules.events import EventKind
from pupitre.people.rules import Actor, require

from .commands import tell_devices
from .lending import note_incident
from .noting import note

#: A device that is gone may be switched on by somebody after weeks.
_LOCK_LASTS: Final = timedelta(days=60)
_LONGEST: Final = 2000


@transaction.atomic
def report_device(
    actor: Actor,
    device_id: int,
    *,
    condition: Condition,
    told: str,
    happened_on: date,
    locks: bool = False,
    now: datetime,
) -> Incident:
    """Report a device broken, lost or stolen: who has it, her guardians, her teachers, and who cares for devices.

    Of one that is gone, a lock is proposed, which somebody who cares for devices agrees to; `locks` has them lock it at once.
    Raises NotFound, NothingTold, HappenedInFuture.
    """
    device = _access(actor, device_id)
    if condition not in rules.REPORTED or not told.strip():
        raise rules.NothingTold
    if happened_on > queries.today_of(actor):
        raise rules.HappenedInFuture
    loan = _loan_of(device)
    incident = note_incident(actor, device, loan, condition, told.strip()[:_LONGEST], happened_on, now=now)
    if condition in rules.GONE and device.standing == Standing.ENROLLED:
        if locks and actor.is_any(CARES):
            tell_devices(
                actor, [device.pk], Verb.LOCK, {"text": _lock_text()}, now=now, lasts=_LOCK_LASTS, reason=told
            )
        else:
            _propose_lock(actor, device, told, now)
    return incident


def _access(actor: Actor, device_id: int) -> Device:
    if actor.is_any(SEES):
        return access_device(actor, device_id, today=queries.today_of(actor))
    return queries.access_held(actor, device_id)


def _loan_of(device: Device) -> Loan | None:
    return Loan.objects.filter(
        school_id=device.school_id, device_id=device.pk, state__in=[one.value for one in rules.OPEN]
    ).first()


def _lock_text() -> str:
    return _("This device belongs to a school and was reported as missing. Please return it.")


def _propose_lock(actor: Actor, device: Device, told: str, now: datetime) -> None:
    """Whoever has it may not lock it alone; one proposal is enough."""
    waiting = Command.objects.filter(
        school_id=device.school_id, device=device, verb=Verb.LOCK, state=CommandState.PROPOSED.value
    )
    if waiting.exists():
        return
    Command.objects.create(
        school_id=device.school_id,
        device=device,
        verb=Verb.LOCK.value,
        arguments={"text": _lock_text()},
        state=CommandState.PROPOSED.value,
        supersede_key=commanding.supersede_key_of(Verb.LOCK),
        batch=uuid4(),
        created_at=now,
        not_before=now,
        expires_at=now + _LOCK_LASTS,
        requested_by_id=actor.account_id or None,
        reason=told.strip()[:300],
    )


@transaction.atomic
def close_incident(
    actor: Actor, incident_id: int, *, outcome: str, condition: Condition = Condition.GOOD, now: datetime
) -> Incident:
    """Say what became of a report, and in what condition the device is now. Raises NotFound, IncidentClosed."""
    require(actor, CARES)
    incident = queries.access_incident(actor, incident_id)
    if incident.closed_at is not None:
        raise rules.IncidentClosed
    incident.closed_at, incident.outcome = now, outcome.strip()[:_LONGEST]
    incident.save(update_fields=["closed_at", "outcome"])
    device = incident.device
    before, device.condition = device.condition, condition.value
    device.save(update_fields=["condition"])
    if condition is Condition.GOOD:
        kind = EventKind.FOUND if before in rules.GONE else EventKind.REPAIRED
        note(actor, [device.pk], kind, now=now)
    return incident


@transaction.atomic
def send_to_repair(actor: Actor, incident_id: int, *, now: datetime) -> Incident:
    """The device of an open report is being repaired. Raises NotFound, IncidentClosed."""
    require(actor, CARES)
    incident = queries.access_incident(actor, incident_id)
    if incident.closed_at is not None:
        raise rules.IncidentClosed
    incident.device.condition = Condition.IN_REPAIR.value
    incident.device.save(update_fields=["condition"])
    note(actor, [incident.device_id], EventKind.CHANGED, now=now, facts={"condition": "in-repair"})
    return incident
