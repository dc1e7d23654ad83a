"""The words in which a plan's kinds, fields and values are shown."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pupitre.courses.rules.findings import FINDING_TEXTS, Finding, Severity
from pupitre.courses.rules.roster import Kind
from pupitre.people.rules import Relation, Role
from pupitre.people.rules.grades import grade_and_code

KINDS: Mapping[str, Promise] = {
    Kind.ORGS.value: _("Departments"),
    Kind.ACADEMIC_SESSIONS.value: _("Academic sessions"),
    Kind.COURSES.value: _("Courses"),
    Kind.CLASSES.value: _("Classes"),
    Kind.USERS.value: _("People"),
    Kind.ROLES.value: _("Roles"),
    Kind.GUARDIANSHIPS.value: _("Guardians"),
    Kind.ENROLMENTS.value: _("Enrolments"),
}
SORTS: Mapping[str, Promise] = {
    "conflict": _("To decide"),
    "changed": _("Changed"),
    "ended": _("Ended"),
    "back": _("Returned"),
    "new": _("New"),
}
#: The tone of a sort's badge.
TONES = {"conflict": "warn", "changed": "info", "ended": "bad", "back": "info", "new": "good"}
FIELDS: Mapping[str, Promise] = {
    "presence": _("Belongs to the school"),
    "name": _("Name"),
    "title": _("Title"),
    "parent": _("Part of"),
    "type": _("Kind"),
    "start_date": _("First day"),
    "end_date": _("Last day"),
    "starts_on": _("First day"),
    "ends_on": _("Last day"),
    "school_year": _("School year"),
    "code": _("Code"),
    "course": _("Course"),
    "session": _("Academic session"),
    "department": _("Department"),
    "terms": _("Academic sessions"),
    "location": _("Place"),
    "grade": _("Grade"),
    "grades": _("Grades"),
    "subjects": _("Subjects"),
    "subject_codes": _("Subject codes"),
    "periods": _("Periods"),
    "identifier": _("Identifier"),
    "username": _("User name"),
    "given_name": _("Given name"),
    "middle_name": _("Middle name"),
    "family_name": _("Family name"),
    "preferred_name": _("Preferred name"),
    "email": _("E-mail"),
    "phone": _("Telephone"),
    "sms": _("Mobile telephone"),
    "sex": _("Sex"),
    "born_on": _("Born on"),
    "birth_place": _("Place of birth"),
    "birth_country": _("Country of birth"),
    "role": _("Role"),
    "roster_role": _("The roster's word for the role"),
    "is_primary": _("Main role or teacher"),
    "relation": _("Relation"),
    "sourced_id": _("Identifier"),
    "person": _("Person"),
    "class": _("Class"),
}
ROLES: Mapping[int, Promise] = {
    Role.HEAD.value: _("Head"),
    Role.SECRETARY.value: _("Office"),
    Role.TEACHER.value: _("Teacher"),
    Role.AIDE.value: _("Aide"),
    Role.COUNSELLOR.value: _("Counsellor"),
    Role.NURSE.value: _("Nurse"),
    Role.TECHNICIAN.value: _("Technician"),
    Role.PUPIL.value: _("Pupil"),
    Role.GUARDIAN.value: _("Guardian"),
}
PARTS: Mapping[int, Promise] = {1: _("Pupil"), 2: _("Teacher"), 3: _("Aide")}
RELATIONS: Mapping[int, Promise] = {
    Relation.MOTHER.value: _("Mother"),
    Relation.FATHER.value: _("Father"),
    Relation.GUARDIAN.value: _("Guardian"),
    Relation.GRANDPARENT.value: _("Grandparent"),
    Relation.RELATIVE.value: _("Relative"),
    Relation.OTHER.value: _("Other"),
}
SEXES: Mapping[int, Promise] = {1: _("Female"), 2: _("Male"), 3: _("Other")}
CLASS_KINDS: Mapping[str, Promise] = {"homeroom": _("Homeroom"), "scheduled": _("Taught class")}
PRESENCE: Mapping[str, Promise] = {"active": _("Yes"), "ended": _("No, has left")}
#: The roles that an unknown word may mean; '' leaves the rows out.
ROLE_CHOICES: tuple[tuple[str, Promise], ...] = (
    ("student", _("Pupil")),
    ("teacher", _("Teacher")),
    ("aide", _("Aide")),
    ("principal", _("Head")),
    ("siteAdministrator", _("Office")),
    ("counselor", _("Counsellor")),
    ("nurse", _("Nurse")),
    ("guardian", _("Guardian")),
    ("", _("Leave these rows out")),
)
SEVERITIES: Mapping[str, Promise] = {
    Severity.ERROR.value: _("Errors"),
    Severity.WARNING.value: _("Warnings"),
    Severity.NOTE.value: _("Notes"),
}
SEVERITY_TONES = {"error": "bad", "warning": "warn", "note": "info"}
_CODED: Mapping[str, Mapping[Any, Promise]] = {
    "sex": SEXES,
    "relation": RELATIONS,
    "presence": PRESENCE,
}
_GRADES = frozenset({"grade", "grades"})
_DATES = frozenset({"start_date", "end_date", "starts_on", "ends_on", "born_on"})


def value(kind: str, field: str, told: Any, country: str) -> str:
    """A field's value as a person of the school's country reads it; '—' for nothing."""
    if not told and told is not False and told != 0:
        return "—"
    if isinstance(told, bool):
        return gettext("Yes") if told else gettext("No")
    if field in _DATES:
        return date_format(date.fromisoformat(told), "DATE_FORMAT")
    if field in _GRADES:
        codes = told if isinstance(told, list) else [told]
        return ", ".join(grade_and_code(str(code), country, gettext) for code in codes)
    coded = _CODED.get(field) or (CLASS_KINDS if (kind, field) == (Kind.CLASSES.value, "type") else {})
    if told in coded if not isinstance(told, list) else False:
        return str(coded[told])
    return ", ".join(map(str, told)) if isinstance(told, list) else str(told)


def note(line: Mapping[str, Any]) -> str:
    """What stands beside a row's name: its role, its class, whose guardian it is."""
    words = [
        str(names.get(line[name], ""))
        for name, names in (("role", ROLES), ("part", PARTS), ("relation", RELATIONS))
        if name in line
    ]
    words.append(str(line.get("note") or ""))
    return " · ".join(filter(None, words))


def what(finding: Finding) -> str:
    """What was found, in the reader's language."""
    return gettext(FINDING_TEXTS[finding.code][0]) % finding.words


def mend(finding: Finding) -> str:
    """What to do about it, in the reader's language."""
    return gettext(FINDING_TEXTS[finding.code][1]) % finding.words
