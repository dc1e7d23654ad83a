"""The product runs as a person meets it: it answers, and lets its people in."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import Product, sign_in, sign_out

pytestmark = pytest.mark.browser


def test_a_teacher_signs_in_and_out_on_her_phone(visit: Callable[..., Page], product: Product) -> None:
    page = visit()
    sign_in(page, product.cast.teacher)
    assert [c["name"] for c in page.context.cookies() if c["name"] == "sessionid"]
    sign_out(page)
    assert not [c["name"] for c in page.context.cookies() if c["name"] == "sessionid"]


def test_a_page_opens_in_a_context_that_is_signed_in_already(
    visit: Callable[..., Page], product: Product
) -> None:
    page = visit(product.cast.secretary, "/")
    expect(page.get_by_role("button", name="Account: Sira Secretary")).to_be_visible()
