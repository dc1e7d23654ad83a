"""In a real browser: a passkey is added and signs in alone; a child signs in by pressing three pictures; no script is needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.cast import PASSWORD
from tests.journeys.conftest import PHONE, Product

Visit = Callable[..., Page]


@contextmanager
def authenticator(page: Page) -> Iterator[Any]:
    """A device with a fingerprint reader, as Chromium plays it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield session
    session.send("WebAuthn.disable")


@pytest.mark.browser
def test_a_passkey_is_added_and_signs_in_alone(product: Product, visit: Visit) -> None:
    # A passkey belongs to a name: browsers refuse it for an address of numbers.
    home = product.address.replace("127.0.0.1", "localhost")
    page = visit()
    with authenticator(page):
        page.goto(f"{home}/account/login/")
        page.get_by_label("User name or e-mail").fill("father")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{home}/account/2fa/webauthn/add/")
        page.get_by_label("Name of this passkey").fill("My phone")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        page.goto(f"{home}/account/2fa/webauthn/")
        expect(page.get_by_text("My phone")).to_be_visible()
        page.context.clear_cookies()
        page.goto(f"{home}/account/login/")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{home}/account")
        expect(page.locator("dd", has_text="father").first).to_be_visible()
        remove(page, home)


def remove(page: Page, home: str) -> None:
    """Leave the cast as it was."""
    page.goto(f"{home}/account/2fa/webauthn/")
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You have no passkey yet.")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_a_child_signs_in_by_pressing_her_pictures(
    product: Product, visit: Visit, django_db_blocker: Any, script: bool
) -> None:
    cast = product.cast
    with django_db_blocker.unblock(), product.django(), scope(cast.school.id):
        child = people.add_person(
            cast.office, given_name="Ona", family_name="Petita", role=Role.PUPIL, grade="01", now=clock.now()
        )
        (card,) = people.issue_cards(cast.office, [child.pk], now=clock.now())
    page = visit(path=f"/s/oak/card/{card.token}", **PHONE, java_script_enabled=script)
    for picture in card.pictures:
        page.locator(f'button[name="picked"][value$="{picture}"]').click()
    page.goto(product.url("/account"))
    expect(page.locator("dd", has_text="Ona Petita")).to_be_visible()
