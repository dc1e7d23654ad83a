"""The connection. Django looks for it by this module's name."""

from django.db.backends.postgresql import base
from psycopg import pq
from psycopg.errors import error_from_result


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but savepoints go to the server as plain text.

    Every savepoint has a name of its own. As a prepared statement each would be parsed, kept, and push one that is asked
    again out of psycopg's cache; and a rollback to one would make psycopg forget all the others.
    """

    def _savepoint(self, sid: str) -> None:
        self._tell(self.ops.savepoint_create_sql(sid))

    def _savepoint_rollback(self, sid: str) -> None:
        self._tell(self.ops.savepoint_rollback_sql(sid))

    def _savepoint_commit(self, sid: str) -> None:
        self._tell(self.ops.savepoint_commit_sql(sid))

    def _tell(self, command: str) -> None:
        self.ensure_connection()
        with self.wrap_database_errors:
            raw = self.connection.pgconn
            # psycopg begins a transaction with its first statement, and a savepoint may come before that.
            begin = "BEGIN; " if raw.transaction_status == pq.TransactionStatus.IDLE else ""
            result = raw.exec_(f"{begin}{command}".encode())
            if result.status != pq.ExecStatus.COMMAND_OK:
                raise error_from_result(result)
