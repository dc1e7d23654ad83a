"""Academic sessions, courses, classes, and who is in them."""

from datetime import date
from typing import Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status

from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Day, Id, Ref, Row, Sent, told
from pupitre.courses import actions, queries
from pupitre.courses.queries import listing
from pupitre.kernel import clock
from pupitre.people import queries as people
from pupitre.people.access import actor_of
from pupitre.tenancy.keyset import Slice

router = Router(tags=["Classes"])
reads, writes = machine(Scope.ROSTERS_READ), machine(Scope.ROSTERS_WRITE)

ClassKind = Literal["homeroom", "scheduled"]
PartWord = Literal["student", "teacher", "aide"]
PARTS: Final[dict[int, str]] = {1: "student", 2: "teacher", 3: "aide"}
NUMBERS: Final = {word: number for number, word in PARTS.items()}
ORIGINS: Final = {1: "roster", 2: "hand", 3: "form"}


class SessionRow(Row):
    """A school year, semester, term or grading period."""

    id: int = told("Its number in the school.", 3)
    sourced_id: str = told("Its number in the system it came from.", "2026-27")
    title: str = told("Title.", "2026-27")
    kind: str = told("OneRoster's type: schoolYear, semester, term or gradingPeriod.", "schoolYear")
    starts_on: date = told("First day.", date(2026, 9, 1))
    ends_on: date = told("Last day.", date(2027, 6, 30))
    school_year: int = told("The year in which the school year ends.", 2027)
    parent_id: int | None = told("The session that it is part of.", None)


class CourseRow(Row):
    """What is taught, whoever it is taught to."""

    id: int = told("Its number in the school.", 8)
    sourced_id: str = told("Its number in the system it came from.", "MAT-1")
    title: str = told("Title.", "Mathematics, 1st year")
    code: str = told("Code.", "MAT1")
    grades: list[str] = told("Grades that take it.", ["07"])


class ClassRow(Row):
    """Pupils who are taught something together, or a form (homeroom)."""

    id: int = told("Its number in the school.", 31)
    sourced_id: str = told("Its number in the system it came from.", "1A-MAT")
    title: str = told("Title.", "Maths 1A")
    code: str = told("Code.", "")
    kind: ClassKind = told("A form, or a class that is taught.", "scheduled")
    subject: str = told("Subject as the timetable shows it.", "Maths")
    course_id: int | None = told("Its course.", 8)
    grades: list[str] = told("Grades of its pupils.", ["07"])


class EnrolmentRow(Row):
    """A person's part in a class between two dates, both included."""

    id: int = told("Its number.", 977)
    class_id: int = told("The class.", 31)
    person_id: int = told("The person.", 4711)
    role: PartWord = told("What the person is in the class.", "student")
    origin: Literal["roster", "hand", "form"] = told(
        "Where it comes from: a roster, somebody's hand, or a form that the class takes as a whole.", "roster"
    )
    is_primary: bool = told("Whether a teacher is the first one of the class.", example=False)
    begins_on: date | None = told("First day.", date(2026, 9, 1))
    ends_on: date | None = told("Last day.", None)


class NewEnrolment(Sent):
    """A person who joins a class."""

    person_id: Ref = told("The person.", 4711)
    role: PartWord = told("What the person is in the class.", "student")
    begins_on: Day | None = told("First day; left out, today.", date(2026, 10, 13), default=None)
    ends_on: Day | None = told("Last day; left out, without end.", None, default=None)


class Enrolled(Row):
    """The enrolment that was made, or made anew."""

    id: int = told("Its number.", 977)


class ClassesAsked(Schema):
    """Which classes are listed."""

    kind: ClassKind | None = told("Only forms, or only classes that are taught.", "homeroom", default=None)


class EnrolmentsAsked(Schema):
    """Which enrolments are listed."""

    class_id: Id | None = told("Only those of that class.", 31, default=None)
    person_id: Id | None = told("Only those of that person.", 4711, default=None)
    ended: Literal["without", "with"] = told(
        "Whether those are listed that do not count today.", "without", default="without"
    )


def _items(found: Slice, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in found.rows]


@router.get("/academic-sessions", response=Page[SessionRow], auth=reads)
def list_academic_sessions(request: HttpRequest, response: HttpResponse, part: Query[Paged]) -> Any:
    """School years and their parts, in the order in which they were made."""
    found = listing.sessions_after(actor_of(request), key_of(part.cursor, int), limit=part.limit)
    return page_of(request, response, _items(found, listing.SESSION), found.following)


@router.get("/courses", response=Page[CourseRow], auth=reads)
def list_courses(request: HttpRequest, response: HttpResponse, part: Query[Paged]) -> Any:
    """Courses, in the order in which they were made."""
    found = listing.courses_after(actor_of(request), key_of(part.cursor, int), limit=part.limit)
    return page_of(request, response, _items(found, listing.COURSE), found.following)


@router.get("/classes", response=Page[ClassRow], auth=reads)
def list_classes(
    request: HttpRequest, response: HttpResponse, asked: Query[ClassesAsked], part: Query[Paged]
) -> Any:
    """Forms and taught classes, in the order in which they were made."""
    found = listing.classes_after(
        actor_of(request), key_of(part.cursor, int), limit=part.limit, kind=asked.kind or ""
    )
    return page_of(request, response, _items(found, listing.CLASS), found.following)


@router.get("/classes/{class_id}", response=ClassRow, auth=reads)
def read_class(request: HttpRequest, class_id: Id) -> Any:
    """One class, also one that has ended."""
    actor = actor_of(request)
    queries.access_class(actor, class_id)
    return _items(listing.classes_after(actor, None, limit=1, ids=[class_id]), listing.CLASS)[0]


@router.get("/enrolments", response=Page[EnrolmentRow], auth=reads)
def list_enrolments(
    request: HttpRequest, response: HttpResponse, asked: Query[EnrolmentsAsked], part: Query[Paged]
) -> Any:
    """Who is in which class, in the order in which they came."""
    actor = actor_of(request)
    found = listing.enrolments_after(
        actor,
        key_of(part.cursor, int),
        limit=part.limit,
        today=clock.today(actor.place.time_zone),
        class_id=asked.class_id,
        person_id=asked.person_id,
        with_ended=asked.ended == "with",
    )
    items = [
        {**item, "class_id": item["klass_id"], "role": PARTS[item["role"]], "origin": ORIGINS[item["origin"]]}
        for item in _items(found, listing.ENROLMENT)
    ]
    return page_of(request, response, items, found.following)


@router.post("/classes/{class_id}/enrolments", response={201: Enrolled}, auth=writes)
def enrol(request: HttpRequest, class_id: Id, body: NewEnrolment) -> Any:
    """Let a person join a class, or join it again. Who joins a form joins the classes that take the form as a whole."""
    actor = actor_of(request)
    begins_on = body.begins_on or clock.today(actor.place.time_zone)
    made = actions.enrol(
        actor,
        queries.access_class(actor, class_id),
        people.access_person(actor, body.person_id),
        role=NUMBERS[body.role],
        begins_on=begins_on,
        ends_on=body.ends_on,
    )
    return Status(201, {"id": made.pk})


@router.delete("/classes/{class_id}/enrolments/{enrolment}", response={204: None}, auth=writes)
def end_enrolment(request: HttpRequest, class_id: Id, enrolment: Id) -> Any:
    """Let a person leave a class: yesterday was the last day."""
    actor = actor_of(request)
    found = queries.access_enrolment(actor, class_id, enrolment)
    actions.end_enrolment(actor, found, today=clock.today(actor.place.time_zone))
    return Status(204, None)
