"""`pupitre import`, `pupitre export` and `pupitre found`, as somebody types them."""

import json
import zipfile
from argparse import Namespace
from pathlib import Path

import pytest

from pupitre.courses.models import Class, Enrolment, RosterImport
from pupitre.people.models import Guardianship, Invitation, Membership, Person
from pupitre.people.rules import Role
from pupitre.project import cli
from pupitre.project.commands import founding, rosters
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.courses.importing import row_counts
from tests.courses.made_rosters import ONEROSTER_1_2, changed

REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "rosters"
reference = [
    pytest.mark.reference,
    pytest.mark.skipif(not REFERENCE.is_dir(), reason="the reference data is not beside the repository"),
]


def typed(*words: str) -> Namespace:
    return cli._parser().parse_args(list(words))


def folder(path: Path, files: dict[str, str]) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_a_folder_is_imported_and_again_nothing_changes(
    cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = folder(tmp_path / "roster", ONEROSTER_1_2)
    assert rosters.run_import(typed("import", "elm", str(files))) == 0
    assert "Imported" in capsys.readouterr().out
    with scope(cast.other_school.id):
        assert Person.objects.filter(sourced_id="p1").exists()
    assert rosters.run_import(typed("import", "elm", str(files))) == 0
    assert "Nothing changes" in capsys.readouterr().out


def test_an_error_is_told_with_its_place_and_nothing_is_changed(
    cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = changed(ONEROSTER_1_2, "enrollments.csv", "e1,,,c1,s1,p1", "e1,,,c1,s1,p7")
    with scope(cast.other_school.id):
        before = row_counts()
    assert rosters.run_import(typed("import", "elm", str(folder(tmp_path / "r", wrong)))) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "line 2" in told
    assert "“enrollments.csv”" in told
    assert "Nothing was changed" in told
    with scope(cast.other_school.id):
        assert row_counts() == before
        assert RosterImport.objects.count() == 0


def test_a_trial_run_changes_nothing(cast: Cast, tmp_path: Path) -> None:
    files = folder(tmp_path / "roster", ONEROSTER_1_2)
    with scope(cast.other_school.id):
        before = row_counts()
    assert rosters.run_import(typed("import", "elm", str(files), "--dry-run")) == 0
    with scope(cast.other_school.id):
        assert row_counts() == before


def test_words_are_mapped_on_the_command_line(cast: Cast, tmp_path: Path) -> None:
    strange = changed(ONEROSTER_1_2, "roles.csv", "t1,primary,teacher", "t1,primary,Koordinatorin")
    path = str(folder(tmp_path / "r", strange))
    assert rosters.run_import(typed("import", "elm", path)) == 1
    assert rosters.run_import(typed("import", "elm", path, "--role-map", "Koordinatorin=teacher")) == 0
    with scope(cast.other_school.id):
        assert Membership.objects.get(person__sourced_id="t1").role == Role.TEACHER


def test_what_it_answers_in_json(cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rosters.run_import(typed("import", "elm", str(folder(tmp_path / "r", ONEROSTER_1_2)), "--json"))
    answer = json.loads(capsys.readouterr().out)
    assert answer["applied"]
    assert answer["kinds"]["users"]["new"] == 3


def test_an_unknown_school_is_told_which_there_are(cast: Cast, tmp_path: Path) -> None:
    with pytest.raises(cli.CommandError, match=r"elm, .*found|oak, elm"):
        rosters.run_import(typed("import", "nowhere", str(tmp_path)))


def test_an_export_can_be_imported(cast: Cast, tmp_path: Path) -> None:
    target = tmp_path / "oak.zip"
    assert rosters.run_export(typed("export", "oak", str(target))) == 0
    assert {"manifest.csv", "users.csv", "roles.csv"} <= set(zipfile.ZipFile(target).namelist())
    assert rosters.run_import(typed("import", "elm", str(target), "--org", "all")) == 0
    with scope(cast.other_school.id):
        assert Class.objects.get(sourced_id="1A").kind == Class.HOMEROOM
        assert Guardianship.objects.count() == 4


def test_a_school_is_founded_with_its_office(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        "found",
        "coast",
        "sea-school",
        "--name",
        "Sea School",
        "--country",
        "PT",
        "--time-zone",
        "Europe/Lisbon",
    )
    assert founding.run_found(typed(*words, "--language", "pt", "--office", "Ada Puig Mas")) == 0
    school = tenancy.access_school("sea-school")
    assert (school.name, school.locale, school.time_zone) == ("Sea School", "pt", "Europe/Lisbon")
    assert "/s/sea-school/activation?code=" in capsys.readouterr().out
    with scope(school.id):
        person = Person.objects.get()
        assert (person.given_name, person.family_name) == ("Ada", "Puig Mas")
        assert Membership.objects.get(person=person).role == Role.SECRETARY
        assert Invitation.objects.filter(person=person).count() == 1
    assert founding.run_found(typed("found", "coast", "sea-school", "--code", "0815")) == 0
    again = tenancy.access_school("sea-school")
    assert (again.name, again.locale, again.time_zone) == ("Sea School", "pt", "Europe/Lisbon")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("--time-zone=Mars/Olympus", "time zone"),
        ("--language=xx", "languages"),
        ("--country=Spain", "two letters"),
    ],
)
def test_a_school_is_not_founded_on_wrong_facts(cast: Cast, word: str, told: str) -> None:
    with pytest.raises(cli.CommandError, match=told):
        founding.run_found(typed("found", "coast", "sea-school", word))


class TestRealRosters:
    pytestmark = reference

    def test_school_data_sync_v2_1(self, cast: Cast) -> None:
        assert rosters.run_import(typed("import", "elm", str(REFERENCE / "sds-v2.1"))) == 0
        with scope(cast.other_school.id):
            assert Person.objects.exclude(sourced_id="stranger").count() == 8
            assert (Class.objects.count(), Enrolment.objects.count(), Guardianship.objects.count()) == (
                2,
                6,
                3,
            )
            assert Membership.objects.filter(role=Role.GUARDIAN).count() == 2

    def test_one_of_two_schools_of_school_data_sync_v1(self, cast: Cast) -> None:
        path = str(REFERENCE / "sds-v1-100-users")
        assert rosters.run_import(typed("import", "elm", path, "--org", "10001")) == 0
        with scope(cast.other_school.id):
            assert Person.objects.exclude(sourced_id="stranger").count() == 67
            assert (Class.objects.count(), Enrolment.objects.count()) == (14, 434)
            assert Membership.objects.filter(role=Role.PUPIL).count() == 60
