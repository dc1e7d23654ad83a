"""An address that somebody typed is used only after the link that was sent there was followed, by herself."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from pupitre.people import actions as people
from pupitre.people import queries
from pupitre.people.actions import loading
from pupitre.people.models import Account
from pupitre.people.rules.loading import NewAccount
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, PASSWORD, Cast
from tests.jobs import run_jobs
from tests.people.arrange import letter_for, newcomer

SECRET = "three green umbrellas"
TYPED, KNOWN = "olga.typed@familia.example", "olga.known@familia.example"


def activated(cast: Cast, typed: str = TYPED, known: str = KNOWN) -> tuple[Client, int]:
    """Olga opens her account with a letter on paper and types an address; answers her browser and her person."""
    person = newcomer(cast, "Olga", "Nueva", email=known)
    return follow(letter_for(cast, person).code, typed), person.pk


def follow(code: str, typed: str) -> Client:
    browser = Client()
    browser.post("/s/oak/activation", {"code": code})
    browser.post("/s/oak/activation/proof", {"family_name": "Nueva"})
    chosen = {"username": "olga.nueva", "password": SECRET, "email": typed}
    assert browser.post("/s/oak/activation/account", chosen).status_code == 302
    return browser


def sent_link(to: str) -> str:
    message = next(one for one in mail.outbox if one.to == [to])
    found = re.search(r"http://testserver(/account/confirm-email/\S+)", str(message.body))
    assert found is not None
    return found.group(1)


def mails_after(path: str, email: str) -> list[str]:
    """To whom the page writes when anybody names that address. The answer is the same in all cases."""
    mail.outbox.clear()
    answer = Client().post(path, {"email": email})
    assert answer.status_code == 302
    return [address for message in mail.outbox for address in message.to]


def written_to(cast: Cast, person_id: int) -> str:
    with scope(cast.school.id):
        (found,) = queries.reachable_persons([person_id])
    return found.email


ASKING = pytest.mark.parametrize("path", ["/account/password/reset/", "/account/login/code/"])


@ASKING
def test_what_was_typed_gets_neither_password_nor_code_before_it_is_confirmed(cast: Cast, path: str) -> None:
    browser, _person = activated(cast)
    link = sent_link(TYPED)
    assert mails_after(path, TYPED) == []
    browser.post(link)
    assert mails_after(path, TYPED) == [TYPED]


@ASKING
def test_what_the_roster_says_and_she_leaves_standing_is_typed_too(cast: Cast, path: str) -> None:
    browser, _person = activated(cast, typed=KNOWN)
    link = sent_link(KNOWN)
    assert mails_after(path, KNOWN) == []
    browser.post(link)
    assert mails_after(path, KNOWN) == [KNOWN]


@ASKING
def test_the_rosters_address_alone_opens_no_account(cast: Cast, path: str) -> None:
    activated(cast, typed="")
    assert mails_after(path, KNOWN) == []


def test_the_school_writes_to_its_own_address_until_hers_is_confirmed(cast: Cast) -> None:
    browser, person_id = activated(cast)
    assert written_to(cast, person_id) == KNOWN
    assert "olga.typed" in browser.get("/account").content.decode()
    browser.post(sent_link(TYPED))
    assert written_to(cast, person_id) == TYPED
    assert Account.objects.get(username="olga.nueva").email == TYPED
    assert "Until you follow it" not in browser.get("/account").content.decode()


def test_an_unconfirmed_address_that_is_made_the_main_one_is_still_not_written_to(cast: Cast) -> None:
    browser, person_id = activated(cast)
    browser.post("/account/email/", {"email": TYPED, "action_primary": ""})
    assert written_to(cast, person_id) == KNOWN
    mail.outbox.clear()
    chosen = {"oldpassword": SECRET, "password1": "another long one", "password2": "another long one"}
    assert browser.post("/account/password/change/", chosen).status_code == 302
    assert mail.outbox == []
    assert mails_after("/account/password/reset/", TYPED) == []


def test_a_stranger_who_gets_the_link_by_mistake_confirms_nothing(cast: Cast) -> None:
    activated(cast)
    link, stranger = sent_link(TYPED), Client()
    page = stranger.get(link).content.decode()
    assert "Sign in to the account" in page
    assert "it is mine" not in page
    stranger.post(link)
    stranger.post("/account/login/", {"login": "stranger", "password": PASSWORD})
    stranger.post(link)
    assert not EmailAddress.objects.get(email=TYPED).verified
    assert mails_after("/account/password/reset/", TYPED) == []


def test_she_confirms_on_another_device_where_she_signs_in(cast: Cast) -> None:
    activated(cast)
    phone = Client()
    phone.post("/account/login/", {"login": "olga.nueva", "password": SECRET})
    assert "it is mine" in phone.get(sent_link(TYPED)).content.decode()
    phone.post(sent_link(TYPED))
    assert EmailAddress.objects.get(email=TYPED).verified


def test_the_invitations_own_link_confirms_its_address(cast: Cast) -> None:
    person = newcomer(cast, "Olga", "Nueva", email=KNOWN)
    with scope(cast.school.id):
        people.invite_by_mail(cast.secretary.actor, [person.pk])
    run_jobs()
    (message,) = mail.outbox
    code = re.search(r"code=(\S+)", str(message.body))
    assert code is not None
    mail.outbox.clear()
    follow(code.group(1), KNOWN)
    assert mail.outbox == []
    assert EmailAddress.objects.get(email=KNOWN).verified
    assert mails_after("/account/password/reset/", KNOWN) == [KNOWN]


def test_another_address_than_the_invitations_is_confirmed_first(cast: Cast) -> None:
    person = newcomer(cast, "Olga", "Nueva", email=KNOWN)
    with scope(cast.school.id):
        people.invite_by_mail(cast.secretary.actor, [person.pk])
    run_jobs()
    code = re.search(r"code=(\S+)", str(mail.outbox[0].body))
    assert code is not None
    follow(code.group(1), TYPED)
    assert sent_link(TYPED)
    assert mails_after("/account/password/reset/", TYPED) == []


def test_who_confirmed_nothing_gets_a_new_password_by_letter(cast: Cast) -> None:
    _browser, person_id = activated(cast)
    with scope(cast.school.id):
        (letter,) = people.issue_letters(cast.secretary.actor, [person_id], now=NOW)
    browser = Client()
    browser.post("/s/oak/activation", {"code": letter.code})
    browser.post("/s/oak/activation/proof", {"family_name": "Nueva"})
    assert browser.post("/s/oak/activation/account", {"password": "another long one"}).status_code == 302
    assert browser.get("/account").status_code == 200


def test_her_password_and_her_address_sign_her_in_before_she_confirms_it(cast: Cast) -> None:
    activated(cast)
    answer = Client().post("/account/login/", {"login": TYPED, "password": SECRET})
    assert answer.status_code == 302


def test_no_activation_fails_because_a_mail_server_does_not_answer(cast: Cast) -> None:
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=1
    ):
        browser, _person = activated(cast)
    assert browser.get("/account").status_code == 200
    cache.clear()  # some minutes later
    browser.post("/account/email/", {"email": TYPED, "action_send": ""})
    assert sent_link(TYPED)


def test_an_account_loaded_without_a_password_has_no_confirmed_address(cast: Cast) -> None:
    loading.open_accounts([NewAccount("loaded", "Loa Ded", email="loaded@familia.example")], now=NOW)
    assert mails_after("/account/password/reset/", "loaded@familia.example") == []


def test_the_account_costs_the_same_with_many_addresses(cast: Cast) -> None:
    browser, _person = activated(cast)
    browser.get("/account")

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get("/account")
        return len(captured)

    one = statements()
    account = Account.objects.get(username="olga.nueva")
    EmailAddress.objects.bulk_create(
        EmailAddress(user=account, email=f"{number}@familia.example") for number in range(30)
    )
    assert statements() == one
