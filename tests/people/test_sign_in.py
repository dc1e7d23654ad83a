"""Signing in: user name or e-mail, rate limits, recovery, and that it tells nothing about who has an account."""

import re

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.core import mail
from django.core.cache import cache
from django.test import Client

from pupitre.people import hashing
from pupitre.people.hashing import Argon2
from tests.cast import PASSWORD, Cast
from tests.conftest import Visitor

LOGIN = "/account/login/"


def sign_in(browser: Client, login: str, password: str = PASSWORD) -> int:
    return browser.post(LOGIN, {"login": login, "password": password}).status_code


@pytest.mark.parametrize("login", ["mother", "MOTHER", "mara@familia.example", "Mara@Familia.example"])
def test_a_mother_signs_in_with_her_user_name_or_e_mail(cast: Cast, login: str) -> None:
    browser = Client()
    assert sign_in(browser, login) == 302
    assert browser.get("/account").status_code == 200


def test_a_wrong_password_and_an_unknown_name_answer_the_same(cast: Cast) -> None:
    known = Client().post(LOGIN, {"login": "mother", "password": "wrong-password"})
    unknown = Client().post(LOGIN, {"login": "nobody", "password": "wrong-password"})
    assert known.status_code == unknown.status_code == 200
    message = "The user name, the e-mail or the password is not right."
    assert message in known.content.decode()
    assert message in unknown.content.decode()


def test_a_password_cannot_be_guessed_at_leisure(cast: Cast) -> None:
    browser = Client()
    for _ in range(6):
        sign_in(browser, "mother", "wrong-password")
    answer = browser.post(LOGIN, {"login": "mother", "password": PASSWORD})
    assert "Too many attempts" in answer.content.decode()
    assert browser.get("/account").status_code == 302


def test_many_other_attempts_do_not_make_it_forgotten(cast: Cast) -> None:
    browser = Client()
    for _ in range(6):
        browser.post("/account/login/", {"login": "mother", "password": "wrong"})
    for number in range(310):
        cache.set(f"somebody-{number}", [1.0], 300)
    browser.post("/account/login/", {"login": "mother", "password": PASSWORD})
    assert browser.get("/account").status_code == 302


def test_signing_in_renews_the_session(cast: Cast) -> None:
    browser = Client()
    browser.get(LOGIN)
    session = browser.session
    session["planted"] = "yes"
    session.save()
    browser.cookies["sessionid"] = session.session_key or ""
    sign_in(browser, "mother")
    assert browser.session.session_key != session.session_key


def test_nobody_signs_up_alone(cast: Cast) -> None:
    page = Client().get("/account/signup/")
    assert "Accounts come from your school" in page.content.decode()
    Client().post("/account/signup/", {"username": "intruder", "password1": PASSWORD, "password2": PASSWORD})
    assert sign_in(Client(), "intruder") == 200


def test_a_forgotten_password_is_chosen_anew_by_a_link(cast: Cast) -> None:
    browser = Client()
    assert browser.post("/account/password/reset/", {"email": "mara@familia.example"}).status_code == 302
    (message,) = mail.outbox
    assert message.to == ["mara@familia.example"]
    assert message.subject == "[Pupitre] Choose a new password"
    link = re.search(r"http://testserver(/\S+)", str(message.body))
    assert link is not None
    form = browser.get(link.group(1), follow=True)
    assert "Choose a new password" in form.content.decode()
    new = {"password1": "another long secret", "password2": "another long secret"}
    assert browser.post(form.redirect_chain[-1][0], new).status_code == 302
    assert sign_in(Client(), "mother", "another long secret") == 302
    assert "does not work any more" in Client().get(link.group(1), follow=True).content.decode()


def test_an_unknown_address_is_told_the_same_and_gets_no_mail(cast: Cast) -> None:
    known = Client().post("/account/password/reset/", {"email": "mara@familia.example"})
    unknown = Client().post("/account/password/reset/", {"email": "nobody@familia.example"})
    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    assert [message.to for message in mail.outbox] == [["mara@familia.example"]]


def test_a_code_by_e_mail_signs_in(cast: Cast) -> None:
    browser = Client()
    answer = browser.post("/account/login/code/", {"email": "mara@familia.example"}, follow=True)
    assert "Enter the code" in answer.content.decode()
    code = mail.outbox[0].subject.rpartition(": ")[2]
    assert browser.post("/account/login/code/confirm/", {"code": code}).status_code == 302
    assert browser.get("/account").status_code == 200


def test_who_is_signed_in_sees_her_sessions_and_signs_out_the_others(cast: Cast) -> None:
    here, there = Client(), Client()
    for browser in (there, here):
        sign_in(browser, "mother")
    page = here.get("/account/sessions/")
    assert "Where you are signed in" in page.content.decode()
    assert "Sign out the others" in page.content.decode()
    here.post("/account/sessions/")
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/account/login/",
        "/account/password/reset/",
        "/account/password/reset/done/",
        "/account/password/reset/key/done/",
        "/account/password/reset/key/a-b/",
        "/account/login/code/",
        "/account/inactive/",
        "/account/confirm-email/",
        "/account/confirm-email/x/",
        "/account/signup/",
    ],
)
def test_every_page_for_strangers_is_ours(cast: Cast, path: str) -> None:
    page = Client().get(path).content.decode()
    assert '<body class="plain">' in page
    assert "<script>" not in page
    assert " style=" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/account/email/",
        "/account/password/change/",
        "/account/2fa/",
        "/account/2fa/totp/activate/",
        "/account/2fa/webauthn/",
        "/account/2fa/webauthn/add/",
        "/account/sessions/",
        "/account/logout/",
        "/account/reauthenticate/",
    ],
)
def test_every_page_of_an_account_is_ours(cast: Cast, path: str) -> None:
    browser = Client()
    sign_in(browser, "mother")
    page = browser.get(path, follow=True)
    assert page.status_code == 200
    assert "Pupitre</title>" in page.content.decode()
    assert "<script>" not in page.content.decode()


def test_a_new_e_mail_address_is_confirmed_by_a_link(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.mother)
    browser.post("/account/reauthenticate/", {"password": PASSWORD})
    browser.post("/account/email/", {"email": "new@familia.example", "action_add": ""})
    confirmation = next(message for message in mail.outbox if message.to == ["new@familia.example"])
    link = re.search(r"http://testserver(/account/confirm-email/\S+)", str(confirmation.body))
    assert link is not None
    assert "Is new@familia.example your address?" in browser.get(link.group(1)).content.decode()
    browser.post(link.group(1))
    assert browser.get("/account/email/").content.decode().count(">Confirmed<") == 2


def test_passwords_are_kept_by_argon2id_with_our_parameters(settings: object) -> None:
    kept = Argon2().encode("a password", "somesaltsomesalt")
    assert kept.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert Argon2().verify("a password", kept)
    assert not Argon2().verify("another password", kept)


def test_the_products_settings_name_argon2_first() -> None:
    from pupitre.project import settings as product

    assert product.PASSWORD_HASHERS == ["pupitre.people.hashing.Argon2"]


def test_too_many_at_once_are_asked_to_come_back(
    cast: Cast, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = ["pupitre.people.hashing.Argon2"]  # type: ignore[attr-defined]
    kept = make_password(PASSWORD)
    assert check_password(PASSWORD, kept)
    monkeypatch.setattr(hashing, "PATIENCE", 0.01)
    for _ in range(hashing.AT_ONCE):
        hashing._places.acquire()
    try:
        answer = Client().post(LOGIN, {"login": "mother", "password": PASSWORD})
    finally:
        for _ in range(hashing.AT_ONCE):
            hashing._places.release()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "try again in a few seconds" in answer.content.decode()
