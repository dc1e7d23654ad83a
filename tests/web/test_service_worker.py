"""What the service worker is told about its build, and which pages name their account."""

import json
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders

from tests.cast import Cast
from tests.conftest import Visitor


def build(visit: Visitor) -> dict[str, object]:
    answer = visit.anonymous().get("/service-worker.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    first, _, rest = answer.content.decode().partition("\n")
    assert "addEventListener" in rest
    return dict(json.loads(first.removeprefix("self.pupitreBuild = ").removesuffix(";")))


def test_the_worker_is_served_with_its_build(cast: Cast, visit: Visitor) -> None:
    found = build(visit)
    assert found["offline"] == "/offline"
    assert found["signOut"] == "/account/logout/"
    assert len(str(found["version"])) == 12


def test_every_asset_that_it_takes_along_exists(cast: Cast, visit: Visitor) -> None:
    found = build(visit)
    paths = [*found["assets"], *found["scripts"]]  # type: ignore[misc]
    assert any(path.endswith("register-sheet.js") for path in paths)
    for path in paths:
        assert finders.find(urlsplit(path).path.removeprefix("/static/")), path


def test_pages_name_the_account_they_are_for(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.teacher).get("/s/oak/day").headers["Pupitre-Account"] == str(
        cast.teacher.account.pk
    )
    assert visit.anonymous().get("/account/login/").headers["Pupitre-Account"] == "0"
    assert "Pupitre-Account" not in visit.anonymous().get("/registers/session").headers
