"""The office makes tools, sees who signs in to them, and revokes them; nobody else does."""

import pytest

from pupitre.connections.actions import tools as actions
from pupitre.connections.rules.tools import BadAddress, NobodyMayUse, ToolNameMissing, addresses_of
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people.rules import Role
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor
from tests.connections.signing import BACK, consent, exchange, make_tool, told

SENT = {"name": "Moodle", "addresses": f"{BACK}\n", "role": ["3", "7"], "scope": ["profile", "school"]}


def test_the_secret_is_shown_once_and_works(cast: Cast, visit: Visitor) -> None:
    office = visit.as_(cast.secretary)
    answer = office.post("/s/oak/tools", SENT)
    page = answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    secret = page.partition('id="secret" value="')[2].partition('"')[0]
    assert len(secret) > 40
    again = office.get("/s/oak/tools").content.decode()
    assert "Moodle" in again
    assert secret not in again
    number = int(again.partition("/s/oak/tools/")[2].partition('"')[0])
    whole = office.get(f"/s/oak/tools/{number}").content.decode()
    assert secret not in whole
    assert "Teachers, Pupils" in whole
    assert BACK in whole


def test_the_office_sees_who_signs_in_and_when(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    consent(visit.as_(cast.pupil), tool)
    page = visit.as_(cast.head).get(f"/s/oak/tools/{tool.id}").content.decode()
    assert "Pau Pupil" in page
    assert "10/13/2026 9:10" in page


def test_a_new_secret_ends_the_old_one(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    office = visit.as_(cast.secretary)
    page = office.post(f"/s/oak/tools/{tool.id}/secret").content.decode()
    fresh = page.partition('id="secret" value="')[2].partition('"')[0]
    code = told(consent(visit.as_(cast.teacher), tool))["code"]
    assert exchange(tool, code).status_code == 401
    assert exchange(tool, code, client_secret=fresh).status_code == 200


def test_a_revoked_tool_stays_listed_and_cannot_be_revoked_twice(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    office = visit.as_(cast.secretary)
    assert office.post(f"/s/oak/tools/{tool.id}/revocation").status_code == 303
    assert "Revoked tools" in office.get("/s/oak/tools").content.decode()
    assert office.post(f"/s/oak/tools/{tool.id}/revocation").status_code == 404


def test_others_make_none_and_strangers_find_none(cast: Cast, visit: Visitor) -> None:
    tool = make_tool(cast)
    for member, status in ((cast.teacher, 403), (cast.pupil, 403), (cast.stranger, 404)):
        for path in ("tools", f"tools/{tool.id}", f"tools/{tool.id}/secret", f"tools/{tool.id}/revocation"):
            assert visit.as_(member).post(f"/s/oak/{path}", SENT).status_code == status
    with scope(cast.school.id):
        with pytest.raises(Denied):
            actions.revoke_tool(cast.teacher.actor, tool.id, now=clock.now())
        with pytest.raises(NotFound):
            actions.revoke_tool(cast.office, 999, now=clock.now())


@pytest.mark.parametrize(
    ("change", "saying"),
    [
        ({"name": " "}, "Give the tool the name"),
        ({"role": []}, "Choose at least one group"),
        ({"addresses": "http://tool.example/back"}, "cannot be an address"),
        ({"addresses": ""}, "cannot be an address"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    cast: Cast, visit: Visitor, change: dict[str, object], saying: str
) -> None:
    answer = visit.as_(cast.secretary).post("/s/oak/tools", {**SENT, "name": "Kept", **change})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert saying in page
    assert "Kept" in page or change.get("name")


def test_addresses_are_whole_and_of_the_web() -> None:
    assert addresses_of(" https://a.example/cb?x=1 \n\nhttp://localhost:8080/cb\nhttp://127.0.0.1/cb\n") == [
        "https://a.example/cb?x=1",
        "http://localhost:8080/cb",
        "http://127.0.0.1/cb",
    ]
    for bad in (
        "http://a.example/",
        "https://*.example/",
        "https://a.example/#part",
        "https://me@a.example/",
        "javascript:alert(1)",
        "https:///path",
        "app://callback",
        "https://a.example/ b",
        "https://a.example:port/",
        "https://a.exa\u200bmple/",
        "https://a.example/\\..",
        "",
    ):
        with pytest.raises(BadAddress):
            addresses_of(bad)


def test_only_people_who_can_use_tools_are_chosen(cast: Cast) -> None:
    wanted = {"addresses": BACK, "scopes": [], "now": clock.now()}
    with scope(cast.school.id):
        with pytest.raises(NobodyMayUse):
            actions.make_tool(cast.office, name="x", roles=[Role.INSPECTOR], **wanted)  # type: ignore[arg-type]
        with pytest.raises(ToolNameMissing):
            actions.make_tool(cast.office, name="", roles=[Role.TEACHER], **wanted)  # type: ignore[arg-type]
