"""The documentation for administrators of other systems: how to connect, and every operation, out of the description itself."""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_safe

from pupitre.connections.actions.metering import PER_MINUTE
from pupitre.connections.description import described, example_of, operations
from pupitre.connections.rules.prose import Block, blocks_of, pieces_of
from pupitre.kernel.errors import NotFound
from pupitre.people.access import open_to_all
from pupitre.web.pages import render

#: Pages in words, each a file of data/connect; some of them stand in docs/connect, too.
PROSE: Final[Mapping[str, str | Promise]] = {
    "start": lazy("Start"),
    "standards": lazy("Standards"),
    "oneroster": "OneRoster",
    "scim": "SCIM",
    "sign-in": lazy("Sign-in"),
    "webhooks": "Webhooks",
}
#: What the files call the installation's address.
_SAMPLES: Final = ("https://pupitre.example", "https://school.example.org")
_METHODS: Final = {"get": "info", "post": "good", "put": "warn", "patch": "warn", "delete": "bad"}


@open_to_all
@require_safe
def guide(request: HttpRequest, page: str = "start") -> HttpResponse:
    """A page in words, or the operations of one part of the API."""
    if page in _pages():
        facts = {"blocks": _prose(page), "tabs": _tabs(page)}
        return render(request, "connections/guide.html", facts)
    part = _parts().get(page)
    if part is None:
        raise NotFound
    return render(request, "connections/guide_part.html", {**part, "tabs": _tabs(page)})


def _tabs(current: str) -> list[dict[str, Any]]:
    names = {slug: PROSE[slug] for slug in _pages()}
    parts = {slug: part["name"] for slug, part in _parts().items()}
    return [
        {"label": name, "href": _where(slug), "current": slug == current}
        for slug, name in (names | parts).items()
    ]


def _where(slug: str) -> str:
    return reverse("connect") if slug == "start" else reverse("connect-page", kwargs={"page": slug})


def _file(page: str) -> Any:
    return files("pupitre.connections").joinpath(f"data/connect/{page}.md")


@lru_cache(maxsize=1)
def _pages() -> tuple[str, ...]:
    return tuple(page for page in PROSE if _file(page).is_file())


@lru_cache(maxsize=8)
def _prose(page: str) -> tuple[Block, ...]:
    text: str = _file(page).read_text(encoding="utf-8")
    told = {"site": settings.CONFIG.base_url, "per_minute": str(PER_MINUTE)}
    for name, value in told.items():
        text = text.replace("{{" + name + "}}", value)
    for sample in _SAMPLES:
        text = text.replace(sample, settings.CONFIG.base_url)
    return blocks_of(text)


@lru_cache(maxsize=1)
def _parts() -> dict[str, dict[str, Any]]:
    """The operations by part of the API, each ready to be shown. Made once."""
    schema = described()
    found: dict[str, dict[str, Any]] = {}
    for path, method, operation in operations(schema):
        (name,) = operation["tags"]
        part = found.setdefault(name.lower().replace(" ", "-"), {"name": name, "operations": []})
        part["operations"].append(_operation(path, method, operation, schema["components"]["schemas"]))
    return found


def _operation(
    path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> dict[str, Any]:
    body = _body(operation, schemas)
    status, answer = next((s, a) for s, a in operation["responses"].items() if s.startswith("2"))
    content = next(iter(answer.get("content", {}).items()), None)
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "tone": _METHODS[method],
        "path": path,
        "paragraphs": [pieces_of(one) for one in operation["description"].split("\n\n")],
        "scope": operation["x-scope"],
        "parameters": [_parameter(one) for one in operation["parameters"] if one["in"] != "header"],
        "is_write": method != "get",
        "fields": body["fields"],
        "curl": _curl(path, method, operation, body),
        "status": status,
        "answer": _shown(content[1]["example"]) if content and "json" in content[0] else "",
        "media": content[0] if content else "",
        "answer_fields": _fields(content[1]["schema"], schemas) if content else [],
    }


def _parameter(facts: Mapping[str, Any]) -> dict[str, Any]:
    schema = facts["schema"]
    return {
        "name": facts["name"],
        "where": facts["in"],
        "kind": _kind(schema),
        "required": facts["required"],
        "about": facts["description"],
        "usual": schema.get("default", ""),
    }


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value is, in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f'"{one}"' for one in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    if schema.get("type") == "array":
        return f"{_kind(schema['items'])}[]"
    return str(schema.get("format") or schema.get("type", "any"))


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of an object, or of the rows of a list."""
    if "items" in schema:
        return _fields(schema["items"], schemas)
    if "$ref" in schema:
        found = schemas[schema["$ref"].rpartition("/")[2]]
        rows = found.get("properties", {}).get("items") if "next" in found.get("properties", {}) else None
        return _fields(rows or found, schemas)
    required = schema.get("required", [])
    return [
        {"name": name, "kind": _kind(one), "about": one.get("description", ""), "required": name in required}
        for name, one in schema.get("properties", {}).items()
    ]


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    for kind, facts in content.items():
        return {
            "kind": kind,
            "fields": _fields(facts["schema"], schemas),
            "example": facts.get("example") or example_of(facts["schema"], schemas),
        }
    return {"kind": "", "fields": [], "example": None}


def _curl(path: str, method: str, operation: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    for one in operation["parameters"]:
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", str(one["example"]))
    lines = [f"curl {settings.CONFIG.base_url}{path}"]
    if method != "get":
        lines[0] = f"curl -X {method.upper()} {settings.CONFIG.base_url}{path}"
    lines.append('-H "Authorization: Bearer $SECRET"')
    if method != "get":
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if body["kind"] == "multipart/form-data":
        lines.append("-F file=@roster.zip")
    elif body["kind"]:
        lines += ['-H "Content-Type: application/json"', f"-d '{_shown(body['example'])}'"]
    return " \\\n  ".join(lines)


def _shown(example: Any) -> str:
    return json.dumps(example, ensure_ascii=False, indent=1)
