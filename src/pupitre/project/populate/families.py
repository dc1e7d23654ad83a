"""The people of a populated school: its own families and staff, and those that it shares with the schools beside it.

What two schools share is drawn by itself, from the pair's own seed, so that both know the same people without knowing one
another.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from pupitre.people.rules import Relation, Role, Sex
from pupitre.people.rules.loading import NewGuardianship, NewPerson, NewRole
from pupitre.project.demo import families as kin
from pupitre.project.demo import names
from pupitre.project.populate.region import PlannedSchool, Region

_ORIGINS: Final[dict[str, dict[str, float]]] = {
    "ca": {"catalan": 52, "castilian": 25, "moroccan": 8, "latin_american": 7, "romanian": 3, "chinese": 2, "french": 1, "german": 1},
    "es": {"castilian": 62, "catalan": 12, "latin_american": 10, "moroccan": 8, "romanian": 4, "portuguese": 2, "english": 1},
}  # fmt: skip
# Of a hundred families with a child here how many have two and three of them in the same school.
_SECOND, _THIRD = 24, 5
_COUPLES, _SEPARATED = 74, 90
_COURT_NOTE: Final = "Sentencia 114/2025: sin derecho a recibir información del centro."
#: Lessons that a teacher of two schools gives are on the first days in one, and on the others in the other.
SHARED_DAYS: Final = ((0, 1), (2, 3, 4))


@dataclass(frozen=True, slots=True)
class Human:
    """Somebody: what all schools that know this human tell alike. `key` is the user name and the sourcedId."""

    key: str
    told: dict[str, Any]

    @property
    def display_name(self) -> str:
        return f"{self.told['given_name']} {self.told['family_name']}"


@dataclass(slots=True)
class Family:
    """Guardians and their children, each in one of two schools (0: the family's first one)."""

    guardians: list[Human]
    relations: list[Relation]
    children: list[tuple[int, Human]]
    is_separated: bool
    is_barred: bool  # the second guardian, by a court

    def ties(self, child: Human) -> Iterator[NewGuardianship]:
        for place, (adult, relation) in enumerate(zip(self.guardians, self.relations, strict=True)):
            barred = self.is_barred and place == 1
            yield NewGuardianship(
                child.key,
                adult.key,
                relation,
                priority=place + 1,
                lives_with=place == 0 or not self.is_separated,
                sees_record=not barred,
                receives_notices=not barred,
                may_announce=not barred,
                may_collect=not barred,
                court_note=_COURT_NOTE if barred else "",
            )


@dataclass
class Drawing:
    """Draws humans whose user names begin differently for each stem, so that no two are alike."""

    rng: random.Random
    stem: str
    language: str
    year: int
    _count: int = field(default=0)

    def human(
        self, origin: names.Origin, sex: str, born: date, surnames: tuple[str, ...], **told: Any
    ) -> Human:
        given, family = kin.fitting(self.rng, origin, sex, born.year, surnames or None)
        self._count += 1
        key = f"{names.fold(given)[:12]}.{names.fold(family[0])[:14]}.{self.stem}{self._count}"
        return Human(key, {
            "username": key,
            "given_name": given,
            "family_name": " ".join(family),
            "email": f"{key}@familia.example",
            "sex": Sex.FEMALE if sex == "f" else Sex.MALE,
            "born_on": born,
            "locale": self.language,
            **told,
        })  # fmt: skip

    def origin(self) -> names.Origin:
        return names.ORIGINS[kin.pick(self.rng, _ORIGINS[self.language])]

    def adult(self, origin: names.Origin, sex: str, youngest: int, oldest: int) -> Human:
        born = kin.day_in(self.rng, self.year - self.rng.randint(youngest, oldest))
        return self.human(origin, sex, born, (), phone=names.phone(self.rng, "ES"))

    def family(self, places: list[tuple[int, int]]) -> Family:
        """A family with a child in each of the places (which school, age)."""
        rng, origin = self.rng, self.origin()
        kind = rng.random() * 100
        sexes = ["f", "m"] if kind < _SEPARATED else ["f" if rng.random() < 0.86 else "m"]
        oldest = max(age for _, age in places)
        adults = [self.adult(origin, sex, oldest + 21, oldest + 42) for sex in sexes]
        firsts = [str(one.told["family_name"]).split(" ", 1)[0] for one in reversed(adults)]
        surnames = tuple(firsts) if origin.double else tuple(firsts[:1])
        children = []
        for school, age in places:
            born = kin.day_in(rng, self.year - age)
            sex = "f" if rng.random() < 0.49 else "m"
            grade = f"{age - 5:02d}" if age > 5 else "KG"
            children.append((school, self.human(origin, sex, born, surnames, grade=grade)))
        relations = [Relation.MOTHER if sex == "f" else Relation.FATHER for sex in sexes]
        separated = _COUPLES <= kind < _SEPARATED
        return Family(adults, relations, children, separated, separated and rng.random() < 0.08)


@dataclass(frozen=True, slots=True)
class Shared:
    """What two neighbouring schools have in common."""

    families: list[Family]
    teachers: list[Human]

    def humans(self) -> Iterator[Human]:
        """Those who have an account in both schools: guardians and teachers."""
        for one in self.families:
            yield from one.guardians
        yield from self.teachers


def ages_of(school: PlannedSchool) -> tuple[int, ...]:
    """The ages that pupils turn in the calendar year, one a grade."""
    return tuple(range(6, 12)) if school.is_primary else tuple(range(12, 18))


def draw_shared(region: Region, number: int, year: int) -> Shared:
    """What school `number` and the next one share: children, guardians and teachers."""
    here, there = region.planned[number], region.planned[region.next_to(number)]
    rng = random.Random(f"{region.seed}/shared/{number}")  # noqa: S311
    drawing = Drawing(rng, region.stem(f"x{number + 1}"), here.language, year)
    families = [
        drawing.family([(0, rng.choice(ages_of(here))), (1, rng.choice(ages_of(there)))])
        for _ in range(here.shared)
    ]
    count = 0 if not here.shared else 1 + min(here.pupils, there.pupils) // 300
    teachers = [drawing.adult(drawing.origin(), rng.choice("ffm"), 26, 60) for _ in range(count)]
    return Shared(families, teachers)


@dataclass
class SchoolPeople:
    """Everybody of one school. `forms` are the pupils of each homeroom, `visitors` its teachers from elsewhere."""

    school: PlannedSchool
    drawing: Drawing
    humans: dict[str, Human] = field(default_factory=dict)
    guardians: dict[str, None] = field(default_factory=dict)
    ties: list[NewGuardianship] = field(default_factory=list)
    forms: list[tuple[int, list[str]]] = field(default_factory=list)
    visitors: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    roles: list[tuple[str, Role]] = field(default_factory=list)
    #: Those whom another school knows too.
    shared: list[str] = field(default_factory=list)

    def hire(self, role: Role = Role.TEACHER) -> str:
        """Somebody who works here; the answer is the key."""
        one = self.drawing.adult(self.drawing.origin(), self.drawing.rng.choice("ffm"), 25, 64)
        return self._employ(one, role)

    def _employ(self, one: Human, role: Role) -> str:
        self.humans[one.key] = one
        self.roles.append((one.key, role))
        return one.key

    def welcome(self, family: Family, side: int) -> list[tuple[int, str]]:
        """Take in a family's children of this side; answers their ages and keys."""
        found = []
        for school, child in family.children:
            if school == side:
                self.humans[child.key] = child
                self.ties += family.ties(child)
                found.append((self.drawing.year - child.told["born_on"].year, child.key))
        for adult in family.guardians:
            self.humans[adult.key] = adult
            self.guardians[adult.key] = None
        return found

    def visit(self, shared: Shared, side: int) -> None:
        self.shared += [one.key for one in shared.humans()]
        for one in shared.teachers:
            self.visitors.append((self._employ(one, Role.TEACHER), SHARED_DAYS[side]))

    # As the contexts' actions take them

    def persons(self, account_ids: dict[str, int]) -> tuple[NewPerson, ...]:
        return tuple(NewPerson(key, one.told, account_ids[key]) for key, one in self.humans.items())

    def new_roles(self) -> tuple[NewRole, ...]:
        pupils = (NewRole(key, Role.PUPIL) for _, form in self.forms for key in form)
        adults = (NewRole(key, Role.GUARDIAN) for key in self.guardians)
        return (*(NewRole(key, role) for key, role in self.roles), *pupils, *adults)


def people_of(region: Region, number: int, year: int) -> SchoolPeople:
    """Everybody of the school but its own teachers, who are hired by its classes."""
    school = region.planned[number]
    rng = random.Random(f"{region.seed}/people/{number}")  # noqa: S311
    people = SchoolPeople(school, Drawing(rng, region.stem(f"s{number + 1}"), school.language, year))
    for role in (
        Role.HEAD,
        Role.SECRETARY,
        *[Role.SECRETARY] * (school.pupils // 600),
        Role.COUNSELLOR,
        Role.NURSE,
    ):
        people.hire(role)
    by_age: dict[int, list[str]] = {age: [] for age in ages_of(school)}
    previous = region.previous_to(number)
    for side, shared_number in ((0, number if school.shared else None), (1, previous)):
        if shared_number is not None:
            shared = draw_shared(region, shared_number, year)
            people.visit(shared, side)
            for family in shared.families:
                for age, key in people.welcome(family, side):
                    by_age[age].append(key)
    _fill(people, by_age)
    people.forms = _forms(rng, school, by_age)
    return people


def _fill(people: SchoolPeople, by_age: dict[int, list[str]]) -> None:
    """The school's own families take the places that are left."""
    rng, ages = people.drawing.rng, list(by_age)
    free = people.school.pupils - sum(map(len, by_age.values()))
    while free > 0:
        draw = rng.random() * 100
        count = min(free, 3 if draw < _THIRD else 2 if draw < _THIRD + _SECOND else 1)
        family = people.drawing.family([(0, age) for age in rng.sample(ages, count)])
        for age, key in people.welcome(family, 0):
            by_age[age].append(key)
        free -= count


def _forms(
    rng: random.Random, school: PlannedSchool, by_age: dict[int, list[str]]
) -> list[tuple[int, list[str]]]:
    """Homerooms of 25 to 30. Where a grade is smaller than one it is taught together with the next one."""
    forms: list[tuple[int, list[str]]] = []
    waiting: list[str] = []
    for age, pupils in by_age.items():
        rng.shuffle(pupils)
        waiting += pupils
        is_last = age == max(by_age)
        if len(waiting) >= 20 or is_last:
            count = max(1, math.ceil(len(waiting) / 30))
            forms += [(age, waiting[at::count]) for at in range(count)]
            waiting = []
    return [(age, form) for age, form in forms if form]
