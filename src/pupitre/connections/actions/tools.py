"""Making and revoking tools, and what people let them know."""

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime

from allauth.idp.oidc.models import Client, Token
from django.db import transaction

from pupitre.connections.models import Tool, ToolGrant
from pupitre.connections.rules.keys import new_key
from pupitre.connections.rules.tools import (
    CHOICES,
    ROLE_NAMES,
    NobodyMayUse,
    NotForYou,
    ToolFacts,
    ToolNameMissing,
    ToolScope,
    addresses_of,
    may_use,
)
from pupitre.kernel import tokens
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, Role, require


@transaction.atomic
def make_tool(
    actor: Actor,
    *,
    name: str,
    addresses: str,
    roles: Iterable[Role],
    scopes: Iterable[ToolScope],
    now: datetime,
    is_trusted: bool = False,
    is_public: bool = False,
) -> tuple[Tool, str]:
    """Let people with these roles sign in to another system; answers the row and the system's secret, shown only now.

    A public one (an app on people's devices) keeps no secret: it has '' and must use PKCE.
    """
    require(actor, OFFICE)
    shown = name.strip()[:80]
    allowed = sorted({role for role in roles if role in ROLE_NAMES})
    if not shown:
        raise ToolNameMissing
    if not allowed:
        raise NobodyMayUse
    secret = "" if is_public else tokens.new_token()
    client = _new_client(actor, shown, secret, addresses, scopes)
    tool = Tool.objects.create(
        school_id=actor.place.id,
        client=client,
        name=shown,
        roles=[role.value for role in allowed],
        is_trusted=is_trusted,
        created_at=now,
        created_by_id=actor.account_id or None,
    )
    return tool, secret


def _new_client(actor: Actor, name: str, secret: str, addresses: str, scopes: Iterable[ToolScope]) -> Client:
    client = Client(
        id=new_key(actor.place.id),
        name=name,
        type=Client.Type.CONFIDENTIAL if secret else Client.Type.PUBLIC,
    )
    client.set_secret(secret or tokens.new_token())
    client.set_redirect_uris(addresses_of(addresses))
    asked = set(scopes)
    client.set_scopes([ToolScope.OPENID, *(one for one in CHOICES if one in asked), ToolScope.OFFLINE])
    client.set_default_scopes([ToolScope.OPENID])
    client.grant_types = f"{Client.GrantType.AUTHORIZATION_CODE}\n{Client.GrantType.REFRESH_TOKEN}"
    client.save()
    return client


@transaction.atomic
def renew_secret(actor: Actor, tool_id: int) -> tuple[Tool, str]:
    """A new secret; the one until now is void at once, as is what was given for it."""
    tool = _access(actor, tool_id)
    if tool.client.type == Client.Type.PUBLIC:
        raise NotFound
    secret = tokens.new_token()
    tool.client.set_secret(secret)
    tool.client.save(update_fields=["secret"])
    Token.objects.filter(client_id=tool.client_id).delete()
    return tool, secret


@transaction.atomic
def revoke_tool(actor: Actor, tool_id: int, *, now: datetime) -> Tool:
    """Let nobody sign in there any more, and tell it nothing more, at once."""
    tool = _access(actor, tool_id)
    tool.revoked_at = now
    tool.save(update_fields=["revoked_at"])
    Token.objects.filter(client_id=tool.client_id).delete()
    Client.objects.filter(pk=tool.client_id).update(grant_types="", redirect_uris="")
    return tool


def _access(actor: Actor, tool_id: int) -> Tool:
    require(actor, OFFICE)
    tool = Tool.objects.select_related("client").filter(pk=tool_id, revoked_at__isnull=True).first()
    if tool is None:
        raise NotFound
    return tool


@transaction.atomic
def admit(actor: Actor, tool: ToolFacts, *, scopes: Collection[str], now: datetime) -> ToolGrant:
    """Note that the actor signs in to the tool, which may know so much of her. Raises NotForYou."""
    if not may_use(tool, actor.roles):
        raise NotForYou(None, tool=tool.name, school=actor.place.name)
    grant, is_new = ToolGrant.objects.get_or_create(
        tool_id=tool.id,
        account_id=actor.account_id,
        defaults={
            "school_id": tool.school_id,
            "subject": secrets.token_hex(20),
            "scopes": sorted(scopes),
            "granted_at": now,
            "signed_in_at": now,
        },
    )
    if not is_new:
        grant.scopes, grant.signed_in_at = sorted({*grant.scopes, *scopes}), now
        grant.save(update_fields=["scopes", "signed_in_at"])
    return grant


@transaction.atomic
def withdraw(actor: Actor, grant_id: int) -> None:
    """The tool may know the actor no more; what it was given for her is void. The next time it asks anew.

    Its name for her stays, so that her work is there if she comes back.
    """
    grant = ToolGrant.objects.select_related("tool").filter(pk=grant_id, account_id=actor.account_id).first()
    if grant is None:
        raise NotFound
    grant.scopes = []
    grant.save(update_fields=["scopes"])
    Token.objects.filter(client_id=grant.tool.client_id, user_id=actor.account_id).delete()
