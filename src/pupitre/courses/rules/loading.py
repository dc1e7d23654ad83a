"""Sessions, courses, classes and enrolments of a whole school as facts: what `loading` takes. Pure."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class NewSession:
    """A school year, or a term with its `parent` (sourcedIds)."""

    sourced_id: str
    title: str
    kind: str
    starts_on: date
    ends_on: date
    parent: str = ""


@dataclass(frozen=True, slots=True)
class NewCourse:
    """What is taught, with OneRoster's grade and subject codes."""

    sourced_id: str
    title: str
    code: str = ""
    session: str = ""
    grades: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    subject_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewClass:
    """A class or form. `sessions` are those in which it is taught, `homerooms` the forms that it takes as a whole."""

    sourced_id: str
    title: str
    kind: str
    code: str = ""
    course: str = ""
    subject: str = ""
    location: str = ""
    grades: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    subject_codes: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    homerooms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewEnrolment:
    """A person's part in a class (sourcedIds)."""

    klass: str
    person: str
    is_teacher: bool = False
    is_primary: bool = False
    begins_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Teaching:
    """What one school teaches to whom, of which it knows nothing yet."""

    sessions: tuple[NewSession, ...]
    courses: tuple[NewCourse, ...]
    classes: tuple[NewClass, ...]
    enrolments: tuple[NewEnrolment, ...]
