"""When the school writes to a family about absences, and what the letter may say. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pupitre.kernel.errors import Conflict, Refused

from .absences import Counted, Window

#: What a letter's text may name, in braces. The meaning of each is told beside the form.
PLACEHOLDERS: Final = ("guardian", "pupil", "class", "count", "limit", "from", "until", "school")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
PERCENT_MOST: Final = 100
LIMIT_MOST: Final = 500


class UnknownPlaceholder(Refused):
    """The text names {%(name)s}, which does not exist."""


class WrongLimit(Refused):
    """The limit must be a whole number from 1 to %(most)s."""


class NameTaken(Refused):
    """There is already a threshold of this name."""


class AlreadyWritten(Conflict):
    """This letter was written in the meantime. You find it in the archive."""


class NotCrossed(Conflict):
    """The pupil is below this threshold now. No letter was written."""


class NobodyToWriteTo(Refused):
    """No guardian of %(pupil)s is entitled to letters. Look at the pupil's guardians first."""


class AlreadySent(Conflict):
    """These letters were already marked as sent."""


@dataclass(frozen=True, slots=True)
class Period:
    """An academic session: dates with both ends included, `kind` in OneRoster's words."""

    kind: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Tally:
    """A pupil's counts between two dates. `missed` is absent and excused, `marks` everything."""

    absent_lessons: int = 0
    absent_days: int = 0
    latenesses: int = 0
    missed: int = 0
    marks: int = 0

    def counted(self, what: Counted) -> int:
        if what is Counted.ABSENT_LESSONS:
            return self.absent_lessons
        if what is Counted.ABSENT_DAYS:
            return self.absent_days
        if what is Counted.LATENESSES:
            return self.latenesses
        return 100 * self.missed // self.marks if self.marks else 0


def window_on(window: Window, day: date, sessions: Iterable[Period]) -> tuple[date, date]:
    """The first and last day of the month, term or school year in which the day lies.

    Where the school has no session of that kind, a term is the school year, and a school year runs from September.
    """
    if window is Window.MONTH:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        return day.replace(day=1), following - timedelta(days=1)
    around = [s for s in sessions if s.starts_on <= day <= s.ends_on]
    if window is Window.TERM:
        terms = [s for s in around if s.kind in {"term", "semester", "gradingPeriod"}]
        if terms:
            shortest = min(terms, key=lambda s: s.ends_on - s.starts_on)
            return shortest.starts_on, shortest.ends_on
    years = [s for s in around if s.kind == "schoolYear"]
    if years:
        return years[0].starts_on, years[0].ends_on
    first = date(day.year if day.month >= 9 else day.year - 1, 9, 1)
    return first, date(first.year + 1, 8, 31)


def level(count: int, limit: int) -> int:
    """How often the limit was reached: a second letter follows at twice the limit, and so on."""
    return count // limit if limit > 0 else 0


def check_text(text: str) -> None:
    """Refuse a letter's text that names what does not exist."""
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            raise UnknownPlaceholder(name=name)


def filled(text: str, facts: Mapping[str, str]) -> str:
    """The text with its placeholders replaced, in one pass: what a fact says is never a placeholder."""
    return _PLACEHOLDER.sub(lambda match: facts.get(match.group(1), match.group(0)), text)


def check_limit(limit: int, counts: Counted) -> None:
    most = PERCENT_MOST if counts is Counted.PERCENT_MISSED else LIMIT_MOST
    if not 1 <= limit <= most:
        raise WrongLimit(most=most)


@dataclass(frozen=True, slots=True)
class DefaultThreshold:
    """What a school starts with. Title and body are the product's own words in the reader's language."""

    counts: Counted
    limit: int
    window: Window


DEFAULTS: Final = (
    DefaultThreshold(Counted.ABSENT_LESSONS, 5, Window.MONTH),
    DefaultThreshold(Counted.LATENESSES, 5, Window.MONTH),
    DefaultThreshold(Counted.PERCENT_MISSED, 20, Window.TERM),
)
