"""A body that is too large is refused before anything reads it."""

from django.conf import settings
from django.test import Client

from pupitre.web.middleware import BodyLimitMiddleware
from tests.cast import Cast
from tests.conftest import Visitor


def test_a_stranger_sends_a_form_and_no_more(cast: Cast) -> None:
    answer = Client().post("/account/login/", {"login": "x" * (BodyLimitMiddleware.OPEN + 1)})
    assert answer.status_code == 413
    assert Client().post("/account/login/", {"login": "x"}).status_code == 200


def test_who_is_signed_in_may_send_a_roster(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    assert settings.SESSION_COOKIE_NAME in browser.cookies
    assert browser.post("/s/oak/rosters", {"x": "x" * (BodyLimitMiddleware.OPEN + 1)}).status_code != 413
