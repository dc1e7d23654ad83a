"""The demonstration's fleet: large, alive at any hour, the same each time. Filled upon people and classes alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from pupitre.courses.actions import loading as courses
from pupitre.devices.rules import CommandState, Condition, LoanState, Standing
from pupitre.people.actions import loading as people
from pupitre.people.rules import system_actor
from pupitre.project.demo import fleet, present, schools
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

from .test_demo_load import another_database

MADRID = ZoneInfo("Europe/Madrid")
MONDAY = datetime(2026, 11, 16, 8, 40, tzinfo=MADRID)


@pytest.fixture(scope="module")
def filled(
    django_db_setup: None, django_db_blocker: Any
) -> Iterator[tuple[present.Demonstration, list[SchoolFacts]]]:
    with django_db_blocker.unblock(), another_database("demo_fleet"):
        made = present.generate(schools.year_start_for(date(2026, 11, 16)))
        found = people_and_classes(made)
        fleet.ensure(made, found, now=MONDAY)
        yield made, found


def people_and_classes(made: present.Demonstration) -> list[SchoolFacts]:
    authority = founding.found_authority(
        slug="marinada", name="Marinada", country="ES", locale="ca", time_zone="Europe/Madrid", requires_second_factor=False
    )  # fmt: skip
    found = []
    for one in made.population.schools:
        row = founding.found_school(
            authority, slug=one.slug, name=one.name, country=one.country, locale=one.languages[0], time_zone=one.time_zone,
            sourced_id=one.key,
        )  # fmt: skip
        facts = tenancy.facts_of(row)
        with scope(facts.id):
            records = made.records(facts, MONDAY)
            ids = people.load_people(system_actor(facts), records.everybody({}), now=MONDAY)
            courses.load_teaching(system_actor(facts), records.teaching(), person_ids=ids)
        found.append(facts)
    return found


def rows(facts: SchoolFacts, statement: str) -> list[tuple[Any, ...]]:
    with scope(facts.id), connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def test_there_are_about_nine_hundred_devices_in_all_conditions(filled: Any) -> None:
    standings: Counter[int] = Counter()
    conditions: Counter[int] = Counter()
    for facts in filled[1]:
        for standing, condition in rows(facts, "SELECT standing, condition FROM devices_device"):
            standings[standing] += 1
            conditions[condition] += 1
    assert 880 < standings.total() < 1100
    assert set(standings) == {int(one) for one in Standing}
    assert set(conditions) == {int(one) for one in Condition}


def test_what_is_lent_has_a_holder_and_a_contract(filled: Any) -> None:
    secondary = filled[1][1]
    lent = rows(
        secondary,
        "SELECT d.holder_id = l.person_id, l.state, l.signed_at IS NULL FROM devices_loan l JOIN devices_device d "
        "ON d.school_id = l.school_id AND d.id = l.device_id",
    )
    assert len(lent) > 500
    assert all(is_holder for is_holder, _, _ in lent)
    assert {state for _, state, _ in lent} == {LoanState.PROPOSED, LoanState.RUNNING}
    assert all((state == LoanState.PROPOSED) == unsigned for _, state, unsigned in lent)


def test_the_mother_who_is_shown_has_a_contract_to_sign(filled: Any) -> None:
    made, (_, secondary, _) = filled
    mother = made.persona("guardian", "sec")
    found = rows(
        secondary,
        "SELECT l.state FROM devices_loan l JOIN people_guardianship g ON g.school_id = l.school_id AND g.pupil_id = l.person_id "
        "JOIN people_person p ON p.school_id = g.school_id AND p.id = g.guardian_id "
        f"WHERE p.sourced_id = '{mother}'",
    )
    assert (LoanState.PROPOSED.value,) in found


def test_commands_stand_in_all_states(filled: Any) -> None:
    found = {
        state for facts in filled[1] for (state,) in rows(facts, "SELECT DISTINCT state FROM devices_command")
    }
    assert found >= {int(one) for one in CommandState} - {CommandState.REJECTED}


def test_most_devices_were_heard_of_a_moment_ago_at_whatever_hour_one_looks(filled: Any) -> None:
    made, found = filled
    for now in (MONDAY, MONDAY + timedelta(days=3, hours=14)):
        fleet.ensure(made, found, now=now)
        (counts,) = rows(
            found[1],
            f"SELECT count(*) FILTER (WHERE last_seen_at > '{now.isoformat()}'::timestamptz - interval '15 minutes'), "
            f"count(*) FILTER (WHERE last_seen_at < '{now.isoformat()}'::timestamptz - interval '7 days'), count(*), max(last_seen_at) "
            "FROM devices_devicestatus",
        )
        fresh, silent, everything, latest = counts
        assert fresh > everything * 0.6
        assert 0 < silent < everything * 0.1
        assert latest <= now


def test_the_running_rollout_has_reports_and_goes_on(filled: Any) -> None:
    made, found = filled
    fleet.ensure(made, found, now=MONDAY + timedelta(days=6))
    counts = [
        rows(
            facts,
            "SELECT count(*) FILTER (WHERE reported_at <= '{0}'), count(*) FILTER (WHERE reported_at > '{0}') "
            "FROM devices_installation".format(MONDAY.isoformat()),
        )[0]
        for facts in found
    ]
    assert all(after > 0 for _, after in counts)
    assert counts[1][0] > 100


def test_filling_again_changes_nothing(filled: Any) -> None:
    made, found = filled
    before = [rows(facts, "SELECT count(*), max(id) FROM devices_device") for facts in found]
    fleet.ensure(made, found, now=MONDAY)
    assert [rows(facts, "SELECT count(*), max(id) FROM devices_device") for facts in found] == before
