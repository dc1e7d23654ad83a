"""The database goes and comes back; the gateway stays, says when to come again, and is true again afterwards."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pupitre.devices.rules import Level, Verb
from pupitre.kernel.embedded import EmbeddedPostgres, find_programs
from tests.database import migrated_copy

from .arranging import Machine, Place, Running, fill, gateway
from .conftest import id_of


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Place, EmbeddedPostgres]]:
    """A server of its own, which others do not miss: the tables come from a copy of the template."""
    server = EmbeddedPostgres(tmp_path / "own", durable=False)
    server.start()
    try:
        urls = server.ensure_roles_and_database()
        with migrated_copy(f"away_{time.time_ns()}") as (_application, owner):
            programs = find_programs().folder
            dumped = subprocess.run(
                [str(programs / "pg_dump"), "--no-owner", "--schema-only", "-d", owner],
                capture_output=True,
                check=True,
            )
        subprocess.run(
            [str(programs / "psql"), "-q", "-d", urls.owner],
            input=dumped.stdout,
            check=True,
            capture_output=True,
        )
        place = Place(urls.application, tmp_path)
        fill(place)
        yield place, server
    finally:
        server.stop()


def test_a_restart_is_lived_through(own: tuple[Place, EmbeddedPostgres]) -> None:
    place, server = own
    with gateway(place) as running:
        machine = Machine(running)
        machine.enrol(place.ticket(place.oak, admits=True))
        machine.begin()
        assert machine.check_in().status == 200
        server.stop()
        refused = machine.check_in()
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) > 0
        assert running.ask("GET", "/health/live").status == 200
        _until_ready(running, is_ready=False)
        server.start()
        _until_ready(running, is_ready=True)
        assert machine.check_in(battery=44).status == 304
        assert place.status(id_of(place, machine))["battery"] == 44


def test_what_was_notified_meanwhile_is_not_missed(own: tuple[Place, EmbeddedPostgres]) -> None:
    place, server = own
    with gateway(place) as running:
        machine = Machine(running)
        machine.enrol(place.ticket(place.oak, admits=True))
        machine.begin()
        machine.check_in()
        assert machine.check_in().status == 304
        # The listening connection is cut, and everything changes before it is back.
        with server.superuser("pupitre") as connection:
            connection.execute("UPDATE devices_target SET revision = revision")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' AND datname = 'pupitre'"
            )
        place.say(Level.SCHOOL, place.oak, camera=False)
        command = place.tell(place.oak, id_of(place, machine), Verb.LOCK)
        found: list[int] = []
        until = time.monotonic() + 10
        while time.monotonic() < until and command not in found:
            reply = machine.check_in()
            found += [one["id"] for one in reply.json()["commands"]] if reply.status == 200 else []
            time.sleep(0.1)
        assert command in found
        assert machine.check_in().status == 304, "with the state that holds now"


def _until_ready(running: Running, *, is_ready: bool) -> None:
    until = time.monotonic() + 15
    while bool(running.ready()) is not is_ready:
        assert time.monotonic() < until
        time.sleep(0.1)
