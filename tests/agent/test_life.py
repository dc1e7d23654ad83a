"""The real agent before the real gateway: from its enrolment to the end of its use."""

import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.tests.computers import Computer
from pupitre.devices.rules import CommandState, InstallState, Level, Standing, Verb
from tests.edge.gateway.arranging import Place, Running, gateway

from .laptops import Laptop, id_of, offer, rule

DEAD = 9  # a port at which nobody answers


def result_of(place: Place, command: int) -> dict[str, Any]:
    return place.run("SELECT state, result FROM devices_command WHERE id = %s", command)[0]


def test_a_laptop_comes_in_by_a_ticket_and_obeys(place: Place, laptop: Laptop) -> None:
    rule(place, place.oak, [], camera=False, web={"mode": "allow", "hosts": ["wikipedia.org"]})
    laptop.agent("once")
    assert "uvcvideo" in laptop.computer.text("/etc/modprobe.d/60-pupitre-camera.conf")
    assert "*://*.wikipedia.org/*" in laptop.computer.text("/etc/firefox/policies/policies.json")
    explained = laptop.agent("explain", "--language", "es")
    assert "La cámara está desactivada. Siempre, por la política «Rules of the Oak».\n" in explained
    assert "wikipedia.org" in explained
    status = laptop.status()
    assert status["applied"] == status["version"] != ""
    assert status["problems"] == []
    key = laptop.computer.root / "var/lib/pupitre-agent/key"
    assert key.stat().st_mode & 0o777 == 0o600
    kept = place.status(id_of(place, laptop))
    assert (kept["battery"], kept["is_charging"], kept["battery_health"]) == (83, True, 86)
    assert kept["os_version"] == "Debian 13.1"
    assert kept["applied"] == status["version"].partition("~")[0]
    assert kept["is_compliant"] is True
    device = place.run("SELECT serial, maker, model FROM devices_device WHERE number = %s", laptop.number)[0]
    assert (device["maker"], device["model"]) == ("Lenovo", "L13")
    rule(place, place.oak, [])
    laptop.agent("once")
    assert laptop.computer.text("/etc/modprobe.d/60-pupitre-camera.conf") == ""


def test_the_same_key_enrols_again_and_a_wrong_code_does_not(
    place: Place, running: Running, tmp_path: Path
) -> None:
    laptop = Laptop(Computer(tmp_path / "pc"), running)
    address = f"http://127.0.0.1:{running.port}"
    said = laptop.agent("enrol", "--server", address, "--code", "WRONG-CODE-0000", code=1)
    assert "code" in said
    # Its clock is two hours behind: the server's refusal says what time it is.
    laptop.move_clock(seconds=-7200)
    laptop.enrol(place.ticket(place.oak))
    assert laptop.status()["standing"] == "waiting"
    said = laptop.agent("enrol", "--server", address, "--code", "ANY-CODE-0000", code=1)
    assert "enrolled already" in said
    laptop.agent("once")
    assert place.run("SELECT standing FROM devices_device WHERE number = %s", laptop.number)[0][
        "standing"
    ] == int(Standing.WAITING)


def test_an_application_is_installed_pinned_and_taken_back(place: Place, laptop: Laptop) -> None:
    first = offer(place, "geogebra", "6.0", b"geogebra 6.0\n" + b"x" * 400_000)
    entry = {"package": "geogebra", "action": "install"}
    place.say(Level.SCHOOL, place.oak, applications=[entry])
    laptop.agent("once")
    assert "geogebra\t6.0" in laptop.computer.text("/packages")
    device = id_of(place, laptop)
    installed = place.run("SELECT * FROM devices_installation WHERE device_id = %s", device)
    assert [(one["version"], one["state"]) for one in installed] == [(first, int(InstallState.INSTALLED))]
    inventory = place.run("SELECT applications FROM devices_inventory WHERE device_id = %s", device)[0]
    assert inventory["applications"] == {"geogebra": "6.0"}
    second = offer(place, "geogebra", "6.2", b"geogebra 6.2\n")
    place.say(Level.SCHOOL, place.oak, applications=[{**entry, "version": "6.2", "pinned": True}])
    laptop.agent("once")
    assert "geogebra\t6.2" in laptop.computer.text("/packages")
    place.say(Level.SCHOOL, place.oak, applications=[{**entry, "version": "6.0", "pinned": True}])
    laptop.agent("once")
    assert "geogebra\t6.0" in laptop.computer.text("/packages")
    assert laptop.computer.calls("apt-mark") == [["apt-mark", "hold", "--", "geogebra"]]
    place.say(Level.SCHOOL, place.oak, applications=[{"package": "geogebra", "action": "remove"}])
    laptop.agent("once")
    assert "geogebra" not in laptop.computer.text("/packages")
    assert second > first
    downloads = laptop.computer.root / "var/lib/pupitre-agent/downloads"
    assert list(downloads.iterdir()) == []


def test_what_cannot_be_installed_is_told_and_not_tried_at_once_again(place: Place, laptop: Laptop) -> None:
    version = offer(place, "stellarium", "24.1", b"stellarium 24.1\n")
    laptop.computer.put("/broken-stellarium", "")
    place.say(Level.SCHOOL, place.oak, applications=[{"package": "stellarium", "action": "install"}])
    laptop.agent("once")
    laptop.agent("once")
    tries = [one for one in laptop.computer.calls("apt-get") if "install" in one]
    assert len(tries) == 1
    device = id_of(place, laptop)
    told = place.run("SELECT * FROM devices_installation WHERE device_id = %s", device)[0]
    assert (told["version"], told["state"]) == (version, int(InstallState.FAILED))
    assert "is broken" in told["message"]
    assert place.status(device)["problems"][0]["key"] == "applications"
    (laptop.computer.root / "broken-stellarium").unlink()
    laptop.move_clock(seconds=2000)
    laptop.agent("once")
    assert "stellarium\t24.1" not in laptop.computer.text("/packages"), (
        "the server's time counts, not the wall's"
    )


def test_a_file_is_put_in_its_folder_and_taken_away(place: Place, laptop: Laptop) -> None:
    content = b"%PDF atlas" * 50_000
    sha256 = hashlib.sha256(content).hexdigest()
    stored = place.folder / "objects" / "content" / "atlas.pdf"
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_bytes(content)
    entry = {
        "path": "Documents/atlas.pdf",
        "key": "content/atlas.pdf",
        "sha256": sha256,
        "size": len(content),
        "action": "put",
    }
    place.say(Level.SCHOOL, place.oak, files=[entry, {**entry, "path": "../../etc/cron.d/x"}])
    laptop.agent("once")
    put = laptop.computer.root / "srv/pupitre/Documents/atlas.pdf"
    assert put.read_bytes() == content
    problems = place.status(id_of(place, laptop))["problems"]
    assert problems == [
        {"key": "files", "reason": "../../etc/cron.d/x: The path must stay below the folder."}
    ]
    place.say(Level.SCHOOL, place.oak)
    laptop.agent("once")
    assert not put.exists()
    assert place.status(id_of(place, laptop))["problems"] == []


# Rules of the week, and two weeks without network


def lesson(at: datetime, zone: str = "Europe/Madrid") -> dict[str, Any]:
    """Calculator only, every day in the hour that begins at that time."""
    local = at.astimezone(ZoneInfo(zone))
    starts = local.replace(minute=0)
    ends = f"{starts + timedelta(hours=1):%H:%M}" if starts.hour < 23 else "24:00"
    return {
        "id": "rule-1", "label": "Calculator and atlas only", "days": [1, 2, 3, 4, 5, 6, 7], "from": f"{starts:%H:%M}", "to": ends,
        "first": "2020-01-01", "last": (local.date() + timedelta(days=20)).isoformat(),
        "settings": {"allowed_applications": {"packages": ["org.gnome.Calculator"]}, "camera": False},
    }  # fmt: skip


def prepare_games(computer: Computer) -> Path:
    computer.give_application("org.gnome.Calculator", "/usr/bin/gnome-calculator", "gnome-calculator")
    computer.give_application("supertux", "/usr/games/supertux2", "supertux")
    return computer.machine.real("/usr/games/supertux2")


def may_start(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o001)


def test_a_rule_of_the_timetable_holds_and_ends_offline_for_two_weeks(place: Place, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    game_laptop = Computer(tmp_path / "pc")
    game = prepare_games(game_laptop)
    with gateway(place) as before:
        laptop = Laptop(game_laptop, before)
        laptop.enrol(place.ticket(place.oak, admits=True))
        rule(place, place.oak, [lesson(now + timedelta(hours=2))], screen_timeout=300)
        laptop.agent("once")
        assert may_start(game)
    in_lesson = ((now + timedelta(hours=2)).replace(minute=30, second=0) - now).total_seconds()
    day = 86_400
    for days in (0, 13):
        laptop.move_clock(seconds=days * day + in_lesson)
        laptop.agent("once", code=1)
        assert not may_start(game), days
        assert may_start(game_laptop.machine.real("/usr/bin/gnome-calculator"))
        explained = laptop.agent("explain", "--language", "en")
        assert "org.gnome.Calculator" in explained
        assert "Calculator and atlas only" in explained
        laptop.move_clock(seconds=days * day + in_lesson + 3600)
        laptop.agent("once", code=1)
        assert may_start(game), days
    laptop.move_clock(seconds=25 * day + in_lesson)
    laptop.agent("once", code=1)
    assert may_start(game), "the rule has ended by itself"
    assert "idle-delay=uint32 300" in game_laptop.text("/etc/dconf/db/pupitre.d/60-settings")
    # The network is back; so is the right time.
    laptop.move_clock()
    with gateway(place) as after:
        move_server(laptop, after.port)
        rule(place, place.oak, [])
        laptop.agent("once")
    assert place.status(id_of(place, laptop))["problems"] == []
    assert game_laptop.text("/etc/dconf/db/pupitre.d/60-settings") == ""


def test_a_clock_that_is_set_back_does_not_end_a_rule(place: Place, running: Running, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    laptop = Laptop(Computer(tmp_path / "pc"), running)
    game = prepare_games(laptop.computer)
    laptop.enrol(place.ticket(place.oak, admits=True))
    rule(place, place.oak, [lesson(now), {**lesson(now + timedelta(hours=1)), "id": "rule-2"}])
    laptop.agent("once")
    assert not may_start(game)
    # While the computer runs, its clock says nothing.
    laptop.running = Running(DEAD, running.process)
    move_server(laptop, DEAD)
    laptop.move_clock(seconds=-3 * 86_400, elapsed=60)
    laptop.agent("once", code=1)
    assert not may_start(game)
    laptop.move_clock(seconds=3 * 86_400, elapsed=120)
    laptop.agent("once", code=1)
    assert not may_start(game)
    # After a restart the last known moment is the least.
    laptop.move_clock(seconds=-3 * 86_400, elapsed=-5000, boot="boot-2")
    laptop.agent("once", code=1)
    assert not may_start(game)
    assert [one["key"] for one in laptop.status()["problems"]] == ["clock"]
    rule(place, place.oak, [])
    move_server(laptop, running.port)
    laptop.agent("once")
    assert may_start(game)


def move_server(laptop: Laptop, port: int) -> None:
    path = laptop.computer.root / "var/lib/pupitre-agent/identity.json"
    text = path.read_text()
    start = text.index("http://127.0.0.1:") + len("http://127.0.0.1:")
    end = text.index('"', start)
    path.write_text(text[:start] + str(port) + text[end:])


# Commands


def test_it_is_told_something_once_and_says_what_came_of_it(place: Place, laptop: Laptop) -> None:
    laptop.computer.put("/run/user/1001/bus", "")
    laptop.agent("once")
    device = id_of(place, laptop)
    script = place.run(
        "INSERT INTO devices_script (authority_id, school_id, name, platform, text, created_at) "
        "VALUES (%s, NULL, 'Count', 3, %s, now()) RETURNING id",
        place.authority, '#!/bin/sh\necho "counted $((6 * 7))"\nexit 3\n',
    )[0]["id"]  # fmt: skip
    message = place.tell(place.oak, device, Verb.MESSAGE, arguments={"text": "Bring your charger"})
    lock = place.tell(place.oak, device, Verb.LOCK, arguments={"text": "Look up"})
    run = place.tell(place.oak, device, Verb.RUN_SCRIPT, arguments={"script": script})
    laptop.agent("once")
    assert result_of(place, message)["state"] == int(CommandState.DONE)
    assert result_of(place, lock)["state"] == int(CommandState.DONE)
    ran = result_of(place, run)
    assert ran["state"] == int(CommandState.FAILED)
    assert ran["result"]["code"] == 3
    assert "counted 42" in ran["result"]["output"]
    assert laptop.computer.text("/etc/nologin") == "Look up\n"
    assert laptop.computer.calls("systemd-run")[0][-1] == "Bring your charger"
    assert not list((laptop.computer.root / "var/lib/pupitre-agent").glob("script-*"))
    unlock = place.tell(place.oak, device, Verb.UNLOCK)
    laptop.agent("once")
    assert result_of(place, unlock)["state"] == int(CommandState.DONE)
    assert not laptop.computer.machine.real("/etc/nologin").exists()


def test_the_service_is_woken_and_ends_when_the_device_is_retired(place: Place, laptop: Laptop) -> None:
    rule(place, place.oak, [], camera=False)
    service = laptop.service()
    try:
        wait_for(lambda: laptop.computer.text("/etc/modprobe.d/60-pupitre-camera.conf") != "")
        device = id_of(place, laptop)
        wait_for(lambda: place.status(device)["last_seen_at"] is not None)
        time.sleep(2)  # the wake channel is open
        asked = time.monotonic()
        told = place.tell(place.oak, device, Verb.MESSAGE, arguments={"text": "Hello"})
        wait_for(lambda: result_of(place, told)["state"] == int(CommandState.DONE), 60)
        assert time.monotonic() - asked < 60, "long before its next check-in"
        place.run(
            "UPDATE devices_device SET standing = %s, retired_at = now() WHERE id = %s", int(Standing.RETIRED), device,
            school=place.oak,
        )  # fmt: skip
        place.tell(place.oak, device, Verb.MESSAGE, arguments={"text": "never shown"})
        assert service.wait(60) == 3
    finally:
        service.kill()
        service.communicate(timeout=20)
    assert laptop.computer.text("/etc/modprobe.d/60-pupitre-camera.conf") == ""
    assert all("never shown" not in call for call in laptop.computer.calls())
    assert not (laptop.computer.root / "var/lib/pupitre-agent/key").exists()
    assert laptop.status()["standing"] == "retired"
    assert "not managed" in laptop.agent("explain", "--language", "en")
    assert "not enrolled" in laptop.agent("once", code=1)


def wait_for(holds: Any, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.1)


def test_everything_is_given_free_by_hand(place: Place, laptop: Laptop) -> None:
    before = laptop.computer.files()
    game = prepare_games(laptop.computer)
    laptop.computer.put("/etc/firefox/policies/policies.json", '{"policies": {"own": true}}')
    before = laptop.computer.files()
    rule(
        place, place.oak, [],
        camera=False, web={"mode": "block", "hosts": ["tiktok.com"]}, install_applications=False, passcode="moderate",
        blocked_applications={"packages": ["supertux"]}, screen_timeout=300, bluetooth=False,
        wifi=[{"ssid": "Oak", "security": "wpa2", "password": "acorn-acorn"}],
        proxy={"host": "proxy.oak", "port": 3128}, system_updates={"mode": "window", "from": "17:00", "to": "19:00"},
    )  # fmt: skip
    laptop.agent("once")
    assert not may_start(game)
    assert laptop.computer.files() != before
    laptop.agent("release")
    assert laptop.computer.files() == before
    assert os.access(game, os.X_OK)
    rule(place, place.oak, [])
