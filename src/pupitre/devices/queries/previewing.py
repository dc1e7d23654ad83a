"""What a change of policies would touch, before it is made. Reckoned by distinct chains, not by devices."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db import connection

from pupitre.courses import queries as courses
from pupitre.devices.models import Assignment
from pupitre.devices.rules import Level, Platform
from pupitre.devices.rules.compiling import Assigned, compile_document
from pupitre.devices.rules.composing import Applied, Layer, compose, layer_of
from pupitre.devices.rules.secrets import hidden
from pupitre.people.rules import Actor
from pupitre.tenancy import queries as tenancy

from .layers import Chain, Whom, assigned_to, layers_for, plain
from .policies import Owner, access_policy, document_of, owner_for, require_whom

#: How many lines a list of schools or classes has; the rest is summed.
SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Given:
    """An assignment that is not made yet."""

    level: Level
    whom: int
    platform: Platform | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What is about to be done with a policy: say something else, be given to somebody, be taken back."""

    policy_id: int
    document: Mapping[str, Any] | None = None
    give: Given | None = None
    take: int | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that becomes another for so many devices. Secrets are `True`."""

    key: str
    before: Any
    after: Any
    devices: int


@dataclass
class Preview:
    """How many devices the change concerns, on how many something becomes different, and what."""

    concerned: int = 0
    changed: int = 0
    by_platform: Counter[Platform] = field(default_factory=Counter)
    by_school: Counter[int] = field(default_factory=Counter)
    by_class: Counter[int] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    @property
    def schools(self) -> list[tuple[str, int]]:
        """Schools with the devices that change there, the most first."""
        return [(self.names.get(one, ""), number) for one, number in self.by_school.most_common(SHOWN)]

    @property
    def classes(self) -> list[tuple[str, int]]:
        """Forms with the devices that change there, by name; only within a school."""
        found = [(self.names[one], number) for one, number in self.by_class.items() if one in self.names]
        return sorted(found)


# Rows whose chain has nothing of its own fall together: what a device's classes or its holder are is left out where nobody
# says anything for them. A school's page names forms, so it keeps the classes.
_CHAINS: Final = """
SELECT d.school_id, d.platform,
       CASE WHEN %(keep)s OR d.groups && %(groups)s::bigint[] THEN d.groups ELSE '{{}}' END AS groups,
       CASE WHEN d.holder_id = ANY(%(persons)s::bigint[]) THEN d.holder_id END AS holder,
       CASE WHEN d.id = ANY(%(devices)s::bigint[]) THEN d.id END AS device, count(*)
  FROM devices_device d
 WHERE {whose} AND d.standing <> 4 AND {concerned}
 GROUP BY 1, 2, 3, 4, 5
"""
_TARGETS: Final = """
SELECT level, whom, revision, document - 'schedule' FROM devices_target
 WHERE authority_id = %(authority)s AND (school_id IS NULL OR school_id = %(school)s OR %(school)s IS NULL)
"""


def preview(actor: Actor, change: Change, *, today: date) -> Preview:
    """What the change would make different if it were made today. A constant number of statements.

    Raises NotFound where the policy or the whom is not the actor's to decide about.
    """
    owner = owner_for(actor)
    policy = access_policy(actor, change.policy_id)
    if change.give is not None:
        require_whom(actor, change.give.level, change.give.whom)
    whoms = _concerned(owner, change)
    found = Preview()
    if not whoms:
        return found
    said = change.document if change.document is not None else document_of(policy)
    layers = _layers(owner)
    after = layers | _after(owner, change, whoms, layers, policy.name, said, today)
    _count(found, owner, layers, after, _chains(owner, whoms, layers.keys() | after.keys()))
    _name(found, owner)
    return found


def _concerned(owner: Owner, change: Change) -> list[Whom]:
    rows = Assignment.objects.filter(authority_id=owner.authority_id, ended_at__isnull=True)
    if owner.school_id is not None:
        rows = rows.filter(school_id=owner.school_id) | rows.filter(
            school_id__isnull=True, level=Level.SCHOOL, whom=owner.school_id
        )
    if change.take is not None:
        rows = rows.filter(pk=change.take)
    elif change.document is not None:
        rows = rows.filter(policy_id=change.policy_id)
    else:
        rows = rows.none()
    found = {(Level(level), whom) for level, whom in rows.values_list("level", "whom")}
    if change.give is not None:
        found.add((change.give.level, change.give.whom))
    return sorted(found)


def _layers(owner: Owner) -> dict[Whom, Layer]:
    with connection.cursor() as cursor:
        cursor.execute(_TARGETS, {"authority": owner.authority_id, "school": owner.school_id})
        rows = cursor.fetchall()
    return {
        (Level(level), whom): layer_of(
            {"level": level, "whom": whom, "revision": revision, "document": plain(document)}
        )
        for level, whom, revision, document in rows
    }


def _after(
    owner: Owner,
    change: Change,
    whoms: Collection[Whom],
    layers: Mapping[Whom, Layer],
    name: str,
    said: Mapping[str, Any],
    today: date,
) -> dict[Whom, Layer]:
    assigned = assigned_to(whoms, authority_id=owner.authority_id, school_id=owner.school_id, today=today)
    settings, locked = said.get("settings", {}), frozenset(said.get("locked", ()))
    found = {}
    for whom, words in assigned.items():
        changed = [_said(one, change, settings, locked) for one in words if one.assignment_id != change.take]
        if change.give is not None and (change.give.level, change.give.whom) == whom:
            give = change.give
            is_wider = owner.school_id is None and give.level > Level.AUTHORITY
            changed.append(
                Assigned(
                    2**62,
                    change.policy_id,
                    name,
                    settings,
                    locked,
                    give.rank,
                    give.platform,
                    is_wider=is_wider,
                )
            )
        revision = layers[whom].revision if whom in layers else 0
        document = compile_document(changed)
        found[whom] = layer_of(
            {"level": whom[0], "whom": whom[1], "revision": revision, "document": document}
        )
    return found


def _said(one: Assigned, change: Change, settings: Mapping[str, Any], locked: frozenset[str]) -> Assigned:
    if change.document is None or one.policy_id != change.policy_id:
        return one
    return Assigned(
        one.assignment_id,
        one.policy_id,
        one.policy,
        settings,
        locked,
        one.rank,
        one.platform,
        one.is_wider,
    )


def _chains(
    owner: Owner, whoms: Collection[Whom], targeted: Iterable[Whom]
) -> list[tuple[Chain, tuple[int, ...], int]]:
    """Distinct chains with the classes of their devices and their number."""
    by_level: dict[Level, set[int]] = {level: set() for level in Level}
    for level, whom in targeted:
        by_level[level].add(whom)
    facts: dict[str, Any] = {
        "authority": owner.authority_id,
        "school": owner.school_id,
        "keep": owner.school_id is not None,
        "groups": sorted(by_level[Level.GROUP]),
        "persons": sorted(by_level[Level.PERSON]),
        "devices": sorted(by_level[Level.DEVICE]),
    }
    parts = []
    for number, level in enumerate({level for level, _ in whoms}):
        facts[f"whoms_{number}"] = [whom for one, whom in whoms if one is level]
        parts.append(_MEANT[level] % f"%(whoms_{number})s::bigint[]")
    whose = "d.authority_id = %(authority)s" if owner.school_id is None else "d.school_id = %(school)s"
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS.format(whose=whose, concerned=f"({' OR '.join(parts)})"), facts)
        rows = cursor.fetchall()
    return [
        (
            Chain(
                owner.authority_id,
                school,
                Platform(platform),
                tuple(sorted(by_level[Level.GROUP].intersection(groups))),
                holder,
                device,
            ),
            tuple(groups),
            number,
        )
        for school, platform, groups, holder, device, number in rows
    ]


#: Which devices are meant by the whoms of a level.
_MEANT: Final = {
    Level.AUTHORITY: "d.authority_id = ANY(%s)",
    Level.SCHOOL: "d.school_id = ANY(%s)",
    Level.GROUP: "d.groups && %s",
    Level.PERSON: "d.holder_id = ANY(%s)",
    Level.DEVICE: "d.id = ANY(%s)",
}


def _count(
    found: Preview,
    owner: Owner,
    before: Mapping[Whom, Layer],
    after: Mapping[Whom, Layer],
    chains: Iterable[tuple[Chain, tuple[int, ...], int]],
) -> None:
    known: dict[Chain, list[tuple[str, Any, Any]]] = {}
    differences: Counter[str] = Counter()
    values: dict[str, tuple[str, Any, Any]] = {}
    for chain, groups, number in chains:
        if chain not in known:
            known[chain] = _differences(chain, before, after)
        found.concerned += number
        if not known[chain]:
            continue
        found.changed += number
        found.by_platform[chain.platform] += number
        found.by_school[chain.school_id] += number
        found.by_class.update(dict.fromkeys(groups, number))
        for key, old, new in known[chain]:
            name = repr((key, old, new))
            differences[name] += number
            values[name] = (key, old, new)
    found.differences = [Difference(*values[name], number) for name, number in differences.most_common()]


def _differences(
    chain: Chain, before: Mapping[Whom, Layer], after: Mapping[Whom, Layer]
) -> list[tuple[str, Any, Any]]:
    old = compose([before[whom] for whom in chain.whoms if whom in before], chain.platform).settings
    new = compose([after[whom] for whom in chain.whoms if whom in after], chain.platform).settings
    was, will = hidden(old), hidden(new)
    return [
        (key, was.get(key), will.get(key))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key) or (key in old) != (key in new)
    ]


def _name(found: Preview, owner: Owner) -> None:
    if owner.school_id is None:
        found.names = {one.id: one.name for one in tenancy.schools_for(owner.authority_id)}
    elif found.by_class:
        found.names = {one["id"]: one["title"] for one in courses.homerooms()}


def wider_words(actor: Actor) -> Mapping[str, Applied]:
    """What the authority says to all devices of a school, for its editor; nothing stands above an authority."""
    owner = owner_for(actor)
    if owner.school_id is None:
        return {}
    wider = layers_for([(Level.AUTHORITY, owner.authority_id)], owner.authority_id)
    return compose(list(wider.values()), None).applied
