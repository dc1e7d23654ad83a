"""What installs the agent: its unit, its scripts, its lock, and the task of Windows."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

AGENT = Path(__file__).resolve().parents[1]
LINUX = AGENT / "packaging" / "linux"


def test_the_unit_is_one(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / "pupitre-agent.service"
    unit.write_text(
        (LINUX / "pupitre-agent.service").read_text().replace("/usr/bin/pupitre-agent", "/bin/sh")
    )
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, check=False)
    about = [line for line in done.stderr.splitlines() if unit.name in line]
    assert about == []


@pytest.mark.parametrize("name", ["build-deb", "install"])
def test_the_scripts_are_of_a_plain_shell(name: str) -> None:
    subprocess.run(["/bin/sh", "-n", str(LINUX / name)], check=True)


def test_what_is_installed_is_locked_as_the_servers_is() -> None:
    locked = _versions(AGENT / "requirements.txt")
    server = _versions(AGENT.parent / "requirements" / "runtime.txt")
    asked = {
        re.split(r"[>=;]", line)[0]
        for line in (AGENT / "requirements.in").read_text().splitlines()
        if line[:1].isalpha()
    }
    assert asked <= set(locked)
    assert {name: version for name, version in locked.items() if server.get(name, version) != version} == {}
    text = (AGENT / "requirements.txt").read_text()
    assert text.count("--hash=sha256:") > len(locked)
    assert "http" not in text


def _versions(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", path.read_text(), re.MULTILINE))


def test_the_task_runs_as_the_system_and_again_when_it_ended() -> None:
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    text = (AGENT / "packaging" / "windows" / "pupitre-agent.xml").read_text().replace("UTF-16", "UTF-8")
    task = ET.fromstring(text)
    assert task.findtext(".//t:Principal/t:UserId", namespaces=space) == "S-1-5-18"
    assert task.findtext(".//t:ExecutionTimeLimit", namespaces=space) == "PT0S"
    assert task.findtext(".//t:RestartOnFailure/t:Interval", namespaces=space) == "PT1M"
    assert task.find(".//t:BootTrigger", space) is not None
