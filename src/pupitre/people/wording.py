"""The words for roles, relations, columns and tables, as pages, letters and the history say them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from .rules import OF_AUTHORITY, LookAt, Relation, Role, Sex
from .rules.grades import grade_label
from .rules.invitations import Group, InvitationState

Words = Mapping[Any, str | Promise]

ROLES: Words = {
    Role.HEAD: lazy("Head"),
    Role.SECRETARY: lazy("Office"),
    Role.TEACHER: lazy("Teacher"),
    Role.AIDE: lazy("Aide"),
    Role.COUNSELLOR: lazy("Counsellor"),
    Role.NURSE: lazy("Nurse"),
    Role.PUPIL: lazy("Pupil"),
    Role.GUARDIAN: lazy("Family"),
    Role.INSPECTOR: lazy("Inspector"),
    Role.TECHNICIAN: lazy("Technician"),
    Role.FLEET_MANAGER: lazy("Fleet manager"),
}
#: Those that the office gives; inspectors are the authority's.
GIVEN_ROLES = tuple(role for role in Role if role not in OF_AUTHORITY)

RELATIONS: Words = {
    Relation.MOTHER: lazy("Mother"),
    Relation.FATHER: lazy("Father"),
    Relation.GUARDIAN: lazy("Guardian"),
    Relation.GRANDPARENT: lazy("Grandparent"),
    Relation.RELATIVE: lazy("Relative"),
    Relation.OTHER: lazy("Another adult"),
}
SEXES: Words = {Sex.FEMALE: lazy("Female"), Sex.MALE: lazy("Male"), Sex.OTHER: lazy("Another")}
LOOKS: Words = {
    LookAt.FILE: lazy("Opened the file"),
    LookAt.ATTENDANCE: lazy("Read the attendance"),
    LookAt.DOCUMENT: lazy("Opened a document"),
    LookAt.CONTACTS: lazy("Read the contacts"),
    LookAt.EXPORT: lazy("Took it into an export"),
    LookAt.DEVICE: lazy("Opened the page of the device"),
}
GROUPS: Words = {Group.FAMILIES: lazy("Families"), Group.PUPILS: lazy("Pupils"), Group.STAFF: lazy("Staff")}
STATES: Words = {
    InvitationState.NONE: lazy("Not invited yet"),
    InvitationState.SENT: lazy("Letter out"),
    InvitationState.EXPIRED: lazy("Letter expired"),
}
#: What a change of a table is called; a table that is not here is somebody else's and told by its kind alone.
TABLES: Words = {
    "people_person": lazy("Personal data"),
    "people_membership": lazy("Role in the school"),
    "people_guardianship": lazy("Who looks after the pupil"),
    "courses_enrolment": lazy("Enrolment in a class"),
    "attendance_mark": lazy("Mark in a register"),
    "attendance_absencenotice": lazy("Absence announced or justified"),
    "attendance_absenceletter": lazy("Letter about absences"),
}
OPERATIONS: Words = {"I": lazy("added"), "U": lazy("changed"), "D": lazy("removed")}
#: The columns that are told with their values, by table. Every other one is machinery or another context's.
COLUMNS: Mapping[str, Words] = {
    "people_person": {
        "identifier": lazy("Identifier"),
        "username": lazy("Proposed user name"),
        "given_name": lazy("Given name"),
        "middle_name": lazy("Middle name"),
        "family_name": lazy("Family name"),
        "preferred_name": lazy("Called"),
        "email": lazy("E-mail"),
        "phone": lazy("Telephone"),
        "sms": lazy("Mobile"),
        "sex": lazy("Sex"),
        "born_on": lazy("Born on"),
        "birth_place": lazy("Place of birth"),
        "birth_country": lazy("Country of birth"),
        "grade": lazy("Grade"),
        "locale": lazy("Language"),
        "photo_key": lazy("Photo"),
        "ended_on": lazy("Left on"),
        "account_id": lazy("Account"),
    },
    "people_membership": {
        "role": lazy("Role"),
        "starts_on": lazy("From"),
        "ends_on": lazy("Until"),
        "account_id": lazy("Account"),
    },
    "people_guardianship": {
        "relation": lazy("Relation"),
        "lives_with": lazy("Lives with the pupil"),
        "sees_record": lazy("Sees the record"),
        "receives_notices": lazy("Is told"),
        "may_announce": lazy("May announce absences"),
        "may_collect": lazy("May collect the pupil"),
        "court_note": lazy("Protected note"),
        "priority": lazy("Order of contact"),
        "ends_on": lazy("Until"),
    },
}
_KINDS: Mapping[str, Words] = {"role": ROLES, "relation": RELATIONS, "sex": SEXES}
#: Told as there or not, never with what stands in it: a court's words, a key of the store, an account's number.
_VEILED = frozenset({"court_note", "photo_key", "account_id"})
_DATES = frozenset({"born_on", "starts_on", "ends_on", "ended_on"})


def grade_in_words(code: str, country: str) -> str:
    """A grade that stands alone: the country's own name says that it is one, any other label needs the word."""
    label = grade_label(code, country)
    return label if label != code else _("Grade %(grade)s") % {"grade": code} if code else ""


def changes_in_words(
    table: str, fields: list[tuple[str, Any, Any]], country: str
) -> list[tuple[str, str, str]]:
    """(field, before, after) in the reader's language, grades as the school's country calls them; only of fields that say something to a person."""
    words = COLUMNS.get(table, {})
    told = (
        (words[name], *_both(name, before, after, country)) for name, before, after in fields if name in words
    )
    return [(str(label), before, after) for label, before, after in told if before or after]


def _both(name: str, before: Any, after: Any, country: str) -> tuple[str, str]:
    if name in _VEILED:
        return (
            _("there") if before else "",
            _("there, changed") if before and after else _("there") if after else "",
        )
    if name == "grade":
        return grade_label(before or "", country), grade_label(after or "", country)
    return value_in_words(name, before), value_in_words(name, after)


def value_in_words(name: str, value: Any) -> str:
    """A column's value as the history's JSON holds it, for a reader."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in _DATES:
        return str(formats.date_format(date.fromisoformat(str(value)[:10]), "SHORT_DATE_FORMAT"))
    if name in _KINDS:
        return str(_KINDS[name].get(value, value))
    return str(value)


def table_in_words(table: str, operation: str) -> str:
    """What happened: 'Personal data: changed'."""
    name = TABLES.get(table, _("Another record"))
    return _("%(what)s: %(how)s") % {"what": name, "how": OPERATIONS[operation]}
