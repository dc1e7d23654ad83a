"""Who has which device: one by hand, or a whole class in one act, looked at before."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction

from pupitre.courses import queries as courses
from pupitre.devices.models import Device
from pupitre.devices.queries.device import access_devices
from pupitre.devices.rules import CARES, LoanState, Standing
from pupitre.devices.rules.assigning import (
    Giving,
    Mode,
    NobodyToGive,
    Plan,
    PlanChanged,
    Source,
    paired,
    wanted_words,
)
from pupitre.devices.rules.events import EventKind, HoldersChanged
from pupitre.devices.rules.fleet import plain_serial
from pupitre.kernel import events
from pupitre.kernel.errors import NotFound
from pupitre.people import queries as people
from pupitre.people.rules import Actor, require

from .enrolling import refuse_lent
from .noting import note
from .placing import place

_HOLD: Final = """
UPDATE devices_device d SET holder_id = w.person, class_id = CASE WHEN %(with_class)s THEN %(klass)s ELSE d.class_id END
  FROM unnest(%(devices)s::bigint[], %(persons)s::bigint[]) AS w(device, person)
 WHERE d.school_id = %(school)s AND d.id = w.device
"""
# What a plan is made of: devices in the order of their labels with who has them, and whether they are lent.
_CANDIDATES: Final = """
SELECT d.id, coalesce(nullif(d.asset_tag, ''), nullif(d.name, ''), nullif(d.serial, ''), d.number) AS label,
       coalesce(coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, ''), d.serial, d.asset_tag, d.number,
       EXISTS (SELECT FROM devices_loan l WHERE l.school_id = d.school_id AND l.device_id = d.id AND l.state = ANY(%(open)s))
  FROM devices_device d LEFT JOIN people_person p ON p.school_id = d.school_id AND p.id = d.holder_id
 WHERE d.school_id = %(school)s AND d.standing = ANY(%(standings)s) AND {wanted}
 ORDER BY label, d.id LIMIT 3000
"""
_WANTED: Final = {
    Source.FREE: "d.holder_id IS NULL AND d.class_id IS NULL AND d.condition = 1",
    Source.CLASS: "(%(from_class)s = ANY(d.groups) OR d.class_id = %(from_class)s)",
    Source.LIST: "(d.serial = ANY(%(serials)s) OR d.asset_tag = ANY(%(tags)s) OR d.number = ANY(%(tags)s))",
}
_IN_USE: Final = [Standing.EXPECTED.value, Standing.ENROLLED.value]


@transaction.atomic
def assign_device(actor: Actor, device_id: int, person_id: int | None, *, now: datetime) -> Device:
    """Give a device to a person of the school, or take it back (`person_id` None). What is lent is left to its loan."""
    (device,) = access_devices(actor, [device_id])
    if device.standing == Standing.RETIRED:
        raise NotFound
    person = people.access_person(actor, person_id) if person_id is not None else None
    refuse_lent(actor.place.id, [device_id])
    hold(actor, {device_id: person.pk if person else None}, now=now)
    device.refresh_from_db()
    return device


@transaction.atomic
def share_device(actor: Actor, device_id: int, class_id: int | None, *, now: datetime) -> Device:
    """Make a device a class's own, or no class's."""
    (device,) = access_devices(actor, [device_id])
    device.klass = courses.access_class(actor, class_id) if class_id else None
    device.save(update_fields=["klass"])
    note(
        actor,
        [device_id],
        EventKind.CLASS_CHANGED,
        now=now,
        facts={"class": device.klass.title if device.klass else ""},
    )
    _told(actor, [device_id])
    return device


def hold(
    actor: Actor,
    holders: Mapping[int, int | None],
    *,
    now: datetime,
    with_class: bool = False,
    class_id: int | None = None,
) -> None:
    """Set who has these devices (device -> person), and with `with_class` whose they are; part of an action.

    Lending sets holders by this, too: histories and classes follow.
    """
    devices = sorted(holders)
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLD,
            {
                "school": actor.place.id,
                "devices": devices,
                "persons": [holders[one] for one in devices],
                "with_class": with_class,
                "klass": class_id,
            },
        )
    given = [one for one in devices if holders[one] is not None]
    taken = [one for one in devices if holders[one] is None]
    if given:
        note(actor, given, EventKind.ASSIGNED, now=now)
    if taken:
        note(actor, taken, EventKind.UNASSIGNED, now=now)
    _told(actor, devices)


def _told(actor: Actor, device_ids: list[int]) -> None:
    place(actor.place.id, device_ids)
    events.publish(HoldersChanged(actor.place.id, tuple(device_ids)))


# -- a whole class ----------------------------------------------------------------------------------------------------


def plan_class(
    actor: Actor,
    class_id: int,
    *,
    source: Source,
    mode: Mode,
    today: date,
    from_class_id: int | None = None,
    words: str = "",
) -> Plan:
    """What would become of which device if a class got them. Changes nothing.

    Devices that are lent are left out: their loans say who has them. With `Source.CLASS` from the class itself, pupils
    that have one keep it.
    """
    require(actor, CARES)
    courses.access_class(actor, class_id)
    found = _candidates(actor, source, from_class_id, words)
    lent = tuple(row[1] for row in found if row[6])
    free = [row for row in found if not row[6]]
    unknown = _unknown(words, found) if source is Source.LIST else ()
    if mode is Mode.SHARED:
        givings = tuple(Giving(row[0], row[1], row[2], None, "") for row in free)
        return Plan(givings, unknown=unknown, lent=lent)
    persons = _without_device(actor, class_id, [row[0] for row in free], today)
    givings, without, left = paired([(row[0], row[1], row[2]) for row in free], persons)
    return Plan(givings, without, left, unknown, lent)


def _candidates(actor: Actor, source: Source, from_class_id: int | None, words: str) -> list[tuple[Any, ...]]:
    if source is Source.CLASS:
        courses.access_class(actor, from_class_id or 0)
    wanted = wanted_words(words)
    facts: dict[str, Any] = {
        "school": actor.place.id,
        "standings": _IN_USE,
        "open": [LoanState.PROPOSED.value, LoanState.RUNNING.value],
        "from_class": from_class_id,
        "serials": [plain_serial(word) for word in wanted],
        "tags": wanted,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES.format(wanted=_WANTED[source]), facts)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    if source is Source.LIST:
        places = {word: place for place, word in enumerate(wanted)}
        upper = {plain_serial(word): place for word, place in places.items()}
        rows.sort(
            key=lambda row: min(upper.get(row[3], 9999), places.get(row[4], 9999), places.get(row[5], 9999))
        )
    return rows


def _unknown(words: str, found: list[tuple[Any, ...]]) -> tuple[str, ...]:
    known = {told for row in found for told in (row[3], row[4], row[5])}
    return tuple(
        word for word in wanted_words(words) if word not in known and plain_serial(word) not in known
    )


def _without_device(actor: Actor, class_id: int, but: list[int], today: date) -> list[tuple[int, str]]:
    """The pupils of the class, by name, who have no device besides those that are given anew."""
    pupils = [(one.pk, one.full_name) for one in courses.pupils_of([class_id], today=today)]
    having = set(
        Device.objects.filter(
            school_id=actor.place.id, holder_id__in=[pk for pk, _ in pupils], standing__in=_IN_USE
        )
        .exclude(pk__in=but)
        .values_list("holder_id", flat=True)
    )
    return [pupil for pupil in pupils if pupil[0] not in having]


@transaction.atomic
def assign_class(
    actor: Actor, class_id: int, *, plan: Plan, fingerprint: str, mode: Mode, now: datetime
) -> int:
    """Carry a plan out in one act. Refused where it is not the one that was looked at any more."""
    require(actor, CARES)
    klass = courses.access_class(actor, class_id)
    if plan.fingerprint != fingerprint:
        raise PlanChanged
    if not plan.givings:
        raise NobodyToGive
    hold(
        actor,
        {one.device_id: one.person_id for one in plan.givings},
        now=now,
        with_class=True,
        class_id=klass.pk if mode is Mode.SHARED else None,
    )
    return len(plan.givings)
