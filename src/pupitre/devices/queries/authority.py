"""The fleet of an authority: all its schools in figures, and half a million devices by search, filter and part.

Nobody's name is read here. In the authority's scope only what `FleetModel` opens can be seen at all.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from pupitre.devices.models import AuthoritySavedView
from pupitre.devices.rules import Condition, Platform, Standing
from pupitre.devices.rules.fleet import Compliance, Search, Seen, Wear, label_of
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, Role
from pupitre.tenancy import queries as tenancy

from .figures import Figures
from .narrowing import narrowing

#: Lines of a page: schools, devices.
SCHOOLS_SHOWN, SHOWN = 30, 50


class SchoolOrder(StrEnum):
    """By what the schools are put in order."""

    DEVICES = "devices"
    MISSING = "missing"
    UNSEEN = "unseen"
    WAITING = "waiting"
    BROKEN = "broken"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class SchoolFleet:
    """A school's fleet in figures, as it was last counted."""

    id: int
    name: str
    figures: Figures
    counted_at: datetime | None

    def number(self, order: SchoolOrder) -> int:
        return _NUMBERS[order](self.figures) if order in _NUMBERS else self.figures.devices


_NUMBERS: Final[Mapping[SchoolOrder, Any]] = {
    SchoolOrder.DEVICES: lambda one: one.devices,
    SchoolOrder.MISSING: lambda one: one.of("compliance", Compliance.NO),
    SchoolOrder.UNSEEN: lambda one: one.of("seen", Seen.LONGER) + one.of("seen", Seen.NEVER),
    SchoolOrder.WAITING: lambda one: one.of("standing", Standing.WAITING.value),
    SchoolOrder.BROKEN: lambda one: sum(
        one.of("condition", key.value) for key in Condition if key is not Condition.GOOD
    ),
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of an authority in figures: the sum of all its schools, and those of the part that is asked for."""

    name: str
    schools: int
    found: int
    total: Figures
    shown: list[SchoolFleet]
    oldest: datetime | None
    spent: int


_FIGURES: Final = """
SELECT s.id, s.name, f.devices, f.counts, f.counted_at
  FROM tenancy_school s
  LEFT JOIN devices_fleetfigure f ON f.school_id = s.id AND f.authority_id = %(authority)s
 WHERE s.authority_id = %(authority)s ORDER BY s.name, s.id
"""


def fleet_for(
    actor: Actor, *, order: SchoolOrder = SchoolOrder.DEVICES, words: str = "", page: int = 1
) -> Fleet:
    """The authority's schools by what was counted of their devices, never by the devices; at most three statements."""
    require_manager(actor)
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"authority": actor.authority_id})
        rows = cursor.fetchall()
    lines = [
        SchoolFleet(key, name, Figures(devices or 0, _plain(counts)), counted_at)
        for key, name, devices, counts, counted_at in rows
    ]
    wanted = set(tenancy.schools_named(actor.authority_id, words)) if words.strip() else None
    found = [one for one in lines if wanted is None or one.id in wanted]
    if order is not SchoolOrder.NAME:
        found.sort(key=lambda one: -one.number(order))
    part = found[(page - 1) * SCHOOLS_SHOWN : page * SCHOOLS_SHOWN]
    total = _sum(lines)
    return Fleet(
        tenancy.access_authority(actor.authority_id).name,
        len(lines),
        len(found),
        total,
        part,
        min((one.counted_at for one in lines if one.counted_at), default=None),
        total.of("wear", Wear.SPENT),
    )


def _plain(counts: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(counts) if isinstance(counts, str) else counts or {}
    return found


def _sum(lines: Sequence[SchoolFleet]) -> Figures:
    total: dict[str, Any] = {}
    for one in lines:
        for kind, counts in one.figures.counts.items():
            if isinstance(counts, dict):
                held = total.setdefault(kind, {})
                for key, number in counts.items():
                    held[key] = held.get(key, 0) + number
            else:
                total[kind] = total.get(kind, 0) + counts
    return Figures(sum(one.figures.devices for one in lines), total)


# -- devices ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FleetLine:
    """A device as the authority's lists show it: whether somebody has it, and not who."""

    id: int
    school_id: int
    school: str
    asset_tag: str
    serial: str
    name: str
    number: str
    platform: Platform
    maker: str
    model: str
    standing: Standing
    condition: Condition
    is_held: bool
    last_seen_at: datetime | None
    battery: int | None
    battery_health: int | None
    os_version: str
    is_compliant: bool | None

    @property
    def label(self) -> str:
        return label_of(asset_tag=self.asset_tag, name=self.name, serial=self.serial, number=self.number)


@dataclass(frozen=True, slots=True)
class Part:
    """Some devices in the order of their numbers; `following` is the last one's, None at the end."""

    lines: list[FleetLine]
    following: int | None


# The part is chosen before schools and the rest are looked up. The order is the key's: no index of half a million rows is
# sorted, and what is behind the part costs nothing.
_LIST: Final = """
WITH part AS MATERIALIZED (
    SELECT d.id FROM devices_device d
      {join}
     WHERE d.authority_id = %(authority)s AND {wanted} ORDER BY d.id LIMIT %(most)s
)
SELECT d.id, d.school_id, o.name, d.asset_tag, d.serial, d.name, d.number, d.platform, d.maker, d.model, d.standing, d.condition,
       d.holder_id IS NOT NULL, s.last_seen_at, s.battery, s.battery_health, coalesce(s.os_version, ''), s.is_compliant
  FROM part JOIN devices_device d ON d.id = part.id AND d.authority_id = %(authority)s
  JOIN tenancy_school o ON o.id = d.school_id
  LEFT JOIN devices_devicestatus s ON s.device_id = d.id AND s.authority_id = %(authority)s
 ORDER BY d.id
"""
_STATUS: Final = "LEFT JOIN devices_devicestatus s ON s.device_id = d.id AND s.authority_id = %(authority)s"


def statement_for(
    search: Search, *, today: date, after: int | None = None, authority_id: int, limit: int = SHOWN
) -> tuple[str, dict[str, Any]]:
    """The list's statement and its facts, for who wants to look at its plan."""
    conditions, facts = narrowing(search, today=today, in_school=False)
    if search.school:
        conditions.append("d.school_id = %(only_school)s")
        facts["only_school"] = search.school
    if after is not None:
        conditions.append("d.id > %(after)s")
        facts["after"] = after
    reported = any("s." in one for one in conditions)
    statement = _LIST.format(wanted=" AND ".join(conditions) or "true", join=_STATUS if reported else "")
    return statement, {**facts, "authority": authority_id, "most": limit + 1}


def fleet_devices(
    actor: Actor, search: Search, *, today: date, after: int | None = None, limit: int = SHOWN
) -> Part:
    """The devices that a search asks for, behind the one with the number `after`; one statement."""
    require_manager(actor)
    statement, facts = statement_for(
        search, today=today, after=after, authority_id=actor.authority_id, limit=limit
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, facts)
        rows = cursor.fetchall()
    lines = [_line(row) for row in rows[:limit]]
    return Part(lines, lines[-1].id if len(rows) > limit else None)


def _line(row: Sequence[Any]) -> FleetLine:
    told = list(row)
    told[7], told[10], told[11] = Platform(told[7]), Standing(told[10]), Condition(told[11])
    return FleetLine(*told)


def access_fleet_device(actor: Actor, device_id: int) -> FleetLine:
    """One device of the authority's schools, out of use or not. Raises NotFound."""
    require_manager(actor)
    statement = _LIST.format(wanted="d.id = %(device)s", join="")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"authority": actor.authority_id, "device": device_id, "most": 1})
        rows = cursor.fetchall()
    if not rows:
        raise NotFound
    return _line(rows[0])


_SCHOOLS_OF: Final = """
SELECT d.id, d.school_id FROM devices_device d WHERE d.authority_id = %(authority)s AND d.id = ANY(%(devices)s) ORDER BY d.school_id, d.id
"""


def by_school(actor: Actor, device_ids: Sequence[int]) -> dict[int, list[int]]:
    """Those devices, each of which there must be, by their schools."""
    require_manager(actor)
    with connection.cursor() as cursor:
        cursor.execute(_SCHOOLS_OF, {"authority": actor.authority_id, "devices": list(set(device_ids))})
        rows = cursor.fetchall()
    if len(rows) != len(set(device_ids)):
        raise NotFound
    found: dict[int, list[int]] = {}
    for device_id, school_id in rows:
        found.setdefault(school_id, []).append(device_id)
    return found


def schools_of(actor: Actor) -> Iterator[tuple[int, str]]:
    """The authority's schools, by name."""
    require_manager(actor)
    return ((one.id, one.name) for one in tenancy.schools_for(actor.authority_id))


def frequent(figures: Figures, kind: str) -> list[str]:
    """The models or versions that a filter offers: what was counted, the most frequent first."""
    found: dict[str, int] = {}
    for key, number in figures.counts.get(kind, {}).items():
        name = key.partition(":")[2] if kind == "os" else key
        found[name] = found.get(name, 0) + number
    return sorted(found, key=lambda name: (-found[name], name))[:60]


def authority_views_for(actor: Actor) -> list[dict[str, Any]]:
    """The searches that this manager keeps."""
    require_manager(actor)
    rows = AuthoritySavedView.objects.filter(authority_id=actor.authority_id, account_id=actor.account_id)
    return [dict(row) for row in rows.order_by("name", "id").values("id", "name", "query")]


def require_manager(actor: Actor) -> None:
    if Role.FLEET_MANAGER not in actor.authority_roles:
        raise NotFound
