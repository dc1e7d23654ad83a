"""Whatever bytes arrive as a country's file, reading answers with findings and never raises."""

import contextlib
import io
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from pupitre.courses.rules.countries import siecle, sts
from pupitre.courses.rules.countries.elements import UnreadableXmlError, read_rows, root_of
from pupitre.courses.rules.countries.workbooks import UnreadableWorkbookError, first_sheet
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import Roster
from tests.courses.country_files import ESFERA, SAGA, SIECLE, SIMAT, STS

TEXTS = [SAGA, SIECLE, STS, SIMAT, {**SIECLE, **STS}]
PIECES = [
    b'"',
    b";",
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"<",
    b">",
    b"</",
    b"/>",
    b"&",
    b"]]>",
    b"<!--",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
]
PIECES += [b"7001", b"8001", b"32/13/2026", b"DONNEES", b"<ELEVE>", b"&#0;", b"&x;", b"epp", b"9" * 400]


def say_everything(roster: Roster) -> None:
    for finding in roster.findings:
        assert finding.what
        assert finding.mend


@settings(deadline=None, max_examples=250)
@given(st.sampled_from(TEXTS), st.data())
def test_damaged_files_are_answered(files: dict[str, bytes], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    content = files[name]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 60)))
    piece = data.draw(st.one_of(st.binary(max_size=6), st.sampled_from(PIECES)))
    say_everything(read_roster({**files, name: content[:start] + piece + content[end:]}))


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["a.xml", "a.xlsx", "a.csv"]),
    st.binary(max_size=200),
    st.sampled_from([b"", b"PK\x03\x04", b"<STS_EDT>", b"<BEE_ELEVES>"]),
)
def test_arbitrary_bytes_are_answered(name: str, data: bytes, head: bytes) -> None:
    say_everything(read_roster({name: head + data}))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damaged_workbooks_are_answered(data: st.DataObject) -> None:
    """Damage to the parts within the zip, where the zip itself does not give it away."""
    content = ESFERA["esfera.xlsx"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(n for n in parts if n.startswith("xl/"))))
    part = parts[name]
    start = data.draw(st.integers(0, len(part)))
    end = data.draw(st.integers(start, min(len(part), start + 40)))
    piece = data.draw(
        st.one_of(
            st.binary(max_size=6), st.sampled_from([*PIECES, b'r="ZZ9"', b'r="-1"', b"<v>1e308</v>", b"nan"])
        )
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each, text in parts.items():
            archive.writestr(each, part[:start] + piece + part[end:] if each == name else text)
    say_everything(read_roster({"a.xlsx": buffer.getvalue()}))


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(ESFERA["esfera.xlsx"]) - 1), st.binary(max_size=3))
def test_a_damaged_zip_of_a_workbook_is_answered(at: int, piece: bytes) -> None:
    content = ESFERA["esfera.xlsx"]
    with contextlib.suppress(UnreadableWorkbookError):
        assert first_sheet(content[:at] + piece + content[at + 1 :]) is not None


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from('<>/="ABE_ELVSDONI ?!-&;\n'), max_size=120))
def test_any_text_of_an_xml_file_is_answered(text: str) -> None:
    data = text.encode()
    assert isinstance(root_of(data), str)
    for layouts in (sts.LAYOUTS, siecle.LAYOUTS[siecle.PUPILS]):
        with contextlib.suppress(UnreadableXmlError):
            assert read_rows("a.xml", data, layouts).root


def test_a_workbook_that_grows_without_end_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (100 << 20))
    assert [finding.code for finding in read_roster({"a.xlsx": buffer.getvalue()}).errors] == [
        "workbook-broken"
    ]


def test_rows_without_end_are_refused() -> None:
    pupils = b"<ELEVE/>" * 500_000
    data = b"<BEE_ELEVES><DONNEES><ELEVES>" + pupils + b"</ELEVES></DONNEES></BEE_ELEVES>"
    assert [finding.code for finding in read_roster({"a.xml": data}).errors] == ["xml-too-large"]
    wide = b"".join(b'<row><c r="OA1"><v>1</v></c></row>' for _ in range(20_000))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"<worksheet>" + wide + b"</worksheet>")
    assert [finding.code for finding in read_roster({"a.xlsx": buffer.getvalue()}).errors] == [
        "workbook-broken"
    ]
