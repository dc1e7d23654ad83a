"""Keeping what devices report, for all protocols: in batches, and answered when it is safe."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from pupitre.kernel import clock
from pupitre.kernel.postgres import Postgres

from .batches import Batches
from .fleet import Device
from .statements import statement
from .wire import MOST_FACTS, MOST_INSTALLED

#: device, percent, charging
_Seen = tuple[int, int | None, bool | None]
#: device, percent, charging, health, system, agent, free, address, applied, problems, compliant
_Told = tuple[
    int,
    int | None,
    bool | None,
    int | None,
    str | None,
    str | None,
    int | None,
    str | None,
    str | None,
    str | None,
    bool | None,
]
#: (device, number in its report), school, authority, version, state, message
_Installed = tuple[tuple[int, int], int, int, int, int, str]
#: Inventories that are worked on at once.
_INVENTORIES: Final = 4


@dataclass(frozen=True, slots=True)
class Status:
    """What a device says of itself. None is what it did not say, which stays as it was."""

    battery: int | None = None  # percent
    is_charging: bool | None = None
    battery_health: int | None = None  # percent
    os_version: str | None = None
    agent_version: str | None = None
    storage_free: int | None = None  # bytes
    applied: str | None = None
    problems: Sequence[Mapping[str, str]] | None = None

    @property
    def says_more(self) -> bool:
        """Whether there is more in it than that the device is there."""
        return not (
            self.battery_health is None
            and self.os_version is None
            and self.agent_version is None
            and self.storage_free is None
            and self.problems is None
        )


class Reports:
    """What devices report."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self.seen: Batches[_Seen] = Batches(self._write_seen)
        self.told: Batches[_Told] = Batches(self._write_told, most=500)
        self.installed: Batches[_Installed] = Batches(self._write_installed, most=500)
        self._inventories = asyncio.Semaphore(_INVENTORIES)

    @property
    def statements(self) -> int:
        """Writing statements until now."""
        return self.seen.statements + self.told.statements + self.installed.statements

    async def finish(self) -> None:
        """Wait until all is written."""
        await asyncio.gather(self.seen.finish(), self.told.finish(), self.installed.finish())

    def save_seen(
        self, device: Device, battery: int | None = None, is_charging: bool | None = None
    ) -> "asyncio.Future[None]":
        """The device is there, and nothing else. Only for one that told all before (`Device.has_told`). Raises Overloaded."""
        return self.seen.put((device.id, battery, is_charging))

    async def save_status(self, device: Device, status: Status, address: str = "") -> None:
        """Keep it; durable when this returns. Raises Away, Overloaded."""
        applied = None if status.applied is None else status.applied.partition("~")[0]
        is_same = applied is None or applied == device.applied
        if is_same and device.has_told and address == device.address and not status.says_more:
            await self.save_seen(device, status.battery, status.is_charging)
            return
        await self.told.put(
            (
                device.id, status.battery, status.is_charging, status.battery_health, status.os_version,
                status.agent_version, status.storage_free, address, applied, _json(status.problems),
                None if status.problems is None else not status.problems,
            )
        )  # fmt: skip
        device.has_told, device.address = True, address
        if applied is not None:
            device.applied = applied

    async def save_installations(
        self, device: Device, told: Sequence[tuple[int, int, str]], now: datetime
    ) -> None:
        """What became of versions of applications: (version, `rules.InstallState`, message). Raises Away, Overloaded."""
        latest = {version: (state, message) for version, state, message in told}
        futures = [
            self.installed.put(
                ((device.id, version), device.school, device.authority, version, state, message)
            )
            for version, (state, message) in latest.items()
        ]
        for one in futures:
            await one

    async def save_inventory(
        self,
        device: Device,
        *,
        base: str,
        digest: str,
        changed: Mapping[str, str],
        gone: Sequence[str],
        hardware: Mapping[str, Any],
        digest_of: Any,
        now: datetime,
    ) -> bool:
        """Keep the difference to what was told under `base`, or the whole where that is ''.

        False where what comes out has another digest than the device's: it must send everything anew. `digest_of`
        reckons it as the protocol does. Raises Away.
        """
        async with self._inventories, self._postgres.gateway() as connection:
            held = await connection.fetchrow(statement("inventory"), device.id)
            if base and (held is None or held["digest"] != base):
                return held is not None and held["digest"] == digest
            installed = {} if not base else dict(held["applications"])
            facts = {} if not base else dict(held["hardware"])
            for name in gone:
                installed.pop(name, None)
            installed.update(changed)
            facts.update(hardware)
            if len(installed) > MOST_INSTALLED or len(facts) > MOST_FACTS:
                return False
            if digest_of(installed, facts) != digest:
                return False
            await connection.execute(
                statement("save_inventory"), device.school, device.id, installed, facts, digest, now
            )
        return True

    async def save_log(self, device: Device, lines: Sequence[tuple[datetime, int, str, str]]) -> None:
        """Keep lines of the device's log: (time, level from 1 error to 5 verbose, package, message). Raises Away."""
        if not lines:
            return
        columns = [list(column) for column in zip(*lines, strict=True)]
        async with self._postgres.gateway() as connection:
            await connection.execute(statement("save_log_lines"), device.school, device.id, *columns)

    async def _write_seen(self, rows: list[_Seen]) -> None:
        now = clock.now()
        ids, batteries, charging = zip(*rows, strict=True)
        async with self._postgres.gateway() as connection:
            await connection.execute(
                statement("save_seen"), now, now.astimezone(UTC).date(), ids, batteries, charging
            )

    async def _write_told(self, rows: list[_Told]) -> None:
        now = clock.now()
        columns = list(zip(*rows, strict=True))
        today = now.astimezone(UTC).date()
        async with self._postgres.gateway() as connection:
            found = await connection.fetch(statement("save_status"), now, today, *columns)
            if len(found) < len(rows):
                await connection.execute(statement("make_statuses"), columns[0])
                await connection.fetch(statement("save_status"), now, today, *columns)

    async def _write_installed(self, rows: list[_Installed]) -> None:
        keys, schools, authorities, versions, states, messages = zip(*rows, strict=True)
        async with self._postgres.gateway() as connection:
            await connection.execute(
                statement("save_installations"), clock.now(), schools, authorities,
                [device for device, _version in keys], versions, states, messages,
            )  # fmt: skip


def _json(told: object) -> str | None:
    return None if told is None else msgspec.json.encode(told).decode()
