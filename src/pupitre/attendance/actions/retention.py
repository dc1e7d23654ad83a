"""What of attendance is kept how long: as long as its school years, and everything of them together."""

from datetime import date
from typing import Final

from pupitre.tenancy.retention import SCHOOL, Ages, Rule


def _school_years(ages: Ages) -> date:
    return ages.school_years


def _by_day(name: str, table: str, column: str) -> Rule:
    """Rows that a day or month names and nothing else hangs on."""
    keys = (
        f"SELECT id, {column} FROM {table} "  # noqa: S608 - put together from constants
        f"WHERE school_id = {SCHOOL} AND {column} >= %(after)s AND {column} < %(before)s "
        f"ORDER BY {column}, id LIMIT %(most)s"
    )
    return Rule(name, keys, _school_years, (f"{table}.id",), most=2000)


RULES: Final = (
    # Some fifty registers of a school are one and a half thousand marks.
    Rule(
        "registers and marks",
        "SELECT id, held_on FROM attendance_register WHERE held_on >= %(after)s AND held_on < %(before)s "
        "ORDER BY held_on, id LIMIT %(most)s",
        _school_years,
        (
            "attendance_alert.register_id",
            "attendance_reopening.register_id",
            "attendance_markrevision.register_id",
            "attendance_mark.register_id",
            "attendance_register.id",
        ),
        most=50,
    ),
    Rule(
        "absence notices",
        "SELECT id, ends_at FROM attendance_absencenotice WHERE ends_at >= %(after)s AND ends_at < %(before)s "
        "ORDER BY ends_at, id LIMIT %(most)s",
        _school_years,
        ("attendance_absencenotice.id",),
        objects=("document_key",),
        most=50,
    ),
    Rule(
        "letters about absences",
        "SELECT id, created_at FROM attendance_absenceletter WHERE created_at >= %(after)s AND created_at < %(before)s "
        "ORDER BY created_at, id LIMIT %(most)s",
        _school_years,
        ("attendance_absenceletter.id",),
        most=200,
    ),
    _by_day("figures of classes by day", "attendance_dayfigure", "held_on"),
    _by_day("figures of pupils by month", "attendance_pupilmonth", "month"),
    _by_day("figures of lessons by month", "attendance_lessonmonth", "month"),
    _by_day("months that stand counted", "attendance_keptmonth", "month"),
)
