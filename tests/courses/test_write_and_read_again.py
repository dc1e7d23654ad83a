"""What is exported is read back as the same roster, to the last letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import Guardianship, Kind, Mode, Relation, Roster
from pupitre.courses.rules.writing import write_oneroster
from tests.courses.made_rosters import ONEROSTER_1_1, ONEROSTER_1_2, encoded
from tests.courses.roster_strategies import rosters

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)


@settings(deadline=None, max_examples=100)
@given(rosters())
def test_every_roster_is_read_back_as_it_was(roster: Roster) -> None:
    again = read_roster(write_oneroster(roster))
    assert again.errors == ()
    assert again == roster


@settings(deadline=None, max_examples=30)
@given(rosters(), st.sets(st.sampled_from(["x1", "x2", "x 3"]), min_size=1))
def test_a_delta_is_read_back_as_it_was(roster: Roster, gone: set[str]) -> None:
    modes = dict.fromkeys(roster.modes, Mode.DELTA)
    ended: dict[Kind, frozenset[str]] = {
        kind: frozenset(gone) for kind in roster.modes if kind is not Kind.GUARDIANSHIPS
    }
    delta = replace(roster, modes=modes, tobedeleted=ended)
    again = read_roster(write_oneroster(delta, changed_at=NOW))
    assert again.errors == ()
    assert again == delta


def test_the_manifest_names_every_file_of_the_binding() -> None:
    files = write_oneroster(read_roster(encoded(ONEROSTER_1_2)))
    lines = files["manifest.csv"].decode().split("\r\n")
    assert lines[:3] == ["propertyName,value", "manifest.version,1.0", "oneroster.version,1.2"]
    assert sum(line.startswith("file.") for line in lines) == 21
    assert {"file.users,bulk", "file.roles,bulk", "file.results,absent", "file.userProfiles,absent"} <= set(
        lines
    )
    assert {"source.systemName,Pupitre", "source.systemCode,pupitre"} <= set(lines)


def test_the_columns_stand_in_the_order_of_the_binding() -> None:
    files = write_oneroster(read_roster(encoded(ONEROSTER_1_2)))
    assert files["users.csv"].decode().partition("\r\n")[0] == (
        "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,"
        "sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,"
        "preferredFamilyName,primaryOrgSourcedId,pronouns"
    )
    assert files["roles.csv"].decode().partition("\r\n")[0] == (
        "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId"
    )
    assert '"07,08"' in files["courses.csv"].decode()


def test_a_value_that_looks_like_a_formula_is_not_altered() -> None:
    roster = read_roster(encoded(ONEROSTER_1_2))
    user = replace(
        roster.users[0], given_name="=1+1", phone="+34 600 000 000", middle_name="@x", identifier="-1"
    )
    changed = replace(roster, users=(user, *roster.users[1:]))
    written = write_oneroster(changed)
    assert b",=1+1," in written["users.csv"]
    assert read_roster(written) == changed


def test_a_roster_of_1_1_is_written_as_1_2() -> None:
    old = read_roster(encoded(ONEROSTER_1_1))
    new = read_roster(write_oneroster(old))
    assert new.errors == ()
    assert [new.rows(kind) for kind in old.modes] == [old.rows(kind) for kind in old.modes]


def test_what_oneroster_cannot_say_is_refused() -> None:
    roster = read_roster(encoded(ONEROSTER_1_2))
    with pytest.raises(ValueError, match="time"):
        write_oneroster(replace(roster, modes={Kind.ORGS: Mode.DELTA}))
    stranger = Guardianship("nobody", "g1", Relation.MOTHER)
    with pytest.raises(ValueError, match="nobody"):
        write_oneroster(replace(roster, guardianships=(stranger,)))
