"""Writing what many requests report in one statement, and answering each of them when that is safe.

What comes while a batch is being written makes the next one. Alone, a row is written at once; where many come, the next
batch waits a moment for company, because a statement costs the same for ten rows and for a hundred.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

from pupitre.kernel.errors import Away, Busy

#: From so many rows on a batch was one of many, and the next waits for so many seconds.
_MANY: Final = 24
_FOR_COMPANY: Final = 0.03
#: Keys that one statement reads.
_MOST_KEYS: Final = 500
Row = TypeVar("Row", bound=tuple[Hashable, ...])
Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")
_log: Final = logging.getLogger(__name__)


class Overloaded(Busy):
    """Very many devices report at this moment. Come again after the pause that is named."""


class Batches(Generic[Row]):
    """A queue of rows before one statement.

    Args:
        write: writes rows durably. They are sorted by their first member, the device, which is in them once.
        most: rows a statement.
        waiting: rows that may wait; more are refused with a moment at which to come again.
    """

    def __init__(
        self, write: Callable[[list[Row]], Awaitable[None]], *, most: int = 1000, waiting: int = 10_000
    ) -> None:
        self._write, self._most, self._waiting = write, most, waiting
        self._queue: deque[tuple[Row, asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None
        #: Statements and rows written, for whoever wonders.
        self.statements = self.rows = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, row: Row) -> "asyncio.Future[None]":
        """Have the row written; the future is done when it is durable, or carries why it is not. Raises Overloaded."""
        if len(self._queue) >= self._waiting:
            raise overloaded(len(self._queue))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((row, done))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return done

    async def finish(self) -> None:
        """Wait until all that is queued is written."""
        while self._task is not None:
            await self._task

    async def _work(self) -> None:
        try:
            while self._queue:
                batch = self._next()
                await self._write_batch(batch)
                if _MANY <= len(batch) < self._most:
                    await asyncio.sleep(_FOR_COMPANY)
        finally:
            self._task = None

    def _next(self) -> list[tuple[Row, "asyncio.Future[None]"]]:
        """The next batch: no device twice, because one statement would keep any of the two."""
        chosen: dict[Hashable, tuple[Row, asyncio.Future[None]]] = {}
        later = []
        while self._queue and len(chosen) < self._most:
            item = self._queue.popleft()
            if item[0][0] in chosen:
                later.append(item)
            else:
                chosen[item[0][0]] = item
        self._queue.extendleft(reversed(later))
        return [chosen[key] for key in sorted(chosen)]  # type: ignore[type-var]

    async def _write_batch(self, batch: list[tuple[Row, "asyncio.Future[None]"]]) -> None:
        try:
            await self._write([row for row, _done in batch])
        except Away as error:
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - one row that cannot be written must not cost the others theirs
            if len(batch) == 1:
                _log.warning("The row of device %s cannot be written: %s", batch[0][0][0], error)
                _fail(batch, error)
            else:
                for item in batch:
                    await self._write_batch([item])
        else:
            self.statements += 1
            self.rows += len(batch)
            for _row, done in batch:
                if not done.done():
                    done.set_result(None)


def overloaded(waiting: int) -> Overloaded:
    """The refusal, with a moment to come again that is later, and more spread, the more wait."""
    error = Overloaded()
    error.retry_after = random.randint(5, 15 + min(waiting // 500, 285))  # noqa: S311 - spreads load
    return error


def _fail(batch: list[tuple[Row, "asyncio.Future[None]"]], error: Exception) -> None:
    for _row, done in batch:
        if not done.done():
            done.set_exception(error)


class Reader(Generic[Key, Found]):
    """Reads for many who ask at once in one statement: what is asked while one is under way makes the next."""

    def __init__(self, read: Callable[[list[Key]], Awaitable[dict[Key, Found]]]) -> None:
        self._read = read
        self._asked: dict[Key, asyncio.Future[Found | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def read(self, key: Key) -> Found | None:
        """What there is of that key, or None where there is nothing. Raises Away."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return await asyncio.shield(asked)

    async def _work(self) -> None:
        try:
            while self._asked:
                keys = list(self._asked)[:_MOST_KEYS]
                batch = {key: self._asked.pop(key) for key in keys}
                try:
                    found = await self._read(keys)
                except Exception as error:  # noqa: BLE001 - told to whoever asked
                    for asked in batch.values():
                        asked.set_exception(error)
                        asked.exception()  # retrieved: whoever asked may be gone
                else:
                    for key, asked in batch.items():
                        asked.set_result(found.get(key))
                if _MANY <= len(keys) < _MOST_KEYS:
                    await asyncio.sleep(_FOR_COMPANY / 2)
        finally:
            self._task = None
