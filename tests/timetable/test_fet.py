"""Reading FET's files, on small ones made by hand."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pupitre.timetable.rules.fet import read_fet
from pupitre.timetable.rules.findings import FINDING_TEXTS, FindingCode
from pupitre.timetable.rules.plan import GroupKind, ImportedTimetable, SourceFile, UnplacedReason
from pupitre.timetable.rules.xml_tree import MOST_BYTES, MOST_LEVELS

_LISTS = """
<Institution_Name>Escola Nova</Institution_Name>
<Days_List><Number_of_Days>2</Number_of_Days>
<Day><Name>Dilluns</Name></Day><Day><Name>Dimarts</Name></Day></Days_List>
<Hours_List><Number_of_Hours>4</Number_of_Hours>
<Hour><Name>8:30-9:25</Name></Hour><Hour><Name>9:25-10:20</Name></Hour><Hour><Name>Pati</Name></Hour>
<Hour><Name>11:00-12:00</Name></Hour></Hours_List>
<Subjects_List><Subject><Name>Música\t\t</Name></Subject><Subject><Name>Guàrdia</Name></Subject></Subjects_List>
<Teachers_List><Teacher><Name>Ana</Name></Teacher><Teacher><Name>Pau</Name></Teacher></Teachers_List>
<Students_List><Year><Name>1A</Name><Number_of_Students>25</Number_of_Students>
<Group><Name>1A-x</Name><Subgroup><Name>1A-x1</Name></Subgroup><Subgroup><Name>1A-x2</Name></Subgroup></Group>
<Group><Name>1A-y</Name><Subgroup><Name>1A-x2</Name></Subgroup><Subgroup><Name>1A-y1</Name></Subgroup></Group>
</Year></Students_List>
<Rooms_List><Room><Name>Aula 1</Name><Building>Nord</Building><Capacity>30</Capacity><Virtual>false</Virtual></Room>
<Room><Name>Totes</Name><Capacity>30000</Capacity><Virtual>true</Virtual></Room></Rooms_List>
"""


def _activity(
    number: int, students: Iterable[str] = ("1A",), teachers: Iterable[str] = ("Ana",), **more: object
) -> str:
    return (
        "<Activity>"
        + "".join(f"<Teacher>{name}</Teacher>" for name in teachers)
        + "<Subject>Música</Subject><Activity_Tag>Desdoblament</Activity_Tag>"
        + "".join(f"<Students>{name}</Students>" for name in students)
        + f"<Duration>{more.get('duration', 1)}</Duration><Id>{number}</Id>"
        + f"<Active>{more.get('active', 'true')}</Active></Activity>\n"
    )


def _fet(*activities: str, more: str = "", name: str = "escola.fet") -> SourceFile:
    body = f"{_LISTS}<Activities_List>{''.join(activities)}</Activities_List>{more}"
    return SourceFile(
        name, f'\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<fet version="6.8.5">{body}</fet>'.encode()
    )


def _solution(*places: tuple[int, str, str, str], name: str = "escola_activities.xml") -> SourceFile:
    rows = "".join(
        f"<Activity><Id>{number}</Id><Day>{day}</Day><Hour>{hour}</Hour>{room}</Activity>\n"
        for number, day, hour, room in places
    )
    return SourceFile(name, f"<Activities_Timetable>\n{rows}</Activities_Timetable>".encode())


def _codes(plan: ImportedTimetable) -> list[FindingCode]:
    return [finding.code for finding in plan.findings]


def test_data_and_solution_make_a_timetable_in_either_order() -> None:
    files = [_fet(_activity(1, duration=2)), _solution((1, "Dimarts", "8:30-9:25", "<Room>Aula 1</Room>"))]
    plan = read_fet(files)
    assert plan == read_fet(files[::-1])
    assert plan.is_usable
    assert plan.findings == ()
    (lesson,) = plan.lessons
    assert (lesson.day, list(lesson.periods), lesson.room) == (1, [0, 1], "Aula 1")
    assert (lesson.subject, lesson.teachers, lesson.groups, lesson.tags) == (
        "Música",
        ("Ana",),
        ("1A",),
        ("Desdoblament",),
    )
    assert plan.institution == "Escola Nova"
    assert [day.weekday for day in plan.days] == [1, 2]
    assert [period.is_break for period in plan.periods] == [False, False, True, False]
    assert str(plan.periods[0].starts_at) == "08:30:00"
    assert plan.rooms[0].capacity == 30
    assert plan.rooms[1].capacity is None
    assert plan.rooms[1].is_virtual


def test_a_subgroup_may_stand_in_two_groups() -> None:
    plan = read_fet([_fet(_activity(1)), _solution((1, "Dilluns", "Pati", ""))])
    tree = {group.name: group for group in plan.groups}
    assert tree["1A-x2"].parents == ("1A-x", "1A-y")
    assert tree["1A"].kind is GroupKind.YEAR
    assert tree["1A"].size == 25


def test_the_combined_file_alone_is_enough_and_wishes_are_not_places() -> None:
    more = """<Time_Constraints_List>
    <ConstraintActivityPreferredStartingTime><Weight_Percentage>100</Weight_Percentage><Activity_Id>1</Activity_Id>
    <Preferred_Day>Dilluns</Preferred_Day><Preferred_Hour>Pati</Preferred_Hour><Permanently_Locked>false</Permanently_Locked>
    <Active>true</Active></ConstraintActivityPreferredStartingTime>
    <ConstraintActivityPreferredStartingTime><Weight_Percentage>60</Weight_Percentage><Activity_Id>1</Activity_Id>
    <Preferred_Day>Dimarts</Preferred_Day><Preferred_Hour>Pati</Preferred_Hour></ConstraintActivityPreferredStartingTime>
    </Time_Constraints_List><Space_Constraints_List>
    <ConstraintActivityPreferredRoom><Weight_Percentage>100</Weight_Percentage><Activity_Id>1</Activity_Id><Room>Totes</Room>
    <Number_of_Real_Rooms>2</Number_of_Real_Rooms><Real_Room>Aula 1</Real_Room><Real_Room>Aula 2</Real_Room>
    <Active>true</Active></ConstraintActivityPreferredRoom></Space_Constraints_List>"""
    plan = read_fet([_fet(_activity(1), more=more)])
    assert plan.is_usable
    assert (plan.lessons[0].day, plan.lessons[0].first_period) == (0, 2)
    assert plan.lessons[0].room == "Totes"
    assert plan.lessons[0].rooms == ("Aula 1", "Aula 2")
    assert [room.name for room in plan.rooms] == ["Aula 1", "Totes", "Aula 2"]


def test_a_file_without_its_solution_says_which_file_is_missing() -> None:
    plan = read_fet([_fet(_activity(1), _activity(2))])
    assert not plan.is_usable
    (finding,) = plan.findings
    assert finding.code is FindingCode.NO_SOLUTION
    assert "0 of 2" in finding.what()
    assert "escola_activities.xml" in finding.mend()
    assert "escola_data_and_timetable.fet" in finding.mend()


def test_names_of_other_versions_are_understood() -> None:
    old = """<FET version="5.0"><Days_List><Number>1</Number><Name>Lunes</Name></Days_List>
    <Hours_List><Number>1</Number><Name>1</Name></Hours_List>
    <Activities_List><Activity><Teacher_Name>Ana</Teacher_Name><Subject_Name>Latín</Subject_Name>
    <Activity_Tag_Name>T</Activity_Tag_Name><Students_Set>1A</Students_Set><Duration>1</Duration><Id>1</Id>
    <Active>yes</Active></Activity></Activities_List></FET>"""
    plan = read_fet([SourceFile("viejo.fet", old.encode()), _solution((1, "Lunes", "1", ""))])
    assert plan.is_usable
    assert plan.lessons[0].groups == ("1A",)
    assert plan.lessons[0].tags == ("T",)
    assert plan.teachers == ("Ana",)
    assert _codes(plan) == [FindingCode.NAME_NOT_DECLARED] * 3


def test_guard_duty_and_study_halls_and_switched_off_activities() -> None:
    plan = read_fet(
        [
            _fet(
                _activity(1, students=()),
                _activity(2, teachers=()),
                _activity(3, active="false"),
                _activity(4),
            ),
            _solution((1, "Dilluns", "Pati", ""), (2, "Dimarts", "Pati", ""), (4, "", "", "")),
        ]
    )
    assert plan.is_usable
    assert [(lesson.teachers, lesson.groups) for lesson in plan.lessons] == [(("Ana",), ()), ((), ("1A",))]
    assert [(item.activity_id, item.reason) for item in plan.unplaced] == [
        ("3", UnplacedReason.INACTIVE),
        ("4", UnplacedReason.NOT_PLACED),
    ]
    assert _codes(plan) == [FindingCode.NOT_PLACED, FindingCode.INACTIVE_ACTIVITIES]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (("1A-x1", "Ana"), ("1A-y1", "Pau"), None),
        (("1A-x", "Ana"), ("1A-y", "Pau"), FindingCode.GROUP_OVERLAP),
        (("1A", "Ana"), ("1A-x1", "Pau"), FindingCode.GROUP_OVERLAP),
        (("1A-x1", "Ana"), ("1A-y1", "Ana"), FindingCode.TEACHER_OVERLAP),
    ],
)
def test_overlaps_are_told_and_siblings_are_not(
    first: tuple[str, str], second: tuple[str, str], code: FindingCode | None
) -> None:
    plan = read_fet(
        [
            _fet(_activity(1, [first[0]], [first[1]], duration=2), _activity(2, [second[0]], [second[1]])),
            _solution((1, "Dilluns", "8:30-9:25", ""), (2, "Dilluns", "9:25-10:20", "")),
        ]
    )
    assert _codes(plan) == ([code] if code else [])
    assert plan.is_usable


def test_a_room_taken_twice_is_told_with_both_lessons() -> None:
    room = "<Room>Aula 1</Room>"
    plan = read_fet(
        [
            _fet(_activity(1, ["1A-x1"]), _activity(2, ["1A-y1"], ["Pau"])),
            _solution((1, "Dilluns", "Pati", room), (2, "Dilluns", "Pati", room)),
        ]
    )
    (finding,) = plan.findings
    assert finding.code is FindingCode.ROOM_OVERLAP
    assert finding.what() == (
        "Room “Aula 1” is taken twice on Dilluns at Pati: Música · 1A-x1 · Ana and Música · 1A-y1 · Pau."
    )


def test_the_solution_of_another_school_is_refused_by_name() -> None:
    plan = read_fet(
        [_fet(_activity(1)), _solution((7, "Freitag", "3. Stunde", ""), name="schule_activities.xml")]
    )
    (finding,) = plan.findings
    assert finding.code is FindingCode.FILES_DO_NOT_MATCH
    for name in ("schule_activities.xml", "escola.fet", "Escola Nova", "“Freitag”"):
        assert name in finding.what()


def test_a_single_unknown_hour_is_told_with_its_line() -> None:
    activities = [_activity(number, ["1A-x1"]) for number in range(1, 12)]
    places = [(number, "Dilluns", "Pati", "") for number in range(1, 11)]
    plan = read_fet([_fet(*activities), _solution(*places, (11, "Dilluns", "Migdia", ""))])
    finding = next(f for f in plan.findings if f.code is FindingCode.UNKNOWN_HOUR)
    assert (finding.file, finding.line) == ("escola_activities.xml", 12)
    assert not plan.is_usable


def test_a_lesson_past_the_end_of_the_day_is_refused() -> None:
    plan = read_fet([_fet(_activity(1, duration=3)), _solution((1, "Dilluns", "Pati", ""))])
    assert FindingCode.PAST_LAST_HOUR in _codes(plan)
    assert not plan.is_usable


def test_ten_days_named_a_and_b_are_two_weeks() -> None:
    days = "".join(f"<Day><Name>{day} {week}</Name></Day>" for week in "AB" for day in ("Lunes", "Martes"))
    text = f"""<fet><Days_List>{days}</Days_List><Hours_List><Hour><Name>1</Name></Hour></Hours_List>
    <Activities_List><Activity><Teacher>Ana</Teacher><Id>1</Id></Activity>
    <Activity><Teacher>Ana</Teacher><Id>2</Id></Activity></Activities_List></fet>"""
    plan = read_fet(
        [SourceFile("x.fet", text.encode()), _solution((1, "Lunes A", "1", ""), (2, "Lunes B", "1", ""))]
    )
    assert [(day.weekday, day.week) for day in plan.days] == [(1, "A"), (2, "A"), (1, "B"), (2, "B")]
    assert [lesson.week for lesson in plan.lessons] == ["A", "B"]
    assert FindingCode.TEACHER_OVERLAP not in _codes(plan)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FindingCode.MALFORMED_XML),
        (b"<fet>\n<Days_List>\n</fet>", FindingCode.MALFORMED_XML),
        (b'<?xml version="1.0" encoding="no-such"?><fet/>', FindingCode.MALFORMED_XML),
        (b'<!DOCTYPE fet [<!ENTITY a "b">]><fet>&a;</fet>', FindingCode.FORBIDDEN_XML),
        (b'<!DOCTYPE fet SYSTEM "file:///etc/passwd"><fet/>', FindingCode.FORBIDDEN_XML),
        (b"<fet>" + b"<a>" * MOST_LEVELS, FindingCode.TOO_LARGE),
        (b" " * (MOST_BYTES + 1), FindingCode.TOO_LARGE),
        (b"<html/>", FindingCode.NOT_A_TIMETABLE),
        (b"<Teachers_Timetable/>", FindingCode.OTHER_FET_FILE),
        (b"<Activities_Timetable/>", FindingCode.SOLUTION_WITHOUT_DATA),
        (b"<fet/>", FindingCode.NO_DAYS_OR_HOURS),
    ],
)
def test_hostile_and_wrong_files_become_findings(content: bytes, code: FindingCode) -> None:
    plan = read_fet([SourceFile("x", content)])
    assert code in _codes(plan)
    assert not plan.is_usable


def test_a_damaged_file_is_told_with_its_line() -> None:
    (finding,) = read_fet([SourceFile("x.fet", b"<fet>\n<Days_List>\n</fet>")]).findings
    assert finding.line == 3


def test_a_file_that_is_made_to_exhaust_memory_is_read_quickly() -> None:
    subgroups = "".join(f"<Subgroup><Name>s{n}</Name></Subgroup>" for n in range(3000))
    students = (
        f"<Students_List><Year><Name>Y</Name><Group><Name>G</Name>{subgroups}</Group></Year></Students_List>"
    )
    content = _fet(*(_activity(n, ["Y"]) for n in range(2000))).content.decode()
    bomb = content.replace("<Students_List>", students + "<X>").replace(
        "</Students_List>\n<Rooms", "</X><Rooms"
    )
    plan = read_fet(
        [SourceFile("x.fet", bomb.encode()), _solution(*((n, "Dilluns", "Pati", "") for n in range(2000)))]
    )
    assert len(plan.lessons) == 2000
    assert FindingCode.GROUP_OVERLAP in _codes(plan)


def test_more_hours_than_fet_can_have_are_refused() -> None:
    hours = "".join(f"<Hour><Name>h{n}</Name></Hour>" for n in range(200))
    text = f"<fet><Days_List><Day><Name>Mon</Name></Day></Days_List><Hours_List>{hours}</Hours_List></fet>"
    assert _codes(read_fet([SourceFile("x.fet", text.encode())])) == [FindingCode.TOO_LARGE]


def test_no_file_and_two_solutions_are_refused() -> None:
    assert _codes(read_fet([])) == [FindingCode.NO_FILE]
    plan = read_fet([_fet(_activity(1)), _solution(name="a.xml"), _solution(name="b.xml")])
    assert _codes(plan) == [FindingCode.TWO_SOLUTIONS]


def test_every_code_has_a_text_and_the_package_uses_every_code() -> None:
    assert set(FINDING_TEXTS) == set(FindingCode)
    package = Path(__file__).parents[2] / "src/pupitre/timetable/rules"
    used = "".join(path.read_text("utf-8") for path in package.glob("*.py") if path.stem != "findings")
    unused = {code for code in FindingCode if f"FindingCode.{code.name}" not in used}
    assert unused == {FindingCode.AND_MORE}


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(content: bytes) -> None:
    plan = read_fet([SourceFile("x", content)])
    assert not plan.is_usable
    assert all(finding.what() and finding.mend() for finding in plan.findings)


@given(st.data())
def test_a_file_cut_and_garbled_anywhere_never_raises(data: st.DataObject) -> None:
    whole = _fet(_activity(1), _activity(2, ["1A-x1"])).content
    start = data.draw(st.integers(0, len(whole)))
    garbled = (
        whole[:start] + data.draw(st.binary(max_size=8)) + whole[start + data.draw(st.integers(0, 40)) :]
    )
    plan = read_fet(
        [SourceFile("x.fet", garbled), _solution((1, "Dilluns", "Pati", ""), (2, "Dimarts", "Pati", ""))]
    )
    assert all(finding.what() and finding.mend() for finding in plan.findings)
