"""Reading connections: whose a token is, and which there are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from pupitre.connections.models import Connection
from pupitre.connections.rules import Machine, Presented, Scope
from pupitre.people.rules import OFFICE, Actor, require

_BY_OWN: Final = """
SELECT id, name, account_id, scopes, last_used_at FROM connections_connection
 WHERE secret_digest = %s AND revoked_at IS NULL
"""
_BY_ACCESS: Final = """
SELECT c.id, c.name, c.account_id, t.scopes, c.last_used_at
  FROM connections_accesstoken t JOIN connections_connection c ON c.id = t.connection_id
 WHERE t.digest = %s AND t.expires_at > %s AND c.revoked_at IS NULL
"""


def find_machine(token: Presented, now: datetime) -> Machine | None:
    """The connection of the school in scope that the token belongs to. One statement."""
    with connection.cursor() as cursor:
        if token.is_access:
            cursor.execute(_BY_ACCESS, [token.digest, now])
        else:
            cursor.execute(_BY_OWN, [token.digest])
        row = cursor.fetchone()
    if row is None:
        return None
    known = {scope.value for scope in Scope}
    scopes = frozenset(Scope(scope) for scope in row[3] if scope in known)
    return Machine(row[0], row[1], row[2], scopes, row[4])


def opener_of(account_id: int) -> int | None:
    """The account of who opened the connection that acts under this one; None where it is nobody's, as a person's is."""
    return Connection.objects.filter(account_id=account_id).values_list("created_by_id", flat=True).first()


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as its school's office sees it."""

    id: int
    name: str
    scopes: tuple[str, ...]
    ends_with: str
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


def connections_for(actor: Actor) -> list[ConnectionRow]:
    """The school's connections, the newest first; revoked ones stay to be seen. One statement."""
    require(actor, OFFICE)
    rows = Connection.objects.order_by("-created_at", "-id").values_list(
        "id",
        "name",
        "scopes",
        "secret_ends_with",
        "created_at",
        "created_by__display_name",
        "last_used_at",
        "revoked_at",
    )
    return [
        ConnectionRow(row[0], row[1], tuple(row[2]), row[3], row[4], row[5] or "", *row[6:]) for row in rows
    ]
