"""What is done once."""

import time
from typing import Any

import pytest
from pupitre_agent.commands import Result, carry_out

from agent.tests.computers import Computer

FOLDER = "/var/lib/pupitre-agent"


def act(computer: Computer, verb: str, **arguments: Any) -> Result:
    return carry_out(computer.machine, verb, arguments, FOLDER)


def test_a_script_ends_at_its_time_limit_with_all_that_it_started(computer: Computer) -> None:
    begun = time.monotonic()
    result = act(computer, "run_script", text="echo begun\nsleep 60 &\nsleep 60\n", seconds=1)
    assert time.monotonic() - begun < 20
    assert (result.state, result.code) == ("failed", None)
    assert "did not end in time" in result.output
    assert "begun" in result.output


def test_what_a_script_says_is_cut(computer: Computer) -> None:
    result = act(
        computer, "run_script", text="i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done"
    )
    assert result.state == "done"
    assert len(result.told(1)["output"]) == 16_000


def test_a_script_runs_as_who_is_named(computer: Computer) -> None:
    result = act(computer, "run_script", text="whoami", user="nuria")
    assert result.output.startswith("as told: sh -s")
    assert computer.calls("runuser") == [["runuser", "-u", "nuria", "--", "sh", "-s"]]
    assert act(computer, "run_script", text="whoami", user="--help").state == "failed"
    assert act(computer, "run_script", text=" ").output == "The script is empty."
    assert "perl: not found" in act(computer, "run_script", text="#!/usr/bin/env perl\nprint 1").output


def test_a_message_that_nobody_sees_has_failed(computer: Computer) -> None:
    computer.give_tool("wall", "exit 1")
    assert act(computer, "message", text="Hello").output == "Nobody is signed in who could read it."
    computer.put("/run/user/1001/bus", "")
    assert act(computer, "message", text="-- Hello\n\tyou").state == "done"
    assert computer.calls("systemd-run")[0][-3:] == ["--", "Pupitre", "-- Hello you"]


def test_a_message_is_never_taken_for_a_file_or_an_option(computer: Computer, windows: Computer) -> None:
    computer.give_tool("wall", 'cat > "$ROOT/shown"')
    assert act(computer, "message", text="/etc/passwd").state == "done"
    assert (computer.calls("wall"), computer.text("/shown")) == ([["wall"]], "/etc/passwd\n")
    assert act(windows, "message", text="/server:elsewhere").state == "done"
    assert windows.calls("msg") == [["msg", "*", "/TIME:3600", "Pupitre: /server:elsewhere"]]


def test_passcodes_of_pupils_are_cleared_and_administrators_keep_theirs(computer: Computer) -> None:
    assert act(computer, "clear_passcode").state == "done"
    assert computer.calls("passwd") == [["passwd", "--delete", "nuria"], ["passwd", "--expire", "nuria"]]
    assert act(computer, "clear_passcode", passcode="acorn").state == "done"
    assert computer.text("/passwords") == "nuria:acorn\n"
    assert act(computer, "clear_passcode", passcode="a\nroot:x").state == "failed"


def test_an_encrypted_disk_loses_its_key(computer: Computer) -> None:
    computer.give_tool("findmnt", "echo /dev/mapper/root")
    computer.give_tool("lsblk", "echo /dev/mapper/root ext4; echo /dev/nvme0n1p3 crypto_LUKS")
    computer.give_tool("cryptsetup")
    computer.put("/home/nuria/essay.odt", "")
    assert act(computer, "wipe").output == "The key of /dev/nvme0n1p3 was erased."
    assert computer.calls("cryptsetup") == [["cryptsetup", "erase", "--batch-mode", "/dev/nvme0n1p3"]]


def test_where_nothing_is_encrypted_peoples_folders_go_and_that_is_said(computer: Computer) -> None:
    computer.put("/home/nuria/essay.odt", "")
    result = act(computer, "wipe")
    assert result.state == "done"
    assert "not encrypted" in result.output
    assert computer.machine.names("/home") == []


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [("reboot", {}), ("lock", {"text": "x"}), ("unlock", {}), ("message", {"text": "x"})],
)
def test_windows_knows_the_same_verbs(windows: Computer, verb: str, arguments: dict[str, str]) -> None:
    assert carry_out(windows.machine, verb, arguments, r"C:\ProgramData\Pupitre\Agent").state == "done"


def test_windows_runs_a_script_by_powershell(windows: Computer) -> None:
    windows.give_tool("powershell.exe", 'for word in "$@"; do last="$word"; done; cat "$last"')
    result = carry_out(windows.machine, "run_script", {"text": "Get-Date"}, r"C:\ProgramData\Pupitre\Agent")
    assert result.output.endswith("Get-Date")
    assert "-File" in windows.calls("powershell.exe")[0]


def test_a_verb_of_a_newer_server_is_said_not_to_be_known(computer: Computer) -> None:
    assert "does not know" in act(computer, "levitate").output
