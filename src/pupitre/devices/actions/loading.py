"""Bringing a whole fleet at once: from another system, or the demonstration's.

Rows are copied by the thousand. Everything that a person does to one device has its own action.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from pupitre.devices.models import (
    Application,
    ApplicationVersion,
    Delivery,
    Device,
    Installation,
    Rollout,
    Wave,
)
from pupitre.devices.rules import Condition, Platform, Standing
from pupitre.devices.rules.loading import (
    NewApplication,
    NewDelivery,
    NewDevice,
    NewInstallation,
    NewRollout,
)
from pupitre.kernel.text import fold
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import bulk

_DEVICE = (
    "id", "school_id", "authority_id", "number", "serial", "imei", "asset_tag", "name", "platform", "protocol", "maker",
    "model", "standing", "condition", "holder_id", "class_id", "groups", "public_key", "ticket_id", "delivery_id",
    "warranty_until", "created_at", "enrolled_at", "retired_at", "search_key", "notes",
)  # fmt: skip
_STATUS = (
    "school_id", "authority_id", "device_id", "last_seen_at", "seen_on", "address", "battery", "is_charging",
    "battery_health", "os_version", "agent_version", "storage_free", "applied", "applied_at", "problems", "is_compliant",
)  # fmt: skip
_INVENTORY = ("school_id", "device_id", "applications", "hardware", "digest", "reported_at")
_EVENT = ("school_id", "device_id", "happened_at", "kind", "facts", "account_id")
_LOAN = (
    "id", "school_id", "device_id", "person_id", "state", "starts_on", "due_on", "ended_at", "accessories", "contract_key",
    "conditions", "signed_by_id", "signed_at", "returned", "continues_id", "created_at", "created_by_id", "notes",
)  # fmt: skip
_INCIDENT = (
    "school_id", "device_id", "loan_id", "condition", "told", "happened_on", "reported_at", "reported_by_id", "closed_at",
    "outcome",
)  # fmt: skip
_COMMAND = (
    "school_id", "device_id", "verb", "arguments", "state", "supersede_key", "batch", "created_at", "not_before",
    "expires_at", "requested_by_id", "approved_by_id", "approved_at", "reason", "attempts", "sent_at", "ended_at", "result",
)  # fmt: skip
_INSTALLATION = ("school_id", "authority_id", "device_id", "version", "state", "reported_at", "message")


@transaction.atomic
def load_fleet(
    actor: Actor, devices: Sequence[NewDevice], deliveries: Iterable[NewDelivery] = ()
) -> dict[str, int]:
    """Write the school's devices with all that hangs on them; answers their ids by number.

    Their groups are to be found afterwards (`actions.placing`).
    """
    require(actor, OFFICE)
    ids = bulk.next_ids("devices_device", len(devices))
    bought = _deliveries(actor, deliveries)
    bulk.insert_rows("devices_device", _DEVICE, map(_Row(actor, bought).device, devices, ids))
    row = _Row(actor, bought)
    pairs = list(zip(devices, ids, strict=True))
    spoken = [(one.status, id_) for one, id_ in pairs if one.status]
    bulk.insert_rows("devices_devicestatus", _STATUS, (row.status(status, id_) for status, id_ in spoken))
    bulk.insert_rows(
        "devices_inventory", _INVENTORY, (row.inventory(*one) for one in pairs if one[0].applications)
    )
    bulk.insert_rows("devices_deviceevent", _EVENT, (line for one in pairs for line in row.events(*one)))
    _load_loans(row, pairs)
    bulk.insert_rows("devices_command", _COMMAND, (line for one in pairs for line in row.commands(*one)))
    return {one.number: id_ for one, id_ in pairs}


def _deliveries(actor: Actor, deliveries: Iterable[NewDelivery]) -> dict[str, int]:
    school = actor.place
    made = Delivery.objects.bulk_create(
        Delivery(
            school_id=school.id,
            authority_id=school.authority_id,
            name=one.name,
            supplier=one.supplier,
            delivered_on=one.delivered_on,
            warranty_until=one.warranty_until,
            created_at=one.created_at,
        )
        for one in deliveries
    )
    return {one.name: one.pk for one in made}


def _load_loans(row: "_Row", pairs: list[tuple[NewDevice, int]]) -> None:
    numbers = iter(bulk.next_ids("devices_loan", sum(len(one.loans) for one, _ in pairs)))
    loans, incidents = [], []
    for one, device_id in pairs:
        last = None
        for loan in one.loans:
            last = next(numbers)
            loans.append(row.loan(loan, device_id, last))
        incidents += [row.incident(told, device_id, last) for told in one.incidents]
    bulk.insert_rows("devices_loan", _LOAN, loans)
    bulk.insert_rows("devices_incident", _INCIDENT, incidents)


class _Row:
    """Facts as rows, in the columns' order."""

    def __init__(self, actor: Actor, deliveries: dict[str, int]) -> None:
        self.school, self.authority, self.deliveries = actor.place.id, actor.place.authority_id, deliveries

    def device(self, one: NewDevice, id_: int) -> tuple[Any, ...]:
        words = fold(f"{one.serial} {one.asset_tag} {one.name} {one.number} {one.model}")
        return (
            id_, self.school, self.authority, one.number, one.serial, "", one.asset_tag, one.name, int(one.platform),
            int(one.protocol), one.maker, one.model, int(one.standing), int(one.condition), one.holder, one.klass, "{}", None,
            None, self.deliveries.get(one.delivery), one.warranty_until, one.created_at, one.enrolled_at, one.retired_at,
            words, one.notes,
        )  # fmt: skip

    def status(self, one: Any, device: int) -> tuple[Any, ...]:
        seen = one.last_seen_at
        return (
            self.school, self.authority, device, seen, seen.date(), "", one.battery, one.is_charging, one.battery_health,
            one.os_version, one.agent_version, one.storage_free, "", None, json.dumps(list(one.problems)), one.is_compliant,
        )  # fmt: skip

    def inventory(self, one: NewDevice, device: int) -> tuple[Any, ...]:
        at = one.status.last_seen_at if one.status else one.created_at
        return (
            self.school,
            device,
            json.dumps(dict(one.applications)),
            json.dumps(dict(one.hardware)),
            "",
            at,
        )

    def events(self, one: NewDevice, device: int) -> Iterable[tuple[Any, ...]]:
        for at, kind, facts in one.events:
            yield (self.school, device, at, kind, json.dumps(dict(facts)), None)

    def loan(self, one: Any, device: int, id_: int) -> tuple[Any, ...]:
        returned = None if one.returned is None else _array(one.returned)
        return (
            id_, self.school, device, one.person, int(one.state), one.starts_on, one.due_on, one.ended_at,
            _array(one.accessories), "", one.conditions, one.signed_by, one.signed_at, returned, None, one.created_at, None, "",
        )  # fmt: skip

    def incident(self, one: Any, device: int, loan: int | None) -> tuple[Any, ...]:
        return (
            self.school, device, loan, int(one.condition), one.told, one.happened_on, one.reported_at, one.reported_by,
            one.closed_at, one.outcome,
        )  # fmt: skip

    def commands(self, one: NewDevice, device: int) -> Iterable[tuple[Any, ...]]:
        for told in one.commands:
            yield (
                self.school, device, int(told.verb), json.dumps(dict(told.arguments)), int(told.state), "", str(uuid4()),
                told.created_at, told.created_at, told.expires_at, told.requested_by, told.approved_by,
                told.created_at if told.approved_by else None, told.reason, 1 if told.sent_at else 0, told.sent_at,
                told.ended_at, json.dumps(dict(told.result)),
            )  # fmt: skip


def _array(words: Iterable[str]) -> str:
    """Words as PostgreSQL writes an array of text."""
    return "{" + ",".join(json.dumps(one, ensure_ascii=False) for one in words) + "}"


@transaction.atomic
def load_applications(
    authority_id: int, applications: Iterable[NewApplication]
) -> dict[tuple[str, str], int]:
    """Write an authority's catalogue, in its scope; answers the versions' ids by (package, version)."""
    found: dict[tuple[str, str], int] = {}
    for one in applications:
        app = Application.objects.create(
            authority_id=authority_id,
            package=one.package,
            name=one.name,
            platform=int(one.platform),
            kind=one.kind,
            publisher=one.publisher,
            created_at=one.created_at,
        )
        for version in one.versions:
            found[one.package, version.version] = ApplicationVersion.objects.create(
                authority_id=authority_id,
                application=app,
                version=version.version,
                code=version.code,
                size=version.size,
                url=version.url,
                sha256=version.sha256,
                created_at=one.created_at,
            ).pk
        for rollout in one.rollouts:
            _load_rollout(authority_id, one.package, rollout, found)
    return found


def _load_rollout(
    authority_id: int, package: str, told: NewRollout, versions: dict[tuple[str, str], int]
) -> None:
    rollout = Rollout.objects.create(
        authority_id=authority_id,
        version_id=versions[package, told.version],
        previous_id=versions.get((package, told.previous)),
        state=int(told.state),
        failure_limit=told.failure_limit,
        least_reports=told.least_reports,
        site_budget=told.site_budget,
        created_at=told.created_at,
        why_halted=told.why_halted,
    )
    Wave.objects.bulk_create(
        Wave(
            authority_id=authority_id,
            rollout=rollout,
            number=wave.number,
            schools=sorted(wave.schools),
            share=wave.share,
            starts_at=wave.starts_at,
        )
        for wave in told.waves
    )


def load_installations(actor: Actor, reports: Iterable[NewInstallation], ids: dict[str, int]) -> int:
    """What the school's devices (`ids` by number) reported of versions that they had not reported of before."""
    require(actor, OFFICE)
    school = actor.place
    held = set(Installation.objects.values_list("device_id", "version"))
    return bulk.insert_rows(
        "devices_installation",
        _INSTALLATION,
        (
            (
                school.id,
                school.authority_id,
                ids[one.number],
                one.version,
                int(one.state),
                one.reported_at,
                one.message,
            )
            for one in reports
            if (ids[one.number], one.version) not in held
        ),
    )


# The devices of a demonstration call themselves by numbers of their own; what speaks by itself is left alone. How long ago each
# was last heard of follows from its number: most a moment ago, some this morning, a few weeks ago.
_KEEP = """
UPDATE devices_devicestatus s
   SET last_seen_at = %(now)s - k.ago, seen_on = ((%(now)s - k.ago) AT TIME ZONE 'UTC')::date, battery = k.battery,
       is_charging = k.battery < 95 AND k.spread %% 5 = 0
  FROM (SELECT d.id, h.spread, 100 - (h.spread / 7 + extract(epoch FROM %(now)s)::bigint / 600) %% 92 AS battery,
               CASE WHEN h.spread %% 100 < 70 THEN make_interval(secs => h.spread %% 890)
                    WHEN h.spread %% 100 < 88 THEN make_interval(mins => 20 + h.spread %% 700)
                    WHEN h.spread %% 100 < 96 THEN make_interval(hours => 26 + h.spread %% 90)
                    ELSE make_interval(days => 8 + h.spread %% 40) END AS ago
          FROM devices_device d CROSS JOIN LATERAL (SELECT (hashtext(d.number) & 1048575) AS spread) h
         WHERE d.school_id = %(school)s AND d.standing = %(enrolled)s AND d.condition IN (1, 2)
           AND starts_with(d.number, %(prefix)s)) k
 WHERE s.school_id = %(school)s AND s.device_id = k.id
"""


def let_them_speak(actor: Actor, *, prefix: str, now: datetime) -> int:
    """Have the devices whose number begins with `prefix` been heard of at times before `now`; answers how many."""
    require(actor, OFFICE)
    facts: dict[str, Any] = {
        "now": now,
        "school": actor.place.id,
        "prefix": prefix,
        "enrolled": Standing.ENROLLED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, facts)
        return int(cursor.rowcount)


def wait_for_turn(actor: Actor) -> None:
    """Two that load at once would load twice: the second waits until the first's transaction ends, and then sees."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('pupitre.devices.loading'), %s)", [actor.place.id]
        )


def has_devices(actor: Actor, *, prefix: str) -> bool:
    require(actor, OFFICE)
    return Device.objects.filter(number__startswith=prefix).exists()


def numbers_heard(actor: Actor, *, prefix: str, platform: Platform) -> dict[str, int]:
    """The ids, by number, of the enrolled devices of a platform whose number begins so."""
    require(actor, OFFICE)
    found = Device.objects.filter(
        number__startswith=prefix,
        platform=int(platform),
        standing=Standing.ENROLLED,
        condition=Condition.GOOD,
    )
    return dict(found.values_list("number", "id"))
