"""Roles, the actor, and the decisions about who may do what. Pure."""

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from pupitre.kernel.errors import Denied, NotFound
from pupitre.tenancy.rules import SchoolFacts


class Role(IntEnum):
    """What a person is in a school. The comment names OneRoster's word."""

    HEAD = 1  # principal
    SECRETARY = 2  # siteAdministrator
    TEACHER = 3  # teacher
    AIDE = 4  # aide
    COUNSELLOR = 5  # counselor
    NURSE = 6
    PUPIL = 7  # student
    GUARDIAN = 8  # guardian, parent, relative
    INSPECTOR = 9  # districtAdministrator: the authority's, sees figures
    TECHNICIAN = 10  # cares for the school's devices
    FLEET_MANAGER = 11  # the authority's: cares for the devices of all its schools, and sees no pupil's name


#: Work for the school.
STAFF = frozenset(
    {Role.HEAD, Role.SECRETARY, Role.TEACHER, Role.AIDE, Role.COUNSELLOR, Role.NURSE, Role.TECHNICIAN}
)
#: Given in an authority, not in a school.
OF_AUTHORITY = frozenset({Role.INSPECTOR, Role.FLEET_MANAGER})
#: Run the school's office: rosters, board, letters, invitations.
OFFICE = frozenset({Role.HEAD, Role.SECRETARY})
#: See everything of the school, or of all schools: a second factor is demanded.
SEES_EVERYTHING = frozenset({Role.HEAD, Role.SECRETARY, Role.INSPECTOR, Role.FLEET_MANAGER})
#: May stand before a class and take its register.
TEACHES = frozenset({Role.TEACHER, Role.AIDE, Role.HEAD, Role.COUNSELLOR})
#: May open files of people: teachers those of their pupils and who looks after them, the others all (queries.reach).
READS_FILES = frozenset({Role.HEAD, Role.SECRETARY, Role.COUNSELLOR, Role.NURSE, Role.TEACHER})
READS_ALL_FILES = READS_FILES - {Role.TEACHER}
#: May read what is protected further in a file: court limits, birth data, documents.
READS_SENSITIVE = frozenset({Role.HEAD, Role.SECRETARY, Role.COUNSELLOR})
#: May print class cards: teachers those of their pupils.
PRINTS_CARDS = frozenset({Role.HEAD, Role.SECRETARY, Role.TEACHER})


class Relation(IntEnum):
    """What a guardian is to a pupil."""

    MOTHER = 1
    FATHER = 2
    GUARDIAN = 3
    GRANDPARENT = 4
    RELATIVE = 5
    OTHER = 6


class Sex(IntEnum):
    """OneRoster's demographics.sex."""

    FEMALE = 1
    MALE = 2
    OTHER = 3


class LookAt(IntEnum):
    """Which protected part of a person's data staff looked at."""

    FILE = 1
    ATTENDANCE = 2
    DOCUMENT = 3
    CONTACTS = 4
    EXPORT = 5
    #: Who has which device, and what it reported.
    DEVICE = 6


class WrongCode(Denied):
    """The code is not valid. Check it on your letter; a code works once and for a limited time."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, and in a school the person it is there with that person's roles today.

    Jobs and the command line act as `system_actor(school)`, which holds the office's roles and no account.
    """

    account_id: int
    school: SchoolFacts | None = None
    person_id: int = 0
    roles: frozenset[Role] = field(default_factory=frozenset)
    name: str = ""
    authority_id: int = 0
    authority_roles: frozenset[Role] = field(default_factory=frozenset)
    #: Whether the authority acted in demands a second factor. In a school, the school's facts say it.
    authority_demands: bool = False

    @property
    def place(self) -> SchoolFacts:
        """The school acted in. Raises NotFound outside of one."""
        if self.school is None:
            raise NotFound
        return self.school

    def is_any(self, roles: frozenset[Role]) -> bool:
        return bool(self.roles & roles)

    @property
    def is_office(self) -> bool:
        return self.is_any(OFFICE)

    @property
    def is_staff(self) -> bool:
        return self.is_any(STAFF)

    @property
    def is_pupil(self) -> bool:
        return Role.PUPIL in self.roles

    @property
    def is_guardian(self) -> bool:
        return Role.GUARDIAN in self.roles


def system_actor(school: SchoolFacts) -> Actor:
    """The school's own automatism: jobs and the command line."""
    return Actor(account_id=0, school=school, roles=OFFICE, name="Pupitre")


def require(actor: Actor, roles: frozenset[Role]) -> None:
    """Refuse an act that the actor's roles do not allow.

    A stranger to the school gets NotFound, not Denied: what exists is not told to those outside.
    """
    if actor.is_any(roles):
        return
    if actor.roles:
        raise Denied
    raise NotFound


def needs_second_factor(actor: Actor) -> bool:
    """Whether the authority demands a second factor of this actor."""
    in_school = actor.school is not None and actor.school.requires_second_factor
    in_authority = actor.authority_demands and bool(actor.authority_roles & SEES_EVERYTHING)
    return (in_school and actor.is_any(SEES_EVERYTHING)) or in_authority


def is_current(starts_on: date | None, ends_on: date | None, today: date) -> bool:
    """Whether a dated row counts today; an open end counts."""
    return (starts_on is None or starts_on <= today) and (ends_on is None or today <= ends_on)
