"""Everybody arrives at the right place, and finds the navigation of that role."""

import re
from types import SimpleNamespace

import pytest

from pupitre.people import actions as people
from pupitre.people.rules import Role, system_actor
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.messaging.test_publish_notice import published


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("head", "/s/oak/overview"),
        ("secretary", "/s/oak/board"),
        ("teacher", "/s/oak/day"),
        ("pupil", "/s/oak/my-day"),
        ("mother", "/family"),
        ("barred", "/family"),
    ],
)
def test_each_persona_comes_straight_to_her_place(cast: Cast, visit: Visitor, name: str, place: str) -> None:
    client = visit.as_(getattr(cast, name))
    answer = client.get("/")
    if answer.headers["Location"].startswith("/s/"):
        answer = client.get(answer.headers["Location"])
    assert answer.headers["Location"] == place


def test_the_inspector_comes_to_the_authority(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(SimpleNamespace(account=cast.inspector)).get("/")
    assert answer.headers["Location"] == "/a/valley/"


def teacher_with_a_child(cast: Cast) -> None:
    with scope(cast.other_school.id):
        office = system_actor(cast.other_school)
        again = people.register_person(
            office, sourced_id="tess", given_name="Tess", family_name="Teacher", now=NOW
        )
        people.grant_role(office, again, Role.GUARDIAN)
        people.link_account(office, again, cast.teacher.account)


def test_who_has_several_places_chooses_and_the_device_remembers(cast: Cast, visit: Visitor) -> None:
    teacher_with_a_child(cast)
    client = visit.as_(cast.teacher)
    page = client.get("/")
    assert page.status_code == 200
    assert "Oak School" in page.content.decode()
    assert "Elm School" in page.content.decode()
    client.get("/family")
    assert client.get("/").headers["Location"] == "/family"
    client.get("/s/oak/")
    assert client.get("/").headers["Location"] == "/s/oak/"
    assert client.get("/?choose").status_code == 200


def test_a_remembered_place_that_is_lost_is_not_gone_to(cast: Cast, visit: Visitor) -> None:
    teacher_with_a_child(cast)
    client = visit.as_(cast.teacher)
    for wrong in ("/s/elm/", "https://evil.example", "/a/valley/"):
        client.cookies["place"] = wrong
        assert client.get("/").status_code == 200


def test_who_belongs_nowhere_is_told_what_to_do(cast: Cast, visit: Visitor) -> None:
    nobody = people.open_account(username="nobody", password="x" * 12, display_name="No Body", now=NOW)
    page = visit.as_(SimpleNamespace(account=nobody)).get("/").content.decode()
    assert "No school knows this account yet" in page


def doors(page: str) -> list[str]:
    nav = page.split('<nav class="nav"')[1].split("</nav>", maxsplit=1)[0]
    return re.findall(r'href="([^"]+)"', nav)


def test_the_navigation_is_the_roles(cast: Cast, visit: Visitor) -> None:
    path = "/s/oak/notices"
    assert doors(visit.as_(cast.teacher).get(path).content.decode())[0] == "/s/oak/day"
    assert doors(visit.as_(cast.secretary).get(path).content.decode())[0] == "/s/oak/board"
    assert doors(visit.as_(cast.head).get(path).content.decode())[0] == "/s/oak/overview"
    pupil = doors(visit.as_(cast.pupil).get(path).content.decode())
    assert pupil[0] == "/s/oak/my-day"
    assert not {"/s/oak/people", "/s/oak/board", "/s/oak/absences"} & set(pupil)
    mother = doors(visit.as_(cast.mother).get(path).content.decode())
    assert mother[0] == "/family"
    assert "/s/oak/people" not in mother


def test_unread_notices_are_counted_at_their_door(cast: Cast, visit: Visitor) -> None:
    published(cast)
    page = visit.as_(cast.father).get("/s/oak/notices").content.decode()
    nav = page.split('<nav class="nav"')[1].split("</nav>")[0]
    assert '<span class="count">1</span>' in nav
