"""Lesson rules and leases, and the times at which rules hold."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count

from pupitre.courses import queries as courses
from pupitre.devices.models import Device, Lease, LessonRule, Target
from pupitre.devices.rules import CARES, SEES, Level, Platform, Standing
from pupitre.devices.rules.compiling import Hours, Span, lease_entry, rule_entries, weekly_hours
from pupitre.devices.rules.schedules import next_change
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import fold
from pupitre.people.rules import TEACHES, Actor, require
from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable import queries as timetable
from pupitre.timetable.queries import HeldLesson
from pupitre.timetable.queries.calendar import calendar_between
from pupitre.timetable.queries.weeks import classes_of_form
from pupitre.timetable.rules.calendar import is_school_day

_DAY: Final = timedelta(days=1)


def rules_for(actor: Actor, *, today: date) -> list[LessonRule]:
    """The school's rules that have not ended, by class and name."""
    require(actor, SEES)
    return list(
        LessonRule.objects.select_related("klass")
        .filter(ended_at__isnull=True, ends_on__gte=today)
        .order_by("klass__title", "name", "id")
    )


def entries_for(actor: Actor) -> dict[int, list[dict[str, Any]]]:
    """When the rules that have not ended hold, as devices were told: by rule. One statement."""
    require(actor, SEES)
    documents = Target.objects.filter(
        authority_id=actor.place.authority_id, school_id=actor.place.id, level=Level.GROUP
    ).values_list("document", flat=True)
    found: dict[int, list[dict[str, Any]]] = {}
    for document in documents:
        for entry in document.get("schedule", ()):
            kind, _, number = str(entry["id"]).partition("-")
            if kind == "rule":
                found.setdefault(int(number.partition("-")[0]), []).append(entry)
    return found


def access_rule(actor: Actor, rule_id: int) -> LessonRule:
    """A lesson rule of the school, ended or not. For who cares for devices."""
    require(actor, CARES)
    found = LessonRule.objects.select_related("klass").filter(pk=rule_id).first()
    if found is None:
        raise NotFound
    return found


def schedules_of(
    school: SchoolFacts, class_ids: Collection[int], *, now: datetime
) -> dict[int, list[dict[str, Any]]]:
    """What is compiled for each class: its rules as entries of the week, then its leases that are not over."""
    today = clock.local(now, school.time_zone).date()
    found: dict[int, list[dict[str, Any]]] = {class_id: [] for class_id in class_ids}
    rules = LessonRule.objects.filter(klass_id__in=list(class_ids), ended_at__isnull=True, ends_on__gte=today)
    for rule in rules.order_by("id"):
        found[rule.klass_id] += entries_of(school, rule, today)
    for lease in Lease.objects.filter(klass_id__in=list(class_ids), ends_at__gt=now).order_by(
        "starts_at", "id"
    ):
        entry = lease_entry(
            lease.pk,
            lease.reason,
            lease.settings,
            lease.starts_at,
            lease.ends_at,
            lifts_rules=lease.lifts_rules,
        )
        found[lease.klass_id].append(entry)
    return found


def entries_of(school: SchoolFacts, rule: LessonRule, today: date) -> list[dict[str, Any]]:
    """A rule as entries of the week, from its first day to its last, as the timetable and the calendar stand now."""
    spans = spans_of(school, rule, today) if rule.in_lessons else []
    hours = [Hours(frozenset(one["days"]), one["from"], one["to"]) for one in rule.hours]
    weekly = weekly_hours(hours, rule.starts_on, rule.ends_on, _closed(school, rule)) if hours else []
    return rule_entries(rule.pk, rule.name, rule.settings, spans, weekly)


def spans_of(school: SchoolFacts, rule: LessonRule, today: date) -> list[Span]:
    """When lessons of the rule's class and subject are held; cancelled ones are not."""
    classes = classes_of_form(rule.klass_id, today, rule.ends_on)
    lessons = timetable.lessons_between(school, rule.starts_on, rule.ends_on, class_ids=classes)
    wanted = fold(rule.subject)
    return [
        span_of(lesson)
        for lesson in lessons
        if not lesson.is_cancelled and (not wanted or fold(lesson.subject) == wanted)
    ]


def span_of(lesson: HeldLesson) -> Span:
    ends = f"{lesson.ends_at:%H:%M}"
    return Span(
        lesson.held_on,
        f"{lesson.starts_at:%H:%M}",
        ends if lesson.ends_at.date() == lesson.held_on else "24:00",
    )


def _closed(school: SchoolFacts, rule: LessonRule) -> Iterable[date]:
    """The days on which there is no school though their weekday has it."""
    calendar = calendar_between(school, rule.starts_on, rule.ends_on)
    days = [rule.starts_on + n * _DAY for n in range((rule.ends_on - rule.starts_on).days + 1)]
    return [on for on in days if on.isoweekday() in calendar.weekdays and not is_school_day(on, calendar)]


@dataclass(frozen=True, slots=True)
class RulePreview:
    """What a rule would do: when it holds, on how many devices of which systems, and when next (UTC)."""

    entries: Sequence[Mapping[str, Any]]
    devices: Mapping[Platform, int]
    next_at: datetime | None

    @property
    def number(self) -> int:
        return sum(self.devices.values())


def preview_rule(actor: Actor, class_id: int, facts: Mapping[str, Any], *, now: datetime) -> RulePreview:
    """What a rule of those facts (`rules.lesson_rules.rule_facts`) for that class would do. For who cares for devices."""
    require(actor, CARES)
    courses.access_class(actor, class_id)
    school = actor.place
    rule = LessonRule(pk=0, school_id=school.id, klass_id=class_id, **facts)
    entries = entries_of(school, rule, clock.local(now, school.time_zone).date())
    counted = Device.objects.filter(school_id=school.id, groups__contains=[class_id])
    rows = counted.exclude(standing=Standing.RETIRED).values_list("platform").annotate(number=Count("pk"))
    return RulePreview(
        entries,
        {Platform(platform): number for platform, number in rows},
        next_change(entries, now, school.time_zone),
    )


# Leases.


@dataclass(frozen=True, slots=True)
class TaughtNow:
    """A lesson that a teacher holds now: what she may give a lease for."""

    class_id: int
    title: str
    subject: str
    ends_at: datetime


def taught_now(actor: Actor, now: datetime) -> list[TaughtNow]:
    """The lessons that the actor holds at this moment; one statement. For who stands before classes."""
    require(actor, TEACHES)
    today = clock.local(now, actor.place.time_zone).date()
    lessons = timetable.lessons_of_day(actor.place, today, teacher_id=actor.person_id)
    return [
        TaughtNow(lesson.class_id, lesson.class_title, lesson.subject, lesson.ends_at)
        for lesson in lessons
        if lesson.is_under_way(now) and lesson.is_taught_by(actor.person_id)
    ]


def running_leases(class_ids: Collection[int], now: datetime) -> list[Lease]:
    """The leases of those classes that hold now, the newest last."""
    found = Lease.objects.select_related("klass", "given_by").filter(
        klass_id__in=list(class_ids), starts_at__lte=now, ends_at__gt=now
    )
    return list(found.order_by("starts_at", "id"))


def rules_holding(class_ids: Collection[int], *, today: date) -> list[LessonRule]:
    """The rules of those classes, and of the forms that they take as a whole, that have not ended. Two statements."""
    forms = courses.forms_taken_by(class_ids)
    found = LessonRule.objects.select_related("klass").filter(
        klass_id__in=[*class_ids, *forms], ended_at__isnull=True, starts_on__lte=today, ends_on__gte=today
    )
    return list(found.order_by("name", "id"))


def devices_in(class_ids: Collection[int], school_id: int) -> dict[int, int]:
    """How many devices each of those classes has."""
    found = Device.objects.filter(school_id=school_id, groups__overlap=list(class_ids))
    counted: Counter[int] = Counter()
    for groups in found.exclude(standing=Standing.RETIRED).values_list("groups", flat=True):
        counted.update(set(groups).intersection(class_ids))
    return dict(counted)
