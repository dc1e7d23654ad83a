"""Letting devices in, for all protocols: by a ticket, once each, and not too many at a time."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from pupitre.devices.rules import Platform, Protocol, Standing, UnknownTicket
from pupitre.devices.rules.events import EventKind
from pupitre.kernel.errors import Busy, Conflict, Refused, TooMany
from pupitre.kernel.postgres import Postgres, narrow
from pupitre.kernel.text import fold
from pupitre.kernel.tokens import digest, plain_code

from .fleet import Fleet
from .statements import statement

#: Enrolments that are worked on at once, and that may wait besides.
_AT_ONCE: Final = 4
_WAITING: Final = 200
#: Wrong codes that an address may try in a minute; a school's devices share one.
_WRONG_CODES: Final = 60
_MOST_ADDRESSES: Final = 10_000
_log: Final = logging.getLogger(__name__)


class TooManyEnrol(Busy):
    """Very many devices enrol at this moment. Come again after the pause that is named."""


class WrongCodes(TooMany):
    """Too many wrong enrolment codes came from this address. Wait a minute."""

    retry_after = 60


class IsTaken(Conflict):
    """A device of this serial number is enrolled with another key. The school can allow it to enrol again."""

    kind = "taken"


class OtherPlatform(Refused):
    """This enrolment code is for another kind of device."""


class ElsewhereEnrolled(Conflict):
    """This key belongs to a device of another school. Make a new key and enrol again."""

    kind = "elsewhere"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A device that asks to be let in; `number` is what it will be called. Whom only its word says who it is comes into no
    school but the one on whose list it stands, `listed_in`, if it does.
    """

    number: str
    platform: Platform
    protocol: Protocol
    public_key: bytes | None = None
    serial: str = ""
    imei: str = ""
    name: str = ""
    maker: str = ""
    model: str = ""
    os_version: str = ""
    agent_version: str = ""
    address: str = ""
    listed_in: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """An enrolment ticket that holds."""

    id: int
    school: int
    authority: int
    platform: int | None
    class_id: int | None
    admits_unknown: bool


class Enrolling:
    """Letting devices in."""

    def __init__(self, postgres: Postgres, fleet: Fleet) -> None:
        self._postgres, self._fleet = postgres, fleet
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._wrong: dict[str, int] = {}
        self._wrong_minute = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, if not too many do. Raises TooManyEnrol with a moment to come again."""
        if self._waiting >= _WAITING:
            error = TooManyEnrol()
            error.retry_after = random.randint(5, 60)  # noqa: S311 - spreads load
            raise error
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    async def enrol(self, newcomer: Newcomer, code: str, now: datetime) -> Standing:
        """Let the device in by the code of a ticket; returns where it stands then.

        Who is expected by its serial number in the ticket's school comes in; who is not waits, unless the ticket admits
        it. The same key again changes nothing. Raises UnknownTicket, OtherPlatform, IsTaken, TooManyEnrol, WrongCodes, Away.
        """
        self._guard(newcomer.address, now)
        async with self.turn():
            try:
                return await self._enrol(newcomer, code, now)
            except UnknownTicket:
                self._wrong[newcomer.address] = self._wrong.get(newcomer.address, 0) + 1
                raise
            except asyncpg.UniqueViolationError:
                # The same device asked twice at once: the other one was let in meanwhile.
                return await self._enrol(newcomer, code, now)

    async def _enrol(self, newcomer: Newcomer, code: str, now: datetime) -> Standing:
        async with self._postgres.gateway() as connection:
            known = await connection.fetchrow(statement("device_of_number"), newcomer.number)
            if known is not None and _comes_again(known, newcomer):
                return Standing(known["standing"])
            ticket = await self.ticket(connection, code, now)
            _judge(ticket, newcomer, known)
            await narrow(connection, ticket.school)
            standing, device_id = await self._admit(connection, newcomer, ticket, known, now)
            if await connection.fetchval(statement("use_ticket"), ticket.id, now) is None:
                raise UnknownTicket
        if device_id is not None:
            self._fleet.forget(device_id)
        return standing

    async def leads_elsewhere(self, codes: Iterable[str], school: int, now: datetime) -> bool:
        """Whether one of these codes is of a ticket of another school, that holds. Raises TooManyEnrol, Away."""
        async with self.turn(), self._postgres.gateway() as connection:
            for code in codes:
                with suppress(UnknownTicket):
                    if (await self.ticket(connection, code, now)).school != school:
                        return True
        return False

    async def ticket(self, connection: Any, code: str, now: datetime) -> Ticket:
        """The ticket of this code, as it was typed. Raises UnknownTicket where there is none that holds."""
        for told in dict.fromkeys((code, plain_code(code))):
            found = await connection.fetchrow(statement("ticket"), digest(told), now)
            if found is not None and found["is_valid"]:
                return Ticket(
                    found["id"], found["school_id"], found["authority_id"], found["platform"], found["class_id"],
                    found["admits_unknown"],
                )  # fmt: skip
        raise UnknownTicket

    async def _admit(
        self, connection: Any, newcomer: Newcomer, ticket: Ticket, known: Any, now: datetime
    ) -> tuple[Standing, int | None]:
        listed = known or await connection.fetchrow(
            statement("device_of_serial"), ticket.school, newcomer.serial
        )
        if listed is None:
            standing = Standing.ENROLLED if ticket.admits_unknown else Standing.WAITING
            await self._insert(connection, newcomer, ticket, standing, now)
            return standing, None
        before = Standing(listed["standing"])
        if before is Standing.ENROLLED and known is None:
            raise IsTaken
        is_expected = before is Standing.EXPECTED or ticket.admits_unknown
        standing = Standing.ENROLLED if is_expected else Standing.WAITING
        await connection.fetchval(
            statement("enrol_known"), ticket.school, listed["id"], newcomer.number, int(newcomer.platform),
            int(newcomer.protocol), newcomer.maker, newcomer.model, newcomer.name, int(standing), ticket.class_id,
            newcomer.public_key, ticket.id, now, newcomer.address, newcomer.os_version, newcomer.agent_version,
            *_event(newcomer, standing),
        )  # fmt: skip
        return standing, listed["id"]

    async def _insert(
        self, connection: Any, newcomer: Newcomer, ticket: Ticket, standing: Standing, now: datetime
    ) -> None:
        searched = f"{newcomer.serial} {newcomer.name} {newcomer.number} {newcomer.model}"
        await connection.fetchval(
            statement("enrol_new"), ticket.school, ticket.authority, newcomer.number, newcomer.serial, newcomer.imei,
            newcomer.name, int(newcomer.platform), int(newcomer.protocol), newcomer.maker, newcomer.model, int(standing),
            ticket.class_id, newcomer.public_key, ticket.id, now, fold(searched), newcomer.address, newcomer.os_version,
            newcomer.agent_version, *_event(newcomer, standing),
        )  # fmt: skip

    def _guard(self, address: str, now: datetime) -> None:
        minute = int(now.timestamp() // 60)
        if minute != self._wrong_minute or len(self._wrong) > _MOST_ADDRESSES:
            self._wrong, self._wrong_minute = {}, minute
        if self._wrong.get(address, 0) >= _WRONG_CODES:
            raise WrongCodes


def _comes_again(known: Any, newcomer: Newcomer) -> bool:
    """Whether a device asks that has been let in already: its answer was lost."""
    is_same = newcomer.public_key is not None and bytes(known["public_key"] or b"") == newcomer.public_key
    return is_same and known["standing"] in {Standing.WAITING, Standing.ENROLLED}


def _judge(ticket: Ticket, newcomer: Newcomer, known: Any) -> None:
    if ticket.platform is not None and ticket.platform != newcomer.platform:
        raise OtherPlatform
    if known is not None and known["school_id"] != ticket.school:
        raise ElsewhereEnrolled
    if newcomer.listed_in not in (None, ticket.school):
        raise ElsewhereEnrolled
    # Some protocols let a device say its own number: who has no key of it is not the device.
    if known is not None and _has_another_key(known, newcomer):
        raise IsTaken


def _has_another_key(known: Any, newcomer: Newcomer) -> bool:
    held = bytes(known["public_key"] or b"")
    is_in_use = known["standing"] in {Standing.WAITING, Standing.ENROLLED}
    return is_in_use and bool(held) and held != newcomer.public_key


def _event(newcomer: Newcomer, standing: Standing) -> tuple[str, dict[str, str]]:
    kind = EventKind.ENROLLED if standing is Standing.ENROLLED else EventKind.WAITING
    return kind.value, {"by": newcomer.protocol.name.lower()}
