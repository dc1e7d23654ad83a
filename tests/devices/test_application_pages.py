"""The pages of the catalogue and of rollouts, in a school and in its authority."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.devices.actions import catalogue, rollouts
from pupitre.devices.models import Application, ApplicationVersion, Rollout
from pupitre.devices.rules import Platform, RolloutState
from pupitre.devices.rules.applications import Wave
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor

from .packages import apk

SCHOOL, AUTHORITY = "/s/oak/devices", "/a/valley/fleet"


def manager(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.fleet_manager)
    return client


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def file(version: str = "2.1", code: int = 21) -> SimpleUploadedFile:
    return SimpleUploadedFile("atlas.apk", apk(version=version, code=code))


@pytest.mark.parametrize("page", ["applications", "rollouts"])
def test_pages_are_for_who_cares_for_devices(cast: Cast, visit: Visitor, page: str) -> None:
    assert visit.as_(cast.technician).get(f"{SCHOOL}/{page}").status_code == 200
    assert visit.as_(cast.teacher).get(f"{SCHOOL}/{page}").status_code == 403
    assert visit.as_(cast.stranger).get(f"{SCHOOL}/{page}").status_code == 404
    assert visit.anonymous().get(f"{SCHOOL}/{page}").status_code == 302
    assert manager(cast).get(f"{AUTHORITY}/{page}").status_code == 200
    assert visit.as_(cast.technician).get(f"{AUTHORITY}/{page}").status_code == 404
    assert visit.anonymous().get(f"{AUTHORITY}/{page}").status_code == 302


@pytest.mark.parametrize("whose", ["school", "authority"])
def test_a_version_is_uploaded_rolled_out_halted_and_rolled_back(
    cast: Cast, visit: Visitor, whose: str
) -> None:
    is_school = whose == "school"
    browser, root = (visit.as_(cast.technician), SCHOOL) if is_school else (manager(cast), AUTHORITY)

    def inside() -> Any:
        return scope(cast.school.id) if is_school else scope(authority=cast.authority.pk)

    page = browser.post(f"{root}/applications", {"file": file("1.0", 10), "name": "Atlas"}, follow=True)
    assert "everybody has it" in text_of(page)
    with inside():
        app = Application.objects.get()
    page = browser.post(f"{root}/applications/{app.pk}", {"file": file("2.0", 20)}, follow=True)
    assert "2.0" in text_of(page)
    again = browser.post(f"{root}/applications/{app.pk}", {"file": file("2.0", 20)})
    assert "in the catalogue already" in text_of(again)
    with inside():
        version = ApplicationVersion.objects.get(version="2.0")
    facts = {"way": "waves", "share": "10", "days": "2", "starts_on": "2026-10-13", "site_budget": "500",
             "failure_limit": "5", "least_reports": "20"}  # fmt: skip
    page = browser.post(f"{root}/versions/{version.pk}/rollouts", facts, follow=True)
    assert "On its way" in text_of(page)
    assert "10 %" in text_of(page)
    with inside():
        rollout = Rollout.objects.get()
    where = f"{root}/rollouts/{rollout.pk}"
    assert "Halted" in text_of(browser.post(where, {"turn": "halt", "why": "too slow"}, follow=True))
    assert "not possible in the state" in text_of(browser.post(where, {"turn": "halt"}))
    assert "goes back to 1.0" in text_of(browser.post(where, {"turn": "roll-back"}, follow=True))
    assert browser.post(where, {"turn": "nonsense"}).status_code == 404
    assert "Atlas 2.0" in text_of(browser.get(f"{root}/rollouts"))
    page = browser.post(f"{root}/versions/{version.pk}/withdrawal", follow=True)
    assert "withdrawn" in text_of(page)
    browser.post(f"{root}/applications/{app.pk}/removal")
    assert "The catalogue is empty" in text_of(browser.get(f"{root}/applications"))


def test_what_cannot_be_read_is_said_on_the_page(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.technician)
    page = browser.post(
        f"{SCHOOL}/applications", {"file": SimpleUploadedFile("x.apk", b"hello"), "name": "x"}
    )
    assert "not a package that could be read" in text_of(page)
    page = browser.post(
        f"{SCHOOL}/applications",
        {"kind": "winget", "package": "Mozilla.Firefox", "version": "140"},
        follow=True,
    )
    assert "Mozilla.Firefox" in text_of(page)


def test_a_school_sees_its_authoritys_rollout_and_does_not_steer_it(cast: Cast, visit: Visitor) -> None:
    manager(cast).post(f"{AUTHORITY}/applications", {"file": file(), "name": "Atlas"})
    with scope(authority=cast.authority.pk):
        version = ApplicationVersion.objects.get()
    manager(cast).post(f"{AUTHORITY}/versions/{version.pk}/rollouts", {"way": "at-once"})
    with scope(authority=cast.authority.pk):
        rollout = Rollout.objects.get()
    browser = visit.as_(cast.technician)
    assert "fleet managers steer it" in text_of(browser.get(f"{SCHOOL}/rollouts/{rollout.pk}"))
    assert browser.post(f"{SCHOOL}/rollouts/{rollout.pk}", {"turn": "halt"}).status_code == 404
    assert browser.post(f"{SCHOOL}/versions/{version.pk}/withdrawal").status_code == 404
    assert browser.post(f"{SCHOOL}/applications/{version.application_id}/removal").status_code == 404


def statements(browser: Client, where: str) -> int:
    browser.get(where)
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(where).status_code == 200
    return len(seen)


def test_statements_do_not_grow_with_the_catalogue(cast: Cast, visit: Visitor) -> None:
    browser, counted = visit.as_(cast.technician), []
    for first, last in ((0, 1), (1, 30)):
        with scope(cast.school.id):
            for number in range(first, last):
                app = catalogue.add_application(
                    cast.technician.actor, package=f"org.example.a{number}", name=f"A {number}", platform=Platform.LINUX,
                    kind="flatpak", now=NOW,
                )  # fmt: skip
                for version in ("1", "2"):
                    made = catalogue.add_version(cast.technician.actor, app.pk, version=version, now=NOW)
                rollouts.plan_rollout(cast.technician.actor, made.pk, waves=[Wave(1, NOW)], now=NOW)
        counted.append([statements(browser, f"{SCHOOL}/{page}") for page in ("applications", "rollouts")])
    assert counted[0] == counted[1]
    with scope(cast.school.id):
        assert Rollout.objects.filter(state=RolloutState.RUNNING).count() == 30
