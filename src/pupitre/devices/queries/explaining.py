"""What applies to a device and why: every setting with its value, whose word it is, and what holds at this hour besides."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F

from pupitre.devices.models import Device, Lease, LessonRule, PolicyVersion
from pupitre.devices.rules import Level, schedules
from pupitre.devices.rules.composing import Desired, compose
from pupitre.devices.rules.secrets import hidden
from pupitre.people import queries as people
from pupitre.tenancy import queries as tenancy

from .layers import Whom, chain_of, layers_for
from .policies import Owner, names_of

_ENTRY: Final = re.compile(r"(rule|lease)-([0-9]+)(?:-[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Ruling:
    """A lesson rule or a lease that holds now: what it says, until when (aware), and who made it ('' where not known)."""

    id: str
    label: str
    is_lease: bool
    lifts_rules: bool
    until: datetime | None
    by: str
    class_title: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reason:
    """One setting: the value that holds at this moment, and why.

    `value` is the policies' word (None where only a rule says anything of it), `ruling` what is laid over it now, `now` what
    comes of both. Secrets are `True`. `overridden` names the policies whose word does not count, wide to narrow.
    """

    key: str
    now: Any
    value: Any
    level: Level | None
    whom: str
    policy_id: int
    policy: str
    by: str
    is_locked: bool
    overridden: tuple[tuple[Level, str], ...]
    ruling: Ruling | None


@dataclass(frozen=True, slots=True)
class Explained:
    """What applies to a device. `changes_at` is the next bell at which something else holds."""

    version: str
    zone: str
    reasons: tuple[Reason, ...]
    rulings: tuple[Ruling, ...]
    changes_at: datetime | None
    is_applied: bool


def explain(device: Device, *, now: datetime, applied: str = "") -> Explained:
    """What applies to the device at this moment, within the scope of its school or authority; the right to see the device is
    the caller's question. `applied` is the version that it reported. A constant number of statements.
    """
    chain = chain_of(device)
    layers = layers_for(chain.whoms, chain.authority_id)
    desired = compose(list(layers.values()), chain.platform)
    zone = tenancy.school_by_id(device.school_id).time_zone
    holding = schedules.holding_at(desired.schedule, now, zone)
    rulings = _rulings(desired, holding.entries, now, zone)
    return Explained(
        version=desired.version,
        zone=zone,
        reasons=tuple(_reasons(desired, holding, rulings, _sources(desired, device))),
        rulings=tuple(rulings.values()),
        changes_at=schedules.next_change(desired.schedule, now, zone),
        is_applied=bool(applied) and applied == desired.version,
    )


@dataclass(frozen=True, slots=True)
class _Sources:
    """What policies and whoms are called today, and who made the policies' versions."""

    policies: Mapping[int, tuple[str, str]]
    whoms: Mapping[Whom, str]


def _reasons(
    desired: Desired, holding: schedules.Holding, rulings: Mapping[str, Ruling], sources: _Sources
) -> Iterable[Reason]:
    shown, ruled = hidden(desired.settings), hidden(holding.settings)
    for key in sorted({*shown, *ruled}):
        one = desired.applied.get(key)
        said = holding.says(key)
        name, by = sources.policies.get(one.policy_id, (one.policy, "")) if one else ("", "")
        yield Reason(
            key=key,
            now=ruled.get(key, shown.get(key)),
            value=shown.get(key),
            level=one.level if one else None,
            whom=sources.whoms.get((one.level, one.whom), "") if one else "",
            policy_id=one.policy_id if one else 0,
            policy=name,
            by=by,
            is_locked=one.is_locked if one else False,
            overridden=one.overridden if one else (),
            ruling=rulings.get(str(said["id"])) if said else None,
        )


def _sources(desired: Desired, device: Device) -> _Sources:
    ids = {one.policy_id for one in desired.applied.values()}
    versions = PolicyVersion.objects.filter(
        authority_id=device.authority_id, policy_id__in=ids, number=F("policy__current")
    ).values_list("policy_id", "policy__name", "made_by__display_name")
    said = {(one.level, one.whom) for one in desired.applied.values()}
    names = names_of(Owner(device.authority_id, device.school_id), said)
    return _Sources({policy: (name, by or "") for policy, name, by in versions}, names)


def _rulings(
    desired: Desired, entries: Collection[schedules.Entry], now: datetime, zone: str
) -> dict[str, Ruling]:
    rows = _rows(entries)
    found = {}
    for entry in entries:
        kind, number = _parts(entry)
        by, title = rows.get((kind, number), ("", ""))
        found[str(entry["id"])] = Ruling(
            id=str(entry["id"]),
            label=str(entry.get("label", "")),
            is_lease=schedules.is_lease(entry),
            lifts_rules=bool(entry.get("lifts_rules")),
            until=schedules.until(desired.schedule, entry, now, zone),
            by=by,
            class_title=title,
            settings=entry.get("settings", {}),
        )
    return found


def _parts(entry: schedules.Entry) -> tuple[str, int]:
    match = _ENTRY.fullmatch(str(entry.get("id", "")))
    return (match[1], int(match[2])) if match else ("", 0)


def _rows(entries: Collection[schedules.Entry]) -> dict[tuple[str, int], tuple[str, str]]:
    """Who made the rules and leases, and for which class; nobody outside the school reads that."""
    wanted: dict[str, list[int]] = {"rule": [], "lease": []}
    for entry in entries:
        kind, number = _parts(entry)
        wanted.get(kind, []).append(number)
    found: dict[tuple[str, int], tuple[str, str]] = {}
    if wanted["rule"]:
        rules = LessonRule.objects.filter(pk__in=wanted["rule"])
        for pk, by, title in rules.values_list("pk", "created_by__display_name", "klass__title"):
            found["rule", pk] = (by or "", title)
    if wanted["lease"]:
        leases = list(
            Lease.objects.filter(pk__in=wanted["lease"]).values_list("pk", "given_by_id", "klass__title")
        )
        names = people.names_of([given_by for _, given_by, _ in leases if given_by])
        for pk, given_by, title in leases:
            found["lease", pk] = (names.get(given_by or 0, ""), title)
    return found
