"""How far an import is, visible to others while its transaction has not ended."""

import time
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, connections

_EVERY_SECONDS = 0.4


class VisibleProgress:
    """Call it with (done, total): a second connection writes them, at most a few times a second.

    The import's own transaction must not touch the import's row before it has finished, or this one waits for it (for
    half a second, then the figure is left out).
    """

    def __init__(self, school_id: int, import_id: int) -> None:
        self._school, self._import = int(school_id), import_id
        self._connection: Any = None
        self._told_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def __call__(self, done: int, total: int) -> None:
        instant = time.monotonic()
        if done not in (0, total) and instant - self._told_at < _EVERY_SECONDS:
            return
        self._told_at = instant
        try:
            with self._opened().cursor() as cursor:
                cursor.execute(
                    "UPDATE courses_rosterimport SET done = %s, total = %s WHERE id = %s",
                    [done, total, self._import],
                )
        except DatabaseError:
            self._connection.close()

    def _opened(self) -> Any:
        if self._connection is None or self._connection.connection is None:
            self._connection = connections.create_connection("default")
            with self._connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('pupitre.school', %s, false), set_config('pupitre.account', '0', false), "
                    "set_config('pupitre.authority', '0', false), set_config('lock_timeout', '500ms', false)",
                    [str(self._school)],
                )
        return self._connection
