"""The normalised timetable that every reader hands on, whatever program wrote the file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from itertools import combinations

from pupitre.timetable.rules.findings import Finding, FindingCode, FindingList, Severity
from pupitre.timetable.rules.words import tidy, week_in_day_name, weekday_in


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An uploaded file: the name that the person knows it by, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PlanDay:
    """A day as the file names it; `weekday` is the ISO weekday if the name tells it; `week` is "A", "B" or ""."""

    name: str
    weekday: int | None
    week: str = ""


@dataclass(frozen=True, slots=True)
class PlanPeriod:
    """An hour of the school day as the file names it; times where the name or a column carries them."""

    name: str
    starts_at: time | None = None
    ends_at: time | None = None
    is_break: bool = False


class GroupKind(StrEnum):
    """FET's three levels. A year is usually what a school calls a class."""

    YEAR = "year"
    GROUP = "group"
    SUBGROUP = "subgroup"


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """A set of pupils. It may stand under several parents: FET lets groups of a year share subgroups."""

    name: str
    kind: GroupKind = GroupKind.YEAR
    parents: tuple[str, ...] = ()
    size: int | None = None


@dataclass(frozen=True, slots=True)
class PlanRoom:
    """A room. A virtual one stands for several real ones, which each lesson names."""

    name: str
    building: str = ""
    capacity: int | None = None
    is_virtual: bool = False


@dataclass(frozen=True, slots=True)
class PlanLesson:
    """An activity with its place in the week. `day` and `first_period` count from 0 in the timetable's lists.

    Teachers and groups may be empty (a study hall; guard duty). `duration` is in periods. `real_rooms` is filled
    where `room` is virtual.
    """

    activity_id: str
    teachers: tuple[str, ...]
    subject: str
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    day: int
    first_period: int
    duration: int
    room: str | None = None
    week: str = ""
    real_rooms: tuple[str, ...] = ()

    @property
    def periods(self) -> range:
        return range(self.first_period, self.first_period + self.duration)

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that are really taken."""
        return self.real_rooms or ((self.room,) if self.room else ())


class UnplacedReason(StrEnum):
    INACTIVE = "inactive"
    NOT_PLACED = "not_placed"


@dataclass(frozen=True, slots=True)
class UnplacedActivity:
    """An activity that has no time, or is switched off."""

    activity_id: str
    teachers: tuple[str, ...]
    subject: str
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    duration: int
    reason: UnplacedReason


@dataclass(frozen=True, slots=True)
class ImportedTimetable:
    """All that a file says. Where `is_usable` is false, `findings` says why and the rest may be empty."""

    institution: str = ""
    days: tuple[PlanDay, ...] = ()
    periods: tuple[PlanPeriod, ...] = ()
    teachers: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    rooms: tuple[PlanRoom, ...] = ()
    groups: tuple[PlanGroup, ...] = ()
    lessons: tuple[PlanLesson, ...] = ()
    unplaced: tuple[UnplacedActivity, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_usable(self) -> bool:
        return bool(self.lessons) and not any(f.severity is Severity.ERROR for f in self.findings)


def recognise_days(names: Iterable[str], *, may_be_weeks: bool = True) -> tuple[PlanDay, ...]:
    """The days of a timetable from their names: which weekday each is and, where each comes twice, which week.

    "Monday A" and "Monday B" are one weekday of two weeks. `may_be_weeks` is false where the two are the halves
    of a day. A letter or number that does not tell two days apart is part of the name. Of L, M, X, J, V the M is Tuesday.
    """
    listed = list(names)
    is_spanish = any(tidy(name).casefold() == "x" for name in listed)
    days = [
        PlanDay(
            name,
            2 if is_spanish and tidy(name).casefold() == "m" else weekday_in(name),
            week_in_day_name(name) if may_be_weeks else "",
        )
        for name in listed
    ]
    weeks: dict[int | None, set[str]] = {}
    for day in days:
        weeks.setdefault(day.weekday, set()).add(day.week)
    return tuple(day if {"A", "B"} <= weeks[day.weekday] else PlanDay(day.name, day.weekday) for day in days)


def report_days(days: Iterable[PlanDay], found: FindingList, file: str = "") -> None:
    """Warn of days whose weekday is not clear, and of two days that are the same weekday of the same week."""
    seen: dict[tuple[int, str], PlanDay] = {}
    for day in days:
        if day.weekday is None:
            found.add(FindingCode.DAY_NOT_RECOGNISED, file, name=day.name)
        elif (day.weekday, day.week) in seen:
            first = seen[day.weekday, day.week].name
            found.add(FindingCode.DAYS_SHARE_WEEKDAY, file, first=first, second=day.name)
        else:
            seen[day.weekday, day.week] = day


def ancestors(groups: Iterable[PlanGroup]) -> dict[str, tuple[str, ...]]:
    """For each group's name, the groups above it, nearest first."""
    parents = {group.name: group.parents for group in groups}
    return {name: tuple(_climb(name, parents)) for name in parents}


def _climb(name: str, parents: dict[str, tuple[str, ...]]) -> Iterator[str]:
    seen = {name}
    level = parents.get(name, ())
    while level:
        fresh = [parent for parent in dict.fromkeys(level) if parent not in seen]
        yield from fresh
        seen.update(fresh)
        level = tuple(above for parent in fresh for above in parents.get(parent, ()))


def leaves(groups: Iterable[PlanGroup]) -> dict[str, frozenset[str]]:
    """For each group's name, the smallest sets of pupils that it is made of; two groups share pupils if these meet."""
    listed = tuple(groups)
    inner = {parent for group in listed for parent in group.parents}
    above = ancestors(listed)
    found: dict[str, set[str]] = {group.name: set() for group in listed}
    for group in listed:
        if group.name not in inner:
            for name in (group.name, *above[group.name]):
                found.setdefault(name, set()).add(group.name)
    return {name: frozenset(below) or frozenset({name}) for name, below in found.items()}


def report_overlaps(plan: ImportedTimetable, found: FindingList, file: str = "") -> None:
    """Warn of every two lessons that want the same pupils, teacher or room at the same time.

    Subgroups of one class may be taught apart at the same time; a class and its own subgroup may not.
    """
    parts = leaves(plan.groups)
    size = sum(len(parts.get(g, "1")) * lesson.duration for lesson in plan.lessons for g in lesson.groups)
    if size > MOST_SEATS:
        parts = {}
    pupils = {lesson: _pupils(lesson, parts) for lesson in plan.lessons}
    _report(
        plan, FindingCode.TEACHER_OVERLAP, {lesson: lesson.teachers for lesson in plan.lessons}, found, file
    )
    _report(plan, FindingCode.GROUP_OVERLAP, pupils, found, file)
    _report(plan, FindingCode.ROOM_OVERLAP, {lesson: lesson.rooms for lesson in plan.lessons}, found, file)


def _pupils(lesson: PlanLesson, parts: dict[str, frozenset[str]]) -> tuple[str, ...]:
    return tuple(sorted(set[str]().union(*(parts.get(group, frozenset({group})) for group in lesson.groups))))


def _report(
    plan: ImportedTimetable,
    code: FindingCode,
    wanted: dict[PlanLesson, tuple[str, ...]],
    found: FindingList,
    file: str,
) -> None:
    slots: dict[tuple[str, int, int], list[PlanLesson]] = {}
    for lesson, names in wanted.items():
        for period in lesson.periods:
            for name in dict.fromkeys(names):
                slots.setdefault((name, lesson.day, period), []).append(lesson)
    told: set[tuple[PlanLesson, PlanLesson]] = set()
    for (name, day, period), lessons in slots.items():
        for first, second in combinations(lessons[:MOST_IN_A_SLOT], 2):
            if (first, second) in told or {first.week, second.week} == {"A", "B"}:
                continue
            told.add((first, second))
            found.add(
                code,
                file,
                name=name,
                day=plan.days[day].name,
                hour=plan.periods[period].name,
                first=_called(first),
                second=_called(second),
            )


#: Lessons times their smallest groups times their periods. The largest real school has some ten thousands; beyond
#: this the file is not meant honestly, and groups are compared by name alone.
MOST_SEATS = 2_000_000
#: A slot that a hundred lessons want is one mistake, not five thousand pairs.
MOST_IN_A_SLOT = 10


def _called(lesson: PlanLesson) -> str:
    return " · ".join(
        part for part in (lesson.subject, ", ".join(lesson.groups), ", ".join(lesson.teachers)) if part
    )
