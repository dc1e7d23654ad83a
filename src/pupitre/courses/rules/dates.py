"""Dates as people write them: the order of day and month is decided by a whole column, never by one cell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

DMY, MDY = "dmy", "mdy"
ORDER_WORDS = {DMY: "day/month/year", MDY: "month/day/year"}

_YEAR_FIRST = re.compile(
    r"(?a:(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})(\d{2})(\d{2}))(?:[T ]+(?a:[\d:.,]+ ?(?:[AaPp]\.?[Mm]\.?)? ?(?:Z|[+-][\d:]+)?))?"
)
_YEAR_LAST = re.compile(
    r"(?a:(\d{1,2})([-/.])(\d{1,2})\2(\d{4}))(?:[T ]+(?a:[\d:.,]+ ?(?:[AaPp]\.?[Mm]\.?)?))?"
)


class Trouble(StrEnum):
    """Why a column's dates cannot be read."""

    AMBIGUOUS = "ambiguous"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class DateColumn:
    """How the dates of one column are read.

    order is '' where nothing tells it (then a 5/5/2026 is still a date). trouble: no cell with the year last can be read.
    """

    order: str = ""
    trouble: Trouble | None = None

    def read(self, text: str) -> date | None:
        """The date of a cell, or None where it is not one (in this column's order)."""
        if len(text) == 10 and text[4] == text[7] == "-" and (plain := _iso(text)) is not None:
            return plain
        if (match := _YEAR_FIRST.fullmatch(text)) is not None:
            year, _, month, day, *compact = match.groups()
            return _date(year or compact[0], month or compact[1], day or compact[2])
        match = _YEAR_LAST.fullmatch(text)
        if match is None:
            return None
        first, separator, second, year = match.groups()
        if separator == "." or self.order == DMY:
            return _date(year, second, first)
        return _date(year, first, second) if self.order == MDY or first == second else None


def needs_order(text: str) -> bool:
    """Whether the cell has its year last, so that its day and month can be taken for one another."""
    match = _YEAR_LAST.fullmatch(text)
    return match is not None and match[2] != "."


def proof(text: str) -> str:
    """The order of day and month that a cell proves for its column by itself, '' for most."""
    match = _YEAR_LAST.fullmatch(text)
    if match is None or match[2] == ".":
        return ""
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second:
        return DMY
    return MDY if second > 12 >= first else ""


def has_time(text: str) -> bool:
    """Whether a time of day follows the date; midnight, which exports add by themselves, does not count."""
    return ":" in text and not _MIDNIGHT.search(text)


_MIDNIGHT = re.compile(r"[T ](00?:00(:00([.,]0+)?)?Z?|12:00(:00)? ?AM)$")


def judge_column(cells: Iterable[str], *, chosen: str, usual: str) -> DateColumn:
    """How to read a column with these distinct cells.

    chosen is the user's order, usual the format's ('' for none). What the cells prove wins over both, unless they
    contradict one another; then only the user's choice helps.
    """
    day_first = month_first = either = False
    for cell in cells:
        match = _YEAR_LAST.fullmatch(cell)
        if match is None or match[2] == ".":
            continue
        first, second = int(match[1]), int(match[3])
        day_first = day_first or first > 12 >= second
        month_first = month_first or second > 12 >= first
        either = either or (first <= 12 and second <= 12 and first != second)
    return _judged(day_first, month_first, either, chosen, usual)


def _judged(day_first: bool, month_first: bool, either: bool, chosen: str, usual: str) -> DateColumn:
    if day_first and month_first:
        return DateColumn(chosen) if chosen else DateColumn(trouble=Trouble.MIXED)
    if day_first or month_first:
        return DateColumn(DMY if day_first else MDY)
    if not either:
        return DateColumn(chosen or usual)
    if chosen or usual:
        return DateColumn(chosen or usual)
    return DateColumn(trouble=Trouble.AMBIGUOUS)


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
