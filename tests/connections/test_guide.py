"""Whoever connects another system reads how, without signing in: in words, and every operation out of the description."""

import pytest
from django.test import Client
from django.urls import reverse

from pupitre.connections.description import described, example_of, operations
from pupitre.connections.rules.prose import blocks_of
from tests.cast import Cast
from tests.conftest import Visitor

PAGES = (
    "people",
    "classes",
    "rosters",
    "timetable",
    "registers",
    "absences",
    "figures",
    "notices",
    "devices",
    "device-policies",
    "device-loans",
    "device-applications",
)


def test_everybody_reads_how_to_begin(cast: Cast, visit: Visitor) -> None:
    for browser in (Client(), visit.as_(cast.secretary), visit.as_(cast.mother)):
        text = browser.get(reverse("connect")).content.decode()
        assert "Idempotency-Key" in text
        assert "1200 requests a minute" in text
        assert "{{" not in text
        assert "/oauth/token" in browser.get("/connect/standards").content.decode()


def test_every_operation_is_on_a_page_with_an_example(cast: Cast) -> None:
    shown = "".join(Client().get(f"/connect/{page}").content.decode() for page in PAGES)
    for path, method, operation in operations(described()):
        assert f'id="{operation["operationId"]}"' in shown
        assert f"{method.upper()} {path}" in shown
        assert operation["x-scope"] in shown
    assert "{person}/roles/" in shown
    assert "/people/4711" in shown


def test_what_stands_in_the_docs_is_read_in_the_product_too(cast: Cast) -> None:
    for page in ("oneroster", "sign-in"):
        text = Client().get(f"/connect/{page}").content.decode()
        assert "<table" in text
        assert "pupitre.example" not in text
        assert "school.example.org" not in text


def test_there_is_no_other_page(cast: Cast) -> None:
    assert Client().get("/connect/nothing").status_code == 404
    assert Client().post("/connect").status_code == 405


def test_programs_read_the_description(cast: Cast) -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert answer.json()["openapi"] == "3.1.0"
    again = Client().get("/api/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_every_schema_and_operation_has_an_example_that_fits() -> None:
    import jsonschema_rs

    schema = described()
    parts = schema["components"]["schemas"]
    for name, one in parts.items():
        validator = jsonschema_rs.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        )
        assert "examples" in one or "enum" in one, name
        validator.validate(example_of(one, parts))
        for field, facts in one.get("properties", {}).items():
            assert facts.get("description"), (name, field)
    for path, method, operation in operations(schema):
        assert operation["description"], path
        for content in (operation.get("requestBody", {}), *operation["responses"].values()):
            for facts in content.get("content", {}).values():
                assert "example" in facts, (path, method)
        for parameter in operation["parameters"]:
            assert "example" in parameter, (path, parameter["name"])
            assert parameter["description"], (path, parameter["name"])


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("# A\n\nb *c* `d`\n\n## E f", ["title", "text", "heading"]),
        ("- a\n- b\n  c\n\n```\nx\n\ny\n```", ["list", "code"]),
        (
            "### A\n\n1. b\n2. c\n\n    code\n\n| a | b |\n|---|---|\n| `c` | |",
            ["subheading", "steps", "code", "table"],
        ),
    ],
)
def test_signs_of_markdown_are_understood(text: str, kinds: list[str]) -> None:
    assert [block.kind for block in blocks_of(text)] == kinds
