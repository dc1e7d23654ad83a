"""The token endpoint: OAuth 2's client credentials, with the standard's errors."""

import base64
from typing import Any

import pytest
from django.test import Client

from pupitre.connections import actions, queries
from pupitre.connections.rules import ONEROSTER_SCOPES, Scope, presented
from pupitre.connections.rules.granting import client_id
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.cast import Cast

CORE, ROSTER, DEMOGRAPHICS = ONEROSTER_SCOPES


@pytest.fixture
def known(cast: Cast) -> tuple[str, str]:
    """A connection's public id and its secret."""
    with scope(cast.school.id):
        scopes = [Scope.ONEROSTER, Scope.ONEROSTER_CORE, Scope.PEOPLE_READ]
        row, secret = actions.open_connection(cast.office, name="Library", scopes=scopes, now=clock.now())
    return client_id(cast.school.id, row.pk), secret


def ask(basic: tuple[str, str] | None = None, **form: str) -> Any:
    headers = {}
    if basic:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
    form.setdefault("grant_type", "client_credentials")
    body = "&".join(f"{name}={value}" for name, value in form.items() if value)
    kind = "application/x-www-form-urlencoded"
    return Client(enforce_csrf_checks=True).post("/oauth/token", body, content_type=kind, headers=headers)


def test_a_secret_buys_an_hour_by_the_header_and_by_the_form(cast: Cast, known: tuple[str, str]) -> None:
    by_form = ask(client_id=known[0], client_secret=known[1], scope=ROSTER)
    for answer in (ask(known, scope=ROSTER), by_form):
        told = answer.json()
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 3600, ROSTER)
        token = presented(told["access_token"])
        assert token is not None
        with scope(cast.school.id):
            machine = queries.find_machine(token, clock.now())
        assert machine is not None
        assert machine.scopes == {Scope.ONEROSTER}


def test_who_names_no_scope_gets_all_of_the_connections(known: tuple[str, str]) -> None:
    told = ask(known).json()["scope"].split()
    assert set(told) == {ROSTER, CORE, "people:read"}
    assert ask(known, scope=f"{CORE}+people:read").json()["scope"].split() == [CORE, "people:read"]


@pytest.mark.parametrize(
    ("form", "word", "status"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
        ({"grant_type": ""}, "invalid_request", 400),
        ({"scope": DEMOGRAPHICS}, "invalid_scope", 400),
        ({"scope": "made-up"}, "invalid_scope", 400),
        ({"client_secret": "x"}, "invalid_request", 400),
        ({"client_id": "1.1"}, "invalid_request", 400),
    ],
)
def test_what_is_wrong_is_told_in_the_standards_words(
    known: tuple[str, str], form: dict[str, str], word: str, status: int
) -> None:
    answer = ask(known, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, word)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_wrong_secret_another_school_and_an_access_token_are_no_client(
    cast: Cast, known: tuple[str, str]
) -> None:
    name, secret = known
    access = ask(known).json()["access_token"]
    elsewhere = client_id(cast.other_school.id, int(name.partition(".")[2]))
    other = client_id(cast.school.id, int(name.partition(".")[2]) + 1)
    wrong = [
        (name, secret[:-1] + "0"),
        (elsewhere, secret),
        (other, secret),
        (name, access),
        ("x", secret),
        (name, ""),
    ]
    for pair in wrong:
        answer = ask(pair)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert ask(client_id=name, client_secret="wrong").headers.get("WWW-Authenticate") is None
    garbled = Client().post(
        "/oauth/token",
        "grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": "Basic é"},
    )
    assert garbled.json()["error"] == "invalid_client"


def test_a_revoked_connection_is_no_client(cast: Cast, known: tuple[str, str]) -> None:
    with scope(cast.school.id):
        actions.revoke_connection(cast.office, int(known[0].partition(".")[2]), now=clock.now())
    assert ask(known).status_code == 401


def test_guessing_is_slowed_down_and_success_is_not(known: tuple[str, str]) -> None:
    assert {ask(known).status_code for _ in range(25)} == {200}
    answers = [ask((known[0], "wrong")).status_code for _ in range(21)]
    assert answers == [401] * 20 + [429]


def test_only_a_posted_form_is_read(known: tuple[str, str]) -> None:
    assert Client().get("/oauth/token").status_code == 405
    assert Client().get("/oauth/token").headers["Allow"] == "POST"
    answer = Client().post("/oauth/token", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    answer = Client().post("/oauth/token", twice, content_type="application/x-www-form-urlencoded")
    assert answer.json()["error"] == "invalid_request"
