"""How devices come in and go out: tickets, approvals, the end of use."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from pupitre.courses import queries as courses
from pupitre.devices.models import Device, EnrolmentTicket, Loan
from pupitre.devices.queries.device import access_devices
from pupitre.devices.queries.tickets import access_ticket
from pupitre.devices.rules import CARES, AlreadyEnded, LoanState, Platform, Standing
from pupitre.devices.rules.events import EventKind
from pupitre.devices.rules.fleet import plain_serial, search_key_of
from pupitre.devices.rules.tickets import LONGEST, MOST_USES, USUAL, TicketTooLong, code_of, digest_of
from pupitre.kernel.errors import Conflict
from pupitre.people.rules import Actor, require

from .noting import note
from .placing import place


class NotWaiting(Conflict):
    """One of these devices does not wait for approval any more. Look again who waits."""


class StillLent(Conflict):
    """This device is lent. End or swap its loan first."""


class SerialTaken(Conflict):
    """Another device of the school has this serial number."""


# -- tickets ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def make_ticket(
    actor: Actor,
    *,
    now: datetime,
    class_id: int | None = None,
    platform: Platform | None = None,
    label: str = "",
    admits_unknown: bool = False,
    uses: int = 40,
    lasts: timedelta = USUAL,
) -> EnrolmentTicket:
    """A code by which devices come in, for a class or for none; `code_shown` tells it. It ends by itself."""
    require(actor, CARES)
    if not (timedelta(0) < lasts <= LONGEST and 0 < uses <= MOST_USES):
        raise TicketTooLong
    klass = courses.access_class(actor, class_id) if class_id else None
    return EnrolmentTicket.objects.create(
        school_id=actor.place.id,
        authority_id=actor.place.authority_id,
        digest=digest_of(code_of(settings.SECRET_KEY, actor.place.id, now)),
        platform=platform.value if platform else None,
        klass=klass,
        label=label.strip()[:100] or (klass.title if klass else ""),
        admits_unknown=admits_unknown,
        uses_left=uses,
        created_at=now,
        created_by_id=actor.account_id or None,
        expires_at=now + lasts,
    )


def code_shown(ticket: EnrolmentTicket) -> str:
    """The ticket's code, or '' where the installation's secret has changed since: only its digest is kept."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        code = code_of(secret, ticket.school_id, ticket.created_at)
        if digest_of(code) == ticket.digest:
            return code
    return ""


@transaction.atomic
def revoke_ticket(actor: Actor, ticket_id: int, *, now: datetime) -> EnrolmentTicket:
    """Let nothing come in by it any more."""
    require(actor, CARES)
    ticket = access_ticket(actor, ticket_id)
    if ticket.revoked_at is not None:
        raise AlreadyEnded
    ticket.revoked_at = now
    ticket.save(update_fields=["revoked_at"])
    return ticket


# -- standing ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def approve_devices(actor: Actor, device_ids: Collection[int], *, now: datetime) -> int:
    """Let devices in that wait: from now on they get what they shall have."""
    waiting = _waiting(actor, device_ids)
    Device.objects.filter(school_id=actor.place.id, pk__in=waiting).update(
        standing=Standing.ENROLLED.value, enrolled_at=now
    )
    note(actor, waiting, EventKind.APPROVED, now=now)
    place(actor.place.id, waiting)
    return len(waiting)


@transaction.atomic
def refuse_devices(actor: Actor, device_ids: Collection[int], *, now: datetime) -> int:
    """Turn devices away that wait: what they send is refused from now on."""
    waiting = _waiting(actor, device_ids)
    Device.objects.filter(school_id=actor.place.id, pk__in=waiting).update(
        standing=Standing.RETIRED.value, retired_at=now
    )
    note(actor, waiting, EventKind.REFUSED, now=now)
    return len(waiting)


def _waiting(actor: Actor, device_ids: Collection[int]) -> list[int]:
    found = access_devices(actor, device_ids)
    if not found or any(one.standing != Standing.WAITING for one in found):
        raise NotWaiting
    return [one.pk for one in found]


@transaction.atomic
def retire_devices(actor: Actor, device_ids: Collection[int], *, now: datetime) -> int:
    """Take devices out of use: nobody has them any more, and what they send is refused."""
    found = [one.pk for one in access_devices(actor, device_ids) if one.standing != Standing.RETIRED]
    if not found:
        raise AlreadyEnded
    refuse_lent(actor.place.id, found)
    Device.objects.filter(school_id=actor.place.id, pk__in=found).update(
        standing=Standing.RETIRED.value, retired_at=now, holder=None, klass=None, groups=[]
    )
    note(actor, found, EventKind.RETIRED, now=now)
    return len(found)


@transaction.atomic
def release_device(actor: Actor, device_id: int, *, now: datetime) -> Device:
    """Take a device back into use. It is expected: what it was enrolled with holds no more."""
    (device,) = access_devices(actor, [device_id])
    if device.standing != Standing.RETIRED:
        raise Conflict
    device.standing, device.retired_at, device.enrolled_at = Standing.EXPECTED.value, None, None
    device.public_key = None
    device.save(update_fields=["standing", "retired_at", "enrolled_at", "public_key"])
    note(actor, [device_id], EventKind.RELEASED, now=now)
    return device


def refuse_lent(school_id: int, device_ids: Collection[int]) -> None:
    """Raise StillLent where one of the devices has a loan that has not ended."""
    open_states = [LoanState.PROPOSED.value, LoanState.RUNNING.value]
    if Loan.objects.filter(
        school_id=school_id, device_id__in=list(device_ids), state__in=open_states
    ).exists():
        raise StillLent


# -- facts ------------------------------------------------------------------------------------------------------------

_FACTS: Final = ("asset_tag", "name", "serial", "notes", "warranty_until")


@transaction.atomic
def change_device(actor: Actor, device_id: int, **facts: Any) -> Device:
    """Change what the school itself knows of a device: `asset_tag`, `name`, `serial`, `notes`, `warranty_until`."""
    (device,) = access_devices(actor, [device_id])
    for name in _FACTS:
        if name in facts:
            value = facts[name]
            setattr(device, name, value.strip() if isinstance(value, str) else value)
    device.serial = plain_serial(device.serial)
    taken = Device.objects.filter(school_id=actor.place.id, serial=device.serial).exclude(pk=device.pk)
    if device.serial and taken.exists():
        raise SerialTaken
    device.search_key = search_key_for(device)
    device.save(update_fields=[*_FACTS, "search_key"])
    return device


def search_key_for(device: Device) -> str:
    return search_key_of(
        serial=device.serial,
        asset_tag=device.asset_tag,
        name=device.name,
        number=device.number,
        model=device.model,
    )
