"""An account's own page: who it is in each of its schools, and whose records it may read."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from pupitre.people.models import Account, AuthorityMembership, Guardianship, Membership, Person
from pupitre.people.rules import Actor
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

from . import lasting_on, places_for


@dataclass(frozen=True, slots=True)
class Known:
    """A person whose history the account may read; `is_self` tells it from its pupils."""

    id: int
    name: str
    is_self: bool


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """A school of the account with the persons whose history it may read there."""

    school: SchoolFacts
    people: list[Known]


def access_account(actor: Actor) -> Account:
    """The actor's own account."""
    return Account.objects.get(pk=actor.account_id)


def find_account(username: str) -> Account | None:
    """The account of that user name, for the operator."""
    return Account.objects.filter(username=username.lower()).first()


def account_places(actor: Actor, today: date) -> list[AccountPlace]:
    """Each school costs one statement in its own scope: a family has one or two."""
    return [
        AccountPlace(place.school, _known(actor, place.school, place.person_id, today))
        for place in places_for(actor.account_id, today)
    ]


def _known(actor: Actor, school: SchoolFacts, person_id: int, today: date) -> list[Known]:
    pupils = Guardianship.objects.filter(
        lasting_on(today), guardian_id=person_id, guardian__ended_on__isnull=True, sees_record=True
    )
    with scope(school.id, account=actor.account_id):
        rows = list(
            Person.objects.filter(
                Q(pk=person_id) | Q(pk__in=pupils.values("pupil_id")), ended_on__isnull=True
            )
            .order_by("family_key")
            .values_list("id", "given_name", "preferred_name", "family_name")
        )
    found = [
        Known(pk, f"{preferred or given} {family}", pk == person_id) for pk, given, preferred, family in rows
    ]
    return sorted(found, key=lambda known: not known.is_self)


def leads_only_to(account_id: int, school_id: int) -> bool:
    """Whether the account has no role outside of that school."""
    return not other_schools(account_id, school_id) and not leads_to_authority(account_id, school_id)


def other_schools(account_id: int, school_id: int) -> list[int]:
    """The other schools where the account has or had a role. Reads through the account's own scope."""
    with scope(school_id, account=account_id):
        rows = Membership.objects.filter(account_id=account_id).exclude(school_id=school_id)
        return sorted(set(rows.values_list("school_id", flat=True)))


def leads_to_authority(account_id: int, school_id: int) -> bool:
    """Whether the account sees an authority's figures. Reads through the account's own scope."""
    with scope(school_id, account=account_id):
        return AuthorityMembership.objects.filter(account_id=account_id).exists()
