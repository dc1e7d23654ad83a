"""`pupitre import --authority`: a region's files into all of its schools, as somebody types it."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from pupitre.courses.actions import rosters as importing
from pupitre.courses.models import Class, Enrolment, RosterImport
from pupitre.courses.queries import rosters as queries
from pupitre.kernel import clock
from pupitre.people.models import Membership, Person
from pupitre.people.rules import Role, system_actor
from pupitre.project import cli
from pupitre.project.commands import regions, rosters
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.courses.importing import row_counts
from tests.courses.made_region import REGION, with_line


@pytest.fixture
def schools(cast: Cast) -> dict[str, SchoolFacts]:
    """An authority with the two schools of the files, one known by its sourcedId, the other by its code."""
    where: dict[str, Any] = {"country": "ES", "locale": "ca", "time_zone": "Europe/Madrid"}
    comarca = founding.found_authority(slug="comarca", name="Comarca", **where)
    founding.found_school(comarca, slug="mar", name="La Mar", sourced_id="mar", **where)
    founding.found_school(comarca, slug="institut", name="Sol", identifier="081", sourced_id="x", **where)
    return {slug: tenancy.access_school(slug) for slug in ("mar", "institut")}


def typed(*words: str) -> Namespace:
    return cli._parser().parse_args(["import", "--authority", "comarca", *words])


def folder(path: Path, files: dict[str, str]) -> str:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text, newline="")
    return str(path)


def outcomes(path: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, str]]:
    capsys.readouterr()
    status = rosters.run_import(typed(path, "--json", *options))
    told = json.loads(capsys.readouterr().out)
    return status, {school: facts["outcome"] for school, facts in told["schools"].items()}


def test_every_school_gets_its_share_and_who_is_in_two_is_in_both(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rosters.run_import(typed(folder(tmp_path / "region", REGION))) == 0
    told = capsys.readouterr().out
    assert "2 imported" in told
    assert "1 rows belong to no school, the first in line 9" in told
    for slug, own, role in (("mar", "p1", 3), ("institut", "p2", 2)):
        with scope(schools[slug].id):
            people = set(Person.objects.values_list("sourced_id", flat=True))
            assert {own, "t1", "g1"} <= people
            assert Enrolment.objects.filter(person__sourced_id="t1").count() == 1
            assert Membership.objects.filter(role=Role.TEACHER.value).count() == role - 1
            assert "x1" not in people
    with scope(schools["institut"].id):
        assert set(Class.objects.values_list("sourced_id", flat=True)) == {"c2", "c4"}


def test_what_did_not_change_is_not_read_again(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "first", REGION)
    assert outcomes(path, capsys) == (0, {"mar": "imported", "institut": "imported"})
    assert outcomes(path, capsys) == (0, {"mar": "unchanged", "institut": "unchanged"})
    changed = with_line(REGION, "users.csv", "biel,Biel", "biel,Blai")
    second = folder(tmp_path / "second", changed)
    assert outcomes(second, capsys) == (0, {"mar": "unchanged", "institut": "imported"})
    with scope(schools["institut"].id):
        assert Person.objects.get(sourced_id="p2").given_name == "Blai"
        assert RosterImport.objects.count() == 2


def test_an_upload_in_between_makes_the_next_import_read_again(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "first", REGION)
    outcomes(path, capsys)
    changed = with_line(REGION, "users.csv", "aina,Aina", "aina,Anna")
    files = {name: text.encode() for name, text in changed.items()}
    actor = system_actor(schools["mar"])
    with scope(schools["mar"].id):
        record = importing.upload_roster(actor, files=files, file_name="r.zip", now=clock.now())
        importing.read_import(actor, record.pk, now=clock.now())
        importing.apply_import(actor, record.pk, now=clock.now())
    assert outcomes(path, capsys) == (0, {"mar": "imported", "institut": "unchanged"})


def test_an_error_keeps_back_its_school_only(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = with_line(REGION, "enrollments.csv", "e7,c4,sol,p2,student,,,", "e7,c4,sol,p7,student,,,")
    path = folder(tmp_path / "region", wrong)
    assert rosters.run_import(typed(path)) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "institut: refused" in told
    assert "line 8" in told
    with scope(schools["institut"].id):
        assert Person.objects.count() == 0
        assert RosterImport.objects.get().state == RosterImport.REFUSED
    with scope(schools["mar"].id):
        assert Person.objects.count() > 0


def test_a_file_cut_short_does_not_empty_a_school(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pupils = range(30)
    grown = {
        **REGION,
        "users.csv": REGION["users.csv"] + "".join(f"q{n},true,q{n},Nil,Font{n},,,,07,\n" for n in pupils),
        "roles.csv": REGION["roles.csv"] + "".join(f"rq{n},q{n},primary,student,,,mar\n" for n in pupils),
    }
    outcomes(folder(tmp_path / "whole", grown), capsys)
    cut = folder(tmp_path / "cut", REGION)
    assert outcomes(cut, capsys) == (1, {"mar": "waiting", "institut": "unchanged"})
    with scope(schools["mar"].id):
        assert Person.objects.filter(ended_on__isnull=True, sourced_id__startswith="q").count() == 30
        waiting = RosterImport.objects.get(state=RosterImport.READ)
        # The office decides on its page; what the share was read with has been kept.
        applied = importing.apply_import(system_actor(schools["mar"]), waiting.pk, now=clock.now())
        assert applied.report["kinds"]["users"]["ended"] == 30
    grown_again = folder(tmp_path / "again", grown)
    outcomes(grown_again, capsys)
    assert outcomes(cut, capsys, "--let-leave") == (0, {"mar": "imported", "institut": "unchanged"})


def test_missing_schools_are_told_or_founded(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = with_line(REGION, "orgs.csv", "sol,Institut", "nou,Escola Nova,school,099,d\nsol,Institut")
    more = with_line(more, "roles.csv", "r9,x1", "r10,x1,primary,student,,,nou\nr9,x1")
    path = folder(tmp_path / "region", more)
    assert rosters.run_import(typed(path)) == 1
    assert "nou Escola Nova: is no school here" in capsys.readouterr().out
    status, told = outcomes(path, capsys, "--found")
    assert (status, told["escola-nova"]) == (0, "imported")
    assert tenancy.codes_of(tenancy.access_school("escola-nova").id) == ("nou", "099", "Escola Nova")


def test_a_trial_run_changes_nothing(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = outcomes(folder(tmp_path / "region", REGION), capsys, "--dry-run")
    assert (status, told) == (0, {"mar": "imported", "institut": "imported"})
    with scope(schools["mar"].id):
        assert set(row_counts().values()) == {0}
        assert RosterImport.objects.count() == 0


def test_what_the_school_changed_by_hand_stays(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "region", REGION)
    outcomes(path, capsys)
    with scope(schools["mar"].id):
        Person.objects.filter(sourced_id="p1").update(phone="+34 699")
    outcomes(path, capsys)
    changed = folder(tmp_path / "changed", with_line(REGION, "users.csv", "aina,Aina", "aina,Anna"))
    outcomes(changed, capsys)
    with scope(schools["mar"].id):
        assert Person.objects.values_list("phone", "given_name").get(sourced_id="p1") == ("+34 699", "Anna")
    outcomes(changed, capsys, "--take-file")
    with scope(schools["mar"].id):
        assert Person.objects.get(sourced_id="p1").phone == ""


def test_files_that_cannot_be_divided_change_nothing(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = with_line(REGION, "roles.csv", "r5,t2", 'r5,"t2')
    assert rosters.run_import(typed(folder(tmp_path / "region", wrong))) == 1
    assert "error" in capsys.readouterr().out
    with scope(schools["mar"].id):
        assert queries.last_digest() == ""
        assert Person.objects.count() == 0


def test_an_unknown_authority_or_path_is_told(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(regions.CommandError, match="no authority"):
        rosters.run_import(typed(str(tmp_path)))
    with pytest.raises(regions.CommandError, match="Which school"):
        rosters.run_import(cli._parser().parse_args(["import", str(tmp_path)]))


def test_a_delta_reaches_whom_it_is_about(
    schools: dict[str, SchoolFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes(folder(tmp_path / "region", REGION), capsys)
    kinds = ("academicSessions", "courses", "classes", "roles", "enrollments", "demographics")
    absent = "".join(f"file.{kind},absent\n" for kind in kinds)
    head = (
        "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.orgs,bulk\nfile.users,delta\n"
    )
    users = REGION["users.csv"].splitlines()[0] + "\np2,true,biel,Blai,Puig,,,g1,07,\n"
    delta = {"manifest.csv": head + absent, "orgs.csv": REGION["orgs.csv"], "users.csv": users}
    status, told = outcomes(folder(tmp_path / "delta", delta), capsys)
    assert (status, told["institut"]) == (0, "imported")
    with scope(schools["institut"].id):
        assert Person.objects.get(sourced_id="p2").given_name == "Blai"
        assert Person.objects.filter(ended_on__isnull=True).count() == 3
    with scope(schools["mar"].id):
        assert not Person.objects.filter(sourced_id="p2").exists()
