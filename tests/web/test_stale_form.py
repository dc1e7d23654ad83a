"""A form that is older than the session says so in the school's words, and leads back to itself."""

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
