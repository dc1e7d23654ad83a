"""PostgreSQL for the edge: a pool of asyncpg connections whose transactions open with the scope's sentence.

Nothing of a scope outlives its transaction. Where the server is away for a moment every use raises `Away`, and the pool
connects anew by itself once it is back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import asyncpg

from pupitre.kernel.errors import Away
from pupitre.kernel.scope import Scope, gateway_opening, opening, sentence

#: asyncpg's, as the pool lends it.
Connection: TypeAlias = Any

#: What says that the server cannot be reached or goes down, not that the statement was wrong.
AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
)
#: Seconds that connecting, and one statement, may take.
_CONNECTS_WITHIN: Final = 5.0
_ANSWERS_WITHIN: Final = 30.0


class Postgres:
    """The database of one process.

    Args:
        url: postgresql://..., as everywhere in the settings.
        size: connections at the most; one is opened at first.
    """

    def __init__(self, url: str, *, size: int = 6) -> None:
        self._url, self._size = url, size
        self._pool: Any | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Let go of all connections, at once where something still runs on one."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            await asyncio.wait_for(pool.close(), 2.0)
        except TimeoutError:
            pool.terminate()

    @asynccontextmanager
    async def scope(self, scope: Scope) -> AsyncIterator[Connection]:
        """One transaction that sees what the scope allows. Raises Away where the server cannot be reached."""
        async with self._transaction(opening(scope).decode()) as connection:
            yield connection

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Connection]:
        """One transaction that sees the fleet of all schools and nothing else. Raises Away."""
        async with self._transaction(_GATEWAY) as connection:
            yield connection

    @asynccontextmanager
    async def listening(
        self, channel: str, heard: Callable[[str], None], lost: Callable[[], None]
    ) -> AsyncIterator[Connection]:
        """A connection of its own on which `heard` is told each notification, and `lost` when it ends. Raises Away."""
        with _told_as_away():
            connection = await asyncpg.connect(self._url, timeout=_CONNECTS_WITHIN, statement_cache_size=0)
        try:
            connection.add_termination_listener(lambda _connection: lost())
            with _told_as_away():
                await connection.add_listener(channel, lambda _c, _pid, _channel, said: heard(str(said)))
            yield connection
        finally:
            connection.terminate()

    @asynccontextmanager
    async def _transaction(self, sentence: str) -> AsyncIterator[Connection]:
        with _told_as_away():
            pool = self._pool or await self._opened()
            async with pool.acquire(timeout=_CONNECTS_WITHIN) as connection:
                await connection.execute(sentence)
                try:
                    yield connection
                except BaseException:
                    if not connection.is_closed():
                        await connection.execute("ROLLBACK")
                    raise
                await connection.execute("COMMIT")

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=1,
                    max_size=self._size,
                    timeout=_CONNECTS_WITHIN,
                    command_timeout=_ANSWERS_WITHIN,
                    max_inactive_connection_lifetime=300,
                    # asyncpg's own would undo listeners, cursors and advisory locks, of which there are none.
                    reset=_leave_as_it_is,
                    init=_prepare,
                )
        return self._pool


async def narrow(connection: Connection, school_id: int) -> None:
    """From now on the gateway's transaction writes in this school's scope, too: where the history of changes is kept."""
    await connection.execute(sentence(Scope(school=school_id)).decode())


_GATEWAY: Final = gateway_opening().decode()


async def _leave_as_it_is(_connection: Connection) -> None:
    """A transaction that ended left nothing behind."""


async def _prepare(connection: Connection) -> None:
    import msgspec

    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + encode(value),
        decoder=lambda data: decode(data[1:]),
        schema="pg_catalog",
        format="binary",
    )
    await connection.execute("SET jit = off; SET plan_cache_mode = force_generic_plan")


class _told_as_away:  # noqa: N801 - read as a word
    """What says that the server cannot be reached is told as `Away`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AWAY) and not isinstance(error, asyncpg.UnsupportedClientFeatureError):
            raise Away from error
