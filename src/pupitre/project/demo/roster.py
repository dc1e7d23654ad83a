"""The shapes of the demonstration: frozen facts with readable keys, in OneRoster's words.

Keys are unique in the whole population and stable for a seed, so they serve as `sourcedId`.
"""

from dataclasses import dataclass, field
from datetime import date, time


@dataclass(frozen=True, slots=True)
class Authority:
    """Who runs the schools; `names` by language."""

    key: str
    name: str
    names: dict[str, str]
    language: str
    country: str
    time_zone: str
    email: str


@dataclass(frozen=True, slots=True)
class School:
    """One school. `languages` has its first language first; `stage` is primary, secondary or all-through."""

    key: str
    slug: str
    name: str
    stage: str
    country: str
    time_zone: str
    languages: tuple[str, ...]
    address: str
    postal_code: str
    town: str
    email: str
    phone: str
    website: str
    grade_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcademicSession:
    """A school year, or a term with its parent; `ends_on` is the last day."""

    key: str
    school_key: str
    kind: str
    title: str
    begins_on: date
    ends_on: date
    parent_key: str | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """Days without lessons, first to last, with the title that the calendar shows."""

    school_key: str
    first_on: date
    last_on: date
    title: str


@dataclass(frozen=True, slots=True)
class Grade:
    """A year of study. `code` is OneRoster's (CEDS) grade code; `age` is what its pupils turn in that year."""

    key: str
    school_key: str
    code: str
    title: str
    age: int
    position: int


@dataclass(frozen=True, slots=True)
class Group:
    """A homeroom: the pupils who are together most of the week, with their tutor and their own room."""

    key: str
    school_key: str
    grade_key: str
    line: str
    title: str
    tutor_key: str
    size: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody. `sex` is m, f or x; `language` one of ca, de, en, es, fr, pt; `email` and `phone` may be unknown."""

    key: str
    given_name: str
    middle_name: str
    family_name: str
    sex: str
    born_on: date
    language: str
    username: str
    email: str | None
    phone: str | None
    origin: str

    @property
    def name(self) -> str:
        """As a person is called in full."""
        return " ".join(part for part in (self.given_name, self.middle_name, self.family_name) if part)

    @property
    def sort_name(self) -> str:
        """As a class list has it."""
        return f"{self.family_name}, {self.given_name}"


@dataclass(frozen=True, slots=True)
class Pupil:
    """A person's place in a school; `ends_on` tells of one who left."""

    person_key: str
    school_key: str
    grade_key: str
    group_key: str
    begins_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Household:
    """An address where people live together."""

    key: str
    street: str
    postal_code: str
    town: str
    country: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Guardianship:
    """What a guardian is to a pupil and may do. `order` is 1 for whom the school calls first.

    `relation` is mother, father, grandmother, grandfather, aunt, uncle, foster_parent or legal_guardian. A person who may
    only fetch the child has `receives_notices` false, `has_custody` false and no court note.
    """

    pupil_key: str
    guardian_key: str
    relation: str
    order: int
    lives_with: bool
    has_custody: bool
    receives_notices: bool
    may_collect: bool
    household_key: str | None
    court_note: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody is in a school, or in the authority where `school_key` is None.

    `role` is teacher, head, deputy_head, secretary, counsellor, nurse or inspector; `title` as the school says it.
    """

    person_key: str
    school_key: str | None
    role: str
    title: str
    begins_on: date


@dataclass(frozen=True, slots=True)
class Course:
    """What is taught in a grade: a subject with its title, or the homeroom (`subject` "HR")."""

    key: str
    school_key: str
    grade_key: str
    subject: str
    title: str
    code: str


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """A course taught to certain pupils. `kind` is homeroom or scheduled; `room_kind` "" means the homeroom's own room."""

    key: str
    school_key: str
    course_key: str
    kind: str
    title: str
    code: str
    subject: str
    group_keys: tuple[str, ...]
    teacher_key: str
    lessons: int
    room_kind: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A pupil or teacher in a class; `role` is student or teacher, `ends_on` is set for who left."""

    class_key: str
    person_key: str
    role: str
    begins_on: date
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Classes that run side by side because they share out the pupils of the same groups, `lessons` times a week.

    `subject` is the first of theirs: what one group has of it is spread over the week.
    """

    key: str
    school_key: str
    class_keys: tuple[str, ...]
    group_keys: tuple[str, ...]
    subject: str
    lessons: int


@dataclass(frozen=True, slots=True)
class Room:
    """A room; `kind` is homeroom, small, gym, music, lab, computers, workshop, art or psychomotor."""

    key: str
    school_key: str
    title: str
    kind: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the day in local time. Lessons are numbered from 1; a break has number None."""

    number: int | None
    title: str
    starts_at: time
    ends_at: time


@dataclass(frozen=True, slots=True)
class Bell:
    """A school's bell schedule; `last_lesson` gives the last lesson of each weekday (1 = Monday)."""

    key: str
    school_key: str
    title: str
    periods: tuple[Period, ...]
    last_lesson: dict[int, int]

    def lessons(self, weekday: int) -> tuple[Period, ...]:
        """The lesson periods of a weekday, without breaks."""
        last = self.last_lesson.get(weekday, 0)
        return tuple(period for period in self.periods if period.number is not None and period.number <= last)


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to sign in as, and what there is to see."""

    role: str
    person_key: str
    school_key: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody and everything but the timetable. `unavailable` has the weekdays a teacher is not at a school."""

    seed: int
    school_year_start: date
    authority: Authority
    schools: tuple[School, ...]
    sessions: tuple[AcademicSession, ...]
    closures: tuple[Closure, ...]
    grades: tuple[Grade, ...]
    groups: tuple[Group, ...]
    people: dict[str, Person]
    pupils: tuple[Pupil, ...]
    households: tuple[Household, ...]
    guardianships: tuple[Guardianship, ...]
    roles: tuple[Role, ...]
    courses: tuple[Course, ...]
    classes: dict[str, SchoolClass]
    enrolments: tuple[Enrolment, ...]
    blocks: tuple[Block, ...]
    unavailable: dict[tuple[str, str], frozenset[int]] = field(default_factory=dict)
    personas: tuple[Persona, ...] = ()
