"""Writing many people at once: what a roster says, in a number of statements that does not grow with the roster."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from pupitre.kernel.errors import Refused
from pupitre.kernel.text import fold
from pupitre.people.models import Department, Guardianship, Membership, Person
from pupitre.people.rules import OFFICE, Actor, Relation, Role, require
from pupitre.people.rules.rosters import (
    PERSON_COLUMNS,
    Applied,
    DepartmentFacts,
    GuardianshipFacts,
    MembershipFacts,
    PersonFacts,
    Tally,
)
from pupitre.tenancy import bulk

# PostgreSQL takes 65,535 parameters a statement; a person has 22 columns.
BATCH = 1000


class Unknown(Refused):
    """The roster names somebody whom neither it nor the school knows: %(who)s."""


@transaction.atomic
def apply_people(
    actor: Actor,
    *,
    now: datetime,
    today: date,
    persons: Sequence[PersonFacts] = (),
    departments: Sequence[DepartmentFacts] = (),
    memberships: Sequence[MembershipFacts] = (),
    guardianships: Sequence[GuardianshipFacts] = (),
    ended_persons: Collection[str] = (),
    ended_departments: Collection[str] = (),
    ended_memberships: Collection[tuple[str, Role, str]] = (),
    ended_guardianships: Collection[tuple[str, str]] = (),
) -> Applied:
    """Add and change people by their sourcedIds, then end those who are said to have left. Nobody is deleted.

    Who is named among `persons` is there again if she had left, and so are a department and a guardianship. What is as
    it was is not written, so a repeated call changes nothing and leaves no history. `ended_...` take sourcedIds and the
    facts' keys; ending sets the day before `today` for a role or guardianship (today counts as the last day otherwise)
    and `today` else.
    Accounts are never made nor changed here: `username` and `email` are the roster's proposals for the invitation.
    Raises Unknown where a role or guardianship names nobody.
    """
    require(actor, OFFICE)
    done, school = Applied(), actor.place.id
    _apply_departments(school, departments, done)
    _apply_persons(school, persons, now, done)
    named = {m.person for m in memberships} | {i for g in guardianships for i in g.key}
    named |= {key[0] for key in ended_memberships} | {i for key in ended_guardianships for i in key}
    _find_persons(named, done)
    _find_departments({m.department for m in memberships} | {key[2] for key in ended_memberships}, done)
    _apply_memberships(school, memberships, done)
    _apply_guardianships(school, guardianships, today, done)
    _end(
        done.persons, Person.objects.filter(sourced_id__in=list(ended_persons), ended_on__isnull=True), today
    )
    _end(
        done.departments,
        Department.objects.filter(sourced_id__in=list(ended_departments), ended_on__isnull=True),
        today,
    )
    _end_memberships(ended_memberships, today, done)
    _end_guardianships(ended_guardianships, today, done)
    return done


def _apply_departments(school: int, facts: Sequence[DepartmentFacts], done: Applied) -> None:
    wanted = {one.sourced_id: one for one in facts}
    if not wanted:
        return
    held = {d.sourced_id: d for d in Department.objects.all()}
    changed = [
        Department(school_id=school, sourced_id=one.sourced_id, name=one.name)
        for one in wanted.values()
        if one.sourced_id not in held
        or held[one.sourced_id].name != one.name
        or held[one.sourced_id].ended_on
    ]
    Department.objects.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["school", "sourced_id"],
        update_fields=["name", "ended_on"],
    )
    done.departments.added = sum(one.sourced_id not in held for one in changed)
    done.departments.changed = len(changed) - done.departments.added
    done.departments.same = len(wanted) - len(changed)
    _apply_parents(wanted, done)


def _apply_parents(wanted: dict[str, DepartmentFacts], done: Applied) -> None:
    """A second round, because a parent may come after its child."""
    rows = {d.sourced_id: d for d in Department.objects.all()}
    done.department_ids.update({sourced_id: d.pk for sourced_id, d in rows.items()})
    moved = []
    for one in wanted.values():
        parent = done.department_ids.get(one.parent) if one.parent else None
        if one.parent and parent is None:
            raise Unknown(who=one.parent)
        if rows[one.sourced_id].parent_id != parent:
            rows[one.sourced_id].parent_id = parent
            moved.append(rows[one.sourced_id])
    Department.objects.bulk_update(moved, ["parent"], batch_size=BATCH)


def _apply_persons(school: int, facts: Sequence[PersonFacts], now: datetime, done: Applied) -> None:
    told = {one.sourced_id: one.told for one in facts}
    if not told:
        return
    held = {p.sourced_id: p for p in Person.objects.select_for_update().filter(sourced_id__in=list(told))}
    new = {key: {**PERSON_COLUMNS, **columns} for key, columns in told.items() if key not in held}
    changed = {key: _values(held[key]) for key in held if _tell(held[key], dict(told[key]))}
    ids = {key: person.pk for key, person in held.items()}
    if new:
        ids.update(zip(new, bulk.next_ids(Person._meta.db_table, len(new)), strict=True))
    _write_persons(school, {**new, **changed}, ids, now)
    done.person_ids.update(ids)
    done.persons = Tally(added=len(new), changed=len(changed), same=len(told) - len(new) - len(changed))


def _values(person: Person) -> dict[str, Any]:
    return {name: getattr(person, name) for name in PERSON_COLUMNS}


def _write_persons(
    school: int, rows: Mapping[str, Mapping[str, Any]], ids: Mapping[str, int], now: datetime
) -> None:
    if not rows:
        return
    told = (*PERSON_COLUMNS, "family_key", "given_key", "ended_on")
    columns = ("id", "sourced_id", "locale", "photo_key", "created_at", *told)
    lines = (
        (ids[key], key, "", "", now, *map(row.__getitem__, PERSON_COLUMNS), *_keys(row), None)
        for key, row in rows.items()
    )
    table = Person._meta.db_table
    bulk.upsert_rows(table, school, columns, lines, unique=("sourced_id",), update=told)


def _keys(row: Mapping[str, Any]) -> tuple[str, str]:
    """What the person is found by."""
    name = row["preferred_name"] or row["given_name"]
    return fold(f"{row['family_name']} {name}"), fold(f"{name} {row['family_name']}")


def _tell(person: Person, told: dict[str, Any]) -> bool:
    """Put what is told into the row; answers whether that changed anything."""
    different = {name: value for name, value in told.items() if getattr(person, name) != value}
    for name, value in different.items():
        setattr(person, name, value)
    return bool(different) or person.ended_on is not None


def _find_persons(named: set[str], done: Applied) -> None:
    missing = named - done.person_ids.keys()
    found = (
        Person.objects.filter(sourced_id__in=list(missing)).values_list("sourced_id", "id") if missing else []
    )
    done.person_ids.update(dict(found))
    if unknown := named - done.person_ids.keys():
        raise Unknown(who=", ".join(sorted(unknown)[:5]))


def _find_departments(named: set[str], done: Applied) -> None:
    missing = named - done.department_ids.keys() - {""}
    if missing:
        found = Department.objects.filter(sourced_id__in=list(missing)).values_list("sourced_id", "id")
        done.department_ids.update(dict(found))
    if unknown := missing - done.department_ids.keys():
        raise Unknown(who=", ".join(sorted(unknown)[:5]))


_DATED = ("roster_role", "is_primary", "starts_on", "ends_on")


def _apply_memberships(school: int, facts: Sequence[MembershipFacts], done: Applied) -> None:
    wanted = {one.key: one for one in facts}
    if not wanted:
        return
    people = {done.person_ids[one.person] for one in wanted.values()}
    held = {
        (m.person_id, m.role, m.department_id): m
        for m in Membership.objects.filter(person_id__in=list(people))
    }
    accounts = dict(
        Person.objects.filter(pk__in=list(people), account__isnull=False).values_list("id", "account_id")
    )
    changed = []
    for one in wanted.values():
        person, department = done.person_ids[one.person], done.department_ids.get(one.department)
        row = held.get((person, one.role.value, department))
        if row is None or any(getattr(row, name) != getattr(one, name) for name in _DATED):
            values = (one.roster_role, one.is_primary, one.starts_on, one.ends_on)
            changed.append((person, accounts.get(person), one.role.value, department, *values))
            done.memberships.added += row is None
    if changed:
        columns = ("person_id", "account_id", "role", "department_id", *_DATED)
        unique = ("person_id", "role", "department_id")
        table = Membership._meta.db_table
        bulk.upsert_rows(table, school, columns, changed, unique=unique, update=_DATED)
    done.memberships.changed = len(changed) - done.memberships.added
    done.memberships.same = len(wanted) - len(changed)


#: What a new guardian is entitled to; it is the school's to change.
_ENTITLED = {
    **dict.fromkeys(("lives_with", "sees_record", "receives_notices", "may_announce", "may_collect"), True),
    "court_note": "",
    "priority": 1,
}


def _apply_guardianships(school: int, facts: Sequence[GuardianshipFacts], today: date, done: Applied) -> None:
    wanted = {(done.person_ids[one.pupil], done.person_ids[one.guardian]): one for one in facts}
    if not wanted:
        return
    pupils = [pupil for pupil, _ in wanted]
    held = {(g.pupil_id, g.guardian_id): g for g in Guardianship.objects.filter(pupil_id__in=pupils)}
    changed = []
    for (pupil, guardian), one in wanted.items():
        row = held.get((pupil, guardian))
        relation = one.relation or (Relation(row.relation) if row else Relation.GUARDIAN)
        # An end that is still to come was set by the office: a roster, which knows no such dates, does not take it back.
        ends_on = row.ends_on if row and not _is_over(row, today) else None
        if row is None or row.relation != relation or row.ends_on != ends_on:
            changed.append((pupil, guardian, relation.value, ends_on, *_ENTITLED.values()))
            done.guardianships.added += row is None
    if changed:
        columns = ("pupil_id", "guardian_id", "relation", "ends_on", *_ENTITLED)
        unique, update = ("pupil_id", "guardian_id"), ("relation", "ends_on")
        table = Guardianship._meta.db_table
        bulk.upsert_rows(table, school, columns, changed, unique=unique, update=update)
    done.guardianships.changed = len(changed) - done.guardianships.added
    done.guardianships.same = len(wanted) - len(changed)


def _end(tally: Tally, rows: Any, today: date) -> None:
    tally.ended = rows.update(ended_on=today)


def _end_memberships(keys: Iterable[tuple[str, Role, str]], today: date, done: Applied) -> None:
    wanted = {
        (done.person_ids[p], role.value, done.department_ids.get(d) if d else None) for p, role, d in keys
    }
    if not wanted:
        return
    rows = Membership.objects.filter(person_id__in=[person for person, _, _ in wanted])
    ids = [m.pk for m in rows if (m.person_id, m.role, m.department_id) in wanted and not _is_over(m, today)]
    done.memberships.ended = Membership.objects.filter(pk__in=ids).update(
        ends_on=date.fromordinal(today.toordinal() - 1)
    )


def _is_over(row: Membership | Guardianship, today: date) -> bool:
    return row.ends_on is not None and row.ends_on < today


def _end_guardianships(keys: Iterable[tuple[str, str]], today: date, done: Applied) -> None:
    wanted = {(done.person_ids[pupil], done.person_ids[guardian]) for pupil, guardian in keys}
    if not wanted:
        return
    rows = Guardianship.objects.filter(pupil_id__in=[pupil for pupil, _ in wanted])
    ids = [g.pk for g in rows if (g.pupil_id, g.guardian_id) in wanted and not _is_over(g, today)]
    done.guardianships.ended = Guardianship.objects.filter(pk__in=ids).update(
        ends_on=date.fromordinal(today.toordinal() - 1)
    )
