"""Devices come in by a ticket: who is expected at once, who is not after somebody said so, nobody twice."""

import base64
import json
import threading
from datetime import UTC, datetime, timedelta

from pupitre.devices.rules import Platform, Standing

from .arranging import Machine, Place, Running
from .conftest import id_of


def test_an_expected_device_comes_in_under_its_serial_number(place: Place, running: Running) -> None:
    listed = place.device(place.oak, serial="PF3XK2")
    machine = Machine(running)
    reply = machine.enrol(
        place.ticket(place.oak), serial="PF3XK2", os_version="Debian 13.1", agent_version="1.0"
    )
    assert (reply.status, reply.json()["standing"]) == (201, "enrolled")
    assert reply.json()["check_in_seconds"] == 900
    assert id_of(place, machine) == listed
    kept = place.run("SELECT * FROM devices_device WHERE id = %s", listed)[0]
    assert (kept["standing"], kept["protocol"], kept["platform"], kept["name"]) == (3, 2, 3, "pc-14")
    assert bytes(kept["public_key"]) == machine.public
    assert kept["enrolled_at"] is not None
    assert place.status(listed)["os_version"] == "Debian 13.1"
    lines = place.run("SELECT kind FROM devices_deviceevent WHERE device_id = %s", listed)
    assert [one["kind"] for one in lines] == ["enrolled"]
    history = place.as_school(
        place.oak, "SELECT 1 FROM tenancy_change WHERE table_name = 'devices_device' AND row_id = %s", listed
    )
    assert history, "the change of the device is kept in its history"


def test_one_that_nobody_expects_waits_and_is_given_nothing(place: Place, running: Running) -> None:
    machine = Machine(running)
    code = place.ticket(place.oak)
    assert machine.enrol(code, serial="unheard-of").json()["standing"] == "waiting"
    assert machine.begin().status == 200
    reply = machine.check_in(battery=40, results=[{"command": 1, "state": "done"}])
    assert (reply.status, reply.json()) == (200, {"standing": "waiting", "commands": [], "next_seconds": 300})
    assert place.status(id_of(place, machine))["battery"] == 40
    approved = "UPDATE devices_device SET standing = 3 WHERE number = %s"
    place.run(approved, machine.number, school=place.oak)
    for _ in range(50):
        reply = machine.check_in()
        if "state" in reply.json():
            break
    assert "state" in reply.json()


def test_a_lost_answer_is_given_again_and_costs_no_use(place: Place, running: Running) -> None:
    machine = Machine(running)
    code = place.ticket(place.oak, admits=True, uses=1)
    first, again = machine.enrol(code), machine.enrol(code)
    assert (first.status, again.status) == (201, 201)
    assert first.json() == again.json()
    other = Machine(running).enrol(code)
    assert (other.status, other.headers["content-type"]) == (403, "application/problem+json")


def test_as_many_as_the_ticket_says_and_no_more_at_once(place: Place, running: Running) -> None:
    code = place.ticket(place.elm, admits=True, uses=5)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(Machine(running).enrol(code).status)) for _ in range(12)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [201] * 5 + [403] * 7
    assert (
        place.run("SELECT uses_left FROM devices_enrolmentticket ORDER BY id DESC LIMIT 1")[0]["uses_left"]
        == 0
    )


def test_ended_revoked_and_unknown_codes_open_nothing(place: Place, running: Running) -> None:
    ended = place.ticket(place.oak, expires_at=datetime.now(UTC) - timedelta(minutes=1))
    revoked = place.ticket(place.oak)
    place.run("UPDATE devices_enrolmentticket SET revoked_at = now() WHERE id = (SELECT max(id) FROM devices_enrolmentticket)",
              school=place.oak)  # fmt: skip
    for code in (ended, revoked, "AAAA-AAAA-AAAA"):
        reply = Machine(running).enrol(code)
        assert reply.status == 403, code
        assert "enrolment code" in reply.json()["title"]


def test_a_serial_number_that_is_enrolled_is_not_taken_over(place: Place, running: Running) -> None:
    code = place.ticket(place.oak, admits=True)
    assert Machine(running).enrol(code, serial="ONE").status == 201
    for told in ("ONE", " one "):
        reply = Machine(running).enrol(code, serial=told)
        assert (reply.status, reply.json()["type"]) == (409, "/problems/taken"), told
    assert Machine(running).enrol(place.ticket(place.elm, admits=True), serial="ONE").status == 201, (
        "another school's"
    )


def test_the_school_lets_a_device_enrol_again_with_another_key(place: Place, running: Running) -> None:
    code = place.ticket(place.oak, admits=True)
    first, second = Machine(running), Machine(running)
    first.enrol(code, serial="TWO")
    first.begin()
    assert first.check_in().status == 200
    again = "UPDATE devices_device SET standing = %s WHERE number = %s"
    place.run(again, int(Standing.EXPECTED), first.number, school=place.oak)
    assert second.enrol(code, serial="TWO").json()["standing"] == "enrolled"
    for _ in range(100):
        if first.check_in().status != 200:
            break
    assert first.check_in().json()["type"] == "/problems/session", "the old key's session has ended"
    assert first.begin().json()["type"] == "/problems/unknown"


def test_a_key_moves_to_no_other_school(place: Place, running: Running) -> None:
    machine = Machine(running)
    machine.enrol(place.ticket(place.oak, admits=True))
    retired = "UPDATE devices_device SET standing = %s WHERE number = %s"
    place.run(retired, int(Standing.RETIRED), machine.number, school=place.oak)
    reply = machine.enrol(place.ticket(place.elm, admits=True))
    assert (reply.status, reply.json()["type"]) == (409, "/problems/elsewhere")
    assert machine.enrol(place.ticket(place.oak)).json()["standing"] == "waiting", "back in its own, it waits"


def test_a_ticket_for_tablets_lets_no_computer_in(place: Place, running: Running) -> None:
    reply = Machine(running).enrol(place.ticket(place.oak, platform=int(Platform.ANDROID)))
    assert reply.status == 422


def test_who_enrols_shows_that_the_key_is_his(place: Place, running: Running) -> None:
    honest, thief = Machine(running), Machine(running)
    told = {
        "code": place.ticket(place.oak),
        "key": base64.b64encode(honest.public).decode(),
        "platform": "linux",
    }
    reply = thief.signed("/device/v1/enrolment", told)
    assert (reply.status, reply.json()["type"]) == (401, "/problems/signature")


def test_what_is_wrong_is_named(place: Place, running: Running) -> None:
    machine = Machine(running)
    told = {"code": "AAAA-AAAA", "key": base64.b64encode(machine.public).decode(), "platform": "linux"}
    for wrong, name in (
        ({**told, "key": "short"}, "key"),
        ({**told, "serial": 5}, "serial"),
        ({**told, "platform": "amiga"}, "platform"),
        ({key: told[key] for key in ("key", "platform")}, "code"),
    ):
        reply = machine.signed("/device/v1/enrolment", wrong)
        assert reply.status == 422, wrong
        assert name in json.dumps(reply.json())
