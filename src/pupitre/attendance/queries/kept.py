"""Which months stand counted, and which days of a stretch have to be counted from the marks."""

from dataclasses import dataclass
from datetime import date

from pupitre.attendance.queries.rosters import rows
from pupitre.attendance.rules.months import Days, days_besides, is_over, last_of


@dataclass(frozen=True, slots=True)
class Parts:
    """A stretch of days: whole months that stand counted, and the days besides."""

    months: list[date]
    days: list[Days]

    @property
    def firsts(self) -> list[date]:
        return [first for first, _last in self.days]

    @property
    def lasts(self) -> list[date]:
        return [last for _first, last in self.days]


def parts_of(first: date, last: date) -> Parts:
    """How the stretch, both ends included, is to be counted. One statement."""
    found = rows(
        "SELECT month FROM attendance_keptmonth WHERE month BETWEEN %s AND %s ORDER BY month", [first, last]
    )
    months = [month for (month,) in found if last_of(month) <= last]
    return Parts(months, days_besides(first, last, months))


def earliest_month_to_keep(today: date) -> date | None:
    """The earliest month before this one that has registers and never was counted."""
    found = rows(
        """
        SELECT d.month::date
          FROM (SELECT min(held_on) AS first FROM attendance_register) r,
               generate_series(date_trunc('month', r.first::timestamp), %s::timestamp, interval '1 month') AS d(month)
         WHERE NOT EXISTS (SELECT 1 FROM attendance_keptmonth k WHERE k.month = d.month::date)
           AND EXISTS (SELECT 1 FROM attendance_register g WHERE g.held_on >= d.month::date
                          AND g.held_on < (d.month + interval '1 month')::date)
         ORDER BY d.month LIMIT 1
        """,
        [today],
    )
    return found[0][0] if found and is_over(found[0][0], today) else None
