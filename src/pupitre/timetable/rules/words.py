"""The words of timetables in six languages: days, breaks, weeks; and how names are cut into comparable tokens."""

import re
from typing import Final

from pupitre.kernel.text import fold

_ORDINAL_SIGNS: Final = str.maketrans(dict.fromkeys("ºª°", " "))
_TOKEN: Final = re.compile(r"\d+|[^\W\d_]+")


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


_DAY_WORDS: Final[dict[int, str]] = {
    1: "monday mon mo lunes lun l dilluns dl lundi montag segunda seg",
    2: "tuesday tue tues tu martes mar dimarts dt mardi dienstag di terca ter",
    3: "wednesday wed we miercoles mie x dimecres dc mercredi mer mittwoch mi quarta qua",
    4: "thursday thu thur thurs th jueves jue j dijous dj jeudi jeu donnerstag do quinta qui",
    5: "friday fri fr viernes vie v divendres dv vendredi ven freitag sexta sex",
    6: "saturday sat sa sabado sab dissabte ds samedi sam samstag sonnabend",
    7: "sunday sun su domingo dom diumenge dg dimanche dim sonntag so",
}
_WEEKDAY_OF: Final = {word: weekday for weekday, words in _DAY_WORDS.items() for word in words.split()}
_DAY_NOUNS: Final = word_set("day dia jour tag d")
_WEEK_LETTERS: Final = {"a": "A", "1": "A", "b": "B", "2": "B"}
_WEEK_NOUNS: Final = word_set("week wk semana sem setmana semaine woche w s kw")
_EVERY_WEEK: Final = word_set(
    "all every both ab todas todos ambas totes toutes tous alle beide jede todas-as weekly semanal"
)

_LUNCH_WORDS: Final = word_set(
    "lunch comida comedor almuerzo dinar menjador dejeuner repas cantine midi mittag mittagspause mittagessen "
    "almoco cantina"
)
_BREAK_WORDS: Final = _LUNCH_WORDS | word_set(
    "break breaks recess playtime interval recreo recreos descanso patio pati esbarjo descans pausa recre "
    "recreation pause pausen hofpause recreio intervalo lanche merienda berenar gouter vesper"
)


def words(name: str) -> tuple[str, ...]:
    """The comparable tokens of a name: folded, letters and digits apart. "1ºESO-C" is ("1", "eso", "c")."""
    return tuple(_TOKEN.findall(fold(name.translate(_ORDINAL_SIGNS))))


def tidy(name: str) -> str:
    """A name without doubled or outer white space, as files carry it after their indentation and tabs."""
    return " ".join(name.split())


def title_beside(subject: str, title: str) -> str:
    """A class's title where it stands beside the subject: "Science · 1A" is "1A" then."""
    if subject and fold(title).startswith(fold(subject)) and len(title) > len(subject):
        return title[len(subject) :].lstrip(" ·-–:,")
    return title


def is_break_name(name: str) -> bool:
    """Whether the name of an hour says that nobody is taught in it ("RECREO", "Große Pause", "Lunch")."""
    return any(word in _BREAK_WORDS or word.endswith("pause") for word in words(name))


def is_lunch_name(name: str) -> bool:
    """Whether the name of a break says that it is the long one at midday."""
    return any(word in _LUNCH_WORDS for word in words(name))


def weekday_in(name: str) -> int | None:
    """The ISO weekday (1 is Monday) that a day's name means in one of six languages, or None.

    Also "Day 3", "3", and the Portuguese "4ª-feira", which counts from Sunday.
    """
    tokens = words(name)
    known = {_WEEKDAY_OF[token] for token in tokens if token in _WEEKDAY_OF}
    if len(known) == 1:
        return known.pop()
    numbers = [int(token) for token in tokens if token.isdecimal() and len(token) == 1]
    if known or len(numbers) != 1:
        return None
    return _numbered_weekday(numbers[0], {token for token in tokens if not token.isdecimal()})


def _numbered_weekday(number: int, others: set[str]) -> int | None:
    if others & {"feira", "f"}:
        return number - 1 if 2 <= number <= 6 else None
    if others - _DAY_NOUNS:
        return None
    return number if 1 <= number <= 7 else None


def week_in_day_name(name: str) -> str:
    """The week, "A" or "B", where a day's name also says that of a two-week timetable ("Lunes B", "Mon 2"), else ""."""
    tokens = words(name)
    if not any(token in _WEEKDAY_OF and len(token) > 1 for token in tokens) or "feira" in tokens:
        return ""
    letters = {_WEEK_LETTERS[token] for token in tokens if token in _WEEK_LETTERS}
    return letters.pop() if len(letters) == 1 else ""


def week_letter(cell: str) -> str | None:
    """The week that a cell names: "A", "B", "" for every week, None where it cannot be told."""
    tokens = [token for token in words(cell) if token not in _WEEK_NOUNS]
    letters = {_WEEK_LETTERS.get(token, "") for token in tokens}
    if not tokens or set(tokens) & _EVERY_WEEK or letters == {"A", "B"}:
        return ""
    return letters.pop() or None if len(letters) == 1 else None
