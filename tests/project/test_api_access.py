"""Who gets in: each operation asks for its own scope, of the token's own school, and says no in problem+json."""

from typing import Any

import pytest

from pupitre.connections import actions
from pupitre.connections.description import PLACES, operations
from pupitre.connections.rules import Scope
from pupitre.kernel import clock
from pupitre.project.api import described
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.project.api import connected

OPERATIONS = [
    (method.upper(), path.removeprefix("/api/v1"), Scope(operation["x-scope"]))
    for path, method, operation in operations(described())
]


def sample(path: str) -> str:
    for name, (_description, example) in PLACES.items():
        path = path.replace("{" + name + "}", str(example))
    return path


def is_problem(answer: Any, status: int) -> bool:
    facts = answer.json()
    return (
        answer.status_code == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and facts["status"] == status
        and bool(facts["title"])
    )


@pytest.mark.parametrize(("method", "path", "asked"), OPERATIONS)
def test_an_operation_asks_for_its_scope(cast: Cast, method: str, path: str, asked: Scope) -> None:
    others = connected(cast.school, *(set(Scope) - {asked}))
    refused = others.ask(method, sample(path), {})
    assert is_problem(refused, 403)
    assert asked.value in refused.json()["title"]
    let_in = connected(cast.school, asked).ask(method, sample(path), {})
    assert let_in.status_code in {200, 201, 202, 204, 400, 404, 409, 422}
    assert is_problem(others.ask(method, sample(path), {}, Authorization="Bearer nothing"), 401)


def test_a_revoked_connection_is_out_at_once(cast: Cast) -> None:
    machine = connected(cast.school)
    assert machine.get("/people").status_code == 200
    with scope(cast.school.id):
        actions.revoke_connection(cast.office, machine.id, now=clock.now())
    answer = machine.get("/people")
    assert is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_another_schools_token_sees_its_own_school_only(cast: Cast) -> None:
    machine = connected(cast.other_school)
    assert [one["family_name"] for one in machine.every("/people")] == ["Stranger"]
    for path in (
        f"/people/{cast.pupil.person.pk}",
        f"/classes/{cast.klass.pk}",
        f"/lessons/{cast.lesson.pk}/registers/2026-10-13",
    ):
        assert is_problem(machine.get(path), 404)
    marks = machine.ask("POST", f"/lessons/{cast.lesson.pk}/registers/2026-10-13/marks", {"marks": []})
    assert is_problem(marks, 404)
    change = machine.ask("PATCH", f"/people/{cast.pupil.person.pk}", {"given_name": "X"})
    assert is_problem(change, 404)


def test_a_session_opens_nothing(cast: Cast) -> None:
    machine = connected(cast.school)
    machine.client.force_login(cast.head.account)
    assert is_problem(machine.get("/people", Authorization="Basic aGVhZDp4"), 401)


def test_refusals_are_problems_in_the_readers_language(cast: Cast) -> None:
    machine = connected(cast.school)
    assert is_problem(machine.get("/nothing/here"), 404)
    assert is_problem(machine.ask("DELETE", "/people"), 405)
    assert set(machine.ask("DELETE", "/people").headers["Allow"].split(", ")) == {"GET", "POST"}
    assert is_problem(machine.client.get("/api/v2/people"), 404)
    broken = machine.client.generic(
        "POST",
        "/api/v1/people",
        b"{",
        content_type="application/json",
        headers={"Authorization": f"Bearer {machine.secret}"},
    )
    assert is_problem(broken, 400)
    other = machine.client.generic(
        "POST",
        "/api/v1/people",
        b"a=1",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Bearer {machine.secret}"},
    )
    assert is_problem(other, 415)
    spanish = machine.get("/people/999999", Accept_Language="es")
    assert is_problem(spanish, 404)
    assert spanish.json()["title"] != machine.get("/people/999999", Accept_Language="en").json()["title"]


def test_what_is_wrong_in_a_body_is_pointed_at(cast: Cast) -> None:
    machine = connected(cast.school)
    answer = machine.ask("POST", "/people", {"given_name": "", "role": "king", "shoes": 42})
    assert is_problem(answer, 400)
    pointers = {one["pointer"] for one in answer.json()["errors"]}
    assert pointers == {"#/given_name", "#/family_name", "#/role", "#/shoes"}
    wrong = machine.get("/people?limit=9999&role=king")
    assert {one["pointer"] for one in wrong.json()["errors"]} == {"?limit", "?role"}


def test_too_large_a_body_is_refused_before_it_is_read(cast: Cast) -> None:
    machine = connected(cast.school)
    answer = machine.ask("POST", "/notices", {"title": "x", "body": "y" * 6_000_000, "audience": "staff"})
    assert is_problem(answer, 413)
    unknown = machine.client.generic(
        "POST", "/api/v1/people", b"x" * 1_100_000, content_type="application/json"
    )
    assert is_problem(unknown, 413)
