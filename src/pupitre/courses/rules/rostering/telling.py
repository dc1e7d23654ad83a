"""A row of the database as the rostering service tells it, and errors as it words them. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import quote

from pupitre.courses.rules.facts import RELATION_OF, SEX_WORDS, WORD_IN_CLASS, WORD_OF
from pupitre.courses.rules.roster import RosterRole
from pupitre.people.rules import Relation, Role

from .resources import CLASSES, COURSES, DEMOGRAPHICS, ENROLMENTS, ORGS, SESSIONS, USERS, Resource

Row = Mapping[str, Any]
Told = dict[str, Any]

#: The school's own extension of a user: what each of `agents` is to the pupil of the two, in the same order.
RELATIONS: Final = "pupitre.agentRelations"
#: A user must have a role; who has none in the school is told as this.
NO_ROLE: Final = "ext:none"
_ROLES: Final = {role.value for role in RosterRole} - {"administrator", "nurse", "staff"}
_ENROLMENT_ROLES: Final = frozenset({"administrator", "proctor", "student", "teacher"})
_SESSION_TYPES: Final = frozenset({"gradingPeriod", "semester", "schoolYear", "term"})


def _extended(word: str, known: frozenset[str] | set[str]) -> str:
    return word if word in known else f"ext:{word}"


#: Every word of a roster for a role, as the service tells it; and the usual one for each of ours.
ROLE_WORDS: Final = {role.value: _extended(role.value, _ROLES) for role in RosterRole}
USUAL_ROLES: Final = {role.value: ROLE_WORDS[word.value] for role, word in WORD_OF.items()}
IN_CLASS_WORDS: Final = {role.value: _extended(role.value, _ENROLMENT_ROLES) for role in RosterRole}
USUAL_IN_CLASS: Final = {number: IN_CLASS_WORDS[word.value] for number, word in WORD_IN_CLASS.items()}
SESSION_WORDS: Final = {word: word for word in _SESSION_TYPES}
SEXES: Final = dict(SEX_WORDS)
STUDENT_ROLE, TEACHER_ROLE = Role.PUPIL.value, Role.TEACHER.value


class Telling:
    """Tells rows with references below `base`, the service's own address."""

    def __init__(self, base: str) -> None:
        self._base = base

    def of(self, resource: Resource, row: Row, fields: frozenset[str]) -> Told:
        """One thing, by these fields. What is empty and need not be told is left out."""
        told = {
            "sourcedId": row["sourcedId"],
            "status": row["status"],
            "dateLastModified": _moment(row["dateLastModified"]),
            **_TELLERS[resource.one](self, row),
        }
        return {name: told[name] for name in told if name in fields}

    def ref(self, kind: str, sourced_id: str) -> Told:
        many = _PLACES[kind]
        return {
            "href": f"{self._base}/{many}/{quote(sourced_id, safe='')}",
            "sourcedId": sourced_id,
            "type": kind,
        }

    def refs(self, kind: str, sourced_ids: Sequence[str]) -> list[Told]:
        return [self.ref(kind, one) for one in sourced_ids]

    def maybe(self, name: str, kind: str, sourced_id: str | None) -> Told:
        return {name: self.ref(kind, sourced_id)} if sourced_id else {}


_PLACES: Final = {
    "academicSession": "academicSessions",
    "org": "orgs",
    "course": "courses",
    "class": "classes",
    "user": "users",
}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _some(row: Row, *names: str) -> Told:
    """The fields that are not empty."""
    return {name: row[name] for name in names if row[name]}


def _day(row: Row, *names: str) -> Told:
    return {name: row[name].isoformat() for name in names if isinstance(row[name], date)}


def _session(to: Telling, row: Row) -> Told:
    return {
        **{name: row[name] for name in ("title", "type", "schoolYear")},
        **_day(row, "startDate", "endDate"),
        **to.maybe("parent", "academicSession", row["parent.sourcedId"]),
        "children": to.refs("academicSession", row["children.sourcedId"]),
    }


def _org(to: Telling, row: Row) -> Told:
    return {
        **{name: row[name] for name in ("name", "type", "identifier")},
        **to.maybe("parent", "org", row["parent.sourcedId"]),
        "children": to.refs("org", row["children.sourcedId"]),
    }


def _lists(row: Row, *names: str) -> Told:
    return {name: list(row[name]) for name in names}


def _course(to: Telling, row: Row) -> Told:
    return {
        "title": row["title"],
        "courseCode": row["courseCode"],
        **to.maybe("schoolYear", "academicSession", row["schoolYear.sourcedId"]),
        **to.maybe("org", "org", row["org.sourcedId"]),
        **_lists(row, "grades", "subjects", "subjectCodes"),
    }


def _class(to: Telling, row: Row) -> Told:
    return {
        **{name: row[name] for name in ("title", "classType")},
        **_some(row, "classCode", "location"),
        "course": to.ref("course", row["course.sourcedId"]),
        "school": to.ref("org", row["school.sourcedId"]),
        "terms": to.refs("academicSession", row["terms.sourcedId"]),
        **_lists(row, "grades", "subjects", "subjectCodes", "periods"),
    }


def _user(to: Telling, row: Row) -> Told:
    roles = [_role(to, one) for one in row["roles"]]
    relations = [RELATION_OF[Relation(number)].value for number in row["relations"]]
    school = to.ref("org", row["school"])
    return {
        **{name: row[name] for name in ("username", "enabledUser", "givenName", "familyName")},
        **_some(row, "middleName", "preferredFirstName", "identifier", "email", "sms", "phone"),
        "roles": roles or [{"roleType": "primary", "role": NO_ROLE, "org": school}],
        "primaryOrg": school,
        "agents": to.refs("user", row["agents.sourcedId"]),
        **_lists(row, "grades"),
        **({"metadata": {RELATIONS: relations}} if relations else {}),
    }


def _role(to: Telling, role: Mapping[str, Any]) -> Told:
    told = {
        "roleType": "primary" if role["primary"] else "secondary",
        "role": role["role"],
        "org": to.ref("org", role["org"]),
    }
    dates = {name: role[name] for name in ("beginDate", "endDate") if role[name]}
    return {**told, **dates}


def _enrolment(to: Telling, row: Row) -> Told:
    return {
        "user": to.ref("user", row["user.sourcedId"]),
        "class": to.ref("class", row["class.sourcedId"]),
        "school": to.ref("org", row["school.sourcedId"]),
        "role": row["role"],
        **_some(row, "primary"),
        **_day(row, "beginDate", "endDate"),
    }


def _demographics(_to: Telling, row: Row) -> Told:
    return {**_day(row, "birthDate"), **_some(row, "sex", "countryOfBirthCode", "cityOfBirth")}


_TELLERS: Final[Mapping[str, Callable[[Telling, Row], Told]]] = {
    SESSIONS.one: _session,
    ORGS.one: _org,
    COURSES.one: _course,
    CLASSES.one: _class,
    USERS.one: _user,
    ENROLMENTS.one: _enrolment,
    DEMOGRAPHICS.one: _demographics,
}


# -- errors -----------------------------------------------------------------------------------------------------------

#: The service's minor code for a status; what was asked wrongly is told more exactly by `status_info`'s caller.
_MINOR: Final = {
    400: "invaliddata",
    401: "unauthorisedrequest",
    403: "forbidden",
    404: "unknownobject",
    405: "invaliddata",
    422: "invaliddata",
    429: "server_busy",
    503: "server_busy",
}


def status_info(status: int, description: str, minor: str = "") -> Told:
    """The standard's payload for a failed request."""
    value = minor or _MINOR.get(status, "internal_server_error")
    field = {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": value}
    return {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": description,
        "imsx_CodeMinor": {"imsx_codeMinorField": [field]},
    }
