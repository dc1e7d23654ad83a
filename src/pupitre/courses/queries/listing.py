"""Sessions, courses, classes, enrolments and imports one slice after the other. For the office."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pupitre.courses.models import AcademicSession, Class, Course, Enrolment, RosterImport
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.keyset import Slice, slice_of

from .classes import _current

After = tuple[Any, ...] | None

SESSION = ("id", "sourced_id", "title", "kind", "starts_on", "ends_on", "school_year", "parent_id")
COURSE = ("id", "sourced_id", "title", "code", "grades")
CLASS = ("id", "sourced_id", "title", "code", "kind", "subject", "course_id", "grades")
ENROLMENT = (
    "id",
    "klass_id",
    "person_id",
    "role",
    "origin",
    "is_primary",
    "begins_on",
    "ends_on",
)
IMPORT = ("id", "file_name", "source", "state", "uploaded_at", "applied_at", "done", "total")


def sessions_after(actor: Actor, after: After, *, limit: int) -> Slice:
    require(actor, OFFICE)
    found = AcademicSession.objects.filter(ended_on__isnull=True)
    return slice_of(found, SESSION, by="id", after=after, limit=limit)


def courses_after(actor: Actor, after: After, *, limit: int) -> Slice:
    require(actor, OFFICE)
    return slice_of(Course.objects.filter(ended_on__isnull=True), COURSE, by="id", after=after, limit=limit)


def classes_after(
    actor: Actor, after: After, *, limit: int, kind: str = "", ids: Iterable[int] | None = None
) -> Slice:
    """Living classes; with `ids` only those, ended or not."""
    require(actor, OFFICE)
    found = Class.objects.filter(ended_on__isnull=True) if ids is None else Class.objects.filter(pk__in=ids)
    if kind:
        found = found.filter(kind=kind)
    return slice_of(found, CLASS, by="id", after=after, limit=limit)


def enrolments_after(
    actor: Actor,
    after: After,
    *,
    limit: int,
    today: date,
    class_id: int | None = None,
    person_id: int | None = None,
    with_ended: bool = False,
) -> Slice:
    require(actor, OFFICE)
    found = Enrolment.objects.all() if with_ended else Enrolment.objects.filter(_current(today))
    if class_id is not None:
        found = found.filter(klass_id=class_id)
    if person_id is not None:
        found = found.filter(person_id=person_id)
    return slice_of(found, ENROLMENT, by="id", after=after, limit=limit)


def members_now(class_id: int, today: date) -> Any:
    """The ids of who is in the class today, as a sub-select for other queries."""
    return Enrolment.objects.filter(_current(today), klass_id=class_id).values("person_id")


def imports_after(actor: Actor, after: After, *, limit: int) -> Slice:
    """The newest first."""
    require(actor, OFFICE)
    return slice_of(RosterImport.objects.all(), IMPORT, by="id", after=after, limit=limit, descending=True)
