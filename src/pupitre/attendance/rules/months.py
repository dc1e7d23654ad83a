"""Months, each named by its first day, and how a stretch of days falls into whole months and the days besides."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

Days = tuple[date, date]


def month_of(day: date) -> date:
    return day.replace(day=1)


def following(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def last_of(month: date) -> date:
    return following(month) - timedelta(days=1)


def is_over(month: date, today: date) -> bool:
    return following(month) <= today


def months_between(first: date, last: date) -> Iterator[date]:
    """Every month that has a day of the stretch."""
    month = month_of(first)
    while month <= last:
        yield month
        month = following(month)


def days_besides(first: date, last: date, kept: Iterable[date]) -> list[Days]:
    """The days of the stretch besides these months, which lie whole within it: as the fewest stretches, in order."""
    found: list[Days] = []
    begins = first
    for month in sorted(kept):
        if begins < month:
            found.append((begins, month - timedelta(days=1)))
        begins = following(month)
    if begins <= last:
        found.append((begins, last))
    return found
