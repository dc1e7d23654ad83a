"""Who is asking, on every page: the session and its account, read together by one fixed statement.

Django's own way asks for one after the other and builds both statements anew for each request, which takes three times as
long as asking them.
"""

from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import connection

from pupitre.kernel import clock

from .models import Account

# allauth keeps whose session it is, for the list of sessions. Where it does not know, the account is asked for by itself.
_SESSION = """
SELECT s.session_data, s.expire_date, {columns}
  FROM django_session s
  LEFT JOIN usersessions_usersession u ON u.session_key = s.session_key
  LEFT JOIN people_account a ON a.id = u.user_id
 WHERE s.session_key = %s AND s.expire_date > %s
"""
#: The account that came with the session that was read last. Whoever takes it has just read that session.
_came_with_session: ContextVar[Account | None] = ContextVar(
    "account_that_came_with_the_session", default=None
)


class _Kept(NamedTuple):
    """What Django's store reads of its model."""

    session_data: str
    expire_date: datetime


class SessionStore(DatabaseSessionStore):
    """Django's sessions in the database, read by hand. What `SESSION_ENGINE` names."""

    def _get_session_from_db(self) -> Any:
        names, statement = _session_statement()
        with connection.cursor() as cursor:
            cursor.execute(statement, [self.session_key, clock.now()])
            row = cursor.fetchone()
        if row is None:
            _came_with_session.set(None)
            self._session_key = None
            return None
        _came_with_session.set(
            Account.from_db(connection.alias, names, row[2:]) if row[2] is not None else None
        )
        return _Kept(row[0], row[1])


@lru_cache(maxsize=1)
def _session_statement() -> tuple[list[str], str]:
    names, columns = _columns()
    return names, _SESSION.format(columns=columns)


@lru_cache(maxsize=1)
def _columns() -> tuple[list[str], str]:
    """The account's fields, the key first, and the columns that hold them."""
    fields = Account._meta.concrete_fields
    return [field.attname for field in fields], ", ".join(f'a."{field.column}"' for field in fields)


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, which takes the signed-in account that came with the session."""

    def get_user(self, user_id: int) -> Account | None:
        """The account if it may sign in."""
        account = _came_with_session.get()
        _came_with_session.set(None)
        if account is None or account.pk != user_id:
            account = _account(user_id)
        return account if account and self.user_can_authenticate(account) else None


def _account(account_id: int) -> Account | None:
    names, columns = _columns()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM people_account a WHERE a.id = %s", [account_id])  # noqa: S608 - our own columns
        row = cursor.fetchone()
    return Account.from_db(connection.alias, names, row) if row else None
