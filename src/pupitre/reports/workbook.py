"""An authority's figures as an Excel workbook."""

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from pupitre.attendance.rules.telling import SMALLEST
from pupitre.reports.queries.authority import Sheet
from pupitre.reports.rules import Count


def build(sheets: Sequence[Sheet]) -> bytes:
    """Two sheets: the schools, and their days. What is small is written as on the page."""
    kept = BytesIO()
    book = xlsxwriter.Workbook(
        kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    head = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    _schools(book.add_worksheet(_("Schools")), sheets, head)
    _days(book.add_worksheet(_("Days")), sheets, head, day)
    book.close()
    return kept.getvalue()


def told(count: Count, number: float | None) -> int | float | str:
    """A figure of a count, unless the count is too small to be told."""
    return f"< {SMALLEST}" if count.is_hidden else "" if number is None else number


def _head(sheet: Any, words: list[str], head: Any) -> None:
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, len(words) - 1, 16)
    for column, word in enumerate(words):
        sheet.write_string(0, column, word, head)


def _schools(sheet: Any, sheets: Sequence[Sheet], head: Any) -> None:
    words = [
        _("School"),
        _("Registers today"),
        _("Usual registers"),
        _("Lessons missed today"),
        _("Missed today, %"),
        _("Lessons in 30 days"),
        _("Lessons missed in 30 days"),
        _("Missed in 30 days, %"),
    ]
    _head(sheet, words, head)
    for row, one in enumerate((sheet.school for sheet in sheets), start=1):
        today, window = one.today.count, one.window
        cells: list[str | float] = [
            one.name,
            one.today.registers,
            one.usual,
            told(today, today.missed),
            told(today, today.percent),
            told(window, window.marks),
            told(window, window.missed),
            told(window, window.percent),
        ]
        for column, cell in enumerate(cells):
            _write(sheet, row, column, cell)


def _write(sheet: Any, row: int, column: int, cell: str | float) -> None:
    """Texts are written as texts, whatever they begin with: a school called `=1+1` is a name and no formula."""
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    else:
        sheet.write_number(row, column, cell)


def _days(sheet: Any, sheets: Sequence[Sheet], head: Any, day: Any) -> None:
    words = [_("School"), _("Day"), _("Registers"), _("Lessons"), _("Lessons missed"), _("Missed, %")]
    _head(sheet, words, head)
    rows: list[tuple[str, date, int, Count]] = [
        (one.school.name, on, figure.registers, figure.count)
        for one in sheets
        for on, figure in sorted(one.days.items())
    ]
    for row, (name, on, registers, count) in enumerate(rows, start=1):
        sheet.write_string(row, 0, name)
        sheet.write_datetime(row, 1, on, day)
        sheet.write_number(row, 2, registers)
        for column, number in enumerate((count.marks, count.missed, count.percent), start=3):
            _write(sheet, row, column, told(count, number))
