"""Laptops with the real agent, before the real gateway: a folder each, and the agent's command as a process."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from agent.tests.computers import Computer
from pupitre.devices.rules import Level, Platform
from tests.edge.gateway.arranging import Place, Running

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Laptop:
    """One computer and its agent."""

    computer: Computer
    running: Running
    number: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("PUPITRE_")},
            "PYTHONPATH": str(ROOT / "agent" / "src"),
            "PUPITRE_AGENT_ROOT": str(self.computer.root),
            "PUPITRE_AGENT_CLOCK": str(self.computer.root / "moved"),
            "PYTHONWARNINGS": "error",
        }

    def agent(self, *words: str, code: int = 0) -> str:
        """Call `pupitre-agent`; returns what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "pupitre_agent", *words],
            env=self.environment, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def service(self) -> "subprocess.Popen[str]":
        """The service, in the background."""
        return subprocess.Popen(
            [sys.executable, "-m", "pupitre_agent", "run"],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def enrol(self, code: str) -> None:
        said = self.agent("enrol", "--server", f"http://127.0.0.1:{self.running.port}", "--code", code)
        self.number = said.split(":")[0].strip()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.agent("status", "--json"))
        return found

    def move_clock(self, *, seconds: float = 0, boot: str = "", elapsed: float | None = None) -> None:
        """The wall's clock by so much from now, and the counter that nobody sets with it unless told otherwise."""
        told: dict[str, Any] = {"wall": seconds, "elapsed": seconds if elapsed is None else elapsed}
        (self.computer.root / "moved").write_text(json.dumps(told | ({"boot": boot} if boot else {})))


def id_of(place: Place, laptop: Laptop) -> int:
    return int(place.run("SELECT id FROM devices_device WHERE number = %s", laptop.number)[0]["id"])


def rule(place: Place, school: int, schedule: list[dict[str, Any]], **settings: Any) -> None:
    """What a policy and the timetable say to a school, as its target has it."""
    place.say(Level.SCHOOL, school, **settings)
    place.run(
        "UPDATE devices_target SET document = document || %s, revision = nextval('devices_revision') WHERE level = %s AND whom = %s",
        Jsonb({"schedule": schedule, "why": {key: [1, "Rules of the Oak"] for key in settings}}), int(Level.SCHOOL), school,
    )  # fmt: skip


def offer(place: Place, package: str, version: str, content: bytes) -> int:
    """An application of the authority's catalogue, with its file."""
    found = place.run(
        "INSERT INTO devices_application (authority_id, package, name, platform, kind, publisher, notes, icon_key, created_at) "
        "VALUES (%s, %s, %s, %s, 'deb', '', '', '', now()) "
        "ON CONFLICT (authority_id, school_id, platform, package) DO UPDATE SET name = excluded.name RETURNING id",
        place.authority, package, package, int(Platform.LINUX),
    )  # fmt: skip
    key = f"applications/{package}-{version}.deb"
    path = place.folder / "objects" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    made = place.run(
        "INSERT INTO devices_applicationversion (authority_id, application_id, version, code, file_key, file_name, size, sha256, url, "
        "created_at) VALUES (%s, %s, %s, 0, %s, %s, %s, %s, '', now()) RETURNING id",
        place.authority, found[0]["id"], version, key, path.name, len(content), hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    return int(made[0]["id"])
