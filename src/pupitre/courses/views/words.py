"""The words in which a plan's kinds, fields and values are shown."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from pupitre.courses.rules.findings import FINDING_TEXTS, Finding, Severity
from pupitre.courses.rules.roster import Kind
from pupitre.people.rules import Relation, Role

KINDS: Mapping[str, Promise] = {
    Kind.ORGS.value: _lazy("Departments"),
    Kind.ACADEMIC_SESSIONS.value: _lazy("Academic sessions"),
    Kind.COURSES.value: _lazy("Courses"),
    Kind.CLASSES.value: _lazy("Classes"),
    Kind.USERS.value: _lazy("People"),
    Kind.ROLES.value: _lazy("Roles"),
    Kind.GUARDIANSHIPS.value: _lazy("Guardians"),
    Kind.ENROLMENTS.value: _lazy("Enrolments"),
}
SORTS: Mapping[str, Promise] = {
    "conflict": _lazy("To decide"),
    "changed": _lazy("Changed"),
    "ended": _lazy("Ended"),
    "back": _lazy("Returned"),
    "new": _lazy("New"),
}
#: The tone of a sort's badge.
TONES = {"conflict": "warn", "changed": "info", "ended": "bad", "back": "info", "new": "good"}
FIELDS: Mapping[str, Promise] = {
    "presence": _lazy("Belongs to the school"),
    "name": _lazy("Name"),
    "title": _lazy("Title"),
    "parent": _lazy("Part of"),
    "type": _lazy("Kind"),
    "start_date": _lazy("First day"),
    "end_date": _lazy("Last day"),
    "starts_on": _lazy("First day"),
    "ends_on": _lazy("Last day"),
    "school_year": _lazy("School year"),
    "code": _lazy("Code"),
    "course": _lazy("Course"),
    "session": _lazy("Academic session"),
    "department": _lazy("Department"),
    "terms": _lazy("Academic sessions"),
    "location": _lazy("Place"),
    "grade": _lazy("Grade"),
    "grades": _lazy("Grades"),
    "subjects": _lazy("Subjects"),
    "subject_codes": _lazy("Subject codes"),
    "periods": _lazy("Periods"),
    "identifier": _lazy("Identifier"),
    "username": _lazy("User name"),
    "given_name": _lazy("Given name"),
    "middle_name": _lazy("Middle name"),
    "family_name": _lazy("Family name"),
    "preferred_name": _lazy("Preferred name"),
    "email": _lazy("E-mail"),
    "phone": _lazy("Telephone"),
    "sms": _lazy("Mobile telephone"),
    "sex": _lazy("Sex"),
    "born_on": _lazy("Born on"),
    "birth_place": _lazy("Place of birth"),
    "birth_country": _lazy("Country of birth"),
    "role": _lazy("Role"),
    "roster_role": _lazy("The roster's word for the role"),
    "is_primary": _lazy("Main"),
    "relation": _lazy("Relation"),
    "sourced_id": _lazy("Identifier"),
    "person": _lazy("Person"),
    "class": _lazy("Class"),
}
ROLES: Mapping[int, Promise] = {
    Role.HEAD.value: _lazy("Head"),
    Role.SECRETARY.value: _lazy("Office"),
    Role.TEACHER.value: _lazy("Teacher"),
    Role.AIDE.value: _lazy("Aide"),
    Role.COUNSELLOR.value: _lazy("Counsellor"),
    Role.NURSE.value: _lazy("Nurse"),
    Role.PUPIL.value: _lazy("Pupil"),
    Role.GUARDIAN.value: _lazy("Guardian"),
}
PARTS: Mapping[int, Promise] = {1: _lazy("Pupil"), 2: _lazy("Teacher"), 3: _lazy("Aide")}
RELATIONS: Mapping[int, Promise] = {
    Relation.MOTHER.value: _lazy("Mother"),
    Relation.FATHER.value: _lazy("Father"),
    Relation.GUARDIAN.value: _lazy("Guardian"),
    Relation.GRANDPARENT.value: _lazy("Grandparent"),
    Relation.RELATIVE.value: _lazy("Relative"),
    Relation.OTHER.value: _lazy("Other"),
}
SEXES: Mapping[int, Promise] = {1: _lazy("Female"), 2: _lazy("Male"), 3: _lazy("Other")}
CLASS_KINDS: Mapping[str, Promise] = {"homeroom": _lazy("Form"), "scheduled": _lazy("Taught class")}
PRESENCE: Mapping[str, Promise] = {"active": _lazy("Yes"), "ended": _lazy("No, has left")}
#: The roles that an unknown word may mean; '' leaves the rows out.
ROLE_CHOICES: tuple[tuple[str, Promise], ...] = (
    ("student", _lazy("Pupil")),
    ("teacher", _lazy("Teacher")),
    ("aide", _lazy("Aide")),
    ("principal", _lazy("Head")),
    ("siteAdministrator", _lazy("Office")),
    ("counselor", _lazy("Counsellor")),
    ("nurse", _lazy("Nurse")),
    ("guardian", _lazy("Guardian")),
    ("", _lazy("Leave these rows out")),
)
SEVERITIES: Mapping[str, Promise] = {
    Severity.ERROR.value: _lazy("Errors"),
    Severity.WARNING.value: _lazy("Warnings"),
    Severity.NOTE.value: _lazy("Notes"),
}
SEVERITY_TONES = {"error": "bad", "warning": "warn", "note": "info"}
_CODED: Mapping[str, Mapping[Any, Promise]] = {
    "sex": SEXES,
    "relation": RELATIONS,
    "presence": PRESENCE,
}
_DATES = frozenset({"start_date", "end_date", "starts_on", "ends_on", "born_on"})


def value(kind: str, field: str, told: Any) -> str:
    """A field's value as a person reads it; '—' for nothing."""
    if not told and told is not False and told != 0:
        return "—"
    if isinstance(told, bool):
        return _("Yes") if told else _("No")
    if field in _DATES:
        return date_format(date.fromisoformat(told), "DATE_FORMAT")
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
    return _(FINDING_TEXTS[finding.code][0]) % finding.words


def mend(finding: Finding) -> str:
    """What to do about it, in the reader's language."""
    return _(FINDING_TEXTS[finding.code][1]) % finding.words
