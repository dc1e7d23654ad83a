"""Reading academic sessions, classes, enrolments, and how rosters were imported."""

from .classes import (
    ClassLine,
    access_class,
    access_enrolment,
    classes_for,
    classes_of_teacher,
    forms_taken_by,
    homeroom_of,
    homerooms,
    members_of,
    page_of_classes,
    pupils_of,
    titles_of,
)

__all__ = [
    "ClassLine",
    "access_class",
    "access_enrolment",
    "classes_for",
    "classes_of_teacher",
    "forms_taken_by",
    "homeroom_of",
    "homerooms",
    "members_of",
    "page_of_classes",
    "pupils_of",
    "titles_of",
]
