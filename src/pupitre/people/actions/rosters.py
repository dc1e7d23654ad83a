"""Writing many people at once: what a roster says, in a number of statements that does not grow with the roster."""

from collections.abc import Collection, Iterable, Sequence
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
    changed: list[Person] = []
    for sourced_id, columns in told.items():
        person = held.get(sourced_id)
        if person is None:
            changed.append(_new_person(school, sourced_id, dict(columns), now))
        elif _tell(person, dict(columns)):
            changed.append(person)
    done.person_ids.update({p.sourced_id: p.pk for p in held.values()})
    for person in changed:
        name = person.preferred_name or person.given_name
        person.family_key = fold(f"{person.family_name} {name}")
        person.given_key = fold(f"{name} {person.family_name}")
        person.pk = None
    written = Person.objects.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["school", "sourced_id"],
        update_fields=[*PERSON_COLUMNS, "family_key", "given_key", "ended_on"],
    )
    done.persons = Tally(
        added=sum(p.sourced_id not in held for p in written),
        changed=sum(p.sourced_id in held for p in written),
        same=len(told) - len(written),
    )
    done.person_ids.update({p.sourced_id: p.pk for p in written})


def _new_person(school: int, sourced_id: str, told: dict[str, Any], now: datetime) -> Person:
    return Person(school_id=school, sourced_id=sourced_id, created_at=now, **{**PERSON_COLUMNS, **told})


def _tell(person: Person, told: dict[str, Any]) -> bool:
    """Put what is told into the row; answers whether that changed anything."""
    different = {name: value for name, value in told.items() if getattr(person, name) != value}
    if person.ended_on is not None:
        different["ended_on"] = None
    for name, value in different.items():
        setattr(person, name, value)
    return bool(different)


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
            values = {name: getattr(one, name) for name in _DATED}
            changed.append(
                Membership(
                    school_id=school,
                    person_id=person,
                    account_id=accounts.get(person),
                    role=one.role.value,
                    department_id=department,
                    **values,
                )
            )
            done.memberships.added += row is None
    Membership.objects.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["school", "person", "role", "department"],
        update_fields=list(_DATED),
    )
    done.memberships.changed = len(changed) - done.memberships.added
    done.memberships.same = len(wanted) - len(changed)


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
            changed.append(
                Guardianship(
                    school_id=school,
                    pupil_id=pupil,
                    guardian_id=guardian,
                    relation=relation.value,
                    ends_on=ends_on,
                )
            )
            done.guardianships.added += row is None
    Guardianship.objects.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["school", "pupil", "guardian"],
        update_fields=["relation", "ends_on"],
    )
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
