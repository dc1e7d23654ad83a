"""Taking lists of devices in: looked at line by line before, all or nothing, and the same list again changes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from django.core import signing
from django.db import connection, transaction
from django.db.models import Q

from pupitre.courses import queries as courses
from pupitre.devices.models import Delivery, Device, Loan
from pupitre.devices.rules import CARES, LoanState, Platform, Standing
from pupitre.devices.rules.events import EventKind
from pupitre.devices.rules.fleet import new_number, search_key_of
from pupitre.devices.rules.intake import Column, DeviceList, Finding, Listed, Trouble, read_list
from pupitre.kernel.errors import Conflict, Refused
from pupitre.kernel.text import fold
from pupitre.people.rules import Actor, require

from .assigning import hold
from .noting import note
from .placing import place

#: Between the preview and its confirmation the list travels in the page, signed.
_SALT: Final = "devices.intake"
_LASTS: Final = 24 * 3600


class ListHasErrors(Refused):
    """There are errors in this list. Nothing was taken in; mend them and choose the file again."""


class PreviewEnded(Conflict):
    """This preview is older than a day, or not of this school. Choose the file again."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a list beside what the school knows: new, changed, or the same."""

    listed: Listed
    device_id: int | None
    person_id: int | None
    person: str
    class_id: int | None
    is_changed: bool
    findings: tuple[Finding, ...] = ()

    @property
    def is_new(self) -> bool:
        return self.device_id is None and not any(one.forbids for one in self.findings)


@dataclass(frozen=True, slots=True)
class Intake:
    """What would become of a list."""

    lines: tuple[Line, ...]
    columns: Mapping[Column, str]
    ignored: tuple[str, ...]

    @property
    def new(self) -> int:
        return sum(one.is_new for one in self.lines)

    @property
    def changed(self) -> int:
        return sum(one.device_id is not None and one.is_changed for one in self.lines)

    @property
    def same(self) -> int:
        return sum(one.device_id is not None and not one.is_changed for one in self.lines)

    @property
    def errors(self) -> int:
        return sum(finding.forbids for one in self.lines for finding in one.findings)


def preview(actor: Actor, *, name: str, data: bytes, platform: Platform, today: date) -> Intake:
    """Read a file and set it beside the school's devices, people and classes. Changes nothing."""
    require(actor, CARES)
    found = read_list(name, data)
    return judged(actor, found, platform=platform, today=today)


def judged(actor: Actor, found: DeviceList, *, platform: Platform, today: date) -> Intake:
    """A list that was read, beside what the school knows. Four statements at most, however long it is."""
    listed = [one if one.platform else replace(one, platform=platform) for one in found.devices]
    known = _known(actor, listed)
    persons = _persons({one.person for one in listed if one.person}, actor)
    classes = _classes(actor, {one.klass for one in listed if one.klass}, today)
    lent = _lent(actor, {row["id"] for row in known.values()})
    lines = []
    for one in listed:
        findings = [finding for finding in found.findings if finding.line == one.line]
        device = (known.get(f"s{one.serial}") if one.serial else None) or (
            known.get(f"i{one.imei}") if one.imei else None
        )
        person = persons.get(fold(one.person)) if one.person else None
        klass = classes.get(fold(one.klass)) if one.klass else None
        if one.person and person is None:
            findings.append(Finding(one.line, Trouble.PERSON, one.person))
        if one.klass and klass is None:
            findings.append(Finding(one.line, Trouble.CLASS, one.klass))
        findings += _about_known(one, device, person, lent)
        is_changed = device is not None and _differs(one, device, person, klass, lent)
        lines.append(
            Line(
                one,
                device["id"] if device else None,
                person[0] if person else None,
                person[1] if person else "",
                klass,
                is_changed,
                tuple(findings),
            )
        )
    return Intake(tuple(lines), found.columns, found.ignored)


def _known(actor: Actor, listed: Sequence[Listed]) -> dict[str, dict[str, Any]]:
    """The school's devices of those serials and IMEIs, by `s` and `i` before them."""
    own = Q(serial__in=[one.serial for one in listed if one.serial])
    own |= Q(imei__in=[one.imei for one in listed if one.imei])
    columns = (
        *("id", "number", "serial", "imei", "asset_tag", "name", "maker", "model", "platform", "standing"),
        *("warranty_until", "holder_id", "klass_id"),
    )
    found: dict[str, dict[str, Any]] = {}
    for row in Device.objects.filter(own, school_id=actor.place.id).values(*columns):
        if row["serial"]:
            found[f"s{row['serial']}"] = row
        if row["imei"]:
            found[f"i{row['imei']}"] = row
    return found


def _persons(words: set[str], actor: Actor) -> dict[str, tuple[int, str]]:
    """Persons by what a list calls them: sourcedId, user name, identifier, or e-mail address. One statement."""
    if not words:
        return {}
    wanted = sorted({word.lower() for word in words})
    with connection.cursor() as cursor:
        cursor.execute(_PERSONS, {"school": actor.place.id, "words": wanted})
        rows = cursor.fetchall()
    found: dict[str, tuple[int, str]] = {}
    for person_id, name, *keys in rows:
        for key in keys:
            if key:
                found.setdefault(fold(key), (person_id, name))
    return found


_PERSONS: Final = """
SELECT p.id, coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, p.sourced_id, p.username, p.identifier, p.email
  FROM people_person p
 WHERE p.school_id = %(school)s AND p.ended_on IS NULL
   AND (lower(p.sourced_id) = ANY(%(words)s) OR lower(p.username) = ANY(%(words)s) OR lower(p.identifier) = ANY(%(words)s)
        OR lower(p.email) = ANY(%(words)s))
 ORDER BY p.id
"""


def _classes(actor: Actor, words: set[str], today: date) -> dict[str, int]:
    if not words:
        return {}
    found = courses.classes_for(actor, today=today)
    # Forms come first in the list, and a form's title is what people mean.
    return {fold(one.title): one.id for one in reversed(found)}


def _lent(actor: Actor, device_ids: Iterable[int]) -> set[int]:
    open_states = [LoanState.PROPOSED.value, LoanState.RUNNING.value]
    rows = Loan.objects.filter(
        school_id=actor.place.id, device_id__in=list(device_ids), state__in=open_states
    )
    return set(rows.values_list("device_id", flat=True))


def _about_known(
    one: Listed, device: Mapping[str, Any] | None, person: tuple[int, str] | None, lent: set[int]
) -> list[Finding]:
    if device is None:
        return []
    told = []
    if device["standing"] == Standing.RETIRED:
        told.append(Finding(one.line, Trouble.RETIRED, one.serial or one.imei))
    if device["standing"] == Standing.WAITING:
        told.append(Finding(one.line, Trouble.WAITS, one.serial or one.imei))
    if person is not None and device["id"] in lent and device["holder_id"] != person[0]:
        told.append(Finding(one.line, Trouble.LENT, one.serial or one.imei))
    return told


_TOLD: Final = ("serial", "imei", "asset_tag", "name", "maker", "model", "warranty_until")


def _differs(
    one: Listed,
    device: Mapping[str, Any],
    person: tuple[int, str] | None,
    klass: int | None,
    lent: set[int],
) -> bool:
    """Whether the list says something that the school does not know yet; what it does not say changes nothing."""
    says = any(getattr(one, name) and getattr(one, name) != device[name] for name in _TOLD)
    gives = person is not None and device["holder_id"] != person[0] and device["id"] not in lent
    return says or gives or (klass is not None and device["klass_id"] != klass)


# -- carrying it out --------------------------------------------------------------------------------------------------


def seal(actor: Actor, found: DeviceList, *, platform: Platform) -> str:
    """The list for the page of its preview: as it was read, signed for this school."""
    rows = [
        {
            **asdict(one),
            "platform": int(one.platform or platform),
            "warranty_until": str(one.warranty_until or ""),
        }
        for one in found.devices
    ]
    return signing.dumps(
        {"school": actor.place.id, "platform": platform.value, "rows": rows}, salt=_SALT, compress=True
    )


def unseal(actor: Actor, sealed: str) -> tuple[DeviceList, Platform]:
    """What `seal` made. Raises PreviewEnded."""
    try:
        told = signing.loads(sealed, salt=_SALT, max_age=_LASTS)
    except signing.BadSignature:
        raise PreviewEnded from None
    if told["school"] != actor.place.id:
        raise PreviewEnded
    devices = tuple(
        Listed(
            **{
                **row,
                "platform": Platform(row["platform"]),
                "warranty_until": date.fromisoformat(row["warranty_until"])
                if row["warranty_until"]
                else None,
            }
        )
        for row in told["rows"]
    )
    return DeviceList(devices, ()), Platform(told["platform"])


@transaction.atomic
def take_in(
    actor: Actor,
    found: DeviceList,
    *,
    platform: Platform,
    today: date,
    now: datetime,
    name: str,
    file_name: str = "",
    supplier: str = "",
    delivered_on: date | None = None,
    warranty_until: date | None = None,
) -> tuple[Delivery | None, Intake]:
    """Take a list in, whole or not at all. What is known already is brought up to date; nothing new makes no delivery.

    Devices of the list are let in when they come by a ticket. Raises ListHasErrors.
    """
    require(actor, CARES)
    intake = judged(actor, found, platform=platform, today=today)
    if intake.errors:
        raise ListHasErrors
    if not intake.new and not intake.changed:
        return None, intake
    delivery = Delivery.objects.create(
        school_id=actor.place.id,
        authority_id=actor.place.authority_id,
        name=" ".join(name.split())[:100] or file_name[:100] or today.isoformat(),
        file_name=file_name[:200],
        supplier=" ".join(supplier.split())[:100],
        delivered_on=delivered_on,
        warranty_until=warranty_until,
        created_at=now,
        created_by_id=actor.account_id or None,
    )
    made = _make(actor, [one for one in intake.lines if one.is_new], delivery, now)
    changed = [one for one in intake.lines if one.device_id is not None and one.is_changed]
    _change(actor, changed)
    _give(actor, [*made, *((one.device_id or 0, one) for one in changed)], now=now)
    return delivery, intake


def _make(actor: Actor, lines: Sequence[Line], delivery: Delivery, now: datetime) -> list[tuple[int, Line]]:
    rows = [_row(actor, one, delivery, now) for one in lines]
    Device.objects.bulk_create(rows, batch_size=1000)
    note(actor, [row.pk for row in rows], EventKind.EXPECTED, now=now, facts={"delivery": delivery.name})
    return [(row.pk, line) for row, line in zip(rows, lines, strict=True)]


def _row(actor: Actor, line: Line, delivery: Delivery, now: datetime) -> Device:
    one = line.listed
    number = new_number()
    return Device(
        school_id=actor.place.id,
        authority_id=actor.place.authority_id,
        number=number,
        serial=one.serial,
        imei=one.imei,
        asset_tag=one.asset_tag,
        name=one.name,
        platform=(one.platform or Platform.ANDROID).value,
        maker=one.maker,
        model=one.model,
        standing=Standing.EXPECTED.value,
        klass_id=line.class_id,
        delivery=delivery,
        warranty_until=one.warranty_until or delivery.warranty_until,
        created_at=now,
        search_key=search_key_of(
            serial=one.serial, asset_tag=one.asset_tag, name=one.name, number=number, model=one.model
        ),
    )


def _change(actor: Actor, lines: Sequence[Line]) -> None:
    """What the list says is laid over what is known."""
    rows = {
        row.pk: row
        for row in Device.objects.filter(school_id=actor.place.id, pk__in=[one.device_id for one in lines])
    }
    for line in lines:
        row, one = rows[line.device_id or 0], line.listed
        for name in _TOLD:
            if getattr(one, name):
                setattr(row, name, getattr(one, name))
        if line.class_id is not None:
            row.klass_id = line.class_id
        row.search_key = search_key_of(
            serial=row.serial, asset_tag=row.asset_tag, name=row.name, number=row.number, model=row.model
        )
    Device.objects.bulk_update(list(rows.values()), [*_TOLD, "klass_id", "search_key"], batch_size=500)


def _give(actor: Actor, lines: Sequence[tuple[int, Line]], *, now: datetime) -> None:
    """Holders by the list, but not of what is lent; then the classes."""
    lent = _lent(actor, [device_id for device_id, _ in lines])
    holders = {
        device_id: line.person_id
        for device_id, line in lines
        if line.person_id is not None and device_id not in lent
    }
    if holders:
        hold(actor, dict(holders), now=now)
    place(actor.place.id, [device_id for device_id, _ in lines])
