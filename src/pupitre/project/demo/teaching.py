"""Who teaches what: the classes of a school from its plan, its teachers from the hours, and each class's teacher."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pupitre.project.demo.roster import Block, Course, Grade
from pupitre.project.demo.schools import Line, Plan

# Departments whose lessons are given by the tutor of the group, or by whoever has hours left.
_TUTOR, _ANY = "tutor", "any"
_SMALLEST, _LARGEST = 5, 30


@dataclass(slots=True)
class GroupDraft:
    """A homeroom before its tutor is known."""

    key: str
    grade: Grade
    line: str
    title: str
    pupils: list[str] = field(default_factory=list)
    tutor: str = ""


@dataclass(slots=True)
class ClassDraft:
    """A scheduled class before its teacher is known."""

    key: str
    course_key: str
    title: str
    code: str
    subject: str
    department: str
    room_kind: str
    groups: tuple[str, ...]
    lessons: int
    block: str
    pupils: list[str] = field(default_factory=list)
    teacher: str = ""


@dataclass(slots=True)
class Teacher:
    """A teacher at one school: most hours, hours given so far, and the weekdays on which the teacher is elsewhere."""

    key: str
    department: str
    most: int
    away: frozenset[int] = frozenset()
    hours: int = 0
    blocks: set[str] = field(default_factory=set)

    def can_take(self, draft: ClassDraft, most: int) -> bool:
        """Whether the class fits: hours left, not beside another class of the same block, days enough to spread it."""
        return (
            self.hours + draft.lessons <= min(most, self.most)
            and draft.block not in self.blocks
            and (not self.away or draft.lessons <= 5 - len(self.away))
        )

    def take(self, draft: ClassDraft) -> None:
        """Give the class to this teacher."""
        draft.teacher = self.key
        self.hours += draft.lessons
        self.blocks.add(draft.block)


@dataclass(slots=True)
class Teaching:
    """A school's groups, classes, blocks, courses and teachers."""

    groups: list[GroupDraft]
    classes: dict[str, ClassDraft]
    blocks: list[Block]
    courses: dict[str, Course]
    teachers: list[Teacher]


def _groups_of_lines(plan: Plan, groups: list[GroupDraft]) -> Iterator[tuple[list[GroupDraft], Line]]:
    """Each line of the plan with the groups that have it together."""
    by_key = {group.key: group for group in groups}
    for group in groups:
        for line in plan.plans[group.grade.key, group.line]:
            letters = plan.lines[group.grade.key]
            at = letters.index(group.line)
            if at % line.span == 0:
                yield [by_key[f"{group.grade.key}-{letter}"] for letter in letters[at : at + line.span]], line
    for grades, line in plan.joint:
        yield [by_key[f"{grade}-{letter}"] for grade in grades for letter in plan.lines[grade]], line


def _deal(
    rng: random.Random, plan: Plan, groups: list[GroupDraft], line: Line, chosen: dict[tuple[str, str], str]
) -> list[list[str]]:
    """The pupils of the groups dealt to the options of the line.

    `chosen` remembers a pupil's choice among the same options. An option that stands once per group keeps that group's
    pupils, one that stands twice for one group halves it; no class is left tiny or too large.
    """
    options = line.options
    if len(options) == 1:
        return [[pupil for group in groups for pupil in group.pupils]]
    if len(set(options)) == 1:
        pupils = groups[0].pupils
        return [pupils[: len(pupils) // 2], pupils[len(pupils) // 2 :]]
    dealt: list[list[str]] = [[] for _ in options]
    weights = {option: plan.shares[option] for option in dict.fromkeys(options)}
    for number, group in enumerate(groups):
        for pupil in group.pupils:
            at = _option_of(rng, weights, options, chosen, pupil)
            dealt[number if options.count(options[at]) > 1 else at].append(pupil)
    return _filled(rng, dealt)


def _option_of(
    rng: random.Random,
    weights: dict[str, int],
    options: tuple[str, ...],
    chosen: dict[tuple[str, str], str],
    pupil: str,
) -> int:
    kind = (pupil, "|".join(dict.fromkeys(options)))
    if kind not in chosen:
        chosen[kind] = rng.choices(list(weights), weights=list(weights.values()))[0]
    return options.index(chosen[kind])


def _filled(rng: random.Random, dealt: list[list[str]]) -> list[list[str]]:
    """Nobody teaches three pupils, or forty: the largest class gives to the smallest until both are sensible."""
    while len(min(dealt, key=len)) < _SMALLEST or len(max(dealt, key=len)) > _LARGEST:
        largest = max(dealt, key=len)
        min(dealt, key=len).append(largest.pop(rng.randrange(len(largest))))
    return dealt


def make_classes(rng: random.Random, plan: Plan, groups: list[GroupDraft]) -> Teaching:
    """The courses, classes and blocks that the plan asks for; teachers come after."""
    teaching = Teaching(groups, {}, [], {}, [])
    chosen: dict[tuple[str, str], str] = {}
    for group in groups:
        _course(plan, teaching, group.grade, "HR", plan.words["homeroom"])
    for members, line in _groups_of_lines(plan, groups):
        dealt = _deal(rng, plan, members, line, chosen)
        keys = [_class(plan, teaching, members, line, at, pupils) for at, pupils in enumerate(dealt)]
        block = teaching.classes[keys[0]].block
        teaching.blocks.append(
            Block(
                block,
                plan.school.key,
                tuple(keys),
                tuple(group.key for group in members),
                line.options[0],
                line.hours,
            )
        )
    return teaching


def _course(plan: Plan, teaching: Teaching, grade: Grade, subject: str, title: str) -> str:
    key = f"{grade.key}-{subject}"
    if key not in teaching.courses:
        code = key.removeprefix(f"{plan.school.key}-")
        teaching.courses[key] = Course(
            key, plan.school.key, grade.key, subject, f"{title} {grade.title}", code
        )
    return key


def _class(
    plan: Plan, teaching: Teaching, groups: list[GroupDraft], line: Line, at: int, pupils: list[str]
) -> str:
    subject, halves = plan.subjects[line.options[at]], len(set(line.options)) == 1 and len(line.options) > 1
    own = line.options.count(subject.code) > 1 and not halves
    members = [groups[at]] if own else groups
    grade = members[0].grade
    course = _course(plan, teaching, grade, subject.code, subject.title)
    suffix = f" {plan.words['half']} {at + 1}" if halves else ""
    part = f"-{at + 1}" if halves else ""
    where = "/".join(
        dict.fromkeys(
            [
                members[0].title,
                *(group.line if group.grade is grade else group.title for group in members[1:]),
            ]
        )
    )
    key = f"{members[0].key}{''.join(group.line for group in members[1:] if group.grade is grade)}-{subject.code}{part}"
    if key in teaching.classes:
        # The same subject in another line of the plan: some of its lessons are given to a part of the group.
        key, suffix = f"{key}-p", f" {plan.words['half']}"
    block = f"{groups[0].key}{'+' if len(groups) > 1 else ''}-{'.'.join(dict.fromkeys(line.options))}{'-split' if halves else ''}"
    teaching.classes[key] = ClassDraft(
        key, course, f"{subject.title} {where}{suffix}", key.removeprefix(f"{plan.school.key}-"), subject.code, subject.department,
        subject.room_kind, tuple(group.key for group in members), line.hours, block, pupils,
    )  # fmt: skip
    return key


Hire = Callable[[str], str]


def staff_school(plan: Plan, teaching: Teaching, hire: Hire, visiting: list[Teacher]) -> None:
    """Give every class its teacher. `hire(department)` makes a person; `visiting` are shared with another school."""
    _tutors_of_all_subjects(plan, teaching, hire)
    by_department: dict[str, list[ClassDraft]] = defaultdict(list)
    for draft in teaching.classes.values():
        if draft.department not in {_TUTOR, _ANY}:
            by_department[draft.department].append(draft)
    for department, drafts in by_department.items():
        _staff_department(
            plan,
            teaching,
            department,
            drafts,
            hire,
            [one for one in visiting if one.department == department],
        )
    _choose_tutors(plan, teaching)
    _fill_rest(plan, teaching, hire)


def _tutors_of_all_subjects(plan: Plan, teaching: Teaching, hire: Hire) -> None:
    """In the grades of generalists the tutor is hired first and gives all that the plan leaves to tutors."""
    tutors = {}
    for group in teaching.groups:
        if group.grade.key in plan.generalist:
            tutors[group.key] = Teacher(hire(_TUTOR), _TUTOR, plan.load[1])
            group.tutor = tutors[group.key].key
            teaching.teachers.append(tutors[group.key])
    for draft in teaching.classes.values():
        if draft.department == _TUTOR and draft.groups[0] in tutors:
            tutors[draft.groups[0]].take(draft)


def _staff_department(
    plan: Plan,
    teaching: Teaching,
    department: str,
    drafts: list[ClassDraft],
    hire: Hire,
    visiting: list[Teacher],
) -> None:
    """Hire as many as the hours ask for and deal the classes, longest first, to whoever has the fewest hours."""
    usual, most = plan.load
    hours = sum(draft.lessons for draft in drafts) - sum(one.most for one in visiting)
    together: dict[str, int] = defaultdict(int)
    for draft in drafts:
        together[draft.block] += 1
    wanted = max(math.ceil(hours / usual), max(together.values()) - len(visiting))
    team = [*visiting, *(Teacher(hire(department), department, most) for _ in range(wanted))]
    for draft in sorted(drafts, key=lambda draft: -draft.lessons):
        fitting = [one for one in team if one.can_take(draft, usual)] or [
            one for one in team if one.can_take(draft, most - 1)
        ]
        if not fitting:
            team.append(Teacher(hire(department), department, most))
            fitting = team[-1:]
        # A visitor's few hours go first, or the classes that fit into them are taken by others.
        min(fitting, key=lambda one: (not one.away, one.hours)).take(draft)
    teaching.teachers.extend(team)


def _choose_tutors(plan: Plan, teaching: Teaching) -> None:
    """The tutor of each group: who teaches the whole group most, is no tutor yet and has an hour left."""
    by_key = {teacher.key: teacher for teacher in teaching.teachers}
    tutors = {group.tutor for group in teaching.groups if group.tutor}
    for group in teaching.groups:
        if group.tutor:
            continue
        own = [draft for draft in teaching.classes.values() if group.key in draft.groups and draft.teacher]
        own.sort(key=lambda draft: (-len(set(draft.pupils) & set(group.pupils)) * draft.lessons, draft.key))
        free = [
            draft.teacher for draft in own if draft.teacher not in tutors and not by_key[draft.teacher].away
        ]
        hours = sum(
            draft.lessons
            for draft in teaching.classes.values()
            if draft.department == _TUTOR and draft.groups[0] == group.key
        )
        group.tutor = next(key for key in free if by_key[key].hours + hours <= plan.load[1])
        tutors.add(group.tutor)
        for draft in teaching.classes.values():
            if draft.department == _TUTOR and draft.groups[0] == group.key:
                by_key[group.tutor].take(draft)


def _fill_rest(plan: Plan, teaching: Teaching, hire: Hire) -> None:
    """Classes that anybody may give go to those with the fewest hours, up to the usual load."""
    for draft in (draft for draft in teaching.classes.values() if not draft.teacher):
        fitting = [one for one in teaching.teachers if one.can_take(draft, plan.load[0]) and not one.away]
        if not fitting:
            teaching.teachers.append(Teacher(hire(draft.department), draft.department, plan.load[1]))
            fitting = teaching.teachers[-1:]
        min(fitting, key=lambda one: one.hours).take(draft)
