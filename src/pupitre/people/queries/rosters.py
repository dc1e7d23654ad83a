"""Everybody of a school as facts, in four statements: what a roster is compared with and exported from."""

from pupitre.kernel import clock
from pupitre.people.models import Department, Guardianship, Membership, Person
from pupitre.people.rules import OFFICE, Actor, Relation, Role, require
from pupitre.people.rules.rosters import (
    PERSON_COLUMNS,
    DepartmentFacts,
    GuardianshipFacts,
    MembershipFacts,
    PeopleState,
    PersonState,
)


def people_state(actor: Actor) -> PeopleState:
    """Every person, department, role and guardianship of the school, those that ended too. For the office."""
    require(actor, OFFICE)
    today = clock.today(actor.place.time_zone)
    departments = list(
        Department.objects.order_by("id").values_list(
            "sourced_id", "name", "parent__sourced_id", "ended_on", "id"
        )
    )
    guardianships = list(
        Guardianship.objects.values_list(
            "pupil__sourced_id", "guardian__sourced_id", "relation", "ends_on", "sees_record"
        )
    )
    return PeopleState(
        persons=_persons(),
        departments={d: DepartmentFacts(d, name, parent or "") for d, name, parent, *_ in departments},
        memberships=_memberships(),
        guardianships={(p, g): GuardianshipFacts(p, g, Relation(r)) for p, g, r, *_ in guardianships},
        ended_departments={d: ended for d, _, _, ended, _ in departments if ended},
        ended_guardianships={(p, g): ended for p, g, _, ended, _ in guardianships if ended and ended < today},
        barred=frozenset((p, g) for p, g, _, _, sees_record in guardianships if not sees_record),
        department_ids={d: pk for d, *_, pk in departments},
    )


def _persons() -> dict[str, PersonState]:
    columns = tuple(PERSON_COLUMNS)
    found: dict[str, PersonState] = {}
    for row in Person.objects.values_list("id", "sourced_id", "ended_on", "account_id", *columns):
        values = dict(zip(columns, row[4:], strict=True))
        found[row[1]] = PersonState(row[0], row[1], values, row[2], row[3] is not None)
    return found


def _memberships() -> dict[tuple[str, Role, str], MembershipFacts]:
    rows = Membership.objects.values_list(
        "person__sourced_id",
        "role",
        "department__sourced_id",
        "roster_role",
        "is_primary",
        "starts_on",
        "ends_on",
    )
    facts = (
        MembershipFacts(row[0], Role(row[1]), row[2] or "", row[3], row[4], row[5], row[6]) for row in rows
    )
    return {one.key: one for one in facts}
