"""The agent as a whole, without its server: what it does with what it is told."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pupitre_agent.agent import Agent
from pupitre_agent.cli import main
from pupitre_agent.client import Client, Network
from pupitre_agent.clock import Clock
from pupitre_agent.signing import canonical, encode
from pupitre_agent.store import Identity, Store

from agent.tests.computers import Computer
from agent.tests.test_clock import Hands
from agent.tests.test_trust import KEY, SERVER

START = datetime.fromtimestamp(1_800_000_000, UTC)


class Life:
    """One device through its agent's restarts."""

    def __init__(self, computer: Computer) -> None:
        self.computer = computer
        self.hands = Hands()
        self.store = Store(computer.machine.real("/var/lib/pupitre-agent"))
        self.store.prepare()
        self.store.keep_identity(Identity("https://school.example", "d-1", KEY, self.store.key()))
        self.agent = self.start()

    def start(self) -> Agent:
        clock = Clock(self.hands)
        return Agent(
            self.computer.machine, self.store, clock, Client(Network("https://school.example"), clock)
        )

    def restart(self) -> None:
        self.agent.close()
        self.agent = self.start()

    def told(self, *commands: dict[str, Any], **state: Any) -> None:
        """An answer of the server."""
        answer: dict[str, Any] = {"commands": list(commands)}
        if state:
            answer |= {"state": state, "signature": encode(SERVER.sign(canonical(state)))}
        self.agent._take(answer, "")
        self.agent.gather(waits=True)

    def results(self) -> list[dict[str, Any]]:
        return [one["result"] for one in self.agent._untold_results()]


@pytest.fixture
def life(computer: Computer) -> Iterator[Life]:
    found = Life(computer)
    yield found
    found.agent.close()


def command(number: int, verb: str, hours: float = 1, **arguments: Any) -> dict[str, Any]:
    not_after = (START + timedelta(hours=hours)).isoformat()
    told = {"arguments": arguments, "device": "d-1", "id": number, "not_after": not_after, "verb": verb}
    return {**told, "signature": encode(SERVER.sign(canonical(told)))}


def test_a_command_that_comes_again_is_told_again_and_not_done_again(life: Life) -> None:
    told = command(7, "message", text="Hello")
    life.told(told)
    (result,) = life.results()
    assert result["state"] == "done"
    life.agent._was_taken({"inventory": {}, "results": life.agent._untold_results(), "installations": 0})
    assert life.results() == []
    life.told(told)
    assert life.results() == [result]
    life.restart()
    life.told(told)
    assert life.results() == [result]
    assert len(life.computer.calls("wall")) == 1
    # Past its time it is forgotten, and refused for that.
    life.agent._was_taken({"inventory": {}, "results": life.agent._untold_results(), "installations": 0})
    life.hands.pass_(3 * 3600)
    life.told()
    assert life.agent.memory.commands == {}
    life.told(told)
    assert len(life.computer.calls("wall")) == 1
    assert life.agent.problems() == [{"key": "command", "reason": "7: The command is past its time."}]


def test_what_had_begun_when_the_power_went_is_not_begun_again(life: Life) -> None:
    life.agent._take_command(command(8, "run_script", text="echo hello"))
    life.agent.memory.commands["8"]["begun"] = True
    life.agent._keep()
    life.restart()
    (result,) = life.results()
    assert (result["command"], result["state"]) == (8, "failed")
    assert life.computer.calls("sh") == []


def test_a_passcode_is_not_kept(life: Life) -> None:
    life.told(command(9, "clear_passcode", passcode="acorn-7"))
    assert "acorn-7" not in (life.store.folder / "memory.json").read_text()
    assert life.computer.text("/passwords") == "nuria:acorn-7\n"


def test_a_lock_that_names_its_end_needs_no_network_to_end(life: Life) -> None:
    until = (START + timedelta(minutes=40)).isoformat()
    life.told(command(10, "lock", text="Look up", until=until))
    life.agent.apply_if_changed()
    assert life.computer.text("/etc/nologin") == "Look up\n"
    life.restart()
    life.hands.pass_(2400)
    life.agent.apply_if_changed()
    assert life.computer.text("/etc/nologin") == ""


def test_a_state_that_is_not_signed_changes_nothing_and_is_told(life: Life) -> None:
    life.told(version="1", settings={"camera": False})
    forged = {"state": {"version": "2", "settings": {}}, "signature": encode(b"0" * 64)}
    life.agent._take(forged, "")
    assert life.computer.text("/etc/modprobe.d/60-pupitre-camera.conf")
    assert life.agent.memory.applied == "1"
    assert life.agent.problems() == [{"key": "state", "reason": "The signature is not the server's."}]


@pytest.mark.parametrize(
    "entry", [{"id": "x"}, {"id": "x", "days": 3, "from": 1, "to": 2}, "x", {"id": "x", "starts_at": "soon"}]
)
def test_rules_of_a_newer_server_do_not_end_the_agent(life: Life, entry: Any) -> None:
    life.told(version="3", settings={"camera": False}, schedule=[entry], time_zone="Europe/Madrid")
    assert life.computer.text("/etc/modprobe.d/60-pupitre-camera.conf")
    assert [one["key"] for one in life.agent.problems()] == ["schedule"]
    assert life.agent.seconds_to_change() == float("inf")


def test_settings_of_a_newer_server_do_not_end_the_agent(life: Life) -> None:
    life.told(version="3", settings={"mode": "exam", "allowed_applications": ["of another kind"]})
    assert [one["key"] for one in life.agent.problems()] == ["settings"]
    life.told(version="4", settings={"camera": False})
    assert life.agent.problems() == []


def test_a_time_zone_that_nobody_knows_is_told(life: Life) -> None:
    life.told(version="3", settings={"camera": False}, schedule=[{"id": "x"}], time_zone="Mars/Olympus")
    assert [one["key"] for one in life.agent.problems()] == ["schedule"]


def test_a_rule_begins_when_its_time_has_come(life: Life) -> None:
    starts = START + timedelta(minutes=10)
    lease = {
        "id": "lease-1", "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(minutes=5)).isoformat(),
        "settings": {"bluetooth": False},
    }  # fmt: skip
    life.told(version="4", settings={}, schedule=[lease], time_zone="UTC")
    assert life.agent.seconds_to_change() == pytest.approx(600)
    path = "/etc/modprobe.d/60-pupitre-bluetooth.conf"
    for seconds, holds in ((599, False), (1, True), (299, True), (1, False)):
        life.hands.pass_(seconds)
        life.agent.apply_if_changed()
        assert bool(life.computer.text(path)) is holds


def test_an_exam_shuts_more_than_it_says_and_needs_something_to_allow(life: Life) -> None:
    life.told(version="5", settings={"mode": "exam", "usb_storage": True})
    assert "usb-storage" in life.computer.text("/etc/modprobe.d/60-pupitre-usb_storage.conf")
    assert [one["key"] for one in life.agent.problems()] == ["mode"]


def test_the_picture_is_said_to_be_missing_until_it_came(life: Life) -> None:
    life.told(version="6", settings={"wallpaper": "http://127.0.0.1:9/oak.png", "screen_timeout": 60})
    life.agent.begin_software()
    life.agent.gather(waits=True)
    reasons = [one["reason"] for one in life.agent.problems() if one["key"] == "wallpaper"]
    assert reasons[0] == "The picture has not been fetched yet."
    assert "could not be fetched" in reasons[1]
    assert "idle-delay" in life.computer.text("/etc/dconf/db/pupitre.d/60-settings")


# The command line


def test_a_computer_that_is_not_enrolled_is_told_how(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PUPITRE_AGENT_ROOT", str(computer.root))
    for words in (["once"], ["run"], ["release"]):
        assert main(words) == 1
        assert "pupitre-agent enrol --server" in capsys.readouterr().err
    assert main(["status"]) == 0
    assert "not enrolled" in capsys.readouterr().out
    assert main(["enrol", "--server", "http://school.example", "--code", "x"]) == 1
    assert "https" in capsys.readouterr().err


def test_a_clock_can_be_moved_below_a_foreign_root_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pupitre_agent.cli import _source
    from pupitre_agent.clock import MovedSource
    from pupitre_agent.machine.local import this_machine

    monkeypatch.setenv("PUPITRE_AGENT_CLOCK", str(tmp_path / "moved"))
    assert isinstance(_source(this_machine(str(tmp_path), "linux")), MovedSource)
    assert not isinstance(_source(this_machine("/", "linux")), MovedSource)
    assert os.environ["PUPITRE_AGENT_CLOCK"]
