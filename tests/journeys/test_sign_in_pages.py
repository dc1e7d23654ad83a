"""The pages of tools and identity providers with something on them, on a phone and on a desk: axe, and no wider than the window."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from pupitre.connections.actions import identity, tools
from pupitre.connections.queries import identity as providers
from pupitre.connections.queries import tools as known
from pupitre.connections.rules.identity import ProviderKind
from pupitre.connections.rules.tools import CHOICES
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.connections.signing import BACK, MadeTool, question
from tests.journeys.conftest import DESKTOP, PHONE, Product
from tests.journeys.test_every_page import judge

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def made(product: Product, django_db_blocker: Any) -> Iterator[tuple[MadeTool, int]]:
    """A tool that the mother has let know her, and a provider that opens her account."""
    cast, now = product.cast, product.cast.moment.now
    with django_db_blocker.unblock():
        with product.django(), scope(cast.school.id):
            row, secret = tools.make_tool(
                cast.office, name="Library", addresses=BACK, roles=set(Role), scopes=CHOICES, now=now
            )
            facts = known.find_tool(row.client_id)
            assert facts is not None
            tools.admit(cast.mother.actor, facts, scopes=["openid"], now=now)
            form = identity.ProviderForm(
                ProviderKind.OIDC, "Oak directory", "https://id.example", "x", "y", ("oak.example",)
            )
            provider = identity.add_provider(cast.office, form, now=now)
            found = providers.find_provider(provider.key)
            assert found is not None
            identity.connect(cast.mother.actor, found, "mara", now=now)
        yield MadeTool(row.pk, row.client_id, secret), provider.pk
        with product.django(), scope(cast.school.id):
            tools.revoke_tool(cast.office, row.pk, now=now)
            identity.remove_provider(cast.office, provider.pk)


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_pages_of_sign_in_can_be_used_by_everybody(
    product: Product,
    visit: Callable[..., Page],
    made: tuple[MadeTool, int],
    viewport: dict[str, Any],
    scheme: str,
) -> None:
    tool, provider = made
    asked = "&".join(f"{name}={value}" for name, value in question(tool).items())
    cast, problems = product.cast, list[str]()
    wanted: list[tuple[Any, str, str]] = [
        (cast.secretary, "/s/oak/tools", "New tool"),
        (cast.secretary, f"/s/oak/tools/{tool.id}", "Mara Pupil"),
        (cast.secretary, "/s/oak/identity", "Oak directory"),
        (cast.secretary, f"/s/oak/identity/{provider}", "Mara Pupil"),
        (cast.mother, "/account/identity", "Library"),
        (cast.pupil, f"/identity/authorize?{asked}", "Your school, Oak School"),
        (cast.stranger, f"/identity/authorize?{asked}", "is not open to you"),
        (None, "/account/login/?school=oak", "Sign in with Oak directory"),
        (None, "/account/school/?q=oak", "Oak School"),
    ]
    for number, (member, path, says) in enumerate(wanted):
        page = visit(member, path, **viewport, color_scheme=scheme)
        page.get_by_text(says).first.wait_for()
        judge(page, path, problems)
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/{number}-{scheme}.png", full_page=True)
    assert problems == []
