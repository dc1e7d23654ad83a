"""Changing bell schedules, the weeks and the days that run otherwise."""

from collections.abc import Iterable, Sequence
from datetime import date, time

from django.db import transaction

from pupitre.kernel.errors import Conflict, NotFound
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.timetable.models import BellSchedule, CalendarException, CalendarRule, Period
from pupitre.timetable.rules import bell
from pupitre.timetable.rules.errors import DatesReversed, PeriodsUnclear

#: name, starts, ends, is a break
Bell = tuple[str, time, time, bool]


@transaction.atomic
def set_bell_schedule(
    actor: Actor, *, name: str, periods: Sequence[Bell], is_default: bool = True
) -> BellSchedule:
    """Write a day's periods, replacing those of the schedule of that name. Raises PeriodsUnclear where they overlap."""
    require(actor, OFFICE)
    found = bell.validate_periods([bell.Period(*period) for period in periods])
    if found or not periods:
        raise PeriodsUnclear
    schedule, _ = BellSchedule.objects.get_or_create(school_id=actor.place.id, name=name)
    is_default = is_default or not BellSchedule.objects.filter(is_default=True).exists()
    if is_default:
        BellSchedule.objects.filter(is_default=True).exclude(pk=schedule.pk).update(is_default=False)
    schedule.is_default = is_default
    schedule.save(update_fields=["is_default"])
    Period.objects.filter(schedule=schedule).delete()
    Period.objects.bulk_create(
        Period(
            school_id=actor.place.id,
            schedule=schedule,
            position=position,
            name=label,
            starts_at=starts_at,
            ends_at=ends_at,
            is_break=is_break,
        )
        for position, (label, starts_at, ends_at, is_break) in enumerate(periods)
    )
    return schedule


@transaction.atomic
def delete_bell_schedule(actor: Actor, schedule_id: int) -> None:
    """Remove a bell schedule that no day uses. The default one stays."""
    require(actor, OFFICE)
    schedule = BellSchedule.objects.filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound
    if schedule.is_default or CalendarException.objects.filter(schedule=schedule).exists():
        raise Conflict
    schedule.delete()


@transaction.atomic
def set_weeks(
    actor: Actor,
    *,
    weekdays: Iterable[int],
    cycle_starts_on: date | None = None,
    holidays_pause_cycle: bool = False,
) -> CalendarRule:
    """Say on which ISO weekdays there is school, and in which week the cycle of weeks A and B began (None: no cycle)."""
    require(actor, OFFICE)
    facts = {
        "weekdays": sum(1 << (day - 1) for day in set(weekdays) if 1 <= day <= 7),
        "cycle_starts_on": cycle_starts_on,
        "holidays_pause_cycle": holidays_pause_cycle,
    }
    rule, is_new = CalendarRule.objects.get_or_create(school_id=actor.place.id, defaults=facts)
    if not is_new and any(getattr(rule, name) != value for name, value in facts.items()):
        for name, value in facts.items():
            setattr(rule, name, value)
        rule.save(update_fields=list(facts))
    return rule


@transaction.atomic
def close_day(actor: Actor, *, starts_on: date, ends_on: date, label: str) -> CalendarException:
    """Say that there is no school from one date to another, both included."""
    require(actor, OFFICE)
    if ends_on < starts_on:
        raise DatesReversed
    return CalendarException.objects.create(
        school_id=actor.place.id,
        starts_on=starts_on,
        ends_on=ends_on,
        kind=CalendarException.NO_SCHOOL,
        label=label,
    )


@transaction.atomic
def run_day_otherwise(
    actor: Actor, *, on: date, label: str, as_weekday: int | None = None, schedule_id: int | None = None
) -> CalendarException:
    """Let a date run as another ISO weekday, or by another bell schedule."""
    require(actor, OFFICE)
    schedule = BellSchedule.objects.filter(pk=schedule_id).first() if schedule_id else None
    if (as_weekday is None or not 1 <= as_weekday <= 7) and schedule is None:
        raise NotFound
    return CalendarException.objects.create(
        school_id=actor.place.id,
        starts_on=on,
        ends_on=on,
        kind=CalendarException.OTHER_BELL if schedule else CalendarException.RUNS_AS,
        label=label,
        runs_as_weekday=None if schedule else as_weekday,
        schedule=schedule,
    )


@transaction.atomic
def delete_exception(actor: Actor, exception_id: int) -> None:
    """Take back a holiday or another day's rule."""
    require(actor, OFFICE)
    done, _ = CalendarException.objects.filter(pk=exception_id).delete()
    if not done:
        raise NotFound
