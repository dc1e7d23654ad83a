"""What is kept of devices with Headwind's agent, and read again: they keep no list of commands, and forget nothing by themselves."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec

from pupitre.devices.rules import InstallState, Verb
from pupitre.devices.rules.fleet import plain_serial
from pupitre.devices.rules.headwind.configuration import Remembered
from pupitre.devices.rules.headwind.reading import Reported
from pupitre.devices.rules.headwind.verbs import Order
from pupitre.kernel import clock
from pupitre.kernel.postgres import Connection, Postgres, narrow

from .batches import Batches, Reader
from .commands import AGAIN_AFTER
from .fleet import Device
from .statements import statement

#: device, school, applications, hardware, digest, model, authority, versions that it has of those it shall have
_Inventory = tuple[int, int, str, str, str, str, int, tuple[int, ...]]
#: Devices of which it is remembered what they said last; all are forgotten at once when there are more.
_MOST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Alias:
    """A device that was found by another name than its own."""

    id: int
    number: str
    school: int
    standing: int
    protocol: int
    serial: str


class Keeping:
    """The protocol's statements."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._inventories: Batches[_Inventory] = Batches(self._write, most=500)
        self._known = Reader(self._read_known)
        self._said: dict[int, bytes] = {}

    async def alias(self, authorities: Iterable[int], told: str) -> Alias | None:
        """The one device of this serial number or IMEI. Raises Away."""
        async with self._postgres.gateway() as connection:
            rows = await connection.fetch(
                statement("headwind_alias"), list(authorities), plain_serial(told), told
            )
        if len(rows) != 1:
            return None
        return Alias(
            *(rows[0][name] for name in ("id", "number", "school_id", "standing", "protocol", "serial"))
        )

    async def remembered(self, device: Device) -> tuple[Remembered, str, Order | None]:
        """What the device reported and what was ever locked on it, a digest of both, and the lock that holds. Raises Away."""
        found = await self._known.read((device.school, device.id))
        assert found is not None
        return found

    async def _read_known(
        self, keys: list[tuple[int, int]]
    ) -> dict[tuple[int, int], tuple[Remembered, str, Order | None]]:
        schools, devices = zip(*keys, strict=True)
        async with self._postgres.gateway() as connection:
            rows = await connection.fetch(statement("headwind_known"), schools, devices, clock.now())
        return {(row["school_id"], row["device_id"]): _known(row) for row in rows}

    async def due(self, device: Device, verbs: Iterable[Verb], now: datetime) -> list[Order]:
        """The commands of these verbs that are due, marked as handed out. Raises Away."""
        async with self._postgres.gateway() as connection:
            rows = await connection.fetch(
                statement("headwind_due"),
                device.school,
                device.id,
                now,
                now - AGAIN_AFTER,
                [int(one) for one in verbs],
            )
        return _orders(rows)

    async def waits(self, device: Device, now: datetime) -> list[tuple[int, Verb]]:
        """The commands that are due and were not handed out within the last minute. Raises Away."""
        async with self._postgres.gateway() as connection:
            rows = await connection.fetch(
                statement("headwind_waits"), device.school, device.id, now, now - AGAIN_AFTER
            )
        return [(row["id"], Verb(row["verb"])) for row in rows]

    async def hand_out(self, device: Device, command: int, now: datetime) -> None:
        """Mark the command as handed out. Raises Away."""
        async with self._postgres.gateway() as connection:
            await connection.execute(statement("headwind_hand_out"), device.school, device.id, command, now)

    async def sent(self, device: Device) -> list[Order]:
        """The commands that were handed out and not proved. Raises Away."""
        async with self._postgres.gateway() as connection:
            rows = await connection.fetch(statement("headwind_sent"), device.school, device.id)
        return _orders(rows)

    async def message(self, school: int, device: int, command: int) -> str | None:
        """The text of that message. Raises Away."""
        async with self._postgres.gateway() as connection:
            row = await connection.fetchrow(statement("headwind_message"), school, device, command)
        return None if row is None else str(row["arguments"].get("text", ""))

    async def keep_locked(self, device: Device, packages: Collection[str], now: datetime) -> None:
        """Remember that these were locked on the device. Raises Away."""
        async with self._postgres.gateway() as connection:
            await connection.execute(
                statement("headwind_locked"), device.school, device.id, sorted(packages), now
            )

    def says_something_new(self, device: Device, report: Reported, version: str) -> bool:
        """Whether the device says anything else than what this process kept of it last."""
        told = _digest(
            report.applications, report.files, report.stamp, report.os_version, report.agent_version,
            report.permissions, report.is_owner, version,
        )  # fmt: skip
        if self._said.get(device.id) == told:
            return False
        if len(self._said) >= _MOST:
            self._said.clear()
        self._said[device.id] = told
        return True

    def forget(self, device: Device) -> None:
        """What the device said last was not kept."""
        self._said.pop(device.id, None)

    async def keep_inventory(self, device: Device, report: Reported, versions: Iterable[int]) -> None:
        """What is installed, which of our files it has, and which versions of those that it shall have. Raises Away, Overloaded."""
        has = tuple(sorted(set(versions)))
        facts = {
            "headwind_files": {path: list(held) for path, held in report.files.items()},
            "headwind_versions": has,
            "cpu": report.cpu,
        }
        digest = _digest(report.applications, facts).hex()
        await self._inventories.put(
            (
                device.id, device.school, _json(report.applications), _json(facts), digest, report.model,
                device.authority, has,
            )
        )  # fmt: skip

    async def _write(self, rows: list[_Inventory]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        devices, schools, *texts = columns[:5]
        async with self._postgres.gateway() as connection:
            kept = await connection.fetch(
                statement("headwind_inventories"), clock.now(), schools, devices, *texts
            )
            # Of what was kept already everything that follows was, too: not anew for each process that begins.
            changed = {row["device_id"] for row in kept}
            await self._write_rest(connection, [row for row in rows if row[0] in changed])

    async def _write_rest(self, connection: Connection, rows: list[_Inventory]) -> None:
        installed = [(row[1], row[6], row[0], version) for row in rows for version in row[7]]
        if installed:
            states, messages = [int(InstallState.INSTALLED)] * len(installed), [""] * len(installed)
            columns = [list(column) for column in zip(*installed, strict=True)]
            await connection.execute(statement("save_installations"), clock.now(), *columns, states, messages)
        models: dict[int, dict[int, str]] = {}
        for row in rows:
            if row[5]:
                models.setdefault(row[1], {})[row[0]] = row[5]
        for school, named in sorted(models.items()):
            # What changes of a device is kept in its school's history.
            await narrow(connection, school)
            await connection.execute(statement("headwind_models"), school, list(named), list(named.values()))


def _orders(rows: Iterable[Any]) -> list[Order]:
    return sorted(
        (Order(row["id"], Verb(row["verb"]), row["arguments"]) for row in rows), key=lambda one: one.id
    )


def _known(row: Any) -> tuple[Remembered, str, Order | None]:
    remembered = _remembered(row["applications"], row["hardware"])
    lock = None
    if row["lock_id"] is not None:
        lock = Order(row["lock_id"], Verb(row["lock_verb"]), row["lock_arguments"])
    return remembered, f"{row['digest']} {' '.join(sorted(remembered.ever_locked))}", lock


def _remembered(applications: Any, hardware: Any) -> Remembered:
    files = hardware.get("headwind_files") or {}
    return Remembered(
        applications,
        {path: (str(held[0]), int(held[1])) for path, held in files.items()},
        frozenset(hardware.get("headwind_locked") or ()),
    )


def _json(told: Any) -> str:
    return msgspec.json.encode(told).decode()


def _digest(*told: Any) -> bytes:
    return blake2b(msgspec.json.encode(told, order="sorted"), digest_size=16).digest()
