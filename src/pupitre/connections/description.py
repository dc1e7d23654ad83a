"""What django-ninja's OpenAPI lacks: scopes by operation, errors, paging and idempotency headers, and examples everywhere."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ninja import NinjaAPI

from .access import SCOPE
from .rules import Scope

#: What the numbers and days in addresses are, with an example of each.
PLACES: Final[Mapping[str, tuple[str, Any]]] = {
    "person": ("A person's number.", 4711),
    "guardian": ("The number of the adult.", 5822),
    "role": ("The number of a person's role.", 12),
    "class_id": ("A class's number.", 31),
    "enrolment": ("An enrolment's number.", 977),
    "roster": ("The number of an import.", 12),
    "room": ("A room's number.", 14),
    "exception": ("The number of an exception of the calendar.", 5),
    "lesson": ("The number of a lesson of every week.", 610),
    "on": ("A date.", "2026-10-13"),
    "absence": ("An absence's number.", 451),
    "notice": ("A notice's number.", 88),
    "device": ("A device's number.", 512),
    "ticket": ("The number of an enrolment ticket.", 7),
    "command": ("The number of a command.", 91),
    "policy": ("The number of a policy for devices.", 7),
    "version": ("The number of a version.", 3),
    "assignment": ("The number of an assignment of a policy.", 12),
    "rule": ("The number of a lesson rule.", 5),
    "lease": ("The number of a lease.", 3),
    "loan": ("The number of a loan.", 31),
    "incident": ("The number of a report.", 9),
    "rollout": ("The number of a rollout.", 3),
}
ERRORS: Final[Mapping[str, tuple[str, str]]] = {
    "400": ("The request is not understood; `errors` says where.", "The request is not understood."),
    "401": (
        "No token, or one that does not let in.",
        "The token is missing, wrong, revoked or has expired.",
    ),
    "403": ("The connection lacks the scope.", "The connection lacks the scope people:read."),
    "404": ("Not there, or not this school's.", "There is nothing here, or it is not yours to see."),
    "409": ("Somebody else was faster.", "This register is closed. Reopen it to correct it."),
    "413": ("The body is too large.", "This is too large."),
    "415": ("The body is of another kind.", "The body must be application/json."),
    "422": ("Understood, and not possible.", "The last day lies before the first."),
    "429": ("Too many requests in this minute.", "Too many requests. Wait a little and try again."),
    "503": ("The database cannot be reached for a moment.", "Please try again in a few seconds."),
}
_ALWAYS: Final = ("400", "401", "403", "404", "422", "429", "503")
_WRITING: Final = ("409", "413", "415")
_WRITES: Final = frozenset({"post", "put", "patch", "delete"})
_LIMITS: Final = {
    "RateLimit-Limit": ("How many requests a minute the connection may make.", 1200),
    "RateLimit-Remaining": ("How many of them are left.", 1187),
    "RateLimit-Reset": ("In how many seconds the minute ends.", 42),
}
_PROBLEM: Final = {
    "title": "Problem",
    "description": "An error (RFC 9457).",
    "type": "object",
    "required": ["type", "status", "title"],
    "properties": {
        "type": {"type": "string", "description": "Always about:blank.", "examples": ["about:blank"]},
        "status": {"type": "integer", "description": "HTTP's status.", "examples": [404]},
        "title": {
            "type": "string",
            "description": "What is wrong, in the language of `Accept-Language`.",
            "examples": ["There is nothing here, or it is not yours to see."],
        },
        "errors": {
            "type": "array",
            "description": "What the request's description forbids, and where.",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "`#/marks/0/code` in the body, `?limit` in the query, else a name.",
                        "examples": ["?limit"],
                    },
                    "message": {
                        "type": "string",
                        "description": "What is wrong there.",
                        "examples": ["must be a whole number in digits"],
                    },
                },
                "examples": [{"pointer": "?limit", "message": "must be a whole number in digits"}],
            },
        },
    },
    "examples": [{"type": "about:blank", "status": 404, "title": "There is nothing here."}],
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A text of your own for this write. Sent again within 24 hours it is answered alike and done once.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "example": "9f1c2a4e-register-610-2026-10-13",
}


_describers: list[Callable[[], dict[str, Any]]] = []


def learn(describe: Callable[[], dict[str, Any]]) -> None:
    """Only the composition root knows all operations: it says here who describes them."""
    _describers[:] = [describe]


def described() -> dict[str, Any]:
    """The API of the product in OpenAPI 3.1."""
    (describe,) = _describers
    return describe()


def scopes_by_operation(api: NinjaAPI) -> dict[str, Scope]:
    """Which scope each operation asks for, by its operationId."""
    found: dict[str, Scope] = {}
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                for auth in operation.auth_callbacks:
                    found[api.get_openapi_operation_id(operation)] = getattr(auth, SCOPE)
    return found


def completed(schema: Mapping[str, Any], scopes: Mapping[str, Scope]) -> dict[str, Any]:
    """The description with everything that holds for all operations."""
    told: dict[str, Any] = {**schema, "servers": [{"url": "/", "description": "This installation."}]}
    told["info"] = {**told["info"], "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}
    parts = told["components"] = {**told["components"]}
    parts["schemas"] = {**parts["schemas"], "Problem": _PROBLEM}
    parts["responses"] = {f"Problem{status}": _problem(status) for status in ERRORS}
    parts["headers"] = {name: _header(*facts) for name, facts in _LIMITS.items()}
    parts["securitySchemes"] = _schemes(scopes)
    for _path, method, operation in operations(told):
        _complete(operation, method, scopes[operation["operationId"]], parts["schemas"])
    used = set(_used(told["paths"], parts["schemas"])) | set(_used(parts["responses"], parts["schemas"]))
    parts["schemas"] = {name: parts["schemas"][name] for name in sorted(used)}
    return told


def _used(part: Any, schemas: Mapping[str, Any]) -> Iterator[str]:
    """The schemas that something refers to, and those that they refer to."""
    if isinstance(part, list):
        for one in part:
            yield from _used(one, schemas)
    elif isinstance(part, Mapping):
        name = str(part.get("$ref", "")).removeprefix("#/components/schemas/")
        if name in schemas:
            yield name
            yield from _used(schemas[name], schemas)
        for one in part.values():
            yield from _used(one, schemas)


def operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation with its address and method."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _schemes(scopes: Mapping[str, Scope]) -> dict[str, Any]:
    names = {scope.value: scope.value.replace(":", ": ") for scope in sorted(set(scopes.values()))}
    return {
        "secret": {
            "type": "http",
            "scheme": "bearer",
            "description": "The connection's secret, or an access token that was given for it.",
        },
        "token": {
            "type": "oauth2",
            "description": "An access token for an hour, for a connection's number and secret.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": names}},
        },
    }


def _complete(operation: dict[str, Any], method: str, scope: Scope, schemas: Mapping[str, Any]) -> None:
    operation["security"] = [{"secret": []}, {"token": [scope.value]}]
    operation["x-scope"] = scope.value
    for parameter in operation["parameters"]:
        _complete_parameter(parameter)
    if method in _WRITES:
        operation["parameters"] = [*operation["parameters"], _KEY]
    answers = {str(status): answer for status, answer in operation["responses"].items()}
    for answer in answers.values():
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _LIMITS}
        _exemplify(answer.get("content", {}), schemas)
    _exemplify(operation.get("requestBody", {}).get("content", {}), schemas)
    for status in (*_ALWAYS, *(_WRITING if method in _WRITES else ())):
        answers[status] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(answers.items()))


def _complete_parameter(parameter: dict[str, Any]) -> None:
    """OpenAPI's `examples` of a parameter are named; its schema's are a list, as JSON Schema has them."""
    examples = parameter.pop("examples", None)
    if parameter["in"] == "path":
        parameter["description"], example = PLACES[parameter["name"]]
        examples = [example]
    if examples:
        parameter["example"] = examples[0]
    parameter["schema"] = _present(parameter["schema"])


def _present(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The kind of a parameter that is there: an address knows no null, what is not said is left out."""
    told = {name: value for name, value in schema.items() if name not in {"anyOf", "title"}}
    (kind,) = [one for one in schema.get("anyOf", [{}]) if one.get("type") != "null"]
    if told.get("default", ...) is None:
        del told["default"]
    return {**kind, **told}


def _exemplify(content: Mapping[str, Any], schemas: Mapping[str, Any]) -> None:
    for kind, facts in content.items():
        if "example" not in facts:
            facts["example"] = example_of(facts["schema"], schemas, kind)


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], kind: str = "") -> Any:
    """The example of a schema: its own, or that of what it refers to."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    if schema.get("type") == "object":
        return {name: example_of(one, schemas) for name, one in schema.get("properties", {}).items()}
    return "(bytes)"


def _problem(status: str) -> dict[str, Any]:
    description, title = ERRORS[status]
    example: dict[str, Any] = {"type": "about:blank", "status": int(status), "title": title}
    if status == "400":
        example["errors"] = [{"pointer": "?limit", "message": "must be a whole number in digits"}]
    facts: dict[str, Any] = {
        "description": description,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": example,
            }
        },
    }
    if status in ("429", "503"):
        facts["headers"] = {"Retry-After": _header("After how many seconds it is worth trying again.", 5)}
    return facts


def _header(description: str, example: int) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer"}, "example": example}
