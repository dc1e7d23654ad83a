"""SCIM: another system's directory keeps people and groups up to date, in its own school alone."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from pupitre.connections import actions
from pupitre.connections.rules import Scope
from pupitre.courses.models import Class, Enrolment
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.models import Account, Person
from pupitre.people.queries.directory import whole_school_roles
from pupitre.people.rules import Role
from pupitre.tenancy.models import Change
from pupitre.tenancy.scoping import scope
from tests.cast import TODAY, Cast
from tests.conftest import Visitor


@pytest.fixture
def token(cast: Cast) -> str:
    with scope(cast.school.id):
        _, secret = actions.open_connection(
            cast.office, name="Directory", scopes=[Scope.SCIM], now=clock.now()
        )
    return secret


@pytest.fixture
def live(token: str) -> Iterator[WSGISCIMClient]:
    """The tester's own client of the whole application, within the test's transaction, whose connection stays open."""
    headers = {"Authorization": f"Bearer {token}"}
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield WSGISCIMClient(WSGIHandler(), base_url="http://localhost:8000/scim/v2", headers=headers)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_protocols_own_tester_finds_nothing(live: WSGISCIMClient) -> None:
    results = check_server(live)
    wrong = [
        (r.status.name, r.resource_type, r.title, r.reason) for r in results if r.status is not Status.SUCCESS
    ]
    assert wrong == [], "\n".join(map(str, wrong))
    assert len(results) > 40


URN = "urn:ietf:params:scim:schemas:core:2.0:"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Directory:
    """Another system's directory, as it asks."""

    def __init__(self, secret: str) -> None:
        self.browser, self.secret = Client(), secret

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.browser.generic(
            method,
            f"/scim/v2{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/scim+json",
            headers={"Authorization": f"Bearer {self.secret}", **headers},
        )

    def made(self, path: str = "/Users", **facts: Any) -> dict[str, Any]:
        answer = self.ask("POST", path, facts)
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def patched(self, path: str, *operations: dict[str, Any]) -> Any:
        answer = self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})
        assert answer.status_code in {200, 204}, answer.content
        return self.ask("GET", path).json()

    def found(self, path: str, filter_: str) -> list[str]:
        answer = self.ask("GET", f"{path}?{urlencode({'filter': filter_})}")
        assert answer.status_code == 200, answer.content
        return [one["id"] for one in answer.json().get("Resources", [])]


@pytest.fixture
def directory(token: str) -> Directory:
    return Directory(token)


NIL: dict[str, Any] = {
    "schemas": [f"{URN}User"],
    "userName": "nil.new@oak.example",
    "externalId": "entra-1",
    "name": {"givenName": "Nil", "familyName": "New"},
    "emails": [{"value": "nil.new@oak.example", "type": "work", "primary": True}],
    "roles": [{"value": "teacher"}],
    "active": True,
}


def person_of(cast: Cast, user: dict[str, Any]) -> Person:
    with scope(cast.school.id):
        return Person.objects.get(pk=user["id"])


def roles_of(cast: Cast, id_: Any) -> set[Role]:
    with scope(cast.school.id):
        return set(whole_school_roles([int(id_)], TODAY).get(int(id_), ()))


def test_a_user_becomes_a_person_who_works_at_once(cast: Cast, directory: Directory) -> None:
    user = directory.made(**NIL)
    person = person_of(cast, user)
    assert (person.given_name, person.family_name, person.sourced_id) == ("Nil", "New", "entra-1")
    assert (person.username, person.email, person.ended_on) == ("nil.new@oak.example", NIL["userName"], None)
    assert roles_of(cast, user["id"]) == {Role.TEACHER}
    assert user["meta"]["location"].endswith(f"/scim/v2/Users/{user['id']}")
    with scope(cast.school.id):
        change = Change.objects.filter(table_name="people_person", row_id=person.pk, operation="I").get()
        assert Account.objects.get(pk=change.account_id or 0).display_name == "Directory · API"
    taken = directory.ask("POST", "/Users", {**NIL, "externalId": "entra-2"})
    assert (taken.status_code, taken.json()["scimType"]) == (409, "uniqueness")


def test_deactivating_closes_the_school_and_deletes_nothing(
    cast: Cast, directory: Directory, visit: Visitor
) -> None:
    (id_,) = directory.found("/Users", 'externalId eq "teacher"')
    browser = visit.as_(cast.teacher)
    assert browser.get("/s/oak/day").status_code == 200
    off = directory.patched(f"/Users/{id_}", {"op": "replace", "path": "active", "value": False})
    assert off["active"] is False
    assert browser.get("/s/oak/day").status_code == 404
    assert person_of(cast, {"id": id_}).ended_on == TODAY
    assert directory.found("/Users", 'active eq false and userName eq "TEACHER"') == [id_]
    directory.patched(f"/Users/{id_}", {"op": "replace", "value": {"active": True}})
    assert browser.get("/s/oak/day").status_code == 200


def test_deleting_ends_and_the_same_comes_back(cast: Cast, directory: Directory) -> None:
    user = directory.made(**NIL)
    assert directory.ask("DELETE", f"/Users/{user['id']}").status_code == 204
    assert directory.ask("GET", f"/Users/{user['id']}").status_code == 404
    assert directory.found("/Users", 'externalId eq "entra-1"') == []
    assert person_of(cast, user).ended_on == TODAY
    again = directory.made(**{**NIL, "userName": "nil@oak.example"})
    assert again["id"] == user["id"]
    assert person_of(cast, user).ended_on is None


def test_filters_find(cast: Cast, directory: Directory) -> None:
    user = directory.made(**NIL)
    id_ = user["id"]
    for filter_ in (
        'userName eq "NIL.new@oak.example"',
        f'id eq "{id_}"',
        'externalId eq "entra-1"',
        'emails eq "nil.new@oak.example"',
        'emails[type eq "work" and value co "nil.new"]',
        'name.familyName sw "Ne" and active eq true',
        'roles.value eq "teacher" and not (userName ne "nil.new@oak.example")',
        'name.givenName eq "Nobody" or nickName eq "x" or userName eq "nil.new@oak.example"',
        f'{URN}User:userName eq "nil.new@oak.example"',
    ):
        assert directory.found("/Users", filter_) == [id_], filter_
    assert directory.found("/Users", 'externalId eq "Entra-1"') == []
    assert id_ not in directory.found("/Users", "nickName pr")
    refused = directory.ask("GET", '/Users?filter=userName+gt+"b"')
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidFilter")
    page = directory.ask(
        "GET", "/Users?sortBy=name.familyName&sortOrder=descending&startIndex=2&count=2"
    ).json()
    assert (page["itemsPerPage"], page["startIndex"], len(page["Resources"])) == (2, 2, 2)
    names = [one["name"]["familyName"] for one in page["Resources"]]
    assert names == sorted(names, reverse=True)


def count(directory: Directory, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert directory.ask("GET", path).status_code == 200
    return len(captured)


def test_searching_costs_the_same_with_many(cast: Cast, directory: Directory) -> None:
    paths = ("/Users", '/Users?filter=userName+eq+"x0@oak.example"', "/Groups")
    directory.made(**{**NIL, "userName": "x0@oak.example", "externalId": "x0"})
    before = [count(directory, path) for path in (*paths, *paths)][len(paths) :]
    for number in range(1, 30):
        directory.made(**{**NIL, "userName": f"x{number}@oak.example", "externalId": f"x{number}"})
        directory.made("/Groups", schemas=[f"{URN}Group"], displayName=f"G{number}")
    assert [count(directory, path) for path in paths] == before


def test_what_the_school_changed_by_hand_stays(cast: Cast, directory: Directory) -> None:
    user = directory.made(**NIL)
    with scope(cast.school.id):
        people.change_person(cast.office, int(user["id"]), given_name="Nilo")
    same = directory.ask("PUT", f"/Users/{user['id']}", NIL).json()
    assert same["name"]["givenName"] == "Nilo"
    new = directory.ask(
        "PUT", f"/Users/{user['id']}", {**NIL, "name": {"givenName": "Nils", "familyName": "New"}}
    )
    assert new.json()["name"]["givenName"] == "Nils"


def test_who_runs_the_office_is_for_the_school_to_say(cast: Cast, directory: Directory) -> None:
    user = directory.made(**{**NIL, "roles": [{"value": "principal"}, {"value": "aide"}]})
    assert user["roles"] == [{"value": "aide"}]
    (head,) = directory.found("/Users", 'externalId eq "head"')
    directory.patched(f"/Users/{head}", {"op": "replace", "path": "roles", "value": [{"value": "teacher"}]})
    assert roles_of(cast, head) == {Role.HEAD, Role.TEACHER}
    wrong = directory.ask(
        "POST", "/Users", {**NIL, "userName": "b", "externalId": "b", "roles": [{"value": "king"}]}
    )
    assert (wrong.status_code, wrong.json()["scimType"]) == (400, "invalidValue")


def test_groups_are_classes_and_a_rosters_pupils_stay(cast: Cast, directory: Directory) -> None:
    user = directory.made(**{**NIL, "roles": [{"value": "student"}]})
    group = directory.made(
        "/Groups",
        schemas=[f"{URN}Group"],
        displayName="Robotics",
        externalId="g1",
        members=[{"value": user["id"]}],
    )
    assert [one["value"] for one in group["members"]] == [user["id"]]
    assert group["members"][0]["$ref"].endswith(f"/scim/v2/Users/{user['id']}")
    teacher = str(cast.teacher.person.pk)
    path = f"/Groups/{group['id']}"
    directory.patched(path, {"op": "add", "path": "members", "value": [{"value": teacher}]})
    with scope(cast.school.id):
        enrolled = dict(Enrolment.objects.filter(klass_id=group["id"]).values_list("person_id", "role"))
    assert enrolled == {int(user["id"]): Enrolment.STUDENT, cast.teacher.person.pk: Enrolment.TEACHER}
    assert directory.found("/Groups", f'members.value eq "{user["id"]}"') == [group["id"]]
    left = directory.patched(path, {"op": "remove", "path": f'members[value eq "{user["id"]}"]'})
    assert [one["value"] for one in left["members"]] == [teacher]
    with scope(cast.school.id):
        Enrolment.objects.filter(klass=cast.homeroom).update(origin=Enrolment.FROM_ROSTER)
    form = directory.patched(f"/Groups/{cast.homeroom.pk}", {"op": "remove", "path": "members"})
    assert len(form["members"]) == 3
    assert directory.ask("DELETE", path).status_code == 204
    assert directory.ask("GET", path).status_code == 404
    with scope(cast.school.id):
        assert Class.objects.get(pk=group["id"]).ended_on == TODAY


def test_entity_tags_see_every_change(cast: Cast, directory: Directory) -> None:
    user = directory.made(**NIL)
    path, tag = f"/Users/{user['id']}", user["meta"]["version"]
    assert directory.ask("GET", path, **{"If-None-Match": tag}).status_code == 304
    with scope(cast.school.id):
        people.change_person(cast.office, int(user["id"]), family_name="Newer")
    stale = directory.ask("PUT", path, NIL, **{"If-Match": tag})
    assert stale.status_code == 412
    assert person_of(cast, user).family_name == "Newer"


def test_bulk_does_what_it_can(cast: Cast, directory: Directory) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "one", "data": NIL},
        {"method": "POST", "path": "/Users", "bulkId": "two", "data": {**NIL, "externalId": "other"}},
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "group",
            "data": {
                "schemas": [f"{URN}Group"],
                "displayName": "Choir",
                "members": [{"value": "bulkId:one"}],
            },
        },
    ]
    message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
    answer = directory.ask("POST", "/Bulk", message)
    assert answer.status_code == 200
    assert [one["status"] for one in answer.json()["Operations"]] == ["201", "409", "201"]
    (group,) = directory.found("/Groups", 'displayName eq "choir"')
    members = directory.ask("GET", f"/Groups/{group}").json()["members"]
    assert [one["value"] for one in members] == directory.found("/Users", 'externalId eq "entra-1"')


def test_another_school_is_never_seen_nor_touched(cast: Cast, directory: Directory) -> None:
    stranger = cast.stranger.person.pk
    assert directory.found("/Users", 'externalId eq "stranger"') == []
    assert directory.found("/Users", f'id eq "{stranger}"') == []
    assert directory.ask("GET", f"/Users/{stranger}").status_code == 404
    assert directory.ask("PUT", f"/Users/{stranger}", NIL).status_code == 404
    assert directory.ask("DELETE", f"/Users/{stranger}").status_code == 404
    group = {"schemas": [f"{URN}Group"], "displayName": "Mixed", "members": [{"value": str(stranger)}]}
    assert directory.ask("POST", "/Groups", group).status_code == 404
    with scope(cast.school.id):
        assert not Class.objects.filter(title="Mixed").exists()
    everybody = directory.ask("GET", "/Users?count=200").content.decode()
    assert "Stranger" not in everybody
    assert "Pupil" in everybody


def test_refusals_speak_scim(cast: Cast, directory: Directory) -> None:
    for secret in ("", "nonsense", directory.secret[:-1] + "_"):
        answer = Directory(secret).ask("GET", "/Users")
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/scim+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    with scope(cast.school.id):
        _, other = actions.open_connection(cast.office, name="x", scopes=[Scope.PEOPLE_READ], now=clock.now())
    narrow = Directory(other).ask("GET", "/Users")
    assert (narrow.status_code, narrow.json()["status"]) == (403, "403")
    assert Client().get("/scim/v2/ServiceProviderConfig").status_code == 200
    assert directory.ask("GET", "/Nothing").status_code == 404
    assert directory.ask("POST", "/Users", {"userName": "\0"}).status_code == 400
    assert directory.ask("GET", "/Users/99999999999999999999").status_code == 404


def test_directories_say_more_than_a_school_keeps(cast: Cast, directory: Directory) -> None:
    """As Microsoft Entra and Okta ask: more attributes, members removed by value, an address that was not there."""
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    facts = {**NIL, "schemas": [f"{URN}User", enterprise], enterprise: {"department": "Maths"}, "title": "Ms"}
    user = directory.made(**{**facts, "emails": [], "phoneNumbers": [{"value": "1", "type": "mobile"}]})
    assert "title" not in user
    operation = {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@oak.example"}
    changed = directory.patched(
        f"/Users/{user['id']}", operation, {"op": "Add", "path": "title", "value": "Dr"}
    )
    assert changed["emails"] == [{"value": "new@oak.example", "type": "work"}]
    member = [{"value": user["id"]}]
    group = directory.made("/Groups", schemas=[f"{URN}Group"], displayName="Chess", members=member)
    removed = directory.patched(
        f"/Groups/{group['id']}", {"op": "Remove", "path": "members", "value": member}
    )
    assert "members" not in removed
