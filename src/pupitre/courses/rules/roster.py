"""The roster as every format is understood: OneRoster's nouns, one frozen row each.

Text that was not told is '', a date or a flag that was not told is None. Text never begins or ends with blanks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from pupitre.courses.rules.findings import Finding, Place, Severity


class Kind(StrEnum):
    """The kinds of rows of a roster; the value is the file's name in OneRoster where there is one."""

    ORGS = "orgs"
    ACADEMIC_SESSIONS = "academicSessions"
    COURSES = "courses"
    CLASSES = "classes"
    USERS = "users"
    ROLES = "roles"
    GUARDIANSHIPS = "relationships"
    ENROLMENTS = "enrollments"
    DEMOGRAPHICS = "demographics"


class Mode(StrEnum):
    """Bulk: the file is the whole truth, who is missing has left. Delta: only what changed."""

    BULK = "bulk"
    DELTA = "delta"


class RosterRole(StrEnum):
    """The roles that Pupitre tells apart; the values are OneRoster 1.2's, the last two are extensions."""

    STUDENT = "student"
    TEACHER = "teacher"
    AIDE = "aide"
    ADMINISTRATOR = "administrator"
    PRINCIPAL = "principal"
    SITE_ADMINISTRATOR = "siteAdministrator"
    DISTRICT_ADMINISTRATOR = "districtAdministrator"
    SYSTEM_ADMINISTRATOR = "systemAdministrator"
    GUARDIAN = "guardian"
    PARENT = "parent"
    RELATIVE = "relative"
    COUNSELOR = "counselor"
    PROCTOR = "proctor"
    NURSE = "nurse"
    STAFF = "staff"


class Relation(StrEnum):
    """What the agent is to the pupil."""

    PARENT = "parent"
    MOTHER = "mother"
    FATHER = "father"
    GUARDIAN = "guardian"
    RELATIVE = "relative"
    AIDE = "aide"
    DOCTOR = "doctor"
    OTHER = "other"


class Format(StrEnum):
    """The families of files that are understood."""

    ONEROSTER = "OneRoster CSV"
    SDS = "School Data Sync"
    ESFERA = "Esfer@"
    SAGA = "SAGA"
    SIECLE = "SIECLE"
    STS = "STS-web"
    SIMAT = "SIMAT 6A"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a roster comes from; version is '' where nothing was recognised."""

    format: Format | None
    version: str

    def __str__(self) -> str:
        return f"{self.format} {self.version}".rstrip() if self.format else ""


ONEROSTER_1_2 = Source(Format.ONEROSTER, "1.2")
ONEROSTER_1_1 = Source(Format.ONEROSTER, "1.1")
SDS_1 = Source(Format.SDS, "1")
SDS_2_1 = Source(Format.SDS, "2.1")
UNRECOGNISED = Source(None, "")


@dataclass(frozen=True, slots=True)
class Org:
    sourced_id: str
    name: str
    type: str
    identifier: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class AcademicSession:
    """school_year is the calendar year in which the school year ends, as OneRoster defines it."""

    sourced_id: str
    title: str
    type: str
    start_date: date | None
    end_date: date | None
    school_year: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    sourced_id: str
    title: str
    org: str
    code: str = ""
    school_year: str = ""
    grades: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    subject_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Class:
    sourced_id: str
    title: str
    school: str
    course: str = ""
    terms: tuple[str, ...] = ()
    code: str = ""
    type: str = "scheduled"
    location: str = ""
    grades: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    subject_codes: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """A person of the roster. A password is never carried, whatever the file holds.

    user_ids are (type, identifier) pairs of other systems; flags are School Data Sync's userFlags.
    """

    sourced_id: str
    username: str
    given_name: str
    family_name: str
    middle_name: str = ""
    preferred_given_name: str = ""
    preferred_middle_name: str = ""
    preferred_family_name: str = ""
    identifier: str = ""
    master_identifier: str = ""
    email: str = ""
    phone: str = ""
    sms: str = ""
    user_ids: tuple[tuple[str, str], ...] = ()
    grades: tuple[str, ...] = ()
    enabled: bool = True
    primary_org: str = ""
    pronouns: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserRole:
    sourced_id: str
    user: str
    org: str
    role: RosterRole
    primary: bool = True
    begin_date: date | None = None
    end_date: date | None = None
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Guardianship:
    pupil: str
    agent: str
    relation: Relation

    @property
    def sourced_id(self) -> str:
        """The formats give a relationship no identifier: the pair is it."""
        return f"{self.pupil}:{self.agent}"


@dataclass(frozen=True, slots=True)
class Enrolment:
    sourced_id: str
    class_: str
    user: str
    school: str
    role: RosterRole
    primary: bool | None = None
    begin_date: date | None = None
    end_date: date | None = None


@dataclass(frozen=True, slots=True)
class Demographics:
    """Race and ethnicity, which the formats also hold, are left out on purpose: no feature needs them."""

    user: str
    birth_date: date | None = None
    sex: str = ""
    birth_city: str = ""
    birth_state: str = ""
    birth_country: str = ""

    @property
    def sourced_id(self) -> str:
        """A person has one row of demographics, known by the person's identifier."""
        return self.user


Row = Org | AcademicSession | Course | Class | User | UserRole | Guardianship | Enrolment | Demographics


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word of the file that the user may map: how often it stands there, and where first."""

    value: str
    count: int
    place: Place


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user decided on an earlier look at the same files.

    roles: word of the file -> role, or None to leave those rows out. grades: word of the file -> grade.
    date_order: 'dmy' or 'mdy', for columns that can be read both ways. Words are compared without case.
    """

    roles: Mapping[str, RosterRole | None] = field(default_factory=dict)
    grades: Mapping[str, str] = field(default_factory=dict)
    date_order: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What files that hold only a part of a school are the whole truth about; all else is left as it is.

    roles: who has other roles, too, is never ended. people, classes: how the identifiers begin of people and of classes
    whose members are covered; whole_classes: of classes that end when they are missing. families: whether the guardians
    of the pupils in the files are all told. aliases: other identifiers under which a person may be known already.
    unnumbered: people without an identifier of their own, known again by a child and a name. by_name: staff whom the
    school may have entered itself, known by a name that only one of its staff has.
    untold: facts (see `facts`) that the files do not tell about a person.
    """

    roles: frozenset[RosterRole]
    people: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    whole_classes: tuple[str, ...] = ()
    families: bool = False
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unnumbered: frozenset[str] = frozenset()
    by_name: frozenset[str] = frozenset()
    untold: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roster:
    """One reading of a set of files. Two rosters are equal when they say the same about the school.

    modes: the kinds that the files speak about; a kind that is not in it must be left alone.
    tobedeleted: identifiers that a delta file ends. fields: the attributes whose column was there, per kind; an
    attribute that is not in it was not told, which is different from told to be empty.
    outside: references to rows that the files need not hold (delta, or no such file), with their first place: whoever
    knows the school must look them up. coverage: of files that hold only a part of the school (None: the modes say it).
    Where `errors` is not empty nothing of the roster may be used.
    """

    source: Source
    modes: Mapping[Kind, Mode] = field(default_factory=dict)
    orgs: tuple[Org, ...] = ()
    academic_sessions: tuple[AcademicSession, ...] = ()
    courses: tuple[Course, ...] = ()
    classes: tuple[Class, ...] = ()
    users: tuple[User, ...] = ()
    roles: tuple[UserRole, ...] = ()
    guardianships: tuple[Guardianship, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    demographics: tuple[Demographics, ...] = ()
    tobedeleted: Mapping[Kind, frozenset[str]] = field(default_factory=dict)
    fields: Mapping[Kind, frozenset[str]] = field(default_factory=dict, compare=False)
    outside: Mapping[Kind, Mapping[str, Place]] = field(default_factory=dict, compare=False)
    unknown_roles: tuple[Unknown, ...] = field(default=(), compare=False)
    unknown_grades: tuple[Unknown, ...] = field(default=(), compare=False)
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    files: tuple[str, ...] = field(default=(), compare=False)
    places: Mapping[Kind, Mapping[str, int]] = field(default_factory=dict, compare=False, repr=False)
    coverage: Coverage | None = field(default=None, compare=False)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid the import."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    def rows(self, kind: Kind) -> tuple[Row, ...]:
        """The rows of one kind, in the order of the file."""
        rows: tuple[Row, ...] = getattr(self, ATTRIBUTES[kind])
        return rows

    def place(self, kind: Kind, sourced_id: str) -> Place | None:
        """File and line where a row of this kind stands, or None for one that was not read from a file."""
        packed = self.places.get(kind, {}).get(sourced_id)
        if packed is None:
            return None
        return Place(self.files[packed & FILE_MASK], packed >> FILE_BITS)


# A place per row is kept as one small integer: a tuple would cost a million users 100 MB.
FILE_BITS = 6
FILE_MASK = (1 << FILE_BITS) - 1

ATTRIBUTES: Mapping[Kind, str] = {
    Kind.ORGS: "orgs",
    Kind.ACADEMIC_SESSIONS: "academic_sessions",
    Kind.COURSES: "courses",
    Kind.CLASSES: "classes",
    Kind.USERS: "users",
    Kind.ROLES: "roles",
    Kind.GUARDIANSHIPS: "guardianships",
    Kind.ENROLMENTS: "enrolments",
    Kind.DEMOGRAPHICS: "demographics",
}

CLASSES: Mapping[Kind, type[Row]] = {
    Kind.ORGS: Org,
    Kind.ACADEMIC_SESSIONS: AcademicSession,
    Kind.COURSES: Course,
    Kind.CLASSES: Class,
    Kind.USERS: User,
    Kind.ROLES: UserRole,
    Kind.GUARDIANSHIPS: Guardianship,
    Kind.ENROLMENTS: Enrolment,
    Kind.DEMOGRAPHICS: Demographics,
}

FAMILY_ROLES = {
    RosterRole.PARENT: Relation.PARENT,
    RosterRole.GUARDIAN: Relation.GUARDIAN,
    RosterRole.RELATIVE: Relation.RELATIVE,
}


def relation_of(roles: frozenset[RosterRole]) -> Relation:
    """What an agent is to a pupil where only the agent's own roles tell (OneRoster's agentSourcedIds)."""
    for role, relation in FAMILY_ROLES.items():
        if role in roles:
            return relation
    return Relation.GUARDIAN
