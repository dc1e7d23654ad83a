"""A register without network: opened, taken, merged, sent, and never under another person's name.

The network is cut by the browser itself; the product is the running one, and what counts is what its database holds.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from .conftest import PHONE, Product, session_cookie, sign_out

pytestmark = pytest.mark.browser

MARKS = """
SELECT p.sourced_id, m.status, m.minutes, m.note, m.is_explicit FROM attendance_mark m JOIN people_person p ON p.id = m.pupil_id
"""


@pytest.fixture(autouse=True)
def untaken(product: Product) -> Iterator[None]:
    """Every test begins with no register taken."""
    yield
    product.execute("DELETE FROM attendance_alert")
    product.execute("DELETE FROM attendance_markrevision")
    product.execute("DELETE FROM attendance_mark")
    product.execute("DELETE FROM attendance_reopening")
    product.execute("DELETE FROM attendance_register")


def marks(product: Product) -> dict[str, tuple[int, int, str, bool]]:
    return {row[0]: row[1:] for row in product.rows(MARKS)}


def open_day(visit: Callable[..., Page], product: Product, **options: Any) -> Page:
    """The teacher's day, with today's registers kept on her phone."""
    page = visit(product.cast.teacher, "/s/oak/day", **options)
    expect(page.locator('[data-chip="kept"]')).to_have_text(re.compile("Ready for offline"), timeout=20_000)
    return page


def open_register(page: Page) -> None:
    page.get_by_role("link", name=re.compile("register")).first.click()
    expect(page.locator("register-sheet[data-ready]")).to_be_attached()


def tap(page: Page, pupil: Any, label: str) -> None:
    page.locator(f"#pupil-{pupil.pk}").get_by_role("radio", name=label, exact=True).tap()


def chip(page: Page) -> Any:
    return page.locator("[data-sync]")


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what the database says: of two quick taps the chip says "Saved" after the first, too."""
    for _ in range(60):
        if holds():
            return
        page.wait_for_timeout(200)
    assert holds()


def test_a_register_of_thirty_is_taken_with_a_thumb(visit: Callable[..., Page], product: Product) -> None:
    page = visit(product.cast.teacher, "/s/oak/day")
    open_register(page)
    assert page.locator(".pupil").count() == 30
    tap(page, product.cast.pupil.person, "Absent")
    tap(page, product.crowd[25], "Late")
    expect(chip(page)).to_have_text(re.compile("Saved"))
    until(page, lambda: marks(product)["crowd-25"][0] == 3)
    found = marks(product)
    assert len(found) == 30
    assert found["pupil"][0] == 2
    assert found["crowd-25"][0] == 3
    assert 9 <= found["crowd-25"][1] <= 20
    assert found["crowd-3"] == (1, 0, "", False)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_script_the_form_alone_takes_the_register(
    visit: Callable[..., Page], product: Product
) -> None:
    page = visit(product.cast.teacher, "/s/oak/day", java_script_enabled=False)
    page.get_by_role("link", name=re.compile("register")).first.click()
    page.locator(f"#pupil-{product.cast.pupil.person.pk}").get_by_role(
        "radio", name="Absent", exact=True
    ).check()
    page.get_by_role("button", name="Save register").click()
    expect(page.get_by_text("The register is saved.")).to_be_visible()
    assert marks(product)["pupil"][0] == 2
    assert len(marks(product)) == 30


def test_without_network_the_register_opens_is_taken_and_sent_later(
    visit: Callable[..., Page], product: Product
) -> None:
    page = open_day(visit, product)
    page.context.set_offline(True)
    open_register(page)
    expect(chip(page)).to_have_text("Offline")
    tap(page, product.cast.pupil.person, "Absent")
    expect(chip(page)).to_have_text(re.compile("1 mark waits"))

    page.reload()
    expect(page.locator("register-sheet[data-ready]")).to_be_attached()
    absent = page.locator(f"#pupil-{product.cast.pupil.person.pk}").get_by_role(
        "radio", name="Absent", exact=True
    )
    expect(absent).to_be_checked()
    tap(page, product.cast.sister.person, "Late")
    expect(chip(page)).to_have_text(re.compile("2 marks wait"))
    assert marks(product) == {}

    page.context.set_offline(False)
    expect(chip(page)).to_have_text(re.compile("Saved"), timeout=20_000)
    found = marks(product)
    assert (found["pupil"][0], found["sister"][0], found["classmate"][0]) == (2, 3, 1)
    assert found["pupil"][3] is True


def test_another_page_sends_what_a_closed_one_left(visit: Callable[..., Page], product: Product) -> None:
    page = open_day(visit, product)
    page.context.set_offline(True)
    open_register(page)
    tap(page, product.cast.pupil.person, "Absent")
    expect(chip(page)).to_have_text(re.compile("1 mark waits"))
    page.close()
    again = page.context.new_page()
    again.goto("/s/oak/day")
    page.context.set_offline(False)
    again.goto("/s/oak/day")
    expect(again.locator("day-preload")).to_be_attached()
    for _ in range(40):
        if marks(product):
            break
        again.wait_for_timeout(250)
    assert marks(product)["pupil"][0] == 2


def test_two_devices_are_merged_and_the_teacher_decides(visit: Callable[..., Page], product: Product) -> None:
    phone, tablet = open_day(visit, product), open_day(visit, product)
    phone.context.set_offline(True)
    open_register(phone)
    tap(phone, product.cast.pupil.person, "Absent")
    tap(phone, product.cast.sister.person, "Absent")
    expect(chip(phone)).to_have_text(re.compile("2 marks wait"))

    open_register(tablet)
    tap(tablet, product.cast.pupil.person, "Late")
    tap(tablet, product.crowd[0], "Excused")
    expect(chip(tablet)).to_have_text(re.compile("Saved"))
    until(tablet, lambda: marks(product)["crowd-0"][0] == 4)

    phone.context.set_offline(False)
    expect(chip(phone)).to_have_text("Merged", timeout=20_000)
    found = marks(product)
    # The tablet's mark of the brother was later; the sister's is only the phone's; the third only the tablet's.
    assert (found["pupil"][0], found["sister"][0], found["crowd-0"][0]) == (3, 2, 4)
    told = phone.locator("[data-merges]")
    expect(told).to_contain_text("another device said “Late")
    kept = product.rows("SELECT status, is_explicit FROM attendance_markrevision WHERE is_explicit")
    assert kept == [(2, True)]
    crowd = phone.locator(f"#pupil-{product.crowd[0].pk}").get_by_role("radio", name="Excused", exact=True)
    expect(crowd).to_be_checked()

    told.get_by_role("button", name=re.compile("Use mine")).tap()
    expect(chip(phone)).to_have_text(re.compile("Saved"))
    until(phone, lambda: marks(product)["pupil"][0] == 2)


def test_signing_out_forgets_the_pages_and_keeps_the_marks(
    visit: Callable[..., Page], product: Product
) -> None:
    page = open_day(visit, product)
    page.context.set_offline(True)
    open_register(page)
    register = page.url
    tap(page, product.cast.pupil.person, "Absent")
    expect(chip(page)).to_have_text(re.compile("1 mark waits"))
    page.context.clear_cookies()
    page.context.set_offline(False)
    page.goto("/account/login/")
    page.context.set_offline(True)
    page.goto(register)
    expect(page.get_by_role("heading", name="No network")).to_be_visible()
    assert page.evaluate("caches.keys().then(names => names.filter(n => n.startsWith('pages-')))") == []

    # Somebody else signs in on the device: nothing is sent under her name.
    page.context.set_offline(False)
    page.context.add_cookies([session_cookie(product, product.cast.colleague)])
    page.goto("/s/oak/day")
    page.wait_for_timeout(1_500)
    assert marks(product) == {}

    page.context.clear_cookies()
    page.context.add_cookies([session_cookie(product, product.cast.teacher)])
    page.goto("/s/oak/day")
    for _ in range(40):
        if marks(product):
            break
        page.wait_for_timeout(250)
    assert marks(product)["pupil"][0] == 2
    assert product.rows("SELECT recorded_by_id FROM attendance_mark WHERE is_explicit") == [
        (product.cast.teacher.person.pk,)
    ]


def test_a_note_is_kept_with_the_mark_and_undo_takes_a_tap_back(
    visit: Callable[..., Page], product: Product
) -> None:
    page = visit(product.cast.teacher, "/s/oak/day", **PHONE)
    open_register(page)
    tap(page, product.cast.pupil.person, "Absent")
    page.get_by_role("button", name="Undo").tap()
    page.locator(f"#pupil-{product.cast.sister.person.pk} a.name").tap()
    page.get_by_label("What should the others know?").fill("Feels ill")
    page.get_by_role("button", name="Keep the note").tap()
    expect(page.locator(f"#pupil-{product.cast.sister.person.pk} [data-note]")).to_have_text("Feels ill")
    expect(chip(page)).to_have_text(re.compile("Saved"))
    page.wait_for_timeout(600)
    assert marks(product)["sister"][2] == "Feels ill"
    assert marks(product)["pupil"][0] == 1


def test_the_button_to_sign_out_forgets_the_pages(visit: Callable[..., Page], product: Product) -> None:
    page = open_day(visit, product)
    day = page.url
    assert page.evaluate("caches.keys().then(names => names.filter(n => n.startsWith('pages-')).length)") == 1
    sign_out(page)
    page.wait_for_function("caches.keys().then(names => names.every(n => !n.startsWith('pages-')))")
    page.context.set_offline(True)
    page.goto(day)
    expect(page.get_by_role("heading", name="No network")).to_be_visible()


def test_the_offline_page_speaks_the_language_of_the_page_seen_last(
    visit: Callable[..., Page], product: Product
) -> None:
    page = open_day(visit, product)
    sign_out(page)
    page.context.add_cookies([{"name": "django_language", "value": "ca", "url": product.address}])
    page.goto("/account/login/")
    page.wait_for_function(
        "caches.match('/offline').then(kept => kept?.headers.get('Content-Language') === 'ca')"
    )
    page.context.set_offline(True)
    page.goto("/notifications")
    expect(page.get_by_role("heading", name="No hi ha connexió")).to_be_visible()


@pytest.fixture
def restarted(
    playwright: Playwright, chromium_path: str, product: Product, tmp_path: Path
) -> Callable[..., BrowserContext]:
    """A browser that is closed and opened again with the same profile; `cut` lets nothing through, workers included."""

    def start(*, cut: bool = False) -> BrowserContext:
        nowhere = {"proxy": {"server": "http://127.0.0.1:9", "bypass": "<-loopback>"}} if cut else {}
        return playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium_path,
            args=["--no-sandbox"],
            base_url=product.address,
            **PHONE,
            **nowhere,
        )

    return start


def test_a_restarted_browser_still_opens_and_later_sends(
    restarted: Callable[..., BrowserContext], product: Product
) -> None:
    context = restarted()
    context.add_cookies([session_cookie(product, product.cast.teacher)])
    page = context.pages[0]
    page.goto("/s/oak/day")
    expect(page.locator('[data-chip="kept"]')).to_have_text(re.compile("Ready for offline"), timeout=20_000)
    context.close()

    context = restarted(cut=True)
    page = context.pages[0]
    page.goto("/s/oak/day")
    open_register(page)
    tap(page, product.cast.pupil.person, "Absent")
    expect(chip(page)).to_have_text(re.compile("1 mark waits"))
    context.close()

    context = restarted()
    page = context.pages[0]
    context.add_cookies([session_cookie(product, product.cast.teacher)])
    page.goto("/s/oak/day")
    for _ in range(40):
        if marks(product):
            break
        page.wait_for_timeout(250)
    context.close()
    assert marks(product)["pupil"][0] == 2


def test_a_closed_register_is_reopened_with_a_reason(visit: Callable[..., Page], product: Product) -> None:
    page = visit(product.cast.teacher, "/s/oak/day")
    open_register(page)
    tap(page, product.cast.pupil.person, "Absent")
    expect(chip(page)).to_have_text(re.compile("Saved"))
    page.get_by_role("button", name="Close", exact=True).last.tap()
    expect(page.get_by_role("heading", name="Maths 1A")).to_be_visible()
    page.get_by_role("button", name="Reopen to correct").tap()
    page.get_by_label("Why?").fill("He came in")
    page.get_by_role("button", name="Reopen", exact=True).tap()
    expect(page.get_by_role("button", name="Done")).to_be_visible()
    assert product.rows("SELECT reason FROM attendance_reopening") == [("He came in",)]


def test_a_register_kept_before_its_lesson_opens_by_itself_without_network(
    visit: Callable[..., Page], product: Product
) -> None:
    page = visit(product.cast.teacher)
    page.clock.install()
    page.goto("/s/oak/day")
    expect(page.locator('[data-chip="kept"]')).to_have_text(re.compile("Ready for offline"), timeout=20_000)
    later = f"a.grow[href*='/registers/{product.cast.next_lesson.pk}/']"
    page.context.set_offline(True)
    page.locator(later).tap()
    expect(page.get_by_text("This lesson has not begun yet")).to_be_visible()
    expect(page.get_by_role("button", name="Save register")).to_be_hidden()
    page.clock.fast_forward("01:00:00")
    expect(page.locator("register-sheet[data-ready]")).to_be_attached()
    expect(page.get_by_text("This lesson has not begun yet")).to_be_hidden()
    tap(page, product.cast.pupil.person, "Absent")
    expect(chip(page)).to_have_text(re.compile("1 mark waits"))
    page.get_by_role("button", name="Done").tap()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(page.locator('[data-chip="offline"]')).to_be_visible()


UPLOAD = """async (path) => {
  const { csrf } = await (await fetch("/registers/session")).json();
  const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 300 });
  canvas.getContext("2d").fillRect(0, 0, 200, 200);
  const form = new FormData();
  form.append("photo", await new Promise((done) => canvas.toBlob(done, "image/jpeg")), "face.jpg");
  return (await fetch(path, { method: "POST", body: form, headers: { "X-CSRFToken": csrf }, redirect: "manual" })).type;
}"""


def test_photos_are_kept_with_the_registers(visit: Callable[..., Page], product: Product) -> None:
    office = visit(product.cast.secretary, "/s/oak/people")
    assert office.evaluate(UPLOAD, f"/s/oak/people/{product.crowd[1].pk}/photo") == "opaqueredirect"
    page = open_day(visit, product)
    page.context.set_offline(True)
    open_register(page)
    face = page.locator(f"#pupil-{product.crowd[1].pk} img")
    expect(face).to_be_visible()
    kind = "src => fetch(src).then(answer => answer.headers.get('Content-Type'))"
    assert page.evaluate(kind, face.get_attribute("src")) == "image/jpeg"
    assert page.evaluate(kind, f"/s/oak/people/{product.crowd[2].pk}/photo?none") == "image/svg+xml"
