"""Looking people up, and what a person's file holds for whom."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Q

from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import fold, initials
from pupitre.people.models import Account, ClassCard, Guardianship, Invitation, Membership, Person
from pupitre.people.rules import OFFICE, READS_SENSITIVE, STAFF, Actor, Relation, Role, require
from pupitre.people.rules.invitations import InvitationState, state_of

from . import _current, is_guardian_of, lasting_on
from .reach import near, openable

PER_PAGE = 40
# From each grade to the next one, by the index: a school has some ten, and hundreds of pupils in each.
_GRADES: Final = """
WITH RECURSIVE step AS (
    (SELECT grade FROM people_person WHERE ended_on IS NULL AND grade <> '' ORDER BY grade LIMIT 1)
     UNION ALL
    SELECT (SELECT p.grade FROM people_person p WHERE p.ended_on IS NULL AND p.grade <> '' AND p.grade > step.grade
             ORDER BY p.grade LIMIT 1)
      FROM step WHERE step.grade IS NOT NULL)
SELECT grade FROM step WHERE grade IS NOT NULL ORDER BY grade
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the search: ready to render."""

    id: int
    name: str
    initials: str
    grade: str
    roles: tuple[Role, ...]
    has_photo: bool
    has_left: bool
    #: Whether the actor may open the file.
    opens: bool


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of the people of a school; `page` is Django's, its object_list the lines."""

    lines: list[Found]
    page: Page[Person]
    grades: list[str]


def search_people(
    actor: Actor,
    *,
    words: str,
    role: Role | None,
    grade: str,
    page: int,
    today: date,
    with_left: bool = False,
) -> SearchPage:
    """People whose family or given name begins with the words. Only staff search, and only the office sees who left."""
    require(actor, STAFF)
    found = Person.objects.order_by("family_key", "id")
    if not (with_left and actor.is_any(OFFICE)):
        found = found.filter(ended_on__isnull=True)
    if role is not None:
        found = found.filter(pk__in=Membership.objects.filter(_current(today), role=role).values("person_id"))
    if grade:
        found = found.filter(grade=grade)
    if key := fold(words):
        found = found.filter(Q(family_key__startswith_c=key) | Q(given_key__startswith_c=key))
    columns = ("id", "given_name", "preferred_name", "family_name", "grade", "photo_key", "ended_on")
    chosen = Paginator(found.only(*columns), PER_PAGE).get_page(page)
    return SearchPage(_lines(actor, list(chosen.object_list), today), chosen, grades_of(actor))


def _lines(actor: Actor, persons: list[Person], today: date) -> list[Found]:
    opens = openable(actor, [person.pk for person in persons], today)
    roles: dict[int, set[Role]] = {}
    rows = Membership.objects.filter(_current(today), person_id__in=[person.pk for person in persons])
    for person_id, role in rows.values_list("person_id", "role"):
        roles.setdefault(person_id, set()).add(Role(role))
    return [
        Found(
            id=person.pk,
            name=person.sorted_name,
            initials=initials(person.called, person.family_name),
            grade=person.grade,
            roles=tuple(sorted(roles.get(person.pk, ()))),
            has_photo=bool(person.photo_key),
            has_left=person.ended_on is not None,
            opens=person.pk in opens,
        )
        for person in persons
    ]


def grades_of(actor: Actor) -> list[str]:
    """The grades that somebody of the school is in, for a filter."""
    require(actor, STAFF)
    with connection.cursor() as cursor:
        cursor.execute(_GRADES)
        return [grade for (grade,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Tie:
    """A guardian of the pupil whose file it is, or a pupil of the guardian's. `court_note` is '' for who may not read it."""

    person_id: int
    name: str
    relation: Relation
    email: str
    phone: str
    lives_with: bool
    sees_record: bool
    receives_notices: bool
    may_announce: bool
    may_collect: bool
    court_note: str
    priority: int


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role of the person, with its dates."""

    id: int
    role: Role
    department: str
    starts_on: date | None
    ends_on: date | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class PersonFile:
    """A person's file as far as the actor may read it."""

    person: Person
    roles: list[RoleLine]
    guardians: list[Tie]
    pupils: list[Tie]
    #: Those of `pupils` whose own file the actor may open.
    openable: frozenset[int]
    shows_contact: bool
    shows_sensitive: bool
    may_change: bool
    username: str
    invitation: InvitationState
    has_card: bool


def file_of(actor: Actor, person: Person, *, today: date, now: datetime) -> PersonFile:
    """What `actions.open_file` shows after it noted the look."""
    roles = _roles(person, today)
    kinds = {line.role for line in roles}
    sensitive = actor.is_any(READS_SENSITIVE)
    is_colleague = bool(kinds & STAFF) and not kinds & {Role.PUPIL, Role.GUARDIAN}
    is_near = bool(near(actor, [person.pk], today))
    told = kinds if is_near else frozenset[Role]()
    pupils = _ties(today, sensitive=sensitive, guardian_id=person.pk) if Role.GUARDIAN in told else []
    return PersonFile(
        person=person,
        roles=roles,
        guardians=_ties(today, sensitive=sensitive, pupil_id=person.pk) if Role.PUPIL in told else [],
        pupils=pupils,
        openable=openable(actor, [tie.person_id for tie in pupils], today),
        shows_contact=(is_near and not is_colleague) or actor.is_any(OFFICE),
        shows_sensitive=sensitive,
        may_change=actor.is_any(OFFICE),
        username=_username(person) if actor.is_any(OFFICE) else "",
        invitation=_invitation(person, now),
        has_card=ClassCard.objects.filter(person=person, revoked_at__isnull=True).exists(),
    )


def _roles(person: Person, today: date) -> list[RoleLine]:
    rows = Membership.objects.filter(person=person).order_by("role", "id")
    values = rows.values_list("id", "role", "department__name", "starts_on", "ends_on")
    return [
        RoleLine(
            pk,
            Role(role),
            department or "",
            start,
            end,
            (start or today) <= today and (end or today) >= today,
        )
        for pk, role, department, start, end in values
    ]


def _ties(today: date, *, sensitive: bool, pupil_id: int = 0, guardian_id: int = 0) -> list[Tie]:
    other = "guardian" if pupil_id else "pupil"
    wanted = {"pupil_id": pupil_id} if pupil_id else {"guardian_id": guardian_id}
    rows = Guardianship.objects.select_related(other).filter(lasting_on(today), **wanted)
    return [_tie(row, getattr(row, other), sensitive=sensitive) for row in rows.order_by("priority", "id")]


def _tie(row: Guardianship, other: Person, *, sensitive: bool) -> Tie:
    return Tie(
        person_id=other.pk,
        name=other.full_name,
        relation=Relation(row.relation),
        email=other.email,
        phone=other.phone or other.sms,
        lives_with=row.lives_with,
        sees_record=row.sees_record,
        receives_notices=row.receives_notices,
        may_announce=row.may_announce,
        may_collect=row.may_collect,
        court_note=row.court_note if sensitive else "",
        priority=row.priority,
    )


def _username(person: Person) -> str:
    if person.account_id is None:
        return ""
    found = Account.objects.filter(pk=person.account_id).values_list("username", flat=True).first()
    return found or ""


def _invitation(person: Person, now: datetime) -> InvitationState:
    row = Invitation.objects.filter(person=person, used_at__isnull=True).order_by("-issued_at").first()
    return state_of(row.issued_at, row.expires_at, now) if row else InvitationState.NONE


def access_photo(actor: Actor, person_id: int) -> str:
    """The key of a person's photo: for staff, for oneself, and for guardians who see the record. NotFound otherwise."""
    key = Person.objects.filter(pk=person_id).values_list("photo_key", flat=True).first()
    is_allowed = (
        actor.is_any(STAFF)
        or person_id == actor.person_id
        or (bool(actor.roles) and is_guardian_of(actor, person_id))
    )
    if not key or not is_allowed:
        raise NotFound
    return key


def access_person_for_office(actor: Actor, person_id: int) -> Person:
    """A person whom the office may change."""
    require(actor, OFFICE)
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound
    return person


def role_of(actor: Actor, person_id: int, membership_id: int) -> Role:
    """Which role of that person it is, for the office. Raises NotFound."""
    require(actor, OFFICE)
    # An account reads its own roles of all schools, so the school is named here.
    found = Membership.objects.filter(pk=membership_id, person_id=person_id, school_id=actor.place.id)
    role = found.values_list("role", flat=True).first()
    if role is None:
        raise NotFound
    return Role(role)


def access_guardianship(actor: Actor, pupil_id: int, guardian_id: int) -> Guardianship:
    """The relation of an adult to a pupil, for the office to change."""
    require(actor, OFFICE)
    found = (
        Guardianship.objects.select_related("pupil", "guardian")
        .filter(pupil_id=pupil_id, guardian_id=guardian_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def adults_matching(actor: Actor, words: str, *, without: int, limit: int = 20) -> list[Person]:
    """People of the school who could be made a pupil's guardian: no pupils, and not the pupil's own row."""
    require(actor, OFFICE)
    if not (key := fold(words)):
        return []
    pupils = Membership.objects.filter(role=Role.PUPIL).values("person_id")
    found = Person.objects.filter(ended_on__isnull=True).exclude(pk=without).exclude(pk__in=pupils)
    named = found.filter(Q(family_key__startswith_c=key) | Q(given_key__startswith_c=key))
    return list(named.order_by("family_key", "id")[:limit])
