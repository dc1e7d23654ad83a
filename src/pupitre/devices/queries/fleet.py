"""A school's devices: the list, its filters, and who may see which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from pupitre.courses import queries as courses
from pupitre.devices.models import SavedView
from pupitre.devices.rules import CARES, SEES, Condition, Platform, Standing
from pupitre.devices.rules.fleet import Search, label_of
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, require
from pupitre.timetable.queries import lessons, teaching

from .narrowing import narrowing

#: Lines of a page.
SHOWN: Final = 50


class Order(StrEnum):
    """By what a school's devices are put in order."""

    LABEL = "label"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device as lists show it. `holder` and `klass` are '' where nobody has it."""

    id: int
    asset_tag: str
    serial: str
    name: str
    number: str
    platform: Platform
    maker: str
    model: str
    standing: Standing
    condition: Condition
    holder_id: int | None
    holder: str
    klass: str
    last_seen_at: datetime | None
    battery: int | None
    battery_health: int | None
    os_version: str
    is_compliant: bool | None

    @property
    def label(self) -> str:
        return label_of(asset_tag=self.asset_tag, name=self.name, serial=self.serial, number=self.number)


_LABEL: Final = "coalesce(nullif(d.asset_tag, ''), nullif(d.name, ''), nullif(d.serial, ''), d.number)"
_NAME: Final = "coalesce(coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, '')"
_KEYS: Final = {Order.LABEL: _LABEL, Order.SEEN: "coalesce(s.last_seen_at, 'epoch')"}
_LIST: Final = """
SELECT {key}, d.id, d.asset_tag, d.serial, d.name, d.number, d.platform, d.maker, d.model, d.standing, d.condition, d.holder_id,
       {name}, coalesce(c.title, ''), s.last_seen_at, s.battery, s.battery_health, coalesce(s.os_version, ''), s.is_compliant
  FROM devices_device d
  LEFT JOIN devices_devicestatus s ON s.school_id = d.school_id AND s.device_id = d.id
  LEFT JOIN people_person p ON p.school_id = d.school_id AND p.id = d.holder_id
  LEFT JOIN courses_class c ON c.school_id = d.school_id AND c.id = d.class_id
 WHERE d.school_id = %(school)s AND {wanted}
 ORDER BY {key}, d.id LIMIT %(most)s
"""
_AFTER: Final = {
    Order.LABEL: "({key}, d.id) > (%(after_key)s, %(after_id)s)",
    Order.SEEN: "({key}, d.id) > (%(after_key)s::timestamptz, %(after_id)s)",
}
_COUNT: Final = """
SELECT count(*) FROM devices_device d
  LEFT JOIN devices_devicestatus s ON s.school_id = d.school_id AND s.device_id = d.id
 WHERE d.school_id = %(school)s AND {wanted}
"""
_CHOICES: Final = """
SELECT array(SELECT DISTINCT d.model FROM devices_device d WHERE d.school_id = %(school)s AND d.model <> '' ORDER BY 1),
       array(SELECT DISTINCT s.os_version FROM devices_devicestatus s WHERE s.school_id = %(school)s AND s.os_version <> '' ORDER BY 1)
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a list; `following` is the key to go on behind, None at the end."""

    lines: list[DeviceLine]
    following: tuple[Any, ...] | None


def devices_for(
    actor: Actor,
    search: Search,
    *,
    today: date,
    order: Order = Order.LABEL,
    after: tuple[Any, ...] | None = None,
    limit: int = SHOWN,
    ids: Iterable[int] | None = None,
) -> Part:
    """The school's devices that a search asks for; one statement. `after` is what `following` was."""
    require(actor, CARES)
    conditions, facts = narrowing(search, today=today, in_school=True)
    key = _KEYS[order]
    if after is not None:
        conditions.append(_AFTER[order].format(key=key))
        facts |= {"after_key": after[0], "after_id": after[1]}
    if ids is not None:
        conditions.append("d.id = ANY(%(ids)s)")
        facts["ids"] = list(ids)
    rows = _rows(actor, conditions, facts, key, limit + 1)
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    following = None if last is None else (_plain(last[0]), last[1])
    return Part([line_of(row[1:]) for row in rows[:limit]], following)


def _plain(key: Any) -> str:
    return key.isoformat() if isinstance(key, datetime) else str(key)


def _rows(
    actor: Actor, conditions: Sequence[str], facts: Mapping[str, Any], key: str, most: int
) -> list[tuple[Any, ...]]:
    statement = _LIST.format(key=key, name=_NAME, wanted=" AND ".join(conditions) or "true")
    with connection.cursor() as cursor:
        cursor.execute(statement, {**facts, "school": actor.place.id, "most": most})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def line_of(row: Sequence[Any]) -> DeviceLine:
    told = list(row)
    told[5], told[8], told[9] = Platform(told[5]), Standing(told[8]), Condition(told[9])
    return DeviceLine(*told)


def count_for(actor: Actor, search: Search, *, today: date) -> int:
    """How many devices a search finds."""
    require(actor, CARES)
    conditions, facts = narrowing(search, today=today, in_school=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT.format(wanted=" AND ".join(conditions) or "true"), {**facts, "school": actor.place.id}
        )
        return int(cursor.fetchall()[0][0])


def choices_for(actor: Actor) -> tuple[list[str], list[str]]:
    """The models and the systems' versions that the school's devices have."""
    require(actor, CARES)
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES, {"school": actor.place.id})
        models, versions = cursor.fetchall()[0]
    return models, versions


# -- classes ----------------------------------------------------------------------------------------------------------

_BY_CLASS: Final = """
SELECT c.id, c.title, c.kind, count(d.id) FROM courses_class c
  JOIN devices_device d ON d.school_id = c.school_id AND c.id = ANY(d.groups) AND d.standing = %(enrolled)s
 WHERE c.school_id = %(school)s AND d.school_id = %(school)s AND c.ended_on IS NULL AND (%(all)s OR c.id = ANY(%(classes)s))
 GROUP BY c.id, c.title, c.kind ORDER BY c.kind, c.title, c.id
"""


@dataclass(frozen=True, slots=True)
class ClassDevices:
    """A class, and how many devices its pupils have or it shares."""

    id: int
    title: str
    kind: str
    devices: int


def classes_with_devices(actor: Actor, *, today: date) -> list[ClassDevices]:
    """The classes that have devices: all of the school's, or those that a teacher teaches."""
    require(actor, SEES)
    cares = actor.is_any(CARES)
    own = [] if cares else sorted(teaching.classes_taught_by(actor, today))
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_CLASS,
            {"school": actor.place.id, "all": cares, "classes": own, "enrolled": Standing.ENROLLED.value},
        )
        return [ClassDevices(*row) for row in cursor.fetchall()]


def access_class_devices(actor: Actor, class_id: int, *, today: date) -> tuple[Any, list[DeviceLine]]:
    """A class with its devices, for who cares for all of them and for its teachers. Raises NotFound."""
    require(actor, SEES)
    if not actor.is_any(CARES) and class_id not in teaching.classes_taught_by(actor, today):
        raise NotFound
    klass = courses.access_class(actor, class_id)
    facts = {"klass": class_id, "enrolled": Standing.ENROLLED.value}
    rows = _rows(actor, ["%(klass)s = ANY(d.groups)", "d.standing = %(enrolled)s"], facts, _NAME, 200)
    return klass, [line_of(row[1:]) for row in rows]


def classes_taught_now(actor: Actor, *, now: datetime) -> dict[int, datetime]:
    """The classes before which the actor stands at this moment, with the end of the lesson. One statement."""
    school = actor.place
    today = clock.local(now, school.time_zone).date()
    held = lessons.lessons_of_day(school, today, teacher_id=actor.person_id)
    return {
        one.class_id: one.ends_at
        for one in held
        if one.is_under_way(now) and one.is_taught_by(actor.person_id)
    }


# -- saved views ------------------------------------------------------------------------------------------------------


def views_for(actor: Actor) -> list[dict[str, Any]]:
    """The searches that the actor keeps, and those that others share."""
    require(actor, CARES)
    rows = SavedView.objects.filter(school_id=actor.place.id).order_by("name", "id")
    found = rows.values("id", "name", "query", "is_shared", "person_id")
    return [
        {**row, "is_own": row["person_id"] == actor.person_id}
        for row in found
        if row["is_shared"] or row["person_id"] == actor.person_id
    ]
