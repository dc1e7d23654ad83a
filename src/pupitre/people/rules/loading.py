"""People and accounts of a whole school as facts: what `actions.loading` takes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pupitre.people.rules import Relation, Role


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to open. Without a password nobody can sign in with it until its owner takes it over."""

    username: str
    display_name: str
    email: str = ""
    locale: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person who is new to the school. `told` holds columns of rules.rosters.PERSON_COLUMNS and `locale`.

    `account_id` is the account's that leads to this person; `ended_on` the day on which who has left did so.
    """

    sourced_id: str
    told: Mapping[str, Any]
    account_id: int | None = None
    ended_on: date | None = None


@dataclass(frozen=True, slots=True)
class NewRole:
    """A role in all of the school; `person` is a sourcedId, `roster_role` the school's own word for it."""

    person: str
    role: Role
    roster_role: str = ""
    is_primary: bool = True
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class NewGuardianship:
    """Who looks after whom (sourcedIds) and what the adult is entitled to, as Guardianship has it."""

    pupil: str
    guardian: str
    relation: Relation
    priority: int = 1
    lives_with: bool = True
    sees_record: bool = True
    receives_notices: bool = True
    may_announce: bool = True
    may_collect: bool = True
    court_note: str = ""


@dataclass(frozen=True, slots=True)
class Everybody:
    """The people of one school, none of whom it knows yet."""

    persons: tuple[NewPerson, ...]
    roles: tuple[NewRole, ...] = ()
    guardianships: tuple[NewGuardianship, ...] = field(default=())
