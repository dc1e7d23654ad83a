"""What a grade is called where the school is. Stored are OneRoster's (CEDS) codes, which nobody at a school says. Pure.

The names are those of each country's own system and stay as they are in every language of the pages.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

from pupitre.kernel.text import fold

Translate = Callable[[str], str]

#: OneRoster's codes, from the youngest.
CODES: Final = (
    *("IT", "PR", "PK", "TK", "KG"),
    *(f"{year:02}" for year in range(1, 14)),
    *("PS", "PS1", "PS2", "PS3", "PS4", "UG"),
)
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


def _(text: str) -> str:
    """Marks a message for the catalogues; whoever shows it translates it."""
    return text


_YEAR: Final = _("Grade %(grade)s")
_LATER_YEAR: Final = _("After secondary school, year %(year)s")
#: What the other codes mean (CEDS) where the country has no name of its own for them.
_MEANINGS: Final[Mapping[str, str]] = {
    "IT": _("Infants and toddlers"),
    "PR": _("Preschool"),
    "PK": _("Prekindergarten"),
    "TK": _("Transitional kindergarten"),
    "KG": _("Kindergarten"),
    "PS": _("After secondary school"),
    "UG": _("Without a grade"),
}


@lru_cache(maxsize=1024)
def grade_label(code: str, country: str) -> str:
    """The grade as people of that country (two letters) call it. A school's own label, or a code unknown there, stays."""
    return _NAMES.get(country, {}).get(code, code)


def grade_and_code(code: str, country: str, translate: Translate) -> str:
    """A grade where its code matters, too: "1º ESO (07)". A label of the school's own stays."""
    label = grade_label(code, country)
    if label == code:
        label = _meaning(code, translate)
    return f"{label} ({code})" if label else code


def _meaning(code: str, translate: Translate) -> str:
    if code in _MEANINGS:
        return translate(_MEANINGS[code])
    if code not in CODES:
        return ""
    if code.startswith("PS"):
        return translate(_LATER_YEAR) % {"year": code.removeprefix("PS")}
    return translate(_YEAR) % {"grade": int(code)}


def code_options(country: str, translate: Translate, codes: Iterable[str] = CODES) -> list[tuple[str, str]]:
    """Codes and how `grade_and_code` shows them, from the youngest."""
    return [(code, grade_and_code(code, country, translate)) for code in codes]


def usual_codes(country: str) -> list[str]:
    """The codes of the grades that schools of the country have; all of them where their names are not known here."""
    return [code for code in CODES if code in _NAMES.get(country, CODES)]


def read_grade(text: str, country: str, translate: Translate) -> str:
    """The code of a grade as a person writes it: by its name, its code or both. What is no grade is the school's own label."""
    wanted = fold(text)
    for code, shown in code_options(country, translate):
        if wanted in {fold(code), fold(shown), fold(grade_label(code, country))}:
            return code
    return " ".join(text.split())


def grade_options(codes: Iterable[str], country: str) -> list[tuple[str, str]]:
    """Codes with their labels for a choice, from the youngest; labels of the school's own come last."""
    return [(code, grade_label(code, country)) for code in sorted(codes, key=_rank)]


def _rank(code: str) -> tuple[int, str]:
    if code in _BEFORE_SCHOOL:
        return 0, str(_BEFORE_SCHOOL.index(code))
    return (1, code) if code.isdecimal() else (2, code)
