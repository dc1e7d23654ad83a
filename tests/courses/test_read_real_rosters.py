"""The real files beside the repository are read without an error and with nothing lost."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pupitre.courses.rules.difference import Standing, difference, settled
from pupitre.courses.rules.findings import FindingCode
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import SDS_1, SDS_2_1, Kind, Relation, Roster, RosterRole
from pupitre.courses.rules.writing import write_oneroster

ROSTERS = Path(__file__).parents[3] / "shared" / "data" / "rosters"

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not ROSTERS.is_dir(), reason="the reference data is not beside the repository"),
]


def read(folder: str) -> Roster:
    return read_roster({path.name: path.read_bytes() for path in (ROSTERS / folder).iterdir()})


def counts(roster: Roster) -> dict[Kind, int]:
    return {kind: len(roster.rows(kind)) for kind in roster.modes}


def test_school_data_sync_v1_is_read_with_nothing_lost() -> None:
    roster = read("sds-v1-100-users")
    assert roster.errors == ()
    assert roster.source == SDS_1
    assert counts(roster) == {
        Kind.ORGS: 2,
        Kind.ACADEMIC_SESSIONS: 1,
        Kind.COURSES: 28,
        Kind.CLASSES: 28,
        Kind.USERS: 98,
        Kind.ROLES: 98,
        Kind.DEMOGRAPHICS: 86,
        Kind.ENROLMENTS: 630,
    }
    assert not roster.unknown_roles
    assert not roster.unknown_grades
    (term,) = roster.academic_sessions
    assert (term.start_date, term.end_date) == (date(2017, 7, 1), date(2018, 6, 30))
    assert roster.demographics[0].birth_date == date(2000, 4, 2)


def test_school_data_sync_v2_1_is_read_with_nothing_lost() -> None:
    roster = read("sds-v2.1")
    assert roster.errors == ()
    assert roster.source == SDS_2_1
    assert counts(roster) == {
        Kind.ORGS: 4,
        Kind.ACADEMIC_SESSIONS: 2,
        Kind.COURSES: 3,
        Kind.CLASSES: 2,
        Kind.USERS: 8,
        Kind.ROLES: 7,
        Kind.GUARDIANSHIPS: 3,
        Kind.ENROLMENTS: 6,
        Kind.DEMOGRAPHICS: 6,
    }
    assert [(g.pupil, g.relation) for g in roster.guardianships] == [
        ("114001", Relation.GUARDIAN),
        ("114003", Relation.RELATIVE),
        ("114004", Relation.GUARDIAN),
    ]
    professor = next(role for role in roster.roles if role.user == "114006")
    assert (professor.role, professor.grade) == (RosterRole.TEACHER, "PS1")
    assert next(user for user in roster.users if user.sourced_id == "114003").flags == ("freeLunch",)


@pytest.mark.parametrize("folder", ["sds-v1-100-users", "sds-v2.1"])
def test_no_password_leaves_the_file(folder: str) -> None:
    roster = read(folder)
    assert FindingCode.PASSWORD_NOT_READ in {finding.code for finding in roster.findings}
    assert "P@ss" not in repr(roster)


@pytest.mark.parametrize("folder", ["sds-v1-100-users", "sds-v2.1"])
def test_a_real_roster_survives_the_way_through_oneroster(folder: str) -> None:
    roster = read(folder)
    again = read_roster(write_oneroster(roster))
    assert again.errors == ()
    for kind in roster.modes:
        assert again.rows(kind) == roster.rows(kind)


@pytest.mark.parametrize("folder", ["sds-v1-100-users", "sds-v2.1"])
def test_the_same_real_roster_twice_changes_nothing(folder: str) -> None:
    roster = read(folder)
    for kind in roster.modes:
        incoming = {
            row.sourced_id: {name: getattr(row, name) for name in roster.fields[kind]}
            for row in roster.rows(kind)
        }
        first = difference({}, {}, incoming)
        assert len(first.creates) == len(roster.rows(kind))
        now = {key: Standing(values) for key, values in incoming.items()}
        assert difference(settled({}, incoming), now, incoming).changes_nothing
