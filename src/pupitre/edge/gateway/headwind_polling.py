"""Telling devices with Headwind's agent that something changed: held requests, and the bells that they do not hear themselves."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from pupitre.devices.rules import Standing, Verb, schedules
from pupitre.devices.rules.headwind import verbs
from pupitre.devices.rules.headwind.verbs import Push
from pupitre.kernel import clock

from .fleet import Device, Fleet, State
from .headwind_keeping import Keeping
from .protocols import Gateway

#: Seconds that a request is held, as Headwind's own server does.
HELD: Final = 60.0
#: Rules are looked at so much ahead, and devices told so much before or after a bell: together they hear it in time.
AROUND: Final = timedelta(seconds=20)
#: After this process began it does not know what devices hold. It has each look once, within so long.
_LOOK_WITHIN: Final = 1800
_MOST: Final = 500_000


@dataclass(frozen=True, slots=True)
class Now:
    """What the rules of a state's week say at a moment.

    Attributes:
        stamp: the version of the state, and besides of these rules: what a device holds that has its configuration.
        changes_at: when other rules hold; None if never.
    """

    settings: dict[str, Any]
    stamp: str
    changes_at: datetime | None


class Hours:
    """Rules of the week for an agent that knows none, and what each device was told last."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._told: dict[int, str] = {}
        self._look_at: dict[int, float] = {}

    def of(self, state: State, now: datetime) -> Now:
        """What holds at the bell that is nearest ahead, or now."""
        ahead = now + AROUND
        found: Now | None = state.rendered.get("headwind hours")
        if found is None or (found.changes_at is not None and ahead >= found.changes_at):
            found = state.rendered["headwind hours"] = _at(state, ahead)
        return found

    def told(self, device: Device, stamp: str) -> None:
        """The device was given, or told to fetch, this configuration."""
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told[device.id] = stamp
        self._look_at.pop(device.id, None)

    def forget(self, device: Device) -> None:
        """The device holds nothing any more."""
        self._told.pop(device.id, None)

    def must_look(self, device: Device, stamp: str, now: datetime) -> bool:
        """Whether the device was not told of this configuration. Of one that this process never told anything: within a while."""
        told = self._told.get(device.id)
        if told is not None:
            return told != stamp
        if len(self._look_at) >= _MOST:
            self._look_at.clear()
        at = self._look_at.setdefault(device.id, now.timestamp() + random.uniform(0, _LOOK_WITHIN))  # noqa: S311
        return at <= now.timestamp()


class Polling:
    """Held requests."""

    def __init__(
        self, gateway: Gateway, keeping: Keeping, hours: Hours, page_of: Callable[[Device, int], str]
    ) -> None:
        self._gateway, self._fleet = gateway, gateway.fleet
        self._keeping, self._hours, self._page_of = keeping, hours, page_of

    async def wait(self, device: Device) -> list[Push]:
        """What there is to tell, as soon as there is something; nothing after a minute."""
        ends_at = asyncio.get_running_loop().time() + HELD
        woken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def wake(seconds: int) -> None:
            if not woken.done():
                woken.set_result(seconds)

        leave = self._gateway.waiting.join(device, wake)
        try:
            since = self._stamp(device, clock.now())
            found = await self.pending(device, clock.now())
            if found:
                return found
            left = ends_at - asyncio.get_running_loop().time()
            bell = self._until_bell(device, clock.now())
            try:
                spread = await asyncio.wait_for(woken, max(0.0, min(left, bell)))
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(random.uniform(0, max(0, spread - 1)))  # noqa: S311 - spreads load
        finally:
            leave()
        current = await self._fleet.by_id(device.id)
        return [] if current is None else await self.pending(current, clock.now(), since)

    def _stamp(self, device: Device, now: datetime) -> str:
        """Of the configuration that the device would be given."""
        if device.standing is not Standing.ENROLLED:
            return ""
        return self._hours.of(self._fleet.state_of(device, now), now).stamp

    async def pending(self, device: Device, now: datetime, since: str | None = None) -> list[Push]:
        """What the device is to be told at this moment, handed out; `since` is the stamp when it began to wait."""
        stamp = self._stamp(device, now)
        if not stamp:
            self._hours.told(device, "")
            return []
        found = []
        waits: list[tuple[int, Verb]] = []
        if device.id in self._fleet.with_commands:
            waits = await self._keeping.waits(device, now)
        is_configured = any(verbs.CARRIAGE[verb].way is not verbs.Way.MESSAGE for _id, verb in waits)
        has_changed = since is not None and since != stamp
        if is_configured or has_changed or self._hours.must_look(device, stamp, now):
            self._hours.told(device, stamp)
            found.append(Push(verbs.CONFIG_UPDATED))
        messages = [one for one, verb in waits if verb is Verb.MESSAGE]
        if messages:
            [first, *_] = messages
            await self._keeping.hand_out(device, first, now)
            found.append(verbs.page_push(self._page_of(device, first)))
        return verbs.batch(found)

    def _until_bell(self, device: Device, now: datetime) -> float:
        """Seconds until the device is to be told that other rules hold, spread around the bell."""
        state = self._fleet.state_of(device, now)
        at = self._hours.of(state, now).changes_at
        if at is None or device.standing is not Standing.ENROLLED:
            return HELD
        spread = AROUND.total_seconds()
        return (at - now).total_seconds() + random.uniform(-spread, spread)  # noqa: S311 - spreads load


def _at(state: State, instant: datetime) -> Now:
    schedule = state.desired.schedule
    holding = schedules.holding_at(schedule, instant, state.zone)
    stamp = state.version
    if holding.entries:
        told = "\n".join(str(one.get("id")) for one in holding.entries)
        stamp += "~" + blake2b(told.encode(), digest_size=4).hexdigest()
    return Now(holding.settings, stamp, schedules.next_change(schedule, instant, state.zone))
