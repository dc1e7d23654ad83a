"""Devices for other systems: found page by page, let in by tickets and lists, given out, told."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pupitre.connections.rules import Scope
from pupitre.devices.models import Command, Device
from pupitre.devices.rules.tickets import digest_of
from pupitre.people.models import Look
from pupitre.people.rules import LookAt
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.devices.fleet import given, some_devices, waiting_device
from tests.project.api import Machine, connected


@pytest.fixture
def machine(cast: Cast) -> Machine:
    return connected(cast.school, Scope.DEVICES_READ, Scope.DEVICES_WRITE)


def test_devices_are_listed_narrowed_and_noted(cast: Cast, machine: Machine) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 7)
        given(cast, devices[0], cast.pupil.person.pk)
    rows = machine.every("/devices")
    assert [row["asset_tag"] for row in rows] == [f"T-{number:03}" for number in range(1, 8)]
    assert rows[0]["holder_id"] == cast.pupil.person.pk
    assert (rows[0]["platform"], rows[0]["standing"], rows[0]["battery"]) == ("android", "enrolled", 80)
    assert len(machine.every(f"/devices?class_id={cast.klass.pk}&standing=enrolled&q=T-")) == 1
    assert machine.get("/device-figures").json()["standing"] == {"enrolled": 7}
    with scope(cast.school.id):
        assert Look.objects.filter(what=LookAt.DEVICE.value, subject=cast.pupil.person).count() == 1


def test_a_ticket_tells_its_code_once(cast: Cast, machine: Machine) -> None:
    made = machine.ask("POST", "/enrolment-tickets", {"class_id": cast.homeroom.pk, "uses": 3, "days": 1})
    assert made.status_code == 201
    assert "code" not in machine.get("/enrolment-tickets").json()[0]
    with scope(cast.school.id):
        from pupitre.devices.models import EnrolmentTicket

        assert EnrolmentTicket.objects.get().digest == digest_of(made.json()["code"])
    assert machine.ask("DELETE", f"/enrolment-tickets/{made.json()['id']}").status_code == 204
    assert machine.ask("DELETE", f"/enrolment-tickets/{made.json()['id']}").status_code == 409


def upload(machine: Machine, text: str, **facts: str) -> Any:
    file = SimpleUploadedFile("list.csv", text.encode(), "text/csv")
    return machine.client.post(
        "/api/v1/device-deliveries",
        {"file": file, **facts},
        headers={"Authorization": f"Bearer {machine.secret}"},
    )


def test_a_list_is_tried_taken_in_and_known(cast: Cast, machine: Machine) -> None:
    text = "serial,pupil\nA1,pupil\nA2,\n"
    tried = upload(machine, text, dry_run="true")
    assert (tried.status_code, tried.json()["taken_in"], tried.json()["new"]) == (200, False, 2)
    assert upload(machine, text, name="Autumn").status_code == 201
    again = upload(machine, text)
    assert (again.status_code, again.json()["same"]) == (200, 2)
    wrong = upload(machine, "serial,class\nA3,7Z\n").json()
    assert (wrong["taken_in"], wrong["findings"][0]["code"]) == (False, "class")
    assert upload(machine, "name\nx\n").status_code == 422


def test_devices_are_let_in_given_and_taken_out_of_use(cast: Cast, machine: Machine) -> None:
    with scope(cast.school.id):
        waiting = waiting_device(cast).pk
    assert machine.ask("POST", f"/devices/{waiting}/approval").json()["standing"] == "enrolled"
    assert machine.ask("POST", f"/devices/{waiting}/approval").status_code == 409
    held = machine.ask("PUT", f"/devices/{waiting}/holder", {"person_id": cast.pupil.person.pk})
    assert held.json()["holder_id"] == cast.pupil.person.pk
    assert machine.ask("DELETE", f"/devices/{waiting}").status_code == 204
    gone = machine.get(f"/devices/{waiting}").json()
    assert (gone["standing"], gone["holder_id"]) == ("retired", None)


def test_commands_are_asked_for_once_and_wiping_waits(cast: Cast, machine: Machine) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 2)
    body = {"device_ids": devices, "verb": "message", "text": "Hello", "hours": 2}
    first = machine.ask("POST", "/device-commands", body, Idempotency_Key="one")
    again = machine.ask("POST", "/device-commands", body, Idempotency_Key="one")
    assert first.status_code == 201
    assert first.json() == again.json()
    with scope(cast.school.id):
        assert Command.objects.count() == 2
    wiping = machine.ask("POST", "/device-commands", {"device_ids": devices[:1], "verb": "wipe"}).json()
    assert wiping["commands"][0]["state"] == "proposed"
    assert len(machine.every("/device-commands", limit=2)) == 3
    one = first.json()["commands"][0]["id"]
    assert machine.ask("DELETE", f"/device-commands/{one}").status_code == 204
    states = {row["id"]: row["state"] for row in machine.every(f"/device-commands?device_id={devices[0]}")}
    assert states[one] == "cancelled"
    empty = machine.ask("POST", "/device-commands", {"device_ids": devices, "verb": "message"})
    assert empty.status_code == 422


def test_who_may_not(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
    reader = connected(cast.school, Scope.DEVICES_READ)
    assert reader.ask("POST", "/enrolment-tickets", {}).status_code == 403
    assert reader.ask("DELETE", f"/devices/{device}").status_code == 403
    other = connected(cast.school, Scope.PEOPLE_READ)
    assert other.get("/devices").status_code == 403
    stranger = connected(cast.other_school)
    assert stranger.get(f"/devices/{device}").status_code == 404
    assert stranger.ask("DELETE", f"/devices/{device}").status_code == 404
    with scope(cast.school.id):
        assert Device.objects.get(pk=device).retired_at is None
