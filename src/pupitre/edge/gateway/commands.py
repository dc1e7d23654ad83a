"""Handing out commands and taking their results, for all protocols. What a command may be was decided where it was made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from pupitre.devices.rules import CommandState, Verb
from pupitre.kernel import clock
from pupitre.kernel.postgres import Postgres

from .batches import Batches
from .fleet import Device, Fleet
from .statements import statement

#: A command that a device did not answer is handed out again after so long.
AGAIN_AFTER: Final = timedelta(minutes=1)
#: Commands handed out at once.
_AT_ONCE: Final = 10
#: (device, command), school, state, result
_Answered = tuple[tuple[int, int], int, int, str]


@dataclass(frozen=True, slots=True)
class Told:
    """A command as it is handed to a device. A script's text stands in its arguments."""

    id: int
    verb: Verb
    arguments: dict[str, Any]
    expires_at: datetime
    attempts: int


class Commands:
    """The commands of all devices; only those that wait are ever looked at."""

    def __init__(self, postgres: Postgres, fleet: Fleet) -> None:
        self._postgres, self._fleet = postgres, fleet
        self._answers: Batches[_Answered] = Batches(self._write)

    async def next_for(self, device: Device, now: datetime, *, at_once: int = _AT_ONCE) -> list[Told]:
        """Hand out what waits for the device, oldest first. Costs nothing where nothing does. Raises Away."""
        if device.id not in self._fleet.with_commands:
            return []
        async with self._postgres.gateway() as connection:
            rows = await connection.fetch(
                statement("hand_out_commands"), device.school, device.id, now, now - AGAIN_AFTER, at_once
            )
            found = [await _told(connection, device, row) for row in sorted(rows, key=lambda row: row["id"])]
            if not rows:
                await self._look_whether_done(connection, device, now)
        return [one for one in found if one is not None]

    async def save_results(self, device: Device, results: Sequence[tuple[int, bool, dict[str, Any]]]) -> None:
        """Keep what the device answered: (command, whether it succeeded, facts). Of other devices' commands nothing. Raises Away."""
        answers = {command: (succeeded, facts) for command, succeeded, facts in results}
        kept = []
        for command, (succeeded, facts) in answers.items():
            state = CommandState.DONE if succeeded else CommandState.FAILED
            told = msgspec.json.encode(facts).decode()
            kept.append(self._answers.put(((device.id, command), device.school, int(state), told)))
        for one in kept:
            await one

    async def _write(self, rows: list[_Answered]) -> None:
        keys, schools, states, results = zip(*rows, strict=True)
        devices, commands = zip(*keys, strict=True)
        async with self._postgres.gateway() as connection:
            await connection.fetch(
                statement("save_results"), clock.now(), schools, devices, commands, states, results
            )

    async def _look_whether_done(self, connection: Any, device: Device, now: datetime) -> None:
        # Given up first: what is notified while the database is asked adds it again.
        self._fleet.with_commands.discard(device.id)
        if await connection.fetchval(statement("has_active_commands"), device.school, device.id, now):
            self._fleet.with_commands.add(device.id)


async def _told(connection: Any, device: Device, row: Any) -> Told | None:
    arguments = dict(row["arguments"])
    verb = Verb(row["verb"])
    if verb is Verb.RUN_SCRIPT:
        script = await connection.fetchrow(
            statement("script"), int(arguments.get("script", 0)), device.authority, device.school
        )
        if script is None:
            return None
        arguments["text"] = script["text"]
    return Told(row["id"], verb, arguments, row["expires_at"], row["attempts"])
