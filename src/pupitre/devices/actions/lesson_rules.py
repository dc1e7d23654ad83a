"""Lesson rules: what holds in lessons of a class, or at given hours, and ends by itself."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from pupitre.courses import queries as courses
from pupitre.devices.models import LessonRule
from pupitre.devices.queries import lesson_rules as queries
from pupitre.devices.rules import CARES, AlreadyEnded, Level
from pupitre.devices.rules.lesson_rules import rule_facts
from pupitre.people.rules import Actor, require
from pupitre.timetable.queries.stamp import timetable_stamp

from . import targets


@transaction.atomic
def make_rule(
    actor: Actor,
    class_id: int,
    *,
    name: str,
    settings: Mapping[str, Any],
    starts_on: date,
    ends_on: date,
    now: datetime,
    in_lessons: bool = True,
    subject: str = "",
    hours: Collection[Mapping[str, Any]] = (),
) -> LessonRule:
    """Let settings hold in all lessons of a class (or form), in those of one subject, or at hours, between two dates.

    Raises NotFound, NameNeeded, SettingsWrong, NothingSaid, NoTimes, WrongHours, DatesReversed, TooLong.
    """
    require(actor, CARES)
    klass = courses.access_class(actor, class_id)
    facts = rule_facts(
        name, settings, starts_on, ends_on, in_lessons=in_lessons, subject=subject, hours=hours
    )
    rule = LessonRule.objects.create(
        school_id=actor.place.id,
        klass_id=klass.pk,
        created_at=now,
        created_by_id=actor.account_id or None,
        **facts,
    )
    _compile(actor, rule, now)
    return rule


@transaction.atomic
def change_rule(
    actor: Actor,
    rule_id: int,
    *,
    name: str,
    settings: Mapping[str, Any],
    starts_on: date,
    ends_on: date,
    now: datetime,
    in_lessons: bool = True,
    subject: str = "",
    hours: Collection[Mapping[str, Any]] = (),
) -> LessonRule:
    """Say something else by a rule that has not ended. Raises as `make_rule`, and AlreadyEnded."""
    rule = _living(actor, rule_id)
    facts = rule_facts(
        name, settings, starts_on, ends_on, in_lessons=in_lessons, subject=subject, hours=hours
    )
    for field, value in facts.items():
        setattr(rule, field, value)
    rule.save(update_fields=list(facts))
    _compile(actor, rule, now)
    return rule


@transaction.atomic
def end_rule(actor: Actor, rule_id: int, *, now: datetime) -> LessonRule:
    """End a rule at once. Raises NotFound, AlreadyEnded."""
    rule = _living(actor, rule_id)
    rule.ended_at = now
    rule.save(update_fields=["ended_at"])
    _compile(actor, rule, now)
    return rule


def _living(actor: Actor, rule_id: int) -> LessonRule:
    rule = queries.access_rule(actor, rule_id)
    if rule.ended_at is not None:
        raise AlreadyEnded
    return rule


def _compile(actor: Actor, rule: LessonRule, now: datetime) -> None:
    targets.compile_targets(Level.GROUP, rule.klass_id, now=now)
    targets.remember_source(actor.place, [rule.klass_id], timetable_stamp(actor.place))
