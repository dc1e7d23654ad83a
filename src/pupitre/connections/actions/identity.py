"""Making identity providers known to a school, and letting in whom they vouch for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext as _

from pupitre.connections.models import IdentityLink, IdentityProvider, SchoolDomain
from pupitre.connections.queries import identity as queries
from pupitre.connections.rules.identity import (
    Asserted,
    IncompleteProvider,
    MatchBy,
    NoEntry,
    ProviderFacts,
    ProviderKind,
    may_open,
)
from pupitre.connections.rules.keys import new_key
from pupitre.kernel import clock, sealing
from pupitre.kernel.errors import NotFound
from pupitre.people import queries as people
from pupitre.people.queries import accounts
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import queries as tenancy

if TYPE_CHECKING:
    from pupitre.people.models import Account


@dataclass(frozen=True, slots=True)
class ProviderForm:
    """What the office says of a provider. An empty secret leaves the one that is kept."""

    kind: ProviderKind
    name: str
    issuer: str = ""
    client_id: str = ""
    secret: str = ""
    domains: tuple[str, ...] = ()
    match_by: MatchBy = MatchBy.EMAIL
    claim: str = ""
    saml: Mapping[str, Any] | None = None


@transaction.atomic
def add_provider(actor: Actor, form: ProviderForm, *, now: datetime) -> IdentityProvider:
    """Offer the school's people to sign in by that provider."""
    require(actor, OFFICE)
    row = IdentityProvider(
        school_id=actor.place.id,
        key=new_key(actor.place.id),
        created_at=now,
        created_by_id=actor.account_id or None,
    )
    return _keep(row, form)


@transaction.atomic
def change_provider(actor: Actor, provider_id: int, form: ProviderForm) -> IdentityProvider:
    """What is known of the provider from now on. Where it is another one than before, it opens nobody's account until
    the rule has recognised its people anew: another house gives the same names to other people.
    """
    row = _access(actor, provider_id)
    before = (row.kind, row.issuer, row.saml.get("entity_id"))
    kept = _keep(row, form)
    if before != (kept.kind, kept.issuer, kept.saml.get("entity_id")):
        IdentityLink.objects.filter(provider_id=kept.pk).delete()
    return kept


def _keep(row: IdentityProvider, form: ProviderForm) -> IdentityProvider:
    _judge(row, form)
    row.kind, row.name = form.kind.value, form.name.strip()[:80]
    row.issuer, row.client_id = form.issuer, form.client_id.strip()
    row.domains, row.match_by, row.claim = list(form.domains), form.match_by.value, form.claim.strip()
    if form.secret:
        row.secret = sealing.seal(form.secret.strip())
    elif row.secret is not None:
        row.secret = sealing.sealed_anew(row.secret)
    if form.saml is not None:
        row.saml = dict(form.saml)
    row.save()
    _tell_domains(row.school_id)
    return row


def _judge(row: IdentityProvider, form: ProviderForm) -> None:
    if form.kind is ProviderKind.SAML:
        is_whole = bool(form.saml or row.saml)
    else:
        is_whole = bool(
            form.issuer and form.client_id.strip() and (form.secret.strip() or row.secret is not None)
        )
    needs = bool(form.domains) if form.match_by is MatchBy.EMAIL else bool(form.claim.strip())
    if not (form.name.strip() and is_whole and needs):
        raise IncompleteProvider


@transaction.atomic
def remove_provider(actor: Actor, provider_id: int) -> None:
    """Nobody signs in by it any more; the accounts stay, with their other ways in."""
    row = _access(actor, provider_id)
    row.delete()
    _tell_domains(actor.place.id)


@transaction.atomic
def cut_link(actor: Actor, link_id: int) -> None:
    """Take one person's way in through a provider away. The office's act, or its owner's."""
    found = IdentityLink.objects.filter(pk=link_id)
    if not actor.is_office:
        found = found.filter(account_id=actor.account_id)
    if not found.delete()[0]:
        raise NotFound


def _access(actor: Actor, provider_id: int) -> IdentityProvider:
    require(actor, OFFICE)
    row = IdentityProvider.objects.filter(pk=provider_id).first()
    if row is None:
        raise NotFound
    return row


def _tell_domains(school_id: int) -> None:
    wanted = {
        domain for domains in IdentityProvider.objects.values_list("domains", flat=True) for domain in domains
    }
    SchoolDomain.objects.filter(school_id=school_id).exclude(domain__in=wanted).delete()
    rows = [SchoolDomain(school_id=school_id, domain=domain) for domain in sorted(wanted)]
    SchoolDomain.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def enter(provider: ProviderFacts, what: Asserted, *, now: datetime) -> "Account":
    """The account that the provider's word opens, in the scope of its school. Raises NoEntry.

    The provider's own name for somebody counts once it is linked; before, the roster must know exactly one person by
    what is asserted. No person is ever made by it.
    """
    link = queries.find_link(provider, what.subject) or _recognise(provider, what, now)
    account: Account = link.account
    if not _may_open(provider, account, by_owner=link.by_owner):
        raise NoEntry(None, reason=_elsewhere(provider, account))
    IdentityLink.objects.filter(pk=link.pk).update(signed_in_at=now)
    return account


def _recognise(provider: ProviderFacts, what: Asserted, now: datetime) -> IdentityLink:
    known = queries.persons_known_as(what)
    if len(known) != 1:
        raise NoEntry(None, reason=_nobody(what, known))
    account_id = known[0][1]
    if account_id is None:
        raise NoEntry(None, reason=_("You have no account here yet. Open it with your letter first."))
    if queries.is_linked(provider, account_id):
        # An address that was given on to somebody else must not lead into the account of who had it before.
        raise NoEntry(
            None, reason=_("Your account here belongs to another one there. The office can loosen it.")
        )
    link = IdentityLink(
        school_id=provider.school_id,
        provider_id=provider.id,
        account_id=account_id,
        subject=what.subject,
        by_owner=False,
        created_at=now,
    )
    if not _may_open(provider, link.account, by_owner=False):
        raise NoEntry(None, reason=_elsewhere(provider, link.account))
    link.save()
    return link


def _nobody(what: Asserted, known: list[tuple[int, int | None]]) -> str:
    if not what.value:
        return _("It did not say an address of the school, or did not confirm it.")
    if known:
        return _("Several people of the school are known by the same. The office can tell them apart.")
    return _("Nobody of the school is known by what it said. The office can add it to your data.")


def _may_open(provider: ProviderFacts, account: "Account", *, by_owner: bool) -> bool:
    return may_open(
        is_known_here=_is_known(provider, account),
        leads_elsewhere=not accounts.leads_only_to(account.pk, provider.school_id),
        by_owner=by_owner,
    )


def _is_known(provider: ProviderFacts, account: "Account") -> bool:
    school = tenancy.school_by_id(provider.school_id)
    return bool(people.actor_in(account, school, clock.today(school.time_zone)).roles)


def _elsewhere(provider: ProviderFacts, account: "Account") -> str:
    if not _is_known(provider, account):
        return _("You do not belong to the school any more.")
    return _(
        "Your account leads to other schools, too. Sign in with your password, and connect this way in on your "
        "account’s page."
    )


@transaction.atomic
def connect(actor: Actor, provider: ProviderFacts, subject: str, *, now: datetime) -> IdentityLink:
    """The actor, signed in here, lets her account be opened by what that provider calls her. In its school's scope."""
    if not actor.roles or actor.place.id != provider.school_id:
        raise NotFound
    held = queries.find_link(provider, subject)
    if held is not None and held.account_id != actor.account_id:
        raise NoEntry(None, reason=_("It is connected to somebody else’s account."))
    IdentityLink.objects.filter(provider_id=provider.id, account_id=actor.account_id).delete()
    return IdentityLink.objects.create(
        school_id=provider.school_id,
        provider_id=provider.id,
        account_id=actor.account_id,
        subject=subject,
        by_owner=True,
        created_at=now,
    )
