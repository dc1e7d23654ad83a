"""Writing what a roster says: added, changed, found as it was, ended, and never more than that."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.kernel import clock
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people import actions as people
from pupitre.people.actions.rosters import Unknown
from pupitre.people.models import Guardianship, Membership, Person
from pupitre.people.queries.rosters import people_state
from pupitre.people.rules import Actor, Relation, Role
from pupitre.people.rules.rosters import (
    Applied,
    DepartmentFacts,
    GuardianshipFacts,
    MembershipFacts,
    PersonFacts,
    Tally,
)
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast


def apply(cast: Cast, **facts: Any) -> Applied:
    return people.apply_people(cast.office, now=clock.now(), today=TODAY, **facts)


def family(number: int) -> dict[str, Any]:
    return {
        "persons": [
            PersonFacts(f"p{number}", {"given_name": "Ámbar", "family_name": "Ñuñez", "grade": "07"}),
            PersonFacts(f"g{number}", {"given_name": "Olga", "family_name": "Ñuñez", "email": "o@x.example"}),
        ],
        "departments": [DepartmentFacts("eso-1", "1 ESO", parent="eso"), DepartmentFacts("eso", "ESO")],
        "memberships": [
            MembershipFacts(f"p{number}", Role.PUPIL, department="eso-1"),
            MembershipFacts(f"g{number}", Role.GUARDIAN),
        ],
        "guardianships": [GuardianshipFacts(f"p{number}", f"g{number}", Relation.MOTHER)],
    }


def test_a_roster_adds_a_family(cast: Cast) -> None:
    with scope(cast.school.id):
        done = apply(cast, **family(1))
        pupil = Person.objects.get(pk=done.person_ids["p1"])
        assert (pupil.family_key, pupil.given_key, pupil.grade) == ("nunez ambar", "ambar nunez", "07")
        assert pupil.account_id is None
        assert Guardianship.objects.get(pupil=pupil).relation == Relation.MOTHER
        membership = Membership.objects.select_related("department__parent").get(person=pupil)
        assert membership.department is not None
        assert membership.department.parent is not None
        assert membership.department.parent.name == "ESO"
        assert (done.persons.added, done.memberships.added, done.guardianships.added) == (2, 2, 1)


def test_the_same_roster_again_changes_nothing_and_leaves_no_history(cast: Cast) -> None:
    with scope(cast.school.id):
        first = apply(cast, **family(1))
        before = len(tenancy.changes_about(first.person_ids["p1"]))
        again = apply(cast, **family(1))
        assert again.person_ids == first.person_ids
        assert again.persons == Tally(same=2)
        assert again.memberships == Tally(same=2)
        assert again.departments == Tally(same=2)
        assert again.guardianships == Tally(same=1)
        assert len(tenancy.changes_about(first.person_ids["p1"])) == before


def test_only_what_is_told_is_written(cast: Cast) -> None:
    with scope(cast.school.id):
        done = apply(cast, persons=[PersonFacts("pupil", {"given_name": "Pablo"})])
        pupil = Person.objects.get(sourced_id="pupil")
        assert (pupil.given_name, pupil.family_name, pupil.born_on) == ("Pablo", "Pupil", date(2014, 3, 2))
        assert pupil.account_id == cast.pupil.account.pk
        assert pupil.given_key == "pablo pupil"
        assert done.persons == Tally(changed=1)
        change = tenancy.changes_about(pupil.pk)[0]
        assert (change.before, change.after) == (
            {"given_name": "Pau", "given_key": "pau pupil", "family_key": "pupil pau"},
            {"given_name": "Pablo", "given_key": "pablo pupil", "family_key": "pupil pablo"},
        )


def test_an_existing_persons_new_role_leads_her_account_there(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, memberships=[MembershipFacts("teacher", Role.GUARDIAN)])
        added = Membership.objects.get(person=cast.teacher.person, role=Role.GUARDIAN)
        assert added.account_id == cast.teacher.account.pk


def test_who_vanished_is_ended_and_comes_back_when_named(cast: Cast) -> None:
    with scope(cast.school.id):
        ended = apply(
            cast,
            ended_persons={"classmate"},
            ended_memberships={("teacher", Role.TEACHER, "")},
            ended_guardianships={("pupil", "father")},
        )
        assert (ended.persons.ended, ended.memberships.ended, ended.guardianships.ended) == (1, 1, 1)
        assert Person.objects.get(sourced_id="classmate").ended_on == TODAY
        assert Membership.objects.get(person=cast.teacher.person).ends_on == date(2026, 10, 12)
        apply(
            cast,
            persons=[PersonFacts("classmate", {})],
            memberships=[MembershipFacts("teacher", Role.TEACHER)],
            guardianships=[GuardianshipFacts("pupil", "father")],
        )
        assert Person.objects.get(sourced_id="classmate").ended_on is None
        assert Membership.objects.get(person=cast.teacher.person).ends_on is None
        back = Guardianship.objects.get(pupil=cast.pupil.person, guardian=cast.father.person)
        assert (back.ends_on, back.relation, back.lives_with) == (None, Relation.FATHER, False)


def test_a_roster_never_touches_a_courts_limits(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, guardianships=[GuardianshipFacts("pupil", "barred", Relation.FATHER)])
        barred = Guardianship.objects.get(guardian=cast.barred.person)
        assert (barred.sees_record, barred.court_note, barred.relation) == (
            False,
            "Order 12/2026",
            Relation.FATHER,
        )


def test_a_role_of_nobody_is_refused_and_named(cast: Cast) -> None:
    with scope(cast.school.id), pytest.raises(Unknown, match="ghost"):
        apply(cast, memberships=[MembershipFacts("ghost", Role.PUPIL)])


def test_a_person_of_another_school_is_nobody_here(cast: Cast) -> None:
    with scope(cast.school.id), pytest.raises(Unknown, match="stranger"):
        apply(cast, memberships=[MembershipFacts("stranger", Role.PUPIL)])


def test_only_the_office_writes_rosters(cast: Cast) -> None:
    with scope(cast.school.id):
        with pytest.raises(Denied):
            people.apply_people(cast.teacher.actor, now=clock.now(), today=TODAY)
        nobody = Actor(cast.stranger.account.pk, cast.school)
        with pytest.raises(NotFound):
            people.apply_people(nobody, now=clock.now(), today=TODAY)


def test_the_number_of_statements_does_not_grow_with_the_roster(cast: Cast) -> None:
    def statements(count: int, at: int) -> int:
        facts = [family(number) for number in range(at, at + count)]
        merged = {name: [row for one in facts for row in one[name]] for name in facts[0]}
        with CaptureQueriesContext(connection) as captured:
            apply(cast, **merged)
        return len(captured)

    with scope(cast.school.id):
        statements(1, 1)
        assert statements(1, 10) == statements(30, 100)


def test_the_state_of_a_school_says_what_was_applied(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, **family(1))
        state = people_state(cast.office)
        assert state.persons["p1"].values["family_name"] == "Ñuñez"
        assert not state.persons["p1"].has_account
        assert state.persons["pupil"].has_account
        assert state.departments["eso-1"].parent == "eso"
        assert state.memberships["p1", Role.PUPIL, "eso-1"].starts_on is None
        assert state.guardianships["p1", "g1"].relation == Relation.MOTHER
        assert apply(
            cast, persons=[PersonFacts(s.sourced_id, s.values) for s in state.persons.values()]
        ).persons == (Tally(same=len(state.persons)))
