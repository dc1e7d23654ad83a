"""A guardian reads and signs a contract on a phone; a technician swaps a broken tablet; both see what is held."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from pupitre.devices.actions import catalogue, lending, rollouts
from pupitre.devices.actions.loading import load_fleet, load_installations
from pupitre.devices.rules import InstallState, Platform, Protocol
from pupitre.devices.rules.applications import Wave
from pupitre.devices.rules.loading import NewDevice, NewInstallation, NewStatus
from pupitre.tenancy.scoping import scope

from .conftest import DESKTOP, PHONE, Product
from .test_every_page import WCAG

pytestmark = pytest.mark.browser
_TABLES = (
    "incident", "loan", "lendingterms", "installation", "wave", "rollout", "applicationversion", "application", "command",
    "deviceevent", "inventory", "devicestatus", "device",
)  # fmt: skip


@pytest.fixture(autouse=True)
def emptied(product: Product) -> Iterator[None]:
    """Every test begins and ends with no device."""
    yield
    for table in _TABLES:
        product.execute(f"DELETE FROM devices_{table}")


def fill(product: Product, blocker: Any) -> None:
    """Two tablets, one lent to the pupil; an application with a rollout of which some installations failed."""
    cast, now = product.cast, datetime.now(UTC)
    with blocker.unblock(), product.django(), scope(cast.school.id):
        made = [
            NewDevice(
                f"t-{number}", f"R52X{number}", f"T-0{number}", "", Platform.ANDROID, Protocol.HEADWIND, "Samsung",
                "Galaxy Tab A9", now, enrolled_at=now,
                status=NewStatus(now, 81, False, 93, "14", "6.36", 12_000_000_000, (), True),
                applications={"org.geogebra.android": "5.2.891", "org.kde.marble": "24.08"}, events=((now, "enrolled", {}),),
            )
            for number in (1, 2)
        ]  # fmt: skip
        ids = load_fleet(cast.office, made)
        actor, today = cast.technician.actor, now.date()
        lending.save_terms(
            actor, conditions="No stickers.\nThe case stays on.", accessories="Charger\nCase\nPencil"
        )
        lending.propose_loan(
            actor,
            ids["t-1"],
            cast.pupil.person.pk,
            starts_on=today,
            due_on=today + timedelta(days=250),
            now=now,
        )
        app = catalogue.add_application(
            actor, package="org.kde.marble", name="Marble", platform=Platform.ANDROID, kind="apk", now=now
        )
        for version in ("24.05", "24.08"):
            found = catalogue.add_version(
                actor,
                app.pk,
                version=version,
                url=f"https://downloads.example.org/marble-{version}",
                size=48_000_000,
                now=now,
            )
        rollouts.plan_rollout(
            actor,
            found.pk,
            waves=[Wave(1, now, share=50), Wave(2, now + timedelta(days=2))],
            site_budget=500,
            now=now,
        )
        reports = [
            NewInstallation("t-1", found.pk, InstallState.INSTALLED, now),
            NewInstallation("t-2", found.pk, InstallState.FAILED, now, "INSTALL_FAILED_INSUFFICIENT_STORAGE"),
        ]
        load_installations(cast.office, reports, ids)


def judged(page: Page) -> None:
    """Usable by everybody, and nothing wider than the window."""
    if folder := os.environ.get("LENDING_SHOTS"):
        width = (page.viewport_size or {"width": 0})["width"]
        name = re.sub(r"[^a-z0-9]+", "-", page.url.split("/", 3)[3])[:60]
        page.screenshot(path=f"{folder}/{width}-{name}.png", full_page=True)
    page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
    found = Axe().run(page, options=WCAG).response["violations"]
    assert [(one["id"], [node["html"][:160] for node in one["nodes"][:2]]) for one in found] == [], page.url
    wide = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
    assert wide <= 0, f"{page.url}: {wide} px wider than the window"


@pytest.mark.timeout(300)
def test_a_guardian_signs_on_a_phone_and_a_technician_swaps(
    product: Product, visit: Callable[..., Page], django_db_blocker: Any
) -> None:
    fill(product, django_db_blocker)
    page = visit(product.cast.mother, "/s/oak/family/devices", **PHONE, color_scheme="dark")
    judged(page)
    page.get_by_role("link", name="Read and sign").click()
    expect(page.get_by_text("No stickers.")).to_be_visible()
    judged(page)
    page.get_by_label("I have read this contract and agree to it.").check()
    page.get_by_role("button", name="Sign").click()
    expect(page.get_by_text(re.compile("^Signed on"))).to_be_visible()
    judged(page)
    page.get_by_role("link", name="What does the school see?").press("Enter")
    expect(page.get_by_text("no location is asked for")).to_be_visible()
    judged(page)
    page.goto("/s/oak/family/devices")
    page.get_by_role("link", name="Report a problem").click()
    judged(page)
    page.get_by_label("What happened?").fill("It fell from the desk.")
    page.get_by_role("button", name="Report").click()
    expect(page.get_by_text("The school knows now")).to_be_visible()

    desk = visit(product.cast.technician, "/s/oak/devices/loans", **DESKTOP, color_scheme="light")
    judged(desk)
    desk.get_by_role("link", name="Pupil, Pau").click()
    expect(desk.get_by_text("It fell from the desk.")).to_be_visible()
    judged(desk)
    desk.get_by_label("The spare").select_option(index=0)
    desk.get_by_role("button", name="Swap").click()
    expect(desk.get_by_text("The loan goes on with this device.")).to_be_visible()
    expect(desk.get_by_text("T-02").first).to_be_visible()
    assert product.rows("SELECT count(*) FROM devices_loan WHERE state = 2 AND continues_id IS NOT NULL") == [
        (1,)
    ]
    for path in ("incidents", "loans/new?q=Pupil", "loans/collection", "loans/terms", "loans?show=ended"):
        desk.goto(f"/s/oak/devices/{path}")
        judged(desk)
    klass = product.cast.homeroom.pk
    desk.goto(f"/s/oak/devices/loans/class?class={klass}")
    judged(desk)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "desktop"]
)
def test_the_catalogue_and_a_rollout_are_read_and_steered(
    product: Product,
    visit: Callable[..., Page],
    django_db_blocker: Any,
    viewport: dict[str, object],
    scheme: str,
) -> None:
    fill(product, django_db_blocker)
    page = visit(product.cast.technician, "/s/oak/devices/applications", **viewport, color_scheme=scheme)
    judged(page)
    page.get_by_role("link", name="Marble").click()
    judged(page)
    page.goto("/s/oak/devices/rollouts")
    judged(page)
    page.get_by_role("link", name="Marble 24.08").click()
    expect(page.get_by_text("INSUFFICIENT_STORAGE")).to_be_visible()
    judged(page)
    page.get_by_role("button", name="Halt").click()
    expect(page.get_by_text("Nobody else is given this version")).to_be_visible()
    page.goto("/s/oak/devices/loans")
    judged(page)
