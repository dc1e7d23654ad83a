"""A technician makes a rule for lessons and sees it hold on a device; a teacher lifts it on her phone until the bell."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pupitre.devices.models import Device
from pupitre.devices.rules import Platform, Standing
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.journeys.conftest import DESKTOP, PHONE, Product
from tests.journeys.test_every_page import judge


def a_tablet(product: Product, blocker: Any) -> int:
    cast = product.cast
    with blocker.unblock(), product.django(), scope(cast.school.id):
        return Device.objects.create(
            authority_id=cast.authority.pk,
            school_id=cast.school.id,
            number="journey-1",
            name="Tablet 7",
            platform=Platform.ANDROID.value,
            standing=Standing.ENROLLED.value,
            groups=[cast.homeroom.pk, cast.klass.pk],
            created_at=clock.now(),
        ).pk


def look(page: Page, name: str, problems: list[str]) -> None:
    judge(page, name, problems)
    if folder := os.environ.get("JOURNEY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.browser
def test_a_rule_for_lessons_is_made_holds_and_is_lifted(
    product: Product, visit: Callable[..., Page], django_db_blocker: Any
) -> None:
    problems: list[str] = []
    device = a_tablet(product, django_db_blocker)
    office: dict[str, Any] = {**DESKTOP, "color_scheme": "light"}
    page = visit(product.cast.technician, "/s/oak/devices/policies", **office)
    look(page, "policies-empty", problems)
    page.get_by_role("link", name="New lesson rule").click()
    page.get_by_label("Name").fill("Calculator only")
    page.get_by_label("Class", exact=True).select_option(str(product.cast.homeroom.pk))
    page.locator("[name='set-allowed_applications.packages']").fill("org.geogebra.android")
    page.get_by_role("button", name="See what it does").click()
    expect(page.locator("#touched")).to_contain_text("1 device")
    look(page, "rule-preview", problems)
    page.get_by_role("button", name="Keep the rule").click()
    expect(page.get_by_role("link", name="Calculator only")).to_be_visible()
    page.goto(f"/s/oak/devices/{device}")
    expect(page.locator("#applies")).to_contain_text("“Calculator only”, set by Teo Nician")
    look(page, "device-applies", problems)

    phone = visit(product.cast.teacher, "/s/oak/devices/lesson", **PHONE, color_scheme="dark")
    look(phone, "lesson-phone", problems)
    phone.get_by_role("button", name="Lift the rules of the lesson").click()
    expect(phone.get_by_role("button", name="Take it back now")).to_be_visible()
    look(phone, "lesson-lifted-phone", problems)
    page.reload()
    expect(page.locator("#applies")).to_contain_text("decided by Tess Teacher")

    page.goto("/s/oak/devices/policies/new")
    look(page, "policy-new", problems)
    page.get_by_label("Name", exact=True).first.fill("Calm")
    page.locator("[name='set-camera'][value='no']").check()
    page.get_by_role("button", name="Save the policy").click()
    page.get_by_label("To whom").select_option(f"class-{product.cast.homeroom.pk}")
    page.get_by_role("button", name="See what it changes").click()
    expect(page.locator("#touched")).to_contain_text("Camera")
    look(page, "policy-preview", problems)
    page.get_by_role("button", name="Give it now").click()
    page.get_by_role("link", name="Change").click()
    page.locator("[name='set-camera'][value='yes']").check()
    page.get_by_role("button", name="See what it changes").click()
    expect(page.locator("#touched")).to_contain_text("Not allowed")
    look(page, "policy-change", problems)
    page.get_by_role("button", name="Save: it holds from now on").click()
    expect(page.get_by_role("button", name="Go back to this")).to_be_visible()
    look(page, "policy", problems)
    for path in ("/s/oak/devices/policies", page.url, f"{page.url}/edition"):
        small = visit(product.cast.technician, path, **PHONE, color_scheme="dark")
        look(small, f"phone-{path.rsplit('/', 1)[1]}", problems)
    assert problems == []
