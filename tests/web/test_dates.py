"""Dates read as each language writes them, also where a page asks for the day before the month."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import formats, translation

from pupitre.web.jinja import dated, weekday_and_day

CATALAN = (
    "1 de gener", "1 de febrer", "1 de març", "1 d'abril", "1 de maig", "1 de juny", "1 de juliol", "1 d'agost",
    "1 de setembre", "1 d'octubre", "1 de novembre", "1 de desembre",
)  # fmt: skip


@pytest.mark.parametrize(("month", "told"), list(enumerate(CATALAN, 1)))
def test_catalan_joins_the_month_to_the_day(month: int, told: str) -> None:
    day = date(2026, month, 1)
    with translation.override("ca"):
        assert dated(day) == dated(day, "j F Y") == formats.date_format(day) == f"{told} de 2026"
        assert dated(day, "MONTH_DAY_FORMAT") == dated(day, "j F") == told
        assert weekday_and_day(day).endswith(f", {told}")


def test_a_catalan_month_alone_has_no_preposition() -> None:
    with translation.override("ca"):
        assert dated(date(2026, 4, 1), "F") == "abril"


@pytest.mark.parametrize(
    ("language", "told", "in_year"),
    [
        ("es", "Sábado 21 de noviembre", "21 de noviembre de 2026"),
        ("ca", "Dissabte 21 de novembre", "21 de novembre de 2026"),
        ("fr", "Samedi 21 novembre", "21 novembre 2026"),
        ("de", "Samstag 21. November", "21. November 2026"),
        ("pt", "Sábado 21 de Novembro", "21 de Novembro de 2026"),
        ("en", "Saturday 21 November", "21 November 2026"),
    ],
)
def test_a_long_date_is_in_the_order_of_its_language(language: str, told: str, in_year: str) -> None:
    with translation.override(language):
        assert dated(date(2026, 11, 21), "l j F") == told
        assert dated(date(2026, 11, 21), "j F Y") == in_year


def test_equal_moments_are_each_written_by_their_own_clock() -> None:
    moment = datetime(2026, 10, 13, 22, 30, tzinfo=UTC)
    for style in ("SHORT_DATETIME_FORMAT", "D j M, H:i"):
        here, there = (
            dated(moment.astimezone(ZoneInfo(zone)), style) for zone in ("Europe/Madrid", "America/Bogota")
        )
        assert "0:30" in here or "12:30" in here
        assert "17:30" in there or "5:30" in there
