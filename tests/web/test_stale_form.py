"""A form that is older than the session says so in the school's words, and leads back to itself."""

import re

import pytest
from django.test import Client


def test_a_form_without_its_token_leads_back_to_itself() -> None:
    browser = Client(enforce_csrf_checks=True)
    for referer, again in (
        ("http://testserver/account/login/", b"http://testserver/account/login/"),
        ("http://elsewhere.example/", b'href="/"'),
    ):
        answer = browser.post("/account/login/", {"login": "x"}, headers={"referer": referer})
        assert answer.status_code == 403
        assert b"This page had grown old" in answer.content
        assert again in answer.content
        assert b"elsewhere" not in answer.content


def tokens(browser: Client) -> list[str]:
    page = browser.get("/account/login/").content.decode()
    return re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)


@pytest.mark.django_db
def test_each_page_has_a_token_of_its_own_and_all_are_good() -> None:
    browser = Client(enforce_csrf_checks=True)
    first, second = tokens(browser)[0], tokens(browser)[0]
    assert first != second
    for token in (first, second):
        answer = browser.post("/i18n/setlang/", {"language": "ca", "csrfmiddlewaretoken": token})
        assert answer.status_code == 302
    assert browser.post("/i18n/setlang/", {"csrfmiddlewaretoken": first[::-1]}).status_code == 403
    assert tokens(Client(enforce_csrf_checks=True))[0] not in (first, second)
