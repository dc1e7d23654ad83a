"""Letters with codes, and taking over an account with one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from pupitre.kernel import events
from pupitre.kernel.tokens import new_code
from pupitre.people.codes import code_digest
from pupitre.people.models import Account, Invitation, Membership, Person
from pupitre.people.queries import invitations as queries
from pupitre.people.queries.accounts import leads_to_authority, other_schools
from pupitre.people.rules import OFFICE, Actor, WrongCode, require, system_actor
from pupitre.people.rules.events import SignedOutEverywhere
from pupitre.people.rules.invitations import (
    LETTER_LASTS,
    LETTERS_AT_ONCE,
    MAIL_LASTS,
    AlreadySomebody,
    LettersMissing,
    RecoverElsewhere,
    TakenByAnother,
    UnfitUsername,
    UsernameTaken,
    is_username,
)
from pupitre.tenancy.background import deferred
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

SEND_LINKS, SEND_INVITATIONS = "pupitre.people.jobs.send_links", "pupitre.people.jobs.send_invitations"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to print. The code stands here and nowhere else: the database keeps its digest."""

    recipient: queries.Recipient
    code: str
    expires_at: datetime


@transaction.atomic
def issue_letters(actor: Actor, person_ids: Sequence[int], *, now: datetime) -> list[Letter]:
    """Give each of the persons a new code; the one of an earlier letter stops working.

    Who already has an account gets a code too, with which she chooses a new password; where the account leads to other schools,
    together with theirs. Persons whose account leads to an authority are left out. At most LETTERS_AT_ONCE.
    """
    require(actor, OFFICE)
    chosen = [
        recipient
        for recipient in queries.recipients(actor, list(person_ids)[:LETTERS_AT_ONCE])
        if recipient.account_id is None or not leads_to_authority(recipient.account_id, actor.place.id)
    ]
    ids = [person.pk for person in _lock_persons([one.person_id for one in chosen])]
    earlier = Invitation.objects.filter(person_id__in=ids, sent_to="")
    earlier.filter(used_at__isnull=True, expires_at__gt=now).update(expires_at=now)
    letters = [Letter(recipient, new_code(), now + LETTER_LASTS) for recipient in chosen]
    Invitation.objects.bulk_create(
        (
            Invitation(
                school_id=actor.place.id,
                person_id=letter.recipient.person_id,
                code_digest=code_digest(letter.code),
                issued_at=now,
                issued_by_id=actor.account_id or None,
                expires_at=letter.expires_at,
            )
            for letter in letters
        ),
        batch_size=1000,
    )
    return letters


@transaction.atomic
def invite_by_mail(actor: Actor, person_ids: Sequence[int]) -> int:
    """Have each of the persons whose address is known sent a link with a code. Answers how many that are."""
    require(actor, OFFICE)
    chosen = [
        one.person_id
        for one in queries.recipients(actor, list(person_ids))
        if one.email and one.account_id is None
    ]
    if chosen:
        deferred(SEND_INVITATIONS, actor.place.id, person_ids=chosen)
    return len(chosen)


@transaction.atomic
def ask_for_link(school: SchoolFacts, *, email: str) -> None:
    """Somebody asks for a link to the address that the roster knows. The job finds out whether there is such an adult,
    so that the answer is the same, and as fast, when there is none.
    """
    deferred(SEND_LINKS, school.id, email=email.strip().lower())


@transaction.atomic
def issue_link(school: SchoolFacts, person_id: int, *, now: datetime) -> Letter | None:
    """A code for an e-mail. Codes of letters keep working: whoever asks for a mail cannot spoil somebody's letter."""
    found = queries.recipients(system_actor(school), [person_id])
    if not found or found[0].account_id is not None or not found[0].email:
        return None
    letter = Letter(found[0], new_code(), now + MAIL_LASTS)
    Invitation.objects.create(
        school_id=school.id,
        person_id=person_id,
        code_digest=code_digest(letter.code),
        issued_at=now,
        expires_at=letter.expires_at,
        sent_to=letter.recipient.email.lower(),
    )
    return letter


def _use(invitation_id: int, now: datetime) -> tuple[Invitation, Person]:
    """Mark the invitation used and answer whom it is for. A code works once, also when it is entered twice at a moment.

    The person is locked before the codes: who uses her letter while somebody uses her mail waits here, and then finds
    her code ended.
    """
    person = _lock_persons(Invitation.objects.filter(pk=invitation_id).values("person_id")).first()
    row = Invitation.objects.filter(pk=invitation_id, used_at__isnull=True, expires_at__gt=now).first()
    if person is None or row is None:
        raise WrongCode
    row.used_at = now
    row.save(update_fields=["used_at"])
    others = Invitation.objects.filter(person_id=row.person_id, used_at__isnull=True, expires_at__gt=now)
    others.update(expires_at=now)
    return row, person


def _lock_persons(ids: Any) -> QuerySet[Person]:
    """Whoever writes codes of persons holds their rows before, in this order, so that no two wait for one another."""
    return Person.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")


@transaction.atomic
def activate_account(
    school: SchoolFacts,
    invitation_id: int,
    *,
    username: str,
    password: str | None,
    email: str = "",
    locale: str = "",
    now: datetime,
) -> Account:
    """Open the account of a code's proved holder. Without a password it can be entered by what is added next (a passkey).

    The address is confirmed only where the code was sent to it; else the caller sends the link that confirms it
    (sign_in.ask_to_confirm), and until then nothing is sent there. Raises WrongCode, UsernameTaken, UnfitUsername.
    """
    if not is_username(username):
        raise UnfitUsername
    invitation, person = _use(invitation_id, now)
    if person.account_id is not None:
        raise TakenByAnother
    account = _open(username, password, str(person), locale or person.locale or school.locale, now)
    _lead(person, account)
    if address := _free_address(email):
        _keep_address(account, address, is_proved=address == invitation.sent_to)
    return account


def _keep_address(account: Account, address: str, *, is_proved: bool) -> None:
    """The account's own address is the confirmed one; one that was only typed waits beside it until its link is followed."""
    try:
        with transaction.atomic():
            EmailAddress.objects.create(user=account, email=address, primary=is_proved, verified=is_proved)
    except IntegrityError:  # at this moment another account proved that the address is its own
        return
    if is_proved:
        account.email = address
        account.save(update_fields=["email"])


def _free_address(email: str) -> str:
    """The address, or '' where it is confirmed for another account: its owner is not told of by an error here."""
    address = email.strip().lower()
    is_taken = EmailAddress.objects.filter(email=address, verified=True).exists()
    return "" if is_taken else address


def _open(username: str, password: str | None, name: str, locale: str, now: datetime) -> Account:
    try:
        with transaction.atomic():
            return Account.objects.create(
                username=username,
                display_name=name,
                locale=locale,
                password=make_password(password),
                created_at=now,
                activated_at=now,
            )
    except IntegrityError as error:
        raise UsernameTaken from error


def _lead(person: Person, account: Account) -> None:
    person.account = account
    person.save(update_fields=["account"])
    Membership.objects.filter(person=person).update(account=account)


@transaction.atomic
def link_by_code(account_id: int, invitation_id: int, *, now: datetime) -> Person:
    """Let the account of a code's proved holder be that person in this school, too.

    Raises WrongCode, AlreadySomebody where the account is another person here, TakenByAnother where the person has one.
    """
    _invitation, person = _use(invitation_id, now)
    if person.account_id not in (None, account_id):
        raise TakenByAnother
    if queries.person_of_account(account_id) not in (None, person.pk):
        raise AlreadySomebody
    try:
        with transaction.atomic():
            _lead(person, Account.objects.get(pk=account_id))
    except IntegrityError as error:  # at this moment the account became another person by another code
        raise AlreadySomebody from error
    return person


@transaction.atomic
def recover_account(
    school: SchoolFacts, invitation_id: int, *, password: str, other_codes: Sequence[str] = (), now: datetime
) -> Account:
    """A code's proved holder, who already has an account, chooses a new password. A second factor stays as it is.

    Where the account leads to other schools, `other_codes` are of letters of theirs: no office alone may come to what the
    account may do elsewhere. Raises LettersMissing without one of each, RecoverElsewhere where it leads to an authority.
    """
    _invitation, person = _use(invitation_id, now)
    if person.account_id is None:
        raise WrongCode
    if leads_to_authority(person.account_id, school.id):
        raise RecoverElsewhere
    digests = [code_digest(code) for code in other_codes if code.strip()]
    for other in other_schools(person.account_id, school.id):
        _use_there(other, person.account_id, digests, now)
    account = Account.objects.get(pk=person.account_id)
    account.password = make_password(password)
    account.activated_at = account.activated_at or now
    account.save(update_fields=["password", "activated_at"])
    events.publish(SignedOutEverywhere(account.pk))
    return account


def _use_there(school_id: int, account_id: int, digests: list[str], now: datetime) -> None:
    """Use up the letter of another school. Whoever has left that school is given none there, and needs none."""
    with scope(school_id):
        persons = Person.objects.filter(account_id=account_id, ended_on__isnull=True)
        if not persons.exists():
            return
        letters = Invitation.objects.filter(code_digest__in=digests, person__in=persons)
        invitation = letters.filter(used_at__isnull=True, expires_at__gt=now).first()
        if invitation is None:
            raise LettersMissing
        _use(invitation.pk, now)
