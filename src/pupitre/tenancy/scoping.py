"""Run a block inside one transaction that sees one school. Django's side of `kernel.scope`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import OperationalError, connection, transaction
from psycopg import pq

from pupitre.kernel.scope import Scope, opening, sentence

_current: ContextVar[Scope | None] = ContextVar("pupitre_scope", default=None)


def current() -> Scope | None:
    """The scope that is set now, or None outside of any."""
    return _current.get()


@contextmanager
def scope(school: int = 0, *, account: int = 0, authority: int = 0, savepoint: bool = True) -> Iterator[None]:
    """Everything inside runs in one transaction and sees that school's rows, besides the account's own.

    The outermost scope costs one round trip (BEGIN and the settings in one message). An inner scope sets the settings
    for its block and puts the outer ones back. An inner one that only reads spares two round trips by `savepoint=False`:
    an error inside it then ends the whole transaction.
    """
    wanted, outer = Scope(school, account, authority), _current.get()
    with transaction.atomic(savepoint=savepoint):
        _send(opening(wanted) if _is_idle() else sentence(wanted))
        token = _current.set(wanted)
        try:
            yield
        finally:
            _current.reset(token)
        if _is_inner():
            _send(sentence(outer))


@contextmanager
def each_school(*, account: int) -> Iterator[Callable[[int], None]]:
    """For reading one school after the other: yields a function that sets the scope of the school it is given.

    An outer scope is put back at the end, and not between two schools as after an inner scope for each. As with
    `savepoint=False`, an error inside ends the whole transaction.
    """
    outer = _current.get()
    with transaction.atomic(savepoint=False):
        try:
            yield lambda school: _enter(Scope(school, account))
        finally:
            _current.set(outer)
        if _is_inner():
            _send(sentence(outer))


def _enter(wanted: Scope) -> None:
    _send(opening(wanted) if _is_idle() else sentence(wanted))
    _current.set(wanted)


def _raw() -> pq.abc.PGconn:
    connection.ensure_connection()
    raw: pq.abc.PGconn = connection.connection.pgconn
    return raw


def _is_idle() -> bool:
    return _raw().transaction_status == pq.TransactionStatus.IDLE


def _is_inner() -> bool:
    """Whether a transaction goes on after this block: an outer scope, or a test's own transaction."""
    return bool(connection.savepoint_ids)


def _send(text: bytes) -> None:
    raw = _raw()
    result = raw.exec_(text)
    if result.status != pq.ExecStatus.COMMAND_OK:
        lost = raw.status == pq.ConnStatus.BAD
        raise (OperationalError if lost else RuntimeError)(
            f"the scope could not be set: {raw.get_error_message()}"
        )
