"""Making, using and revoking connections."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from pupitre.connections.models import AccessToken, Connection
from pupitre.connections.rules import Machine, NameMissing, NoScope, OutOfScope, Scope, new_secret
from pupitre.kernel import tokens
from pupitre.kernel.errors import NotFound
from pupitre.people.actions import accounts
from pupitre.people.rules import OFFICE, Actor, require

ACCESS_LASTS: Final = timedelta(hours=1)
_NOTED_EVERY: Final = timedelta(minutes=5)


@transaction.atomic
def open_connection(
    actor: Actor, *, name: str, scopes: Iterable[Scope], now: datetime
) -> tuple[Connection, str]:
    """Let another system connect with these rights; answers the row and its secret, which is shown only now."""
    require(actor, OFFICE)
    chosen = sorted({Scope(scope) for scope in scopes})
    if not name.strip():
        raise NameMissing
    if not chosen:
        raise NoScope
    secret = new_secret(actor.place.id)
    account = accounts.open_machine_account(f"{name.strip()[:80]} · API", now=now)
    row = Connection.objects.create(
        school_id=actor.place.id,
        name=name.strip()[:80],
        scopes=[scope.value for scope in chosen],
        secret_digest=tokens.digest(secret),
        secret_ends_with=secret[-4:],
        account=account,
        created_at=now,
        created_by_id=actor.account_id or None,
    )
    return row, secret


@transaction.atomic
def revoke_connection(actor: Actor, connection_id: int, *, now: datetime) -> None:
    """Let a connection in no longer, at once; its access tokens are void with it."""
    require(actor, OFFICE)
    if not Connection.objects.filter(pk=connection_id, revoked_at__isnull=True).update(revoked_at=now):
        raise NotFound
    AccessToken.objects.filter(connection_id=connection_id).delete()


@transaction.atomic
def give_access(school_id: int, machine: Machine, scopes: Iterable[Scope], *, now: datetime) -> str:
    """An access token for an hour with some of the connection's scopes. Raises OutOfScope for one that it lacks."""
    asked = sorted(set(scopes))
    for scope in asked:
        if scope not in machine.scopes:
            raise OutOfScope(None, scope=scope.value)
    token = new_secret(school_id, access=True)
    AccessToken.objects.filter(connection_id=machine.connection_id, expires_at__lte=now).delete()
    AccessToken.objects.create(
        school_id=school_id,
        connection_id=machine.connection_id,
        digest=tokens.digest(token),
        scopes=[scope.value for scope in asked],
        expires_at=now + ACCESS_LASTS,
    )
    return token


def note_use(machine: Machine, *, now: datetime) -> None:
    """Remember when the connection was last used, to a few minutes: not every request writes."""
    if machine.last_used_at is None or now - machine.last_used_at > _NOTED_EVERY:
        Connection.objects.filter(pk=machine.connection_id).update(last_used_at=now)
