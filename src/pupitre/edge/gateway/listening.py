"""Keeping the fleet in memory true: what the database notifies, and what heals it where a notification was lost.

Every change is notified on one channel. A connection that looks alive and is not is found out by an echo: this process
notifies itself through the pool and expects to hear it. Whenever the channel was lost everything is read anew.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import uuid4

from pupitre.kernel import clock
from pupitre.kernel.errors import Away
from pupitre.kernel.postgres import Postgres

from .fleet import Fleet, concerned
from .waiting import Waiting

CHANNEL: Final = "pupitre_fleet"
#: Seconds between two echoes, and that one may take.
_ECHO_EVERY, _ECHO_WITHIN = 20.0, 10.0
#: Echoes between two looks whether what is in memory is what is in the tables.
_LOOK_EVERY: Final = 3
_COMMANDS_EVERY: Final = 15
_log: Final = logging.getLogger(__name__)


class Listening:
    """Follows what changes, until it is stopped."""

    def __init__(self, postgres: Postgres, fleet: Fleet, waiting: Waiting) -> None:
        self._postgres, self._fleet, self._waiting = postgres, fleet, waiting
        self._name = uuid4().hex
        self._heard = asyncio.Event()
        self._lost = asyncio.Event()
        self._work: set[str] = set()
        self._woken = asyncio.Event()
        self._week = 0
        #: Whether the fleet was read and is followed.
        self.is_current = False

    async def run(self) -> None:
        """Follow; connect anew, and read everything anew, as often as it takes."""
        pause = 0.1
        while True:
            try:
                await self._follow()
                pause = 0.1
            except Away:
                pass
            except Exception:  # noqa: BLE001 - a gateway that follows nothing any more would not be noticed
                _log.exception("Following the fleet failed; it begins anew.")
            self.is_current = False
            self._fleet.forget_all()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _follow(self) -> None:
        self._lost.clear()
        self._work.clear()
        async with self._postgres.listening(CHANNEL, self.hear, self._lost.set):
            self._fleet.forget_all()
            await self._fleet.load()
            self.is_current = True
            tasks = [
                asyncio.create_task(one) for one in (self._lost.wait(), self._carry_out(), self._keep_true())
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
            finally:
                for one in tasks:
                    one.cancel()
                for one in tasks:
                    with suppress(asyncio.CancelledError, Away):
                        await one

    def hear(self, said: str) -> None:
        """One notification: what can be done at once is; what needs the database is done in turn."""
        word, _, what = said.partition(" ")
        if word == "device" and what.isdigit():
            self._fleet.forget(int(what))
            self._waiting.wake([int(what)])
        elif word == "school" and what.isdigit():
            self._fleet.forget_school(int(what))
            self._waiting.wake_where(lambda device: device.school == int(what))
        elif word == "command" and what.isdigit():
            self._fleet.expect_command(int(what))
            self._waiting.wake([int(what)])
        elif word == "echo":
            if what == self._name:
                self._heard.set()
        else:
            self._work.add(said)
            self._woken.set()

    async def _carry_out(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            work, self._work = self._work, set()
            for said in work:
                await self._carry(said)

    async def _carry(self, said: str) -> None:
        word, _, what = said.partition(" ")
        if word == "targets":
            await self.load_targets()
        elif word == "applications":
            await self._fleet.load_catalogue()
        elif word == "commands" and what.isdigit():
            self._waiting.wake(await self._fleet.load_commands(int(what)))

    async def load_targets(self) -> None:
        """Read what policies say, and wake whom it concerns."""
        changed = await self._fleet.load_targets()
        if changed:
            self._waiting.wake_where(
                lambda device: concerned(self._fleet.known(device.id) or device, changed)
            )

    async def _keep_true(self) -> None:
        rounds = 0
        while True:
            await asyncio.sleep(_ECHO_EVERY)
            await self._echo()
            rounds += 1
            if rounds % _LOOK_EVERY == 0:
                await self.load_targets()
                await self._fleet.load_catalogue()
                self._turn(clock.now())
            if rounds % _COMMANDS_EVERY == 0:
                self._waiting.wake(await self._fleet.load_commands())

    async def _echo(self) -> None:
        """Raises Away where the channel carries nothing any more."""
        self._heard.clear()
        async with self._postgres.gateway() as connection:
            await connection.execute(f"NOTIFY {CHANNEL}, 'echo {self._name}'")
        try:
            await asyncio.wait_for(self._heard.wait(), _ECHO_WITHIN)
        except TimeoutError:
            raise Away from None

    def _turn(self, now: datetime) -> None:
        """The clock moved on. Addresses of files hold for weeks, and are made anew each week."""
        self._fleet.tick()
        week = int(now.timestamp()) // (7 * 86400)
        if self._week and week != self._week:
            self._fleet.forget_rendered()
        self._week = week
