"""The shapes of OneRoster 1.2's rostering service, written by hand from the facts of its OpenAPI description."""

from typing import Any

import jsonschema_rs

STRING = {"type": "string"}
DATE = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"}
FLAG = {"enum": ["true", "false"]}
LIST = {"type": "array", "items": STRING}


def vocabulary(*words: str) -> dict[str, Any]:
    return {"anyOf": [{"enum": list(words)}, {"type": "string", "pattern": r"^ext:[a-zA-Z0-9.\-_]+$"}]}


def closed(required: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def ref(kind: str) -> dict[str, Any]:
    href = {"type": "string", "pattern": "^https?://"}
    return closed("href sourcedId type", {"href": href, "sourcedId": STRING, "type": {"enum": [kind]}})


def refs(kind: str, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": ref(kind), "minItems": least}


def thing(required: str, properties: dict[str, Any]) -> dict[str, Any]:
    head = {
        "sourcedId": STRING,
        "status": {"enum": ["active", "tobedeleted"]},
        "dateLastModified": MOMENT,
        "metadata": {"type": "object"},
    }
    return closed(f"sourcedId status dateLastModified {required}", {**head, **properties})


SESSION = thing(
    "title startDate endDate type schoolYear",
    {
        "title": STRING,
        "startDate": DATE,
        "endDate": DATE,
        "type": vocabulary("gradingPeriod", "semester", "schoolYear", "term"),
        "parent": ref("academicSession"),
        "children": refs("academicSession"),
        "schoolYear": {"type": "string", "pattern": r"^\d{4}$"},
    },
)
ORG = thing(
    "name type identifier",
    {
        "name": STRING,
        "type": vocabulary("department", "district", "local", "national", "school", "state"),
        "identifier": STRING,
        "parent": ref("org"),
        "children": refs("org"),
    },
)
COURSE = thing(
    "title courseCode",
    {
        "title": STRING,
        "schoolYear": ref("academicSession"),
        "courseCode": STRING,
        "grades": LIST,
        "subjects": LIST,
        "org": ref("org"),
        "subjectCodes": LIST,
        "resources": refs("resource"),
    },
)
CLASS = thing(
    "title course school terms",
    {
        "title": STRING,
        "classCode": STRING,
        "classType": vocabulary("homeroom", "scheduled"),
        "location": STRING,
        "grades": LIST,
        "subjects": LIST,
        "course": ref("course"),
        "school": ref("org"),
        "terms": refs("academicSession", 1),
        "subjectCodes": LIST,
        "periods": LIST,
        "resources": refs("resource"),
    },
)
ROLE = closed(
    "roleType role org",
    {
        "roleType": {"enum": ["primary", "secondary"]},
        "role": vocabulary(
            *[
                "aide",
                "counselor",
                "districtAdministrator",
                "guardian",
                "parent",
                "principal",
                "proctor",
                "relative",
            ],
            *["siteAdministrator", "student", "systemAdministrator", "teacher"],
        ),
        "org": ref("org"),
        "userProfile": STRING,
        "beginDate": DATE,
        "endDate": DATE,
    },
)
USER = thing(
    "enabledUser givenName familyName roles",
    {
        **dict.fromkeys(
            ["userMasterIdentifier", "username", "givenName", "familyName", "middleName"], STRING
        ),
        **dict.fromkeys(
            ["preferredFirstName", "preferredMiddleName", "preferredLastName", "pronouns"], STRING
        ),
        **dict.fromkeys(["identifier", "email", "sms", "phone"], STRING),
        "enabledUser": FLAG,
        "userIds": {"type": "array"},
        "roles": {"type": "array", "items": ROLE, "minItems": 1},
        "userProfiles": {"type": "array"},
        "primaryOrg": ref("org"),
        "agents": refs("user"),
        "grades": LIST,
        "resources": refs("resource"),
    },
)
ENROLMENT = thing(
    "user class school role",
    {
        "user": ref("user"),
        "class": ref("class"),
        "school": ref("org"),
        "role": vocabulary("administrator", "proctor", "student", "teacher"),
        "primary": FLAG,
        "beginDate": DATE,
        "endDate": DATE,
    },
)
DEMOGRAPHICS = thing(
    "",
    {
        "birthDate": DATE,
        "sex": vocabulary("male", "female", "unspecified", "other"),
        "countryOfBirthCode": STRING,
        "stateOfBirthAbbreviation": STRING,
        "cityOfBirth": STRING,
    },
)
STATUS_INFO = closed(
    "imsx_codeMajor imsx_severity",
    {
        "imsx_codeMajor": {"enum": ["success", "processing", "failure", "unsupported"]},
        "imsx_severity": {"enum": ["status", "warning", "error"]},
        "imsx_description": STRING,
        "imsx_CodeMinor": closed(
            "imsx_codeMinorField",
            {
                "imsx_codeMinorField": {
                    "type": "array",
                    "minItems": 1,
                    "items": closed(
                        "imsx_codeMinorFieldName imsx_codeMinorFieldValue",
                        {
                            "imsx_codeMinorFieldName": STRING,
                            "imsx_codeMinorFieldValue": {
                                "enum": [
                                    *("fullsuccess", "invalid_filter_field", "invalid_selection_field"),
                                    *("invaliddata", "unauthorisedrequest", "forbidden", "server_busy"),
                                    *("unknownobject", "internal_server_error"),
                                ]
                            },
                        },
                    ),
                }
            },
        ),
    },
)
BY_NAME = {
    "academicSession": SESSION,
    "org": ORG,
    "course": COURSE,
    "class": CLASS,
    "user": USER,
    "enrollment": ENROLMENT,
    "demographics": DEMOGRAPHICS,
}


def check(schema: dict[str, Any], value: Any) -> None:
    jsonschema_rs.validate(schema, value)


def check_payload(one: str, many: str, payload: dict[str, Any], *, single: bool) -> None:
    """A payload holds one thing or a collection under the standard's name, and nothing else."""
    if single:
        check(closed(one, {one: BY_NAME[one]}), payload)
    else:
        check(closed(many, {many: {"type": "array", "items": BY_NAME[one]}}), payload)
