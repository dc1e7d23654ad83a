"""The `filter` parameter: predicates on fields, joined by AND and OR, as a list of alternatives. Pure.

`familyName='Roca' AND roles.role='student' OR status='tobedeleted'`: AND binds tighter. A quotation mark within a value
is written twice. Values without blanks may stand without quotation marks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

from pupitre.kernel.errors import DomainError

#: Nobody needs more; each one costs the database something for every row.
MOST_PREDICATES: Final = 20
_PREDICATE: Final = re.compile(
    r"\s*(?P<field>[A-Za-z][\w.]*)\s*(?P<sign>!=|>=|<=|=|>|<|~)\s*(?:'(?P<quoted>(?:[^']|'')*)'|(?P<bare>[^\s'()]+))"
)
_JOINT: Final = re.compile(r"\s+(AND|OR)(?=\s)", re.IGNORECASE)


class FieldKind(StrEnum):
    """How the values of a field compare."""

    ID = "id"  # exactly, letter by letter
    TEXT = "text"  # without regard to upper and lower case
    DATE = "date"
    MOMENT = "moment"
    WORDS = "words"  # a list of words: all of them
    PARTS = "parts"  # a list of parts of the thing: any of them


class UnfitFilter(DomainError):
    """The filter cannot be applied: %(why)s"""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A field compared with a value of the field's kind (words for WORDS)."""

    field: str
    kind: FieldKind
    sign: str
    value: str | date | datetime | tuple[str, ...]


#: Any of these must hold, each by all of its predicates.
Alternatives = tuple[tuple[Predicate, ...], ...]


def parse_filter(text: str, fields: Mapping[str, FieldKind]) -> Alternatives:
    """The alternatives that a filter names. Raises UnfitFilter."""
    alternatives: list[list[Predicate]] = [[]]
    at = 0
    while True:
        match = _PREDICATE.match(text, at)
        if match is None:
            raise UnfitFilter(None, why=f"a predicate is expected at “{text[at : at + 40]}”.")
        alternatives[-1].append(_predicate(match, fields))
        if sum(map(len, alternatives)) > MOST_PREDICATES:
            raise UnfitFilter(None, why=f"more than {MOST_PREDICATES} predicates.")
        at = match.end()
        joint = _JOINT.match(text, at)
        if joint is None:
            break
        if joint[1].upper() == "OR":
            alternatives.append([])
        at = joint.end()
    if text[at:].strip():
        raise UnfitFilter(None, why=f"AND or OR is expected at “{text[at : at + 40]}”.")
    return tuple(map(tuple, alternatives))


def _predicate(match: re.Match[str], fields: Mapping[str, FieldKind]) -> Predicate:
    field, sign = match["field"], match["sign"]
    kind = fields.get(field)
    if kind is None:
        raise UnfitFilter(None, why=f"there is no field “{field[:80]}” to filter by.")
    told = match["bare"] if match["quoted"] is None else match["quoted"].replace("''", "'")
    if kind in (FieldKind.WORDS, FieldKind.PARTS) and sign not in ("=", "!=", "~"):
        raise UnfitFilter(None, why=f"“{field}” is a list, which {sign} does not compare.")
    if kind in (FieldKind.DATE, FieldKind.MOMENT) and sign == "~":
        raise UnfitFilter(None, why=f"“{field}” is a date, which contains nothing.")
    return Predicate(field, kind, sign, _value(kind, told))


def _value(kind: FieldKind, told: str) -> str | date | datetime | tuple[str, ...]:
    try:
        if kind is FieldKind.DATE:
            return date.fromisoformat(told)
        if kind is FieldKind.MOMENT:
            moment = datetime.fromisoformat(told)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        raise UnfitFilter(None, why=f"“{told[:40]}” is no date of ISO 8601.") from None
    if kind is FieldKind.WORDS:
        return tuple(word.strip() for word in told.split(","))
    return told
