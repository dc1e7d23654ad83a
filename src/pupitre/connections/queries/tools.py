"""Reading tools: which there are, who used them, and what one may be told of whom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from allauth.idp.oidc.models import Client
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, QuerySet
from django.utils.module_loading import import_string

from pupitre.connections.models import Tool, ToolGrant
from pupitre.connections.rules.keys import school_of
from pupitre.connections.rules.tools import ROLE_NAMES, ToolFacts, ToolScope, may_use
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people import queries as people
from pupitre.people.rules import OFFICE, Actor, Role, require
from pupitre.tenancy import queries as tenancy

if TYPE_CHECKING:
    from pupitre.people.models import Account

_USES: Final = """
SELECT a.display_name, p.given_name, p.family_name, g.granted_at, g.signed_in_at
  FROM connections_toolgrant g
  JOIN people_account a ON a.id = g.account_id
  LEFT JOIN people_person p ON p.school_id = g.school_id AND p.account_id = g.account_id
 WHERE g.tool_id = %s ORDER BY g.signed_in_at DESC, g.id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class ToolLine:
    """A tool on the office's page. `people` have signed in to it, the last one at `used_at`."""

    id: int
    name: str
    client_id: str
    addresses: list[str]
    scopes: list[str]
    roles: frozenset[Role]
    is_trusted: bool
    is_public: bool
    created_at: datetime
    revoked_at: datetime | None
    people: int
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody who signs in to a tool."""

    name: str
    granted_at: datetime
    signed_in_at: datetime


def tools_for(actor: Actor) -> list[ToolLine]:
    """The school's tools by name, revoked ones included. For the office."""
    require(actor, OFFICE)
    return _lines(Tool.objects.order_by("name", "id"))


def access_tool(actor: Actor, tool_id: int) -> ToolLine:
    """One of them. For the office."""
    require(actor, OFFICE)
    found = _lines(Tool.objects.filter(pk=tool_id))
    if not found:
        raise NotFound
    return found[0]


def uses_of(actor: Actor, tool_id: int, *, limit: int = 200) -> list[Use]:
    """Who signed in to the tool, the latest first. For the office."""
    require(actor, OFFICE)
    with connection.cursor() as cursor:
        cursor.execute(_USES, [tool_id, limit])
        rows = cursor.fetchall()
    return [Use(f"{given} {family}" if given else shown, *times) for shown, given, family, *times in rows]


def _lines(tools: "QuerySet[Tool]") -> list[ToolLine]:
    rows = list(tools.select_related("client"))
    counted = ToolGrant.objects.filter(tool_id__in=[row.pk for row in rows]).values_list("tool_id")
    used = {
        tool_id: (people, latest)
        for tool_id, people, latest in counted.annotate(people=Count("id"), latest=Max("signed_in_at"))
    }
    return [_line(row, *used.get(row.pk, (0, None))) for row in rows]


def _line(row: Tool, known: int, used_at: datetime | None) -> ToolLine:
    return ToolLine(
        row.pk,
        row.name,
        row.client_id,
        row.client.get_redirect_uris(),
        row.client.get_scopes(),
        frozenset(Role(role) for role in row.roles),
        row.is_trusted,
        row.client.type == Client.Type.PUBLIC,
        row.created_at,
        row.revoked_at,
        known,
        used_at,
    )


def find_tool(client_id: str) -> ToolFacts | None:
    """The tool of that client, in the scope of its school (`keys.school_of`); none that was revoked."""
    row = Tool.objects.filter(client_id=client_id, revoked_at__isnull=True).first()
    if row is None or row.school_id != school_of(client_id):
        return None
    roles = frozenset(Role(role) for role in row.roles)
    return ToolFacts(row.pk, row.school_id, client_id, row.name, roles, row.is_trusted)


def find_user(tool: ToolFacts, account: "Account") -> Actor | None:
    """The account in the tool's school, where it may use the tool today. In that school's scope."""
    school = tenancy.school_by_id(tool.school_id)
    actor = people.actor_in(account, school, clock.today(school.time_zone))
    return actor if account.is_active and may_use(tool, actor.roles) else None


def find_grant(tool: ToolFacts, *, account_id: int | None = None, subject: str = "") -> ToolGrant | None:
    """What the tool may know of that account, or of who bears that name in it."""
    found = ToolGrant.objects.select_related("account").filter(tool_id=tool.id)
    if account_id is None:
        return found.filter(subject=subject).first()
    return found.filter(account_id=account_id).first()


@dataclass(frozen=True, slots=True)
class OwnGrant:
    """A tool that may know the account."""

    id: int
    tool: str
    scopes: list[str]
    signed_in_at: datetime


def own_grants(actor: Actor) -> list[OwnGrant]:
    """The tools of the school in scope that may know the actor, by name."""
    rows = ToolGrant.objects.filter(account_id=actor.account_id, tool__revoked_at__isnull=True)
    values = rows.order_by("tool__name").values_list("id", "tool__name", "scopes", "signed_in_at")
    return [OwnGrant(*row) for row in values]


def claims_of(actor: Actor, account: "Account", scopes: Collection[str]) -> dict[str, Any]:
    """What a tool of the actor's school is told besides `sub`, by its scopes. Nothing is told that is not known."""
    told: dict[str, Any] = {}
    if ToolScope.PROFILE in scopes:
        told |= _profile(actor, account)
    if ToolScope.EMAIL in scopes and (address := people.own_address(actor)):
        told |= {"email": address, "email_verified": True}
    if ToolScope.SCHOOL in scopes:
        told |= _school(actor)
    return told


def _profile(actor: Actor, account: "Account") -> dict[str, str]:
    person = people.access_person(actor, actor.person_id)
    facts = {
        "name": person.full_name,
        "given_name": person.called,
        "family_name": person.family_name,
        "preferred_username": account.username,
        "locale": account.locale or person.locale or actor.place.locale,
    }
    return {name: value for name, value in facts.items() if value}


def _school(actor: Actor) -> dict[str, Any]:
    """OneRoster's words and identifiers, so that a tool with the roster knows whom it has before it."""
    sourced_id, identifier, name = tenancy.codes_of(actor.place.id)
    person = people.access_person(actor, actor.person_id)
    classes = import_string(settings.CLASSES_PROVIDER)(actor.person_id, clock.today(actor.place.time_zone))
    return {
        "school": {"sourcedId": sourced_id or actor.place.slug, "identifier": identifier, "name": name},
        "sourcedId": person.sourced_id,
        "roles": sorted(ROLE_NAMES[role] for role in actor.roles if role in ROLE_NAMES),
        "classes": classes,
    }
