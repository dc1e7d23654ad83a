"""Who has no account yet, and what a code is about."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, Q, QuerySet, Subquery

from pupitre.kernel import clock
from pupitre.people.codes import code_digest
from pupitre.people.models import Account, Guardianship, Invitation, Membership, Person
from pupitre.people.rules import OFFICE, Actor, Role, WrongCode, require
from pupitre.people.rules.grades import grade_label
from pupitre.people.rules.invitations import ROLES_OF, Group, Identity, InvitationState, state_of, usernames
from pupitre.tenancy.models import School

from . import _current, lasting_on
from .accounts import leads_to_authority, other_schools

PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Uninvited:
    """Somebody without an account: a line of the list. `pupils` names a guardian's pupils."""

    id: int
    name: str
    grade: str
    pupils: str
    has_email: bool
    state: InvitationState
    issued_at: datetime | None


@dataclass(frozen=True, slots=True)
class NotYetActive:
    """A page of those who are not active yet. `counts` holds the number of every group."""

    lines: list[Uninvited]
    page: Page[Any]
    counts: dict[Group, int]
    grades: list[str]


def not_yet_active(
    actor: Actor,
    group: Group,
    *,
    grade: str = "",
    state: InvitationState | None = None,
    page: int = 1,
    today: date,
    now: datetime,
) -> NotYetActive:
    """People without an account: families, pupils or staff. A grade chooses pupils, or the families of its pupils."""
    require(actor, OFFICE)
    found = _in_state(_without_account(group, grade, today), state, now)
    chosen = Paginator(found.order_by("family_key", "id"), PER_PAGE).get_page(page)
    persons = list(chosen.object_list)
    pupils = (
        _pupils_of([person.pk for person in persons], actor.place.country, today)
        if group is Group.FAMILIES
        else {}
    )
    lines = [_line(person, pupils.get(person.pk, []), now) for person in persons]
    counts = {one: _without_account(one, "", today).count() for one in Group}
    grades = Person.objects.filter(ended_on__isnull=True).exclude(grade="").order_by("grade")
    return NotYetActive(lines, chosen, counts, list(grades.values_list("grade", flat=True).distinct()))


def ids_not_yet_active(actor: Actor, group: Group, *, grade: str, today: date, limit: int) -> list[int]:
    """Everybody whom the list shows on all of its pages, in its order."""
    require(actor, OFFICE)
    rows = _without_account(group, grade, today).order_by("family_key", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def _without_account(group: Group, grade: str, today: date) -> QuerySet[Person]:
    roles = [role.value for role in ROLES_OF[group]]
    members = Membership.objects.filter(_current(today), role__in=roles).values("person_id")
    found = Person.objects.filter(account__isnull=True, ended_on__isnull=True, pk__in=members)
    if grade and group is Group.FAMILIES:
        pupils = Person.objects.filter(grade=grade, ended_on__isnull=True).values("id")
        ties = Guardianship.objects.filter(lasting_on(today), pupil_id__in=pupils)
        return found.filter(pk__in=ties.values("guardian_id"))
    return found.filter(grade=grade) if grade else found


def _in_state(found: QuerySet[Person], state: InvitationState | None, now: datetime) -> QuerySet[Any]:
    last = Invitation.objects.filter(person_id=OuterRef("pk"), used_at__isnull=True).order_by("-issued_at")
    dated = found.annotate(
        issued_at=Subquery(last.values("issued_at")[:1]), expires_at=Subquery(last.values("expires_at")[:1])
    )
    if state is InvitationState.NONE:
        return dated.filter(issued_at__isnull=True)
    if state is InvitationState.SENT:
        return dated.filter(expires_at__gt=now)
    return dated.filter(expires_at__lte=now) if state is InvitationState.EXPIRED else dated


def _line(person: Any, pupils: list[str], now: datetime) -> Uninvited:
    return Uninvited(
        id=person.pk,
        name=person.sorted_name,
        grade=person.grade,
        pupils=", ".join(pupils),
        has_email=bool(person.email),
        state=state_of(person.issued_at, person.expires_at, now),
        issued_at=person.issued_at,
    )


def _pupils_of(guardian_ids: list[int], country: str, today: date) -> dict[int, list[str]]:
    """Names of the pupils of each adult, with their grades, as an address on an envelope needs them."""
    rows = (
        Guardianship.objects.filter(
            lasting_on(today), guardian_id__in=guardian_ids, pupil__ended_on__isnull=True
        )
        .order_by("pupil__born_on", "pupil_id")
        .values_list(
            "guardian_id", "pupil__given_name", "pupil__preferred_name", "pupil__family_name", "pupil__grade"
        )
    )
    found: dict[int, list[str]] = {}
    for guardian, given, preferred, family, grade in rows:
        found.setdefault(guardian, []).append(
            f"{preferred or given} {family}" + (f" ({grade_label(grade, country)})" if grade else "")
        )
    return found


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter goes to."""

    person_id: int
    account_id: int | None
    name: str
    grade: str
    pupils: list[str]
    email: str
    locale: str


def recipients(actor: Actor, person_ids: list[int]) -> list[Recipient]:
    """The persons as letters address them, in the order in which a school hands letters out: by grade, then by name."""
    require(actor, OFFICE)
    rows = Person.objects.filter(pk__in=person_ids, ended_on__isnull=True).select_related("account")
    persons = list(rows.order_by("grade", "family_key", "id"))
    today = clock.today(actor.place.time_zone)
    pupils = _pupils_of([person.pk for person in persons], actor.place.country, today)
    return [
        Recipient(
            person_id=person.pk,
            account_id=person.account_id,
            name=person.full_name,
            grade=person.grade,
            pupils=pupils.get(person.pk, []),
            email=person.email,
            locale=(person.account.locale if person.account else "") or person.locale or actor.place.locale,
        )
        for person in persons
    ]


@dataclass(frozen=True, slots=True)
class Letterhead:
    """How the school signs its letters."""

    name: str
    address: str
    phone: str
    email: str


def letterhead(actor: Actor) -> Letterhead:
    row = School.objects.get(pk=actor.place.id)
    return Letterhead(row.name, row.address, row.phone, row.email)


@dataclass(frozen=True, slots=True)
class Claim:
    """What an open code is about. Nothing of it is shown before the holder proved who she is."""

    invitation_id: int
    person_id: int
    account_id: int | None
    name: str
    is_adult: bool
    email: str
    sent_to: str
    identity: Identity
    username: str
    proposals: list[str]


def find_claim(code: str, now: datetime) -> Claim:
    """The code's claim in the school of the scope. Raises WrongCode: unknown, used, expired and revoked are one answer."""
    invitation = Invitation.objects.filter(code_digest=code_digest(code)).values_list("id", flat=True).first()
    if invitation is None:
        raise WrongCode
    return access_claim(invitation, now)


def access_claim(invitation_id: int, now: datetime) -> Claim:
    """The claim of an invitation that is still open. Raises WrongCode."""
    row = Invitation.objects.select_related("person__account").filter(pk=invitation_id).first()
    if row is None or row.used_at is not None or row.expires_at <= now or row.person.ended_on is not None:
        raise WrongCode
    person = row.person
    roles = set(Membership.objects.filter(person=person).values_list("role", flat=True))
    account = person.account
    return Claim(
        invitation_id=row.pk,
        person_id=person.pk,
        account_id=person.account_id,
        name=person.full_name,
        is_adult=bool(roles - {Role.PUPIL}),
        email=row.sent_to or person.email,
        sent_to=row.sent_to,
        identity=Identity(person.family_name, person.born_on),
        username=account.username if account else "",
        proposals=[] if account else free_usernames(person, 3),
    )


def free_usernames(person: Person, count: int) -> list[str]:
    """Some user names that nobody has, best first."""
    names = usernames(person.called, person.family_name, person.username)
    taken = set(Account.objects.filter(username__in=names).values_list("username", flat=True))
    return list(dict.fromkeys(name for name in names if name not in taken))[:count]


class Recovery(Enum):
    """What a letter needs besides to change the password of the account that it is about."""

    NOTHING = "nothing"
    #: Otherwise one school's office could take over what the account may do in another.
    OTHER_LETTERS = "other letters"
    #: No school's letter does: an authority sees more than any of them.
    IMPOSSIBLE = "impossible"


def recovery_of(claim: Claim, school_id: int) -> Recovery:
    if claim.account_id is None or leads_to_authority(claim.account_id, school_id):
        return Recovery.IMPOSSIBLE
    return Recovery.OTHER_LETTERS if other_schools(claim.account_id, school_id) else Recovery.NOTHING


def adults_at(email: str) -> list[int]:
    """Persons without an account whose roster e-mail that is, and who are not only pupils. For the school's own job."""
    adults = Membership.objects.exclude(role=Role.PUPIL).values("person_id")
    found = Person.objects.filter(
        Q(email__iexact=email), account__isnull=True, ended_on__isnull=True, pk__in=adults
    )
    return list(found.order_by("id").values_list("id", flat=True)[:4])


def person_of_account(account_id: int) -> int | None:
    """Whom the account already is in the school of the scope."""
    return Person.objects.filter(account_id=account_id).values_list("id", flat=True).first()
