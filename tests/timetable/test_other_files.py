"""Whoever chooses a file that is no timetable's data is told what it is, and what to choose instead."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from pupitre.timetable.queries.imports import read_timetable
from pupitre.timetable.rules.file_kinds import foreign_files
from pupitre.timetable.rules.findings import FindingCode
from pupitre.timetable.rules.plan import SourceFile
from pupitre.web.typesetting import typeset
from tests.cast import Cast
from tests.conftest import Visitor
from tests.timetable.files import SMALL

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def workbook() -> bytes:
    kept = io.BytesIO()
    book = xlsxwriter.Workbook(kept, {"in_memory": True})
    sheet = book.add_worksheet()
    for row, line in enumerate(SMALL.splitlines()):
        sheet.write_row(row, 0, line.split(","))
    book.close()
    return kept.getvalue()


@pytest.fixture
def pdf(tmp_path: Path) -> bytes:
    """A page on which somebody has written a timetable."""
    page = tmp_path / "page.typ"
    page.write_text("#set document(title: [Timetable])\nMonday, first period: Maths", encoding="utf-8")
    return typeset(page, {})


def packed(**files: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return kept.getvalue()


OTHERS = [
    ("jpeg.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(50), FindingCode.IS_PICTURE),
    ("phone.heic", b"\0\0\0\x24ftypheic" + bytes(50), FindingCode.IS_PICTURE),
    ("small.webp", b"RIFF\x24\0\0\0WEBPVP8 ", FindingCode.IS_PICTURE),
    ("new.xlsx", workbook(), FindingCode.IS_WORKBOOK),
    ("old.xls", OLE + "Workbook".encode("utf-16-le"), FindingCode.IS_WORKBOOK),
    (
        "calc.ods",
        packed(mimetype=b"", content=b"") + b"application/vnd.oasis.opendocument.spreadsheet",
        FindingCode.IS_WORKBOOK,
    ),
    ("new.docx", packed(**{"word__document.xml": b"<w/>"}), FindingCode.IS_DOCUMENT),
    ("old.doc", OLE + "WordDocument".encode("utf-16-le"), FindingCode.IS_DOCUMENT),
    ("both.zip", packed(**{"small.csv": SMALL.encode()}), FindingCode.IS_ARCHIVE),
    ("small.csv.gz", gzip.compress(SMALL.encode()), FindingCode.IS_ARCHIVE),
    ("fet.html", b"\xef\xbb\xbf<!DOCTYPE html>\n<html><body/></html>", FindingCode.IS_WEB_PAGE),
    ("old.mdb", bytes(range(1, 32)) * 40, FindingCode.IS_NO_TEXT),
]


@pytest.mark.parametrize(("name", "content", "code"), OTHERS, ids=[name for name, _, _ in OTHERS])
def test_the_file_is_named_for_what_it_is(name: str, content: bytes, code: FindingCode) -> None:
    plan = read_timetable([SourceFile(name, content)])
    assert [(finding.code, finding.file) for finding in plan.findings] == [(code, name)]
    assert not plan.is_usable
    assert "CSV" in plan.findings[0].mend()


def test_a_pdf_and_a_picture_as_programs_write_them(pdf: bytes) -> None:
    icon = finders.find("web/icons/icon-192.png")
    assert isinstance(icon, str)
    files = [SourceFile("timetable.pdf", pdf), SourceFile("scan.png", Path(icon).read_bytes())]
    assert [finding.code for finding in foreign_files(files)] == [
        FindingCode.IS_PDF,
        FindingCode.IS_PICTURE,
    ]


def test_a_foreign_file_beside_a_good_one_is_named() -> None:
    other = SourceFile("timetable.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    plan = read_timetable([SourceFile("school.fet", b"<fet/>"), other])
    assert [(finding.code, finding.file) for finding in plan.findings] == [
        (FindingCode.IS_PDF, "timetable.pdf")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_a_table_in_any_encoding_is_none_of_these(encoding: str) -> None:
    text = SMALL.replace("Maths", "Matemáticas y lógica")
    assert foreign_files([SourceFile("small.csv", text.encode(encoding))]) == ()
    assert read_timetable([SourceFile("small.csv", text.encode(encoding))]).is_usable


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(content: bytes) -> None:
    assert len(foreign_files([SourceFile("x", content)])) <= 1


def test_the_page_says_it(cast: Cast, visit: Visitor, pdf: bytes) -> None:
    browser = visit.as_(cast.secretary)
    chosen = SimpleUploadedFile("timetable.pdf", pdf)
    answer = browser.post("/s/oak/timetable/imports", {"uploaded": [chosen]})
    shown = browser.get(answer.headers["Location"]).content.decode()
    assert "This is a PDF" in shown
    assert "_activities.xml" in shown
    assert "columns:" not in shown
