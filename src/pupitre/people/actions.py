"""Changing persons, roles, guardianships and accounts."""

from datetime import date, datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from pupitre.kernel.errors import Conflict
from pupitre.kernel.text import fold

from .models import Account, AuthorityMembership, Guardianship, Membership, Person
from .rules import OFFICE, Actor, Relation, Role, require


@transaction.atomic
def register_person(
    actor: Actor, *, sourced_id: str, given_name: str, family_name: str, now: datetime, **facts: Any
) -> Person:
    """Add a person to the school. `facts` are further columns of Person. Raises Conflict where the sourcedId is taken."""
    require(actor, OFFICE)
    if Person.objects.filter(sourced_id=sourced_id).exists():
        raise Conflict
    return Person.objects.create(
        school_id=actor.place.id,
        sourced_id=sourced_id,
        given_name=given_name,
        family_name=family_name,
        family_key=fold(f"{family_name} {facts.get('preferred_name') or given_name}"),
        given_key=fold(f"{facts.get('preferred_name') or given_name} {family_name}"),
        created_at=now,
        **facts,
    )


@transaction.atomic
def grant_role(
    actor: Actor, person: Person, role: Role, *, starts_on: date | None = None, ends_on: date | None = None
) -> Membership:
    """Give a person a role in the whole school."""
    require(actor, OFFICE)
    return Membership.objects.create(
        school_id=actor.place.id,
        person=person,
        account_id=person.account_id,
        role=role,
        starts_on=starts_on,
        ends_on=ends_on,
    )


@transaction.atomic
def make_guardian(
    actor: Actor, pupil: Person, guardian: Person, *, relation: Relation = Relation.GUARDIAN, **entitlements: Any
) -> Guardianship:
    """Say that an adult looks after a pupil, and what she is entitled to (columns of Guardianship)."""
    require(actor, OFFICE)
    return Guardianship.objects.create(
        school_id=actor.place.id, pupil=pupil, guardian=guardian, relation=relation, **entitlements
    )


@transaction.atomic
def open_account(*, username: str, password: str, display_name: str, now: datetime, email: str = "", locale: str = "") -> Account:
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
