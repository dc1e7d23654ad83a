"""What is exported and imported into an empty school gives the same roster, down to the last date."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from pupitre.courses.actions import exports, rosters
from pupitre.courses.models import Enrolment
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import ONEROSTER_1_2, Kind, Roster
from pupitre.courses.rules.writing import write_oneroster
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied
from pupitre.people.models import Look
from pupitre.people.rules import Actor, LookAt, system_actor
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.courses.importing import imported, office_of
from tests.courses.made_rosters import ONEROSTER_1_2 as FILES
from tests.courses.roster_strategies import rosters as any_rosters

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "rosters"


def empty_school(cast: Cast, slug: str) -> Actor:
    """A school of the same code as another, in which the export of that one is at home."""
    school = founding.found_school(
        cast.authority,
        slug=slug,
        name=slug,
        country="ES",
        locale="es",
        time_zone="Europe/Madrid",
        sourced_id="twin",
    )
    return system_actor(tenancy.facts_of(school))


def taken_in(actor: Actor, files: dict[str, bytes], **choices: Any) -> None:
    """The files imported; every school that they hold becomes this one."""
    record = rosters.upload_roster(actor, files=files, file_name="f.zip", now=clock.now())
    read = rosters.read_import(actor, record.pk, now=clock.now())
    errors = [finding for finding in read.findings if finding["severity"] == "error"]
    assert errors == []
    if choices:
        rosters.choose(actor, record.pk, now=clock.now(), **choices)
    rosters.apply_import(actor, record.pk, now=clock.now())


def exported(actor: Actor) -> Roster:
    data = exports.export_roster(actor, now=clock.now())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    roster = read_roster(files)
    assert roster.errors == ()
    assert roster == exports.roster_to_export(actor, now=clock.now())
    return roster


def same_roster(left: Roster, right: Roster) -> bool:
    """The same rows; their order is the tables' own, and each school's org bears its own name."""
    for kind in Kind:
        mine, theirs = (sorted(roster.rows(kind), key=lambda row: row.sourced_id) for roster in (left, right))
        if kind is Kind.ORGS:
            mine, theirs = ([org for org in orgs if org.sourced_id != "twin"] for orgs in (mine, theirs))
        assert mine == theirs
    return True


def survives(cast: Cast, files: dict[str, bytes], **choices: Any) -> Roster:
    first, second = empty_school(cast, "first"), empty_school(cast, "second")
    with scope(first.place.id):
        taken_in(first, files, **choices)
        roster = exported(first)
    with scope(second.place.id):
        taken_in(second, write_oneroster(roster))
        again = exported(second)
    assert same_roster(roster, again)
    return roster


def test_a_small_roster_survives(cast: Cast) -> None:
    roster = survives(cast, {name: text.encode() for name, text in FILES.items()})
    assert [len(roster.rows(kind)) for kind in Kind] == [1, 1, 1, 1, 3, 3, 1, 2, 1]


def test_the_casts_school_survives(cast: Cast) -> None:
    with scope(cast.school.id):
        roster = exported(cast.office)
        people = {user.sourced_id for user in roster.users}
    assert {"pupil", "mother", "father", "teacher"} <= people
    assert "barred" not in {guardianship.agent for guardianship in roster.guardianships}
    assert all(klass.course and klass.terms for klass in roster.classes)
    copy = empty_school(cast, "copy")
    with scope(copy.place.id):
        taken_in(copy, write_oneroster(roster))
        again = exported(copy)
    at_home = replace(roster, orgs=())
    for kind in (Kind.USERS, Kind.GUARDIANSHIPS, Kind.DEMOGRAPHICS, Kind.ACADEMIC_SESSIONS):
        assert sorted(map(repr, again.rows(kind))) == sorted(map(repr, at_home.rows(kind)))
    assert {(e.class_, e.user, e.role, e.begin_date, e.end_date) for e in again.enrolments} == {
        (e.class_, e.user, e.role, e.begin_date, e.end_date) for e in roster.enrolments
    }
    assert {(r.user, r.role, r.begin_date) for r in again.roles} == {
        (r.user, r.role, r.begin_date) for r in roster.roles
    }


@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference data is not beside the repository")
@pytest.mark.parametrize("folder", ["sds-v1-100-users", "sds-v2.1"])
def test_a_real_roster_survives(cast: Cast, folder: str) -> None:
    roster = survives(cast, {path.name: path.read_bytes() for path in (REFERENCE / folder).iterdir()})
    assert len(roster.users) == {"sds-v1-100-users": 98, "sds-v2.1": 8}[folder]
    assert len(roster.enrolments) == {"sds-v1-100-users": 630, "sds-v2.1": 6}[folder]


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_rosters())
def test_any_roster_survives(cast: Cast, roster: Roster) -> None:
    with transaction.atomic():
        survives(cast, write_oneroster(replace(roster, source=ONEROSTER_1_2)))
        transaction.set_rollback(True)


def test_who_left_is_not_exported_and_the_past_of_who_stayed_is(cast: Cast) -> None:
    with scope(cast.other_school.id):
        office = office_of(cast)
        imported(office, FILES)
        Enrolment.objects.filter(person__sourced_id="t1").update(ends_on="2026-10-01")
        roster = exported(office)
        (taught,) = [e for e in roster.enrolments if e.user == "t1"]
        assert str(taught.end_date) == "2026-10-01"


def test_an_export_by_staff_is_kept_in_the_log_of_looks(cast: Cast) -> None:
    with scope(cast.school.id, account=cast.secretary.account.pk):
        exports.export_roster(cast.secretary.actor, now=clock.now())
        look = Look.objects.get(subject=cast.pupil.person)
        assert (look.what, look.account_id) == (LookAt.EXPORT, cast.secretary.account.pk)


def test_only_the_office_exports(cast: Cast) -> None:
    with scope(cast.school.id), pytest.raises(Denied):
        exports.export_roster(cast.teacher.actor, now=clock.now())
