"""What every answer says to the browser beside its content."""

from django.test import Client
from django.test.utils import override_settings

from tests.cast import Cast
from tests.conftest import Visitor


def test_a_school_that_is_reached_by_https_is_reached_by_nothing_else(cast: Cast) -> None:
    with override_settings(SESSION_COOKIE_SECURE=True):
        assert Client().get("/account/login/").headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in Client().get("/account/login/").headers


def test_personal_pages_are_kept_by_no_cache_on_the_way(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.secretary)
    for page in ("/account", "/notifications", "/s/oak/people", f"/s/oak/people/{cast.pupil.person.pk}"):
        answer = client.get(page)
        assert answer.headers["Cache-Control"] == "private, no-cache", page
        assert "script-src" not in answer.headers["Content-Security-Policy"], "only our own, by default-src"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
