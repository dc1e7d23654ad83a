"""Wake sockets: who is told, by which process, and that nothing secret is said."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from pupitre.devices.rules import CommandState, Level, Standing, Verb

from .arranging import Machine, Place, Running, gateway
from .conftest import id_of

WAKE = "/device/v1/wake"


@asynccontextmanager
async def waking(machine: Machine, running: Running | None = None) -> AsyncIterator[ClientConnection]:
    headers = machine.headers("GET", WAKE, b"")
    headers.pop("Content-Type")
    port = (running or machine.running).port
    async with connect(
        f"ws://127.0.0.1:{port}{WAKE}", additional_headers=headers, compression=None
    ) as socket:
        yield socket


async def word(socket: ClientConnection, seconds: float = 5.0) -> str:
    return str(await asyncio.wait_for(socket.recv(), seconds))


def test_a_command_wakes_its_device_and_only_it(place: Place, machine: Machine, running: Running) -> None:
    other = Machine(running)
    other.enrol(place.ticket(place.oak, admits=True))
    other.begin()

    async def run() -> str:
        async with waking(machine) as socket, waking(other) as silent:
            await asyncio.sleep(0.2)
            await asyncio.to_thread(place.tell, place.oak, id_of(place, machine), Verb.LOCK)
            told = await word(socket)
            with pytest.raises(TimeoutError):
                await word(silent, 0.5)
            return told

    assert asyncio.run(run()) == "wake 1"


def test_a_device_holds_so_many_sockets_and_no_more(machine: Machine) -> None:
    async def run() -> int:
        async with AsyncExitStack() as held:
            for _ in range(16):
                await held.enter_async_context(waking(machine))
            with pytest.raises(InvalidStatus) as refused:
                await held.enter_async_context(waking(machine))
            return refused.value.response.status_code

    assert asyncio.run(run()) == 503
    assert machine.check_in().status in {200, 304}


def test_whichever_process_holds_the_socket(place: Place, machine: Machine) -> None:
    async def run(other: Running) -> str:
        async with waking(machine, other) as socket:
            await asyncio.sleep(0.2)
            await asyncio.to_thread(place.tell, place.oak, id_of(place, machine), Verb.MESSAGE)
            return await word(socket)

    with gateway(place) as other:
        assert asyncio.run(run(other)).startswith("wake ")
        assert machine.check_in().json()["commands"], "the first process hands it out"


def test_a_policy_wakes_whom_it_concerns(place: Place, machine: Machine, running: Running) -> None:
    far = Machine(running)
    far.enrol(place.ticket(place.elm, admits=True))
    far.begin()

    async def run() -> None:
        async with waking(machine) as socket, waking(far) as silent:
            await asyncio.sleep(0.2)
            await asyncio.to_thread(place.say, Level.SCHOOL, place.oak, camera=False)
            assert (await word(socket)).startswith("wake ")
            with pytest.raises(TimeoutError):
                await word(silent, 0.5)

    asyncio.run(run())


def test_who_opens_while_a_command_waits_is_told_at_once(place: Place, machine: Machine) -> None:
    place.tell(place.oak, id_of(place, machine), Verb.REBOOT)
    time.sleep(0.3)

    async def run() -> str:
        async with waking(machine) as socket:
            return await word(socket)

    assert asyncio.run(run()) == "wake 1"


def test_many_commands_at_once_wake_a_school(place: Place, machine: Machine) -> None:
    device = id_of(place, machine)

    async def run() -> str:
        async with waking(machine) as socket:
            await asyncio.sleep(0.2)
            await asyncio.to_thread(_tell_many, place, device)
            return await word(socket)

    assert asyncio.run(run()).startswith("wake ")


def _tell_many(place: Place, device: int) -> None:
    place.run(
        "INSERT INTO devices_command (school_id, device_id, verb, arguments, state, supersede_key, batch, created_at, not_before, "
        "expires_at, reason, attempts, result) SELECT %s, %s, 7, '{}', %s, '', %s, now(), now(), now() + interval '1 hour', '', 0, '{}' "
        "FROM generate_series(1, 150)",
        place.oak, device, int(CommandState.QUEUED), uuid4(),
    )  # fmt: skip


def test_strangers_get_no_socket(place: Place, machine: Machine) -> None:
    async def status() -> int:
        try:
            async with waking(machine):
                return 101
        except websockets.InvalidStatus as refused:
            return refused.response.status_code

    assert asyncio.run(status()) == 101
    machine.secret = hashlib.sha256(machine.secret).digest()
    assert asyncio.run(status()) == 401
    machine.begin()
    place.run("UPDATE devices_device SET standing = %s WHERE number = %s", int(Standing.RETIRED), machine.number,
              school=place.oak)  # fmt: skip
    time.sleep(0.3)
    assert asyncio.run(status()) == 403


def test_one_that_left_is_not_waited_for(machine: Machine) -> None:
    async def run() -> None:
        async with waking(machine):
            for _ in range(50):
                if machine.running.ready()["waiting"]:
                    break

    asyncio.run(run())
    for _ in range(100):
        if not machine.running.ready()["waiting"]:
            break
        time.sleep(0.02)
    assert machine.running.ready()["waiting"] == 0
