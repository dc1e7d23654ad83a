"""One database and one gateway process for all tests of a file: starting them is what takes long."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pupitre.devices.rules import Standing
from tests.database import migrated_copy

from .arranging import Machine, Place, Running, fill, gateway


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A migrated database with two schools."""
    name = f"gateway_{os.getpid()}_{uuid4().hex[:6]}"
    with migrated_copy(name) as (application, _owner):
        found = Place(application, tmp_path_factory.mktemp("gateway"))
        fill(found)
        yield found


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Running]:
    """A gateway process before that database."""
    with gateway(place) as found:
        yield found


@pytest.fixture
def machine(place: Place, running: Running) -> Machine:
    """A device of the first school that was let in, with a session."""
    found = Machine(running)
    reply = found.enrol(place.ticket(place.oak, admits=True))
    assert reply.status == 201, reply.body
    assert reply.json()["standing"] == Standing.ENROLLED.name.lower()
    assert found.begin().status == 200
    return found


def id_of(place: Place, machine: Machine) -> int:
    return int(place.run("SELECT id FROM devices_device WHERE number = %s", machine.number)[0]["id"])


def storage_of(place: Place) -> Path:
    return place.folder / "objects"


def json_of(reply: Any) -> Any:
    assert reply.status == 200, (reply.status, reply.body)
    return reply.json()
