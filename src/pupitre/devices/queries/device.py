"""One device: what it is, who has it, what it reported, what happened to it and what it was told."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from pupitre.devices.models import Command, Device, DeviceEvent, DeviceStatus, Inventory, Script
from pupitre.devices.rules import CARES, SEES, CommandState, Platform, Verb
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, require
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.keyset import Slice, slice_of
from pupitre.timetable.queries import teaching

#: So much of a device's past stands on its page.
_SHOWN: Final = 40


def access_device(actor: Actor, device_id: int, *, today: date) -> Device:
    """A device of the school with its holder and class: for who cares for devices, and for teachers of its classes."""
    require(actor, SEES)
    found = (
        Device.objects.select_related("holder", "klass", "delivery")
        .filter(school_id=actor.place.id, pk=device_id)
        .first()
    )
    if found is None:
        raise NotFound
    if actor.is_any(CARES) or set(found.groups) & teaching.classes_taught_by(actor, today):
        return found
    raise NotFound


def access_devices(actor: Actor, device_ids: Collection[int]) -> list[Device]:
    """Those devices of the school, each of which there must be. For who cares for devices."""
    require(actor, CARES)
    found = list(Device.objects.filter(school_id=actor.place.id, pk__in=list(device_ids)).order_by("id"))
    if len(found) != len(set(device_ids)):
        raise NotFound
    return found


def status_of(device: Device) -> DeviceStatus | None:
    """What it last said of itself; None before it was heard of."""
    return DeviceStatus.objects.filter(school_id=device.school_id, device_id=device.pk).first()


def inventory_of(device: Device) -> Inventory | None:
    """What is installed on it, as far as it told."""
    return Inventory.objects.filter(school_id=device.school_id, device_id=device.pk).first()


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of a device's history. `kind` is one of `rules.events.EventKind`, or "change" for a changed row."""

    at: datetime
    kind: str
    by: str
    facts: dict[str, Any]


def history_of(device: Device) -> list[Happening]:
    """What happened to the device, the newest first: its events, and what was changed of its row by hand."""
    events = (
        DeviceEvent.objects.filter(school_id=device.school_id, device_id=device.pk)
        .select_related("account")
        .order_by("-happened_at", "-id")[:_SHOWN]
    )
    told = [
        Happening(one.happened_at, one.kind, str(one.account) if one.account else "", one.facts)
        for one in events
    ]
    changes = tenancy.changes_of("devices_device", device.pk)[:_SHOWN]
    told += [
        Happening(one.changed_at, "change", "", {"columns": sorted((one.after or {}).keys())})
        for one in changes
        if one.operation == "U" and set(one.after or {}) & _BY_HAND
    ]
    return sorted(told, key=lambda one: one.at, reverse=True)[:_SHOWN]


#: Columns whose changes no event tells.
_BY_HAND: Final = frozenset({"asset_tag", "name", "serial", "warranty_until", "notes"})


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command as pages show it."""

    id: int
    device_id: int
    verb: Verb
    state: CommandState
    arguments: dict[str, Any]
    batch: UUID
    created_at: datetime
    not_before: datetime
    expires_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    attempts: int
    requested_by: str
    approved_by: str
    reason: str
    result: dict[str, Any]

    @property
    def is_open(self) -> bool:
        return self.state in (CommandState.PROPOSED, CommandState.QUEUED, CommandState.SENT)

    @property
    def can_be_repeated(self) -> bool:
        return self.state in (CommandState.FAILED, CommandState.EXPIRED)


def commands_of(device: Device) -> list[CommandLine]:
    """What the device was told, the newest first."""
    rows = Command.objects.filter(school_id=device.school_id, device_id=device.pk)
    found = rows.select_related("requested_by", "approved_by").order_by("-created_at", "-id")[:_SHOWN]
    return [command_line(one) for one in found]


def command_line(one: Command) -> CommandLine:
    return CommandLine(
        one.pk,
        one.device_id,
        Verb(one.verb),
        CommandState(one.state),
        one.arguments,
        one.batch,
        one.created_at,
        one.not_before,
        one.expires_at,
        one.sent_at,
        one.ended_at,
        one.attempts,
        str(one.requested_by or ""),
        str(one.approved_by or ""),
        one.reason,
        one.result,
    )


def access_command(actor: Actor, command_id: int) -> Command:
    """A command of the school, for who cares for its devices."""
    require(actor, CARES)
    found = Command.objects.filter(school_id=actor.place.id, pk=command_id).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody asked for that a second person must agree to: one verb for some devices."""

    batch: UUID
    verb: Verb
    requested_by: str
    is_own: bool
    reason: str
    created_at: datetime
    devices: list[tuple[int, str]]
    script: str = ""


def proposals_for(actor: Actor) -> list[Proposal]:
    """What waits for a second person, the oldest first. Two statements."""
    require(actor, CARES)
    rows = Command.objects.filter(school_id=actor.place.id, state=CommandState.PROPOSED.value)
    found: dict[UUID, Proposal] = {}
    scripts: dict[UUID, int] = {}
    for one in rows.select_related("device", "requested_by").order_by("created_at", "id")[:2000]:
        held = found.get(one.batch)
        if held is None:
            held = found[one.batch] = Proposal(
                one.batch,
                Verb(one.verb),
                str(one.requested_by or ""),
                one.requested_by_id == actor.account_id,
                one.reason,
                one.created_at,
                [],
            )
            if one.verb == Verb.RUN_SCRIPT:
                scripts[one.batch] = one.arguments.get("script", 0)
        held.devices.append((one.device_id, str(one.device)))
    names = (
        dict(Script.objects.filter(pk__in=list(scripts.values())).values_list("id", "name"))
        if scripts
        else {}
    )
    return [
        Proposal(
            one.batch,
            one.verb,
            one.requested_by,
            one.is_own,
            one.reason,
            one.created_at,
            one.devices,
            names.get(scripts.get(one.batch, 0), ""),
        )
        for one in found.values()
    ]


def scripts_for(actor: Actor, platform: Platform | None = None) -> list[tuple[int, str]]:
    """The scripts that the school's devices may be told to run: its own and its authority's."""
    require(actor, CARES)
    found = Script.objects.filter(archived_at__isnull=True)
    found = found.filter(
        Q(school_id=actor.place.id) | Q(school_id=None, authority_id=actor.place.authority_id)
    )
    if platform is not None:
        found = found.filter(platform=platform.value)
    return list(found.order_by("name", "id").values_list("id", "name"))


#: The columns of `commands_after`.
COMMAND: Final = (
    *("id", "device_id", "verb", "state", "batch", "created_at", "expires_at"),
    *("sent_at", "ended_at", "attempts"),
)


def commands_after(
    actor: Actor,
    after: tuple[Any, ...] | None,
    *,
    limit: int,
    device_id: int | None = None,
    state: CommandState | None = None,
) -> Slice:
    """The school's commands in slices, the newest first."""
    require(actor, CARES)
    found = Command.objects.filter(school_id=actor.place.id)
    if device_id is not None:
        found = found.filter(device_id=device_id)
    if state is not None:
        found = found.filter(state=state.value)
    return slice_of(found, COMMAND, by="id", after=after, limit=limit, descending=True)


def commands_of_batch(actor: Actor, batch: UUID) -> list[CommandLine]:
    """What all devices were told in one act."""
    require(actor, CARES)
    rows = Command.objects.filter(school_id=actor.place.id, batch=batch)
    return [command_line(one) for one in rows.select_related("requested_by", "approved_by").order_by("id")]
