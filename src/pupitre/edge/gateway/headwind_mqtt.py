"""Telling devices with Headwind's agent by a broker that something changed.

One process of all gateways publishes: the one that holds an advisory lock of the database. What it misses while the lock
goes over to another, devices learn within the hour, when they ask anyhow.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pupitre.devices.rules import Level, Protocol, Standing, schedules
from pupitre.devices.rules.headwind import broker, verbs
from pupitre.devices.rules.headwind.verbs import Push
from pupitre.kernel import clock
from pupitre.kernel.errors import Away

from .fleet import Device
from .headwind_polling import AROUND, Polling
from .listening import CHANNEL
from .protocols import Gateway
from .statements import statement

#: "HWMQ", so that nobody else takes it.
_LOCK: Final = 0x48574D51
#: Seconds until a process that does not publish tries to.
_TRY_EVERY: Final = 20.0
#: Seconds between two looks at the bells.
_LOOK_EVERY: Final = 5.0
#: Messages a second, at the most, to devices that are told together.
_A_SECOND: Final = 1000
_log: Final = logging.getLogger(__name__)


class Publishing:
    """The publisher of this process, which may be idle for ever."""

    def __init__(self, gateway: Gateway, polling: Polling) -> None:
        self._gateway, self._fleet, self._polling = gateway, gateway.fleet, polling
        self._work: asyncio.Queue[str] = asyncio.Queue()
        self._lost = asyncio.Event()
        self._revision = 0
        #: {(level, whom, revision, zone): when other rules hold}
        self._bells: dict[tuple[int, int, int, str], datetime | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Publish whenever this process is the one that does."""
        from aiomqtt import MqttError

        while True:
            try:
                await self._try()
            except (Away, MqttError, OSError, TimeoutError) as error:
                _log.warning("The broker or the database cannot be reached: %s", type(error).__name__)
            except Exception:  # noqa: BLE001 - whatever it is, it must not end the signs for good
                _log.exception("Publishing failed; it begins anew.")
            await asyncio.sleep(_TRY_EVERY)

    async def _try(self) -> None:
        self._lost.clear()
        self._work = asyncio.Queue()
        async with self._gateway.postgres.listening(
            CHANNEL, self._work.put_nowait, self._lost.set
        ) as connection:
            # The lock ends with the connection, and so with the process.
            if await connection.fetchval(statement("headwind_lock"), _LOCK):
                await self._publish_until_lost()

    async def _publish_until_lost(self) -> None:
        async with _connected(self._gateway.config.mqtt_url or "") as client:
            self._revision = await self._newest()
            tasks = [
                asyncio.create_task(one)
                for one in (self._lost.wait(), self._carry_out(client), self._ring(client))
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
            finally:
                for one in (*tasks, *self._tasks):
                    one.cancel()
                await asyncio.gather(*tasks, *self._tasks, return_exceptions=True)

    async def _carry_out(self, client: Any) -> None:
        await self._fleet.load_commands()
        for device_id in tuple(self._fleet.with_commands):
            # Told while nobody published.
            await self._tell_commands(client, device_id)
        while True:
            said = await self._work.get()
            word, _, what = said.partition(" ")
            whose = int(what) if what.isdigit() else 0
            if word == "command":
                await self._tell_commands(client, whose)
            elif word == "device":
                await self._tell_many(client, devices=[whose])
            elif word == "school":
                await self._tell_many(client, schools=[whose])
            elif word == "commands":
                for device_id in await self._fleet.load_commands(whose):
                    await self._tell_commands(client, device_id)
            elif word == "targets":
                await self._tell_targets(client)

    async def _tell_commands(self, client: Any, device_id: int) -> None:
        """A configuration to fetch, and every message that waits: over MQTT each comes by itself."""
        self._fleet.with_commands.add(device_id)
        device = await self._fleet.by_id(device_id)
        if device is None or not _hears(device):
            return
        pushes = await self._polling.pending(device, clock.now())
        while pushes:
            for push in pushes:
                await _publish(client, device.number, push)
            if not any(push.kind != verbs.CONFIG_UPDATED for push in pushes):
                return
            pushes = [
                push
                for push in await self._polling.pending(device, clock.now())
                if push.kind != verbs.CONFIG_UPDATED
            ]

    async def _tell_targets(self, client: Any) -> None:
        """Those to whom policies say something else now."""
        async with self._gateway.postgres.gateway() as connection:
            rows = await connection.fetch(statement("headwind_targets"), self._revision)
        self._revision = max([self._revision, *(row["revision"] for row in rows)])
        whom: dict[int, list[int]] = {}
        for row in rows:
            whom.setdefault(row["level"], []).append(row["whom"])
        if whom:
            await self._tell_many(
                client,
                authorities=whom.get(Level.AUTHORITY, ()),
                schools=whom.get(Level.SCHOOL, ()),
                groups=whom.get(Level.GROUP, ()),
                holders=whom.get(Level.PERSON, ()),
                devices=whom.get(Level.DEVICE, ()),
            )

    async def _tell_many(
        self,
        client: Any,
        *,
        authorities: Iterable[int] = (),
        schools: Iterable[int] = (),
        groups: Iterable[int] = (),
        holders: Iterable[int] = (),
        devices: Iterable[int] = (),
        over: timedelta = timedelta(0),
        zone: str = "",
    ) -> None:
        """Have all devices that these concern fetch their configuration, one after the other, `over` a time."""
        async with self._gateway.postgres.gateway() as connection:
            rows = await connection.fetch(
                statement("headwind_concerned"),
                list(authorities), list(schools), list(groups), list(holders), list(devices),
            )  # fmt: skip
        numbers = [row["number"] for row in rows if not zone or self._fleet.zone_of(row["school_id"]) == zone]
        pause = max(1 / _A_SECOND, over.total_seconds() / max(1, len(numbers)))
        due = 0.0
        for number in numbers:
            await _publish(client, number, Push(verbs.CONFIG_UPDATED))
            due += pause
            if due >= 0.05:
                await asyncio.sleep(due)
                due = 0.0

    # Bells

    async def _ring(self, client: Any) -> None:
        """Have devices fetch their configuration when other rules of the week hold, before and after the bell."""
        while True:
            ahead = clock.now() + AROUND
            for level, whom, zone in self._rung(ahead):
                task = asyncio.create_task(self._tell_whom(client, level, whom, zone))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(_LOOK_EVERY)

    def _rung(self, ahead: datetime) -> list[tuple[int, int, str]]:
        """To whom other rules have begun to apply since the last look."""
        found = []
        current: dict[tuple[int, int, int, str], datetime | None] = {}
        for layer in self._fleet.layers_with_schedules():
            for zone in self._fleet.zones:
                key = (int(layer.level), layer.whom, layer.revision, zone)
                at = (
                    self._bells[key]
                    if key in self._bells
                    else schedules.next_change(layer.schedule, ahead, zone)
                )
                if at is not None and at <= ahead:
                    found.append((int(layer.level), layer.whom, zone))
                    at = schedules.next_change(layer.schedule, ahead, zone)
                current[key] = at
        self._bells = current
        return found

    async def _tell_whom(self, client: Any, level: int, whom: int, zone: str) -> None:
        names = {
            Level.AUTHORITY: "authorities", Level.SCHOOL: "schools", Level.GROUP: "groups", Level.PERSON: "holders",
            Level.DEVICE: "devices",
        }  # fmt: skip
        told: Any = {names[Level(level)]: [whom]}
        await self._tell_many(client, over=2 * AROUND, zone=zone, **told)

    async def _newest(self) -> int:
        async with self._gateway.postgres.gateway() as connection:
            return int(await connection.fetchval(statement("headwind_newest")))


def _hears(device: Device) -> bool:
    return device.protocol is Protocol.HEADWIND and device.standing in (Standing.ENROLLED, Standing.WAITING)


async def _publish(client: Any, number: str, push: Push) -> None:
    if broker.is_topic(number):
        await client.publish(number, verbs.published(push), qos=1)


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    from aiomqtt import Client, TLSParameters

    parts = urlsplit(url)
    is_secure = parts.scheme == "mqtts"
    async with Client(
        parts.hostname or "",
        parts.port or (8883 if is_secure else broker.PORT),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        identifier="pupitre-gateway",
        tls_params=TLSParameters() if is_secure else None,
        clean_session=True,
    ) as client:
        yield client
