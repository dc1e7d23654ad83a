"""Lists of devices to take along, as CSV and as a workbook."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from pupitre.devices import wording as words
from pupitre.devices.queries.authority import FleetLine
from pupitre.devices.queries.fleet import DeviceLine
from pupitre.kernel import clock

Cell = str | int | None


def head() -> list[str]:
    """The columns, in the reader's language."""
    return [
        _("Inventory number"),
        _("Serial number"),
        _("Name"),
        _("Number"),
        _("System"),
        _("Maker"),
        _("Model"),
        _("Standing"),
        _("Condition"),
        _("Who has it"),
        _("Class"),
        _("Last seen"),
        _("Battery, %"),
        _("Battery wear, %"),
        _("Version"),
        _("Everything applied"),
    ]


def rows_of(lines: Iterable[DeviceLine], zone: str) -> list[list[Cell]]:
    """One row a device, in the order of `head`."""
    return [
        [
            one.asset_tag,
            one.serial,
            one.name,
            one.number,
            str(words.PLATFORMS[one.platform]),
            one.maker,
            one.model,
            str(words.STANDINGS[one.standing]),
            str(words.CONDITIONS[one.condition]),
            one.holder,
            one.klass,
            moment(one.last_seen_at, zone),
            one.battery,
            one.battery_health,
            one.os_version,
            applied(is_compliant=one.is_compliant),
        ]
        for one in lines
    ]


def fleet_head() -> list[str]:
    """The authority's columns: schools, and nobody's name."""
    return [_("School"), *(title for title in head() if title not in (_("Who has it"), _("Class")))]


def fleet_rows(lines: Iterable[FleetLine]) -> Iterator[list[Cell]]:
    """One row a device, in the order of `fleet_head`; times in UTC."""
    yes, no = _("yes"), _("no")
    for one in lines:
        yield [
            _as_text(cell)
            for cell in (
                one.school,
                one.asset_tag,
                one.serial,
                one.name,
                one.number,
                str(words.PLATFORMS[one.platform]),
                one.maker,
                one.model,
                str(words.STANDINGS[one.standing]),
                str(words.CONDITIONS[one.condition]),
                one.last_seen_at.strftime("%Y-%m-%d %H:%M") if one.last_seen_at else "",
                one.battery,
                one.battery_health,
                one.os_version,
                "" if one.is_compliant is None else yes if one.is_compliant else no,
            )
        ]


def moment(at: datetime | None, zone: str) -> str:
    return clock.local(at, zone).strftime("%Y-%m-%d %H:%M") if at else ""


def applied(*, is_compliant: bool | None) -> str:
    return "" if is_compliant is None else _("yes") if is_compliant else _("no")


def line_of(writer: Any, cells: Iterable[Cell]) -> None:
    writer.writerow([_as_text(cell) for cell in cells])


def csv_of(rows: Iterable[Iterable[Cell]]) -> str:
    """With a mark by which spreadsheets know UTF-8."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    line_of(writer, head())
    for cells in rows:
        line_of(writer, cells)
    return out.getvalue()


def _as_text(cell: Cell) -> Cell:
    """A spreadsheet must not take what a device or a school says for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def workbook_of(rows: Iterable[Iterable[Cell]]) -> bytes:
    """One sheet that can be sorted and filtered at once; texts are written as texts."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet(_("Devices")[:31])
    bold = book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 1)
    titles = head()
    sheet.set_column(0, len(titles) - 1, 16)
    for place, title in enumerate(titles):
        sheet.write_string(0, place, title, bold)
    last = 0
    for last, cells in enumerate(rows, start=1):
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(last, place, cell)
            elif cell is not None:
                sheet.write_number(last, place, cell)
    sheet.autofilter(0, 0, last, len(titles) - 1)
    book.close()
    return file.getvalue()
