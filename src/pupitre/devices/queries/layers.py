"""What policies say to whom: assignments with their policies' words, targets, and the chains of devices."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection

from pupitre.devices.models import Device
from pupitre.devices.rules import Level, Platform
from pupitre.devices.rules.compiling import Assigned
from pupitre.devices.rules.composing import Layer, layer_of

#: A level and the id of whom it is for: all that a target is known by, besides its authority.
Whom = tuple[Level, int]

_ASSIGNED: Final = """
SELECT a.level, a.whom, a.id, p.id, p.name, v.document, a.rank, a.platform, a.school_id IS NULL AND a.level > 1
  FROM devices_assignment a
  JOIN devices_policy p ON p.authority_id = a.authority_id AND p.id = a.policy_id
  JOIN devices_policyversion v ON v.policy_id = p.id AND v.number = p.current
 WHERE a.authority_id = %(authority)s AND (a.school_id IS NULL OR a.school_id = %(school)s OR %(all_schools)s)
   AND a.ended_at IS NULL
   AND p.archived_at IS NULL
   AND (a.level, a.whom) IN (SELECT * FROM unnest(%(levels)s::smallint[], %(whoms)s::bigint[]))
   AND (a.starts_on IS NULL OR a.starts_on <= %(today)s) AND (a.ends_on IS NULL OR a.ends_on >= %(today)s)
"""

_TARGETS: Final = """
SELECT t.level, t.whom, t.revision, t.document
  FROM unnest(%(levels)s::smallint[], %(whoms)s::bigint[]) AS w (level, whom)
  JOIN devices_target t ON t.authority_id = %(authority)s AND t.level = w.level AND t.whom = w.whom
"""


def assigned_to(
    whoms: Collection[Whom], *, authority_id: int, school_id: int | None, today: date
) -> dict[Whom, list[Assigned]]:
    """The policies that are assigned to each of them on that date; `school_id` is that of the scope. In an authority's it is
    None, and what schools gave within themselves is found, too.
    """
    found: dict[Whom, list[Assigned]] = {whom: [] for whom in whoms}
    facts = {
        "authority": authority_id,
        "school": school_id,
        "all_schools": school_id is None,
        "levels": [int(level) for level, _ in whoms],
        "whoms": [whom for _, whom in whoms],
        "today": today,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ASSIGNED, facts)
        for level, whom, assignment, policy, name, document, rank, platform, is_wider in cursor.fetchall():
            said = plain(document)
            one = Assigned(
                assignment,
                policy,
                name,
                said.get("settings", {}),
                frozenset(said.get("locked", ())),
                rank,
                platform,
                is_wider,
            )
            found[Level(level), whom].append(one)
    return found


def plain(found: Any) -> Any:
    """A jsonb column, which a raw cursor hands over as text."""
    return json.loads(found) if isinstance(found, str) else found


@dataclass(frozen=True, slots=True)
class Chain:
    """What decides the state of a device, besides its own: the same for many devices."""

    authority_id: int
    school_id: int
    platform: Platform
    groups: tuple[int, ...] = ()
    holder_id: int | None = None
    device_id: int | None = None

    @property
    def whoms(self) -> list[Whom]:
        found: list[Whom] = [(Level.AUTHORITY, self.authority_id), (Level.SCHOOL, self.school_id)]
        found += [(Level.GROUP, group) for group in self.groups]
        if self.holder_id is not None:
            found.append((Level.PERSON, self.holder_id))
        if self.device_id is not None:
            found.append((Level.DEVICE, self.device_id))
        return found


def chain_of(device: Device) -> Chain:
    """The chain of one device."""
    return Chain(
        device.authority_id,
        device.school_id,
        Platform(device.platform),
        tuple(device.groups),
        device.holder_id,
        device.pk,
    )


def layers_of(chain: Chain) -> list[Layer]:
    """The layers of a chain, in the scope of its school; one statement."""
    return list(layers_for(chain.whoms, chain.authority_id).values())


def layers_for(whoms: Iterable[Whom], authority_id: int) -> dict[Whom, Layer]:
    """The layers of those for whom anything is said; one statement."""
    wanted = list(whoms)
    facts: dict[str, int | list[int]] = {
        "authority": authority_id,
        "levels": [int(level) for level, _ in wanted],
        "whoms": [whom for _, whom in wanted],
    }
    with connection.cursor() as cursor:
        cursor.execute(_TARGETS, facts)
        rows = cursor.fetchall()
    return {
        (Level(level), whom): layer_of(
            {"level": level, "whom": whom, "revision": revision, "document": plain(document)}
        )
        for level, whom, revision, document in rows
    }
