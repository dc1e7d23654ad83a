"""Timetables of FET (lalescu.ro/liviu/fet), versions 5 to 7: the data file with its solution, or both in one file.

FET writes three files that matter here: `x.fet` (what is to be taught), `x_activities.xml` (when and where each activity
takes place) and `x_data_and_timetable.fet` (the first, with the second written into it as constraints of weight 100).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pupitre.timetable.rules.bell import times_in_name
from pupitre.timetable.rules.findings import FindingCode, FindingList
from pupitre.timetable.rules.plan import (
    GroupKind,
    ImportedTimetable,
    PlanDay,
    PlanGroup,
    PlanLesson,
    PlanPeriod,
    PlanRoom,
    SourceFile,
    UnplacedActivity,
    UnplacedReason,
    recognise_days,
    report_days,
    report_overlaps,
)
from pupitre.timetable.rules.words import is_break_name, tidy
from pupitre.timetable.rules.xml_tree import (
    MOST_BYTES,
    Element,
    ForbiddenXmlError,
    MalformedXmlError,
    OversizedXmlError,
    parse_xml,
)

_SOLUTION_ROOT: Final = "activitiestimetable"
_OTHER_ROOTS: Final = frozenset(
    {"teacherstimetable", "studentstimetable", "roomstimetable", "subgroupstimetable"}
)
_TEACHER: Final = ("teacher", "teachername")
_SUBJECT: Final = ("subject", "subjectname")
_STUDENTS: Final = ("students", "studentsset", "studentssetname", "studentsname")
_TAG: Final = ("activitytag", "activitytagname", "subjecttag", "subjecttagname")
_DAY: Final = ("preferredday", "preferredstartingday", "day", "dayname")
_HOUR: Final = ("preferredhour", "preferredstartinghour", "hour", "hourname")
_ROOM: Final = ("room", "roomname", "preferredroom")
_REAL_ROOM: Final = ("realroom", "realroomname")
_ID: Final = ("id", "activityid")
#: FET's own "no limit" on the capacity of a room.
_UNLIMITED: Final = 30_000
#: FET itself stops at 72 hours and 60 days.
_MOST_DAYS_OR_HOURS: Final = 120
#: A file that places fewer of its activities than this is an input with some fixed hours, not a timetable.
_LEAST_PLACED: Final = 0.5
#: Two files of one school agree but for what changed since; more strangers than this are another school's.
_MOST_STRANGERS: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Read:
    file: str
    root: Element


@dataclass(frozen=True, slots=True)
class _Activity:
    id: str
    teachers: tuple[str, ...]
    subject: str
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    duration: int
    is_active: bool
    line: int


@dataclass(frozen=True, slots=True)
class _Place:
    activity_id: str
    day: str
    hour: str
    room: str
    real_rooms: tuple[str, ...]
    line: int

    @property
    def is_set(self) -> bool:
        return bool(self.day and self.hour)


@dataclass(frozen=True, slots=True)
class _Data:
    """One .fet file, its lists normalised, with the places that its own constraints fix."""

    file: str
    institution: str
    days: tuple[PlanDay, ...]
    periods: tuple[PlanPeriod, ...]
    teachers: tuple[str, ...]
    subjects: tuple[str, ...]
    rooms: tuple[PlanRoom, ...]
    groups: tuple[PlanGroup, ...]
    activities: tuple[_Activity, ...]
    places: dict[str, _Place]

    @property
    def active(self) -> list[_Activity]:
        return [activity for activity in self.activities if activity.is_active]

    @property
    def placed_share(self) -> float:
        active = self.active
        return sum(a.id in self.places for a in active) / len(active) if active else 0.0


def read_fet(files: Sequence[SourceFile]) -> ImportedTimetable:
    """The timetable in FET's files, in any order: data and solution, or the combined file alone. Never raises."""
    found = FindingList()
    plan = _read(files, found)
    return replace(plan or ImportedTimetable(), findings=found.freeze())


def _read(files: Sequence[SourceFile], found: FindingList) -> ImportedTimetable | None:
    if not files:
        found.add(FindingCode.NO_FILE)
    reads = [read for file in files if (read := _open(file, found))]
    solutions = [read for read in reads if read.root.key == _SOLUTION_ROOT]
    inputs = [read for read in reads if read.root.key == "fet"]
    if len(solutions) > 1:
        found.add(FindingCode.TWO_SOLUTIONS, first=solutions[0].file, second=solutions[1].file)
    elif solutions and not inputs:
        found.add(FindingCode.SOLUTION_WITHOUT_DATA, solutions[0].file)
    if found.has_errors():
        return None
    data = _choose([_read_data(read, found) for read in inputs], found)
    if found.has_errors():
        return None
    return _with_solution(data, solutions[0], found) if solutions else _with_own_places(data, found)


def _open(file: SourceFile, found: FindingList) -> _Read | None:
    try:
        root = parse_xml(file.content)
    except MalformedXmlError as problem:
        found.add(FindingCode.MALFORMED_XML, file.name, problem.line, problem=problem.problem)
    except ForbiddenXmlError as problem:
        found.add(FindingCode.FORBIDDEN_XML, file.name, problem.line)
    except OversizedXmlError:
        found.add(FindingCode.TOO_LARGE, file.name, limit=f"{MOST_BYTES // 1024 // 1024} MB")
    else:
        if root.key in {_SOLUTION_ROOT, "fet"}:
            return _Read(file.name, root)
        is_of_fet = root.key in _OTHER_ROOTS
        code = FindingCode.OTHER_FET_FILE if is_of_fet else FindingCode.NOT_A_TIMETABLE
        found.add(code, file.name, root.line, root=root.tag[:60])
    return None


def _choose(candidates: list[_Data], found: FindingList) -> _Data:
    """Of the input and the combined file, the one that places more; the other is not needed."""
    best = max(candidates, key=lambda data: data.placed_share)
    for other in candidates:
        if other is not best:
            found.add(FindingCode.FILE_IGNORED, other.file, used=best.file)
    return best


# The data file.


def _read_data(read: _Read, found: FindingList) -> _Data:
    root = read.root
    may_be_weeks = "morning" not in root.value("mode").casefold()
    days = recognise_days(_names(root, ("dayslist",), ("day",)), may_be_weeks=may_be_weeks)
    hours = _names(root, ("hourslist",), ("hour",))
    if not days or not hours:
        found.add(FindingCode.NO_DAYS_OR_HOURS, read.file, root.line, days=len(days), hours=len(hours))
    if max(len(days), len(hours)) > _MOST_DAYS_OR_HOURS:
        found.add(
            FindingCode.TOO_LARGE,
            read.file,
            root.line,
            limit=f"{_MOST_DAYS_OR_HOURS} × {_MOST_DAYS_OR_HOURS}",
        )
    report_days(days, found, read.file)
    activities = _activities(read, found)
    data = _Data(
        file=read.file,
        institution=root.value("institutionname"),
        days=days,
        periods=_periods(hours, root),
        teachers=_names(root, ("teacherslist",), _TEACHER),
        subjects=_names(root, ("subjectslist",), _SUBJECT),
        rooms=_rooms(root),
        groups=_groups(root),
        activities=activities,
        places=_own_places(root),
    )
    return _with_undeclared(data, found)


def _names(root: Element, lists: tuple[str, ...], items: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a list. Up to 5.30 days and hours stood as bare <Name> elements."""
    listed = root.first(*lists)
    if listed is None:
        return ()
    names = [
        child.text if child.key == "name" else child.value("name") for child in listed.all("name", *items)
    ]
    return tuple(dict.fromkeys(name for name in names if name))


def _periods(hours: tuple[str, ...], root: Element) -> tuple[PlanPeriod, ...]:
    breaks = _hours_always_free(root)
    return tuple(
        PlanPeriod(hour, *times_in_name(hour), hour in breaks or is_break_name(hour)) for hour in hours
    )


def _hours_always_free(root: Element) -> frozenset[str]:
    """The hours that the break constraint keeps free on every day."""
    days = set(_names(root, ("dayslist",), ("day",)))
    free: dict[str, set[str]] = {}
    for constraint in _constraints(root, "timeconstraintslist", "constraintbreaktimes", "constraintbreak"):
        for moment in constraint.all("breaktime"):
            free.setdefault(moment.value(*_HOUR), set()).add(moment.value(*_DAY))
    return frozenset(hour for hour, on in free.items() if days and on >= days)


def _rooms(root: Element) -> tuple[PlanRoom, ...]:
    listed = root.first("roomslist")
    rooms: dict[str, PlanRoom] = {}
    for item in listed.all("room") if listed else []:
        name, capacity = item.value("name"), _whole_number(item.value("capacity"))
        if name:
            size = capacity if capacity and capacity < _UNLIMITED else None
            rooms.setdefault(
                name, PlanRoom(name, item.value("building"), size, _is_true(item.value("virtual")))
            )
    return tuple(rooms.values())


def _groups(root: Element) -> tuple[PlanGroup, ...]:
    groups: dict[str, PlanGroup] = {}
    parents: dict[str, dict[str, None]] = {}
    listed = root.first("studentslist", "yearslist")
    for year in listed.all("year") if listed else []:
        _add_group(groups, parents, year, GroupKind.YEAR, "")
        for group in year.all("group"):
            _add_group(groups, parents, group, GroupKind.GROUP, year.value("name"))
            for subgroup in group.all("subgroup"):
                _add_group(groups, parents, subgroup, GroupKind.SUBGROUP, group.value("name"))
    return tuple(replace(group, parents=tuple(parents[name])) for name, group in groups.items())


def _add_group(
    groups: dict[str, PlanGroup],
    parents: dict[str, dict[str, None]],
    item: Element,
    kind: GroupKind,
    parent: str,
) -> None:
    name = item.value("name")
    if not name:
        return
    if name not in groups:
        groups[name] = PlanGroup(name, kind, size=_whole_number(item.value("numberofstudents")) or None)
    above = parents.setdefault(name, {})
    if parent and parent != name:
        above[parent] = None


def _activities(read: _Read, found: FindingList) -> tuple[_Activity, ...]:
    listed = read.root.first("activitieslist")
    activities: dict[str, _Activity] = {}
    for item in listed.all("activity") if listed else []:
        activity = _activity(item, read.file, found)
        if not activity.id:
            found.add(FindingCode.ACTIVITY_WITHOUT_ID, read.file, item.line)
        elif activity.id in activities:
            found.add(FindingCode.ACTIVITY_TWICE, read.file, item.line, activity=activity.id)
        else:
            activities[activity.id] = activity
    return tuple(activities.values())


def _activity(item: Element, file: str, found: FindingList) -> _Activity:
    duration = item.first("duration")
    hours = _whole_number(duration.text) if duration else 1
    number = item.value(*_ID)
    if duration is not None and not hours:
        found.add(FindingCode.BAD_DURATION, file, duration.line, value=duration.text, activity=number)
    active = item.first("active")
    return _Activity(
        id=number,
        teachers=item.values(*_TEACHER),
        subject=item.value(*_SUBJECT),
        groups=item.values(*_STUDENTS),
        tags=item.values(*_TAG),
        duration=hours or 1,
        is_active=active is None or _is_true(active.text),
        line=item.line,
    )


def _with_undeclared(data: _Data, found: FindingList) -> _Data:
    """Names that only activities use are added to the lists, and told."""
    teachers = dict.fromkeys(data.teachers)
    subjects = dict.fromkeys(data.subjects)
    groups = {group.name: group for group in data.groups}
    for activity in data.activities:
        strangers = [name for name in activity.teachers if name not in teachers]
        strangers += [name for name in activity.groups if name not in groups]
        strangers += [activity.subject] if activity.subject and activity.subject not in subjects else []
        for name in strangers:
            found.add(FindingCode.NAME_NOT_DECLARED, data.file, activity.line, name=name)
        teachers.update(dict.fromkeys(activity.teachers))
        groups |= {name: PlanGroup(name) for name in activity.groups if name not in groups}
        subjects |= {activity.subject: None} if activity.subject else {}
    return replace(data, teachers=tuple(teachers), subjects=tuple(subjects), groups=tuple(groups.values()))


# Places: as constraints in the combined file, or in the solution's own file.


def _own_places(root: Element) -> dict[str, _Place]:
    """The times and rooms that constraints of full weight fix. Lesser weights are wishes, not places."""
    times: dict[str, Element] = {}
    for item in _constraints(
        root,
        "timeconstraintslist",
        "constraintactivitypreferredstartingtime",
        "constraintactivitypreferredtime",
    ):
        if _binds(item) and item.value(*_DAY) and item.value(*_HOUR):
            times[item.value(*_ID)] = item
    rooms = {
        item.value(*_ID): item
        for item in _constraints(root, "spaceconstraintslist", "constraintactivitypreferredroom")
        if _binds(item)
    }
    return {number: _place(number, item, rooms.get(number)) for number, item in times.items()}


def _place(number: str, item: Element, room: Element | None) -> _Place:
    return _Place(
        activity_id=number,
        day=item.value(*_DAY),
        hour=item.value(*_HOUR),
        room=room.value(*_ROOM) if room else "",
        real_rooms=room.values(*_REAL_ROOM) if room else (),
        line=item.line,
    )


def _constraints(root: Element, list_key: str, *keys: str) -> list[Element]:
    listed = root.first(list_key)
    return [item for item in listed.all(*keys) if _is_on(item)] if listed else []


def _is_on(item: Element) -> bool:
    active = item.first("active")
    return active is None or _is_true(active.text)


def _binds(item: Element) -> bool:
    weight = item.value("weightpercentage", "weight")
    try:
        return not weight or float(weight) >= 100
    except ValueError:
        return False


def _with_own_places(data: _Data, found: FindingList) -> ImportedTimetable | None:
    active = data.active
    placed = [activity for activity in active if activity.id in data.places]
    if len(placed) < _LEAST_PLACED * len(active) or not placed:
        stem = data.file.rsplit("/", 1)[-1].removesuffix(".fet")
        found.add(FindingCode.NO_SOLUTION, data.file, placed=len(placed), activities=len(active), stem=stem)
        return None
    return _plan(data, data.places, data.file, found)


def _with_solution(data: _Data, read: _Read, found: FindingList) -> ImportedTimetable | None:
    places = {}
    for item in read.root.all("activity"):
        place = _place(item.value(*_ID), item, item)
        if place.activity_id in places:
            found.add(FindingCode.ACTIVITY_TWICE, read.file, item.line, activity=place.activity_id)
        places[place.activity_id] = place
    if _is_of_another_school(data, places, read.file, found):
        return None
    known = {activity.id for activity in data.activities}
    for place in places.values():
        if place.activity_id not in known:
            found.add(FindingCode.UNKNOWN_ACTIVITY, read.file, place.line, activity=place.activity_id)
    return _plan(data, places, read.file, found)


def _is_of_another_school(data: _Data, places: dict[str, _Place], file: str, found: FindingList) -> bool:
    known = {activity.id for activity in data.activities}
    days, hours = {day.name for day in data.days}, {period.name for period in data.periods}
    rooms = {room.name for room in data.rooms}
    examples: dict[str, None] = {}
    strangers = 0
    for place in places.values():
        names = [
            name
            for name, all_of in ((place.day, days), (place.hour, hours), (place.room, rooms))
            if name and name not in all_of
        ]
        if names or place.activity_id not in known:
            strangers += 1
            examples.update(dict.fromkeys(names or [place.activity_id]))
    missing = sum(activity.id not in places for activity in data.active)
    if strangers <= _MOST_STRANGERS * len(places) and missing <= _LEAST_PLACED * len(data.active):
        return False
    found.add(
        FindingCode.FILES_DO_NOT_MATCH,
        file,
        solution=file,
        data=data.file,
        institution=data.institution or "—",
        strangers=strangers,
        rows=len(places),
        examples=", ".join(f"“{name}”" for name in list(examples)[:5]) or "—",
        missing=missing,
    )
    return True


# Data and places together.


def _plan(data: _Data, places: dict[str, _Place], file: str, found: FindingList) -> ImportedTimetable:
    lessons: list[PlanLesson] = []
    unplaced: list[UnplacedActivity] = []
    for activity in data.activities:
        place = places.get(activity.id)
        if not activity.is_active:
            unplaced.append(_unplaced(activity, UnplacedReason.INACTIVE))
        elif place is None or not place.is_set:
            unplaced.append(_unplaced(activity, UnplacedReason.NOT_PLACED))
            _report_unplaced(activity, data.file, found)
        elif lesson := _lesson(activity, place, data, file, found):
            lessons.append(lesson)
    switched_off = sum(item.reason is UnplacedReason.INACTIVE for item in unplaced)
    if switched_off:
        found.add(FindingCode.INACTIVE_ACTIVITIES, data.file, count=switched_off)
    plan = ImportedTimetable(
        institution=data.institution,
        days=data.days,
        periods=data.periods,
        teachers=data.teachers,
        subjects=data.subjects,
        rooms=_with_rooms_of(lessons, data.rooms),
        groups=data.groups,
        lessons=tuple(lessons),
        unplaced=tuple(unplaced),
    )
    if not lessons:
        found.add(FindingCode.NO_LESSONS, file)
    report_overlaps(plan, found, file)
    return plan


def _unplaced(activity: _Activity, reason: UnplacedReason) -> UnplacedActivity:
    return UnplacedActivity(
        activity.id,
        activity.teachers,
        activity.subject,
        activity.groups,
        activity.tags,
        activity.duration,
        reason,
    )


def _report_unplaced(activity: _Activity, file: str, found: FindingList) -> None:
    found.add(
        FindingCode.NOT_PLACED,
        file,
        activity.line,
        activity=activity.id,
        subject=activity.subject or "—",
        groups=", ".join(activity.groups) or "—",
        teachers=", ".join(activity.teachers) or "—",
    )


def _lesson(
    activity: _Activity, place: _Place, data: _Data, file: str, found: FindingList
) -> PlanLesson | None:
    day = next((n for n, item in enumerate(data.days) if item.name == place.day), None)
    hour = next((n for n, item in enumerate(data.periods) if item.name == place.hour), None)
    if day is None:
        found.add(FindingCode.UNKNOWN_DAY, file, place.line, value=place.day)
    if hour is None:
        found.add(FindingCode.UNKNOWN_HOUR, file, place.line, value=place.hour)
    if day is None or hour is None:
        return None
    if hour + activity.duration > len(data.periods):
        found.add(
            FindingCode.PAST_LAST_HOUR,
            file,
            place.line,
            activity=activity.id,
            hour=place.hour,
            duration=activity.duration,
        )
        return None
    return PlanLesson(
        activity_id=activity.id,
        teachers=activity.teachers,
        subject=activity.subject,
        groups=activity.groups,
        tags=activity.tags,
        day=day,
        first_period=hour,
        duration=activity.duration,
        room=place.room or None,
        week=data.days[day].week,
        real_rooms=place.real_rooms,
    )


def _with_rooms_of(lessons: list[PlanLesson], rooms: tuple[PlanRoom, ...]) -> tuple[PlanRoom, ...]:
    known = {room.name: room for room in rooms}
    for lesson in lessons:
        for name in (lesson.room, *lesson.real_rooms):
            if name and name not in known:
                known[name] = PlanRoom(name)
    return tuple(known.values())


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


def _is_true(text: str) -> bool:
    return tidy(text).casefold() in {"true", "yes", "1"}
