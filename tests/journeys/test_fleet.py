"""A technician's way with new tablets, and a fleet manager who looks for one of them, in a real browser."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from pupitre.devices.actions.figures import count_fleet
from pupitre.devices.models import Device
from pupitre.devices.rules import Standing
from pupitre.tenancy.scoping import scope

from .conftest import DESKTOP, PHONE, Product
from .test_every_page import WCAG

pytestmark = pytest.mark.browser

NOTE = "Número de serie;Etiqueta;Modelo\n" + "".join(
    f"R52X00{number:02};T-{number:02};Galaxy Tab A9\n" for number in range(1, 5)
)


@pytest.fixture(autouse=True)
def emptied(product: Product) -> Iterator[None]:
    """Every test begins and ends with no device."""
    yield
    for table in (
        "command",
        "deviceevent",
        "devicestatus",
        "device",
        "delivery",
        "enrolmentticket",
        "fleetfigure",
    ):
        product.execute(f"DELETE FROM devices_{table}")


def come_in(product: Product, blocker: Any) -> None:
    """The tablets of the list come by the ticket, and one that nobody knows: as the gateway writes it."""
    now = datetime.now(UTC)
    with blocker.unblock(), product.django(), scope(product.cast.school.id):
        Device.objects.update(standing=Standing.ENROLLED.value, enrolled_at=now)
        Device.objects.create(
            school_id=product.cast.school.id,
            authority_id=product.cast.authority.pk,
            number="d-stranger",
            serial="NOBODY01",
            model="Tab Unknown",
            standing=Standing.WAITING.value,
            created_at=now,
            search_key="nobody01",
        )


def judged(page: Page) -> None:
    """Usable by everybody, and nothing wider than the window."""
    page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
    found = Axe().run(page, options=WCAG).response["violations"]
    assert [(one["id"], [node["html"][:160] for node in one["nodes"][:2]]) for one in found] == [], page.url
    wide = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
    assert wide <= 0, f"{page.url}: {wide} px wider than the window"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_new_tablets_come_to_a_class(
    product: Product,
    visit: Callable[..., Page],
    django_db_blocker: Any,
    viewport: dict[str, object],
    scheme: str,
) -> None:
    page = visit(product.cast.technician, "/s/oak/devices", **viewport, color_scheme=scheme)
    judged(page)
    page.get_by_role("link", name="Take in a list").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "albaran.csv", "mimeType": "text/csv", "buffer": NOTE.encode()}
    )
    page.get_by_role("button", name="Look at the list").click()
    expect(page.get_by_text("R52X0001")).to_be_visible()
    judged(page)
    page.get_by_label("Name of the delivery").fill("Autumn")
    page.get_by_role("button", name="Take in the list").click()
    expect(page.get_by_role("row", name=re.compile("Autumn"))).to_be_visible()
    judged(page)

    page.goto("/s/oak/devices/enrolment")
    judged(page)
    page.get_by_label("For the class").select_option(label="1A")
    page.get_by_role("button", name="Make the code").click()
    expect(page.locator(".code")).to_have_text(re.compile(r"^[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}$"))
    judged(page)

    come_in(product, django_db_blocker)
    page.goto("/s/oak/devices/waiting")
    expect(page.get_by_text("NOBODY01").first).to_be_visible()
    judged(page)
    page.get_by_role("button", name="Let them in").click()
    expect(page.get_by_text("No device waits")).to_be_visible()

    page.goto(f"/s/oak/devices/assignment?class={product.cast.homeroom.pk}")
    expect(page.get_by_role("row", name=re.compile("T-01"))).to_be_visible()
    judged(page)
    page.get_by_role("button", name=re.compile("^Give 5 devices")).click()
    expect(page.get_by_role("heading", name="1A")).to_be_visible()
    judged(page)

    page.goto("/s/oak/devices/list?q=T-01")
    page.get_by_role("link", name="T-01").click()
    judged(page)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_text("Waits for the device")).to_be_visible()
    assert product.rows("SELECT count(*) FROM devices_command WHERE verb = 1 AND state = 2") == [(1,)]
    for path in (
        "/s/oak/devices",
        "/s/oak/devices/list",
        "/s/oak/devices/classes",
        "/s/oak/devices/proposals",
    ):
        page.goto(path)
        judged(page)


@pytest.mark.timeout(200)
def test_a_fleet_manager_finds_a_serial(
    product: Product, visit: Callable[..., Page], django_db_blocker: Any
) -> None:
    page = visit(product.cast.technician, "/s/oak/devices/deliveries", **DESKTOP)
    page.locator("input[type=file]").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": NOTE.encode()}
    )
    page.get_by_role("button", name="Look at the list").click()
    page.get_by_role("button", name="Take in the list").click()
    page.wait_for_url("**/deliveries")
    with django_db_blocker.unblock(), product.django(), scope(product.cast.school.id):
        count_fleet(product.cast.school)
    manager = SimpleNamespace(account=product.cast.fleet_manager)
    for viewport in (DESKTOP, PHONE):
        page = visit(manager, "/", **viewport)
        expect(page).to_have_url(re.compile("/a/valley/fleet/$"))
        judged(page)
        page.get_by_role("link", name="Oak School").click()
        judged(page)
        page.get_by_role("searchbox").fill("r52x0003")
        expect(page.get_by_role("link", name="T-03")).to_be_visible()
        expect(page.get_by_role("link", name="T-01")).to_have_count(0)
        page.get_by_role("link", name="T-03").click()
        expect(page.get_by_role("heading", name="T-03")).to_be_visible()
        judged(page)
