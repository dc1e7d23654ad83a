"""Bringing a whole school's sessions, courses, classes and enrolments at once: from another system, or the demonstration's."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.db import transaction

from pupitre.courses.models import AcademicSession, Class, Enrolment
from pupitre.courses.rules.loading import NewClass, NewEnrolment, Teaching
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import bulk

_SESSION = (
    "id",
    "school_id",
    "sourced_id",
    "title",
    "kind",
    "school_year",
    "starts_on",
    "ends_on",
    "parent_id",
    "ended_on",
)
_COURSE = (
    "id", "school_id", "sourced_id", "title", "code", "session_id", "department_id", "grades", "subjects", "subject_codes",
    "ended_on",
)  # fmt: skip
_CLASS = (
    "id", "school_id", "sourced_id", "title", "code", "kind", "course_id", "subject", "location", "grades", "subjects",
    "subject_codes", "periods", "ended_on",
)  # fmt: skip
_ENROLMENT = (
    "school_id", "sourced_id", "class_id", "person_id", "role", "roster_role", "origin", "is_primary", "begins_on", "ends_on",
)  # fmt: skip


@transaction.atomic
def load_teaching(actor: Actor, teaching: Teaching, *, person_ids: Mapping[str, int]) -> dict[str, int]:
    """Write all of it; answers the classes' ids by sourcedId. `person_ids` are the school's persons by sourcedId."""
    require(actor, OFFICE)
    school = actor.place.id
    sessions = _numbered("courses_academicsession", (one.sourced_id for one in teaching.sessions))
    courses = _numbered("courses_course", (one.sourced_id for one in teaching.courses))
    classes = _numbered("courses_class", (one.sourced_id for one in teaching.classes))
    bulk.insert_rows(
        "courses_academicsession",
        _SESSION,
        (
            (sessions[one.sourced_id], school, one.sourced_id, one.title, one.kind, one.ends_on.year, one.starts_on, one.ends_on,
             sessions[one.parent] if one.parent else None, None)
            for one in teaching.sessions
        ),
    )  # fmt: skip
    bulk.insert_rows(
        "courses_course",
        _COURSE,
        (
            (courses[one.sourced_id], school, one.sourced_id, one.title, one.code, sessions[one.session] if one.session else None,
             None, one.grades, one.subjects, one.subject_codes, None)
            for one in teaching.courses
        ),
    )  # fmt: skip
    bulk.insert_rows(
        "courses_class", _CLASS, (_class(one, school, classes, courses) for one in teaching.classes)
    )
    bulk.insert_rows(
        "courses_classsession",
        ("school_id", "class_id", "session_id"),
        (
            (school, classes[one.sourced_id], sessions[term])
            for one in teaching.classes
            for term in one.sessions
        ),
    )
    bulk.insert_rows(
        "courses_classgroup",
        ("school_id", "class_id", "homeroom_id"),
        (
            (school, classes[one.sourced_id], classes[form])
            for one in teaching.classes
            for form in one.homerooms
        ),
    )
    bulk.insert_rows("courses_enrolment", _ENROLMENT, _enrolments(teaching, school, classes, person_ids))
    return classes


def _numbered(table: str, sourced_ids: Iterable[str]) -> dict[str, int]:
    wanted = list(sourced_ids)
    return dict(zip(wanted, bulk.next_ids(table, len(wanted)), strict=True))


def _class(one: NewClass, school: int, classes: dict[str, int], courses: dict[str, int]) -> tuple[Any, ...]:
    return (
        classes[one.sourced_id],
        school,
        one.sourced_id,
        one.title,
        one.code,
        one.kind,
        courses[one.course] if one.course else None,
        one.subject,
        one.location,
        one.grades,
        one.subjects,
        one.subject_codes,
        (),
        None,
    )


def _enrolments(
    teaching: Teaching, school: int, classes: dict[str, int], persons: Mapping[str, int]
) -> Iterator[tuple[Any, ...]]:
    """Who is in a class through a form follows that form later on; the others came with the roster."""
    forms = {one.sourced_id for one in teaching.classes if one.kind == Class.HOMEROOM}
    taking = {one.sourced_id: one.homerooms for one in teaching.classes}
    members = {
        (one.klass, one.person) for one in teaching.enrolments if one.klass in forms and not one.is_teacher
    }

    def origin(one: NewEnrolment) -> int:
        through = any((form, one.person) in members for form in taking[one.klass])
        return Enrolment.FROM_GROUP if through and not one.is_teacher else Enrolment.FROM_ROSTER

    for one in teaching.enrolments:
        role = Enrolment.TEACHER if one.is_teacher else Enrolment.STUDENT
        facts = (role, "", origin(one), one.is_primary, one.begins_on, one.ends_on)
        yield (school, f"{one.klass}:{one.person}", classes[one.klass], persons[one.person], *facts)


def first_day(actor: Actor) -> date | None:
    """The day on which the school's first session begins, or None where it has none."""
    require(actor, OFFICE)
    return AcademicSession.objects.order_by("starts_on").values_list("starts_on", flat=True).first()
