"""What a lesson rule must say. Pure."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from .policies import NothingSaid, NoTimes, check_rule_dates, checked_hours, checked_name
from .validation import checked_for_an_hour


def rule_facts(
    name: str,
    settings: Mapping[str, Any],
    starts_on: date,
    ends_on: date,
    *,
    in_lessons: bool,
    subject: str,
    hours: Collection[Mapping[str, Any]],
) -> dict[str, Any]:
    """The columns of a lesson rule as they are kept. Raises what `actions.lesson_rules.make_rule` names."""
    check_rule_dates(starts_on, ends_on)
    clean = checked_for_an_hour(settings)
    if not clean:
        raise NothingSaid
    if not (in_lessons or hours):
        raise NoTimes
    return {
        "name": checked_name(name),
        "settings": clean,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "in_lessons": in_lessons,
        "subject": subject.strip() if in_lessons else "",
        "hours": checked_hours(hours),
    }
