"""Loans, reports, catalogue and rollouts by another system."""

import io

import pytest

from pupitre.connections.rules import Scope
from pupitre.devices.actions import catalogue, lending
from pupitre.devices.actions.loading import load_fleet
from pupitre.devices.rules import Platform, Protocol
from pupitre.devices.rules.loading import NewDevice
from pupitre.people.models import Look
from pupitre.people.rules import LookAt
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast

from .packages import apk
from .test_api_policies import Machine


@pytest.fixture
def machine(cast: Cast) -> Machine:
    return Machine(cast, Scope.DEVICES_READ, Scope.DEVICES_WRITE)


def tablets(cast: Cast, count: int) -> list[int]:
    with scope(cast.school.id):
        made = [
            NewDevice(f"t-{n}", f"t-{n}", f"t-{n}", "", Platform.ANDROID, Protocol.HEADWIND, "", "", NOW)
            for n in range(count)
        ]
        return list(load_fleet(cast.office, made).values())


def proposed(cast: Cast, device: int) -> dict[str, object]:
    return {
        "device_id": device,
        "person_id": cast.pupil.person.pk,
        "starts_on": "2026-10-13",
        "accessories": ["Charger"],
    }


def test_a_loan_from_its_proposal_to_its_end(cast: Cast, machine: Machine) -> None:
    device, spare = tablets(cast, 2)
    made = machine("POST", "/device-loans", proposed(cast, device))
    assert made.status_code == 201, made.content
    loan = made.json()
    assert (loan["state"], loan["accessories"], loan["signed_at"]) == ("proposed", ["Charger"], None)
    assert machine("POST", "/device-loans", proposed(cast, device)).status_code == 409
    where = f"/device-loans/{loan['id']}"
    assert machine("PUT", f"{where}/signature", {"signed_on": "2026-10-14"}).status_code == 422
    signed = machine("PUT", f"{where}/signature", {"signed_on": "2026-10-12"}).json()
    assert (signed["state"], signed["signed_here"]) == ("running", False)
    swapped = machine("POST", f"{where}/swap", {"spare_id": spare, "words": "Screen"}).json()
    assert (swapped["device_id"], swapped["state"]) == (spare, "running")
    back = machine("POST", f"/device-loans/{swapped['id']}/return", {"returned": []}).json()
    assert (back["state"], back["returned"]) == ("returned", [])
    assert machine("POST", f"/device-loans/{swapped['id']}/return", {}).status_code == 409
    (incident,) = machine("GET", "/device-incidents?state=open").json()["items"]
    assert (incident["device_id"], incident["words"], incident["condition"]) == (device, "Screen", "broken")
    closed = machine("PUT", f"/device-incidents/{incident['id']}/closure", {"outcome": "New screen"}).json()
    assert closed["outcome"] == "New screen"
    assert machine("PUT", f"/device-incidents/{incident['id']}/closure", {}).status_code == 409
    told = machine(
        "POST",
        "/device-incidents",
        {"device_id": spare, "condition": "lost", "words": "x", "happened_on": "2026-10-13"},
    )
    assert told.status_code == 201


def test_loans_come_in_pages_and_reading_them_is_noted(cast: Cast, machine: Machine) -> None:
    for device in tablets(cast, 3):
        assert machine("POST", "/device-loans", proposed(cast, device)).status_code == 201
    first = machine("GET", "/device-loans?limit=2").json()
    second = machine("GET", f"/device-loans?limit=2&cursor={first['next']}").json()
    assert len(first["items"]) == 2
    assert len(second["items"]) == 1
    assert second["next"] is None
    assert machine("GET", "/device-loans?state=running").json()["items"] == []
    assert machine("DELETE", f"/device-loans/{second['items'][0]['id']}").status_code == 204
    with scope(cast.school.id):
        assert Look.objects.filter(subject_id=cast.pupil.person.pk, what=LookAt.DEVICE).count() == 1


def test_a_version_is_rolled_out_by_another_system(cast: Cast, machine: Machine) -> None:
    with scope(cast.school.id):
        for version, code in (("1.0", 10), ("2.0", 20)):
            data = apk(version=version, code=code)
            catalogue.upload_version(
                cast.technician.actor,
                io.BytesIO(data),
                file_name="x.apk",
                size=len(data),
                name="Atlas",
                now=NOW,
            )
    (app,) = machine("GET", "/device-applications").json()
    newest = app["versions"][0]
    body = {"waves": [{"share": 10, "starts_at": "2026-10-13T05:00:00+02:00"}]}
    made = machine("POST", f"/device-versions/{newest['id']}/rollouts", body)
    assert made.status_code == 201, made.content
    where = f"/device-rollouts/{made.json()['id']}"
    assert machine("PUT", f"{where}/turn", {"turn": "halt", "why": "slow"}).json()["why_halted"] == "slow"
    assert machine("PUT", f"{where}/turn", {"turn": "start"}).status_code == 422
    assert machine("PUT", f"{where}/turn", {"turn": "roll_back"}).json()["state"] == "rolled_back"
    assert machine("GET", where).json()["previous"] == "1.0"
    assert len(machine("GET", "/device-rollouts").json()) == 1


def test_scopes_and_schools_are_kept(cast: Cast) -> None:
    reader = Machine(cast, Scope.DEVICES_READ)
    (device,) = tablets(cast, 1)
    assert reader("GET", "/device-loans").status_code == 200
    assert reader("POST", "/device-loans", proposed(cast, device)).status_code == 403
    assert Machine(cast, Scope.PEOPLE_READ)("GET", "/device-loans").status_code == 403
    with scope(cast.school.id):
        loan = lending.propose_loan(
            cast.technician.actor, device, cast.pupil.person.pk, starts_on=NOW.date(), now=NOW
        )
    assert reader("GET", f"/device-loans/{loan.pk}").status_code == 200
    assert reader("GET", f"/device-loans/{loan.pk + 1}").status_code == 404
