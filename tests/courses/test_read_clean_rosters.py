"""Files that keep to their format are read without a word."""

from __future__ import annotations

import io
import zipfile
from datetime import date

from pupitre.courses.rules import roster as rosters
from pupitre.courses.rules.findings import Place
from pupitre.courses.rules.reading import files_of_zip, read_roster
from pupitre.courses.rules.roster import Guardianship, Kind, Mode, Relation, RosterRole
from tests.courses.made_rosters import ONEROSTER_1_1, ONEROSTER_1_2, SDS_1, changed, encoded


def test_oneroster_1_2_is_read_without_a_word() -> None:
    roster = read_roster(encoded(ONEROSTER_1_2))
    assert roster.findings == ()
    assert roster.source == rosters.ONEROSTER_1_2
    assert {kind: len(roster.rows(kind)) for kind in roster.modes} == {
        **dict.fromkeys(
            (
                Kind.ORGS,
                Kind.ACADEMIC_SESSIONS,
                Kind.COURSES,
                Kind.CLASSES,
                Kind.DEMOGRAPHICS,
                Kind.GUARDIANSHIPS,
            ),
            1,
        ),
        Kind.USERS: 3,
        Kind.ROLES: 3,
        Kind.ENROLMENTS: 2,
    }
    assert roster.courses[0].grades == ("07", "08")
    assert roster.users[0].user_ids == (("LDAP", "aina"),)
    assert roster.guardianships == (Guardianship("p1", "g1", Relation.PARENT),)
    assert roster.demographics[0].birth_date == date(2013, 3, 5)


def test_oneroster_1_1_has_its_roles_and_families_in_the_users() -> None:
    roster = read_roster(encoded(ONEROSTER_1_1))
    assert roster.errors == ()
    assert roster.source == rosters.ONEROSTER_1_1
    assert [(role.user, role.org, role.role) for role in roster.roles] == [
        ("p1", "s1", RosterRole.STUDENT),
        ("t1", "s1", RosterRole.TEACHER),
        ("g1", "s1", RosterRole.PARENT),
        ("g2", "s1", RosterRole.GUARDIAN),
    ]
    assert roster.guardianships == (
        Guardianship("p1", "g1", Relation.PARENT),
        Guardianship("p1", "g2", Relation.GUARDIAN),
    )


def test_a_delta_names_what_it_ends_and_leaves_the_rest_to_the_school() -> None:
    files = {
        "manifest.csv": "propertyName,value\noneroster.version,1.2\nfile.enrollments,delta\n",
        "enrollments.csv": (
            "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
            "e1,tobedeleted,2026-10-01T00:00:00Z,,,,,,,\ne3,active,2026-10-01T00:00:00Z,c9,s1,p9,student,,,\n"
        ),
    }
    roster = read_roster(encoded(files))
    assert roster.errors == ()
    assert roster.modes == {Kind.ENROLMENTS: Mode.DELTA}
    assert roster.tobedeleted == {Kind.ENROLMENTS: frozenset({"e1"})}
    assert roster.outside[Kind.USERS] == {"p9": Place("enrollments.csv", 3, "userSourcedId")}
    assert set(roster.outside) == {Kind.USERS, Kind.CLASSES, Kind.ORGS}


def test_names_and_folders_of_files_may_be_written_in_any_case() -> None:
    files = {f"Export 2026/{name.upper()}": data for name, data in encoded(ONEROSTER_1_2).items()}
    files["__MACOSX/Export 2026/._users.csv"] = b"\x00\x05"
    assert read_roster(files) == read_roster(encoded(ONEROSTER_1_2))


def test_a_zip_is_opened_in_memory() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in encoded(ONEROSTER_1_2).items():
            archive.writestr(f"out/{name}", data)
    unpacked = files_of_zip(buffer.getvalue())
    assert unpacked.findings == ()
    assert read_roster(unpacked.files) == read_roster(encoded(ONEROSTER_1_2))


def test_a_row_knows_its_line_also_below_text_of_several_lines() -> None:
    files = changed(ONEROSTER_1_2, "users.csv", ",Aina,Puig,", ',"Aina\nMaria\r\nRosa",Puig,')
    roster = read_roster(encoded(files))
    assert roster.errors == ()
    assert roster.place(Kind.USERS, "p1") == Place("users.csv", 2)
    assert roster.place(Kind.USERS, "t1") == Place("users.csv", 5)


def test_only_the_columns_that_are_there_were_told() -> None:
    told = read_roster(encoded(SDS_1)).fields
    assert "email" not in told[Kind.USERS]
    assert {"given_name", "grades"} <= told[Kind.USERS]
    assert "location" in read_roster(encoded(ONEROSTER_1_2)).fields[Kind.CLASSES]


def test_a_password_is_not_in_the_roster() -> None:
    assert "Secret1" not in repr(read_roster(encoded(SDS_1)))
