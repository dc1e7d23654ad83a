"""Class cards for small children: printing, revoking, and signing in with one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from pupitre.kernel import clock, events
from pupitre.kernel.errors import Denied, NotFound
from pupitre.kernel.tokens import digest, new_token
from pupitre.people.codes import are_right, pictures_digest
from pupitre.people.models import Account, ClassCard, Membership, Person
from pupitre.people.queries import cards as queries
from pupitre.people.queries.accounts import leads_only_to
from pupitre.people.queries.reach import pupils_in_reach
from pupitre.people.rules import PRINTS_CARDS, Actor, require
from pupitre.people.rules.cards import (
    CARDS_AT_ONCE,
    PICTURES,
    PICTURES_TO_CHOOSE,
    CardLocked,
    NoCardFor,
    judge_attempt,
    may_have_card,
)
from pupitre.people.rules.events import SignedOutEverywhere
from pupitre.people.rules.invitations import usernames


@dataclass(frozen=True, slots=True)
class Card:
    """A card to print. Token and pictures stand here and nowhere else: the database keeps their digests."""

    person_id: int
    given_name: str
    family_name: str
    grade: str
    token: str
    pictures: list[str]


@transaction.atomic
def issue_cards(actor: Actor, person_ids: Sequence[int], *, now: datetime) -> list[Card]:
    """New cards with new pictures; earlier cards of these pupils stop working. Pupils without an account get one.

    Raises NoCardFor where somebody is more than a pupil or has a password: a card would weaken what she may do. Raises
    Denied where a teacher does not teach one of them.
    """
    require(actor, PRINTS_CARDS)
    found = Person.objects.select_related("account").filter(pk__in=list(person_ids), ended_on__isnull=True)
    persons = list(found.order_by("grade", "family_key", "id")[:CARDS_AT_ONCE])
    roles = queries.roles_of([person.pk for person in persons])
    for person in persons:
        if not may_have_card(roles.get(person.pk, frozenset()), has_password=queries.has_password(person)):
            raise NoCardFor
    _check_reach(actor, [person.pk for person in persons], now)
    _sign_out([person.account_id for person in persons if person.account_id is not None])
    _open_accounts(actor, [person for person in persons if person.account_id is None], now)
    ClassCard.objects.filter(person__in=persons, revoked_at__isnull=True).update(revoked_at=now)
    cards = [_new_card(person) for person in persons]
    ClassCard.objects.bulk_create(
        ClassCard(
            school_id=actor.place.id,
            person_id=card.person_id,
            token_digest=digest(card.token),
            picture_hash=pictures_digest(digest(card.token), card.pictures),
            issued_at=now,
        )
        for card in cards
    )
    return cards


def _check_reach(actor: Actor, person_ids: list[int], now: datetime) -> None:
    reach = pupils_in_reach(actor, clock.local(now, actor.place.time_zone).date())
    if reach is not None and not reach.issuperset(person_ids):
        raise Denied


def _new_card(person: Person) -> Card:
    pictures = secrets.SystemRandom().sample(PICTURES, PICTURES_TO_CHOOSE)
    return Card(person.pk, person.called, person.family_name, person.grade, new_token(), pictures)


def _open_accounts(actor: Actor, persons: list[Person], now: datetime) -> None:
    """Accounts that only a card, or later a letter, can enter."""
    wanted = {person.pk: usernames(person.called, person.family_name, person.username) for person in persons}
    taken = set(
        Account.objects.filter(
            username__in={name for names in wanted.values() for name in names}
        ).values_list("username", flat=True)
    )
    accounts = []
    for person in persons:
        # A token's tail ends the search where sixty namesakes were before.
        name = next((n for n in wanted[person.pk] if n not in taken), f"u{secrets.token_hex(8)}")
        taken.add(name)
        accounts.append(
            Account(
                username=name,
                display_name=person.full_name,
                locale=person.locale or actor.place.locale,
                password=make_password(None),
                created_at=now,
            )
        )
    for person, account in zip(persons, Account.objects.bulk_create(accounts), strict=True):
        person.account = account
        Membership.objects.filter(person=person).update(account=account)
    Person.objects.bulk_update(persons, ["account"], batch_size=500)


def _sign_out(account_ids: list[int]) -> None:
    """Whoever found a card may be signed in with it: a new unusable password ends the sessions that rest on the old one."""
    accounts = [one for one in Account.objects.filter(pk__in=account_ids) if not one.has_usable_password()]
    for account in accounts:
        account.password = make_password(None)
    Account.objects.bulk_update(accounts, ["password"], batch_size=500)
    for account in accounts:
        events.publish(SignedOutEverywhere(account.pk))


@transaction.atomic
def revoke_card(actor: Actor, person_id: int, *, now: datetime) -> None:
    """A pupil's card stops working, and so does what was signed in with it."""
    require(actor, PRINTS_CARDS)
    _check_reach(actor, [person_id], now)
    if not ClassCard.objects.filter(person_id=person_id, revoked_at__isnull=True).update(revoked_at=now):
        raise NotFound
    account_id = Person.objects.values_list("account_id", flat=True).get(pk=person_id)
    _sign_out([account_id] if account_id is not None else [])


def _may_enter(card: ClassCard, account: Account) -> bool:
    """Since it was printed the pupil may have become more than a pupil, here or elsewhere: a card is too weak for that."""
    roles = queries.roles_of([card.person_id]).get(card.person_id, frozenset())
    fits = may_have_card(roles, has_password=account.has_usable_password())
    return fits and leads_only_to(account.pk, card.school_id)


@transaction.atomic
def try_pictures(token: str, pictures: list[str], *, now: datetime) -> Account | None:
    """Whom the card lets in, or None where the pictures are wrong: then the failure is counted.

    It answers instead of raising, so that the count is committed. Raises CardLocked and NotFound, which count nothing.
    """
    card_id = queries.access_card(token).pk
    card = ClassCard.objects.select_for_update(of=("self",)).select_related("person__account").get(pk=card_id)
    if card.locked_until and now < card.locked_until:
        raise CardLocked
    is_right = are_right(card.token_digest, pictures, card.picture_hash)
    verdict = judge_attempt(is_right=is_right, failures=card.failures, now=now)
    card.failures, card.locked_until = verdict.failures, verdict.locked_until
    card.revoked_at = now if verdict.is_revoked else None
    card.save(update_fields=["failures", "locked_until", "revoked_at"])
    account: Account | None = card.person.account
    if not verdict.is_right or account is None or not _may_enter(card, account):
        return None
    Account.objects.filter(pk=account.pk, activated_at__isnull=True).update(activated_at=now)
    return account
