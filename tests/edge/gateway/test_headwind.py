"""Headwind's stock agent before the running gateway: it comes in, obeys, reports, and is refused, message by message."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from psycopg.types.json import Jsonb

from pupitre.devices.rules import CommandState, Level, Platform, Protocol, Standing, Verb

from .arranging import Machine, Place, Running, gateway
from .tablets import SECRET, H, SignatureError, Tablet

SETTINGS = {"PUPITRE_HEADWIND_SECRET": SECRET, "PUPITRE_GATEWAY_URL": "http://mdm.example.org"}
_serials = iter(range(1000, 9999))


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Running]:
    with gateway(place, **SETTINGS) as found:
        yield found


@pytest.fixture
def tablet(place: Place, running: Running) -> Tablet:
    """A tablet of Oak that was expected, and came in by the class's QR code."""
    found = Tablet(running, f"R52T{next(_serials)}")
    place.device(place.oak, serial=found.number)
    found.enrol(configuration=place.ticket(place.oak))
    found.apply()
    return found


def row(place: Place, tablet: Tablet) -> dict[str, Any]:
    return place.run("SELECT * FROM devices_device WHERE number = %s", tablet.number)[0]


def command(place: Place, number: int) -> dict[str, Any]:
    return place.run("SELECT * FROM devices_command WHERE id = %s", number)[0]


def say(place: Place, tablet: Tablet, *, schedule: Any = (), **settings: Any) -> None:
    """A policy for this device alone, known to the gateway when this returns."""
    device = row(place, tablet)["id"]
    document = Jsonb({"settings": settings, "locked": [], "why": {}, "schedule": list(schedule)})
    place.run(
        "INSERT INTO devices_target (authority_id, level, whom, revision, document, changed_at) "
        "VALUES (%s, %s, %s, nextval('devices_revision'), %s, now()) ON CONFLICT (authority_id, level, whom) DO UPDATE "
        "SET revision = excluded.revision, document = excluded.document",
        place.authority, int(Level.DEVICE), device, document,
    )  # fmt: skip
    revision = place.run("SELECT revision FROM devices_target WHERE level = 5 AND whom = %s", device)[0][
        "revision"
    ]
    until = time.monotonic() + 5
    while f"{revision:x}" not in stamp(tablet.fetch()):
        assert time.monotonic() < until
        time.sleep(0.02)


def stamp(config: dict[str, Any]) -> str:
    [launcher] = [one for one in config["applications"] if one["pkg"] == "com.hmdm.launcher"]
    return str(launcher["name"])


def lease(starts: timedelta, ends: timedelta, **settings: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": f"lease-{starts}", "label": "", "starts_at": f"{now + starts:%Y-%m-%dT%H:%M:%SZ}",
        "ends_at": f"{now + ends:%Y-%m-%dT%H:%M:%SZ}", "settings": settings,
    }  # fmt: skip


# Coming in


def test_an_expected_tablet_comes_in_by_its_class_code(place: Place, running: Running) -> None:
    tablet = Tablet(running, "R52T10ABCDE")
    place.device(place.oak, serial="R52T10ABCDE")
    config = tablet.enrol(configuration=place.ticket(place.oak))
    kept = row(place, tablet)
    assert (kept["standing"], kept["protocol"], kept["platform"]) == (
        Standing.ENROLLED,
        Protocol.HEADWIND,
        Platform.ANDROID,
    )
    assert kept["school_id"] == place.oak
    assert config["timeZone"] == "Europe/Madrid"
    assert config["requestUpdates"] == "donottrack"
    assert config["pushOptions"] == "polling"


@pytest.mark.parametrize("admits", [True, False])
def test_a_computer_with_a_key_is_not_taken_over_by_who_says_its_number(
    place: Place, running: Running, admits: bool
) -> None:
    machine, code = Machine(running), place.ticket(place.oak, admits=admits)
    machine.enrol(code)
    imei = str(next(_serials)) * 4
    place.run("UPDATE devices_device SET imei = %s WHERE number = %s", imei, machine.number, school=place.oak)
    for told in (machine.number, imei):
        with pytest.raises(LookupError):
            Tablet(running, told).enrol(configuration=code)
    kept = place.run("SELECT * FROM devices_device WHERE number = %s", machine.number)[0]
    assert (kept["protocol"], bytes(kept["public_key"])) == (Protocol.PUPITRE, machine.public)
    assert kept["standing"] == (Standing.ENROLLED if admits else Standing.WAITING)
    assert machine.begin().status == 200


def test_no_school_gets_the_tablets_that_another_expects(place: Place, running: Running) -> None:
    serial = f"R52T{next(_serials)}"
    listed = place.device(place.elm, serial=serial)
    with pytest.raises(LookupError):
        Tablet(running, serial).enrol(configuration=place.ticket(place.oak, admits=True))
    tablet = Tablet(running, serial)
    tablet.enrol(configuration=place.ticket(place.elm))
    assert row(place, tablet)["id"] == listed
    place.run("UPDATE devices_device SET standing = 4 WHERE id = %s", listed, school=place.elm)
    moved = Tablet(running, f"R52T{next(_serials)}")
    place.device(place.elm, serial=moved.number, standing=Standing.RETIRED)
    moved.enrol(configuration=place.ticket(place.oak))
    assert row(place, moved)["school_id"] == place.oak, "where it is out of use, another may have it"


def test_a_number_that_one_school_took_before_gives_it_no_tablet_of_another(
    place: Place, running: Running
) -> None:
    serial = f"R52T{next(_serials)}"
    Tablet(running, serial).enrol(configuration=place.ticket(place.oak, admits=True))
    with pytest.raises(LookupError):
        Tablet(running, serial).enrol(configuration=place.ticket(place.elm))
    Tablet(running, serial).enrol(configuration=place.ticket(place.oak))
    Tablet(running, serial).enrol()


def test_a_tablet_that_nobody_expects_shows_that_it_waits_until_it_is_approved(
    place: Place, running: Running
) -> None:
    tablet = Tablet(running, "UNKNOWN 1")
    place.say(Level.SCHOOL, place.oak, camera=False)
    config = tablet.enrol(groups=[place.ticket(place.oak)])
    assert (config["title"], config["applicationSettings"]) == ("UNKNOWN 1", [])
    assert "restrictions" not in config
    assert row(place, tablet)["standing"] == Standing.WAITING
    place.run("UPDATE devices_device SET standing = 3 WHERE number = %s", tablet.number, school=place.oak)
    assert until(lambda: tablet.fetch().get("restrictions")) == "no_camera"
    place.run("DELETE FROM devices_target WHERE level = %s", int(Level.SCHOOL))


def test_a_ticket_may_admit_whoever_comes(place: Place, running: Running) -> None:
    tablet = Tablet(running, "ADMITTED-1")
    assert "restrictions" in tablet.enrol(customer=place.ticket(place.elm, admits=True))
    assert tablet.fetch()["timeZone"] == "America/Santiago"


@pytest.mark.parametrize("told", [{}, {"configuration": "NO-SUCH-CODE"}, {"groups": ["a", "b"]}])
def test_without_a_code_that_holds_a_tablet_is_not_known(running: Running, told: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match=r"error\.notfound\.device"):
        Tablet(running, "STRANGER").enrol(**told)
    with pytest.raises(LookupError, match=r"error\.notfound\.device"):
        Tablet(running, "STRANGER").fetch()


def test_a_code_that_was_used_up_or_has_ended_lets_nobody_in(place: Place, running: Running) -> None:
    for code in (
        place.ticket(place.oak, uses=0),
        place.ticket(place.oak, expires_at=datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        with pytest.raises(LookupError):
            Tablet(running, "LATE-1").enrol(configuration=code)


def test_whoever_does_not_know_the_fleets_secret_is_told_nothing(tablet: Tablet) -> None:
    tablet.secret = "another"
    with pytest.raises(LookupError, match=r"error\.permission\.denied"):
        tablet.fetch()
    assert tablet.poll().status == 403
    tablet.secret = SECRET
    reply = tablet.send("GET", f"/rest/public/sync/configuration/{tablet.number}", signed=H(SECRET + "other"))
    assert reply.json() == {"status": "ERROR", "message": "error.permission.denied", "data": None}
    assert "x-response-signature" not in reply.headers


def test_the_agent_drops_an_answer_that_another_signed(tablet: Tablet) -> None:
    reply = tablet.send(
        "GET", f"/rest/public/sync/configuration/{tablet.number}", signed=H(SECRET + tablet.number)
    )
    reply.headers["x-response-signature"] = H("x")
    with pytest.raises(SignatureError):
        tablet._accept(reply)


def test_a_tablet_that_says_its_imei_is_told_its_number(place: Place, running: Running) -> None:
    device = place.device(place.oak, serial="R52TIMEI")
    place.run("UPDATE devices_device SET imei = '356938035643809' WHERE id = %s", device, school=place.oak)
    number = place.run("SELECT number FROM devices_device WHERE id = %s", device)[0]["number"]
    tablet = Tablet(running, "356938035643809")
    tablet.enrol(configuration=place.ticket(place.oak))
    assert tablet.number == number
    assert row(place, tablet)["serial"] == "R52TIMEI"
    tablet.number = "356938035643809"
    tablet.fetch()
    assert tablet.number == number


def test_a_tablet_that_was_reset_comes_back_without_using_the_code_again(
    place: Place, tablet: Tablet
) -> None:
    tablet.enrol(configuration="WHATEVER")
    assert row(place, tablet)["standing"] == Standing.ENROLLED


def test_a_retired_tablet_is_not_known_any_more(place: Place, tablet: Tablet) -> None:
    place.run("UPDATE devices_device SET standing = 4 WHERE number = %s", tablet.number, school=place.oak)

    def refused() -> bool:
        try:
            tablet.fetch()
        except LookupError as error:
            return str(error) == "error.notfound.device"
        return False

    assert until(refused)
    assert tablet.poll().status == 403
    assert tablet.report().json()["message"] == "error.notfound.device"


def test_a_device_with_a_key_of_its_own_is_not_spoken_for(place: Place, running: Running) -> None:
    device = place.device(place.oak, serial="PF3XK2", standing=Standing.ENROLLED, number="d-ours")
    place.run(
        "UPDATE devices_device SET protocol = 2, public_key = %s WHERE id = %s",
        b"k" * 32,
        device,
        school=place.oak,
    )
    tablet = Tablet(running, "d-ours")
    with pytest.raises(LookupError):
        tablet.fetch()
    assert tablet.report().json()["status"] == "ERROR"
    with pytest.raises(LookupError):
        Tablet(running, "PF3XK2").enrol(configuration=place.ticket(place.oak))
    assert (
        place.run("SELECT public_key FROM devices_device WHERE id = %s", device)[0]["public_key"] == b"k" * 32
    )


def test_the_qr_code_of_a_ticket_is_told_to_who_has_its_code(place: Place, running: Running) -> None:
    code = place.ticket(place.oak)
    catalogue(place, "com.hmdm.launcher", "6.36", "6.37")
    told = until(
        lambda: (
            None if "status" in (said := running.ask("GET", f"/rest/public/qr/json/{code}").json()) else said
        )
    )
    address = told["android.app.extra.PROVISIONING_DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION"]
    assert running.ask("GET", address.removeprefix("http://mdm.example.org")).body == b"PK 6.37"
    extras = told["android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE"]
    assert extras["com.hmdm.BASE_URL"] == "http://mdm.example.org"
    tablet = Tablet(running, "BY-QR-1")
    tablet.enrol(configuration=extras["com.hmdm.CONFIG"])
    assert row(place, tablet)["school_id"] == place.oak
    assert running.ask("GET", "/rest/public/qr/json/NO-SUCH").json()["status"] == "ERROR"


# What it says


def test_what_it_says_is_kept_and_where_it_is_is_not(place: Place, tablet: Tablet) -> None:
    say(place, tablet, camera=False, wifi=[{"ssid": "x"}])
    tablet.apply()
    device = row(place, tablet)
    kept = place.status(device["id"])
    assert (kept["battery"], kept["is_charging"], kept["os_version"], kept["agent_version"]) == (
        83,
        True,
        "13",
        "6.36",
    )
    assert kept["applied"] == stamp(tablet.config or {}).split()[1].partition("~")[0]
    assert [one["key"] for one in kept["problems"]] == ["wifi"]
    assert kept["is_compliant"] is False
    assert device["model"] == "SM-T500"
    everything = json.dumps(
        [
            place.run(f"SELECT * FROM {table}")
            for table in ("devices_devicestatus", "devices_inventory", "devices_device")
        ],
        default=str,
    )
    assert not any(private in everything for private in ("41.387", "2.168", "600000000"))


def test_locations_and_telemetry_are_taken_and_thrown_away(tablet: Tablet) -> None:
    number = tablet.number
    places = [{"ts": 1, "lat": 1.0, "lon": 2.0}]
    assert (
        tablet.send("PUT", f"/rest/plugins/devicelocations/public/update/{number}", places).json()["status"]
        == "OK"
    )
    assert (
        tablet.send("PUT", f"/rest/plugins/deviceinfo/deviceinfo/public/{number}", [{}]).json()["status"]
        == "OK"
    )
    settings = tablet.send(
        "GET", f"/rest/plugins/deviceinfo/deviceinfo-plugin-settings/device/{number}"
    ).json()
    assert settings["data"]["sendData"] is False
    assert tablet.send("POST", f"/rest/public/sync/applicationSettings/{number}", []).json()["status"] == "OK"


def test_the_log_is_asked_for_and_kept_within_measure(place: Place, tablet: Tablet) -> None:
    [rule] = tablet.send("GET", f"/rest/plugins/devicelog/log/rules/{tablet.number}").json()["data"]
    assert (rule["packageId"], rule["logLevel"]) == ("com.hmdm.launcher", 2)
    now = int(time.time() * 1000)
    line = {
        "timestamp": now,
        "logLevel": 2,
        "packageId": "com.hmdm.launcher",
        "message": "Reboot failed\u0000: no permissions",
    }
    path = f"/rest/plugins/devicelog/log/list/{tablet.number}"
    assert tablet.send("POST", path, [line]).status == 200
    device = row(place, tablet)["id"]
    [kept] = place.run("SELECT * FROM devices_logline WHERE device_id = %s", device)
    assert (kept["level"], kept["message"]) == (2, "Reboot failed: no permissions")
    for _ in range(4):
        assert tablet.send("POST", path, [line] * 50).status == 200
    assert place.run("SELECT count(*) AS n FROM devices_logline WHERE device_id = %s", device)[0]["n"] == 120


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b'{"deviceId":7}', b'{"deviceId":"\\ud800"}', b"[" * 5000]
)
def test_a_hostile_report_gets_the_protocols_error(running: Running, body: bytes) -> None:
    reply = running.ask("POST", "/rest/public/sync/info", body, {"Content-Type": "application/json"})
    assert reply.status == 200
    assert reply.json()["status"] == "ERROR"


# What it does


def test_applications_are_installed_reported_downgraded_and_removed(place: Place, tablet: Tablet) -> None:
    package = f"org.geogebra.t{next(_serials)}"
    old, new = catalogue(place, package, "5.2.700", "5.2.840")
    say(
        place,
        tablet,
        applications=[{"package": package, "action": "install", "version": "5.2.840", "pinned": True}],
    )
    config = tablet.apply()
    [entry] = [one for one in config["applications"] if one["pkg"] == package]
    assert (entry["version"], entry["code"], entry["id"]) == ("5.2.840", 840, new)
    assert entry["url"].startswith("http://mdm.example.org/files/")
    assert entry["url"].endswith(f"/{package}.apk")
    assert tablet.open(entry["url"]).body == b"PK 5.2.840"
    target = entry["url"].removeprefix("http://mdm.example.org")
    assert tablet.send("GET", target, signed=H(SECRET + "another")).status == 403, (
        "who signs must do it rightly"
    )
    assert tablet.send("GET", target).status == 200, "the address is a permission of its own"
    assert states(place, tablet) == {new: 1}

    say(
        place,
        tablet,
        applications=[{"package": package, "action": "install", "version": "5.2.700", "pinned": True}],
    )
    config = tablet.apply()
    assert [(one["version"], one["remove"]) for one in config["applications"] if one["pkg"] == package] == [
        ("5.2.840", True), ("5.2.700", False),
    ]  # fmt: skip
    assert tablet.installed[package] == "5.2.700"
    assert states(place, tablet) == {new: 1, old: 1}
    assert [one["remove"] for one in tablet.apply()["applications"] if one["pkg"] == package] == [False]

    say(place, tablet, applications=[{"package": package, "action": "remove"}])
    tablet.apply()
    assert package not in tablet.installed


def test_an_installation_that_failed_is_told_by_the_log(place: Place, tablet: Tablet) -> None:
    package = f"org.atlas.t{next(_serials)}"
    [version] = catalogue(place, package, "1.0")
    say(place, tablet, applications=[{"package": package, "action": "install"}])
    line = {
        "timestamp": 0,
        "logLevel": 2,
        "packageId": "com.hmdm.launcher",
        "message": f"Failed to download app {package}: 503",
    }
    tablet.send("POST", f"/rest/plugins/devicelog/log/list/{tablet.number}", [line])
    assert states(place, tablet) == {version: 2}


def test_files_are_put_changed_and_taken_away(place: Place, tablet: Tablet) -> None:
    entry = {"path": "Documents/atlas.pdf", "key": "k1", "sha256": "a" * 64, "size": 1, "action": "put"}
    say(place, tablet, files=[entry])
    tablet.apply()
    first = tablet.files["Documents/atlas.pdf"]
    assert tablet.apply()["files"][0]["lastUpdate"] == first["lastUpdate"], "nothing is fetched twice"
    say(place, tablet, files=[{**entry, "sha256": "b" * 64}])
    tablet.apply()
    assert tablet.files["Documents/atlas.pdf"]["checksum"] == "b" * 32
    say(place, tablet)
    tablet.apply()
    assert tablet.files == {}
    assert tablet.fetch()["files"] == []


def test_a_rule_of_a_lesson_locks_and_its_end_unlocks(place: Place, tablet: Tablet) -> None:
    only = {"allowed_applications": {"packages": ["org.calculator", "org.atlas"]}}
    say(place, tablet, schedule=[lease(timedelta(minutes=-5), timedelta(minutes=5), **only)])
    config = tablet.apply()
    assert "com.android.chrome" in tablet.hidden
    assert not {"org.calculator", "org.atlas", "com.hmdm.launcher"} & tablet.hidden
    assert config["runDefaultLauncher"] is False
    shown = {one["pkg"] for one in config["applications"] if one["showIcon"]}
    assert shown == {"org.calculator", "org.atlas"}
    # The lesson ends; and with the next policy nobody speaks of these packages any more.
    say(place, tablet, schedule=[lease(timedelta(minutes=-9), timedelta(minutes=-1), **only)])
    tablet.apply()
    assert tablet.hidden == set()
    say(place, tablet)
    tablet.hidden = {"com.android.chrome"}
    tablet.apply()
    assert tablet.hidden == set()


def test_a_rule_that_begins_wakes_whoever_waits(place: Place, tablet: Tablet) -> None:
    say(place, tablet)
    tablet.apply()
    with Held(tablet) as held:
        # Rules are looked at twenty seconds ahead: this one is about to begin.
        say(place, tablet, schedule=[lease(timedelta(seconds=5), timedelta(minutes=5), camera=False)])
        assert held.messages() == [{"messageType": "configUpdated", "payload": None}]
    assert tablet.apply()["restrictions"] == "no_camera"


# What it is told to do


def test_a_held_request_is_woken_by_a_command_through_another_process(place: Place, tablet: Tablet) -> None:
    with gateway(place, **SETTINGS) as other:
        tablet.messages(other, short=True)
        with Held(tablet, other) as held:
            lock = place.tell(
                place.oak, row(place, tablet)["id"], Verb.LOCK, arguments={"text": "Bring me to the office."}
            )
            assert held.messages() == [{"messageType": "configUpdated", "payload": None}]
    config = tablet.apply()
    assert (config["lock"], config["lockMessage"]) == (True, "Bring me to the office.")
    assert command(place, lock)["state"] == CommandState.DONE


def test_a_lock_stays_until_it_is_taken_back(place: Place, tablet: Tablet) -> None:
    device = row(place, tablet)["id"]
    lock = place.tell(place.oak, device, Verb.LOCK)
    assert until(lambda: tablet.apply()["lock"])
    assert command(place, lock)["state"] == CommandState.DONE
    assert tablet.apply()["lock"] is True
    unlock = place.tell(place.oak, device, Verb.UNLOCK)
    assert until(lambda: not tablet.apply()["lock"])
    assert command(place, unlock)["state"] == CommandState.DONE


def test_a_message_is_a_page_and_its_opening_the_receipt(place: Place, tablet: Tablet) -> None:
    device = row(place, tablet)["id"]
    text = "Library at <b>10</b>"
    first = place.tell(place.oak, device, Verb.MESSAGE, arguments={"text": text})
    second = place.tell(place.oak, device, Verb.MESSAGE, arguments={"text": "Second"})
    tablet.messages(short=True) if not until(lambda: command(place, first)) else None
    [push] = [one for one in until(lambda: tablet.messages(short=True)) if one["messageType"] == "intent"]
    payload = json.loads(push["payload"])
    assert payload["action"] == "android.intent.action.VIEW"
    assert command(place, first)["state"] == CommandState.SENT
    page = tablet.open(payload["data"])
    assert page.status == 200
    assert b"Library at &lt;b&gt;10&lt;/b&gt;" in page.body
    assert command(place, first)["state"] == CommandState.DONE
    # Of two messages of a kind in one answer the agent would keep one: the second comes by the next.
    assert command(place, second)["state"] == CommandState.QUEUED
    [push] = [one for one in tablet.messages(short=True) if one["messageType"] == "intent"]
    url = json.loads(push["payload"])["data"]
    assert tablet.open(url[:-1] + ("0" if url[-1] != "0" else "1")).status == 404
    assert tablet.open(url).status == 200


def test_a_wipe_waits_for_the_agents_confirmation(place: Place, tablet: Tablet) -> None:
    assert tablet.confirm(factoryReset=True).json()["status"] == "ERROR", "nobody told it to"
    wipe = place.tell(place.oak, row(place, tablet)["id"], Verb.WIPE)
    assert until(lambda: tablet.fetch()["factoryReset"])
    assert command(place, wipe)["state"] == CommandState.SENT
    assert tablet.fetch()["factoryReset"] is True, "until it is confirmed"
    assert tablet.confirm(factoryReset=True).json()["status"] == "OK"
    assert command(place, wipe)["state"] == CommandState.DONE
    assert tablet.fetch()["factoryReset"] is False
    assert tablet.confirm(factoryReset=True).json()["status"] == "ERROR", "once"


def test_a_wipe_that_the_agent_may_not_do_has_failed_with_the_reason(place: Place, tablet: Tablet) -> None:
    wipe = place.tell(place.oak, row(place, tablet)["id"], Verb.WIPE)
    assert until(lambda: tablet.fetch()["factoryReset"])
    tablet.confirm(factoryReset=False)
    kept = command(place, wipe)
    assert kept["state"] == CommandState.FAILED
    assert "administrator" in kept["result"]["output"]


def test_a_restart_and_a_new_passcode_are_confirmed(place: Place, tablet: Tablet) -> None:
    device = row(place, tablet)["id"]
    reboot = place.tell(place.oak, device, Verb.REBOOT)
    clear = place.tell(place.oak, device, Verb.CLEAR_PASSCODE)
    config = until(lambda: config if (config := tablet.fetch())["reboot"] else None)
    assert config["passwordReset"] == ""
    assert tablet.confirm("reboot").json()["status"] == "OK"
    assert tablet.confirm("password").json()["status"] == "OK"
    assert command(place, reboot)["state"] == command(place, clear)["state"] == CommandState.DONE
    config = tablet.fetch()
    assert config["reboot"] is False
    assert "passwordReset" not in config
    place.tell(place.oak, device, Verb.CLEAR_PASSCODE, arguments={"passcode": "2468"})
    assert until(lambda: tablet.fetch().get("passwordReset")) == "2468"


def test_a_script_is_refused_with_the_reason(place: Place, tablet: Tablet) -> None:
    script = place.tell(place.oak, row(place, tablet)["id"], Verb.RUN_SCRIPT, arguments={"script": 1})
    assert until(lambda: tablet.fetch() and command(place, script)["state"] == CommandState.FAILED)
    assert "script" in command(place, script)["result"]["output"]


def test_a_command_of_another_school_or_past_its_time_reaches_nobody(place: Place, tablet: Tablet) -> None:
    device = row(place, tablet)["id"]
    late = place.tell(place.oak, device, Verb.WIPE, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    early = place.tell(place.oak, device, Verb.REBOOT, not_before=datetime.now(UTC) + timedelta(hours=1))
    report = place.tell(place.oak, device, Verb.REPORT)
    assert until(lambda: tablet.apply() and command(place, report)["state"] == CommandState.DONE)
    config = tablet.fetch()
    assert (config["factoryReset"], config["reboot"]) == (False, False)
    assert command(place, late)["state"] == command(place, early)["state"] == CommandState.QUEUED


def test_an_address_that_guesses_is_refused_for_a_while(place: Place) -> None:
    with gateway(place, **SETTINGS) as alone:
        found = [Tablet(alone, f"GUESS-{number}").report().status for number in range(130)]
        assert found[:100] == [200] * 100
        assert found[-1] == 429


def test_where_no_secret_is_set_the_protocol_is_not_spoken(place: Place) -> None:
    with gateway(place) as silent:
        assert silent.ask("POST", "/rest/public/sync/info", b"{}").status == 404


# Helpers


class Held:
    """A request that is held, in a thread of its own."""

    def __init__(self, tablet: Tablet, running: Running | None = None) -> None:
        self._found: list[Any] = []
        self._running = running or tablet.running
        self._thread = threading.Thread(target=lambda: self._found.extend(tablet.messages(running)))

    def __enter__(self) -> Self:
        before = self._running.ready()["waiting"]
        self._thread.start()
        assert until(lambda: self._running.ready()["waiting"] > before)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(15)

    def messages(self) -> list[Any]:
        self._thread.join(15)
        assert not self._thread.is_alive(), "still held"
        return self._found


def until(true: Any, seconds: float = 8.0) -> Any:
    """What it returns, once that is true."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def catalogue(place: Place, package: str, *versions: str) -> list[int]:
    """An application with its versions, the first of them released; the gateway has read them when this returns."""
    [made] = place.run(
        "INSERT INTO devices_application (authority_id, package, name, platform, kind, publisher, notes, icon_key, created_at) "
        "VALUES (%s, %s, %s, 1, 'apk', '', '', '', now()) RETURNING id", place.authority, package, package,
    )  # fmt: skip
    ids = []
    for version in versions:
        key, content = f"{package}-{version}", f"PK {version}".encode()
        folder = place.folder / "objects"
        folder.mkdir(exist_ok=True)
        (folder / key).write_bytes(content)
        [row] = place.run(
            "INSERT INTO devices_applicationversion (authority_id, application_id, version, code, file_key, file_name, size, sha256, "
            "url, created_at) VALUES (%s, %s, %s, %s, %s, '', %s, %s, '', now()) RETURNING id",
            place.authority, made["id"], version, int(version.split(".")[-1]), key, len(content), "d" * 64,
        )  # fmt: skip
        ids.append(row["id"])
    return ids


def states(place: Place, tablet: Tablet) -> dict[int, int]:
    found = place.run(
        "SELECT version, state FROM devices_installation WHERE device_id = %s", row(place, tablet)["id"]
    )
    return {one["version"]: one["state"] for one in found}
