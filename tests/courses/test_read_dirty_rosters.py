"""Real files are dirty: what is clear is understood and said, what is not is refused at its line with the mend."""

from __future__ import annotations

from datetime import date

import pytest

from pupitre.courses.rules.findings import FINDING_TEXTS, FindingCode, Severity
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import Choices, Kind, Mode, RosterRole
from tests.courses.made_rosters import ONEROSTER_1_1, ONEROSTER_1_2, SDS_1, changed, encoded, found

CLEAN = read_roster(encoded(ONEROSTER_1_2))
MANY = {name: text.replace("Puig", "Muñoz") for name, text in ONEROSTER_1_2.items()}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_an_encoding_is_recognised(encoding: str) -> None:
    roster = read_roster(encoded(MANY, encoding))
    assert roster.errors == ()
    assert roster.users[0].family_name == "Muñoz"


def test_latin_letters_are_understood_and_said() -> None:
    finding = found(read_roster(encoded(MANY, "cp1252")), FindingCode.ENCODING_UNDERSTOOD)
    assert (finding.severity, finding.file, finding.params["encoding"]) == (
        Severity.NOTE,
        "users.csv",
        "Windows-1252",
    )


def test_two_encodings_in_one_file_are_refused_at_the_line() -> None:
    files = encoded(MANY)
    files["users.csv"] = files["users.csv"].replace(b"Riu", "Peña".encode("cp1252"))
    finding = found(read_roster(files), FindingCode.ENCODING_MIXED)
    assert (finding.severity, finding.file, finding.line) == (Severity.ERROR, "users.csv", 3)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_understood(delimiter: str) -> None:
    text = ONEROSTER_1_2["users.csv"].replace('"', "").replace(",", delimiter)
    roster = read_roster(encoded({**ONEROSTER_1_2, "users.csv": text}))
    assert roster == CLEAN
    assert found(roster, FindingCode.DELIMITER_UNDERSTOOD).severity is Severity.NOTE


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_endings_of_every_computer_are_read(ending: str) -> None:
    files = {name: text.replace("\n", ending) for name, text in ONEROSTER_1_2.items()}
    roster = read_roster(encoded(files))
    assert roster == CLEAN
    assert roster.findings == ()


def test_excels_first_line_and_blank_lines_are_passed_over() -> None:
    files = changed(ONEROSTER_1_2, "orgs.csv", "sourcedId", "sep=,\n\nsourcedId")
    files = changed(files, "users.csv", "t1,", "\n,,,,,,,,,,,,,,,\nt1,")
    roster = read_roster(encoded(files))
    assert roster == CLEAN
    assert roster.findings == ()
    place = roster.place(Kind.USERS, "t1")
    assert place is not None
    assert place.line == 5


def test_trailing_delimiters_are_passed_over() -> None:
    header, *rows = ONEROSTER_1_2["users.csv"].splitlines()
    for first in (header, f"{header},,"):
        text = "\n".join([first, *(f"{row},," for row in rows)])
        roster = read_roster(encoded({**ONEROSTER_1_2, "users.csv": text}))
        assert roster == CLEAN
        assert roster.errors == ()


def test_more_values_than_columns_are_refused() -> None:
    files = changed(ONEROSTER_1_2, "users.csv", "joan@mar.example", "joan@mar.example,x,x,x,x,x,x")
    finding = found(read_roster(encoded(files)), FindingCode.ROW_TOO_LONG)
    assert (finding.severity, finding.line) == (Severity.ERROR, 3)


@pytest.mark.parametrize(("name", "line"), [("Aina", 2), ("Joan", 3), ("Rosa", 4)])
def test_a_value_with_a_separator_in_it_is_refused_also_where_the_row_ends_empty(
    name: str, line: int
) -> None:
    files = changed(ONEROSTER_1_2, "users.csv", f",{name},", f",{name},Maria,")
    finding = found(read_roster(encoded(files)), FindingCode.ROW_TOO_LONG)
    assert (finding.severity, finding.line) == (Severity.ERROR, line)


@pytest.mark.parametrize(
    ("right", "written"),
    [
        ("givenName", "given name"),
        ("givenName", "Given_Name"),
        ("givenName", "givenNmae"),
        ("familyName", "familiyName"),
        ("agentSourcedIds", "agentSourcedId"),
        ("enabledUser", "EnabledUser"),
    ],
)
def test_a_misspelt_column_is_understood_and_said(right: str, written: str) -> None:
    roster = read_roster(encoded(changed(ONEROSTER_1_2, "users.csv", right, written)))
    assert roster == CLEAN
    finding = found(roster, FindingCode.COLUMN_UNDERSTOOD)
    assert (finding.severity, finding.column, finding.value) == (Severity.NOTE, right, written)


@pytest.mark.parametrize("other", ["parentSourcedIds", "courseSourcedId", "x", "name2"])
def test_a_column_that_only_looks_alike_is_not_taken_for_another(other: str) -> None:
    roster = read_roster(encoded(changed(ONEROSTER_1_2, "users.csv", "agentSourcedIds", other)))
    assert found(roster, FindingCode.COLUMN_IGNORED).column == other
    assert Kind.GUARDIANSHIPS not in roster.modes


def test_all_columns_that_are_not_read_stand_in_one_note_a_file() -> None:
    files = changed(ONEROSTER_1_2, "users.csv", "agentSourcedIds", "agentSourcedIds,colour,shoeSize")
    files = changed(files, "orgs.csv", "sourcedId", "sourcedId,motto")
    notes = [f for f in read_roster(encoded(files)).findings if f.code is FindingCode.COLUMN_IGNORED]
    assert [(note.file, note.column) for note in sorted(notes, key=lambda note: note.file)] == [
        ("orgs.csv", "motto"),
        ("users.csv", "colour, shoeSize"),
    ]
    assert notes[0].line == 1
    assert "colour, shoeSize" in next(note for note in notes if note.file == "users.csv").what


def test_all_columns_of_which_nothing_is_kept_stand_in_one_note_a_file() -> None:
    files = {
        **ONEROSTER_1_2,
        "demographics.csv": (
            "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,white,"
            "publicSchoolResidenceStatus\np1,,,2014-03-02,female,,,,\nt1,,,,,false,true,,01652\ng1,,,,,,,true,\n"
        ),
    }
    note = found(read_roster(encoded(files)), FindingCode.COLUMN_NOT_KEPT)
    assert (note.severity, note.file, note.line) == (Severity.NOTE, "demographics.csv", 3)
    assert note.column == "americanIndianOrAlaskaNative, asian, publicSchoolResidenceStatus, white"


def test_hundreds_of_columns_are_not_all_named() -> None:
    more = ",".join(f"extra{number}" for number in range(300))
    files = changed(ONEROSTER_1_2, "users.csv", "agentSourcedIds", f"agentSourcedIds,{more}")
    named = found(read_roster(encoded(files)), FindingCode.COLUMN_IGNORED).column
    assert named.startswith("extra0, extra1, ")
    assert named.endswith(", …")
    assert len(named) < 300


def test_a_required_column_that_is_missing_is_refused() -> None:
    finding = found(
        read_roster(encoded(changed(ONEROSTER_1_2, "users.csv", "familyName", "x"))),
        FindingCode.COLUMN_MISSING,
    )
    assert (finding.severity, finding.file, finding.column) == (Severity.ERROR, "users.csv", "familyName")


def test_a_misspelt_file_name_is_understood_and_said() -> None:
    files = encoded(ONEROSTER_1_2)
    files["enrollmentss.csv"] = files.pop("enrollments.csv")
    roster = read_roster(files)
    assert roster == CLEAN
    assert found(roster, FindingCode.FILE_NAME_UNDERSTOOD).params["meant"] == "enrollments.csv"


def test_without_a_manifest_files_are_complete_and_it_is_said() -> None:
    files = encoded(ONEROSTER_1_2)
    del files["manifest.csv"]
    roster = read_roster(files)
    assert roster == CLEAN
    assert found(roster, FindingCode.MANIFEST_MISSING).severity is Severity.NOTE
    older = encoded(ONEROSTER_1_1)
    del older["manifest.csv"]
    assert read_roster(older) == read_roster(encoded(ONEROSTER_1_1))


def test_a_file_that_the_manifest_announces_must_be_there() -> None:
    files = encoded(ONEROSTER_1_2)
    del files["roles.csv"]
    assert found(read_roster(files), FindingCode.FILE_PROMISED).params["meant"] == "roles.csv"


def test_a_file_that_the_manifest_calls_absent_is_not_read() -> None:
    files = changed(ONEROSTER_1_2, "manifest.csv", "file.demographics,bulk", "file.demographics,absent")
    roster = read_roster(encoded(files))
    assert Kind.DEMOGRAPHICS not in roster.modes
    assert found(roster, FindingCode.FILE_DECLARED_ABSENT).severity is Severity.WARNING


@pytest.mark.parametrize(
    ("file", "old", "new", "column", "value"),
    [
        ("enrollments.csv", "e1,,,c1", "e1,,,c7", "classSourcedId", "c7"),
        ("enrollments.csv", "s1,p1", "s1,p7", "userSourcedId", "p7"),
        ("classes.csv", ",m1,", ",m7,", "courseSourcedId", "m7"),
        ("users.csv", '"g1"', '"g1,g7"', "agentSourcedIds", "g7"),
        ("demographics.csv", "p1,", "p7,", "sourcedId", "p7"),
    ],
)
def test_an_orphan_is_refused_with_its_line_and_column(
    file: str, old: str, new: str, column: str, value: str
) -> None:
    finding = found(read_roster(encoded(changed(ONEROSTER_1_2, file, old, new))), FindingCode.ORPHAN)
    assert finding.severity is Severity.ERROR
    assert (finding.file, finding.line, finding.column, finding.value) == (file, 2, column, value)
    assert value in finding.what
    assert "Add it to" in finding.mend


def test_the_same_row_twice_counts_once() -> None:
    text = ONEROSTER_1_2["enrollments.csv"]
    roster = read_roster(encoded({**ONEROSTER_1_2, "enrollments.csv": text + text.splitlines()[-1] + "\n"}))
    assert roster == CLEAN
    finding = found(roster, FindingCode.ROW_REPEATED)
    assert (finding.severity, finding.line) == (Severity.NOTE, 4)


def test_two_rows_that_contradict_each_other_are_refused() -> None:
    text = ONEROSTER_1_2["users.csv"] + "t1,,,true,joan2,,Joana,Riu,,,,,,,,\n"
    finding = found(read_roster(encoded({**ONEROSTER_1_2, "users.csv": text})), FindingCode.ROW_CONTRADICTS)
    assert (finding.severity, finding.line, finding.params["first_line"]) == (Severity.ERROR, 5, 3)


def test_an_empty_required_value_is_refused() -> None:
    finding = found(
        read_roster(encoded(changed(ONEROSTER_1_2, "users.csv", ",Rosa,", ",,"))), FindingCode.CELL_EMPTY
    )
    assert (finding.file, finding.line, finding.column) == ("users.csv", 4, "givenName")


def test_a_word_in_another_case_is_understood_and_said() -> None:
    roster = read_roster(encoded(changed(ONEROSTER_1_2, "orgs.csv", ",school,", ",School,")))
    assert roster == CLEAN
    assert found(roster, FindingCode.WORD_CASE).params["meant"] == "school"


def test_a_quotation_mark_that_is_never_closed_is_refused_where_it_opens() -> None:
    files = changed(ONEROSTER_1_2, "users.csv", "t1,,,true,joan,,Joan", 't1,,,true,joan,,"Joan')
    finding = found(read_roster(encoded(files)), FindingCode.QUOTE_OPEN)
    assert (finding.file, finding.line) == ("users.csv", 3)


# -- roles and grades ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("Student", RosterRole.STUDENT),
        ("alumno", RosterRole.STUDENT),
        ("ÉLÈVE", RosterRole.STUDENT),
        ("Schüler", RosterRole.STUDENT),
        ("aluno/a", RosterRole.STUDENT),
        ("alumne", RosterRole.STUDENT),
        ("professeur", RosterRole.TEACHER),
        ("Lehrkraft", RosterRole.TEACHER),
        ("professor", RosterRole.TEACHER),
        ("ext:nurse", RosterRole.NURSE),
        ("encarregado de educação", RosterRole.GUARDIAN),
    ],
)
def test_a_role_is_understood_in_six_languages(word: str, role: RosterRole) -> None:
    roster = read_roster(encoded(changed(ONEROSTER_1_2, "roles.csv", "student", word)))
    assert roster.errors == ()
    assert roster.roles[0].role is role


def test_an_unknown_role_waits_for_the_user() -> None:
    files = encoded(changed(ONEROSTER_1_2, "roles.csv", "student", "Delegado"))
    roster = read_roster(files)
    (unknown,) = roster.unknown_roles
    assert (unknown.value, unknown.count, unknown.place.file, unknown.place.line) == (
        "Delegado",
        1,
        "roles.csv",
        2,
    )
    assert found(roster, FindingCode.ROLE_UNKNOWN).severity is Severity.ERROR
    mapped = read_roster(files, choices=Choices(roles={"delegado": RosterRole.STUDENT}))
    assert mapped == CLEAN
    assert mapped.errors == ()
    skipped = read_roster(files, choices=Choices(roles={"Delegado": None}))
    assert skipped.errors == ()
    assert [role.user for role in skipped.roles] == ["t1", "g1"]


def test_an_unknown_grade_is_kept_until_it_is_mapped() -> None:
    files = encoded(changed(ONEROSTER_1_2, "users.csv", '"g1",07', '"g1",1º ESO'))
    roster = read_roster(files)
    assert roster.errors == ()
    assert roster.users[0].grades == ("1º ESO",)
    assert [(unknown.value, unknown.count) for unknown in roster.unknown_grades] == [("1º ESO", 1)]
    assert read_roster(files, choices=Choices(grades={"1º eso": "07"})) == CLEAN


# -- dates -----------------------------------------------------------------------------------------------------------


def enrolled(*dates: str, choices: Choices | None = None) -> list[date | None] | FindingCode:
    rows = "".join(f'e{n},,,c1,s1,p1,student,,"{written}",\n' for n, written in enumerate(dates))
    header = ONEROSTER_1_2["enrollments.csv"].partition("\n")[0]
    roster = read_roster(encoded({**ONEROSTER_1_2, "enrollments.csv": f"{header}\n{rows}"}), choices=choices)
    if roster.errors:
        return roster.errors[0].code
    return [enrolment.begin_date for enrolment in roster.enrolments]


SEPTEMBER = date(2026, 9, 1)


@pytest.mark.parametrize(
    "written",
    [
        "2026-09-01",
        "2026/09/01",
        "2026/9/1",
        "20260901",
        "2026-09-01T08:00:00.000Z",
        "1.9.2026",
        "01.09.2026",
    ],
)
def test_a_date_that_can_be_read_in_one_way_is_read(written: str) -> None:
    assert enrolled(written) == [SEPTEMBER]


def test_the_whole_column_decides_between_day_and_month() -> None:
    assert enrolled("1/9/2026", "30/9/2026") == [SEPTEMBER, date(2026, 9, 30)]
    assert enrolled("9/1/2026", "9/30/2026 12:00:00 AM") == [SEPTEMBER, date(2026, 9, 30)]


def test_a_column_that_can_be_read_both_ways_is_refused_until_the_user_chooses() -> None:
    assert enrolled("1/9/2026", "2/9/2026") is FindingCode.DATE_AMBIGUOUS
    assert enrolled("1/9/2026", choices=Choices(date_order="dmy")) == [SEPTEMBER]
    assert enrolled("9/1/2026", choices=Choices(date_order="mdy")) == [SEPTEMBER]
    assert enrolled("9/9/2026") == [date(2026, 9, 9)]


def test_a_column_of_both_orders_is_refused() -> None:
    assert enrolled("13/9/2026", "9/13/2026") is FindingCode.DATE_MIXED


@pytest.mark.parametrize("written", ["2026-02-30", "soon", "1/9/26", "46266", "2026-09", "٢٠٢٦-٠٩-٠١"])
def test_what_is_not_a_date_is_refused(written: str) -> None:
    assert enrolled(written) is FindingCode.DATE_UNREADABLE


def test_school_data_sync_dates_are_american_unless_a_neighbour_proves_otherwise() -> None:
    assert read_roster(encoded(SDS_1)).academic_sessions[0].start_date == SEPTEMBER
    files = changed(SDS_1, "Section.csv", "9/1/2026,6/5/2027", "1/9/2026,30/6/2027")
    (term,) = read_roster(encoded(files)).academic_sessions
    assert (term.start_date, term.end_date) == (SEPTEMBER, date(2027, 6, 30))


def test_an_end_before_the_beginning_is_refused() -> None:
    files = changed(ONEROSTER_1_2, "academicSessions.csv", "2027-06-30", "2026-06-30")
    assert found(read_roster(encoded(files)), FindingCode.DATES_REVERSED).line == 2


# -- ends ------------------------------------------------------------------------------------------------------------


def test_what_a_complete_file_marks_as_deleted_goes_with_what_hangs_on_it() -> None:
    files = changed(ONEROSTER_1_2, "classes.csv", "c1,,", "c1,tobedeleted,")
    roster = read_roster(encoded(files))
    assert roster.errors == ()
    assert (roster.classes, roster.enrolments) == ((), ())
    assert roster.tobedeleted == {}
    assert found(roster, FindingCode.REFERENCE_ENDED).params["count"] == 2


def test_a_complete_file_without_rows_is_a_warning() -> None:
    files = {**ONEROSTER_1_2, "demographics.csv": "sourcedId,status,dateLastModified,birthDate,sex\n"}
    roster = read_roster(encoded(files))
    assert roster.modes[Kind.DEMOGRAPHICS] is Mode.BULK
    assert found(roster, FindingCode.FILE_EMPTY).severity is Severity.WARNING


def test_half_of_a_school_data_sync_export_is_refused() -> None:
    files = encoded(SDS_1)
    del files["Teacher.csv"]
    assert FindingCode.FILE_MISSING in {finding.code for finding in read_roster(files).errors}


def test_m_is_read_by_the_letters_beside_it() -> None:
    def sexes(*letters: str) -> list[str]:
        rows = "".join(
            f"{user},,,,{letter}\n" for user, letter in zip(("p1", "t1", "g1"), letters, strict=False)
        )
        text = f"sourcedId,status,dateLastModified,birthDate,sex\n{rows}"
        return [
            who.sex for who in read_roster(encoded({**ONEROSTER_1_2, "demographics.csv": text})).demographics
        ]

    assert sexes("M", "F") == ["male", "female"]
    assert sexes("M", "H") == ["female", "male"]
    assert sexes("M", "M") == ["", ""]


def test_a_hundred_findings_of_a_kind_are_shown_and_the_rest_counted() -> None:
    header = ONEROSTER_1_2["enrollments.csv"].partition("\n")[0]
    rows = "".join(f"e{n},,,c9,s1,p1,student,,,\n" for n in range(250))
    roster = read_roster(encoded({**ONEROSTER_1_2, "enrollments.csv": f"{header}\n{rows}"}))
    assert len(roster.errors) == 101
    assert found(roster, FindingCode.MORE_OF_THE_SAME).params["count"] == 150


def test_every_finding_has_its_words() -> None:
    assert set(FINDING_TEXTS) == set(FindingCode)
