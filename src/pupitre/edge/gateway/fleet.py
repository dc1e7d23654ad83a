"""The fleet in memory: what policies say, the catalogue, which devices have commands, and a bounded number of devices.

Everything here can be read anew from the database at any time; `listening.py` says when. What a device shall be is reckoned
once for all that shall be the same, and kept until something changes.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pupitre.devices.rules import Level, Platform, Protocol, RolloutState, Standing, applications, secrets
from pupitre.devices.rules.composing import NOTHING, Desired, Layer, compose, layer_of, version_of
from pupitre.kernel.postgres import Postgres
from pupitre.kernel.sealing import Unreadable

from .batches import Reader
from .statements import statement

#: States that are kept rendered, and layers of one device or school that say nothing.
_STATES: Final = 8192
_log: Final = logging.getLogger(__name__)


class Device:
    """What the gateway remembers of a device between two check-ins."""

    __slots__ = (
        "address", "applied", "authority", "epoch", "groups", "has_told", "holder", "id", "is_stale", "key", "number",
        "platform", "protocol", "school", "standing", "state",
    )  # fmt: skip

    def __init__(self, row: Any) -> None:
        self.id: int = row["id"]
        self.number: str = row["number"]
        self.school: int = row["school_id"]
        self.authority: int = row["authority_id"]
        self.groups: tuple[int, ...] = tuple(row["groups"])
        self.holder: int | None = row["holder_id"]
        self.platform = Platform(row["platform"])
        self.protocol = Protocol(row["protocol"])
        self.standing = Standing(row["standing"])
        self.key: bytes = bytes(row["public_key"] or b"")
        #: Something of it was changed in the database: it must be read anew before it is used.
        self.is_stale = False
        #: Whether this process has written all that the device says of itself; what it said then.
        self.has_told = False
        self.applied = ""
        self.address = ""
        self.state: State = _NO_STATE
        self.epoch = 0


class State:
    """What one or many devices shall be, and what protocols make of it.

    Attributes:
        version: names it; changes whenever the device should look again.
        rendered: what a protocol made of this state, by a key of the protocol's own. Emptied with the state.
    """

    __slots__ = ("desired", "rendered", "version", "wanted", "zone")

    def __init__(
        self, version: str, desired: Desired, wanted: tuple[applications.Wanted, ...], zone: str
    ) -> None:
        self.version, self.desired, self.wanted, self.zone = version, desired, wanted, zone
        self.rendered: dict[object, Any] = {}


_NO_STATE: Final = State(NOTHING, Desired(NOTHING, {}, ()), (), "UTC")


class Fleet:
    """The fleet as this process knows it.

    Args:
        most: devices that are remembered at once; the others are read when they come.
    """

    def __init__(self, postgres: Postgres, *, most: int = 100_000) -> None:
        self._postgres = postgres
        self._half = max(1, most // 2)
        self._new: dict[int, Device] = {}
        self._old: dict[int, Device] = {}
        self._numbers: dict[str, int] = {}
        #: Increased when anything changes by which a device's state is reckoned.
        self.epoch = 1
        self._states: dict[tuple[Any, ...], State] = {}
        self._desired: dict[tuple[str, Platform], Desired] = {}
        self._layers: dict[tuple[int, int], Layer] = {}
        self._revision = 0
        self._schools: dict[int, tuple[int, str]] = {}
        self._sizes: dict[int, int] = {}
        self._catalogue = applications.Catalogue()
        self._versions: dict[int, int] = {}
        self._catalogue_sum = ""
        self._has_running = False
        #: Ids of devices for which a command waits or is under way.
        self.with_commands: set[int] = set()
        #: Those of them that were notified while all are read: what is read may be older than that.
        self._fresh_commands: set[int] | None = None
        #: What was changed while devices are being read: what is read may be older than that.
        self._touched: set[int] = set()
        self._all_touched = False
        self._reading = 0
        #: One reads at a time: what was read first must not replace what was read last.
        self._loading = asyncio.Lock()
        self._by_id = Reader(self._read_ids)
        self._by_number = Reader(self._read_numbers)

    # Devices

    async def by_id(self, device_id: int) -> Device | None:
        """The device, from memory or the database. Raises Away."""
        found = self._new.get(device_id)
        if found is not None and not found.is_stale:
            return found
        return self._remembered(device_id) or await self._by_id.read(device_id)

    async def by_number(self, number: str) -> Device | None:
        """The device that calls itself so, from memory or the database. Raises Away."""
        known = self._numbers.get(number)
        if known is not None:
            found = self._remembered(known)
            if found is not None and found.number == number:
                return found
        return await self._by_number.read(number)

    def known(self, device_id: int) -> Device | None:
        """The device if it is in memory."""
        return self._new.get(device_id) or self._old.get(device_id)

    def forget(self, device_id: int) -> None:
        """Something of this device was changed."""
        if self._reading:
            self._touched.add(device_id)
        for kept in (self._new, self._old):
            found = kept.pop(device_id, None)
            if found is not None:
                found.is_stale = True
                self._numbers.pop(found.number, None)

    def forget_school(self, school_id: int) -> None:
        """Something of many devices of this school was changed."""
        self._all_touched = bool(self._reading)
        for kept in (self._new, self._old):
            for one in [one for one in kept.values() if one.school == school_id]:
                self.forget(one.id)

    def forget_all(self) -> None:
        """Nobody knows what was changed."""
        self._all_touched = bool(self._reading)
        for kept in (self._new, self._old):
            for one in kept.values():
                one.is_stale = True
        self._new, self._old = {}, {}
        self._numbers.clear()

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def _remembered(self, device_id: int) -> Device | None:
        found = self._new.get(device_id)
        if found is None and (found := self._old.pop(device_id, None)) is not None:
            self._remember(found)
        return found if found is not None and not found.is_stale else None

    def _remember(self, device: Device) -> None:
        """Keep it. The half of them that was not asked for longest is given up at once when room runs out."""
        if len(self._new) >= self._half:
            for gone in self._old.values():
                gone.is_stale = True
                self._numbers.pop(gone.number, None)
            self._old, self._new = self._new, {}
        self._new[device.id] = device
        self._numbers[device.number] = device.id

    async def _read_ids(self, ids: list[Any]) -> dict[Any, Device]:
        return {one.id: one for one in await self._read("devices_by_id", ids)}

    async def _read_numbers(self, numbers: list[Any]) -> dict[Any, Device]:
        return {one.number: one for one in await self._read("devices_by_number", numbers)}

    async def _read(self, name: str, keys: list[Any]) -> list[Device]:
        self._reading += 1
        try:
            async with self._postgres.gateway() as connection:
                rows = await connection.fetch(statement(name), keys)
            found = [Device(row) for row in rows]
            for one in found:
                if self._all_touched or one.id in self._touched:
                    one.is_stale = True
                else:
                    self._remember(one)
        finally:
            self._reading -= 1
            if not self._reading:
                self._touched.clear()
                self._all_touched = False
        return found

    # What a device shall be

    def state_of(self, device: Device, now: datetime) -> State:
        """What the device shall be. Costs nothing while nothing changed."""
        if device.epoch != self.epoch:
            device.state, device.epoch = self._reckon(device, now), self.epoch
        return device.state

    def layers_of(self, device: Device) -> list[Layer]:
        """What is said to the device's chain, of those who say anything."""
        layers = self._layers
        chain = [(Level.AUTHORITY, device.authority), (Level.SCHOOL, device.school)]
        chain += [(Level.GROUP, group) for group in device.groups]
        if device.holder is not None:
            chain.append((Level.PERSON, device.holder))
        chain.append((Level.DEVICE, device.id))
        # The database lets a school write rows of its own for any whom: another's devices do not obey them.
        own = (None, device.school)
        return [found for key in chain if (found := layers.get(key)) is not None and found.school in own]

    def place_of(self, device: Device, cache: str = "") -> applications.Place:
        """Where the device stands, for the catalogue."""
        return applications.Place(
            device.number, device.school, device.platform, self._sizes.get(device.school, 0), cache
        )

    def _reckon(self, device: Device, now: datetime) -> State:
        desired = self.desired_of(device)
        place = self.place_of(device, str(desired.settings.get("site_cache", "")))
        stamp = self._catalogue.stamp(device.authority, place, now)
        key = (desired.version, device.platform, device.school, stamp)
        found = self._states.get(key)
        if found is None:
            if len(self._states) >= _STATES:
                self._states.clear()
            found = self._states[key] = self._make(device, desired, place, now)
        return found

    def desired_of(self, device: Device) -> Desired:
        """What policies make of the device, with the reason for every word of it."""
        layers = self.layers_of(device)
        key = (version_of(layers), device.platform)
        found = self._desired.get(key)
        if found is None:
            if len(self._desired) >= _STATES:
                self._desired.clear()
            found = self._desired[key] = compose(layers, device.platform)
        return found

    def _make(self, device: Device, desired: Desired, place: applications.Place, now: datetime) -> State:
        entries = desired.settings.get("applications", ())
        wanted = applications.wanted(entries, self._catalogue, device.authority, place, now)
        return State(versioned(desired.version, wanted), desired, tuple(wanted), self.zone_of(device.school))

    def settings_of(self, state: State) -> dict[str, Any]:
        """The settings with their secrets open, for the device itself; without those that nobody can open any more."""
        found: dict[str, Any] = {}
        for key, value in state.desired.settings.items():
            try:
                found.update(secrets.opened({key: value}))
            except Unreadable:
                _log.error("The setting %s cannot be opened: was the installation's secret changed?", key)
        return found

    @property
    def zones(self) -> frozenset[str]:
        """The time zones of all schools."""
        return frozenset(zone for _authority, zone in self._schools.values())

    def layers_with_schedules(self) -> list[Layer]:
        """Everything that is said to anybody with rules of the week."""
        return [one for one in self._layers.values() if one.schedule]

    @property
    def authorities(self) -> frozenset[int]:
        """All that have a school."""
        return frozenset(authority for authority, _zone in self._schools.values())

    def packages_of(self, authority: int, platform: Platform) -> frozenset[str]:
        """The packages that an authority's catalogue and its schools' know."""
        return frozenset(
            one.package
            for one in self._catalogue.applications
            if one.authority == authority and one.platform is platform
        )

    def newest(
        self, authority: int, school: int, platform: Platform, package: str
    ) -> applications.Version | None:
        """The newest version of the catalogue's application that can be fetched and whose hash is known."""
        app = self._catalogue.find(authority, school, platform, package)
        usable = [
            one
            for one in (app.versions if app else ())
            if one.sha256 and (one.url or one.file_key) and not one.is_withdrawn
        ]
        return max(usable, key=lambda one: (one.code, one.id), default=None)

    def zone_of(self, school_id: int) -> str:
        """The school's IANA time zone."""
        return self._schools.get(school_id, (0, "UTC"))[1]

    def tick(self) -> None:
        """The clock moved on: states that depend on it are reckoned anew."""
        if self._has_running:
            self.epoch += 1

    def forget_rendered(self) -> None:
        """What was rendered is too old to be handed out."""
        self._states.clear()
        self.epoch += 1

    # What is read from the database

    async def load(self) -> None:
        """Read everything. Raises Away."""
        async with self._loading, self._postgres.gateway() as connection:
            await self._load_targets(connection, 0)
            await self._load_catalogue(connection)
        await self.load_commands()

    def expect_command(self, device_id: int) -> None:
        """A command waits for this device."""
        self.with_commands.add(device_id)
        if self._fresh_commands is not None:
            self._fresh_commands.add(device_id)

    def knows_version(self, version_id: int, authority_id: int) -> bool:
        """Whether this is a version of an application in that authority's catalogue, or a school's of it."""
        return self._versions.get(version_id) == authority_id

    async def load_targets(self) -> set[tuple[int, int]]:
        """Read what policies say anew; returns whom it concerns: (level, whom). Raises Away."""
        async with self._loading, self._postgres.gateway() as connection:
            return await self._load_targets(connection, self._revision)

    async def load_catalogue(self) -> None:
        """Read schools, applications and rollouts anew where they changed. Raises Away."""
        async with self._loading, self._postgres.gateway() as connection:
            await self._load_catalogue(connection)

    async def load_commands(self, school_id: int | None = None) -> set[int]:
        """Read which devices have commands; returns those that had none. Raises Away."""
        async with self._loading:
            return await self._load_commands(school_id)

    async def _load_commands(self, school_id: int | None) -> set[int]:
        self._fresh_commands = set()
        try:
            async with self._postgres.gateway() as connection:
                if school_id is None:
                    rows = await connection.fetch(statement("active_commands"))
                else:
                    rows = await connection.fetch(statement("active_commands_of_school"), school_id)
            found = {row["device_id"] for row in rows} | self._fresh_commands
        finally:
            self._fresh_commands = None
        fresh = found - self.with_commands
        self.with_commands = found if school_id is None else self.with_commands | found
        return fresh

    async def _load_targets(self, connection: Any, since: int) -> set[tuple[int, int]]:
        layers = dict(self._layers) if since else {}
        for row in await connection.fetch(statement("targets_since"), since):
            layers[(row["level"], row["whom"])] = layer_of(row)
        held = await connection.fetchrow(statement("targets_sum"))
        if since and _differs(layers, held):
            # Something was deleted, or became visible after what has a higher revision.
            return await self._load_targets(connection, 0)
        before, self._layers = self._layers, layers
        self._revision = max((one.revision for one in layers.values()), default=0)
        changed = {
            key
            for key in before.keys() | layers.keys()
            if before.get(key) is None
            or layers.get(key) is None
            or before[key].revision != layers[key].revision
        }
        if changed:
            self.epoch += 1
        return changed

    async def _load_catalogue(self, connection: Any) -> None:
        self._schools = {
            row["id"]: (row["authority_id"], row["time_zone"])
            for row in await connection.fetch(statement("schools"))
        }
        total = await connection.fetchval(statement("catalogue_sum"))
        if total == self._catalogue_sum:
            return
        rows = [
            await connection.fetch(statement(name))
            for name in ("applications", "application_versions", "rollouts", "waves")
        ]
        self._catalogue = applications.catalogue_of(*rows)
        self._versions = {
            version.id: one.authority for one in self._catalogue.applications for version in one.versions
        }
        self._has_running = any(r["state"] in _RUNNING for r in rows[2])
        if any(r["site_budget"] and r["state"] in _RUNNING for r in rows[2]):
            sizes = await connection.fetch(statement("sizes_of_schools"))
            self._sizes = {row["school_id"]: row["number"] for row in sizes}
        self._catalogue_sum = total
        self.forget_rendered()


_RUNNING: Final = frozenset({RolloutState.RUNNING.value})


def versioned(version: str, wanted: Iterable[applications.Wanted]) -> str:
    """The version of a state whose chain has this one: with a mark of the applications, where there are any.

    What comes before the mark is `composing.version_of` of the chain, which is what a device's status keeps.
    """
    from hashlib import blake2b

    told = ";".join(
        f"{one.package} {one.action} {one.version_id} {one.version} {one.pinned:d}{one.keeps_newer:d}"
        for one in wanted
    )
    return f"{version}~{blake2b(told.encode(), digest_size=4).hexdigest()}" if told else version


def concerned(device: Device, whom: set[tuple[int, int]]) -> bool:
    """Whether something that was said to these concerns the device."""
    return (
        (Level.AUTHORITY, device.authority) in whom
        or (Level.SCHOOL, device.school) in whom
        or (Level.DEVICE, device.id) in whom
        or (Level.PERSON, device.holder) in whom
        or any((Level.GROUP, group) in whom for group in device.groups)
    )


def _differs(layers: dict[tuple[int, int], Layer], held: Any) -> bool:
    return len(layers) != held["number"] or sum(one.revision for one in layers.values()) != int(held["total"])
