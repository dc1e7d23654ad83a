"""`pupitre import school timetable.csv`."""

import argparse
from pathlib import Path

import pytest

from pupitre.project.cli import CommandError
from pupitre.project.commands.timetables import run_timetable_import
from pupitre.tenancy.scoping import scope
from pupitre.timetable.models import Lesson
from tests.cast import Cast
from tests.timetable.files import DATA, SMALL


def command(path: Path, school: str = "oak", *, dry: bool = False) -> int:
    return run_timetable_import(argparse.Namespace(school=school, path=path, dry_run=dry, format=None))


def test_a_file_is_put_to_use(cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text(SMALL)
    assert command(path, dry=True) == 0
    assert "Would put 3 lessons and 1 duties to use" in capsys.readouterr().out
    assert command(path) == 0
    assert "lessons added" in capsys.readouterr().out
    with scope(cast.school.id):
        assert Lesson.objects.exclude(source="").count() == 3


def test_what_is_wrong_is_told_and_nothing_changed(cast: Cast, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("day,period,class\n")
    with pytest.raises(CommandError, match="nothing was changed"):
        command(path)
    with pytest.raises(CommandError, match="cannot be read"):
        command(tmp_path / "none.csv")
    with pytest.raises(CommandError, match="no school"):
        command(path, "nowhere")
    path.write_text(SMALL.replace("Tess Teacher", "T"))
    with scope(cast.school.id):
        assert Lesson.objects.count() == 2


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason="no reference data")
def test_the_solution_beside_the_file_is_found(cast: Cast) -> None:
    assert command(DATA / "secondary-school.fet", "elm") == 0
    with scope(cast.other_school.id):
        assert Lesson.objects.count() == 817
    assert command(DATA / "primaria_activities.xml") == 0
