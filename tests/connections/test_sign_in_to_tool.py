"""A tool of the school: its people sign in to it, it is told what the office chose, and nobody else gets there."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from pupitre.connections.actions import tools as actions
from pupitre.connections.rules.tools import ToolScope
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.models import Person
from pupitre.people.rules import Role
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.models import Authority
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast
from tests.conftest import Visitor
from tests.connections.signing import BACK, consent, decoded, exchange, make_tool, question, told


def tokens(browser: Client, tool: Any, **more: str) -> dict[str, Any]:
    answer = exchange(tool, told(consent(browser, tool, **more))["code"])
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def userinfo(access: str) -> Any:
    return Client().get("/identity/userinfo", headers={"Authorization": f"Bearer {access}"})


def test_the_description_tells_what_there_is_and_nothing_more(cast: Cast) -> None:
    found = Client().get("/.well-known/openid-configuration").json()
    base = settings.CONFIG.base_url
    assert found["issuer"] == base
    assert found["authorization_endpoint"] == f"{base}/identity/authorize"
    assert found["end_session_endpoint"] == f"{base}/identity/logout"
    assert (found["response_types_supported"], found["subject_types_supported"]) == (["code"], ["pairwise"])
    assert "device_authorization_endpoint" not in found
    assert Client().post("/identity/device/code", {"client_id": "x"}).status_code == 404


def test_a_pupil_is_asked_and_the_tool_is_told_what_the_office_chose(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    browser = visit.as_(cast.pupil)
    asked = browser.get("/identity/authorize", question(tool)).content.decode()
    assert "Your school, Oak School, works with Library" in asked
    assert "your classes" in asked
    back = told(consent(browser, tool))
    assert back["state"] == "the state"
    found = exchange(tool, back["code"]).json()
    said = decoded(found["id_token"], tool)
    assert said["nonce"] == "the nonce"
    assert said["given_name"] == "Pau"
    assert said["roles"] == ["student"]
    assert said["school"]["name"] == "Oak School"
    assert said["sourcedId"] == "pupil"
    assert {"sourcedId": "1A", "title": "1A", "role": "student"} in said["classes"]
    assert "email" not in said
    assert userinfo(found["access_token"]).json()["sub"] == said["sub"]
    assert str(cast.pupil.account.pk) != said["sub"]


def test_a_code_works_once_with_its_verifier_and_its_tools_secret(cast: Cast, visit: Visitor) -> None:
    tool, other = make_tool(cast), make_tool(cast, name="Other")
    browser = visit.as_(cast.teacher)
    code = told(consent(browser, tool))["code"]
    assert exchange(tool, code, code_verifier="x" * 50).status_code == 400
    code = told(consent(browser, tool))["code"]
    assert exchange(tool, code, client_secret="wrong").status_code == 401
    assert exchange(other, code).status_code == 400
    assert exchange(tool, code, redirect_uri="https://tool.example/other").status_code == 400
    code = told(consent(browser, tool))["code"]
    assert exchange(tool, code).status_code == 200
    assert exchange(tool, code).status_code == 400


def test_an_address_is_told_only_once_it_is_confirmed(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    said = decoded(tokens(visit.as_(cast.mother), tool)["id_token"], tool)
    assert (said["email"], said["email_verified"]) == ("mara@familia.example", True)
    cast.mother.account.emailaddress_set.update(verified=False)  # type: ignore[attr-defined]
    assert "email" not in decoded(tokens(visit.as_(cast.mother), tool)["id_token"], tool)


def test_what_a_tool_may_not_ask_for_it_is_not_told(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast, scopes=[ToolScope.PROFILE])
    assert told(visit.as_(cast.pupil).get("/identity/authorize", question(tool)))["error"] == "invalid_scope"
    said = decoded(tokens(visit.as_(cast.pupil), tool, scope="openid")["id_token"], tool)
    assert not {"name", "email", "school", "roles"} & set(said)


def test_two_tools_know_the_same_person_by_two_names(cast: Cast, visit: Visitor) -> None:
    one, other = make_tool(cast), make_tool(cast, name="Other")
    browser = visit.as_(cast.pupil)
    subjects = {decoded(tokens(browser, tool)["id_token"], tool)["sub"] for tool in (one, other)}
    assert len(subjects) == 2
    assert decoded(tokens(browser, one)["id_token"], one)["sub"] in subjects


@pytest.mark.parametrize("who", ["stranger", "inspector"])
def test_nobody_of_another_school_gets_to_the_tool(cast: Cast, visit: Visitor, who: str) -> None:
    tool = make_tool(cast)
    browser = Client()
    browser.force_login(cast.inspector if who == "inspector" else cast.stranger.account)
    answer = browser.get("/identity/authorize", question(tool))
    assert answer.status_code == 403
    assert "Library" in answer.content.decode()
    assert told(browser.get("/identity/authorize", question(tool, prompt="none")))["error"] in {
        "access_denied",
        "consent_required",
    }


def test_only_the_roles_that_the_office_chose_get_to_the_tool(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast, roles=[Role.TEACHER])
    assert visit.as_(cast.pupil).get("/identity/authorize", question(tool)).status_code == 403
    assert "code" in told(consent(visit.as_(cast.teacher), tool))


def test_a_signed_request_of_somebody_who_may_opens_the_door_to_nobody_else(
    cast: Cast, visit: Visitor
) -> None:
    tool = make_tool(cast, roles=[Role.TEACHER])
    page: Any = visit.as_(cast.teacher).get("/identity/authorize", question(tool))
    signed = page.context_data["form"]["request"].value()
    answer = visit.as_(cast.pupil).post(
        "/identity/authorize", {"request": signed, "scopes": ["openid"], "action": "grant"}
    )
    assert answer.status_code == 403


def test_who_left_is_told_of_no_more(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    browser = visit.as_(cast.pupil)
    found = tokens(browser, tool)
    code = told(consent(browser, tool))["code"]
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.pupil.person.pk).update(ended_on=TODAY)
    assert userinfo(found["access_token"]).status_code == 401
    assert exchange(tool, code).status_code == 400
    again = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
    sent = {**again, "client_id": tool.client_id, "client_secret": tool.secret}
    assert Client().post("/identity/token", sent).status_code == 400
    assert browser.get("/identity/authorize", question(tool)).status_code == 403


def test_a_refresh_token_is_changed_for_new_ones_once_and_can_be_given_back(
    cast: Cast, visit: Visitor
) -> None:
    tool = make_tool(cast)
    found = tokens(visit.as_(cast.teacher), tool)
    sent = {"grant_type": "refresh_token", "client_id": tool.client_id, "client_secret": tool.secret}
    fresh = Client().post("/identity/token", {**sent, "refresh_token": found["refresh_token"]}).json()
    assert userinfo(fresh["access_token"]).status_code == 200
    assert (
        Client().post("/identity/token", {**sent, "refresh_token": found["refresh_token"]}).status_code == 400
    )
    revoked = {"token": fresh["access_token"], "client_id": tool.client_id, "client_secret": tool.secret}
    assert Client().post("/identity/revoke", revoked).status_code == 200
    assert userinfo(fresh["access_token"]).status_code == 401


def test_staff_are_let_through_where_the_school_trusts_the_tool_and_families_are_asked(
    cast: Cast, visit: Visitor
) -> None:
    tool = make_tool(cast, is_trusted=True)
    browser = visit.as_(cast.teacher)
    assert exchange(tool, told(browser.get("/identity/authorize", question(tool)))["code"]).status_code == 200
    assert "code" in told(browser.get("/identity/authorize", question(tool, prompt="none")))
    for member in (cast.mother, cast.pupil):
        assert visit.as_(member).get("/identity/authorize", question(tool)).status_code == 200
        silent = told(visit.as_(member).get("/identity/authorize", question(tool, prompt="none")))
        assert silent["error"] == "consent_required"


def test_who_agreed_is_not_asked_again_but_for_more(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    browser = visit.as_(cast.mother)
    consent(browser, tool, scope="openid profile")
    assert "code" in told(browser.get("/identity/authorize", question(tool, scope="openid profile")))
    assert browser.get("/identity/authorize", question(tool, scope="openid email")).status_code == 200
    assert (
        browser.get("/identity/authorize", question(tool, scope="openid", prompt="consent")).status_code
        == 200
    )


def test_an_agreement_with_one_tool_says_nothing_to_another(cast: Cast, visit: Visitor) -> None:
    one, other = make_tool(cast), make_tool(cast, name="Other")
    browser = visit.as_(cast.mother)
    tokens(browser, one)
    assert "code" in told(browser.get("/identity/authorize", question(one, prompt="none")))
    assert (
        told(browser.get("/identity/authorize", question(other, prompt="none")))["error"]
        == "consent_required"
    )


def test_who_says_no_is_sent_back_without_a_code(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    browser = visit.as_(cast.mother)
    page: Any = browser.get("/identity/authorize", question(tool))
    asked = {"request": page.context_data["form"]["request"].value(), "action": "deny"}
    assert told(browser.post("/identity/authorize", asked)) == {
        "error": "access_denied",
        "state": "the state",
    }


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/back",
        "https://tool.example.evil.example/back",
        "https://tool.example/back/../elsewhere",
        "http://tool.example/back",
        "https://tool.example:444/back",
        "//tool.example/back",
    ],
)
def test_nobody_is_sent_to_an_address_that_was_not_agreed(cast: Cast, visit: Visitor, address: str) -> None:
    tool = make_tool(cast)
    answer = visit.as_(cast.teacher).get("/identity/authorize", question(tool, redirect_uri=address))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "in a way that its school did not agree to" in answer.content.decode()


def test_the_anonymous_sign_in_first_and_come_back(cast: Cast) -> None:
    tool = make_tool(cast)
    answer = Client().get("/identity/authorize", question(tool))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/?next=/identity/authorize")
    assert (
        told(Client().get("/identity/authorize", question(tool, prompt="none")))["error"] == "login_required"
    )


def test_a_second_factor_that_is_demanded_is_demanded_here_too(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    Authority.objects.filter(pk=cast.authority.pk).update(requires_second_factor=True)
    tenancy.forget_schools()
    answer = visit.as_(cast.head).get("/identity/authorize", question(tool))
    assert answer.headers["Location"] == "/account/second-factor"
    assert visit.as_(cast.teacher).get("/identity/authorize", question(tool)).status_code == 200


def test_a_public_tool_needs_pkce_and_has_no_secret(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast, is_public=True)
    assert tool.secret == ""
    bare = {name: value for name, value in question(tool).items() if not name.startswith("code_challenge")}
    assert told(visit.as_(cast.teacher).get("/identity/authorize", bare))["error"] == "invalid_request"
    code = told(consent(visit.as_(cast.teacher), tool))["code"]
    answer = Client().post(
        "/identity/token",
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "client_id": tool.client_id,
            "code_verifier": "a-verifier-of-at-least-forty-three-characters-0123456789",
        },
    )
    assert answer.status_code == 200, answer.content


def test_a_revoked_tool_gets_nothing_at_once(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    found = tokens(visit.as_(cast.teacher), tool)
    with scope(cast.school.id):
        actions.revoke_tool(cast.office, tool.id, now=clock.now())
    assert userinfo(found["access_token"]).status_code == 401
    assert visit.as_(cast.teacher).get("/identity/authorize", question(tool)).status_code in {400, 404}


def test_what_was_agreed_can_be_taken_back(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    browser = visit.as_(cast.mother)
    found = tokens(browser, tool)
    page = browser.get("/account/identity").content.decode()
    assert "Library" in page
    number = page.partition("/own-grants/")[2].partition("/")[0]
    strange = visit.as_(cast.father).post(f"/s/oak/own-grants/{number}/end")
    assert strange.status_code == 404
    assert browser.post(f"/s/oak/own-grants/{number}/end").status_code == 303
    assert userinfo(found["access_token"]).status_code == 401
    assert browser.get("/identity/authorize", question(tool)).status_code == 200


@pytest.mark.filterwarnings("ignore:The default scheme will be changed")  # allauth's form on Django 5.2
def test_a_tool_signs_its_person_out_and_asks_whether_here_too(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    browser = visit.as_(cast.teacher)
    found = tokens(browser, tool)
    sent = {"id_token_hint": found["id_token"], "post_logout_redirect_uri": BACK, "state": "bye"}
    page = browser.get("/identity/logout", sent)
    assert "Sign out here, too?" in page.content.decode()
    away = browser.get("/identity/logout", {**sent, "post_logout_redirect_uri": "https://evil.example/"})
    assert "evil.example" not in away.headers.get("Location", "") + away.content.decode()


def test_from_a_page_of_ours_one_goes_on_by_a_page_and_not_by_a_redirect(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast, is_trusted=True)
    answer = visit.as_(cast.teacher).get(
        "/identity/authorize", question(tool), headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 200
    assert f'content="0;url={BACK}?code=' in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_keys_that_signed_before_are_still_published(cast: Cast, visit: Visitor) -> None:
    from dataclasses import replace

    from pupitre.kernel.config import _new_signing_key

    tool = make_tool(cast)
    old = settings.CONFIG.keys_that_sign()
    found = tokens(visit.as_(cast.teacher), tool)
    with override_settings(CONFIG=replace(settings.CONFIG, signing_keys=(_new_signing_key(), *old))):
        assert len(Client().get("/.well-known/jwks.json").json()["keys"]) == 2
        assert decoded(found["id_token"], tool)["aud"] == tool.client_id
        assert decoded(tokens(visit.as_(cast.teacher), tool)["id_token"], tool)["aud"] == tool.client_id


def test_somebody_in_two_schools_is_told_of_in_the_tools_school_only(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    with scope(cast.other_school.id):
        from pupitre.people.rules import system_actor

        office = system_actor(cast.other_school)
        person = people.register_person(
            office, sourced_id="t2", given_name="Tessa", family_name="Other", now=clock.now()
        )
        people.grant_role(office, person, Role.GUARDIAN)
        people.link_account(office, person, cast.teacher.account)
    said = decoded(tokens(visit.as_(cast.teacher), tool)["id_token"], tool)
    assert (said["given_name"], said["roles"], said["sourcedId"]) == ("Tess", ["teacher"], "teacher")
