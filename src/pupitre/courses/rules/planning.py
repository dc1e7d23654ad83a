"""The plan of an import for the whole school: every kind compared, and what ends because something else ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from pupitre.courses.rules.difference import Plan, RowChange, Standing, difference
from pupitre.courses.rules.facts import DATED, KINDS, Facts, Said
from pupitre.courses.rules.roster import Kind, Mode

Rows = Mapping[Kind, Mapping[str, Facts]]
Ends = Mapping[Kind, Mapping[str, str]]
Take = Callable[[Kind, str, str], bool]


@dataclass(frozen=True, slots=True)
class Sides:
    """What the plan is made from: the tables and the last roster, each with the day on which a row ended."""

    present: Rows
    present_ended: Ends
    last: Rows
    last_ended: Ends


@dataclass(slots=True)
class SchoolPlan:
    """The plan of each kind that the files speak about. `followers` ended because a person or class did."""

    plans: dict[Kind, Plan] = field(default_factory=dict)
    followers: dict[Kind, tuple[str, ...]] = field(default_factory=dict)

    @property
    def changes_nothing(self) -> bool:
        return all(plan.changes_nothing for plan in self.plans.values()) and not any(self.followers.values())

    def ends(self, kind: Kind) -> tuple[str, ...]:
        """All keys of a kind that end."""
        plan = self.plans.get(kind)
        return (*(plan.ends if plan else ()), *self.followers.get(kind, ()))

    @property
    def writes(self) -> int:
        """How many rows the plan writes: the measure of its progress."""
        plans = self.plans.values()
        rows = sum(len(p.creates) + len(p.updates) + len(p.restores) for p in plans)
        return rows + sum(len(self.ends(kind)) for kind in KINDS)


def plan_of(said: Said, sides: Sides, today: date, take: Take) -> SchoolPlan:
    """Compare all kinds. `take(kind, key, field)` answers conflicts."""
    out = SchoolPlan()
    for kind in KINDS:
        if kind in said.modes:
            out.plans[kind] = _plan(kind, said, sides, today, take)
    _add_followers(out, said, sides, today)
    return out


def _plan(kind: Kind, said: Said, sides: Sides, today: date, take: Take) -> Plan:
    incoming = said.rows[kind]
    present, last = sides.present.get(kind, {}), sides.last.get(kind, {})
    same = {key for key, facts in incoming.items() if _is_same(kind, key, facts, sides)}
    # Rows that neither side knows are most rows of a first import: they are new, and need no comparing.
    new = [key for key in incoming if key not in present and key not in last]
    skipped = same.union(new)
    rest = {key: facts for key, facts in incoming.items() if key not in skipped}
    now = {
        key: standing(kind, key, sides)
        for key in present
        if key not in same and (key in rest or not is_ended(kind, key, sides))
    }
    said_last = {
        key: Standing(last[key], key in sides.last_ended.get(kind, {}))
        for keys in (rest, now)
        for key in keys
        if key in last
    }
    plan = difference(
        said_last,
        now,
        rest,
        mode=said.modes[kind],
        tobedeleted=said.ended.get(kind, ()),
        take_from_file=lambda key, name: take(kind, key, name),
    )
    ends = plan.ends
    if kind in DATED:
        ends = tuple(key for key in ends if not is_over(present[key], today))
    creates = (*map(RowChange, new), *plan.creates)
    return replace(plan, creates=creates, ends=ends, unchanged=plan.unchanged + len(same))


def is_ended(kind: Kind, key: str, sides: Sides) -> bool:
    """Whether a row has ended. A role or enrolment has where its last day is the one that an import gave it."""
    if kind in DATED:
        ended = sides.last_ended.get(kind, {}).get(key)
        return ended is not None and sides.present[kind][key].get("ends_on") == ended
    return key in sides.present_ended.get(kind, {})


def standing(kind: Kind, key: str, sides: Sides) -> Standing:
    """A row as it stands in the school; the last day that an import gave it is its end, not a value of the school's."""
    facts, ended = sides.present[kind][key], is_ended(kind, key, sides)
    if ended and kind in DATED:
        said = sides.last.get(kind, {}).get(key, {})
        facts = {**facts, "ends_on": said.get("ends_on")}
    return Standing(facts, ended)


def is_over(facts: Facts, today: date) -> bool:
    """Whether a role or enrolment was over before today."""
    ends = facts.get("ends_on")
    return ends is not None and ends < today.isoformat()


def _is_same(kind: Kind, key: str, facts: Facts, sides: Sides) -> bool:
    """Most rows of most imports: compared without building anything."""
    now = sides.present.get(kind, {}).get(key)
    if now is None or is_ended(kind, key, sides):
        return False
    return all(now.get(name) == value for name, value in facts.items())


_FOLLOWS: Mapping[Kind, Mapping[str, Kind]] = {
    Kind.ROLES: {"person": Kind.USERS},
    Kind.GUARDIANSHIPS: {"pupil": Kind.USERS, "guardian": Kind.USERS},
    Kind.ENROLMENTS: {"person": Kind.USERS, "class": Kind.CLASSES},
}


def _add_followers(out: SchoolPlan, said: Said, sides: Sides, today: date) -> None:
    """Who leaves the school leaves its roles, families and classes too, whoever entered those."""
    for kind, names in _FOLLOWS.items():
        gone = {name: frozenset(out.ends(target)) for name, target in names.items()}
        if not any(gone.values()):
            continue
        done = {*out.ends(kind), *said.rows.get(kind, {})}
        out.followers[kind] = tuple(
            key
            for key, facts in sides.present.get(kind, {}).items()
            if key not in done
            and any(facts[name] in keys for name, keys in gone.items())
            and not is_ended(kind, key, sides)
            and not (kind in DATED and is_over(facts, today))
        )


def rows_to_write(kind: Kind, plan: Plan, sides: Sides, said: Said) -> dict[str, Facts]:
    """Every new, changed or returned row as it will stand, whole."""
    incoming = said.rows.get(kind, {})
    rows: dict[str, Facts] = {row.key: incoming[row.key] for row in plan.creates}
    for row in (*plan.updates, *plan.restores):
        rows[row.key] = {
            **standing(kind, row.key, sides).values,
            **{change.field: change.after for change in row.changes},
        }
    return rows


def changed_fields(kind: Kind, plan: Plan, said: Said) -> dict[str, Facts]:
    """Only what a plan says about each row: new rows whole, others the fields that change."""
    incoming = said.rows.get(kind, {})
    told: dict[str, Facts] = {row.key: incoming[row.key] for row in plan.creates}
    for row in (*plan.updates, *plan.restores):
        told[row.key] = {change.field: change.after for change in row.changes}
    return told


@dataclass(frozen=True, slots=True)
class Remembered:
    """A row as the roster last said it, to be kept."""

    says: Facts
    ended: str | None
    ids: list[str]


def to_remember(
    said: Said,
    sides: Sides,
    last_ids: Mapping[Kind, Mapping[str, list[str]]],
    plan: SchoolPlan,
    *,
    today: date,
) -> dict[Kind, dict[str, Remembered]]:
    """What the roster says now, where that is not what is remembered already: also where the school's word won."""
    yesterday = (today - timedelta(days=1)).isoformat()
    out: dict[Kind, dict[str, Remembered]] = {}
    for kind in said.modes:
        last, ended = sides.last.get(kind, {}), sides.last_ended.get(kind, {})
        old_ids, new_ids = last_ids.get(kind, {}), said.ids.get(kind, {})
        rows: dict[str, Remembered] = {}
        for key, facts in said.rows[kind].items():
            before = last.get(key)
            says = facts if before is None else {**before, **facts}
            ids = new_ids.get(key, [])
            if before != says or key in ended or ids != old_ids.get(key, []):
                rows[key] = Remembered(says, None, ids)
        for key in _gone(kind, said, last):
            if key not in ended:
                day = _day_of_end(kind, key, sides, today, yesterday)
                rows[key] = Remembered(last[key], day, old_ids.get(key, []))
        out[kind] = rows
    for kind, keys in plan.followers.items():
        last, known_ids = sides.last.get(kind, {}), last_ids.get(kind, {})
        day = yesterday if kind in DATED else today.isoformat()
        rows = out.setdefault(kind, {})
        rows.update({key: Remembered(last[key], day, known_ids.get(key, [])) for key in keys if key in last})
    return out


def _gone(kind: Kind, said: Said, last: Mapping[str, Any]) -> Collection[str]:
    rows = said.rows[kind]
    if said.modes[kind] is Mode.BULK:
        return [key for key in last if key not in rows]
    return [key for key in said.ended.get(kind, ()) if key in last and key not in rows]


def _day_of_end(kind: Kind, key: str, sides: Sides, today: date, yesterday: str) -> str:
    if kind not in DATED:
        return today.isoformat()
    facts = sides.present.get(kind, {}).get(key)
    return str(facts["ends_on"]) if facts is not None and is_over(facts, today) else yesterday
