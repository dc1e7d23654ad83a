"""Attendance as a workbook: pupils, classes and marks, each a sheet that can be sorted and filtered at once."""

import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from pupitre.attendance.queries.statistics import ClassFigures, ExportedMark, Figures, PupilFigures

Cell = str | int | float | date
#: A column's heading and width in characters.
Column = tuple[str, int]


def build_workbook(
    *,
    pupils: Iterable[PupilFigures],
    classes: Iterable[ClassFigures],
    marks: Iterable[ExportedMark],
    status_words: Sequence[str],
) -> bytes:
    """An .xlsx file. `status_words` are the words of the five statuses in their order.

    Rows are written as they come and never held. Texts are written as texts, whatever they begin with: a name such as
    `=1+1` is a name and no formula.
    """
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = _Sheets(book)
    counts: list[Column] = [(_("Marks"), 9), *((word, 11) for word in status_words), (_("Missed, %"), 10)]
    sheet.write(
        _("Pupils"),
        [(_("Family name"), 22), (_("Given name"), 18), (_("Class"), 10), *counts,
         (_("Minutes late"), 12), (_("Days with absences"), 12)],
        (
            [one.family_name, one.given_name, one.form, *_counts(one.figures), one.minutes_late, one.days]
            for one in pupils
        ),
    )  # fmt: skip
    sheet.write(
        _("Classes"), [(_("Class"), 30), *counts], ([one.title, *_counts(one.figures)] for one in classes)
    )
    sheet.write(
        _("Absences"),
        [(_("Day"), 12), (_("Time"), 8), (_("Subject"), 18), (_("Class"), 22), (_("Family name"), 22),
         (_("Given name"), 18), (_("Attendance"), 14), (_("Minutes late"), 12), (_("Note"), 40)],
        (
            [one.held_on, one.begins, one.subject, one.class_title, one.family_name, one.given_name,
             status_words[one.status - 1], one.minutes, one.note]
            for one in marks
        ),
    )  # fmt: skip
    book.close()
    return file.getvalue()


def _counts(figures: Figures) -> list[Cell]:
    return [
        figures.marks,
        figures.present,
        figures.absent,
        figures.late,
        figures.excused,
        figures.out_of_class,
        figures.percent_missed,
    ]


class _Sheets:
    """Writes sheets with a frozen, filtered heading."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.heading = book.add_format({"bold": True, "bg_color": "#17372f", "font_color": "#ffffff"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})

    def write(self, title: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
        sheet = self.book.add_worksheet(title[:31])
        sheet.freeze_panes(1, 0)
        for number, (label, width) in enumerate(columns):
            sheet.set_column(number, number, width)
            sheet.write_string(0, number, label, self.heading)
        last = 0
        for last, row in enumerate(rows, start=1):
            for number, cell in enumerate(row):
                self._cell(sheet, last, number, cell)
        sheet.autofilter(0, 0, last, len(columns) - 1)

    def _cell(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        if isinstance(cell, str):
            sheet.write_string(row, column, cell)
        elif isinstance(cell, date):
            sheet.write_datetime(row, column, cell, self.day)
        else:
            sheet.write_number(row, column, cell)
