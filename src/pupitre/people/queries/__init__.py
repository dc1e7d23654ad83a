"""Reading accounts, persons, roles and who looks after whom."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import fold
from pupitre.people.models import Account, AuthorityMembership, Guardianship, Membership, Person
from pupitre.people.rules import OFFICE, READS_FILES, STAFF, Actor, Role
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts

if TYPE_CHECKING:
    from allauth.account.models import EmailAddress

# Asked on every page, so it is not built anew each time.
_ROLES = """
SELECT m.person_id, m.role FROM people_membership m JOIN people_person p ON p.school_id = m.school_id AND p.id = m.person_id
 WHERE m.account_id = %s AND m.school_id = %s AND p.ended_on IS NULL
   AND (m.starts_on IS NULL OR m.starts_on <= %s) AND (m.ends_on IS NULL OR m.ends_on >= %s)
"""
_PLACES = """
SELECT school_id, person_id, role FROM people_membership
 WHERE account_id = %s AND (starts_on IS NULL OR starts_on <= %s) AND (ends_on IS NULL OR ends_on >= %s)
"""


def actor_in(account: Account, school: SchoolFacts, today: date) -> Actor:
    """The account as it stands in that school today. Without a role there, an actor without roles."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLES, [account.pk, school.id, today, today])
        rows = cursor.fetchall()
    person_id = rows[0][0] if rows else 0
    roles = frozenset(Role(role) for _, role in rows)
    return Actor(account.pk, school, person_id, roles, name=str(account))


def authority_actor(account: Account, slug: str) -> Actor:
    """The account as it stands in that authority. Without a role there, an actor without authority roles.

    Pages under `/a/<slug:authority>/` get it from the middleware, in `scope(authority=...)`: it reads figures of all the
    authority's schools and nobody's name. Marked by `access.inspects`.
    """
    authority = tenancy.authority_at(slug)
    rows = AuthorityMembership.objects.filter(authority_id=authority.pk, account_id=account.pk)
    return Actor(
        account.pk,
        name=str(account),
        authority_id=authority.pk,
        authority_roles=frozenset(Role(role) for role in rows.values_list("role", flat=True)),
        authority_demands=authority.requires_second_factor,
    )


def _current(today: date) -> Q:
    begun = Q(starts_on__isnull=True) | Q(starts_on__lte=today)
    return begun & lasting_on(today)


def has_second_factor(actor: Actor) -> bool:
    """Whether the account has a TOTP device or a passkey."""
    from allauth.mfa.models import Authenticator

    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return bool(Authenticator.objects.filter(user_id=actor.account_id, type__in=kinds).exists())


@dataclass(frozen=True, slots=True)
class Place:
    """A school that an account belongs to, with its roles there."""

    school: SchoolFacts
    person_id: int
    roles: frozenset[Role]


def places_for(account_id: int, today: date) -> list[Place]:
    """All the schools of an account, by name. Reads through the account's own scope, so no school need be chosen."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [account_id, today, today])
        rows = cursor.fetchall()
    found: dict[int, tuple[int, set[Role]]] = {}
    for school_id, person_id, role in rows:
        found.setdefault(school_id, (person_id, set()))[1].add(Role(role))
    places = [Place(tenancy.school_by_id(s), p, frozenset(roles)) for s, (p, roles) in found.items()]
    return sorted(places, key=lambda place: place.school.name)


def authorities_for(account_id: int) -> list[AuthorityMembership]:
    """The authorities whose figures an account may see."""
    return list(AuthorityMembership.objects.select_related("authority").filter(account_id=account_id))


def fleet_managers_of(authority_id: int) -> list[tuple[str, str]]:
    """Where the authority's fleet managers are written to: (confirmed address, language). They are in no school."""
    accounts = AuthorityMembership.objects.filter(authority_id=authority_id, role=Role.FLEET_MANAGER)
    found = confirmed_addresses().filter(user_id__in=accounts.values("account_id"), primary=True)
    return list(found.order_by("email").values_list("email", "user__locale"))


def access_person(actor: Actor, person_id: int, today: date | None = None) -> Person:
    """A person of the actor's school whom the actor may know: staff all, everyone themself, guardians their pupils."""
    person = Person.objects.filter(pk=person_id).first()
    if person is None or not (
        actor.is_any(STAFF) or person_id == actor.person_id or is_guardian_of(actor, person_id, today)
    ):
        raise NotFound
    return person


def access_pupil(actor: Actor, pupil_id: int, today: date | None = None) -> Person:
    """A pupil whom the actor may know; NotFound also where that person is no pupil."""
    person = access_person(actor, pupil_id, today)
    if not Membership.objects.filter(person_id=pupil_id, role=Role.PUPIL).exists():
        raise NotFound
    return person


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person who can be told something: through the account's bell, and by e-mail where one is known."""

    person_id: int
    account_id: int | None
    email: str
    locale: str
    name: str


def reachable_persons(person_ids: list[int]) -> list[Reachable]:
    """Those of the persons who have not left, in their order. The account's e-mail goes before the roster's, once it is
    confirmed: what somebody typed may be somebody else's.
    """
    confirmed = confirmed_addresses().filter(user_id=OuterRef("account_id"), primary=True)
    found = Person.objects.filter(pk__in=person_ids, ended_on__isnull=True)
    rows = found.annotate(confirmed=Subquery(confirmed.values("email")[:1])).values_list(
        "pk",
        "account_id",
        "confirmed",
        "email",
        "account__locale",
        "locale",
        "given_name",
        "family_name",
    )
    reachable = {
        row[0]: Reachable(row[0], row[1], row[2] or row[3], row[4] or row[5], f"{row[6]} {row[7]}")
        for row in rows
    }
    return [reachable[person_id] for person_id in dict.fromkeys(person_ids) if person_id in reachable]


def persons_with(school_id: int, roles: Iterable[Role], today: date) -> list[int]:
    """Who has one of those roles today in the school in scope. For telling them, not for deciding what they may."""
    # An account reads its own roles of all schools, so the school is named here.
    found = Membership.objects.filter(_current(today), school_id=school_id, role__in=list(roles))
    found = found.filter(person__ended_on__isnull=True)
    return list(found.order_by("person_id").values_list("person_id", flat=True).distinct())


def confirmed_addresses() -> "QuerySet[EmailAddress]":
    """The addresses of accounts that their owners showed to be theirs: by a link sent there, or by the invitation's own.

    Nothing else of an account's addresses is written to, but the link that confirms it: no new password, no sign-in code,
    no notification. What a roster or the office says of a person is not an address of an account: invitations go there,
    and what the school tells, as long as the account has none that is confirmed.
    """
    from allauth.account.models import EmailAddress

    found: QuerySet[EmailAddress] = EmailAddress.objects.filter(verified=True)
    return found


def own_address(actor: Actor) -> str:
    """Where the actor's account is written to, or '' while none of its addresses is confirmed."""
    mine = confirmed_addresses().filter(user_id=actor.account_id, primary=True)
    return mine.values_list("email", flat=True).first() or ""


def unconfirmed_addresses(account_id: int) -> list[str]:
    """What the account's owner typed and did not confirm yet."""
    from allauth.account.models import EmailAddress

    found = EmailAddress.objects.filter(user_id=account_id, verified=False).order_by("id")
    return list(found.values_list("email", flat=True))


def is_guardian_of(actor: Actor, pupil_id: int, today: date | None = None) -> bool:
    return guardianship_of(actor, pupil_id, today) is not None


def guardianship_of(actor: Actor, pupil_id: int, today: date | None = None) -> Guardianship | None:
    """The actor's own relation to that pupil where it entitles to see the record, until the day it ends.

    `today` is the school's where the caller does not say another day.
    """
    if not actor.person_id:
        return None
    lasting = lasting_on(today or clock.today(actor.place.time_zone))
    return Guardianship.objects.filter(
        lasting, guardian_id=actor.person_id, pupil_id=pupil_id, sees_record=True
    ).first()


def lasting_on(today: date) -> Q:
    """Rows with `ends_on` that have not ended before that day: the day on which one ends is its last."""
    return Q(ends_on__isnull=True) | Q(ends_on__gte=today)


def pupils_of_guardian(actor: Actor, today: date | None = None) -> list[Person]:
    """The pupils whose record the actor may see in this school on that day (the school's today)."""
    lasting = lasting_on(today or clock.today(actor.place.time_zone))
    ids = Guardianship.objects.filter(lasting, guardian_id=actor.person_id, sees_record=True).values_list(
        "pupil_id", flat=True
    )
    return list(Person.objects.filter(pk__in=list(ids), ended_on__isnull=True).order_by("born_on", "id"))


def guardians_of(pupil_ids: list[int], today: date) -> list[Guardianship]:
    """The relations of those pupils that have not ended before that day, first contact first, with the adult's row."""
    return list(
        Guardianship.objects.select_related("guardian")
        .filter(lasting_on(today), pupil_id__in=pupil_ids)
        .order_by("pupil_id", "priority", "id")
    )


def people_matching(actor: Actor, words: str, *, role: Role | None = None, limit: int = 50) -> list[Person]:
    """Persons whose family or given name begins with the words. Only staff search."""
    if not actor.is_any(STAFF):
        raise NotFound
    key = fold(words)
    found = Person.objects.filter(ended_on__isnull=True)
    if role is not None:
        found = found.filter(pk__in=Membership.objects.filter(role=role).values("person_id"))
    if key:
        found = found.filter(Q(family_key__startswith_c=key) | Q(given_key__startswith_c=key))
    return list(found.order_by("family_key", "id")[:limit])


def names_of(person_ids: Collection[int]) -> dict[int, str]:
    """What those of the persons are called who are of the school in scope. The right to know it is the caller's question."""
    return {person.pk: person.full_name for person in Person.objects.filter(pk__in=list(person_ids))}


__all__ = ["OFFICE", "READS_FILES"]
