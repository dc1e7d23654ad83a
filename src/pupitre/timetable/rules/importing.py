"""From a file's timetable to the school's: what must be decided, what is proposed, and the lessons that follow from it. Pure.

A choice is a text: the id of a row that the school has, or one of NEW, WITH_YEAR and SKIP; "" is not decided yet.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import Any, Final

from pupitre.kernel.text import fold
from pupitre.timetable.rules.bell import Period, propose_periods
from pupitre.timetable.rules.matching import KnownName, MatchReason, NameKind, Proposal, match_names
from pupitre.timetable.rules.plan import GroupKind, ImportedTimetable, PlanLesson, ancestors
from pupitre.timetable.rules.words import words

NEW: Final = "new"
#: A part of a year or form: its lessons take the pupils of the forms that it lies in.
WITH_YEAR: Final = "year"
SKIP: Final = "skip"

_FIRST_LESSON: Final = time(8, 30)
_LESSON_MINUTES: Final = 55
_BREAK_MINUTES: Final = 30
_SHOWN_GROUPS: Final = 3
_COVER_WORDS: Final = frozenset(
    [
        "guardia",
        "guardias",
        "guard",
        "cover",
        "vertretung",
        "bereitschaft",
        "aufsicht",
        "permanence",
        "suppleance",
        "substitucio",
        "substituicao",
    ]
)
_SURE: Final = frozenset({MatchReason.EXACT, MatchReason.SAME_WORDS})


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A scheduled class that the school has. `homerooms` are the sourcedIds of the forms that it takes as a whole."""

    sourced_id: str
    title: str
    subject: str
    homerooms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the school has already. Classes go by sourcedId, persons and rooms by id, all as text."""

    teachers: Sequence[KnownName[str]] = ()
    forms: Sequence[KnownName[str]] = ()
    classes: Sequence[KnownClass] = ()
    rooms: Sequence[KnownName[str]] = ()
    subjects: Sequence[KnownName[str]] = ()
    periods: Sequence[Period] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A name of the file and what is proposed for it. `lessons` counts how many lessons depend on it."""

    name: str
    choice: str
    reason: MatchReason
    candidates: tuple[str, ...] = ()
    lessons: int = 0
    is_part: bool = False  # a group below a year


@dataclass(frozen=True, slots=True)
class Questions:
    """Everything that a person may want to decide otherwise."""

    teachers: tuple[Question, ...]
    groups: tuple[Question, ...]
    rooms: tuple[Question, ...]
    subjects: tuple[Question, ...]

    @property
    def undecided(self) -> list[Question]:
        return [q for q in (*self.teachers, *self.groups, *self.rooms) if not q.choice]


@dataclass(frozen=True, slots=True)
class Choices:
    """What was decided. `days` gives ISO weekdays by the file's names, `subjects` the name that lessons show."""

    starts_on: date
    periods: tuple[Period, ...]
    cycle_starts_on: date | None = None
    days: Mapping[str, int] = field(default_factory=dict)
    teachers: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    rooms: Mapping[str, str] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)
    ends_hand_made: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "starts_on": self.starts_on.isoformat(),
            "periods": [
                [p.name, f"{p.starts_at:%H:%M}", f"{p.ends_at:%H:%M}", p.is_break] for p in self.periods
            ],
            "cycle_starts_on": self.cycle_starts_on.isoformat() if self.cycle_starts_on else None,
            "days": dict(self.days),
            "teachers": dict(self.teachers),
            "groups": dict(self.groups),
            "rooms": dict(self.rooms),
            "subjects": dict(self.subjects),
            "ends_hand_made": self.ends_hand_made,
        }


def choices_from(kept: Mapping[str, Any]) -> Choices:
    """The other way round of `Choices.to_json`."""
    cycle = kept.get("cycle_starts_on")
    return Choices(
        starts_on=date.fromisoformat(kept["starts_on"]),
        periods=tuple(
            Period(name, time.fromisoformat(starts_at), time.fromisoformat(ends_at), is_break)
            for name, starts_at, ends_at, is_break in kept["periods"]
        ),
        cycle_starts_on=date.fromisoformat(cycle) if cycle else None,
        ends_hand_made=bool(kept.get("ends_hand_made")),
        **{name: kept.get(name, {}) for name in ("days", "teachers", "groups", "rooms", "subjects")},
    )


# What is proposed.


def ask(plan: ImportedTimetable, known: Known) -> Questions:
    """The questions of a timetable, each with the answer that the names suggest.

    Who or what is found nowhere is proposed as new; where two would do, nothing is proposed.
    """
    used = _uses(plan)
    parts = {group.name for group in plan.groups if group.kind is not GroupKind.YEAR}
    groups = _asked_groups(plan, used["groups"])
    above = ancestors(plan.groups)
    forms = [*known.forms, *(KnownName(c.sourced_id, c.title) for c in known.classes)]
    return Questions(
        teachers=_asked(match_names(used["teachers"], known.teachers, NameKind.TEACHER), used["teachers"]),
        groups=tuple(
            _of_part(question) if question.name in parts else question
            for question in _asked(
                match_names(groups, forms, NameKind.CLASS, ancestors=above), used["groups"]
            )
        ),
        rooms=tuple(
            question if question.choice else replace(question, choice=NEW)
            for question in _asked(match_names(used["rooms"], known.rooms, NameKind.ROOM), used["rooms"])
        ),
        subjects=_asked(match_names(used["subjects"], known.subjects, NameKind.SUBJECT), used["subjects"]),
    )


def _uses(plan: ImportedTimetable) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {kind: Counter() for kind in ("teachers", "groups", "rooms", "subjects")}
    found["rooms"].update({room.name: 0 for room in plan.rooms if not room.is_virtual})
    for lesson in plan.lessons:
        found["teachers"].update(lesson.teachers)
        found["groups"].update(lesson.groups)
        found["rooms"].update(lesson.rooms[:1])
        found["subjects"].update([lesson.subject] if lesson.groups else [])
    return found


def _asked_groups(plan: ImportedTimetable, used: Iterable[str]) -> list[str]:
    """The groups that have lessons and the years above them, in the file's order."""
    above = ancestors(plan.groups)
    years = {group.name for group in plan.groups if group.kind is GroupKind.YEAR}
    wanted = set(used) | {name for group in used for name in above.get(group, ()) if name in years}
    listed = [group.name for group in plan.groups if group.name in wanted]
    return [*listed, *(name for name in used if name not in set(listed))]


def _asked(proposals: Iterable[Proposal[str]], used: Counter[str]) -> tuple[Question, ...]:
    return tuple(
        Question(
            proposal.name,
            proposal.match or (NEW if proposal.reason is MatchReason.UNMATCHED else ""),
            proposal.reason,
            proposal.candidates,
            used[proposal.name],
        )
        for proposal in proposals
    )


def _of_part(question: Question) -> Question:
    """A part of a year that is itself a class of the school keeps to it; any other takes the pupils of its year."""
    if question.reason in _SURE:
        return replace(question, is_part=True)
    return replace(question, choice=WITH_YEAR, reason=MatchReason.PARENT_GROUP, candidates=(), is_part=True)


def propose(
    plan: ImportedTimetable, known: Known, starts_on: date, *, before: Choices | None = None
) -> Choices:
    """The choices as they stand before a person touched them. What was chosen for a name `before` is kept."""
    questions = ask(plan, known)
    days = {day.name: day.weekday or 0 for day in plan.days}
    if before:
        days = {name: weekday or before.days.get(name, 0) for name, weekday in days.items()}
    forms = {form.id for form in known.forms} | {klass.sourced_id for klass in known.classes}
    subjects = before.subjects if before else {}
    return Choices(
        starts_on=starts_on,
        periods=_periods(plan, known.periods),
        days=days,
        teachers=_chosen(
            questions.teachers, before.teachers if before else {}, {row.id for row in known.teachers}
        ),
        groups=_chosen(questions.groups, before.groups if before else {}, forms),
        rooms=_chosen(questions.rooms, before.rooms if before else {}, {row.id for row in known.rooms}),
        subjects={q.name: subjects.get(q.name, q.name) for q in questions.subjects},
    )


def _chosen(questions: Iterable[Question], before: Mapping[str, str], there: set[str]) -> dict[str, str]:
    still = {
        name: choice for name, choice in before.items() if choice in there or choice in {WITH_YEAR, SKIP}
    }
    return {question.name: still.get(question.name, question.choice) for question in questions}


def _periods(plan: ImportedTimetable, held: Sequence[Period]) -> tuple[Period, ...]:
    """The school's own bells where they have as many lessons a day; else the file's hours with the times they carry."""
    taught = [period for period in plan.periods if not period.is_break]
    if held and sum(not period.is_break for period in held) == len(taught):
        return tuple(held)
    breaks = frozenset(index for index, period in enumerate(plan.periods) if period.is_break)
    proposed = propose_periods(
        [period.name for period in plan.periods],
        _FIRST_LESSON,
        _LESSON_MINUTES,
        _BREAK_MINUTES,
        breaks=breaks,
    )
    return tuple(
        replace(period, starts_at=told.starts_at or period.starts_at, ends_at=told.ends_at or period.ends_at)
        for period, told in zip(proposed, plan.periods, strict=True)
    )


def has_weeks(plan: ImportedTimetable) -> bool:
    """Whether some lessons take place in weeks A or B only, so that the start of the cycle must be known."""
    return any(lesson.week for lesson in plan.lessons)


# What follows from the choices.


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A teacher whom the file names and the school does not have."""

    sourced_id: str
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class PlannedClass:
    """A class to be found or opened, by sourcedId. `teachers` are keys: an id as text or a NewPerson's sourcedId."""

    sourced_id: str
    title: str
    is_form: bool = False
    subject: str = ""
    homerooms: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """A lesson to be, with keys instead of rows. `room` is an id as text or "name:..." of a room to open, or ""."""

    klass: str
    weekday: int
    position: int
    length: int
    week: str
    subject: str
    room: str
    teachers: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class PlannedDuty:
    """A teacher's time without pupils."""

    teacher: str
    weekday: int
    position: int
    length: int
    week: str
    title: str
    room: str
    covers: bool
    source: str


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All that an import will write."""

    persons: tuple[NewPerson, ...]
    classes: tuple[PlannedClass, ...]
    rooms: tuple[str, ...]
    lessons: tuple[PlannedLesson, ...]
    duties: tuple[PlannedDuty, ...]


def arrange(plan: ImportedTimetable, known: Known, choices: Choices) -> Arrangement:
    """The rows that follow from the choices. A lesson without pupils becomes a duty of each of its teachers."""
    drawing = _Drawing(plan, known, choices)
    drawing.rooms.update((name, None) for name, choice in choices.rooms.items() if choice == NEW)
    for lesson in plan.lessons:
        drawing.add(lesson)
    return drawing.finished()


def opened_id(kind: str, *names: str) -> str:
    """The sourcedId of what a timetable opens: the same for the same names, so that a second import finds it."""
    told = "\n".join(fold(name) for name in names)
    return f"timetable:{kind}:{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def covers_absences(subject: str) -> bool:
    """Whether the name of a duty says that its teacher stands in for absent ones."""
    return bool(set(words(subject)) & _COVER_WORDS)


class _Drawing:
    def __init__(self, plan: ImportedTimetable, known: Known, choices: Choices) -> None:
        self.plan, self.choices = plan, choices
        self.above = ancestors(plan.groups)
        self.years = {group.name for group in plan.groups if group.kind is GroupKind.YEAR}
        self.positions = _positions(plan, choices.periods)
        self.forms = {form.id for form in known.forms}
        self.scheduled = {klass.sourced_id: klass for klass in known.classes}
        self.by_content = _by_content(known.classes)
        self.persons: dict[str, NewPerson] = {}
        self.classes: dict[str, PlannedClass] = {}
        self.rooms: dict[str, None] = {}
        self.lessons: list[PlannedLesson] = []
        self.duties: list[PlannedDuty] = []

    def finished(self) -> Arrangement:
        return Arrangement(
            tuple(self.persons.values()),
            tuple(self.classes.values()),
            tuple(self.rooms),
            tuple(self.lessons),
            tuple(self.duties),
        )

    def add(self, lesson: PlanLesson) -> None:
        weekday = self.choices.days.get(self.plan.days[lesson.day].name, 0)
        if not weekday:
            return
        first = self.positions[lesson.first_period]
        last = self.positions[lesson.first_period + lesson.duration - 1]
        week = lesson.week or self.plan.days[lesson.day].week
        teachers = tuple(filter(None, dict.fromkeys(self._teacher(name) for name in lesson.teachers)))
        room = self._room(lesson)
        slot = (weekday, first, last - first + 1, week)
        if lesson.groups:
            subject = self.choices.subjects.get(lesson.subject) or lesson.subject
            klass = self._class(lesson.groups, subject, teachers)
            self.lessons.append(PlannedLesson(klass, *slot, subject, room, teachers, lesson.activity_id))
        else:
            covers = covers_absences(lesson.subject)
            self.duties.extend(
                PlannedDuty(teacher, *slot, lesson.subject, room, covers, lesson.activity_id)
                for teacher in teachers
            )

    def _teacher(self, name: str) -> str:
        choice = self.choices.teachers.get(name, NEW)
        if choice == SKIP:
            return ""
        if choice and choice != NEW:
            return choice
        person = _new_person(name)
        self.persons.setdefault(person.sourced_id, person)
        return person.sourced_id

    def _room(self, lesson: PlanLesson) -> str:
        name = next(iter(lesson.rooms), "")
        choice = self.choices.rooms.get(name, NEW) if name else SKIP
        if choice == SKIP:
            return ""
        if choice and choice != NEW:
            return choice
        self.rooms[name] = None
        return f"name:{name}"

    def _class(self, groups: tuple[str, ...], subject: str, teachers: tuple[str, ...]) -> str:
        own = self.choices.groups.get(groups[0], "") if len(groups) == 1 else ""
        if own in self.scheduled:
            return own
        homerooms = tuple(sorted({form for group in groups for form in self._forms(group)}))
        sourced_id = opened_id("class", subject, *sorted(groups))
        if sourced_id not in self.scheduled:
            found = self.by_content.get((fold(subject), frozenset(homerooms))) or self.by_content.get(
                (_word_bag(subject, *groups), None)
            )
            if found:
                return found
        held = self.classes.get(sourced_id)
        everybody = tuple(sorted({*(held.teachers if held else ()), *teachers}))
        title = f"{subject} · {_shown(groups)}" if subject else _shown(groups)
        self.classes[sourced_id] = PlannedClass(
            sourced_id, title, subject=subject, homerooms=homerooms, teachers=everybody
        )
        return sourced_id

    def _forms(self, group: str) -> tuple[str, ...]:
        """The sourcedIds of the forms whose pupils the group is, or lies in."""
        choice = self.choices.groups.get(group, NEW)
        if choice == WITH_YEAR:
            years = [name for name in self.above.get(group, ()) if name in self.years]
            return tuple(dict.fromkeys(form for year in years for form in self._forms(year)))
        if choice in self.forms:
            return (choice,)
        if choice in self.scheduled:
            return tuple(self.scheduled[choice].homerooms)
        if choice == SKIP:
            return ()
        sourced_id = opened_id("form", group)
        self.classes.setdefault(sourced_id, PlannedClass(sourced_id, group, is_form=True))
        return (sourced_id,)


def _positions(plan: ImportedTimetable, periods: Sequence[Period]) -> list[int]:
    """For each hour of the file its place in the bells: the third lesson of the day is the third lesson of the day."""
    if len(periods) == len(plan.periods):
        return list(range(len(periods)))
    lessons = [index for index, period in enumerate(periods) if not period.is_break] or [0]
    found, met = [], 0
    for period in plan.periods:
        found.append(lessons[min(met, len(lessons) - 1)])
        met += not period.is_break
    return found


def _by_content(classes: Iterable[KnownClass]) -> dict[tuple[Any, Any], str]:
    """Classes by subject and forms, and by the words of their title; what two classes share finds neither."""
    found: dict[tuple[Any, Any], list[str]] = {}
    for klass in classes:
        if klass.subject and klass.homerooms:
            found.setdefault((fold(klass.subject), klass.homerooms), []).append(klass.sourced_id)
        found.setdefault((_word_bag(klass.title), None), []).append(klass.sourced_id)
    return {key: ids[0] for key, ids in found.items() if len(ids) == 1}


def _word_bag(*names: str) -> tuple[str, ...]:
    return tuple(sorted(word for name in names for word in words(name)))


def _new_person(name: str) -> NewPerson:
    family, comma, given = name.partition(",")
    if not comma:
        given, _, family = name.partition(" ")
    given, family = given.strip(), family.strip()
    if name.isupper() and not any(c.isdigit() for c in name):
        given, family = given.title(), family.title()
    return NewPerson(opened_id("teacher", name), given or family, family if given else "")


def _shown(groups: Sequence[str]) -> str:
    listed = ", ".join(groups[:_SHOWN_GROUPS])
    return f"{listed} +{len(groups) - _SHOWN_GROUPS}" if len(groups) > _SHOWN_GROUPS else listed
