"""Devices, tickets, deliveries, commands and figures for other systems."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Id, Line, Ref, Row, Sent, Words, told
from pupitre.devices import wording
from pupitre.devices.actions import assigning, commands, enrolling, intake
from pupitre.devices.queries import device as one_device
from pupitre.devices.queries import fleet, tickets
from pupitre.devices.queries.figures import figures_for
from pupitre.devices.rules import CommandState, Condition, Platform, Standing, Verb
from pupitre.devices.rules import intake as lists
from pupitre.devices.rules.fleet import Search, Seen
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.access import actor_of
from pupitre.people.rules import LookAt
from pupitre.tenancy.keyset import Slice

router = Router(tags=["Devices"])
reads, writes = machine(Scope.DEVICES_READ), machine(Scope.DEVICES_WRITE)

PlatformWord = Literal["android", "windows", "linux", "ios", "macos", "chromeos"]
StandingWord = Literal["expected", "waiting", "enrolled", "retired"]
ConditionWord = Literal["good", "broken", "lost", "stolen", "in_repair"]
SeenWord = Literal["today", "week", "month", "longer", "never"]
VerbWord = Literal["lock", "wipe", "reboot", "message", "clear_passcode", "run_script", "report", "unlock"]
StateWord = Literal[
    "proposed", "queued", "sent", "done", "failed", "expired", "cancelled", "superseded", "rejected"
]
Hours = Annotated[int, Field(ge=1, le=24 * 90, strict=True)]


def _word(value: Any) -> str:
    return str(value.name).lower()


class DeviceRow(Row):
    """A device of the school."""

    id: int = told("Its number in the school.", 512)
    number: str = told("How it calls itself in its protocol.", "d-7f3k9m2q4x")
    serial: str = told("Serial number.", "R52X40ABCDE")
    asset_tag: str = told("The school's inventory number.", "T-0042")
    name: str = told("Name.", "")
    platform: PlatformWord = told("The system that it runs.", "android")
    maker: str = told("Maker.", "Samsung")
    model: str = told("Model.", "Galaxy Tab A9")
    standing: StandingWord = told("Where it is in its life with the school.", "enrolled")
    condition: ConditionWord = told("What is wrong with it, if anything.", "good")
    holder_id: int | None = told("The person who has it.", 4711)
    last_seen_at: datetime | None = told("When it was last heard of.", "2026-10-13T07:10:00Z")
    battery: int | None = told("Charge of the battery in percent.", 83)
    battery_health: int | None = told(
        "What the battery holds of what it held when it was new, in percent.", 91
    )
    os_version: str = told("Version of its system.", "14")
    is_compliant: bool | None = told(
        "Whether it has applied all that it shall; null where it is not known.", example=True
    )


class DevicesAsked(Schema):
    """Which devices are listed."""

    q: Words | None = told(
        "Only those with these words in number, serial, tag, name or model.", "T-00", default=None
    )
    standing: StandingWord | None = told(
        "Only those that stand so; left out, all but those out of use.", "enrolled", default=None
    )
    platform: PlatformWord | None = told("Only those that run this system.", "android", default=None)
    condition: ConditionWord | None = told("Only those in this condition.", "broken", default=None)
    seen: SeenWord | None = told("Only those that were last heard of then.", "longer", default=None)
    class_id: Id | None = told("Only those of this class's pupils, or its own.", 31, default=None)


class HolderSent(Sent):
    """Who shall have the device."""

    person_id: Ref | None = told("The person, or null to take it back.", 4711)


class TicketRow(Row):
    """A code by which devices come in."""

    id: int = told("Its number.", 7)
    label: str = told("Its name.", "1A")
    platform: PlatformWord | None = told("Only devices with this system.", "android")
    admits_unknown: bool = told("Whether unknown devices are let in at once.", example=False)
    uses_left: int = told("How many more devices may come by it.", 25)
    created_at: datetime = told("When it was made.", "2026-10-13T07:10:00Z")
    expires_at: datetime = told("When it ends.", "2026-10-20T07:10:00Z")
    revoked_at: datetime | None = told("When it was ended before.", None)
    came: int = told("How many devices came by it.", 3)


class TicketMade(TicketRow):
    """A new ticket with its code."""

    code: str = told("The code. Whoever has it brings devices in.", "K7QH-M3XA-9RTC")


class TicketSent(Sent):
    """What the ticket shall be for."""

    label: Line = told("Its name.", "1A", default="")
    class_id: Ref | None = told("The class whose the devices are.", 31, default=None)
    platform: PlatformWord | None = told("Only devices with this system.", "android", default=None)
    admits_unknown: bool = told("Whether unknown devices are let in at once.", example=False, default=False)
    uses: Annotated[int, Field(ge=1, le=2000, strict=True)] = told("For how many devices.", 30, default=40)
    days: Annotated[int, Field(ge=1, le=60, strict=True)] = told("For how many days.", 7, default=7)


class DeviceFinding(Row):
    """What is wrong with a line."""

    line: int = told("Number of the line.", 17)
    code: str = told("What it is, for programs.", "twice")
    value: str = told("What stands there.", "R52X40ABCDE")
    what: str = told("What it is, in the language of `Accept-Language`.", "This device is in the list twice.")
    forbids: bool = told("Whether the list cannot be taken in with it.", example=True)


class IntakeRow(Row):
    """What became, or would become, of a list."""

    taken_in: bool = told("Whether it was taken in.", example=True)
    new: int = told("Devices that are new.", 30)
    changed: int = told("Known devices that are brought up to date.", 2)
    same: int = told("Known devices of which the list says nothing new.", 0)
    findings: list[DeviceFinding] = told("What was found, by lines.", [DeviceFinding])


class IntakeSent(Schema):
    """How the list is to be taken in."""

    name: Line = told("Name of the delivery.", "Autumn 2026", default="")
    supplier: Line = told("Who delivered it.", "Tablets Ltd", default="")
    platform: PlatformWord = told("The system, where the list does not say it.", "android", default="android")
    dry_run: Literal["true", "false"] = told("Only say what would become of it.", "true", default="false")


class CommandRow(Row):
    """Something that a device was told to do once."""

    id: int = told("Its number.", 91)
    device_id: int = told("The device.", 512)
    verb: VerbWord = told("What it was told.", "lock")
    state: StateWord = told("How far it is. `proposed` waits for a second person.", "queued")
    batch: str = told(
        "The same for all devices that were told in one act.", "6f1c2b0e-5b0a-4f43-9d0e-0f5f6c1f7a11"
    )
    created_at: datetime = told("When it was asked for.", "2026-10-13T07:10:00Z")
    expires_at: datetime = told("Until when it holds.", "2026-10-13T15:10:00Z")
    sent_at: datetime | None = told("When the device fetched it.", None)
    ended_at: datetime | None = told("When it ended.", None)
    attempts: int = told("How often it was sent.", 0)


class CommandsSent(Sent):
    """What which devices shall do."""

    device_ids: Annotated[list[Ref], Field(min_length=1, max_length=500)] = told("The devices.", [512])
    verb: VerbWord = told("What they shall do.", "message")
    text: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = told(
        "The words of a message, or on a locked screen.", "Bring it to the office, please.", default=""
    )
    script_id: Ref | None = told("The script, for run_script.", None, default=None)
    hours: Hours | None = told("For how many hours it holds.", 8, default=None)
    reason: Line = told("Why; kept with it.", "", default="")


class CommandsMade(Row):
    """What was asked for."""

    batch: str = told("The number of the act.", "6f1c2b0e-5b0a-4f43-9d0e-0f5f6c1f7a11")
    commands: list[CommandRow] = told("One for each device.", [CommandRow])


class DeviceFigures(Row):
    """How the fleet stands."""

    devices: int = told("Devices that are not out of use.", 312)
    standing: dict[str, int] = told("By standing.", {"enrolled": 300, "expected": 12})
    platform: dict[str, int] = told("By system.", {"android": 280, "linux": 32})
    condition: dict[str, int] = told("By condition.", {"good": 310, "broken": 2})
    seen: dict[str, int] = told("By when they were last heard of.", {"today": 250, "week": 50})
    compliance: dict[str, int] = told("By whether they applied all that they shall.", {"yes": 298, "no": 2})
    wear: dict[str, int] = told("By what batteries still hold.", {"good": 270, "worn": 30})
    incidents: int = told("Incidents that are open.", 2)


#: What the list of lines and one device are read from.
_COLUMNS: Final = (
    *(
        "id",
        "number",
        "serial",
        "asset_tag",
        "name",
        "maker",
        "model",
        "holder_id",
        "last_seen_at",
        "battery",
    ),
    *("battery_health", "os_version", "is_compliant"),
)


def _row(line: fleet.DeviceLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in _COLUMNS} | {
        "platform": _word(line.platform),
        "standing": _word(line.standing),
        "condition": _word(line.condition),
    }


def _named(kind: Any, word: str | None) -> Any:
    return kind[word.upper()] if word else None


@router.get("/devices", response=Page[DeviceRow], auth=reads)
def list_devices(
    request: HttpRequest, response: HttpResponse, asked: Query[DevicesAsked], part: Query[Paged]
) -> Any:
    """The school's devices, by their inventory numbers. That their holders are told is noted once a month."""
    actor, now = actor_of(request), clock.now()
    search = Search(
        words=(asked.q or "").strip(),
        standing=_named(Standing, asked.standing),
        platform=_named(Platform, asked.platform),
        condition=_named(Condition, asked.condition),
        seen=_named(Seen, asked.seen),
        klass=asked.class_id or 0,
    )
    found = fleet.devices_for(
        actor, search, today=now.date(), after=key_of(part.cursor, str, int), limit=part.limit
    )
    holders = [line.holder_id for line in found.lines if line.holder_id is not None]
    people.note_reading(actor, holders, LookAt.DEVICE, now=now)
    return page_of(request, response, [_row(line) for line in found.lines], found.following)


@router.get("/devices/{device}", response=DeviceRow, auth=reads)
def read_device(request: HttpRequest, device: Id) -> Any:
    """One device, also one that is out of use."""
    actor, now = actor_of(request), clock.now()
    (found,) = one_device.access_devices(actor, [device])
    if found.holder_id is not None:
        people.note_reading(actor, [found.holder_id], LookAt.DEVICE, now=now)
    return _one(actor, device, Standing(found.standing))


def _one(actor: Any, device_id: int, standing: Standing) -> dict[str, Any]:
    search = Search(standing=standing)
    (line,) = fleet.devices_for(actor, search, today=clock.now().date(), limit=1, ids=[device_id]).lines
    return _row(line)


@router.put("/devices/{device}/holder", response=DeviceRow, auth=writes)
def give_device(request: HttpRequest, device: Id, body: HolderSent) -> Any:
    """Give a device to a person of the school, or take it back. What is lent is left to its loan: 409."""
    actor = actor_of(request)
    made = assigning.assign_device(actor, device, body.person_id, now=clock.now())
    return _one(actor, device, Standing(made.standing))


@router.post("/devices/{device}/approval", response=DeviceRow, auth=writes)
def approve_device(request: HttpRequest, device: Id) -> Any:
    """Let a device in that waits. 409 where it does not wait."""
    actor = actor_of(request)
    enrolling.approve_devices(actor, [device], now=clock.now())
    return _one(actor, device, Standing.ENROLLED)


@router.delete("/devices/{device}", response={204: None}, auth=writes)
def retire_device(request: HttpRequest, device: Id) -> Any:
    """Take a device out of use: what it sends is refused. Its history stays."""
    enrolling.retire_devices(actor_of(request), [device], now=clock.now())
    return Status(204, None)


@router.get("/device-figures", response=DeviceFigures, auth=reads)
def read_device_figures(request: HttpRequest) -> Any:
    """How the school's fleet stands at this moment."""
    found = figures_for(actor_of(request), today=clock.now().date())
    kinds: dict[str, Any] = {"standing": Standing, "platform": Platform, "condition": Condition}
    counts: dict[str, Any] = {
        kind: {_word(words(int(key))): number for key, number in found.counts.get(kind, {}).items()}
        for kind, words in kinds.items()
    }
    counts |= {kind: found.counts.get(kind, {}) for kind in ("seen", "compliance", "wear")}
    return {"devices": found.devices, "incidents": found.counts.get("incidents", 0), **counts}


# -- tickets ----------------------------------------------------------------------------------------------------------


def _ticket(line: tickets.TicketLine) -> dict[str, Any]:
    names = ("id", "label", "admits_unknown", "uses_left", "created_at", "expires_at", "revoked_at", "came")
    return {name: getattr(line, name) for name in names} | {
        "platform": _word(line.platform) if line.platform else None
    }


@router.get("/enrolment-tickets", response=list[TicketRow], auth=reads)
def list_tickets(request: HttpRequest) -> Any:
    """The hundred newest tickets. Their codes are told only when they are made."""
    return [_ticket(line) for line in tickets.tickets_for(actor_of(request))]


@router.post("/enrolment-tickets", response={201: TicketMade}, auth=writes)
def make_ticket(request: HttpRequest, body: TicketSent) -> Any:
    """Make a code by which devices come in. It ends by itself."""
    made = enrolling.make_ticket(
        actor_of(request),
        now=clock.now(),
        class_id=body.class_id,
        platform=_named(Platform, body.platform),
        label=body.label,
        admits_unknown=body.admits_unknown,
        uses=body.uses,
        lasts=timedelta(days=body.days),
    )
    return Status(201, _ticket(tickets.ticket_line(made, 0)) | {"code": enrolling.code_shown(made)})


@router.delete("/enrolment-tickets/{ticket}", response={204: None}, auth=writes)
def revoke_ticket(request: HttpRequest, ticket: Id) -> Any:
    """Let nothing come in by it any more."""
    enrolling.revoke_ticket(actor_of(request), ticket, now=clock.now())
    return Status(204, None)


# -- deliveries -------------------------------------------------------------------------------------------------------


@router.post("/device-deliveries", response={200: IntakeRow, 201: IntakeRow}, auth=writes)
def take_in_devices(request: HttpRequest, file: File[UploadedFile], body: Form[IntakeSent]) -> Any:
    """Take in a list of devices as CSV or .xlsx, whole or not at all; the same list again changes nothing.

    200 with `taken_in` false where it has errors, holds nothing new, or `dry_run` only asked.
    """
    actor, now = actor_of(request), clock.now()
    if (file.size or 0) > lists.MOST_BYTES:
        raise lists.TooManyDevices
    platform, today = _named(Platform, body.platform), clock.today(actor.place.time_zone)
    found = lists.read_list((file.name or "").replace("\0", ""), file.read())
    judged = intake.judged(actor, found, platform=platform, today=today)
    if judged.errors or body.dry_run == "true":
        return Status(200, _intake(judged, taken_in=False))
    delivery, judged = intake.take_in(
        actor,
        found,
        platform=platform,
        today=today,
        now=now,
        name=body.name,
        file_name=(file.name or "").replace("\0", ""),
        supplier=body.supplier,
    )
    return Status(200 if delivery is None else 201, _intake(judged, taken_in=delivery is not None))


def _intake(found: intake.Intake, *, taken_in: bool) -> dict[str, Any]:
    findings = [finding for line in found.lines for finding in line.findings]
    return {
        "taken_in": taken_in,
        "new": found.new,
        "changed": found.changed,
        "same": found.same,
        "findings": [
            {
                "line": one.line,
                "code": one.trouble.value,
                "value": one.value,
                "what": str(wording.TROUBLES[one.trouble]),
                "forbids": one.forbids,
            }
            for one in findings[:1000]
        ],
    }


# -- commands ---------------------------------------------------------------------------------------------------------


def _command(line: one_device.CommandLine) -> dict[str, Any]:
    names = ("id", "device_id", "created_at", "expires_at", "sent_at", "ended_at", "attempts")
    return {name: getattr(line, name) for name in names} | {
        "verb": _word(line.verb),
        "state": _word(line.state),
        "batch": str(line.batch),
    }


class CommandsAsked(Schema):
    """Which commands are listed."""

    device_id: Id | None = told("Only those of this device.", 512, default=None)
    state: StateWord | None = told("Only those that are so far.", "failed", default=None)


@router.get("/device-commands", response=Page[CommandRow], auth=reads)
def list_device_commands(
    request: HttpRequest, response: HttpResponse, asked: Query[CommandsAsked], part: Query[Paged]
) -> Any:
    """What devices were told, the newest first."""
    found: Slice = one_device.commands_after(
        actor_of(request),
        key_of(part.cursor, int),
        limit=part.limit,
        device_id=asked.device_id,
        state=_named(CommandState, asked.state),
    )
    items = []
    for row in found.rows:
        item = dict(zip(one_device.COMMAND, row, strict=True))
        item |= {"verb": _word(Verb(item["verb"])), "state": _word(CommandState(item["state"]))}
        items.append(item | {"batch": str(item["batch"])})
    return page_of(request, response, items, found.following)


@router.post("/device-commands", response={201: CommandsMade}, auth=writes)
def tell_devices(request: HttpRequest, body: CommandsSent) -> Any:
    """Tell devices something. What wipes or runs a script waits until a person of the school agrees on its pages."""
    actor = actor_of(request)
    one_device.access_devices(actor, body.device_ids)
    batch = commands.tell_devices(
        actor,
        body.device_ids,
        _named(Verb, body.verb),
        {"text": body.text, "script": str(body.script_id or "")},
        now=clock.now(),
        lasts=timedelta(hours=body.hours) if body.hours else None,
        reason=body.reason,
    )
    made = [_command(line) for line in one_device.commands_of_batch(actor, batch)]
    return Status(201, {"batch": str(batch), "commands": made})


@router.delete("/device-commands/{command}", response={204: None}, auth=writes)
def cancel_device_command(request: HttpRequest, command: Id) -> Any:
    """Take a command back. A device that holds it already may still carry it out."""
    commands.cancel_command(actor_of(request), command, now=clock.now())
    return Status(204, None)
