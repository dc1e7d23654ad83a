"""Countries' own files: the golden ones give the rosters written here; dirty ones say what is wrong, where, and what to do."""

from datetime import date

import pytest

from pupitre.courses.rules.countries.catalonia import grade_of_group
from pupitre.courses.rules.countries.households import contacts, document_number
from pupitre.courses.rules.findings import FindingCode, Severity
from pupitre.courses.rules.orgs import decide_orgs
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import Choices, Format, Kind, Mode, Roster, RosterRole
from tests.courses.country_files import (
    ESFERA,
    SAGA,
    SIECLE,
    SIMAT,
    STS,
    esfera_rows,
    lines_of,
    replaced,
    workbook,
)

PUPILS, GUARDIANS = "ElevesSansAdresses.xml", "ResponsablesAvecAdresses.xml"
STAFF = "sts_emp_0990001X_2026.xml"

EXPECTED: dict[Format, tuple[dict[str, bytes], list[str]]] = {
    Format.SAGA: (
        SAGA,
        [
            "class saga:ESO1A: ESO1A, homeroom, 07",
            "class saga:ESO3B: ESO3B, homeroom, 09",
            "class saga:CFPM IC10201: CFPM IC10201, homeroom",
            (
                "student ralc:90010000011: Vilanova Çelik, Nàdia | 2013-11-27 | 07 | nadia@exemple.cat"
                " | saga:ESO1A | Aysegul Çelik (mother) and Quim Vilanova Pons (father)"
            ),
            (
                "student ralc:90010000012: Vilanova Çelik, Jan | 2011-03-02 | 09 | saga:ESO3B"
                " | Aysegul Çelik (mother) and Quim Vilanova Pons (father)"
            ),
            (
                "student ralc:90010000013: Ferrer i Güell, Àlex | 2013-07-14 | 07 | saga:ESO1A"
                " | Mònica Güell Soler"
            ),
            "student ralc:90010000014: Sanchis Moll, Berta | 2009-01-30 | saga:CFPM IC10201 | Teresa Moll",
            "guardian: Çelik, Aysegul | ayse@exemple.cat | 932000001 | +34600000011",
            "guardian: Vilanova Pons, Quim | quim@exemple.cat | 600000012",
            "guardian: Güell Soler, Mònica | monica@exemple.cat",
            "guardian: Moll, Teresa | 600000014",
        ],
    ),
    Format.ESFERA: (
        ESFERA,
        [
            "class esfera:ESO1A: ESO1A, homeroom, 07",
            "class esfera:ESO3B: ESO3B, homeroom, 09",
            "class esfera:BTX 2C: BTX 2C, homeroom, 12",
            (
                "student ralc:90010000011: Vilanova Çelik, Nàdia | 2013-11-27 | 07 | nadia@exemple.cat"
                " | 600000111 | esfera:ESO1A | Aysegul Çelik (mother) and Quim Vilanova Pons (father)"
            ),
            (
                "student ralc:90010000012: Vilanova Çelik, Jan | 2011-03-02 | 09 | esfera:ESO3B"
                " | Aysegul Çelik (mother) and Quim Vilanova Pons (father)"
            ),
            (
                "student ralc:90010000013: Ferrer Güell, Àlex | 2013-07-14 | 07 | esfera:ESO1A"
                " | Mònica Güell Soler"
            ),
            "student ralc:90010000015: Roca, Omar | 2009-12-09 | 12 | omar@exemple.cat | esfera:BTX 2C",
            "guardian: Çelik, Aysegul | ayse@exemple.cat | 932000001 | 600000011",
            "guardian: Vilanova Pons, Quim | 600000012",
            "guardian: Güell Soler, Mònica | monica@exemple.cat",
        ],
    ),
    Format.SIECLE: (
        SIECLE,
        [
            "class division:2026:6A: Sixième A, homeroom",
            "class division:2026:4B: Quatrième B, homeroom",
            "class division:2026:3C: Troisième C, homeroom",
            "class groupe:2026:6LATIN: Latin 6e, scheduled",
            (
                "student ine:099000001AA: Lefèvre, Zoé Marie | 2015-05-04 | female | 06 | 0699000001"
                " | division:2026:6A groupe:2026:6LATIN | Anaïs Lefèvre and Noël Lefèvre"
            ),
            (
                "student ine:099000002BB: Lefèvre, Cœline | 2013-12-21 | female | 08 | division:2026:4B"
                " | Anaïs Lefèvre"
            ),
            (
                "student eleve:5dc86e5220c3d8441ddb: Nguyen-Roux, Théo | 2015-01-30 | male | 06"
                " | division:2026:6A | Inès Roux"
            ),
            "guardian: Lefèvre, Anaïs | anais@exemple.fr | 0699000101",
            "guardian: Lefèvre, Noël | 0199000102",
            "guardian: Roux, Inès | ines@exemple.fr",
        ],
    ),
    Format.STS: (
        STS,
        [
            "class division:2026:6A: Sixième A, homeroom, annee:2026",
            "class division:2026:4B: Quatrième B, homeroom, annee:2026",
            "class groupe:2026:6LATIN: Latin 6e, scheduled, annee:2026",
            "class service:2026:6A:020700: 6A Français, scheduled, matiere:020700, annee:2026",
            "class service:2026:6A:061300: 6A Mathématiques, scheduled, matiere:061300, annee:2026",
            "class service:2026:4B:061300: 4B Mathématiques, scheduled, matiere:061300, annee:2026",
            "class service:2026:groupe:6LATIN:020300: 6LATIN Latin, scheduled, matiere:020300, annee:2026",
            (
                "teacher sts:epp:4101: BÉRANGER, Édith | 1979-03-14 | female"
                " | +service:2026:6A:020700 +service:2026:groupe:6LATIN:020300 *division:2026:6A"
            ),
            "teacher sts:epp:4102: OUÉDRAOGO, Aimé | 1985-11-02 | male | +service:2026:6A:061300",
            "staff sts:local:17: PETIT, Rose | female",
        ],
    ),
    Format.SIMAT: (
        SIMAT,
        [
            "class simat:2026:176111000001:17611100000101:Única:6:601: 601, homeroom, 06",
            "class simat:2026:176111000001:17611100000102:Mañana:0:1: 0-1, homeroom, KG",
            "class simat:2026:176111000001:17611100000101:Única:11:1101: 1101, homeroom, 11",
            (
                "student simat:1114000001: Muñoz Ibáñez, Sofía Andrea | 2014-02-05 | female | 06"
                " | simat:2026:176111000001:17611100000101:Única:6:601"
            ),
            (
                "student simat:1114000002: Peña, Íker | 2014-08-17 | male | 06"
                " | simat:2026:176111000001:17611100000101:Única:6:601"
            ),
            (
                "student simat:1114000003: Ñáñez Córdoba, José Ángel | 2020-11-30 | male | KG"
                " | simat:2026:176111000001:17611100000102:Mañana:0:1"
            ),
            (
                "student simat:1114000004: Zúñiga Díaz, Luz | 2009-01-21 | female | 11"
                " | simat:2026:176111000001:17611100000101:Única:11:1101"
            ),
        ],
    ),
}


@pytest.mark.parametrize("system", EXPECTED)
def test_a_golden_file_gives_its_roster(system: Format) -> None:
    files, lines = EXPECTED[system]
    roster = read_roster(files)
    assert roster.source.format is system
    assert not roster.errors
    assert lines_of(roster) == lines
    assert set(roster.modes.values()) == {Mode.DELTA}
    assert roster.coverage is not None


def test_what_a_file_is_is_told_by_what_is_in_it() -> None:
    for files in (SAGA, ESFERA, SIECLE, STS, SIMAT):
        renamed = {
            f"export-{number}.{name.rpartition('.')[2]}": data
            for number, (name, data) in enumerate(files.items())
        }
        assert lines_of(read_roster(renamed)) == lines_of(read_roster(files))


def test_every_row_knows_its_line() -> None:
    roster = read_roster(SIECLE)
    place = roster.place(Kind.USERS, "ine:099000001AA")
    assert place is not None
    assert (place.file, place.line) == (PUPILS, 11)
    place = read_roster(ESFERA).place(Kind.USERS, "ralc:90010000013")
    assert place is not None
    assert place.line == 9
    place = read_roster(SAGA).place(Kind.USERS, "ralc:90010000013")
    assert place is not None
    assert place.line == 4


def errors(roster: Roster) -> list[tuple[FindingCode, str, int | None, str, str]]:
    for finding in roster.findings:
        assert finding.what
        assert finding.mend
    return [(f.code, f.file, f.line, f.column, f.value) for f in roster.errors]


def said(roster: Roster, severity: Severity) -> list[FindingCode]:
    return [finding.code for finding in roster.findings if finding.severity is severity]


# -- Catalonia -------------------------------------------------------------------------------------------------------


def test_saga_is_read_with_a_mark_and_in_utf_8() -> None:
    text = SAGA["saga.csv"].decode("iso-8859-1")
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert lines_of(read_roster({"saga.csv": text.encode(encoding)})) == EXPECTED[Format.SAGA][1]


def test_saga_in_two_encodings_is_refused_at_its_line() -> None:
    mixed = SAGA["saga.csv"].replace(b"Jan", "Jàn".encode())
    assert errors(read_roster({"saga.csv": mixed}))[0][0] is FindingCode.ENCODING_MIXED


def test_saga_columns_may_have_other_numbers_and_stand_elsewhere() -> None:
    files = replaced(SAGA, "saga.csv", '"17_GRUPSCLASSE"', '"05_GRUPSCLASSE"')
    assert lines_of(read_roster(files)) == EXPECTED[Format.SAGA][1]


def test_saga_without_its_identifier_is_refused() -> None:
    files = replaced(SAGA, "saga.csv", "00_IDENTIFICADOR DE L'ALUMNE/A", "00_EXPEDIENT")
    assert (FindingCode.COLUMN_MISSING, "saga.csv", 1, "IDENTIFICADOR DE L'ALUMNE/A", "") in errors(
        read_roster(files)
    )


def test_a_date_that_is_none_and_a_name_without_a_comma_are_refused_at_their_lines() -> None:
    files = replaced(SAGA, "saga.csv", "14/07/2013", "2013")
    files = replaced(files, "saga.csv", "Sanchis Moll, Berta", "Berta Sanchis Moll")
    assert errors(read_roster(files)) == [
        (FindingCode.DATE_UNREADABLE, "saga.csv", 4, "DATA NAIXEMENT", "2013"),
        (FindingCode.NAME_UNSPLIT, "saga.csv", 5, "NOM", "Berta Sanchis Moll"),
    ]


def test_two_pupils_with_one_number_are_refused_and_a_pupil_of_two_groups_is_one() -> None:
    files = replaced(SAGA, "saga.csv", '"90010000014"', '"90010000013"')
    code, _, line, _, value = errors(read_roster(files))[0]
    assert (code, line, value) == (FindingCode.ROW_CONTRADICTS, 5, "ralc:90010000013")
    roster = read_roster(replaced(SAGA, "saga.csv", '"ESO3B"', '"ESO3B, MUS2"'))
    assert not roster.errors
    assert [row.class_ for row in roster.enrolments if row.user == "ralc:90010000012"] == [
        "saga:ESO3B",
        "saga:MUS2",
    ]


def test_a_document_of_two_people_makes_two_guardians() -> None:
    files = replaced(SAGA, "saga.csv", '"Pare","40000012B"', '"Pare","X1234567L"')
    roster = read_roster(files)
    assert FindingCode.DOCUMENT_SHARED in said(roster, Severity.WARNING)
    assert len([role for role in roster.roles if role.role is RosterRole.GUARDIAN]) == 4


def test_an_export_without_guardians_says_nothing_about_families() -> None:
    rows = esfera_rows()
    columns = [at for at, cell in enumerate(rows[4][1]) if not cell.startswith(("Tutor", "Contacte"))]
    narrow = [(number, [cells[at] if at < len(cells) else "" for at in columns]) for number, cells in rows]
    roster = read_roster({"esfera.xlsx": workbook(narrow)})
    assert not roster.errors
    assert Kind.GUARDIANSHIPS not in roster.modes
    assert roster.coverage is not None
    assert not roster.coverage.families
    assert roster.coverage.roles == {RosterRole.STUDENT}


def test_esfera_without_its_identifier_is_refused() -> None:
    rows = esfera_rows()
    rows[4][1][1] = "Expedient"
    assert errors(read_roster({"a.xlsx": workbook(rows)})) == [
        (FindingCode.COLUMN_MISSING, "a.xlsx", 6, "Identificador de l’alumne/a", "")
    ]


def test_esfera_says_an_empty_identifier_and_a_bad_date_with_the_row_of_the_sheet() -> None:
    rows = esfera_rows()
    rows[5][1][1] = ""
    rows[6][1][5] = "31/02/2011"
    assert errors(read_roster({"a.xlsx": workbook(rows)})) == [
        (FindingCode.CELL_EMPTY, "a.xlsx", 7, "Identificador de l’alumne/a", ""),
        (FindingCode.DATE_UNREADABLE, "a.xlsx", 8, "Data naixement", "31/02/2011"),
    ]


def test_a_broken_workbook_and_another_one_are_refused() -> None:
    assert errors(read_roster({"a.xlsx": ESFERA["esfera.xlsx"][:3000]}))[0][0] is FindingCode.WORKBOOK_BROKEN
    other = read_roster({"a.xlsx": workbook([(1, ["Nom", "Preu"]), (2, ["Llapis", "2"])])})
    assert errors(other) == [(FindingCode.NOTHING_TO_READ, "", None, "", "")]


def test_grades_are_told_by_names_of_groups_that_cannot_mean_anything_else() -> None:
    names = (
        "ESO1A",
        "1r ESO B",
        "4t ESO",
        "BTX2C",
        "2n BATX A",
        "PRI3B",
        "ESO5A",
        "CFPM IC10201",
        "1",
        "ESO",
        "1ESO1",
    )
    assert [grade_of_group(name) for name in names] == [
        "07",
        "07",
        "10",
        "12",
        "12",
        "03",
        "",
        "",
        "",
        "",
        "",
    ]


def test_contacts_and_documents_are_found_in_cells_as_offices_write_them() -> None:
    found = contacts("93 200 00 01 - 600.000.011 (mare) - mare@exemple.cat; +34600000099")
    assert (found.email, found.phone, found.sms) == ("mare@exemple.cat", "932000001", "600000011")
    assert document_number("12.345.678-Z - X1234567L") == "12345678Z"
    assert [document_number(cell) for cell in ("", "0", "00000000", "-")] == [""] * 4


# -- France ----------------------------------------------------------------------------------------------------------


def test_pupils_alone_leave_families_as_they_are_and_say_so() -> None:
    roster = read_roster({PUPILS: SIECLE[PUPILS]})
    assert not roster.errors
    assert FindingCode.PARTNER_MISSING in said(roster, Severity.WARNING)
    assert Kind.GUARDIANSHIPS not in roster.modes


def test_guardians_alone_are_refused() -> None:
    assert errors(read_roster({GUARDIANS: SIECLE[GUARDIANS]})) == [
        (FindingCode.PARTNER_ALONE, GUARDIANS, None, "", "")
    ]


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("<DATE_EXPORT>13/10/2026", "<DATE_EXPORT>14/10/2026", "DATE_EXPORT"),
        ("<UAJ>0990001X", "<UAJ>0990002Y", "UAJ"),
        ("<ANNEE_SCOLAIRE>2026", "<ANNEE_SCOLAIRE>2025", "ANNEE_SCOLAIRE"),
    ],
)
def test_files_of_two_exports_are_not_put_together(old: str, new: str, column: str) -> None:
    roster = read_roster(replaced(SIECLE, GUARDIANS, old, new))
    assert [(code, where) for code, _, _, where, _ in errors(roster)] == [
        (FindingCode.EXPORTS_DIFFER, column)
    ]
    assert not roster.users


def test_a_number_of_the_export_may_mean_another_pupil_the_next_day() -> None:
    """ELEVE_ID is never kept: exchanged in both files, it gives the same roster."""
    files = SIECLE
    for name in (PUPILS, GUARDIANS):
        for old, new in (("7001", "x"), ("7002", "7001"), ("x", "7002")):
            files = {
                **files,
                name: files[name].replace(f'ELEVE_ID="{old}"'.encode(), f'ELEVE_ID="{new}"'.encode()),
            }
            files = {
                **files,
                name: files[name].replace(f"ELEVE_ID>{old}<".encode(), f"ELEVE_ID>{new}<".encode()),
            }
    assert sorted(lines_of(read_roster(files))) == sorted(EXPECTED[Format.SIECLE][1])


def test_a_pupil_without_number_and_date_of_birth_is_refused_at_her_line() -> None:
    files = replaced(SIECLE, PUPILS, "<DATE_NAISS>30/01/2015</DATE_NAISS>", "")
    assert errors(read_roster(files)) == [(FindingCode.CELL_EMPTY, PUPILS, 37, "INE_RNIE / ID_NATIONAL", "")]


def test_a_date_in_another_order_is_refused() -> None:
    files = replaced(SIECLE, PUPILS, "04/05/2015", "05/24/2015")
    assert errors(read_roster(files)) == [
        (FindingCode.DATE_UNREADABLE, PUPILS, 11, "DATE_NAISS", "05/24/2015")
    ]


def test_an_element_that_no_pupil_has_is_missing() -> None:
    files = {**SIECLE, PUPILS: SIECLE[PUPILS].replace(b"NOM_DE_FAMILLE", b"NOM_ELEVE")}
    assert errors(read_roster(files)) == [(FindingCode.COLUMN_MISSING, PUPILS, 1, "NOM_DE_FAMILLE", "")]


def test_an_unknown_mef_is_asked() -> None:
    files = replaced(SIECLE, PUPILS, "10210001110", "16610001110")
    roster = read_roster(files)
    assert [word.value for word in roster.unknown_grades] == ["16610001110"]
    chosen = read_roster(files, choices=Choices(grades={"16610001110": "08"}))
    assert lines_of(chosen) == EXPECTED[Format.SIECLE][1]


def test_pupils_and_staff_may_come_together() -> None:
    roster = read_roster({**SIECLE, **STS})
    assert not roster.errors
    assert str(roster.source) == "SIECLE 3.0 + STS-web"
    division = next(row for row in roster.classes if row.sourced_id == "division:2026:6A")
    assert division.terms == ("annee:2026",)
    assert {role.role for role in roster.roles} >= {
        RosterRole.STUDENT,
        RosterRole.GUARDIAN,
        RosterRole.TEACHER,
    }


def test_staff_with_other_functions_are_asked_about() -> None:
    files = replaced(STS, STAFF, "<PRENOM>Rose</PRENOM>", "<PRENOM>Rose</PRENOM><FONCTION>DIR</FONCTION>")
    roster = read_roster(files)
    assert [word.value for word in roster.unknown_roles] == ["DIR"]
    assert errors(roster)[0][0] is FindingCode.ROLE_UNKNOWN
    chosen = read_roster(files, choices=Choices(roles={"DIR": RosterRole.PRINCIPAL}))
    assert "principal sts:local:17: PETIT, Rose | female" in lines_of(chosen)


def test_the_dates_of_the_year_are_year_month_day() -> None:
    (session,) = read_roster(STS).academic_sessions
    assert (session.start_date, session.end_date, session.school_year) == (
        date(2026, 9, 1),
        date(2027, 7, 3),
        "2027",
    )
    files = replaced(
        STS,
        STAFF,
        "<DATE_DEBUT>2026-09-01</DATE_DEBUT>\n      <DATE_FIN>",
        "<DATE_DEBUT>01/09/2026</DATE_DEBUT>\n      <DATE_FIN>",
    )
    assert [(code, value) for code, _, _, _, value in errors(read_roster(files))] == [
        (FindingCode.DATE_UNREADABLE, "01/09/2026")
    ]


def test_other_files_of_the_export_are_recognised_and_not_kept() -> None:
    roster = read_roster(
        {**SIECLE, "Nomenclature.xml": b"<?xml version='1.0'?><BEE_NOMENCLATURES/>", "x.xml": b"<fet/>"}
    )
    assert not roster.errors
    assert {FindingCode.FILE_NOT_KEPT, FindingCode.FILE_IGNORED} <= set(said(roster, Severity.NOTE))


def test_xml_of_one_line_with_a_mark_and_in_utf_8_is_read() -> None:
    text = SIECLE[PUPILS].decode("iso-8859-15")
    one = "".join(line.strip() for line in text.splitlines())
    for data in (
        one.encode("iso-8859-15"),
        b"\xef\xbb\xbf" + one.encode(),
        text.replace("ISO-8859-15", "UTF-8").encode(),
        text.replace("ISO-8859-15", "UTF-16").encode("utf-16"),
    ):
        assert lines_of(read_roster({**SIECLE, PUPILS: data})) == EXPECTED[Format.SIECLE][1]


def test_xml_that_is_broken_or_in_the_wrong_encoding_is_refused_at_its_line() -> None:
    cut = {**SIECLE, PUPILS: SIECLE[PUPILS][:2000]}
    assert [found[:2] for found in errors(read_roster(cut))] == [(FindingCode.XML_BROKEN, PUPILS)]
    wrong = replaced(SIECLE, PUPILS, "ISO-8859-15", "UTF-8")
    assert errors(read_roster(wrong))[0][:3] == (FindingCode.XML_BROKEN, PUPILS, 15)


BOMB = """<?xml version="1.0"?>
<!DOCTYPE BEE_ELEVES [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<BEE_ELEVES><DONNEES><ELEVES><ELEVE ELEVE_ID="1"><PRENOM>&b;</PRENOM></ELEVE></ELEVES></DONNEES></BEE_ELEVES>"""
OUTSIDE = """<?xml version="1.0"?>
<!DOCTYPE BEE_ELEVES [<!ENTITY a SYSTEM "file:///etc/passwd">]><BEE_ELEVES>&a;</BEE_ELEVES>"""


@pytest.mark.parametrize("text", [BOMB, OUTSIDE])
def test_entities_are_refused(text: str) -> None:
    ((code, file, *_),) = errors(read_roster({"eleves.xml": text.encode()}))
    assert (code, file) == (FindingCode.XML_FORBIDDEN, "eleves.xml")


def test_depth_without_end_is_refused() -> None:
    deep = b"<STS_EDT>" + b"<a>" * 100_000
    assert errors(read_roster({"sts.xml": deep}))[0][0] is FindingCode.XML_TOO_LARGE


# -- Colombia --------------------------------------------------------------------------------------------------------


def test_simat_is_read_with_commas_in_utf_8_and_as_a_workbook() -> None:
    text = SIMAT["anexo6a.csv"].decode("iso-8859-1")
    assert (
        lines_of(read_roster({"a.csv": text.replace(";", ",").encode("utf-8-sig")}))
        == EXPECTED[Format.SIMAT][1]
    )
    rows = [(number, line.split(";")) for number, line in enumerate(text.splitlines(), start=1)]
    assert lines_of(read_roster({"a.xlsx": workbook(rows)})) == EXPECTED[Format.SIMAT][1]


def test_simat_without_document_numbers_is_refused() -> None:
    files = replaced(SIMAT, "anexo6a.csv", "NRO_DOCUMENTO", "DOCUMENTO NUEVO")
    assert [(code, column) for code, _, _, column, _ in errors(read_roster(files))] == [
        (FindingCode.COLUMN_MISSING, "NRO_DOCUMENTO")
    ]


def test_forms_of_the_same_name_are_told_apart_by_their_shift() -> None:
    files = replaced(SIMAT, "anexo6a.csv", "Íker;;;0;6;6;601", "Íker;;;0;3;6;601", "iso-8859-1")
    titles = [row.title for row in read_roster(files).classes]
    assert titles == ["601 Única", "601 Tarde", "0-1", "1101"]


def test_unknown_codes_and_cycles_are_said() -> None:
    files = replaced(SIMAT, "anexo6a.csv", "Luz;;;0;6;11;1101", "Luz;;;0;9;24;2401", "iso-8859-1")
    roster = read_roster(files)
    assert FindingCode.WORD_LEFT_BLANK in said(roster, Severity.WARNING)
    assert [word.value for word in roster.unknown_grades] == ["24"]


def test_two_schools_of_one_report_are_told_apart() -> None:
    files = replaced(
        SIMAT,
        "anexo6a.csv",
        "176111000001;176111000001;17611100000102",
        "276111000002;176111000001;27611100000201",
    )
    assert [org.sourced_id for org in read_roster(files).orgs] == ["176111000001", "276111000002"]


# -- together --------------------------------------------------------------------------------------------------------


def test_two_systems_at_once_are_refused() -> None:
    ((code, _, _, _, value),) = errors(read_roster({**SAGA, **SIMAT}))
    assert code is FindingCode.SYSTEMS_MIXED
    assert set(value.split(", ")) == {"SAGA", "SIMAT 6A"}


def test_what_is_kept_of_nobody_is_not_in_the_roster() -> None:
    for files in (SAGA, ESFERA, SIECLE, STS, SIMAT):
        text = repr(read_roster(files).users)
        for secret in ("X1234567L", "40000012B", "49000011A", "c/ del Ter", "CL 1 2-3", "rue du Gué"):
            assert secret not in text


def test_a_file_of_another_school_is_warned_about() -> None:
    roster = read_roster(SIECLE)
    for names, warns in (
        (("oak", "0990009Z", "Collège du Pré"), True),
        (("oak", "0990001X", "Collège du Gué"), False),
        (("oak", "08000001", "Institut"), False),
        (("oak", "", "Elm School"), False),
    ):
        orgs, found = decide_orgs(roster, (), names)
        assert orgs == {"0990001X"}
        assert [finding.code for finding in found] == [FindingCode.OTHER_SCHOOL] * warns
