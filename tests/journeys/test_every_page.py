"""Every page, opened in a real browser by somebody who may: no axe violation, nothing wider than a phone, no error."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page as BrowserPage

from tests.house.pages import address, pages
from tests.house.test_pages import sample_arguments
from tests.journeys.conftest import DESKTOP, PHONE, Product

WCAG = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
# Answers that are not pages: files, feeds, and what only scripts ask for.
NOT_PAGES = (
    ".ics",
    ".xlsx",
    ".pdf",
    ".csv",
    ".zip",
    "manifest",
    "service-worker",
    "health/",
    "photo",
    "registers/session",
    "document",
    "token",
    "api/",
    "identity/authorize",
    "identity/userinfo",
)
# allauth's pages in our frame, which the URLconf's walk leaves out.
ACCOUNT = (
    "/account/login/",
    "/account/password/reset/",
    "/account/password/change/",
    "/account/email/",
    "/account/2fa/",
    "/account/2fa/totp/activate/",
    "/account/2fa/webauthn/",
    "/account/sessions/",
)
VIEWERS = ("secretary", "head", "teacher", "mother", "pupil")


def addresses(product: Product) -> list[str]:
    arguments = {**sample_arguments(product.cast), "on": today(product)}
    found = []
    for page in pages():
        if any(part in page.route for part in NOT_PAGES):
            continue
        try:
            found.append(address(page, arguments))
        except KeyError:  # asks for a row that the cast has none of: its own journey looks at it
            continue
    return [*found, *ACCOUNT]


def today(product: Product) -> str:
    from pupitre.kernel import clock

    return clock.today(product.cast.school.time_zone).isoformat()


def judge(page: BrowserPage, path: str, problems: list[str]) -> None:
    # What is still fading in has the contrast of the moment.
    page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
    for violation in Axe().run(page, options=WCAG).response["violations"]:
        nodes = [node["html"][:160] for node in violation["nodes"][:3]]
        problems.append(f"{path}: {violation['id']}: {violation['help']}: {nodes}")
    wide = page.evaluate("document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
    if wide > 0:
        problems.append(f"{path}: {wide} px wider than the window")


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_every_page_can_be_used_by_everybody(
    product: Product, visit: Callable[..., BrowserPage], viewport: dict[str, Any], scheme: str
) -> None:
    members: dict[str, Any] = {name: getattr(product.cast, name) for name in VIEWERS}
    members["inspector"] = SimpleNamespace(account=product.cast.inspector)
    open_pages = {name: visit(member, **viewport, color_scheme=scheme) for name, member in members.items()}
    problems: list[str] = []
    seen = 0
    for path in addresses(product):
        statuses: list[int] = []
        for page in open_pages.values():
            # Asked for without the browser first: it stops at answers that are no pages.
            answer = page.request.get(path, max_redirects=0)
            statuses.append(answer.status)
            if answer.status == 200 and "text/html" in answer.headers.get("content-type", ""):
                page.goto(path)
                judge(page, path, problems)
                seen += 1
                break
        else:
            # A file (200), takes only what a form sends (405), leads elsewhere, or needs what the cast has not.
            if not {200, 302, 303, 401, 403, 404, 405} >= set(statuses):  # 401: machines ask with a token
                problems.append(f"{path}: {statuses}")
    assert problems == []
    assert seen > 50
