"""Importing a timetable: receive the files, choose what names mean, put it to use. All or nothing, in few statements."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from pupitre.courses.actions import arranging as courses
from pupitre.kernel.errors import NotFound
from pupitre.people import actions as people
from pupitre.people.rules import OFFICE, Actor, Role, require
from pupitre.people.rules.rosters import MembershipFacts, PersonFacts
from pupitre.timetable.models import (
    BellSchedule,
    CalendarRule,
    Duty,
    Lesson,
    LessonTeacher,
    Room,
    TimetableImport,
)
from pupitre.timetable.queries.imports import (
    classes_by_sourced_id,
    known_names,
    persons_by_sourced_id,
    plan_of,
    read_timetable,
    storage,
)
from pupitre.timetable.rules import bell
from pupitre.timetable.rules.errors import (
    AlreadyApplied,
    CycleUnknown,
    DayUnknown,
    NotDecided,
    NotReadable,
    PeriodsUnclear,
)
from pupitre.timetable.rules.importing import (
    NEW,
    Arrangement,
    Choices,
    Known,
    arrange,
    choices_from,
    has_weeks,
    opened_id,
)
from pupitre.timetable.rules.plan import ImportedTimetable, SourceFile

from .calendar import set_bell_schedule, set_weeks

_BATCH: Final = 1000
_NAMED: Final = 5
_DAY: Final = timedelta(days=1)


@transaction.atomic
def receive_timetable(
    actor: Actor, files: Sequence[SourceFile], *, now: datetime
) -> tuple[TimetableImport, ImportedTimetable]:
    """Keep uploaded files and read them. A file that cannot be used is kept, too, with what is wrong with it."""
    require(actor, OFFICE)
    plan = read_timetable(files)
    store, school = storage(), actor.place.id
    keys = [store.put(school, "timetables", file.content) for file in files[:2]]
    upload = TimetableImport.objects.create(
        school_id=school,
        uploaded_at=now,
        uploaded_by_id=actor.account_id or None,
        file_name=files[0].name if files else "",
        file_key=keys[0] if keys else "",
        solution_name=files[1].name if len(files) > 1 else "",
        solution_key=keys[1] if len(keys) > 1 else "",
        state=TimetableImport.READ if plan.is_usable else TimetableImport.REFUSED,
        findings=[{"code": f.code.value, "file": f.file, "line": f.line} for f in plan.findings],
    )
    return upload, plan


@transaction.atomic
def choose_timetable(actor: Actor, import_id: int, choices: Choices) -> TimetableImport:
    """Keep what a person chose so far."""
    require(actor, OFFICE)
    upload = _open_import(import_id)
    upload.choices = choices.to_json()
    upload.save(update_fields=["choices"])
    return upload


def _open_import(import_id: int) -> TimetableImport:
    upload = TimetableImport.objects.select_for_update().filter(pk=import_id).first()
    if upload is None:
        raise NotFound
    if upload.state == TimetableImport.APPLIED:
        raise AlreadyApplied
    return upload


@dataclass(slots=True)
class _Rows:
    """The ids behind the arrangement's keys."""

    persons: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)

    def person(self, key: str) -> int:
        return self.persons[key] if key in self.persons else int(key)

    def room(self, key: str) -> int | None:
        return None if not key else self.rooms[key] if key in self.rooms else int(key)


@transaction.atomic
def apply_timetable(actor: Actor, import_id: int, *, now: datetime, today: date) -> dict[str, int]:
    """Put an upload to use as it was chosen; answers what it did, in numbers.

    From the chosen date on it takes the place of an earlier import: lessons that are the same go on, the others end the
    day before, and the registers taken in them stay. Lessons added by hand stay unless the choices say otherwise.
    """
    require(actor, OFFICE)
    upload = _open_import(import_id)
    plan, known = plan_of(upload), known_names(today)
    if not plan.is_usable or not upload.choices:
        raise NotReadable
    choices = choices_from(upload.choices)
    _check(plan, choices)
    arrangement = arrange(plan, known, choices)
    rows = _open_rows(actor, arrangement, now, today)
    _set_calendar(actor, plan, known, choices)
    report = _count_opened(arrangement, rows, known)
    report |= _replace_lessons(actor, arrangement, rows, choices)
    report |= _replace_duties(actor, arrangement, rows, choices)
    upload.state, upload.applied_at, upload.report = TimetableImport.APPLIED, now, report
    upload.choices = _remembered(choices, rows).to_json()
    upload.save(update_fields=["state", "applied_at", "report", "choices"])
    return report


def _check(plan: ImportedTimetable, choices: Choices) -> None:
    for day in plan.days:
        if not choices.days.get(day.name):
            raise DayUnknown(name=day.name)
    undecided = [
        name
        for chosen in (choices.teachers, choices.groups, choices.rooms)
        for name, choice in chosen.items()
        if not choice
    ]
    if undecided:
        more = ["…"] if len(undecided) > _NAMED else []
        raise NotDecided(names=", ".join(undecided[:_NAMED] + more))
    if bell.validate_periods(choices.periods) or not choices.periods:
        raise PeriodsUnclear
    cycle_known = (
        choices.cycle_starts_on or CalendarRule.objects.filter(cycle_starts_on__isnull=False).exists()
    )
    if has_weeks(plan) and not cycle_known:
        raise CycleUnknown


# What lessons stand on.


def _open_rows(actor: Actor, arrangement: Arrangement, now: datetime, today: date) -> _Rows:
    rows = _Rows(persons=_open_persons(actor, arrangement, now, today), rooms=_open_rooms(actor, arrangement))
    rows.classes = courses.arrange_classes(
        actor,
        [
            courses.ClassFacts(
                klass.sourced_id,
                klass.title,
                kind="homeroom" if klass.is_form else "scheduled",
                subject=klass.subject,
                homerooms=klass.homerooms,
                teachers=tuple(rows.person(key) for key in klass.teachers),
            )
            for klass in arrangement.classes
        ],
        today=today,
    )
    rows.classes |= classes_by_sourced_id(
        {lesson.klass for lesson in arrangement.lessons} - rows.classes.keys()
    )
    return rows


def _open_persons(actor: Actor, arrangement: Arrangement, now: datetime, today: date) -> dict[str, int]:
    """Who was opened by an earlier import is not written again: the school may have given her real name since."""
    held = persons_by_sourced_id([person.sourced_id for person in arrangement.persons])
    new = [person for person in arrangement.persons if person.sourced_id not in held]
    applied = people.apply_people(
        actor,
        now=now,
        today=today,
        persons=[
            PersonFacts(p.sourced_id, {"given_name": p.given_name, "family_name": p.family_name}) for p in new
        ],
        memberships=[MembershipFacts(p.sourced_id, Role.TEACHER) for p in new],
    )
    return held | {person.sourced_id: applied.person_ids[person.sourced_id] for person in new}


def _open_rooms(actor: Actor, arrangement: Arrangement) -> dict[str, int]:
    Room.objects.filter(name__in=arrangement.rooms, ended_on__isnull=False).update(ended_on=None)
    Room.objects.bulk_create(
        (Room(school_id=actor.place.id, name=name) for name in arrangement.rooms), ignore_conflicts=True
    )
    found = Room.objects.filter(name__in=arrangement.rooms).values_list("name", "id")
    return {f"name:{name}": pk for name, pk in found}


def _set_calendar(actor: Actor, plan: ImportedTimetable, known: Known, choices: Choices) -> None:
    if list(choices.periods) != list(known.periods):
        held = BellSchedule.objects.filter(is_default=True).values_list("name", flat=True).first()
        bells = [(p.name, p.starts_at, p.ends_at, p.is_break) for p in choices.periods]
        set_bell_schedule(actor, name=held or plan.institution or actor.place.name, periods=bells)
    rule = CalendarRule.objects.first() or CalendarRule()
    used = {day for day in choices.days.values() if day}
    weekdays = {day for day in range(1, 8) if rule.weekdays >> (day - 1) & 1} | used
    cycle = choices.cycle_starts_on or rule.cycle_starts_on
    set_weeks(actor, weekdays=weekdays, cycle_starts_on=cycle, holidays_pause_cycle=rule.holidays_pause_cycle)


def _count_opened(arrangement: Arrangement, rows: _Rows, known: Known) -> dict[str, int]:
    held = {form.id for form in known.forms} | {klass.sourced_id for klass in known.classes}
    teachers = {teacher.id for teacher in known.teachers}
    rooms = {room.name for room in known.rooms}
    return {
        "teachers_opened": sum(str(rows.persons[p.sourced_id]) not in teachers for p in arrangement.persons),
        "forms_opened": sum(k.is_form and k.sourced_id not in held for k in arrangement.classes),
        "classes_opened": sum(not k.is_form and k.sourced_id not in held for k in arrangement.classes),
        "rooms_opened": sum(name not in rooms for name in arrangement.rooms),
    }


def _remembered(choices: Choices, rows: _Rows) -> Choices:
    """The choices with the rows that were opened for them, so that the next import of these names finds them."""
    return replace(
        choices,
        teachers={
            name: str(rows.persons.get(opened_id("teacher", name), NEW)) if choice == NEW else choice
            for name, choice in choices.teachers.items()
        },
        groups={
            name: opened_id("form", name) if choice == NEW else choice
            for name, choice in choices.groups.items()
        },
        rooms={
            name: str(rows.rooms.get(f"name:{name}", NEW)) if choice == NEW else choice
            for name, choice in choices.rooms.items()
        },
    )


# Lessons and duties: the same ones go on, the others end.


def _replace_lessons(actor: Actor, arrangement: Arrangement, rows: _Rows, choices: Choices) -> dict[str, int]:
    wanted: dict[Hashable, list[tuple[Lesson, frozenset[int]]]] = {}
    for one in arrangement.lessons:
        teachers = frozenset(rows.person(key) for key in one.teachers)
        lesson = Lesson(
            school_id=actor.place.id,
            klass_id=rows.classes[one.klass],
            weekday=one.weekday,
            position=one.position,
            length=one.length,
            week=one.week,
            subject=one.subject,
            room_id=rows.room(one.room),
            starts_on=choices.starts_on,
            source=f"file:{one.source}",
        )
        wanted.setdefault((*_lesson_slot(lesson), teachers), []).append((lesson, teachers))
    held = _held_lessons(choices)
    kept, ended = _sort_out(held, {key: len(found) for key, found in wanted.items()})
    _end(Lesson, ended, choices.starts_on)
    _begin_earlier(Lesson, kept, choices.starts_on)
    stay = Counter(held[pk] for pk in kept)
    new = [pair for key, found in wanted.items() for pair in found[stay[key] :]]
    _write_lessons(actor, new)
    return {"lessons_added": len(new), "lessons_kept": len(kept), "lessons_ended": len(ended)}


def _lesson_slot(lesson: Lesson) -> tuple[Hashable, ...]:
    return (
        lesson.klass_id,
        lesson.weekday,
        lesson.position,
        lesson.length,
        lesson.week,
        lesson.subject,
        lesson.room_id,
    )


def _held_lessons(choices: Choices) -> dict[int, Hashable]:
    """The lessons that this import takes the place of, by id, with what they are told apart by."""
    found = Lesson.objects.filter(_in_force(choices.starts_on))
    if not choices.ends_hand_made:
        found = found.exclude(source="")
    lessons = {lesson.pk: lesson for lesson in found}
    teachers: dict[int, set[int]] = {pk: set() for pk in lessons}
    for lesson_id, teacher in LessonTeacher.objects.filter(lesson_id__in=list(lessons)).values_list(
        "lesson_id", "teacher_id"
    ):
        teachers[lesson_id].add(teacher)
    return {pk: (*_lesson_slot(lesson), frozenset(teachers[pk])) for pk, lesson in lessons.items()}


def _in_force(starts_on: date) -> Q:
    """Rows that are held on or after the date. Those whose end lies before their beginning never are."""
    return Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on)


def _sort_out(held: Mapping[int, Hashable], wanted: Mapping[Hashable, int]) -> tuple[list[int], list[int]]:
    """Which of the rows go on and which end: of equal ones as many go on as are wanted."""
    left = Counter(dict(wanted))
    kept, ended = [], []
    for pk, key in held.items():
        if left[key] > 0:
            left[key] -= 1
            kept.append(pk)
        else:
            ended.append(pk)
    return kept, ended


def _end(model: type[Lesson] | type[Duty], ids: Iterable[int], starts_on: date) -> None:
    model._default_manager.filter(pk__in=list(ids)).update(ends_on=starts_on - _DAY)


def _begin_earlier(model: type[Lesson] | type[Duty], ids: Iterable[int], starts_on: date) -> None:
    model._default_manager.filter(pk__in=list(ids), starts_on__gt=starts_on).update(starts_on=starts_on)


def _write_lessons(actor: Actor, new: Sequence[tuple[Lesson, frozenset[int]]]) -> None:
    written = Lesson.objects.bulk_create([lesson for lesson, _ in new], batch_size=_BATCH)
    LessonTeacher.objects.bulk_create(
        (
            LessonTeacher(school_id=actor.place.id, lesson_id=lesson.pk, teacher_id=teacher)
            for lesson, (_, teachers) in zip(written, new, strict=True)
            for teacher in sorted(teachers)
        ),
        batch_size=_BATCH,
    )


def _replace_duties(actor: Actor, arrangement: Arrangement, rows: _Rows, choices: Choices) -> dict[str, int]:
    wanted: dict[Hashable, list[Duty]] = {}
    for one in arrangement.duties:
        duty = Duty(
            school_id=actor.place.id,
            teacher_id=rows.person(one.teacher),
            weekday=one.weekday,
            position=one.position,
            length=one.length,
            week=one.week,
            title=one.title,
            room_id=rows.room(one.room),
            covers=one.covers,
            starts_on=choices.starts_on,
            source=f"file:{one.source}",
        )
        wanted.setdefault(_duty_facts(duty), []).append(duty)
    held: dict[int, Hashable] = {
        duty.pk: _duty_facts(duty)
        for duty in Duty.objects.filter(_in_force(choices.starts_on)).exclude(source="")
    }
    kept, ended = _sort_out(held, {key: len(found) for key, found in wanted.items()})
    _end(Duty, ended, choices.starts_on)
    _begin_earlier(Duty, kept, choices.starts_on)
    stay = Counter(held[pk] for pk in kept)
    new = [duty for key, found in wanted.items() for duty in found[stay[key] :]]
    Duty.objects.bulk_create(new, batch_size=_BATCH)
    return {"duties_added": len(new), "duties_kept": len(kept), "duties_ended": len(ended)}


def _duty_facts(duty: Duty) -> tuple[Any, ...]:
    return (
        duty.teacher_id,
        duty.weekday,
        duty.position,
        duty.length,
        duty.week,
        duty.title,
        duty.room_id,
        duty.covers,
    )
