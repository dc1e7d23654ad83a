"""A region's files are divided so that each school's share reads as the whole would for that school."""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pupitre.courses.actions import dividing
from pupitre.courses.actions.dividing import Division, divide
from pupitre.courses.rules.facts import Known, Said, said_about
from pupitre.courses.rules.findings import FindingCode, Severity
from pupitre.courses.rules.parts import digest_of, part_of
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import Kind, Roster
from tests.courses.made_region import REGION, with_line
from tests.courses.made_rosters import encoded

TODAY = date(2026, 10, 13)


def divided(tmp_path: Path, files: dict[str, str], encoding: str = "utf-8") -> Division:
    path, folder = tmp_path / "region.zip", tmp_path / "shares"
    folder.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text.encode(encoding))
    return divide(path, folder)


def read(division: Division, org: str) -> tuple[Roster, Said]:
    share = division.share_of(org)
    roster = read_roster(share.files, part=share.part)
    return roster, said_about(roster, {org}, Known(), TODAY, is_part=True)


def places(roster: Roster, said: Said) -> dict[tuple[Kind, str], Any]:
    kinds = (Kind.USERS, Kind.CLASSES, Kind.COURSES)
    return {(kind, key): roster.place(kind, key) for kind in kinds for key in said.rows[kind]}


def _semicolons(files: dict[str, str]) -> dict[str, str]:
    return {
        name: text if name == "users.csv" or '"' in text else text.replace(",", ";")
        for name, text in files.items()
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("org", ["mar", "sol"])
def test_a_share_says_what_the_whole_says_about_the_school(tmp_path: Path, org: str, encoding: str) -> None:
    division = divided(tmp_path, REGION, encoding)
    assert not division.errors
    roster, said = read(division, org)
    whole = read_roster(encoded(REGION))
    expected = said_about(whole, {org}, Known(), TODAY)
    assert said.rows == expected.rows
    assert (said.ids, said.modes, said.errors) == (expected.ids, expected.modes, [])
    assert places(roster, said) == places(whole, expected)


def test_other_separators_are_understood(tmp_path: Path) -> None:
    _, said = read(divided(tmp_path, _semicolons(REGION)), "sol")
    assert said.rows == said_about(read_roster(encoded(REGION)), {"sol"}, Known(), TODAY).rows


def test_roles_in_users_csv_are_divided_too(tmp_path: Path) -> None:
    users = (
        "sourcedId,enabledUser,orgSourcedIds,role,username,givenName,familyName,agentSourcedIds,grades\n"
        'p1,true,mar,student,aina,Aina,Puig,"g1,g2",07\np2,true,sol,student,biel,Biel,Puig,g1,07\n'
        't1,true,"mar,sol",teacher,joan,Joan,Riu,,\nt2,true,dep,teacher,mar,Mar,Vidal,,\n'
        'g1,true,"mar,sol",parent,rosa,Rosa,Puig,,\ng2,true,mar,guardian,pere,Pere,Soler,p1,\n'
    )
    files = {**REGION, "users.csv": users}
    del files["roles.csv"], files["manifest.csv"]
    division = divided(tmp_path, files)
    for org in ("mar", "sol"):
        _, said = read(division, org)
        assert said.rows == said_about(read_roster(encoded(files)), {org}, Known(), TODAY).rows


def test_who_is_in_no_school_is_counted_with_the_first_line(tmp_path: Path) -> None:
    division = divided(tmp_path, REGION)
    assert division.nowhere == {"users.csv": (9, 1), "roles.csv": (10, 1)}
    assert list(division.rows) == ["mar", "sol"]


def test_errors_name_the_regions_lines(tmp_path: Path) -> None:
    files = with_line(REGION, "enrollments.csv", "e7,c4,sol,p2,student,,,", "e7,c4,sol,p2,student,,neulich,")
    roster, _ = read(divided(tmp_path, files), "sol")
    (error,) = roster.errors
    assert (error.code, error.file, error.line) == (FindingCode.DATE_UNREADABLE, "enrollments.csv", 8)


def test_a_person_whom_no_file_knows_is_an_error_of_her_school_only(tmp_path: Path) -> None:
    files = with_line(REGION, "users.csv", '"g1,g2",07', '"g1,g9",07')
    division = divided(tmp_path, files)
    assert [error.code for error in read(division, "mar")[0].errors] == [FindingCode.ORPHAN]
    assert not read(division, "sol")[0].errors


def test_passwords_do_not_reach_the_shares(tmp_path: Path) -> None:
    share = divided(tmp_path, REGION).share_of("mar")
    assert b"geheim" not in share.files["users.csv"]


def test_a_share_can_be_packed_and_read_again(tmp_path: Path) -> None:
    share = divided(tmp_path, REGION).share_of("mar")
    before = read_roster(share.files, part=share.part)
    again = read_roster(share.files, part=part_of(share.part.entries()))
    assert again == before
    assert again.places == before.places


def test_a_share_is_known_again_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first = divided(tmp_path / "a", REGION)
    moved = with_line(REGION, "users.csv", "p1,true", "x2,true,anna,Anna,Mas,,,,,\np1,true")
    (tmp_path / "b").mkdir()
    second = divided(tmp_path / "b", moved)
    digests = [digest_of(d.share_of("sol").files, d.share_of("sol").part, []) for d in (first, second)]
    assert digests[0] == digests[1]
    changed = with_line(REGION, "users.csv", "biel,Biel", "biel,Blai")
    (tmp_path / "c").mkdir()
    third = divided(tmp_path / "c", changed).share_of("sol")
    assert digest_of(third.files, third.part, []) != digests[0]


def test_a_delta_is_read_whole_by_every_school(tmp_path: Path) -> None:
    division = divided(tmp_path, with_line(REGION, "manifest.csv", "file.users,bulk", "file.users,delta"))
    assert division.share_of("mar").files == encoded(REGION) | {
        "manifest.csv": division.share_of("mar").files["manifest.csv"]
    }


def test_rows_are_appended_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing, "MOST_HELD", 100)
    monkeypatch.setattr(dividing, "_BATCH", 2)
    _, said = read(divided(tmp_path, REGION), "mar")
    assert said.rows == said_about(read_roster(encoded(REGION)), {"mar"}, Known(), TODAY).rows


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("roles.csv", "r5,t2", 'r5,"t2', FindingCode.CSV_BROKEN),
        ("roles.csv", "orgSourcedId", "gibberish", FindingCode.COLUMN_MISSING),
    ],
)
def test_what_cannot_be_divided_is_refused(
    tmp_path: Path, name: str, old: str, new: str, code: FindingCode
) -> None:
    division = divided(tmp_path, with_line(REGION, name, old, new))
    assert code in {finding.code for finding in division.errors}


def test_files_of_another_format_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "region.zip"
    path.write_bytes(b"no zip")
    assert [f.code for f in divide(path, tmp_path).errors] == [FindingCode.ZIP_BROKEN]
    division = divided(tmp_path, {"School.csv": "SIS ID,Name\n1,Mar\n"})
    assert all(f.severity is Severity.ERROR for f in division.errors)
    assert division.errors
