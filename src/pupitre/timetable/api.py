"""The HTTP API of the timetable: rooms, bells, the calendar, lessons as they are held, and substitutions."""

from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status

from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Count, Day, Flag, Id, Line, Name, Ref, Row, Sent, told
from pupitre.kernel import clock
from pupitre.kernel.errors import Refused
from pupitre.people.access import actor_of
from pupitre.timetable import actions
from pupitre.timetable.queries import HeldLesson, lessons_between, listing
from pupitre.timetable.queries.office import offered_for
from pupitre.timetable.rules.errors import DatesReversed

router = Router(tags=["Timetable"])
reads, writes = machine(Scope.TIMETABLE_READ), machine(Scope.TIMETABLE_WRITE)
_LONGEST: Final = timedelta(days=31)
KINDS: Final = {1: "no_school", 2: "runs_as_weekday", 3: "other_bells"}


class TooManyDays(Refused):
    """Ask for at most %(days)s days at once."""


class NoSuchTeacher(Refused):
    """There is no teacher with the number %(id)s."""


class NoSuchRoom(Refused):
    """There is no room with the number %(id)s."""


class RoomRow(Row):
    """A room that lessons may be in."""

    id: int = told("Its number.", 14)
    name: str = told("Its name.", "Room 12")
    capacity: int | None = told("How many find a seat.", 30)


class PeriodRow(Row):
    """A stretch of the day in the school's own time."""

    position: int = told("Counts from 0, breaks included.", 0)
    name: str = told("Its name.", "1")
    starts_at: str = told("When it begins.", "09:00")
    ends_at: str = told("When it ends.", "09:55")
    is_break: bool = told("Whether it is a break.", example=False)


class BellsRow(Row):
    """A bell schedule."""

    id: int = told("Its number.", 2)
    name: str = told("Its name.", "Day")
    is_default: bool = told("Whether days run by it that nothing else is said of.", example=True)
    periods: list[PeriodRow] = told("Its periods in order.", [PeriodRow])


class ExceptionRow(Row):
    """Days that run otherwise."""

    id: int = told("Its number.", 5)
    starts_on: date = told("First day.", date(2026, 12, 22))
    ends_on: date = told("Last day.", date(2027, 1, 7))
    kind: Literal["no_school", "runs_as_weekday", "other_bells"] = told("How they run.", "no_school")
    label: str = told("What it is called.", "Christmas")
    runs_as_weekday: int | None = told("As which ISO weekday it runs.", None)
    schedule_id: int | None = told("By which bell schedule it runs.", None)


class TeacherRow(Row):
    """A teacher of a lesson."""

    person_id: int = told("The person.", 4102)
    name: str = told("The name.", "Tess Teacher")
    acts: bool = told("Whether she stands before the class on that day.", example=True)


class LessonRow(Row):
    """A lesson on a date, as it is really held."""

    lesson_id: int = told("The lesson of every week.", 610)
    held_on: date = told("The date.", date(2026, 10, 13))
    class_id: int = told("Its class.", 31)
    class_title: str = told("The class's title.", "Maths 1A")
    subject: str = told("Subject.", "Maths")
    starts_at: datetime = told("When it begins.", "2026-10-13T09:00:00+02:00")
    ends_at: datetime = told("When it ends.", "2026-10-13T09:55:00+02:00")
    room: str = told("Where it is on that day.", "Room 12")
    room_id: int | None = told("The room's number.", 14)
    is_cancelled: bool = told("Whether it does not take place.", example=False)
    is_changed: bool = told("Whether anything differs from the timetable.", example=False)
    note: str = told("What is noted for the day.", "")
    substitute_id: int | None = told("Who stands in.", None)
    teachers: list[TeacherRow] = told("Teachers on the timetable, and who stands in.", [TeacherRow])


class NewRoom(Sent):
    """A room to offer."""

    name: Name = told("Its name; one of that name is opened again.", "Room 12")
    capacity: Count | None = told("How many find a seat.", 30, default=None)


class FreeDays(Sent):
    """Days without school."""

    starts_on: Day = told("First day.", date(2026, 12, 22))
    ends_on: Day = told("Last day.", date(2027, 1, 7))
    label: Name = told("What it is called.", "Christmas")


class ChangeSent(Sent):
    """What is different about a lesson on a date; it replaces what was said before."""

    substitute_id: Ref | None = told("Who stands in.", 4103, default=None)
    absent_teacher_id: Ref | None = told(
        "For whom, where the lesson has several teachers.", 4102, default=None
    )
    room_id: Ref | None = told("Another room.", None, default=None)
    is_cancelled: Flag = told("The lesson does not take place.", example=False, default=False)
    note: Line = told("A note that everybody reads.", "", default="")


class Made(Row):
    """What was made."""

    id: int = told("Its number.", 14)


class DaysAsked(Schema):
    """Which days are listed."""

    since: Day | None = told("Only what is not over on that day.", date(2026, 9, 1), default=None)


class LessonsAsked(Schema):
    """Which lessons are listed."""

    first: Day | None = told("First day; left out, today.", date(2026, 10, 12), default=None)
    last: Day | None = told(
        "Last day, at most 31 later; left out, the first.", date(2026, 10, 16), default=None
    )
    class_id: Id | None = told("Only those of that class.", 31, default=None)
    teacher_id: Id | None = told("Only those that the person teaches or stands in for.", 4102, default=None)
    room_id: Id | None = told("Only those in that room.", 14, default=None)


@router.get("/rooms", response=Page[RoomRow], auth=reads)
def list_rooms(request: HttpRequest, response: HttpResponse, part: Query[Paged]) -> Any:
    """The rooms that lessons may be in."""
    found = listing.rooms_after(actor_of(request), key_of(part.cursor, int), limit=part.limit)
    items = [dict(zip(listing.ROOM, row, strict=True)) for row in found.rows]
    return page_of(request, response, items, found.following)


@router.post("/rooms", response={201: Made}, auth=writes)
def open_room(request: HttpRequest, body: NewRoom) -> Any:
    """Add a room, or open it again."""
    made = actions.open_room(actor_of(request), name=body.name, capacity=body.capacity)
    return Status(201, {"id": made.pk})


@router.delete("/rooms/{room}", response={204: None}, auth=writes)
def close_room(request: HttpRequest, room: Id) -> Any:
    """Offer a room no longer. Lessons that are in it stay there."""
    actor = actor_of(request)
    actions.close_room(actor, room, today=clock.today(actor.place.time_zone))
    return Status(204, None)


@router.get("/bell-schedules", response=list[BellsRow], auth=reads)
def list_bell_schedules(request: HttpRequest) -> Any:
    """When periods begin and end; the usual schedule first."""
    return listing.bells_of(actor_of(request))


@router.get("/calendar", response=Page[ExceptionRow], auth=reads)
def list_calendar(
    request: HttpRequest, response: HttpResponse, asked: Query[DaysAsked], part: Query[Paged]
) -> Any:
    """Holidays, and days that run otherwise."""
    found = listing.exceptions_after(
        actor_of(request), key_of(part.cursor, int), limit=part.limit, since=asked.since
    )
    items = [dict(zip(listing.EXCEPTION, row, strict=True)) for row in found.rows]
    for item in items:
        item["kind"] = KINDS[item["kind"]]
    return page_of(request, response, items, found.following)


@router.post("/calendar", response={201: Made}, auth=writes)
def close_days(request: HttpRequest, body: FreeDays) -> Any:
    """Say that there is no school on these days."""
    made = actions.close_day(
        actor_of(request), starts_on=body.starts_on, ends_on=body.ends_on, label=body.label.strip()
    )
    return Status(201, {"id": made.pk})


@router.delete("/calendar/{exception}", response={204: None}, auth=writes)
def delete_exception(request: HttpRequest, exception: Id) -> Any:
    """Take back a holiday or another day's rule."""
    actions.delete_exception(actor_of(request), exception)
    return Status(204, None)


@router.get("/lessons", response=Page[LessonRow], auth=reads)
def list_lessons(
    request: HttpRequest, response: HttpResponse, asked: Query[LessonsAsked], part: Query[Paged]
) -> Any:
    """Lessons as they are held, in order of time: with substitutes, other rooms, and what is cancelled."""
    actor = actor_of(request)
    first = asked.first or clock.today(actor.place.time_zone)
    last = asked.last or first
    if last < first:
        raise DatesReversed
    if last - first > _LONGEST:
        raise TooManyDays(days=_LONGEST.days)
    after = key_of(part.cursor, str, int)
    found = sorted(
        lessons_between(
            actor.place,
            first,
            last,
            class_ids=[asked.class_id] if asked.class_id else None,
            teacher_id=asked.teacher_id,
            room_id=asked.room_id,
        ),
        key=_key,
    )
    rest = [lesson for lesson in found if after is None or _key(lesson) > after]
    shown = rest[: part.limit]
    following = _key(shown[-1]) if len(rest) > part.limit else None
    return page_of(request, response, [lesson_row(lesson) for lesson in shown], following)


def _key(lesson: HeldLesson) -> tuple[str, int]:
    return f"{lesson.held_on} {lesson.starts_at.timestamp():012.0f}", lesson.lesson_id


def lesson_row(lesson: HeldLesson) -> dict[str, Any]:
    """A lesson as it goes over the wire."""
    acting = lesson.acting
    names = {**lesson.teachers, **acting}
    own = {"teachers"}
    plain = {name: getattr(lesson, name) for name in LessonRow.model_fields if name not in own}
    teachers = [
        {"person_id": person, "name": name, "acts": person in acting} for person, name in names.items()
    ]
    return {**plain, "teachers": teachers}


@router.put("/lessons/{lesson}/days/{on}/change", response={204: None}, auth=writes)
def change_lesson(request: HttpRequest, lesson: Id, on: Day, body: ChangeSent) -> Any:
    """Say what is different about a lesson on a date: a substitute, another room, a note, or that it is not held.

    Whoever is newly to stand in, and whoever need not any more, is told.
    """
    actor = actor_of(request)
    offered = offered_for(actor, on)
    for teacher in (body.substitute_id, body.absent_teacher_id):
        if teacher is not None and teacher not in dict(offered.teachers):
            raise NoSuchTeacher(None, id=teacher)
    if body.room_id is not None and body.room_id not in dict(offered.rooms):
        raise NoSuchRoom(None, id=body.room_id)
    facts = body.model_dump()
    actions.change_day(actor, lesson, on, now=clock.now(), **facts)
    return Status(204, None)


@router.delete("/lessons/{lesson}/days/{on}/change", response={204: None}, auth=writes)
def undo_change(request: HttpRequest, lesson: Id, on: Day) -> Any:
    """Let the lesson be held on that date as the timetable has it."""
    actions.undo_change(actor_of(request), lesson, on, now=clock.now())
    return Status(204, None)
