"""Reading identity providers: which a school has, and whose account somebody known to one opens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Count

from pupitre.connections.models import IdentityLink, IdentityProvider, SchoolDomain
from pupitre.connections.rules.identity import Asserted, MatchBy, ProviderFacts, ProviderKind
from pupitre.connections.rules.keys import school_of
from pupitre.kernel import sealing
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

_KNOWN_AS: Final = {
    MatchBy.EMAIL: "lower(email) = %s",
    MatchBy.SOURCED_ID: "sourced_id = %s",
    MatchBy.USERNAME: "lower(username) = lower(%s)",
}
_LINKS: Final = """
SELECT l.id, coalesce(p.given_name || ' ' || p.family_name, a.display_name), l.subject, l.by_owner, l.created_at,
       l.signed_in_at
  FROM connections_identitylink l
  JOIN people_account a ON a.id = l.account_id
  LEFT JOIN people_person p ON p.school_id = l.school_id AND p.account_id = l.account_id
 WHERE l.provider_id = %s ORDER BY l.signed_in_at DESC NULLS LAST, l.id LIMIT %s
"""
_MOST_SCHOOLS: Final = 20


@dataclass(frozen=True, slots=True)
class Entrance:
    """A provider as the sign-in page offers it."""

    key: str
    name: str
    kind: ProviderKind


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """A provider on the office's page; `people` open their account by it. `has_secret` does not tell it."""

    id: int
    key: str
    kind: ProviderKind
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    domains: list[str]
    match_by: MatchBy
    claim: str
    saml: dict[str, str]
    people: int


@dataclass(frozen=True, slots=True)
class LinkLine:
    """Whose account somebody known to a provider opens."""

    id: int
    name: str
    subject: str
    by_owner: bool
    created_at: datetime
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnLink:
    """A way into the actor's account, or (id 0) one that she may add."""

    id: int
    key: str
    name: str
    signed_in_at: datetime | None


def providers_for(actor: Actor) -> list[ProviderLine]:
    """The school's providers by name. For the office."""
    require(actor, OFFICE)
    rows = list(IdentityProvider.objects.order_by("name", "id"))
    known = dict(IdentityLink.objects.values_list("provider_id").annotate(people=Count("id")))
    return [_line(row, known.get(row.pk, 0)) for row in rows]


def access_provider(actor: Actor, provider_id: int) -> ProviderLine:
    """One of them. For the office."""
    for line in providers_for(actor):
        if line.id == provider_id:
            return line
    raise NotFound


def links_of(actor: Actor, provider_id: int, *, limit: int = 200) -> list[LinkLine]:
    """Who opens an account by that provider, the latest first. For the office."""
    require(actor, OFFICE)
    with connection.cursor() as cursor:
        cursor.execute(_LINKS, [provider_id, limit])
        return [LinkLine(*row) for row in cursor.fetchall()]


def _line(row: IdentityProvider, people: int) -> ProviderLine:
    return ProviderLine(
        row.pk,
        row.key,
        ProviderKind(row.kind),
        row.name,
        row.issuer,
        row.client_id,
        row.secret is not None,
        list(row.domains),
        MatchBy(row.match_by),
        row.claim,
        row.saml,
        people,
    )


def find_provider(key: str) -> ProviderFacts | None:
    """The provider of that key, with its secret. Opens the scope of the school that the key names."""
    school_id = school_of(key)
    if school_id is None:
        return None
    with scope(school_id):
        row = IdentityProvider.objects.filter(key=key).first()
    if row is None:
        return None
    return ProviderFacts(
        id=row.pk,
        school_id=row.school_id,
        key=row.key,
        kind=ProviderKind(row.kind),
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        secret=sealing.unseal(row.secret) if row.secret is not None else "",
        domains=tuple(row.domains),
        match_by=MatchBy(row.match_by),
        claim=row.claim,
        saml=row.saml,
    )


def entrances_of(school: SchoolFacts) -> list[Entrance]:
    """The buttons on the school's sign-in page. Everybody may see them; opens the school's scope."""
    with scope(school.id):
        rows = list(IdentityProvider.objects.order_by("name", "id").values_list("key", "name", "kind"))
    return [Entrance(key, name, ProviderKind(kind)) for key, name, kind in rows]


def schools_called(words: str) -> list[SchoolFacts]:
    """Schools of that e-mail address's domain, or with those words in their names: for who looks for her own."""
    words = words.strip()
    if "@" in words:
        domain = words.rpartition("@")[2].lower()
        ids = (
            SchoolDomain.objects.filter(domain=domain)
            .order_by("school__name")
            .values_list("school_id", flat=True)
        )
        return [tenancy.school_by_id(school_id) for school_id in ids[:_MOST_SCHOOLS]]
    return tenancy.schools_called(words, limit=_MOST_SCHOOLS) if len(words) > 1 else []


def find_link(provider: ProviderFacts, subject: str) -> IdentityLink | None:
    """Whose account that name opens. In the provider's school's scope, as what follows."""
    found = IdentityLink.objects.select_related("account")
    return found.filter(provider_id=provider.id, subject=subject).first()


def is_linked(provider: ProviderFacts, account_id: int) -> bool:
    return IdentityLink.objects.filter(provider_id=provider.id, account_id=account_id).exists()


def persons_known_as(what: Asserted) -> list[tuple[int, int | None]]:
    """The living persons of the school whom that fits, with their accounts."""
    if not what.value:
        return []
    where = _KNOWN_AS[what.by]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, account_id FROM people_person WHERE ended_on IS NULL AND {where} LIMIT 2",  # noqa: S608 - ours
            [what.value],
        )
        return list(cursor.fetchall())


def own_links(actor: Actor) -> list[OwnLink]:
    """The school's providers as ways into the actor's account: those that are, and those that can be."""
    linked = {
        provider_id: (pk, at)
        for pk, provider_id, at in IdentityLink.objects.filter(account_id=actor.account_id).values_list(
            "id", "provider_id", "signed_in_at"
        )
    }
    rows = IdentityProvider.objects.order_by("name", "id").values_list("id", "key", "name")
    return [
        OwnLink(linked.get(pk, (0, None))[0], key, name, linked.get(pk, (0, None))[1])
        for pk, key, name in rows
    ]
