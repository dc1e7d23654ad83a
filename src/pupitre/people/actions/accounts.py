"""Opening accounts and saying whom they are."""

import secrets
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from pupitre.people.models import Account, AuthorityMembership, Membership, Person
from pupitre.people.rules import OFFICE, Actor, Role, require


@transaction.atomic
def open_account(
    *, username: str, password: str, display_name: str, now: datetime, email: str = "", locale: str = ""
) -> Account:
    """An account ready for use. For the operator and the demonstration; people activate theirs by a letter's code."""
    account = Account.objects.create(
        username=username.lower(),
        email=email.lower(),
        display_name=display_name,
        locale=locale,
        password=make_password(password),
        created_at=now,
        activated_at=now,
    )
    if email:
        _keep_address(account)
    return account


def _keep_address(account: Account) -> None:
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=account, email=account.email, primary=True, verified=True)


@transaction.atomic
def link_account(actor: Actor, person: Person, account: Account) -> Person:
    """Let an account be that person in the actor's school: the person's roles lead there from now on."""
    require(actor, OFFICE)
    person.account = account
    person.save(update_fields=["account"])
    Membership.objects.filter(person=person).update(account=account)
    return person


@transaction.atomic
def appoint_inspector(*, authority_id: int, account: Account) -> AuthorityMembership:
    """Let an account see an authority's figures. An act of the operator."""
    found, _ = AuthorityMembership.objects.get_or_create(
        authority_id=authority_id, account=account, role=Role.INSPECTOR
    )
    return found


@transaction.atomic
def appoint_fleet_manager(*, authority_id: int, account: Account) -> AuthorityMembership:
    """Let an account care for the devices of all of an authority's schools. An act of the operator."""
    found, _ = AuthorityMembership.objects.get_or_create(
        authority_id=authority_id, account=account, role=Role.FLEET_MANAGER
    )
    return found


@transaction.atomic
def choose_language(actor: Actor, *, locale: str) -> None:
    """In which language the actor's account gets letters and e-mails; '' leaves it to the school."""
    Account.objects.filter(pk=actor.account_id).update(locale=locale)


def open_machine_account(name: str, *, now: datetime) -> Account:
    """An account that nobody can sign in with: what another system changes stands under it in the history."""
    account = Account(
        username=f"machine-{secrets.token_hex(8)}", display_name=name, is_active=False, created_at=now
    )
    account.set_unusable_password()
    account.save()
    return account
