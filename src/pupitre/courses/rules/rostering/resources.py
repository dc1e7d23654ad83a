"""The things that the rostering service tells, the fields by which they are filtered and sorted, and its endpoints. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .filtering import FieldKind

_HEAD: Final = {"sourcedId": FieldKind.ID, "status": FieldKind.TEXT, "dateLastModified": FieldKind.MOMENT}


def _fields(**kinds: str) -> dict[str, FieldKind]:
    named = {name: FieldKind(kind) for kind, names in kinds.items() for name in names.split()}
    return {**_HEAD, **named}


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of thing: its payload's names, its fields, and those that are told besides."""

    one: str
    many: str
    #: By which a collection is filtered and sorted; dotted where they lie within another.
    fields: Mapping[str, FieldKind]
    more: frozenset[str] = frozenset()

    @property
    def told(self) -> frozenset[str]:
        """The names that `fields` may choose."""
        return frozenset(name.partition(".")[0] for name in self.fields) | self.more


SESSIONS: Final = Resource(
    "academicSession",
    "academicSessions",
    _fields(
        text="title type schoolYear",
        date="startDate endDate",
        id="parent.sourcedId",
        parts="children.sourcedId",
    ),
)
ORGS: Final = Resource(
    "org", "orgs", _fields(text="name type identifier", id="parent.sourcedId", parts="children.sourcedId")
)
COURSES: Final = Resource(
    "course",
    "courses",
    _fields(
        text="title courseCode", id="schoolYear.sourcedId org.sourcedId", words="grades subjects subjectCodes"
    ),
)
CLASSES: Final = Resource(
    "class",
    "classes",
    _fields(
        text="title classCode classType location",
        id="course.sourcedId school.sourcedId",
        words="grades subjects subjectCodes periods",
        parts="terms.sourcedId",
    ),
)
USERS: Final = Resource(
    "user",
    "users",
    _fields(
        text="username givenName familyName middleName preferredFirstName identifier email sms phone enabledUser",
        words="grades",
        parts="roles.role roles.org.sourcedId agents.sourcedId",
    ),
    more=frozenset({"metadata", "primaryOrg"}),
)
ENROLMENTS: Final = Resource(
    "enrollment",
    "enrollments",
    _fields(
        text="role primary", date="beginDate endDate", id="user.sourcedId class.sourcedId school.sourcedId"
    ),
)
DEMOGRAPHICS: Final = Resource(
    "demographics",
    "demographics",
    _fields(text="sex countryOfBirthCode cityOfBirth", date="birthDate"),
)


#: What the scope roster-core is not told of anybody: how to reach a person, and the number a country gives her.
_PERSONAL: Final = frozenset({"email", "sms", "phone", "identifier"})
_CORE_USERS: Final = Resource(
    USERS.one,
    USERS.many,
    {name: kind for name, kind in USERS.fields.items() if name not in _PERSONAL},
    USERS.more,
)


def core_of(resource: Resource) -> Resource:
    """The resource as who has only the scope roster-core may know it: neither told, nor filtered or sorted by the rest."""
    return _CORE_USERS if resource is USERS else resource


class Narrowing(StrEnum):
    """Which part of a kind of thing an endpoint is about; the parent's sourcedId completes some."""

    TERMS = "terms"
    GRADING_PERIODS = "grading periods"
    SCHOOLS = "schools"
    STUDENTS = "students"
    TEACHERS = "teachers"
    OF_TERM = "of a term"
    OF_COURSE = "of a course"
    OF_USER = "of a user"
    OF_STUDENT = "of a student"
    OF_TEACHER = "of a teacher"
    STUDENTS_OF_CLASS = "students of a class"
    TEACHERS_OF_CLASS = "teachers of a class"
    OF_CLASS = "of a class"
    CHILDREN_OF_TERM = "grading periods of a term"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address below the service's: what it answers, of which parents, and how they narrow it.

    `core` endpoints are open to the scopes roster-core and roster, the others to roster alone.
    """

    path: str
    resource: Resource
    narrowings: tuple[Narrowing, ...] = ()
    #: What an identifier in the path must name, from the left, before the last.
    parents: tuple[tuple[Resource, tuple[Narrowing, ...]], ...] = ()
    core: bool = True

    @property
    def is_single(self) -> bool:
        return self.path.endswith("{}")


def _both(name: str, resource: Resource, *narrowings: Narrowing) -> tuple[Endpoint, Endpoint]:
    return Endpoint(name, resource, narrowings), Endpoint(f"{name}/{{}}", resource, narrowings)


_SCHOOL = (ORGS, (Narrowing.SCHOOLS,))
_CLASS = (CLASSES, ())
_TERM = (SESSIONS, (Narrowing.TERMS,))


def _nested(
    path: str, resource: Resource, parents: tuple[tuple[Resource, tuple[Narrowing, ...]], ...], *by: Narrowing
) -> Endpoint:
    return Endpoint(path, resource, by, parents, core=False)


ENDPOINTS: Final = (
    *_both("academicSessions", SESSIONS),
    *_both("terms", SESSIONS, Narrowing.TERMS),
    *_both("gradingPeriods", SESSIONS, Narrowing.GRADING_PERIODS),
    *_both("orgs", ORGS),
    *_both("schools", ORGS, Narrowing.SCHOOLS),
    *_both("courses", COURSES),
    *_both("classes", CLASSES),
    *_both("users", USERS),
    *_both("students", USERS, Narrowing.STUDENTS),
    *_both("teachers", USERS, Narrowing.TEACHERS),
    *_both("enrollments", ENROLMENTS),
    *_both("demographics", DEMOGRAPHICS),
    _nested("terms/{}/classes", CLASSES, (_TERM,), Narrowing.OF_TERM),
    _nested("terms/{}/gradingPeriods", SESSIONS, (_TERM,), Narrowing.CHILDREN_OF_TERM),
    _nested("courses/{}/classes", CLASSES, ((COURSES, ()),), Narrowing.OF_COURSE),
    _nested("classes/{}/students", USERS, (_CLASS,), Narrowing.STUDENTS_OF_CLASS),
    _nested("classes/{}/teachers", USERS, (_CLASS,), Narrowing.TEACHERS_OF_CLASS),
    _nested("users/{}/classes", CLASSES, ((USERS, ()),), Narrowing.OF_USER),
    _nested("students/{}/classes", CLASSES, ((USERS, (Narrowing.STUDENTS,)),), Narrowing.OF_STUDENT),
    _nested("teachers/{}/classes", CLASSES, ((USERS, (Narrowing.TEACHERS,)),), Narrowing.OF_TEACHER),
    _nested("schools/{}/classes", CLASSES, (_SCHOOL,)),
    _nested("schools/{}/courses", COURSES, (_SCHOOL,)),
    _nested("schools/{}/enrollments", ENROLMENTS, (_SCHOOL,)),
    _nested("schools/{}/students", USERS, (_SCHOOL,), Narrowing.STUDENTS),
    _nested("schools/{}/teachers", USERS, (_SCHOOL,), Narrowing.TEACHERS),
    _nested("schools/{}/terms", SESSIONS, (_SCHOOL,), Narrowing.TERMS),
    _nested("schools/{}/classes/{}/enrollments", ENROLMENTS, (_SCHOOL, _CLASS), Narrowing.OF_CLASS),
    _nested("schools/{}/classes/{}/students", USERS, (_SCHOOL, _CLASS), Narrowing.STUDENTS_OF_CLASS),
    _nested("schools/{}/classes/{}/teachers", USERS, (_SCHOOL, _CLASS), Narrowing.TEACHERS_OF_CLASS),
)
# An identifier may hold a slash. The longest shape that fits is meant.
_SHAPES: Final = [
    (re.compile(re.escape(one.path).replace(re.escape("{}"), "(.+?)")), one)
    for one in sorted(ENDPOINTS, key=lambda one: -one.path.count("/"))
]


def endpoint_at(path: str) -> tuple[Endpoint, tuple[str, ...]] | None:
    """The endpoint at a decoded path below the service's, and the identifiers in it."""
    for shape, endpoint in _SHAPES:
        match = shape.fullmatch(path.removesuffix("/"))
        if match:
            return endpoint, match.groups()
    return None
