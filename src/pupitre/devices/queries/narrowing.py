"""A search of devices as SQL, for the school's lists and the authority's alike.

The statements call a device `d` and its status `s`. More than one policy reads these tables, so each statement names the
school or the authority besides.
"""

from datetime import date
from typing import Any, Final

from pupitre.devices.rules import Standing
from pupitre.devices.rules.fleet import (
    GOOD_FROM,
    WORN_FROM,
    Compliance,
    Held,
    Search,
    Seen,
    Wear,
    plain_serial,
    seen_between,
)
from pupitre.kernel.text import fold

_COMPLIANCE: Final = {
    Compliance.YES: "s.is_compliant",
    Compliance.NO: "s.is_compliant = false",
}
_WEAR: Final = {
    Wear.GOOD: f"s.battery_health >= {GOOD_FROM}",
    Wear.WORN: f"s.battery_health >= {WORN_FROM} AND s.battery_health < {GOOD_FROM}",
    Wear.SPENT: f"s.battery_health < {WORN_FROM}",
}
#: What a device has not told. Looked up device by device in the list's order: as a join all of them would be read.
_UNTOLD: Final = "(SELECT x.{0} FROM devices_devicestatus x WHERE x.device_id = d.id AND x.authority_id = %(authority)s) IS NULL"
_HELD: Final = {Held.YES: "d.holder_id IS NOT NULL", Held.NO: "d.holder_id IS NULL"}
#: In a school: each word in the device's own words, or at the beginning of its holder's names.
_IN_SCHOOL: Final = (
    "(strpos(d.search_key, %({name})s) > 0 OR d.holder_id IN (SELECT w.id FROM people_person w "
    "WHERE w.school_id = %(school)s AND (w.family_key ^@ %({name})s OR w.given_key ^@ %({name})s)))"
)
#: Among half a million: the beginning of a serial, tag or number, each of which has an index.
_IN_AUTHORITY: Final = "(d.serial ^@ %(serial)s OR d.asset_tag ^@ %(tag)s OR d.asset_tag ^@ %(upper_tag)s OR d.number ^@ %(number)s)"


def narrowing(search: Search, *, today: date, in_school: bool) -> tuple[list[str], dict[str, Any]]:
    """Conditions, and the facts that they name. Devices out of use are left out unless they are asked for."""
    conditions: list[str] = []
    facts: dict[str, Any] = {}
    _words(search, conditions, facts, in_school=in_school)
    _own(search, conditions, facts)
    _reported(search, today, conditions, facts, in_school=in_school)
    return conditions, facts


def _words(search: Search, conditions: list[str], facts: dict[str, Any], *, in_school: bool) -> None:
    if not search.words:
        return
    if in_school:
        for place, word in enumerate(fold(search.words).split()):
            conditions.append(_IN_SCHOOL.format(name=f"word{place}"))
            facts[f"word{place}"] = word
        return
    conditions.append(_IN_AUTHORITY)
    facts |= {
        "serial": plain_serial(search.words),
        "tag": search.words,
        "upper_tag": search.words.upper(),
        "number": search.words.lower(),
    }


def _own(search: Search, conditions: list[str], facts: dict[str, Any]) -> None:
    if search.standing is None:
        conditions.append(f"d.standing <> {Standing.RETIRED.value}")
    equal = {
        "d.standing": search.standing,
        "d.condition": search.condition,
        "d.platform": search.platform,
        "d.model": search.model or None,
    }
    for place, (column, value) in enumerate(equal.items()):
        if value is not None:
            conditions.append(f"{column} = %(own{place})s")
            facts[f"own{place}"] = value if isinstance(value, str) else int(value)
    if search.held is not None:
        conditions.append(_HELD[search.held])
    if search.klass:
        conditions.append("%(klass)s = ANY(d.groups)")
        facts["klass"] = search.klass


def _reported(
    search: Search, today: date, conditions: list[str], facts: dict[str, Any], *, in_school: bool
) -> None:
    untold = "s.{0} IS NULL" if in_school else _UNTOLD
    if search.os_version:
        conditions.append("s.os_version = %(version)s")
        facts["version"] = search.os_version
    if search.compliance is not None:
        conditions.append(_COMPLIANCE.get(search.compliance, untold.format("is_compliant")))
    if search.wear is not None:
        conditions.append(_WEAR.get(search.wear, untold.format("battery_health")))
    if search.seen is None:
        return
    first, last = seen_between(search.seen, today)
    if search.seen is Seen.NEVER:
        conditions.append(untold.format("seen_on"))
    if first is not None:
        conditions.append("s.seen_on >= %(seen_from)s")
        facts["seen_from"] = first
    if last is not None:
        conditions.append("s.seen_on <= %(seen_until)s")
        facts["seen_until"] = last
