"""Telling devices to do something once, and the second person's word about what destroys or exposes."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Q

from pupitre.connections.queries import opener_of
from pupitre.devices.models import Command, Device, Script
from pupitre.devices.queries.device import access_command
from pupitre.devices.queries.fleet import classes_taught_now
from pupitre.devices.rules import (
    ACTIVE,
    CARES,
    SEES,
    AlreadyEnded,
    CommandState,
    NotYours,
    Platform,
    SecondPersonNeeded,
    Standing,
    Verb,
)
from pupitre.devices.rules import commanding as rules
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, require

# Only devices that are enrolled listen. Those that cannot run a script are left out of it.
_TELL: Final = """
INSERT INTO devices_command (school_id, device_id, verb, arguments, state, supersede_key, batch, created_at, not_before, expires_at,
                             requested_by_id, reason, attempts, result)
SELECT d.school_id, d.id, %(verb)s, %(arguments)s::jsonb, %(state)s, %(key)s, %(batch)s, %(now)s, %(not_before)s, %(expires_at)s,
       %(account)s, %(reason)s, 0, '{}'
  FROM devices_device d
 WHERE d.school_id = %(school)s AND d.id = ANY(%(devices)s) AND d.standing = %(enrolled)s
   AND (%(platform)s::smallint IS NULL OR d.platform = %(platform)s)
 ORDER BY d.id
RETURNING device_id
"""
_LATER: Final = "later"
_OPEN: Final = [state.value for state in (CommandState.PROPOSED, *ACTIVE)]


@transaction.atomic
def tell_devices(
    actor: Actor,
    device_ids: Collection[int],
    verb: Verb,
    arguments: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    lasts: timedelta | None = None,
    reason: str = "",
) -> UUID:
    """Tell devices of the school to do something once; answers the act's number, the same for all of them.

    What needs a second person waits for one. Teachers tell devices of classes before which they stand; their lock ends with
    the lesson by itself.
    """
    require(actor, SEES)
    told = rules.arguments_of(verb, arguments or {})
    until = None
    if not actor.is_any(CARES):
        rules.teachers_verb(verb)
        until = _taught_until(actor, device_ids, now=now)
        lasts = rules.teachers_lasting(verb, lasts, left=until - now)
    platform = _platform_of(actor, told) if verb is Verb.RUN_SCRIPT else None
    batch, state = uuid4(), rules.first_state(verb)
    facts = {
        "verb": verb.value,
        "arguments": told,
        "state": state.value,
        "key": rules.supersede_key_of(verb),
        "batch": batch,
        "not_before": now,
        "expires_at": now + rules.lasting(verb, lasts),
        "reason": reason.strip()[:300],
        "platform": platform,
    }
    if state is CommandState.QUEUED:
        _supersede(actor.place.id, device_ids, verb, now=now)
    if not _insert(actor, device_ids, facts, now=now):
        raise rules.NothingToTell
    if until is not None and verb is Verb.LOCK:
        _unlock_at(actor, device_ids, until, now=now)
    return batch


def _insert(
    actor: Actor, device_ids: Collection[int], facts: Mapping[str, Any], *, now: datetime
) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            _TELL,
            {
                **facts,
                "arguments": json.dumps(facts["arguments"]),
                "school": actor.place.id,
                "devices": sorted(set(device_ids)),
                "now": now,
                "account": actor.account_id or None,
                "enrolled": Standing.ENROLLED.value,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def _platform_of(actor: Actor, told: Mapping[str, Any]) -> int:
    """Of the script that shall run: the school's own or its authority's."""
    own = Q(school_id=actor.place.id) | Q(school_id=None, authority_id=actor.place.authority_id)
    found = Script.objects.filter(own, pk=told["script"], archived_at__isnull=True).first()
    if found is None:
        raise NotFound
    return Platform(found.platform).value


def _taught_until(actor: Actor, device_ids: Collection[int], *, now: datetime) -> datetime:
    """When the first lesson of these devices ends. Teachers tell those that they teach at this moment, and no others."""
    taught = classes_taught_now(actor, now=now)
    rows = Device.objects.filter(school_id=actor.place.id, pk__in=list(device_ids)).values_list(
        "groups", flat=True
    )
    found = list(rows)
    if len(found) != len(set(device_ids)) or any(not taught.keys() & set(groups) for groups in found):
        raise NotYours
    return min((max(taught[one] for one in groups if one in taught) for groups in found), default=now)


def _supersede(school_id: int, device_ids: Collection[int], verb: Verb, *, now: datetime) -> None:
    key = rules.supersede_key_of(verb)
    if not key:
        return
    keys = [key, f"{key}-{_LATER}"]
    Command.objects.filter(
        school_id=school_id,
        device_id__in=list(device_ids),
        supersede_key__in=keys,
        state__in=[state.value for state in ACTIVE],
    ).update(state=CommandState.SUPERSEDED.value, ended_at=now)


@transaction.atomic
def tell_class(
    actor: Actor, class_id: int, verb: Verb, arguments: Mapping[str, Any] | None = None, *, now: datetime
) -> UUID:
    """Tell all devices of a class. A teacher's lock ends with her lesson by itself."""
    require(actor, SEES)
    until = classes_taught_now(actor, now=now).get(class_id)
    if until is None and not actor.is_any(CARES):
        raise NotYours
    devices = list(
        Device.objects.filter(
            school_id=actor.place.id, groups__contains=[class_id], standing=Standing.ENROLLED.value
        ).values_list("pk", flat=True)
    )
    if until is None or verb is not Verb.LOCK or not actor.is_any(CARES):
        return tell_devices(actor, devices, verb, arguments, now=now)
    batch = tell_devices(
        actor, devices, verb, arguments, now=now, lasts=max(until - now, timedelta(minutes=1))
    )
    _unlock_at(actor, devices, until, now=now)
    return batch


def _unlock_at(actor: Actor, device_ids: Collection[int], at: datetime, *, now: datetime) -> None:
    """Whoever locks after this takes its place."""
    facts = {
        "verb": Verb.UNLOCK.value,
        "arguments": {},
        "state": CommandState.QUEUED.value,
        "key": f"{rules.supersede_key_of(Verb.UNLOCK)}-{_LATER}",
        "batch": uuid4(),
        "not_before": at,
        "expires_at": at + rules.LASTS[Verb.UNLOCK],
        "reason": "",
        "platform": None,
    }
    _insert(actor, device_ids, facts, now=now)


# -- the way of a command ---------------------------------------------------------------------------------------------


@transaction.atomic
def approve_batch(actor: Actor, batch: UUID, *, now: datetime) -> int:
    """Agree, as the second person, to what somebody asked for. Who asked cannot, nor who opened the connection that did."""
    proposed = _proposed(actor, batch)
    one = proposed[0]
    asked = one.requested_by_id
    if not actor.account_id or asked is None or actor.account_id in (asked, opener_of(asked)):
        raise SecondPersonNeeded
    verb = Verb(one.verb)
    _supersede(actor.place.id, [row.device_id for row in proposed], verb, now=now)
    return Command.objects.filter(
        school_id=actor.place.id, batch=batch, state=CommandState.PROPOSED.value
    ).update(
        state=CommandState.QUEUED.value,
        approved_by_id=actor.account_id,
        approved_at=now,
        not_before=now,
        expires_at=now + (one.expires_at - one.created_at),
    )


@transaction.atomic
def reject_batch(actor: Actor, batch: UUID, *, now: datetime) -> int:
    """Say no to what somebody asked for, or take back what one asked for oneself."""
    proposed = _proposed(actor, batch)
    is_own = proposed[0].requested_by_id == actor.account_id
    state = CommandState.CANCELLED if is_own else CommandState.REJECTED
    return Command.objects.filter(
        school_id=actor.place.id, batch=batch, state=CommandState.PROPOSED.value
    ).update(
        state=state.value,
        approved_by_id=None if is_own else actor.account_id or None,
        approved_at=now,
        ended_at=now,
    )


def _proposed(actor: Actor, batch: UUID) -> list[Command]:
    require(actor, CARES)
    found = list(
        Command.objects.filter(school_id=actor.place.id, batch=batch).select_for_update().order_by("id")
    )
    if not found:
        raise NotFound
    proposed = [one for one in found if one.state == CommandState.PROPOSED]
    if not proposed:
        raise AlreadyEnded
    return proposed


@transaction.atomic
def cancel_command(actor: Actor, command_id: int, *, now: datetime) -> Command:
    """Take a command back that has not been answered. A device that holds it already may still carry it out."""
    command = access_command(actor, command_id)
    changed = Command.objects.filter(school_id=actor.place.id, pk=command_id, state__in=_OPEN).update(
        state=CommandState.CANCELLED.value, ended_at=now
    )
    if not changed:
        raise AlreadyEnded
    command.state, command.ended_at = CommandState.CANCELLED.value, now
    return command


@transaction.atomic
def repeat_command(actor: Actor, command_id: int, *, now: datetime) -> UUID:
    """Tell the device the same once more, after it failed or was too late. A second person is asked again, too."""
    command = access_command(actor, command_id)
    if command.state not in {state.value for state in rules.FAILED}:
        raise AlreadyEnded
    return tell_devices(
        actor, [command.device_id], Verb(command.verb), command.arguments, now=now, reason=command.reason
    )


@transaction.atomic
def expire_commands(school_id: int, *, now: datetime) -> int:
    """End what no device fetched in time, and what no second person decided."""
    return Command.objects.filter(school_id=school_id, state__in=_OPEN, expires_at__lte=now).update(
        state=CommandState.EXPIRED.value, ended_at=now
    )
