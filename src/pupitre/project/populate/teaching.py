"""What a populated school teaches: classes, teachers, rooms and a week in which nobody is at two places at once.

Every homeroom has thirty lessons. Its week is the same for the homerooms that share an optional subject and shifted by days
and periods for the others, so that teachers find free hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time
from typing import Final

from pupitre.courses.rules.loading import NewClass, NewCourse, NewEnrolment, NewSession, Teaching
from pupitre.project.populate.families import SchoolPeople
from pupitre.project.populate.region import Years
from pupitre.timetable.rules.loading import NewLesson, NewRoom

DAYS, PERIODS = 5, 6
#: Positions in the bell schedule of the six lessons: the break is the fourth stretch of the day.
POSITIONS: Final = (0, 1, 2, 4, 5, 6)
BELL: Final = (
    ("1", time(9, 0), time(9, 50), False),
    ("2", time(9, 50), time(10, 40), False),
    ("3", time(10, 40), time(11, 30), False),
    ("Pausa", time(11, 30), time(12, 0), True),
    ("4", time(12, 0), time(12, 50), False),
    ("5", time(12, 50), time(13, 40), False),
    ("6", time(13, 40), time(14, 30), False),
)
#: Lessons a week that a teacher gives at most.
_MOST: Final = 20
_OPTION: Final = "2L"
# Code, title, lessons a week. The tutor of a primary homeroom gives those marked.
_PRIMARY: Final = (
    ("CAT", "Llengua catalana", 5, True), ("CAS", "Lengua castellana", 5, True), ("MAT", "Matemàtiques", 5, True),
    ("MED", "Coneixement del medi", 4, True), ("ENG", "English", 4, False), ("EF", "Educació física", 3, False),
    ("ART", "Plàstica", 2, True), ("MUS", "Música", 2, False),
)  # fmt: skip
_SECONDARY: Final = (
    ("CAT", "Llengua catalana", 4, False), ("CAS", "Lengua castellana", 4, False), ("MAT", "Matemáticas", 4, False),
    ("ENG", "English", 3, False), ("BIO", "Biología", 3, False), ("HIS", "Historia", 3, False), ("FQ", "Física y química", 2, False),
    ("EF", "Educación física", 2, False), ("TEC", "Tecnología", 2, False), (_OPTION, "", 2, False), ("TUT", "Tutoría", 1, True),
)  # fmt: skip
_OPTIONS: Final = (("FR", "Français"), ("DE", "Deutsch"))


@dataclass(slots=True)
class Teacher:
    """A teacher and the hours that are taken: bit day * 6 + period."""

    key: str
    busy: int = 0
    lessons: int = 0

    def can_take(self, slots: int, count: int) -> bool:
        return not self.busy & slots and self.lessons + count <= _MOST

    def take(self, slots: int, count: int) -> str:
        self.busy |= slots
        self.lessons += count
        return self.key


@dataclass(slots=True)
class Drafts:
    """What grows while a school's week is made."""

    classes: list[NewClass] = field(default_factory=list)
    courses: dict[str, NewCourse] = field(default_factory=dict)
    enrolments: list[NewEnrolment] = field(default_factory=list)
    lessons: list[NewLesson] = field(default_factory=list)
    rooms: dict[str, NewRoom] = field(default_factory=dict)


class SchoolWeek:
    """Classes and lessons of one school. Its teachers are hired while it is made."""

    def __init__(self, people: SchoolPeople, years: Years) -> None:
        self.people, self.years, self.drafts = people, years, Drafts()
        self.plan = _PRIMARY if people.school.is_primary else _SECONDARY
        self.week = _spread([code for code, _, count, _ in self.plan for _ in range(count)])
        self.departments: dict[str, list[Teacher]] = {}
        self.visitors = [_visitor(key, days) for key, days in people.visitors]
        self.letters: dict[int, int] = {}
        for pair in range(0, len(people.forms), 2):
            self._pair(pair, people.forms[pair : pair + 2])

    def teaching(self) -> Teaching:
        drafts = self.drafts
        sessions = tuple(_sessions(self.years))
        return Teaching(
            sessions, tuple(drafts.courses.values()), tuple(drafts.classes), tuple(drafts.enrolments)
        )

    # A pair of homerooms has the same week, for the subject that they choose together.

    def _pair(self, first: int, forms: list[tuple[int, list[str]]]) -> None:
        slots = self._slots(first // 2)
        titles = []
        for number, (age, pupils) in enumerate(forms, start=first):
            form, title = f"f{number + 1}", self._title(age)
            titles.append((form, title, age, pupils))
            self._form(form, title, age, pupils, slots)
        if any(code == _OPTION for code, *_ in self.plan):
            self._options(titles, slots[_OPTION])

    def _title(self, age: int) -> str:
        letter = self.letters[age] = self.letters.get(age, -1) + 1
        grade = age - 5 if self.people.school.is_primary else age - 11
        return f"{grade}{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[letter % 26]}{letter // 26 or ''}"

    def _slots(self, pair: int) -> dict[str, list[tuple[int, int]]]:
        found: dict[str, list[tuple[int, int]]] = {}
        for day in range(DAYS):
            for period in range(PERIODS):
                code = self.week[(day + pair) % DAYS * PERIODS + (period + pair // DAYS) % PERIODS]
                found.setdefault(code, []).append((day, period))
        return found

    def _form(
        self, form: str, title: str, age: int, pupils: list[str], slots: dict[str, list[tuple[int, int]]]
    ) -> None:
        drafts = self.drafts
        tutor = Teacher(self.people.hire())
        drafts.rooms[form] = NewRoom(form, f"Aula {title}", 32)
        self._class(form, title, "homeroom", "HR", "", age, ())
        drafts.enrolments += [NewEnrolment(form, key) for key in pupils]
        for code, subject, count, is_tutors in self.plan:
            if code == _OPTION:
                continue
            key = f"{form}-{code}"
            self._class(key, f"{subject} {title}", "scheduled", code, subject, age, (form,))
            drafts.enrolments += [NewEnrolment(key, pupil) for pupil in pupils]
            at = slots[code]
            teacher = tutor.take(_bits(at), count) if is_tutors else self._teacher(code, at)
            self._lessons(key, subject, at, teacher, form)
        drafts.enrolments.append(NewEnrolment(form, tutor.key, is_teacher=True, is_primary=True))
        if not self.people.school.is_primary:
            self.departments.setdefault(self.plan[len(drafts.rooms) % 9][0], []).append(tutor)

    def _options(self, forms: list[tuple[str, str, int, list[str]]], at: list[tuple[int, int]]) -> None:
        """The pupils of both homerooms choose between two languages."""
        name, age = "+".join(form for form, *_ in forms), forms[0][2]
        titles = "/".join(title for _, title, *_ in forms)
        everybody = [pupil for *_, pupils in forms for pupil in pupils]
        for number, (code, subject) in enumerate(_OPTIONS[: len(forms)]):
            key = f"{name}-{code}"
            chosen = [
                one
                for place, one in enumerate(everybody)
                if len(forms) == 1 or (place % 5 < 3) == (number == 0)
            ]
            self._class(key, f"{subject} {titles}", "scheduled", code, subject, age, ())
            self.drafts.enrolments += [NewEnrolment(key, pupil) for pupil in chosen]
            self._lessons(key, subject, at, self._teacher(code, at), forms[number][0])

    def _teacher(self, department: str, at: list[tuple[int, int]]) -> str:
        slots, count = _bits(at), len(at)
        team = self.departments.setdefault(department, [])
        for one in (*self.visitors, *team):
            if one.can_take(slots, count):
                return one.take(slots, count)
        team.append(Teacher(self.people.hire()))
        return team[-1].take(slots, count)

    def _class(
        self, key: str, title: str, kind: str, code: str, subject: str, age: int, forms: tuple[str, ...]
    ) -> None:
        grade = f"{age - 5:02d}"
        course = f"{grade}-{code}"
        if course not in self.drafts.courses:
            named = f"{subject or 'Grup'} {grade}"
            self.drafts.courses[course] = NewCourse(
                course, named, course, "year", (grade,), (subject,) if subject else (), (code,)
            )
        self.drafts.classes.append(NewClass(
            key, title, kind, key, course, subject, grades=(grade,), subjects=(subject,) if subject else (), subject_codes=(code,),
            sessions=("year",), homerooms=forms,
        ))  # fmt: skip

    def _lessons(self, key: str, subject: str, at: list[tuple[int, int]], teacher: str, room: str) -> None:
        self.drafts.enrolments.append(NewEnrolment(key, teacher, is_teacher=True, is_primary=True))
        self.drafts.lessons += [
            NewLesson(f"{key}-{day}{period}", key, subject, day + 1, POSITIONS[period], (teacher,), room)
            for day, period in at
        ]


def _visitor(key: str, days: tuple[int, ...]) -> Teacher:
    """A teacher of two schools is busy, for this one, on the days of the other."""
    away = sum(
        1 << (day * PERIODS + period) for day in range(DAYS) if day not in days for period in range(PERIODS)
    )
    return Teacher(key, away, _MOST - 8)


def _bits(at: list[tuple[int, int]]) -> int:
    return sum(1 << (day * PERIODS + period) for day, period in at)


def _spread(lessons: list[str]) -> list[str]:
    """The week's lessons dealt to the days, so that a subject seldom comes twice on one of them."""
    return [code for day in range(DAYS) for code in lessons[day::DAYS]]


def _sessions(years: Years) -> Iterator[NewSession]:
    start, end = years.start, years.end
    yield NewSession(
        "last-year", f"{start.year - 1}-{start.year}", "schoolYear", years.last_start, years.last_end
    )
    yield NewSession("year", f"{start.year}-{end.year}", "schoolYear", start, end)
    christmas, easter = start.replace(month=12, day=22), end.replace(month=3, day=27)
    yield NewSession("term-1", "1", "term", start, christmas, "year")
    yield NewSession("term-2", "2", "term", end.replace(month=1, day=8), easter, "year")
    yield NewSession("term-3", "3", "term", end.replace(month=4, day=7), end, "year")
