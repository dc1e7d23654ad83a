"""What a grade is called where the school is. Stored are OneRoster's (CEDS) codes, which nobody at a school says. Pure.

The names are those of each country's own system and stay as they are in every language of the pages.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

#: The years before school, from the youngest; they come before "01" in every list.
_BEFORE_SCHOOL: Final = ("IT", "PR", "PK", "TK", "KG")
_ROMAN: Final = ("I", "II", "III", "IV")


def _numbered(first: int, names: Iterable[str]) -> dict[str, str]:
    return {f"{number:02}": name for number, name in enumerate(names, first)}


_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "ES": {
        "PR": "Infantil 3",
        "PK": "Infantil 4",
        "KG": "Infantil 5",
        **_numbered(1, (f"{year}º Primaria" for year in range(1, 7))),
        **_numbered(7, (f"{year}º ESO" for year in range(1, 5))),
        **_numbered(11, (f"{year}º Bachillerato" for year in range(1, 3))),
    },
    "FR": {
        "PR": "Petite section",
        "PK": "Moyenne section",
        "KG": "Grande section",
        **_numbered(1, ("CP", "CE1", "CE2", "CM1", "CM2", "6e", "5e", "4e", "3e", "2de", "1re", "Tle")),
    },
    "DE": {"KG": "Kindergarten", **_numbered(1, (f"Klasse {year}" for year in range(1, 14)))},
    "PT": {
        "PR": "Pré-escolar 3",
        "PK": "Pré-escolar 4",
        "KG": "Pré-escolar 5",
        **_numbered(1, (f"{year}.º ano" for year in range(1, 13))),
    },
    "CL": {
        "PK": "Prekínder",
        "KG": "Kínder",
        **_numbered(1, (f"{year}º Básico" for year in range(1, 9))),
        **_numbered(9, (f"{year} Medio" for year in _ROMAN)),
    },
    "CO": {
        "PR": "Prejardín",
        "PK": "Jardín",
        "KG": "Transición",
        **_numbered(1, (f"{year}°" for year in range(1, 12))),
    },
}


@lru_cache(maxsize=1024)
def grade_label(code: str, country: str) -> str:
    """The grade as people of that country (two letters) call it. A school's own label, or a code unknown there, stays."""
    return _NAMES.get(country, {}).get(code, code)


def grade_options(codes: Iterable[str], country: str) -> list[tuple[str, str]]:
    """Codes with their labels for a choice, from the youngest; labels of the school's own come last."""
    return [(code, grade_label(code, country)) for code in sorted(codes, key=_rank)]


def _rank(code: str) -> tuple[int, str]:
    if code in _BEFORE_SCHOOL:
        return 0, str(_BEFORE_SCHOOL.index(code))
    return (1, code) if code.isdecimal() else (2, code)
