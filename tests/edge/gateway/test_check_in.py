"""A device checks in: what it is given, what is kept of what it says, and what is refused."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pupitre.devices.rules import CommandState, Level, Standing, Verb
from pupitre.edge.gateway import agent_wire
from pupitre.edge.gateway.wire import MOST_INSTALLED

from .arranging import Machine, Place, Running
from .conftest import id_of, json_of


def test_a_device_is_given_its_state_once_and_then_nothing_new(place: Place, machine: Machine) -> None:
    place.say(Level.SCHOOL, place.oak, camera=False)
    told = _settled(machine)
    assert told["state"]["settings"]["camera"] is False
    assert told["state"]["time_zone"] == "Europe/Madrid"
    again = machine.check_in(battery=81)
    assert again.status == 304
    assert 700 <= int(again.headers["pupitre-next"]) <= 1100
    assert again.headers["etag"] == machine.etag


def test_a_state_is_signed_by_the_server(place: Place, machine: Machine) -> None:
    key = machine.enrol("ANY-CODE-ENDS").json()["server_key"]
    reply = machine.check_in()
    told = json_of(reply)
    text = reply.body.partition(b'"state":')[2]
    exact, _end = json.JSONDecoder().raw_decode(text.decode())
    assert exact == told["state"]
    Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(
        base64.b64decode(told["signature"]), agent_wire.canonical(told["state"])
    )
    assert agent_wire.canonical(told["state"]) in reply.body, "the signed text is what was sent"


def test_a_change_of_policy_reaches_the_next_check_in_without_a_row_per_device(
    place: Place, machine: Machine
) -> None:
    json_of(machine.check_in())
    assert machine.check_in().status == 304
    place.say(Level.AUTHORITY, place.authority, bluetooth=False)
    told = _settled(machine)
    assert told["state"]["settings"]["bluetooth"] is False
    place.run("DELETE FROM devices_target WHERE level = %s", int(Level.AUTHORITY))
    told = _settled(machine)
    assert "bluetooth" not in told["state"]["settings"]


def test_what_it_says_is_kept(place: Place, machine: Machine) -> None:
    machine.check_in(
        battery=83, charging=True, battery_health=97, storage_free=81234567890, os_version="Debian 13.1",
        agent_version="1.0", applied="1f.2a~9", problems=[{"key": "wifi", "reason": "no nmcli\u0000"}],
    )  # fmt: skip
    device = id_of(place, machine)
    kept = place.status(device)
    assert (kept["battery"], kept["is_charging"], kept["battery_health"]) == (83, True, 97)
    assert (kept["os_version"], kept["agent_version"], kept["storage_free"]) == (
        "Debian 13.1",
        "1.0",
        81234567890,
    )
    assert kept["applied"] == "1f.2a"
    assert kept["problems"] == [{"key": "wifi", "reason": "no nmcli"}]
    assert kept["is_compliant"] is False
    assert kept["address"] == "127.0.0.1"
    since = kept["applied_at"]
    machine.check_in(battery=82, applied="1f.2a")
    machine.check_in(problems=[])
    kept = place.status(device)
    assert (kept["battery"], kept["is_charging"], kept["os_version"]) == (82, True, "Debian 13.1")
    assert kept["applied_at"] == since
    assert (kept["problems"], kept["is_compliant"]) == ([], True)
    assert kept["last_seen_at"] > since
    assert kept["seen_on"] == kept["last_seen_at"].astimezone(UTC).date()


def test_a_device_that_pages_admitted_gets_its_status(place: Place, machine: Machine) -> None:
    device = id_of(place, machine)
    place.run("DELETE FROM devices_devicestatus WHERE device_id = %s", device)
    assert machine.check_in(battery=50).status == 200
    assert place.status(device)["battery"] == 50


def test_a_session_that_is_nobodys_has_ended(machine: Machine) -> None:
    machine.session = machine.session[:-1] + ("A" if machine.session[-1] != "A" else "B")
    assert machine.check_in().status == 401
    machine.session = "x" * 27
    reply = machine.check_in()
    assert reply.status == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == "/problems/session"


def test_a_session_ends(machine: Machine, place: Place) -> None:
    from pupitre.kernel.signing import derived

    from .arranging import SECRET

    ended = agent_wire.new_session(id_of(place, machine), machine.public, int(time.time()) - 1)
    machine.session, machine.secret = (
        ended.text,
        agent_wire.secret_of(ended.text, derived(SECRET, "sessions")),
    )
    assert machine.check_in().json()["type"] == "/problems/session"


def test_another_secret_opens_nothing(machine: Machine) -> None:
    machine.secret = b"x" * 32
    reply = machine.check_in()
    assert (reply.status, reply.json()["type"]) == (401, "/problems/signature")


def test_a_clock_that_is_wrong_is_told_the_time(machine: Machine) -> None:
    machine.apart = -400_000
    reply = machine.check_in()
    assert (reply.status, reply.json()["type"]) == (401, "/problems/clock")
    assert "date" in reply.headers


def test_a_session_holds_on_every_gateway(place: Place, machine: Machine) -> None:
    from .arranging import gateway

    with gateway(place) as other:
        assert machine.check_in(other).status == 200
        assert machine.check_in().status == 304
        place.say(Level.SCHOOL, place.oak, camera=True)
        assert _settled(machine, other)["state"]["settings"]["camera"] is True


def test_a_retired_device_is_told_so(place: Place, machine: Machine) -> None:
    machine.check_in()
    change = "UPDATE devices_device SET standing = %s WHERE number = %s"
    place.run(change, int(Standing.RETIRED), machine.number, school=place.oak)
    assert _until(lambda: machine.check_in().status == 403)
    assert machine.check_in().json()["type"] == "/problems/retired"
    assert machine.begin().json()["type"] == "/problems/retired"


def test_commands_are_handed_out_once_signed_and_answered(place: Place, machine: Machine) -> None:
    server = base64.b64decode(machine.enrol("ANY-CODE").json()["server_key"])
    json_of(machine.check_in())
    device = id_of(place, machine)
    later = place.tell(place.oak, device, Verb.REBOOT, not_before=datetime.now(UTC) + timedelta(hours=1))
    ended = place.tell(place.oak, device, Verb.LOCK, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    told = place.tell(place.oak, device, Verb.MESSAGE, arguments={"text": "Bona tarda"})
    assert _until(lambda: machine.check_in().status == 200 or _state(place, told) is CommandState.SENT)
    place.run("UPDATE devices_command SET sent_at = now() - interval '2 minutes' WHERE id = %s", told)
    commands = json_of(machine.check_in())["commands"]
    assert [one["id"] for one in commands] == [told]
    one = commands[0]
    assert (one["verb"], one["arguments"], one["device"]) == (
        "message",
        {"text": "Bona tarda"},
        machine.number,
    )
    signature = base64.b64decode(one.pop("signature"))
    Ed25519PublicKey.from_public_bytes(server).verify(signature, agent_wire.canonical(one))
    assert machine.check_in().status == 304, "what was handed out is not at once handed out again"
    machine.check_in(results=[{"command": told, "state": "done", "output": "ok", "code": 0}])
    kept = place.run("SELECT state, result, attempts FROM devices_command WHERE id = %s", told)[0]
    assert (kept["state"], kept["result"], kept["attempts"]) == (
        CommandState.DONE,
        {"output": "ok", "code": 0},
        2,
    )
    assert _state(place, later) is CommandState.QUEUED
    assert _state(place, ended) is CommandState.QUEUED


def test_nobody_answers_anothers_command(place: Place, machine: Machine, running: Running) -> None:
    other = Machine(running)
    other.enrol(place.ticket(place.elm, admits=True))
    other.begin()
    command = place.tell(place.oak, id_of(place, machine), Verb.LOCK)
    assert other.check_in(results=[{"command": command, "state": "done"}]).status == 200
    assert _state(place, command) is CommandState.QUEUED


def test_a_script_is_sent_with_its_text(place: Place, machine: Machine) -> None:
    script = place.as_school(
        place.oak,
        "INSERT INTO devices_script (authority_id, school_id, name, platform, text, created_at) "
        "VALUES (%s, %s, 'tidy', 3, 'rm -r ~/.cache', now()) RETURNING id",
        place.authority, place.oak,
    )[0]["id"]  # fmt: skip
    place.tell(place.oak, id_of(place, machine), Verb.RUN_SCRIPT, arguments={"script": script})
    found: list[Any] = []
    assert _until(lambda: bool(found.extend(_commands(machine)) or found))  # type: ignore[func-returns-value]
    assert found[0]["arguments"] == {"script": script, "text": "rm -r ~/.cache"}


def test_an_inventory_is_kept_by_differences(place: Place, machine: Machine) -> None:
    whole = {"firefox-esr": "140.3", "gimp": "3.0"}
    first = agent_wire.digest_of(whole, {"ram": 8})
    told = {"base": "", "digest": first, "set": whole, "hardware": {"ram": 8}}
    assert "inventory" not in json_of(machine.check_in(inventory=told))
    then = agent_wire.digest_of({"firefox-esr": "141.0"}, {"ram": 8})
    told = {"base": first, "digest": then, "set": {"firefox-esr": "141.0"}, "gone": ["gimp"]}
    assert machine.check_in(inventory=told).status == 304
    device = id_of(place, machine)
    kept = place.run("SELECT * FROM devices_inventory WHERE device_id = %s", device)[0]
    assert (kept["applications"], kept["hardware"], kept["digest"]) == (
        {"firefox-esr": "141.0"},
        {"ram": 8},
        then,
    )
    assert machine.check_in(inventory=told).status == 304, "an answer that was lost changes nothing"
    astray = {"base": first, "digest": "0" * 64, "set": {"a": "1"}}
    assert json_of(machine.check_in(inventory=astray))["inventory"] == "send all"
    assert json_of(machine.check_in(inventory={**astray, "base": then}))["inventory"] == "send all"
    assert place.run("SELECT digest FROM devices_inventory WHERE device_id = %s", device)[0]["digest"] == then


def test_no_number_of_differences_makes_an_inventory_grow_without_end(place: Place, machine: Machine) -> None:
    whole, base = {f"a{number}": "1" for number in range(MOST_INSTALLED)}, ""
    for said in (whole, {"one more": "1"}):
        digest = agent_wire.digest_of(whole | said, {})
        reply = machine.check_in(inventory={"base": base, "digest": digest, "set": said})
        base = digest
    assert json_of(reply)["inventory"] == "send all"
    kept = "SELECT count(*) AS number FROM devices_inventory, jsonb_each(applications) WHERE device_id = %s"
    assert place.run(kept, id_of(place, machine))[0]["number"] == MOST_INSTALLED


def test_what_became_of_an_application_is_kept(place: Place, machine: Machine) -> None:
    version, device = _version(place), id_of(place, machine)
    kept = "SELECT version, state, message FROM devices_installation WHERE device_id = %s"
    told = [
        {"version": version, "state": "failed", "message": "no room"},
        {"version": version + 1, "state": "installed"},
    ]
    assert _until(lambda: machine.check_in(installations=told).status and bool(place.run(kept, device)))
    assert place.run(kept, device) == [{"version": version, "state": 2, "message": "no room"}]
    machine.check_in(
        installations=[{"version": version, "state": "installed"}, {"version": version, "state": "odd"}]
    )
    assert place.run(kept, device) == [{"version": version, "state": 1, "message": ""}]


def test_what_another_school_says_of_a_device_or_an_application_is_not_obeyed(
    place: Place, machine: Machine
) -> None:
    whose = _version(place, package="org.example.globe")
    place.as_school(
        place.elm,
        "INSERT INTO devices_applicationversion (authority_id, school_id, application_id, version, code, file_key, file_name, size, "
        "sha256, url, created_at) SELECT authority_id, %s, %s, '9.0', 9, '', '', 5, %s, 'https://elsewhere.example', now() "
        "FROM tenancy_school WHERE id = %s",
        place.elm, place.run("SELECT application_id FROM devices_applicationversion WHERE id = %s", whose)[0]["application_id"],
        "cd" * 32, place.elm,
    )  # fmt: skip
    place.as_school(
        place.elm,
        "INSERT INTO devices_target (authority_id, school_id, level, whom, revision, document, changed_at, source) VALUES "
        """(%s, %s, 5, %s, nextval('devices_revision'), '{"settings": {"camera": false}}', now(), '')""",
        place.authority, place.elm, id_of(place, machine),
    )  # fmt: skip
    place.say(Level.SCHOOL, place.oak, applications=[{"package": "org.example.globe", "action": "install"}])
    told: Any = _settled(machine)
    assert [one["version"] for one in told["state"]["applications"]] == ["6.0"]
    assert "camera" not in told["state"]["settings"]


def test_an_application_is_told_with_a_signed_address(place: Place, machine: Machine) -> None:
    version = _version(place, package="org.example.atlas")
    place.say(Level.SCHOOL, place.oak, applications=[{"package": "org.example.atlas", "action": "install"}])
    told: Any = _settled(machine)
    found = told["state"]["applications"][0]
    assert (found["version"], found["version_id"], found["sha256"]) == ("6.0", version, "ab" * 32)
    assert "/files/" in found["url"]
    chain, mark, _ = told["state"]["version"].partition("~")
    assert mark, "what it shall install is a part of the version"
    machine.check_in(applied=told["state"]["version"])
    assert place.status(id_of(place, machine))["applied"] == chain, "what pages compare with"
    withdrawn = "UPDATE devices_applicationversion SET withdrawn_at = now() WHERE id = %s"
    place.as_school(place.oak, withdrawn, version)
    then: Any = _settled(machine)
    assert then["state"]["applications"] == []


def _version(place: Place, package: str = "org.example.app") -> int:
    made = place.as_school(
        place.oak,
        "INSERT INTO devices_application (authority_id, school_id, package, name, platform, kind, publisher, notes, icon_key, created_at) "
        "VALUES (%s, %s, %s, 'Atlas', 3, 'deb', '', '', '', now()) RETURNING id",
        place.authority, place.oak, package,
    )[0]["id"]  # fmt: skip
    found = place.as_school(
        place.oak,
        "INSERT INTO devices_applicationversion (authority_id, school_id, application_id, version, code, file_key, file_name, size, "
        "sha256, url, created_at) VALUES (%s, %s, %s, '6.0', 0, 'key', 'atlas.deb', 5, %s, '', now()) RETURNING id",
        place.authority, place.oak, made, "ab" * 32,
    )  # fmt: skip
    return int(found[0]["id"])


def _settled(machine: Machine, running: Running | None = None) -> dict[str, Any]:
    """The state that follows a change, which reaches the gateway within a moment."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        reply = machine.check_in(running)
        if reply.status == 200 and "state" in reply.json():
            found.append(reply.json())
        return bool(found)

    assert _until(look)
    time.sleep(0.2)
    while look() and machine.check_in(running).status == 200:
        pass
    return found[-1]


def _commands(machine: Machine) -> list[Any]:
    reply = machine.check_in()
    return list(reply.json()["commands"]) if reply.status == 200 else []


def _state(place: Place, command: int) -> CommandState:
    return CommandState(place.run("SELECT state FROM devices_command WHERE id = %s", command)[0]["state"])


def _until(is_so: Callable[[], object], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(0.05)
    return False
