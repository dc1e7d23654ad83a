"""Bringing a whole school's people at once: from another system, or the demonstration's.

Seconds for thousands of people, where `apply_people` compares and takes its time. Only for whom the school does not know.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from pupitre.kernel.errors import Conflict, NotFound, Refused
from pupitre.kernel.text import fold
from pupitre.kernel.tokens import digest
from pupitre.people.codes import pictures_digest
from pupitre.people.models import Account, ClassCard, Person
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.people.rules.cards import are_pictures
from pupitre.people.rules.loading import Everybody, NewAccount, NewPerson
from pupitre.people.rules.rosters import PERSON_COLUMNS
from pupitre.tenancy import bulk

_PERSON = (
    "id", "school_id", "account_id", "sourced_id", *PERSON_COLUMNS, "locale", "photo_key", "family_key", "given_key",
    "created_at", "ended_on",
)  # fmt: skip
_ROLE = (
    "school_id",
    "person_id",
    "account_id",
    "role",
    "roster_role",
    "department_id",
    "is_primary",
    "starts_on",
    "ends_on",
)
_GUARDIANSHIP = (
    "school_id", "pupil_id", "guardian_id", "relation", "lives_with", "sees_record", "receives_notices", "may_announce",
    "may_collect", "court_note", "priority", "ends_on",
)  # fmt: skip


@transaction.atomic
def open_accounts(wanted: Sequence[NewAccount], *, now: datetime) -> dict[str, int]:
    """Open those of the accounts that are missing and answer the ids of all by username. An act of the operator.

    An address is confirmed where the operator vouches for the account by giving it a password: the others' came from a
    roster, and their owners confirm them when they have taken their accounts over.
    An account with a password is ready for use, also if it was there without one; the others wait for their owners, who
    take them over by the letter's code.
    """
    names = [one.username for one in wanted]
    held = dict(Account.objects.filter(username__in=names).values_list("username", "id"))
    opened = Account.objects.bulk_create(
        (_account(one, now) for one in wanted if one.username not in held), batch_size=1000
    )
    ids = held | {account.username: account.pk for account in opened}
    _keep_addresses([one for one in wanted if one.email and one.username not in held], ids)
    return ids


def _account(one: NewAccount, now: datetime) -> Account:
    return Account(
        username=one.username.lower(),
        email=one.email.lower() if one.password else "",
        display_name=one.display_name,
        locale=one.locale,
        # An unusable password carries a random part, so that no two are alike.
        password=make_password(one.password or None),
        created_at=now,
        activated_at=now if one.password else None,
    )


def _keep_addresses(wanted: Iterable[NewAccount], ids: dict[str, int]) -> None:
    from allauth.account.models import EmailAddress

    EmailAddress.objects.bulk_create(
        EmailAddress(
            user_id=ids[one.username],
            email=one.email.lower(),
            primary=bool(one.password),
            verified=bool(one.password),
        )
        for one in wanted
    )


@transaction.atomic
def load_people(actor: Actor, everybody: Everybody, *, now: datetime) -> dict[str, int]:
    """Write persons, roles and guardianships; answers the persons' ids by sourcedId.

    Raises Conflict where the school knows one of the persons already: then a roster is the way.
    """
    require(actor, OFFICE)
    persons, school = everybody.persons, actor.place.id
    if Person.objects.filter(sourced_id__in=[one.sourced_id for one in persons]).exists():
        raise Conflict
    numbers = bulk.next_ids("people_person", len(persons))
    ids = {one.sourced_id: number for one, number in zip(persons, numbers, strict=True)}
    accounts = {one.sourced_id: one.account_id for one in persons}
    bulk.insert_rows("people_person", _PERSON, (_person(one, ids, school, now) for one in persons))
    bulk.insert_rows(
        "people_membership",
        _ROLE,
        (
            (school, ids[one.person], accounts[one.person], one.role, one.roster_role, None, one.is_primary, one.starts_on, one.ends_on)
            for one in everybody.roles
        ),
    )  # fmt: skip
    bulk.insert_rows(
        "people_guardianship",
        _GUARDIANSHIP,
        (
            (school, ids[one.pupil], ids[one.guardian], one.relation, one.lives_with, one.sees_record, one.receives_notices,
             one.may_announce, one.may_collect, one.court_note, one.priority, None)
            for one in everybody.guardianships
        ),
    )  # fmt: skip
    return ids


def _person(one: NewPerson, ids: dict[str, int], school: int, now: datetime) -> tuple[Any, ...]:
    told = {**PERSON_COLUMNS, "locale": "", **one.told}
    name, family = told["preferred_name"] or told["given_name"], told["family_name"]
    return (
        ids[one.sourced_id],
        school,
        one.account_id,
        one.sourced_id,
        *(told[column] for column in PERSON_COLUMNS),
        told["locale"],
        "",
        fold(f"{family} {name}"),
        fold(f"{name} {family}"),
        now,
        one.ended_on,
    )


def account_of(username: str) -> Account:
    """The account of that user name. For the operator, who appoints it."""
    return Account.objects.get(username=username.lower())


@transaction.atomic
def load_card(actor: Actor, person_id: int, *, token: str, pictures: Sequence[str], now: datetime) -> None:
    """Let a class card that was printed elsewhere work here. The child has an account without a password.

    Raises NotFound where the school does not know the child, and Refused where these are not three of the pictures.
    """
    require(actor, OFFICE)
    chosen = list(pictures)
    if not are_pictures(chosen):
        raise Refused
    if not Person.objects.filter(pk=person_id, account__isnull=False).exists():
        raise NotFound
    kept = digest(token)
    ClassCard.objects.create(
        school_id=actor.place.id,
        person_id=person_id,
        token_digest=kept,
        picture_hash=pictures_digest(kept, chosen),
        issued_at=now,
    )
