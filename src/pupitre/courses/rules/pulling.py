"""Taking over another system's roster by OneRoster 1.2's rostering service: its answers as the files of an import. Pure.

The files are the importer's own, so that what is pulled goes the way of what is uploaded: the same reading, findings,
preview and rules. They hold no times and stand in order, so that the same roster gives the same bytes.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pupitre.courses.rules.oneroster import AGENT_RELATIONS
from pupitre.courses.rules.rostering.telling import NO_ROLE, RELATIONS
from pupitre.courses.rules.writing import list_cell
from pupitre.kernel.errors import NotFound, Refused

Thing = Mapping[str, Any]
Cells = dict[str, str]

SCOPE: Final = "https://purl.imsglobal.org/spec/or/v1p2/scope/"
#: What is asked for, in this order, until the other system grants it.
SCOPES: Final = (
    f"{SCOPE}roster.readonly {SCOPE}roster-core.readonly {SCOPE}roster-demographics.readonly",
    f"{SCOPE}roster.readonly {SCOPE}roster-core.readonly",
    f"{SCOPE}roster-core.readonly",
)
DEMOGRAPHICS: Final = "demographics"
COLLECTIONS: Final = ("orgs", "academicSessions", "courses", "classes", "users", "enrollments", DEMOGRAPHICS)
#: Kinds of so few rows may change freely, whatever share that is.
_FREE: Final = 3


class Outcome(StrEnum):
    """What came of a pull. The first ones are good news."""

    APPLIED = "applied"
    NOTHING = "nothing"
    WAITS = "waits"
    ERRORS = "errors"
    FORBIDDEN_ADDRESS = "address"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    SLOW = "slow"
    WRONG_SECRET = "secret"  # noqa: S105 - a word
    NO_RIGHTS = "rights"
    STATUS = "status"
    NOT_ONEROSTER = "not-oneroster"
    INCOMPLETE = "incomplete"
    TOO_LARGE = "too-large"

    @property
    def is_failure(self) -> bool:
        return self not in (Outcome.APPLIED, Outcome.NOTHING, Outcome.WAITS)


class PullFailed(Exception):
    """The roster could not be fetched. `detail` is what a technician wants to know."""

    def __init__(self, outcome: Outcome, detail: str = "") -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome, self.detail = outcome, detail[:300]


class NotAnAddress(Refused):
    """Both addresses must begin with https:// and lead to the other system."""


class ClientMissing(Refused):
    """Enter the client id and the secret that the other system has given you."""


class UnfitShare(Refused):
    """The share lies between 0 and 100."""


class NoSource(NotFound):
    """No other system is entered yet."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a school's roster is pulled from."""

    base_url: str
    token_url: str
    client_id: str
    secret: str


def service_of(address: str) -> str:
    """The rostering service's address, also where only the server's or the standard's path was entered."""
    address = address.strip().rstrip("/")
    if address.endswith("/rostering/v1p2"):
        return address
    if address.endswith("/ims/oneroster"):
        return f"{address}/rostering/v1p2"
    has_path = re.fullmatch(r"[a-z]+://[^/]+", address) is None
    return address if has_path else f"{address}/ims/oneroster/rostering/v1p2"


def things_of(payload: object, name: str) -> list[Thing]:
    """The things of a collection's answer. Raises PullFailed for anything that the standard does not know."""
    things = payload.get(name) if isinstance(payload, dict) else None
    if not isinstance(things, list):
        raise PullFailed(Outcome.NOT_ONEROSTER, f"{name}: there is no list “{name}” in the answer")
    for thing in things:
        if (
            not isinstance(thing, dict)
            or not isinstance(thing.get("sourcedId"), str)
            or not thing["sourcedId"]
        ):
            raise PullFailed(Outcome.NOT_ONEROSTER, f"{name}: something has no sourcedId")
    return things


def is_small_enough(kinds: Mapping[str, Mapping[str, int]], share: int) -> bool:
    """Whether a plan's counts (`preview.counts_of`) change and end so little that nobody needs to look."""
    return all(_touched(counts) <= max(_FREE, share * _standing(counts) / 100) for counts in kinds.values())


def _touched(counts: Mapping[str, int]) -> int:
    return counts["changed"] + counts["ended"]


def _standing(counts: Mapping[str, int]) -> int:
    return _touched(counts) + counts["same"] + counts["conflicts"]


# -- the files --------------------------------------------------------------------------------------------------------


def files_of(collections: Mapping[str, Iterable[Thing]]) -> dict[str, bytes]:
    """The import's files, from the things of each collection; without `demographics` that file is absent."""
    files: dict[str, bytes] = {}
    for name, things in collections.items():
        rows = [_head(thing) | _CELLS[name](thing) for thing in sorted(things, key=_key)]
        files[f"{name}.csv"] = _csv(rows, _LEAST[name])
    roles = [row for user in sorted(collections["users"], key=_key) for row in _roles(user)]
    files["roles.csv"] = _csv(roles, _LEAST["roles"])
    names = sorted(name.removesuffix(".csv") for name in files)
    manifest = [("propertyName", "value"), ("manifest.version", "1.0"), ("oneroster.version", "1.2")]
    manifest += [(f"file.{name}", "bulk") for name in names]
    return {"manifest.csv": _written(manifest), **files}


def _key(thing: Thing) -> str:
    return str(thing["sourcedId"])


def _head(thing: Thing) -> Cells:
    """A thing that is to be deleted keeps its mark, so that what belongs to it is told to have lost it."""
    is_gone = thing.get("status") not in (None, "", "active")
    return {"sourcedId": str(thing["sourcedId"]), **({"status": "tobedeleted"} if is_gone else {})}


def _csv(rows: Sequence[Cells], least: Sequence[str]) -> bytes:
    """A column that no row has was not told, and is left out: told to be empty would be something else."""
    header = list(dict.fromkeys([*least, *(name for row in rows for name in row)]))
    fixed, more = header[: len(least)], sorted(header[len(least) :])
    header = [*fixed, *more]
    return _written([header, *([row.get(name, "") for name in header] for row in rows)])


def _written(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode("utf-8", "replace")


def _text(thing: Thing, **columns: str) -> Cells:
    """Columns by the thing's fields that are there."""
    return {column: _plain(thing[field]) for column, field in columns.items() if thing.get(field) is not None}


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\0", "") if isinstance(value, (str, int, float)) else ""


def _list(thing: Thing, *fields: str) -> Cells:
    return {
        field: list_cell([_plain(one) for one in _seq(thing[field])])
        for field in fields
        if _seq(thing.get(field))
    }


def _seq(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _id(value: object) -> str:
    """The identifier in a reference."""
    return _plain(value.get("sourcedId", "")) if isinstance(value, dict) else ""


def _ids(value: object) -> list[str]:
    return list(filter(None, map(_id, _seq(value))))


def _ref(thing: Thing, **columns: str) -> Cells:
    return {column: found for column, field in columns.items() if (found := _id(thing.get(field)))}


def _org(org: Thing) -> Cells:
    return {
        **_text(org, name="name", type="type", identifier="identifier"),
        **_ref(org, parentSourcedId="parent"),
    }


def _session(session: Thing) -> Cells:
    names = ("title", "type", "startDate", "endDate", "schoolYear")
    return {**_text(session, **{name: name for name in names}), **_ref(session, parentSourcedId="parent")}


def _course(course: Thing) -> Cells:
    return {
        **_text(course, title="title", courseCode="courseCode"),
        **_ref(course, schoolYearSourcedId="schoolYear", orgSourcedId="org"),
        **_list(course, "grades", "subjects", "subjectCodes"),
    }


def _class(klass: Thing) -> Cells:
    return {
        **_text(klass, title="title", classCode="classCode", classType="classType", location="location"),
        **_ref(klass, courseSourcedId="course", schoolSourcedId="school"),
        "termSourcedIds": list_cell(_ids(klass.get("terms"))),
        **_list(klass, "grades", "subjects", "subjectCodes", "periods"),
    }


def _user(user: Thing) -> Cells:
    """Passwords and profiles are never taken over."""
    names = (
        "enabledUser",
        "username",
        "givenName",
        "familyName",
        "middleName",
        "identifier",
        "email",
        "sms",
        "phone",
    )
    agents = _ids(user.get("agents"))
    metadata = user.get("metadata")
    relations = _seq(metadata.get(RELATIONS)) if isinstance(metadata, dict) else []
    return {
        **_text(user, **{name: name for name in names}, preferredGivenName="preferredFirstName"),
        **_text(user, userMasterIdentifier="userMasterIdentifier", pronouns="pronouns"),
        **_text(user, preferredMiddleName="preferredMiddleName", preferredFamilyName="preferredLastName"),
        **_ref(user, primaryOrgSourcedId="primaryOrg"),
        **_list(user, "grades"),
        "agentSourcedIds": list_cell(agents),
        **(
            {AGENT_RELATIONS: list_cell([_plain(one) for one in relations])}
            if len(relations) == len(agents) > 0
            else {}
        ),
    }


def _roles(user: Thing) -> Iterator[Cells]:
    if _head(user).get("status"):
        return
    used: set[str] = set()
    for role in _seq(user.get("roles")):
        word, org = (
            _plain(role.get("role")) if isinstance(role, dict) else "",
            _id(role.get("org")) if isinstance(role, dict) else "",
        )
        key = f"{user['sourcedId']}:{word}:{org}"
        if not word or word == NO_ROLE or key in used:
            continue
        used.add(key)
        yield {
            "sourcedId": key,
            "userSourcedId": _key(user),
            "orgSourcedId": org,
            **_text(role, role="role", roleType="roleType", beginDate="beginDate", endDate="endDate"),
        }


def _enrolment(enrolment: Thing) -> Cells:
    return {
        **_ref(enrolment, classSourcedId="class", schoolSourcedId="school", userSourcedId="user"),
        **_text(enrolment, role="role", primary="primary", beginDate="beginDate", endDate="endDate"),
    }


def _demographics(person: Thing) -> Cells:
    """Race and ethnicity are left where they are."""
    names = ("birthDate", "sex", "countryOfBirthCode", "stateOfBirthAbbreviation", "cityOfBirth")
    return _text(person, **{name: name for name in names})


_CELLS: Final = {
    "orgs": _org,
    "academicSessions": _session,
    "courses": _course,
    "classes": _class,
    "users": _user,
    "enrollments": _enrolment,
    DEMOGRAPHICS: _demographics,
}
#: Columns that a file has even without a row.
_LEAST: Final[Mapping[str, tuple[str, ...]]] = {
    "orgs": ("sourcedId", "name", "type", "identifier", "parentSourcedId"),
    "academicSessions": (
        "sourcedId",
        "title",
        "type",
        "startDate",
        "endDate",
        "parentSourcedId",
        "schoolYear",
    ),
    "courses": ("sourcedId", "title", "courseCode", "orgSourcedId"),
    "classes": (
        "sourcedId",
        "title",
        "grades",
        "courseSourcedId",
        "classType",
        "schoolSourcedId",
        "termSourcedIds",
    ),
    "users": ("sourcedId", "enabledUser", "username", "givenName", "familyName", "agentSourcedIds"),
    "roles": ("sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId"),
    "enrollments": ("sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId", "role"),
    DEMOGRAPHICS: ("sourcedId", "birthDate", "sex"),
}
