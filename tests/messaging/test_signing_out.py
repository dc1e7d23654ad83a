"""What the school tells a person does not reach a device on which she has signed out, or whose session was ended."""

import json
import re

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.messaging.models import PushSubscription
from pupitre.people import actions as people
from pupitre.people.queries.invitations import find_claim
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, PASSWORD, Cast
from tests.messaging.mailbox import Browser, PushService
from tests.people.arrange import letter_for, newcomer


def device(username: str = "mother", client: Client | None = None) -> Client:
    """A browser in which somebody signs in."""
    client = client or Client()
    answer = client.post("/account/login/", {"login": username, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def subscribe(client: Client, path: str) -> str:
    browser = Browser(PushService("https://fcm.googleapis.com/fcm/send"), path)
    told = json.dumps(browser.subscription)
    assert client.post("/notifications/browsers", told, content_type="application/json").status_code == 201
    return str(browser.subscription["endpoint"])


def told(cast: Cast) -> set[str]:
    found = PushSubscription.objects.filter(account_id=cast.mother.account.pk)
    return {endpoint.rpartition("/")[2] for endpoint in found.values_list("endpoint", flat=True)}


@pytest.fixture
def phone(cast: Cast) -> Client:
    client = device()
    subscribe(client, "phone")
    return client


@pytest.fixture
def library(cast: Cast) -> Client:
    client = device()
    subscribe(client, "library")
    return client


def test_signing_out_ends_it_on_this_device_alone(cast: Cast, phone: Client, library: Client) -> None:
    library.post("/account/logout/")
    assert told(cast) == {"phone"}


def test_ending_the_other_sessions_ends_it_there(cast: Cast, phone: Client, library: Client) -> None:
    phone.post("/account/sessions/")
    assert told(cast) == {"phone"}
    assert library.get("/notifications").status_code == 302


def test_a_password_reset_by_mail_ends_it_everywhere(cast: Cast, phone: Client, library: Client) -> None:
    anybody = Client()
    anybody.post("/account/password/reset/", {"email": "mara@familia.example"})
    (letter,) = mail.outbox
    link = re.search(r"http://testserver(/account/\S+)", str(letter.body))
    assert link is not None
    page = anybody.get(link.group(1), follow=True)
    chosen = {"password1": "another long secret", "password2": "another long secret"}
    assert anybody.post(page.redirect_chain[-1][0], chosen).status_code == 302
    assert told(cast) == set()


def test_a_changed_password_keeps_it_where_it_was_changed(cast: Cast, phone: Client, library: Client) -> None:
    chosen = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
    assert phone.post("/account/password/change/", chosen).status_code == 302
    assert phone.get("/notifications").status_code == 200
    assert told(cast) == {"phone"}


def test_a_letter_with_which_a_password_is_chosen_ends_it_everywhere(
    cast: Cast, phone: Client, library: Client
) -> None:
    letter = letter_for(cast, cast.mother.person)
    with scope(cast.school.id):
        claim = find_claim(letter.code, NOW)
        people.recover_account(cast.school, claim.invitation_id, password="another long one", now=NOW)
    assert told(cast) == set()


def test_a_new_class_card_ends_it_for_whoever_used_the_old_one(cast: Cast) -> None:
    child = newcomer(cast, "Lia", "Little", Role.PUPIL)
    with scope(cast.school.id):
        people.issue_cards(cast.secretary.actor, [child.pk], now=NOW)
        child.refresh_from_db()
        client = Client()
        client.force_login(child.account)
        subscribe(client, "tablet")
        people.issue_cards(cast.secretary.actor, [child.pk], now=NOW)
    assert not PushSubscription.objects.filter(account_id=child.account_id).exists()


def test_somebody_else_signing_in_on_top_ends_it(cast: Cast, library: Client) -> None:
    child = newcomer(cast, "Lia", "Little", Role.PUPIL)
    with scope(cast.school.id):
        (card,) = people.issue_cards(cast.secretary.actor, [child.pk], now=NOW)
    library.post(f"/s/oak/card/{card.token}", {"picked": " ".join(card.pictures)})
    assert library.get("/account").content.decode().count("Lia Little") > 0
    assert told(cast) == set()


def test_it_is_found_again_after_the_session_has_run_out(cast: Cast, phone: Client) -> None:
    del phone.cookies["sessionid"]
    device(client=phone)
    assert told(cast) == {"phone"}
    phone.post("/account/logout/")
    assert told(cast) == set()


def test_another_account_on_the_device_leaves_hers_alone(cast: Cast, phone: Client, library: Client) -> None:
    del library.cookies["sessionid"]
    device("father", library)
    library.post("/account/logout/")
    assert told(cast) == {"phone", "library"}


def test_signing_out_costs_the_same_with_many_browsers(cast: Cast) -> None:
    def statements(count: int) -> int:
        client = device()
        for number in range(count):
            subscribe(client, f"{count}-{number}")
        with CaptureQueriesContext(connection) as captured:
            client.post("/account/logout/")
        return len(captured)

    statements(1)
    assert statements(1) == statements(20)
