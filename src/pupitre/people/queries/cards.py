"""Class cards: who has one, and whom a card's token names."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Q

from pupitre.kernel.errors import NotFound
from pupitre.kernel.tokens import digest
from pupitre.people.models import ClassCard, Membership, Person
from pupitre.people.rules import PRINTS_CARDS, Actor, Role, require
from pupitre.people.rules.cards import may_have_card

from . import _current
from .reach import pupils_in_reach


@dataclass(frozen=True, slots=True)
class CardLine:
    """A pupil in the list of cards."""

    person_id: int
    name: str
    grade: str
    issued_at: datetime | None
    locked_until: datetime | None
    may_have_one: bool


def card_lines(actor: Actor, *, grade: str, today: date) -> list[CardLine]:
    """The pupils of a grade, with their cards; a teacher's own. Four statements, however many they are."""
    require(actor, PRINTS_CARDS)
    if not grade:
        return []
    pupils = Membership.objects.filter(_current(today), role=Role.PUPIL).values("person_id")
    found = Person.objects.filter(_within(actor, today), grade=grade, ended_on__isnull=True, pk__in=pupils)
    persons = list(found.select_related("account").order_by("family_key", "id"))
    roles = roles_of([person.pk for person in persons])
    cards = {
        card.person_id: card
        for card in ClassCard.objects.filter(person_id__in=[p.pk for p in persons], revoked_at__isnull=True)
    }
    return [
        CardLine(
            person_id=person.pk,
            name=person.sorted_name,
            grade=person.grade,
            issued_at=cards[person.pk].issued_at if person.pk in cards else None,
            locked_until=cards[person.pk].locked_until if person.pk in cards else None,
            may_have_one=may_have_card(roles.get(person.pk, frozenset()), has_password=has_password(person)),
        )
        for person in persons
    ]


def card_grades(actor: Actor, *, today: date) -> list[str]:
    """The grades that have pupils, those whose cards the actor prints."""
    require(actor, PRINTS_CARDS)
    pupil = Membership.objects.filter(_current(today), role=Role.PUPIL, person_id=OuterRef("pk"))
    rows = (
        Person.objects.filter(_within(actor, today), Exists(pupil), ended_on__isnull=True)
        .exclude(grade="")
        .order_by("grade")
    )
    return list(rows.values_list("grade", flat=True).distinct())


def _within(actor: Actor, today: date) -> Q:
    reach = pupils_in_reach(actor, today)
    return Q() if reach is None else Q(pk__in=list(reach))


def roles_of(person_ids: list[int]) -> dict[int, frozenset[Role]]:
    """All roles that each person has or had here: a card is for who never was anything but a pupil."""
    found: dict[int, set[Role]] = {}
    for person_id, role in Membership.objects.filter(person_id__in=person_ids).values_list(
        "person_id", "role"
    ):
        found.setdefault(person_id, set()).add(Role(role))
    return {person_id: frozenset(roles) for person_id, roles in found.items()}


def has_password(person: Person) -> bool:
    return person.account is not None and person.account.has_usable_password()


def access_card(token: str) -> ClassCard:
    """The card of that token in the school of the scope. NotFound: unknown, revoked, or its pupil has left."""
    found = ClassCard.objects.select_related("person").filter(token_digest=digest(token)).first()
    if found is None or found.revoked_at is not None or found.person.ended_on is not None:
        raise NotFound
    return found
