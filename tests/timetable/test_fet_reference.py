"""Two real Spanish schools, as FET 6.8.5 solved them."""

from collections import Counter
from pathlib import Path

import pytest

from pupitre.timetable.rules.fet import read_fet
from pupitre.timetable.rules.findings import FindingCode
from pupitre.timetable.rules.matching import KnownName, MatchReason, NameKind, match_names
from pupitre.timetable.rules.plan import GroupKind, ImportedTimetable, SourceFile, ancestors
from pupitre.timetable.rules.timetable_csv import read_csv, write_csv

DATA = Path(__file__).parents[3] / "shared" / "data" / "timetables"
pytestmark = [pytest.mark.reference, pytest.mark.skipif(not DATA.is_dir(), reason="no reference data")]


def _read(*names: str) -> ImportedTimetable:
    return read_fet([SourceFile(name, (DATA / name).read_bytes()) for name in names])


def _counts(plan: ImportedTimetable) -> dict[str, int]:
    return {
        "days": len(plan.days),
        "hours": len(plan.periods),
        "teachers": len(plan.teachers),
        "subjects": len(plan.subjects),
        "rooms": len(plan.rooms),
        "groups": len(plan.groups),
        "lessons": len(plan.lessons),
        "taught hours": sum(lesson.duration for lesson in plan.lessons),
        "with a room": sum(lesson.room is not None for lesson in plan.lessons),
        "without pupils": sum(not lesson.groups for lesson in plan.lessons),
        "unplaced": len(plan.unplaced),
        "findings": len(plan.findings),
    }


def test_the_primary_school() -> None:
    plan = _read("primaria.fet", "primaria_activities.xml")
    assert plan.is_usable
    assert plan.institution == "Colegio de Fitero"
    assert _counts(plan) == {
        "days": 5,
        "hours": 8,
        "teachers": 17,
        "subjects": 13,
        "rooms": 0,
        "groups": 11,
        "lessons": 254,
        "taught hours": 278,
        "with a room": 0,
        "without pupils": 0,
        "unplaced": 0,
        "findings": 0,
    }
    assert [period.name for period in plan.periods if period.is_break] == ["RECREO", "COMIDA"]
    assert [day.weekday for day in plan.days] == [1, 2, 3, 4, 5]


def test_the_secondary_school() -> None:
    plan = _read("secondary-school.fet", "secondary-school_activities.xml")
    assert plan.is_usable
    assert _counts(plan) == {
        "days": 5,
        "hours": 7,
        "teachers": 56,
        "subjects": 78,
        "rooms": 46,
        "groups": 351,
        "lessons": 1086,
        "taught hours": 1086,
        "with a room": 699,
        "without pupils": 269,
        "unplaced": 0,
        "findings": 0,
    }
    assert Counter(group.kind for group in plan.groups) == {
        GroupKind.YEAR: 37,
        GroupKind.GROUP: 150,
        GroupKind.SUBGROUP: 164,
    }
    assert not any("\t" in room.name for room in plan.rooms)


@pytest.mark.parametrize("school", ["primaria", "secondary-school"])
def test_the_combined_file_says_the_same_as_input_and_solution(school: str) -> None:
    apart = _read(f"{school}.fet", f"{school}_activities.xml")
    assert _read(f"{school}_data_and_timetable.fet") == apart
    both = _read(f"{school}.fet", f"{school}_data_and_timetable.fet")
    assert both.lessons == apart.lessons
    assert [finding.code for finding in both.findings] == [FindingCode.FILE_IGNORED]


@pytest.mark.parametrize("school", ["primaria", "secondary-school"])
def test_the_input_alone_is_refused(school: str) -> None:
    (finding,) = _read(f"{school}.fet").findings
    assert finding.code is FindingCode.NO_SOLUTION


def test_the_two_schools_are_not_mixed() -> None:
    for data, solution in (("primaria", "secondary-school"), ("secondary-school", "primaria")):
        (finding,) = _read(f"{data}.fet", f"{solution}_activities.xml").findings
        assert finding.code is FindingCode.FILES_DO_NOT_MATCH


@pytest.mark.parametrize("school", ["primaria", "secondary-school"])
def test_the_lessons_survive_our_own_csv(school: str) -> None:
    plan = _read(f"{school}_data_and_timetable.fet")
    back = read_csv(SourceFile("x.csv", write_csv(plan).encode()))
    assert back.lessons == plan.lessons
    assert back.periods == plan.periods
    assert back.days == plan.days


def test_every_group_of_the_secondary_school_finds_its_class() -> None:
    plan = _read("secondary-school_data_and_timetable.fet")
    years = [group.name for group in plan.groups if group.kind is GroupKind.YEAR]
    known = [KnownName(name, name) for name in years]
    proposals = match_names(
        (g.name for g in plan.groups), known, NameKind.CLASS, ancestors=ancestors(plan.groups)
    )
    assert all(proposal.match is not None for proposal in proposals)
    assert Counter(proposal.reason for proposal in proposals) == {
        MatchReason.EXACT: 37,
        MatchReason.PARENT_GROUP: 314,
    }
