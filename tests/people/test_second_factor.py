"""Who sees everything signs in with a second factor, and no address leads around it."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import path

from pupitre.people.access import actor_of, inspects
from pupitre.people.middleware import ActorMiddleware
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from tests.cast import PASSWORD, Cast
from tests.conftest import Visitor

NEEDED = "/account/second-factor"


@pytest.fixture
def strict(cast: Cast) -> Cast:
    """The cast, in an authority that demands a second factor."""
    founding.found_authority(
        slug="valley",
        name="The Valley",
        country="ES",
        locale="es",
        time_zone="Europe/Madrid",
        requires_second_factor=True,
    )
    tenancy.forget_schools()
    return cast


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.mark.parametrize("role", ["head", "secretary"])
@pytest.mark.parametrize(
    "path", ["people", "people/1", "people/1/photo", "people/new", "invitations", "cards", ""]
)
def test_no_address_of_the_school_opens_without_it(
    strict: Cast, visit: Visitor, role: str, path: str
) -> None:
    browser = visit.as_(getattr(strict, role))
    for answer in (browser.get(f"/s/oak/{path}"), browser.post(f"/s/oak/{path}")):
        assert answer.status_code == 302
        assert answer.headers["Location"] == NEEDED
    hidden = browser.get(f"/s/oak/{path}", headers={"HX-Request": "true"})
    assert hidden.headers["Location"] == NEEDED


def test_the_page_explains_and_leads_to_the_setting_up(strict: Cast, visit: Visitor) -> None:
    page = visit.as_(strict.head).get(NEEDED).content.decode()
    assert "/account/2fa/totp/activate/" in page
    assert "/account/2fa/webauthn/add/" in page


@pytest.mark.parametrize("role", ["teacher", "mother", "pupil"])
def test_other_roles_are_not_asked(strict: Cast, visit: Visitor, role: str) -> None:
    answer = visit.as_(getattr(strict, role)).get("/s/oak/people")
    assert answer.status_code in {200, 403}


def test_a_head_sets_up_an_app_and_is_in(strict: Cast) -> None:
    browser = Client()
    browser.post("/account/login/", {"login": "head", "password": PASSWORD})
    assert browser.get("/s/oak/people").headers["Location"] == NEEDED
    page = browser.get("/account/2fa/totp/activate/").content.decode()
    assert "data:image/svg+xml" in page
    secret = browser.session["mfa.totp.secret"]
    assert secret in page
    done = browser.post("/account/2fa/totp/activate/", {"code": code_of(secret)}, follow=True)
    assert "Recovery codes" in done.content.decode()
    assert browser.get("/s/oak/people").status_code == 200
    kept = Authenticator.objects.get(user_id=strict.head.account.pk, type=Authenticator.Type.TOTP)
    assert secret not in str(kept.data)


def age_sign_in(browser: Client, seconds_ago: int) -> None:
    """As if the session had been opened then."""
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= seconds_ago
    session.save()


def test_who_signed_in_a_while_ago_is_asked_again(cast: Cast) -> None:
    browser = Client()
    browser.post("/account/login/", {"login": "teacher", "password": PASSWORD})
    assert browser.get("/account/2fa/totp/activate/").status_code == 200
    age_sign_in(browser, 301)
    asked = browser.get("/account/2fa/totp/activate/", follow=True)
    assert "Is it still you?" in asked.content.decode()
    browser.post(asked.redirect_chain[-1][0], {"password": PASSWORD})
    assert browser.get("/account/2fa/totp/activate/").status_code == 200


def test_what_follows_the_activation_does_not_ask_again(cast: Cast) -> None:
    browser = Client()
    browser.post("/account/login/", {"login": "teacher", "password": PASSWORD})
    browser.get("/account/2fa/totp/activate/")
    code = code_of(browser.session["mfa.totp.secret"])
    done = browser.post("/account/2fa/totp/activate/", {"code": code}, follow=True)
    assert done.redirect_chain == [("/account/2fa/recovery-codes/", 302)]
    assert browser.get("/account/2fa/recovery-codes/generate/").status_code == 200
    assert browser.get("/account/2fa/").status_code == 200


def test_a_class_card_is_no_proof_for_it(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.pupil.account)
    session = browser.session
    session["account_authentication_methods"] = [{"method": "card", "at": time.time()}]
    session["account_authentication_methods_user"] = str(cast.pupil.account.pk)
    session.save()
    assert "reauthenticate" in browser.get("/account/2fa/totp/activate/").headers["Location"]


def test_a_password_alone_does_not_sign_in_who_has_one(strict: Cast) -> None:
    secret = generate_totp_secret()
    TOTP.activate(strict.head.account, secret)
    browser = Client()
    answer = browser.post("/account/login/", {"login": "head", "password": PASSWORD})
    assert answer.headers["Location"] == "/account/2fa/authenticate/"
    assert "Second step" in browser.get("/account/2fa/authenticate/").content.decode()
    assert browser.get("/s/oak/people").headers["Location"].startswith("/account/login")
    wrong = browser.post("/account/2fa/authenticate/", {"code": "000000"})
    assert "This code is not right." in wrong.content.decode()
    assert browser.post("/account/2fa/authenticate/", {"code": code_of(secret)}).status_code == 302
    assert browser.get("/s/oak/people").status_code == 200


def test_giving_it_up_closes_the_pages_at_once(strict: Cast, visit: Visitor) -> None:
    TOTP.activate(strict.head.account, generate_totp_secret())
    browser = visit.as_(strict.head)
    assert browser.get("/s/oak/people").status_code == 200
    browser.post("/account/reauthenticate/", {"password": PASSWORD})
    assert browser.post("/account/2fa/totp/deactivate/").status_code == 302
    assert browser.get("/s/oak/people").headers["Location"] == NEEDED


def test_it_costs_a_query_once_and_not_on_every_page(strict: Cast, visit: Visitor) -> None:
    TOTP.activate(strict.head.account, generate_totp_secret())
    browser = visit.as_(strict.head)
    browser.get("/s/oak/people")
    with CaptureQueriesContext(connection) as captured:
        browser.get("/s/oak/people")
    assert not [query for query in captured if "mfa_authenticator" in query["sql"]]


def test_an_actor_costs_one_query(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    browser.get("/s/oak/people/999999/photo")
    with CaptureQueriesContext(connection) as captured:
        browser.get("/s/oak/people/999999/photo")
    tables = [
        query["sql"].partition("FROM")[2].split()[0].strip('"')
        for query in captured
        if "FROM" in query["sql"]
    ]
    assert tables[:3] == ["django_session", "people_account", "people_membership"]


@inspects
def figures(request: Any, authority: str) -> Any:
    from django.http import HttpResponse

    actor = actor_of(request)
    return HttpResponse(f"{authority} {actor.authority_id} {sorted(actor.authority_roles)}")


urlpatterns = [path("a/<slug:authority>/figures", figures)]


def ask(cast: Cast, account: Any, slug: str = "valley") -> Any:
    """The middleware around a page of an authority, as `reports` builds them."""
    request = RequestFactory().get(f"/a/{slug}/figures")
    request.user = account
    request.session = {}  # type: ignore[assignment]
    request.resolver_match = None
    return ActorMiddleware(lambda _: None).process_view(request, figures, (), {"authority": slug})  # type: ignore[arg-type,return-value]


def test_an_inspector_reads_her_authoritys_figures(cast: Cast) -> None:
    answer = ask(cast, cast.inspector)
    assert answer.content.decode() == f"valley {cast.authority.pk} [<Role.INSPECTOR: 9>]"


def test_nobody_else_finds_an_authoritys_figures(cast: Cast) -> None:
    founding.found_authority(slug="hills", name="Hills", country="ES", locale="es", time_zone="Europe/Madrid")
    for account, slug in (
        (cast.head.account, "valley"),
        (cast.inspector, "hills"),
        (cast.inspector, "nowhere"),
    ):
        assert ask(cast, account, slug).status_code == 404


def test_an_inspector_is_asked_for_a_second_factor(strict: Cast) -> None:
    assert ask(strict, strict.inspector).headers["Location"] == NEEDED
    TOTP.activate(strict.inspector, generate_totp_secret())
    assert ask(strict, strict.inspector).status_code == 200
