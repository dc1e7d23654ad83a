"""The timetable as a spreadsheet: what a secretary writes, what FET exports, and back again."""

import csv
import io
import re
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pupitre.timetable.rules.findings import FindingCode, Severity
from pupitre.timetable.rules.plan import ImportedTimetable, PlanDay, PlanLesson, PlanPeriod, SourceFile
from pupitre.timetable.rules.timetable_csv import read_csv, write_csv


def _read(text: str, encoding: str = "utf-8") -> ImportedTimetable:
    return read_csv(SourceFile("horario.csv", text.encode(encoding)))


def _codes(plan: ImportedTimetable) -> list[FindingCode]:
    return [finding.code for finding in plan.findings]


@pytest.mark.parametrize(
    "header",
    [
        "Day,Start,End,Class,Subject,Teacher,Room,Week",
        "Día;Hora de inicio;Hora de fin;Clase;Asignatura;Profesor/a;Aula;Semana",
        "Dia;Hora inici;Hora fi;Grup;Matèria;Professorat;Espai;Setmana",
        "Jour\tDébut\tFin\tClasse\tMatière\tEnseignant\tSalle\tSemaine",
        "Tag;Von;Bis;Klasse;Fach;Lehrkraft;Raum;Woche",
        "Dia|Início|Fim|Turma|Disciplina|Professores|Sala|Semana",
    ],
)
def test_headers_in_six_languages_and_four_delimiters(header: str) -> None:
    mark = next(mark for mark in ",;\t|" if mark in header)
    rows = [header, mark.join(["lundi", "8:30", "9h25", "1A", "X", "Ana", "12", "B"])]
    plan = _read("\r\n".join(rows))
    assert plan.is_usable, [finding.what() for finding in plan.findings]
    (lesson,) = plan.lessons
    assert (lesson.groups, lesson.subject, lesson.teachers, lesson.room, lesson.week) == (
        ("1A",),
        "X",
        ("Ana",),
        "12",
        "B",
    )
    assert plan.days == (PlanDay("lundi", 1),)
    assert plan.periods == (PlanPeriod("08:30-09:25", time(8, 30), time(9, 25)),)


def test_a_spreadsheet_from_excel_in_windows_encoding_with_a_title_above() -> None:
    text = "Horario del IES Peñalara;;;\r\n;;;\r\nDía;Hora;Clase;Profesor\r\nMiércoles;2ª;1º ESO C + 1º ESO D;Begoña\r\nLUNES;1ª;1º ESO C;Íñigo\r\n"
    plan = _read(text, "cp1252")
    assert plan.is_usable
    assert _codes(plan) == [FindingCode.ENCODING_GUESSED]
    assert [day.name for day in plan.days] == ["LUNES", "Miércoles"]
    assert [period.name for period in plan.periods] == ["1ª", "2ª"]
    assert plan.lessons[0].groups == ("1º ESO C", "1º ESO D")
    assert (plan.lessons[0].day, plan.lessons[0].first_period) == (1, 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_and_the_line_that_names_the_delimiter(encoding: str) -> None:
    plan = _read('sep=;\r\n"Day";"Period";"Class"\r\n"Mon";"1";"é, b"\r\n', encoding)
    assert plan.is_usable
    assert plan.lessons[0].groups == ("é, b",)


def test_the_export_of_fet_is_recognised_and_its_hours_are_put_together() -> None:
    plan = _read(
        '"Activity Id","Day","Hour","Students Sets","Subject","Teachers","Activity Tags","Room","Comments"\n'
        '"7","Lunes","8:00","1A+1B","PE","Ana+Pau","Gym","Hall",""\n'
        '"7","Lunes","9:00","1A+1B","PE","Ana+Pau","Gym","Hall",""\n'
        '"9","Martes","9:00","1A","Art","Pau","","",""\n'
    )
    assert plan.is_usable
    assert plan.findings == ()
    assert [(item.activity_id, item.duration, item.teachers) for item in plan.lessons] == [
        ("7", 2, ("Ana", "Pau")),
        ("9", 1, ("Pau",)),
    ]


def test_two_weeks_may_share_an_hour_and_every_week_may_not() -> None:
    apart = _read("Day,Period,Class,Teacher,Week\nMon,1,1A,Ana,A\nMon,1,1A,Ana,Week B\n")
    assert apart.findings == ()
    assert [lesson.week for lesson in apart.lessons] == ["A", "B"]
    clash = _read("Day,Period,Class,Teacher,Week\nMon,1,1A,Ana,A\nMon,1,1A,Pau,\n")
    assert _codes(clash) == [FindingCode.GROUP_OVERLAP]


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("Blursday,1,,1A,A", FindingCode.UNKNOWN_DAY, "Day"),
        (",1,,1A,A", FindingCode.CELL_MISSING, "Day"),
        ("Mon,,,1A,A", FindingCode.CELL_MISSING, "Hour"),
        ("Mon,1,later,1A,A", FindingCode.BAD_TIME, "Start"),
        ("Mon,1,,1A,C", FindingCode.UNKNOWN_WEEK, "Week"),
    ],
)
def test_what_is_not_clear_is_refused_with_line_and_column(row: str, code: FindingCode, column: str) -> None:
    plan = _read(f"Day,Hour,Start,Class,Week\nTue,2,,1B,\n{row}\n")
    assert not plan.is_usable
    assert plan.lessons == ()
    finding = next(f for f in plan.findings if f.code is code)
    assert (finding.line, finding.column, finding.file) == (3, column, "horario.csv")


def test_unused_and_doubled_columns_are_told() -> None:
    plan = _read("Day,Period,Class,Group,Colour\nMon,1,1A,1B,red\n")
    assert plan.is_usable
    assert plan.lessons[0].groups == ("1A",)
    assert _codes(plan) == [FindingCode.COLUMN_TWICE, FindingCode.COLUMN_IGNORED]


def test_all_unused_columns_stand_in_one_remark() -> None:
    plan = _read("Day,Colour,Period,Mood,Class\nMon,red,1,good,1A\n")
    (finding,) = plan.findings
    assert (finding.code, finding.line) == (FindingCode.COLUMN_IGNORED, 1)
    assert finding.what() == "Columns that are not used: “Colour”, “Mood”."
    many = ",".join(f"extra{'x' * number}" for number in range(300))
    (finding,) = _read(f"Day,Period,Class,{many}\nMon,1,1A\n").findings
    assert finding.what().endswith("”, ….")
    assert finding.what().count("“") == 20


def test_free_hours_and_breaks_are_not_lessons() -> None:
    plan = _read(
        "Día,Hora,Clase,Asignatura\nLunes,1,1A,Lengua\nLunes,2,,\nLunes,3,,Recreo\nLunes,4,1A,Música\n"
    )
    assert plan.is_usable
    assert [(lesson.subject, lesson.first_period) for lesson in plan.lessons] == [
        ("Lengua", 0),
        ("Música", 3),
    ]
    assert [period.is_break for period in plan.periods] == [False, False, True, False]


def test_more_findings_than_a_person_reads_are_counted() -> None:
    plan = _read("Day,Period,Class\n" + "".join(f"Blursday{'x' * n},1,1A\n" for n in range(130)))
    more = next(finding for finding in plan.findings if finding.code is FindingCode.AND_MORE)
    assert more.what() == "30 more like the one above are not listed."
    assert sum(finding.code is FindingCode.UNKNOWN_DAY for finding in plan.findings) == 100


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "Day,Period,Class\n", 'Day,Period,Class\n"' + "x" * 200_000]
)
def test_files_without_lessons_are_refused(text: str) -> None:
    plan = _read(text)
    assert any(finding.severity is Severity.ERROR for finding in plan.findings)


def test_what_a_spreadsheet_would_run_as_a_formula_is_disarmed() -> None:
    lesson = PlanLesson("1", ("=cmd()",), "+x", ("C++",), (), 0, 0, 1)
    plan = ImportedTimetable(days=(PlanDay("Monday", 1),), periods=(PlanPeriod("1"),), lessons=(lesson,))
    text = write_csv(plan)
    assert not re.search(r"(?:^|,)[=+@-]", text, re.MULTILINE)
    assert _read(text).lessons == (lesson,)


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " \t@", "\t", "\r"])
def test_no_cell_of_the_export_begins_like_a_formula(begins: str) -> None:
    name = f"{begins}1+1"
    lesson = PlanLesson(name, (name,), name, (name,), (name,), 0, 0, 1, room=name)
    plan = ImportedTimetable(days=(PlanDay(name, 1),), periods=(PlanPeriod(name),), lessons=(lesson,))
    cells = [cell for row in csv.reader(io.StringIO(write_csv(plan), newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", " "))]


_NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z"), exclude_characters="|"),
    min_size=1,
    max_size=8,
)
_NAMES = st.lists(_NAME, max_size=3, unique=True).map(tuple)
_DAYS = st.sampled_from(
    [("Lunes", "Martes"), ("Monday A", "Tuesday A", "Monday B", "Tuesday B"), ("lundi", "jeudi")]
)


@st.composite
def _plans(draw: st.DrawFn) -> ImportedTimetable:
    names = draw(_DAYS)
    days = tuple(
        PlanDay(n, {"L": 1, "l": 1, "M": 1, "T": 2, "j": 4}[n[0]], n[-1] if n[-1] in "AB" else "")
        for n in names
    )
    days = tuple(PlanDay(d.name, 2, d.week) if d.name == "Martes" else d for d in days)
    periods = (
        PlanPeriod("uno", time(8), time(9)),
        PlanPeriod("recreo", time(9), time(9, 30), draw(st.booleans())),
        PlanPeriod("dos", None, None, draw(st.booleans())),
    )
    lessons = []
    for number in range(draw(st.integers(1, 6))):
        day, first = draw(st.integers(0, len(days) - 1)), draw(st.integers(0, 2))
        lessons.append(
            PlanLesson(
                activity_id=f"a{number}",
                teachers=draw(_NAMES),
                subject=draw(_NAME),
                groups=draw(_NAMES),
                tags=draw(_NAMES),
                day=day,
                first_period=first,
                duration=draw(st.integers(1, 3 - first)),
                room=draw(st.none() | _NAME),
                week=days[day].week or draw(st.sampled_from(["", "A", "B"])),
            )
        )
    return ImportedTimetable(days=days, periods=periods, lessons=tuple(lessons))


@given(_plans())
def test_what_is_written_is_read_back(plan: ImportedTimetable) -> None:
    back = _read(write_csv(plan))
    assert back.is_usable, [finding.what() for finding in back.findings]
    assert (back.days, back.periods, back.lessons) == (plan.days, plan.periods, plan.lessons)
    assert write_csv(back) == write_csv(plan)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"Day,Period,Class\n", b"\xff\xfe", b"Dia;Inici;Fi;Grup;Setmana\n"]),
)
def test_arbitrary_bytes_never_raise(content: bytes, head: bytes) -> None:
    plan = read_csv(SourceFile("x.csv", head + content))
    assert all(finding.what() and finding.mend() for finding in plan.findings)


@given(
    st.lists(
        st.lists(st.sampled_from(["Mon", "1", "8:30", "", "A", "1A", "x", "99", "+", "|"]), max_size=6),
        max_size=8,
    )
)
def test_arbitrary_tables_never_raise(rows: list[list[str]]) -> None:
    text = "\n".join(["Day,Period,Start,Periods,Class,Week", *(",".join(row) for row in rows)])
    plan = _read(text)
    assert plan.is_usable or any(finding.severity is Severity.ERROR for finding in plan.findings)
