"""Policies, rules and leases by another system."""

import json
from typing import Any

import pytest
from django.test import Client

from pupitre.connections import actions as connections
from pupitre.connections.rules import Scope
from pupitre.devices.models import Device
from pupitre.devices.rules import Platform, Standing
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast

BASE = "/api/v1"


class Machine:
    """A connection with these scopes."""

    def __init__(self, cast: Cast, *scopes: Scope) -> None:
        with scope(cast.school.id):
            _, secret = connections.open_connection(
                cast.office, name="Tests", scopes=list(scopes), now=clock.now()
            )
        self._headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        return Client().generic(
            method,
            BASE + path,
            data="" if body is None else json.dumps(body),
            content_type="application/json",
            headers=self._headers,
        )


@pytest.fixture
def machine(cast: Cast) -> Machine:
    return Machine(cast, Scope.DEVICES_READ, Scope.DEVICES_WRITE)


def test_a_policy_is_made_given_explained_and_taken_back(cast: Cast, machine: Machine) -> None:
    with scope(cast.school.id):
        device = Device.objects.create(
            authority_id=cast.authority.pk,
            school_id=cast.school.id,
            number="api-1",
            platform=Platform.ANDROID.value,
            standing=Standing.ENROLLED.value,
            groups=[cast.homeroom.pk],
            created_at=NOW,
        )
    network = {"ssid": "School", "security": "wpa2", "password": "correct horse"}
    made = machine(
        "POST", "/device-policies", {"name": "Net", "settings": {"wifi": [network], "camera": False}}
    )
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    given = {"policy_id": number, "level": "class", "whom": cast.homeroom.pk}
    preview = machine("POST", "/device-assignments/preview", given).json()
    assert (preview["changed"], preview["platforms"]) == (1, {"android": 1})
    assignment = machine("POST", "/device-assignments", given).json()["id"]
    told = machine("GET", f"/device-policies/{number}").json()
    assert told["settings"]["wifi"] == [{**network, "password": True}]
    body = {"settings": told["settings"] | {"camera": True}, "locked": ["camera"], "expected": 1}
    assert machine("POST", f"/device-policies/{number}/preview", body | {"expected": None}).status_code == 400
    changed = {"settings": body["settings"], "locked": body["locked"]}
    assert machine("POST", f"/device-policies/{number}/preview", changed).json()["changed"] == 1
    assert machine("POST", f"/device-policies/{number}/versions", body).json() == {"number": 2}
    assert machine("POST", f"/device-policies/{number}/versions", body).status_code == 409
    versions = machine("GET", f"/device-policies/{number}/versions").json()
    assert [one["number"] for one in versions] == [2, 1]
    explained = machine("GET", f"/devices/{device.pk}/explanation").json()
    camera = next(one for one in explained["reasons"] if one["key"] == "camera")
    assert (camera["now"], camera["level"], camera["policy"], camera["is_locked"]) == (
        True,
        "class",
        "Net",
        True,
    )
    assert machine("POST", f"/device-policies/{number}/versions/1/restoration").status_code == 204
    assert [one["name"] for one in machine("GET", "/device-assignments").json()] == ["1A"]
    assert machine("DELETE", f"/device-assignments/{assignment}").status_code == 204
    assert machine("DELETE", f"/device-policies/{number}").status_code == 204
    assert machine("GET", "/device-policies").json() == []


def test_a_rule_and_a_lease_are_made_and_ended(cast: Cast, machine: Machine) -> None:
    rule = {
        "class_id": cast.homeroom.pk,
        "name": "Calculator only",
        "settings": {"allowed_applications": {"packages": ["org.geogebra.android"]}},
        "starts_on": "2026-09-01",
        "ends_on": "2027-06-30",
        "hours": [{"days": [1], "starts": "20:00", "ends": "24:00"}],
    }
    made = machine("POST", "/device-rules", rule)
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    (listed,) = machine("GET", "/device-rules").json()
    assert [(one["days"], one["from"], one["to"]) for one in listed["entries"]] == [
        ([2], "09:00", "10:50"),
        ([1], "20:00", "24:00"),
    ]
    changed = {name: value for name, value in rule.items() if name != "class_id"}
    assert machine("PUT", f"/device-rules/{number}", changed | {"name": "Maths"}).status_code == 204
    lease = machine("POST", f"/classes/{cast.klass.pk}/device-leases", {"lifts_rules": True})
    assert lease.status_code == 201, lease.content
    assert machine("DELETE", f"/device-leases/{lease.json()['id']}").status_code == 204
    assert machine("DELETE", f"/device-rules/{number}").status_code == 204
    assert machine("DELETE", f"/device-rules/{number}").status_code == 409


def test_what_is_wrong_names_its_setting(machine: Machine) -> None:
    answer = machine("POST", "/device-policies", {"name": "X", "settings": {"volume": 300}})
    assert answer.status_code == 422
    assert "volume: Give a whole number from 0 to 100." in answer.json()["title"]


def test_reading_and_writing_are_two_rights(cast: Cast) -> None:
    reader = Machine(cast, Scope.DEVICES_READ)
    assert reader("GET", "/device-policies").status_code == 200
    assert len(reader("GET", "/device-settings").json()) > 30
    assert reader("POST", "/device-policies", {"name": "X", "settings": {}}).status_code == 403
    assert Machine(cast, Scope.PEOPLE_READ)("GET", "/device-policies").status_code == 403
