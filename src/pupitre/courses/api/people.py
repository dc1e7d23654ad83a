"""People: the list, a person, roles and who looks after whom."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Day, Flag, Id, Line, Name, Order, Prose, Row, Sent, Words, told
from pupitre.courses.queries.listing import members_now
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound, Refused
from pupitre.people import actions
from pupitre.people.access import actor_of
from pupitre.people.queries import access_person, files, listing
from pupitre.people.rules import Actor, LookAt, Relation, Role, Sex

router = Router(tags=["People"])
reads, writes = machine(Scope.PEOPLE_READ), machine(Scope.PEOPLE_WRITE)

RoleWord = Literal[
    "head",
    "secretary",
    "teacher",
    "aide",
    "counsellor",
    "nurse",
    "pupil",
    "guardian",
    "inspector",
    "technician",
    "fleet_manager",
]
#: An office's role opens everything: the office gives it by hand.
GivenRole = Literal["teacher", "aide", "counsellor", "nurse", "pupil", "guardian"]
GIVEN_ROLES: Final = frozenset(
    {Role.TEACHER, Role.AIDE, Role.COUNSELLOR, Role.NURSE, Role.PUPIL, Role.GUARDIAN}
)
RelationWord = Literal["mother", "father", "guardian", "grandparent", "relative", "other"]
SexWord = Literal["female", "male", "other"]
Mail = Annotated[str, Field(max_length=200, pattern=r"^([^\s@\x00-\x1f]+@[^\s@\x00-\x1f]+)?$")]
Short = Annotated[str, Field(max_length=40, pattern=r"^[^\x00-\x1f]*$", strict=True)]


class UnknownNames(Refused):
    """A person needs a given name and a family name."""


class PersonRow(Row):
    """A person as a list shows it."""

    id: int = told("The person's number in the school.", 4711)
    sourced_id: str = told("The number in the system that the person's roster came from.", "p-2014-0302")
    identifier: str = told("What the school itself calls the person by, such as a card's number.", "A-1023")
    given_name: str = told("Given name.", "Paula")
    preferred_name: str = told("What she is called, where that differs.", "Pau")
    family_name: str = told("Family name.", "Puig Serra")
    grade: str = told("OneRoster's grade code, or the school's own label.", "07")
    roles: list[RoleWord] = told("What the person is in the school today.", ["pupil"])
    ended_on: date | None = told("The day on which the person left.", None)


class RoleRow(Row):
    """A role that a person has or had."""

    id: int = told("The role's number.", 12)
    role: RoleWord = told("Which role.", "pupil")
    department: str = told("The department it is limited to, or empty.", "")
    starts_on: date | None = told("Its first day.", date(2026, 9, 1))
    ends_on: date | None = told("Its last day.", None)
    is_current: bool = told("Whether it counts today.", example=True)


class PersonFacts(Row):
    """Everything that the school's office keeps of a person. Each reading is noted in the person's history."""

    id: int = told("The person's number in the school.", 4711)
    sourced_id: str = told("The number in the system that the person's roster came from.", "p-2014-0302")
    identifier: str = told("What the school itself calls the person by.", "A-1023")
    given_name: str = told("Given name.", "Paula")
    middle_name: str = told("Middle name.", "")
    preferred_name: str = told("What she is called, where that differs.", "Pau")
    family_name: str = told("Family name.", "Puig Serra")
    grade: str = told("OneRoster's grade code, or the school's own label.", "07")
    email: str = told("E-mail.", "pau@school.example")
    phone: str = told("Telephone.", "+34 972 000 000")
    sms: str = told("Mobile telephone.", "")
    born_on: date | None = told("Date of birth.", date(2014, 3, 2))
    birth_place: str = told("Place of birth.", "Girona")
    birth_country: str = told("Country of birth.", "ES")
    sex: SexWord | None = told("Sex as the register of births has it.", "female")
    locale: str = told("Language of letters, empty for the school's.", "ca")
    roles: list[RoleRow] = told("Roles, past ones too.", [RoleRow])
    ended_on: date | None = told("The day on which the person left.", None)


class GuardianRow(Row):
    """An adult who looks after a pupil, and what she is entitled to."""

    person_id: int = told("The adult's number in the school.", 5822)
    name: str = told("The adult's name.", "Mara Puig")
    relation: RelationWord = told("What the adult is to the pupil.", "mother")
    priority: int = told("In which order they are called.", 1)
    email: str = told("E-mail.", "mara@family.example")
    phone: str = told("Telephone.", "+34 600 000 000")
    lives_with: bool = told("Whether the pupil lives there.", example=True)
    sees_record: bool = told("Whether the adult may read the pupil's record.", example=True)
    receives_notices: bool = told("Whether the adult is told what happens.", example=True)
    may_announce: bool = told("Whether the adult may announce absences.", example=True)
    may_collect: bool = told("Whether the pupil may be handed to the adult.", example=True)


class PersonSent(Sent):
    """What is to be known of a person. What is left out stays as it is, or empty."""

    given_name: Name | None = told("Given name.", "Paula", default=None)
    middle_name: Line | None = told("Middle name.", "", default=None)
    family_name: Name | None = told("Family name.", "Puig Serra", default=None)
    preferred_name: Line | None = told("What she is called.", "Pau", default=None)
    identifier: Line | None = told("The school's own number.", "A-1023", default=None)
    grade: Short | None = told("OneRoster's grade code, or the school's own label.", "07", default=None)
    email: Mail | None = told("E-mail, or empty.", "pau@school.example", default=None)
    phone: Short | None = told("Telephone.", "+34 972 000 000", default=None)
    sms: Short | None = told("Mobile telephone.", "", default=None)
    born_on: Day | None = told("Date of birth.", date(2014, 3, 2), default=None)
    birth_place: Line | None = told("Place of birth.", "Girona", default=None)
    birth_country: Line | None = told("Country of birth.", "ES", default=None)
    sex: SexWord | None = told("Sex.", "female", default=None)
    locale: Literal["", "es", "ca", "fr", "de", "en", "pt"] | None = told(
        "Language of letters.", "ca", default=None
    )


class NewPerson(PersonSent):
    """A person whom no roster brings."""

    given_name: Name = told("Given name.", "Paula")
    family_name: Name = told("Family name.", "Puig Serra")
    role: GivenRole = told("The first role.", "pupil")
    sourced_id: Name | None = told(
        "Your own number of the person, unique in the school.", "lib-77", default=None
    )


class NewRole(Sent):
    """A role for a person."""

    role: GivenRole = told("Which role. Offices and heads are appointed by hand.", "teacher")
    starts_on: Day | None = told("Its first day; left out, at once.", date(2026, 9, 1), default=None)
    ends_on: Day | None = told("Its last day; left out, without end.", None, default=None)


class GuardianSent(Sent):
    """What an adult is to a pupil. What is left out stays as it is, or as usual."""

    relation: RelationWord | None = told("What the adult is to the pupil.", "mother", default=None)
    priority: Order | None = told("In which order.", 1, default=None)
    lives_with: Flag | None = told("Whether the pupil lives there.", example=True, default=None)
    sees_record: Flag | None = told("Whether she may read the record.", example=True, default=None)
    receives_notices: Flag | None = told("Whether she is told what happens.", example=True, default=None)
    may_announce: Flag | None = told("Whether she may announce absences.", example=True, default=None)
    may_collect: Flag | None = told("Whether the pupil may be handed to her.", example=True, default=None)
    court_note: Annotated[Prose, Field(max_length=2000)] | None = told(
        "A court's limits. Only the office and counsellors read it; it is written here and never answered.",
        "",
        default=None,
    )


class PeopleAsked(Schema):
    """Which people are listed."""

    q: Words = told("Beginning of the family or given name.", "pui", default="")
    role: RoleWord | None = told("Only people with that role today.", "pupil", default=None)
    class_id: Id | None = told("Only people who are in that class today.", 31, default=None)
    ended: Literal["without", "with"] = told(
        "Whether people who left are listed.", "without", default="without"
    )


def _today(actor: Actor) -> date:
    return clock.today(actor.place.time_zone)


def _row(person: listing.ListedPerson) -> dict[str, Any]:
    return {name: getattr(person, name) for name in person.__slots__} | {"roles": _words(person.roles)}


def _words(roles: tuple[Role, ...]) -> list[str]:
    return [role.name.lower() for role in roles]


@router.get("/people", response=Page[PersonRow], auth=reads)
def list_people(
    request: HttpRequest, response: HttpResponse, asked: Query[PeopleAsked], part: Query[Paged]
) -> Any:
    """The people of the school by name: no contacts and no dates of birth, which one person's own address has."""
    actor = actor_of(request)
    today = _today(actor)
    people, following = listing.people_after(
        actor,
        key_of(part.cursor, str, int),
        limit=part.limit,
        today=today,
        words=asked.q,
        role=Role[asked.role.upper()] if asked.role else None,
        among=members_now(asked.class_id, today) if asked.class_id else None,
        with_left=asked.ended == "with",
    )
    return page_of(request, response, [_row(person) for person in people], following)


@router.get("/people/{person}", response=PersonFacts, auth=reads)
def read_person(request: HttpRequest, person: Id) -> Any:
    """One person with contacts and roles. Who looked, and when, stands in the person's history."""
    return _facts(actor_of(request), person)


def _facts(actor: Actor, person_id: int) -> dict[str, Any]:
    found = actions.open_file(actor, person_id, today=_today(actor), now=clock.now())
    person = found.person
    plain = {name: getattr(person, name) for name in PersonFacts.model_fields if name not in {"roles", "sex"}}
    roles = [
        {
            "id": line.id,
            "role": line.role.name.lower(),
            "department": line.department,
            "starts_on": line.starts_on,
            "ends_on": line.ends_on,
            "is_current": line.is_current,
        }
        for line in found.roles
    ]
    sex = Sex(person.sex).name.lower() if person.sex else None
    return {**plain, "roles": roles, "sex": sex}


@router.get("/people/{person}/guardians", response=list[GuardianRow], auth=reads)
def list_guardians(request: HttpRequest, person: Id) -> Any:
    """Who looks after a pupil, the first to be called first. Noted in the pupil's history."""
    actor, now = actor_of(request), clock.now()
    found = files.file_of(actor, access_person(actor, person), today=_today(actor), now=now)
    actions.note_looks(actor, [person], LookAt.CONTACTS, now=now)
    return [
        {
            name: tie.relation.name.lower() if name == "relation" else getattr(tie, name)
            for name in GuardianRow.model_fields
        }
        for tie in found.guardians
    ]


def _told(sent: Sent, *without: str) -> dict[str, Any]:
    """What a body says, a word for its number; null stands for empty."""
    facts = sent.model_dump(exclude_unset=True, exclude=set(without))
    for name, value in facts.items():
        if value is None and name not in {"born_on", "sex", "starts_on", "ends_on"}:
            facts[name] = ""
    if facts.get("sex"):
        facts["sex"] = Sex[facts["sex"].upper()].value
    return facts


class Made(Row):
    """What was made."""

    id: int = told("Its number.", 4711)


@router.post("/people", response={201: Made}, auth=writes)
def add_person(request: HttpRequest, body: NewPerson) -> Any:
    """Add a person with a first role."""
    facts = _told(body, "role")
    if not facts.get("sourced_id"):
        facts.pop("sourced_id", None)
    role = Role[body.role.upper()]
    added = actions.add_person(actor_of(request), role=role, now=clock.now(), **facts)
    return Status(201, {"id": added.pk})


@router.patch("/people/{person}", response={204: None}, auth=writes)
def change_person(request: HttpRequest, person: Id, body: PersonSent) -> Any:
    """Change what is known of a person: only the names that the body has."""
    facts = _told(body)
    if "" in (facts.get("given_name"), facts.get("family_name")):
        raise UnknownNames
    actions.change_person(actor_of(request), person, **facts)
    return Status(204, None)


@router.put("/people/{person}/departure", response={204: None}, auth=writes)
def end_person(request: HttpRequest, person: Id) -> Any:
    """The person leaves the school today. Nothing is deleted; codes and cards stop working."""
    actor = actor_of(request)
    actions.end_person(actor, person, on=_today(actor), now=clock.now())
    return Status(204, None)


@router.delete("/people/{person}/departure", response={204: None}, auth=writes)
def return_person(request: HttpRequest, person: Id) -> Any:
    """The person who had left is there again."""
    actions.return_person(actor_of(request), person)
    return Status(204, None)


@router.post("/people/{person}/roles", response={201: Made}, auth=writes)
def give_role(request: HttpRequest, person: Id, body: NewRole) -> Any:
    """Give a person a role, or again where it had ended."""
    actor = actor_of(request)
    found = files.access_person_for_office(actor, person)
    role = Role[body.role.upper()]
    given = actions.grant_role(actor, found, role, starts_on=body.starts_on, ends_on=body.ends_on)
    return Status(201, {"id": given.pk})


@router.delete("/people/{person}/roles/{role}", response={204: None}, auth=writes)
def end_role(request: HttpRequest, person: Id, role: Id) -> Any:
    """End a role. Offices and heads are dismissed by hand."""
    actor = actor_of(request)
    found = files.role_of(actor, person, role)
    if found not in GIVEN_ROLES:
        raise NotFound
    actions.end_role(actor, role, today=_today(actor))
    return Status(204, None)


@router.put("/people/{person}/guardians/{guardian}", response={204: None}, auth=writes)
def set_guardian(request: HttpRequest, person: Id, guardian: Id, body: GuardianSent) -> Any:
    """Say that an adult looks after a pupil, and what she is entitled to."""
    actor = actor_of(request)
    pupil = files.access_person_for_office(actor, person)
    adult = files.access_person_for_office(actor, guardian)
    facts = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    relation = Relation[facts.pop("relation").upper()] if "relation" in facts else None
    if relation is not None:
        facts["relation"] = relation
    actions.make_guardian(actor, pupil, adult, **facts)
    return Status(204, None)


@router.delete("/people/{person}/guardians/{guardian}", response={204: None}, auth=writes)
def end_guardian(request: HttpRequest, person: Id, guardian: Id) -> Any:
    """The adult looks after the pupil until today."""
    actor = actor_of(request)
    actions.change_guardianship(actor, person, guardian, ends_on=_today(actor))
    return Status(204, None)
