"""Signs by a real Mosquitto: each tablet hears its own and nobody else's, also what came while it was off."""

import asyncio
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiomqtt import Client, MqttError

from house.mosquitto import NoMosquittoError, ensure
from pupitre.devices.rules import CommandState, Level, Verb
from pupitre.devices.rules.headwind import broker, signing
from pupitre.kernel import config as configuration
from pupitre.project.commands import broker as command

from .arranging import Place, Running, gateway
from .tablets import SECRET, Tablet
from .test_headwind import command as command_of
from .test_headwind import row


@dataclass
class Broker:
    """A Mosquitto that runs with the settings that the command writes."""

    port: int

    @contextlib.asynccontextmanager
    async def joined(self, number: str, *, topic: str = "", password: str = "") -> AsyncIterator[Client]:
        """As the agent joins: one user for all, its number as client id, a session that is kept."""
        async with Client(
            "127.0.0.1",
            self.port,
            identifier=number,
            username="hmdm",
            password=password or signing.mqtt_password(SECRET),
            clean_session=False,
        ) as client:
            await client.subscribe(topic or number, qos=2)
            yield client

    async def hear(self, client: Client, seconds: float) -> list[dict[str, Any]]:
        """What comes within that time, as the agent reads it."""
        found = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    found.append(json.loads(message.payload))
        return found

    async def first(self, client: Client) -> dict[str, Any]:
        async with asyncio.timeout(15):
            message = await anext(aiter(client.messages))
        assert isinstance(message.payload, bytes)
        return dict(json.loads(message.payload))


@pytest.fixture(scope="module")
def mqtt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    try:
        program = ensure()
    except NoMosquittoError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("broker")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = command.write(configuration.load(settings(port, folder)), folder, "127.0.0.1")
    assert str(folder) in told
    # As root it would go over to a user of its own, who may not read what only we may.
    own = "user root\n" if Path("/proc/self").stat().st_uid == 0 else ""
    with (folder / "mosquitto.conf").open("a") as file:
        file.write(own)
    process = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield Broker(port)
    finally:
        process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()


def settings(port: int, folder: Path) -> dict[str, str]:
    return {
        "PUPITRE_HEADWIND_SECRET": SECRET,
        "PUPITRE_GATEWAY_URL": "http://mdm.example.org",
        "PUPITRE_MQTT_URL": f"mqtt://pupitre:a%20good%20word@127.0.0.1:{port}",
        "PUPITRE_SECRET_KEY": "the secret of the gateway's tests, long enough",
        "PUPITRE_DATA_DIR": str(folder),
    }


@pytest.fixture(scope="module")
def running(place: Place, mqtt: Broker) -> Iterator[Running]:
    """Two processes: one of them publishes."""
    told = settings(mqtt.port, place.folder)
    with gateway(place, **told) as found, gateway(place, **told):
        yield found


@pytest.fixture
def tablet(place: Place, running: Running, request: pytest.FixtureRequest) -> Tablet:
    found = Tablet(running, f"M-{request.node.name[:40]}")
    found.enrol(configuration=place.ticket(place.oak, admits=True))
    found.apply()
    return found


def test_a_tablet_is_told_by_the_broker_once_and_what_it_is_told_is_in_its_configuration(
    place: Place, mqtt: Broker, tablet: Tablet
) -> None:
    assert tablet.config is not None
    assert tablet.config["pushOptions"] == "mqttAlarm"

    device = row(place, tablet)["id"]

    async def scenario() -> list[str]:
        async with mqtt.joined(tablet.number) as client:
            await mqtt.hear(client, 1.0)  # that it came in
            await asyncio.to_thread(place.tell, place.oak, device, Verb.MESSAGE, arguments={"text": "Here"})
            await asyncio.to_thread(place.tell, place.oak, device, Verb.LOCK)
            heard = []
            while "intent" not in heard or "configUpdated" not in heard:
                heard.append((await mqtt.first(client))["messageType"])
            return [*heard, *(one["messageType"] for one in await mqtt.hear(client, 1.5))]

    assert asyncio.run(scenario()).count("intent") == 1, "two processes, one message"
    assert tablet.apply()["lock"] is True


def test_what_came_while_it_was_off_is_heard_when_it_is_back(
    place: Place, mqtt: Broker, tablet: Tablet
) -> None:
    async def join() -> None:
        async with mqtt.joined(tablet.number):
            pass

    async def back() -> dict[str, Any]:
        async with mqtt.joined(tablet.number) as client:
            while (heard := await mqtt.first(client))["messageType"] != "intent":
                pass
            return heard

    asyncio.run(join())
    message = place.tell(
        place.oak, row(place, tablet)["id"], Verb.MESSAGE, arguments={"text": "Library at ten"}
    )
    end = time.monotonic() + 10
    while command_of(place, message)["state"] != CommandState.SENT:
        assert time.monotonic() < end
        time.sleep(0.1)
    heard = asyncio.run(back())
    assert heard["messageType"] == "intent"
    assert b"Library at ten" in tablet.open(heard["payload"]["data"]).body
    assert command_of(place, message)["state"] == CommandState.DONE


def test_a_change_of_policy_is_told_to_whom_it_concerns(place: Place, mqtt: Broker, tablet: Tablet) -> None:
    other = Tablet(tablet.running, "M-of-another-school")
    other.enrol(configuration=place.ticket(place.elm, admits=True))

    async def scenario() -> tuple[list[Any], list[Any]]:
        async with mqtt.joined(tablet.number) as mine, mqtt.joined(other.number) as others:
            await asyncio.to_thread(place.say, Level.SCHOOL, place.oak, camera=False)
            return [await mqtt.first(mine)], await mqtt.hear(others, 1.0)

    mine, others = asyncio.run(scenario())
    assert mine == [{"messageType": "configUpdated"}]
    assert others == []
    place.run("DELETE FROM devices_target")


def test_nobody_hears_what_is_anothers_and_nobody_speaks(place: Place, mqtt: Broker, tablet: Tablet) -> None:
    async def scenario() -> list[Any]:
        async with mqtt.joined(tablet.number) as mine:
            for topic in (tablet.number, "#", "+"):
                async with mqtt.joined("M-listener", topic=topic) as listener:
                    # An agent that speaks as another would could lock tablets in a class's name.
                    await listener.publish(tablet.number, b'{"messageType":"reboot"}', qos=1)
                    await asyncio.to_thread(place.tell, place.oak, row(place, tablet)["id"], Verb.REPORT)
                    assert await mqtt.first(mine) == {"messageType": "configUpdated"}
                    assert await mqtt.hear(listener, 0.3) == []
            return await mqtt.hear(mine, 0.5)

    assert all(one["messageType"] == "configUpdated" for one in asyncio.run(scenario()))


def test_without_the_fleets_password_nobody_joins(mqtt: Broker, tablet: Tablet) -> None:
    async def scenario() -> None:
        async with mqtt.joined(tablet.number, password="guess"):
            pass

    with pytest.raises(MqttError):
        asyncio.run(scenario())


def test_a_number_that_means_something_else_in_topics_is_never_one() -> None:
    assert broker.is_topic("R52T10ABCDE")
    assert not any(broker.is_topic(one) for one in ("", "#", "a/b", "+", "$SYS", "x" * 300))


def test_the_command_says_what_it_misses(tmp_path: Path) -> None:
    from pupitre.project.cli import CommandError

    bare = configuration.load({"PUPITRE_DATA_DIR": str(tmp_path), "PUPITRE_SECRET_KEY": "x" * 60})
    with pytest.raises(CommandError, match="PUPITRE_MQTT_URL"):
        command.write(bare, tmp_path, "")
