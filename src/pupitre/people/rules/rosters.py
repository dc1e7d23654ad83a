"""What a roster says about people, ready to be written: the facts that `actions.apply_people` takes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pupitre.people.rules import Relation, Role

#: The columns of a person that a roster may tell, and what they are before anybody told.
PERSON_COLUMNS: Mapping[str, Any] = {
    "identifier": "",
    "username": "",
    "given_name": "",
    "middle_name": "",
    "family_name": "",
    "preferred_name": "",
    "email": "",
    "phone": "",
    "sms": "",
    "sex": None,
    "born_on": None,
    "birth_place": "",
    "birth_country": "",
    "grade": "",
}


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """One person. `told` holds the columns that are said, and only those are written: what is not in it stays as it is.

    Keys are those of PERSON_COLUMNS; a new person needs at least given_name and family_name. `sex` is a rules.Sex.
    """

    sourced_id: str
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DepartmentFacts:
    """A part of the school. `parent` is a department's sourcedId or ''."""

    sourced_id: str
    name: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class MembershipFacts:
    """A role of a person, in all of the school or in a department (its sourcedId). The first three say which one."""

    person: str
    role: Role
    department: str = ""
    roster_role: str = ""
    is_primary: bool = True
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def key(self) -> tuple[str, Role, str]:
        return (self.person, self.role, self.department)


@dataclass(frozen=True, slots=True)
class GuardianshipFacts:
    """An adult looks after a pupil. Entitlements and court notes are the school's: a roster never touches them.

    `relation` None leaves an existing relation as it is, and makes a new one of GUARDIAN.
    """

    pupil: str
    guardian: str
    relation: Relation | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.pupil, self.guardian)


@dataclass(slots=True)
class Tally:
    """How many rows of a kind were added, changed, ended, or found as they already were."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    same: int = 0


@dataclass(slots=True)
class Applied:
    """What `apply_people` did. The ids are by sourcedId and hold every person and department that was named."""

    person_ids: dict[str, int] = field(default_factory=dict)
    department_ids: dict[str, int] = field(default_factory=dict)
    persons: Tally = field(default_factory=Tally)
    departments: Tally = field(default_factory=Tally)
    memberships: Tally = field(default_factory=Tally)
    guardianships: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class PersonState:
    """A person as the school has it: what a roster is compared with. `values` holds every column of PERSON_COLUMNS."""

    id: int
    sourced_id: str
    values: Mapping[str, Any]
    ended_on: date | None
    has_account: bool


@dataclass(frozen=True, slots=True)
class PeopleState:
    """Everybody of a school, as facts by sourcedId, with the dates on which they ended.

    barred: guardianships (pupil, guardian) that do not entitle to see the record.
    """

    persons: Mapping[str, PersonState]
    departments: Mapping[str, DepartmentFacts]
    memberships: Mapping[tuple[str, Role, str], MembershipFacts]
    guardianships: Mapping[tuple[str, str], GuardianshipFacts]
    ended_departments: Mapping[str, date]
    ended_guardianships: Mapping[tuple[str, str], date]
    barred: frozenset[tuple[str, str]] = frozenset()
    department_ids: Mapping[str, int] = field(default_factory=dict)
