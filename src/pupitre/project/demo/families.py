"""Families: which seats of the schools are filled by brothers and sisters, who their guardians are and who may do what."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pupitre.project.demo import names
from pupitre.project.demo.roster import Grade, Guardianship, Household, Person
from pupitre.project.demo.schools import Plan

CROSS_FAMILIES = 82
ABROAD_FAMILIES = 7

_MIX: dict[str, dict[str, float]] = {
    "pri": {
        "catalan": 50, "castilian": 23, "moroccan": 8, "latin_american": 7, "romanian": 3, "chinese": 2, "west_african": 2,
        "french": 1.2, "german": 0.8, "english": 1, "portuguese": 1, "ukrainian": 1,
    },
    "sec": {
        "castilian": 57, "catalan": 16, "latin_american": 9, "moroccan": 7, "romanian": 4, "chinese": 1.7, "portuguese": 1.3,
        "english": 1, "french": 0.8, "german": 0.7, "ukrainian": 0.8, "west_african": 0.7,
    },
    "col": {
        "chilean": 60, "german_chilean": 22, "german": 6, "mapuche": 4, "latin_american": 5, "castilian": 1.5, "english": 1, "french": 0.5,
    },
}  # fmt: skip

_STREETS: dict[str, tuple[str, ...]] = {
    "ca": (
        "Carrer Major", "Carrer de les Moreres", "Carrer del Molí Nou", "Carrer de la Font Freda", "Passeig dels Til·lers", "Carrer de l'Hort",
        "Carrer de la Bòbila", "Avinguda de la Marinada", "Plaça del Safareig", "Carrer de les Oronetes", "Camí de la Sínia", "Carrer del Romaní",
        "Carrer dels Cirerers", "Rambla de Baix", "Carrer de la Teuleria", "Carrer del Pou Vell",
    ),
    "es": (
        "Calle Mayor", "Avenida de los Almendros", "Calle del Molino", "Calle de la Acequia", "Calle de las Higueras", "Paseo del Puente",
        "Calle del Romero", "Calle de la Era Alta", "Plaza de la Noria", "Calle de los Alfareros", "Travesía del Olmo", "Calle de la Estación",
        "Calle del Tomillo", "Avenida de la Marinada", "Calle de las Eras", "Camino Viejo",
    ),
    "cl": (
        "Camino del Lago", "Calle Los Arrayanes", "Pasaje Los Coigües", "Avenida Costanera", "Calle Los Ulmos", "Pasaje El Canelo", "Calle Los Notros",
        "Camino a la Poza", "Calle Las Lengas", "Pasaje Los Maitenes", "Calle El Alerzal", "Avenida Los Colonos",
    ),
}  # fmt: skip

_COURT: dict[str, dict[str, str]] = {
    "no_notices": {
        "ca": "Interlocutòria {n}: sense dret a rebre informació del centre. No facilitar dades ni avisos.",
        "es": "Auto {n}: sin derecho a recibir información del centro. No facilitar datos ni avisos.",
        "cl": "Resolución {n} del Juzgado de Familia: no entregar información ni avisos.",
    },
    "no_collect": {
        "ca": "Sentència {n}: no pot recollir l'alumne/a. Cal avisar direcció.",
        "es": "Sentencia {n}: no puede recoger al alumno/a. Avisar a dirección.",
        "cl": "Sentencia {n} del Juzgado de Familia: no puede retirar al estudiante. Avisar a rectoría.",
    },
}

# Of a hundred families: who brings the children up.
_KINDS = {
    "couple": 71.0,
    "separated": 16.0,
    "mother": 8.0,
    "father": 1.5,
    "two_mothers": 1.2,
    "two_fathers": 0.5,
    "kin": 1.1,
    "foster": 0.7,
}


@dataclass(slots=True)
class Seat:
    """A place in a grade to be filled by a child."""

    school: str
    grade: Grade


@dataclass(slots=True)
class Child:
    """A pupil before the homeroom is known."""

    person_key: str
    seat: Seat


@dataclass
class Register:
    """What grows while the population is made: the people and the ties between them."""

    rng: random.Random
    start: date
    people: dict[str, Person] = field(default_factory=dict)
    households: list[Household] = field(default_factory=list)
    guardianships: list[Guardianship] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    usernames: names.Usernames = field(default_factory=names.Usernames)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def key(self, kind: str) -> str:
        """The next key of a kind, such as `pupil-0001`."""
        self.counts[kind] += 1
        return f"{kind}-{self.counts[kind]:04d}"

    def add(self, person: Person) -> Person:
        """Keep a person and return it."""
        self.people[person.key] = person
        return person


def pick(rng: random.Random, weights: dict[str, float]) -> str:
    """One of the keys by weight."""
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def cohort_year(plan: Plan, start: date) -> int:
    """The calendar year whose birthdays decide the grade: that of the autumn in Spain, of the school year in Chile."""
    return start.year if plan.school.country == "CL" or start.month >= 7 else start.year - 1


def _birthday(rng: random.Random, seat: Seat, plan: Plan, start: date) -> date:
    """A birth date that fits the grade; some repeat a year. In Chile the year is cut at the end of March."""
    year = cohort_year(plan, start) - seat.grade.age
    repeats = rng.random() < (0.06 if plan.school.stage == "secondary" else 0.012)
    if seat.grade.age > 6 and repeats:
        year -= 1
    first = date(year - 1, 4, 1) if plan.school.country == "CL" else date(year, 1, 1)
    return first + timedelta(days=rng.randint(0, 364))


class _Seats:
    """The seats still free, by school and age."""

    def __init__(self, rng: random.Random, seats: Sequence[Seat]) -> None:
        self._free: dict[tuple[str, int], list[Seat]] = defaultdict(list)
        for seat in seats:
            self._free[seat.school, seat.grade.age].append(seat)
        self._rng = rng

    def take(self, schools: Sequence[str], ages: range) -> Seat | None:
        """A free seat of one of the schools in the range of ages, each as likely as the others."""
        open_keys = [key for key in self._free if key[0] in schools and key[1] in ages and self._free[key]]
        if not open_keys:
            return None
        return self._free[
            self._rng.choices(open_keys, weights=[len(self._free[key]) for key in open_keys])[0]
        ].pop()

    def sibling(self, schools: Sequence[str], ages: list[int]) -> Seat | None:
        """A free seat for a brother or sister: up to seven years apart and not of the same year."""
        low, high = max(ages) - 7, min(ages) + 7
        seat = self.take(schools, range(low, high + 1))
        if seat is not None and seat.grade.age in ages:
            self._free[seat.school, seat.grade.age].append(seat)
            return None
        return seat


def _fleets(rng: random.Random, seats: _Seats) -> Iterator[list[Seat]]:
    """The seats dealt to families: first those with children in two schools, then all the others."""
    for _ in range(CROSS_FAMILIES):
        elder = _must(seats.take(("sec",), range(12, 18)))
        younger = _must(seats.take(("pri",), range(max(3, elder.grade.age - 7), 12)))
        third = (
            seats.sibling(("pri", "sec"), [elder.grade.age, younger.grade.age])
            if rng.random() < 0.15
            else None
        )
        yield [elder, younger, *([third] if third else [])]
    for _ in range(ABROAD_FAMILIES):
        here = _must(seats.take(("pri", "sec"), range(6, 17)))
        there = _must(seats.take(("col",), range(max(4, here.grade.age - 5), here.grade.age + 5)))
        yield [here, there]
    for school, more in (("pri", 0.34), ("sec", 0.2), ("col", 0.42)):
        while (seat := seats.take((school,), range(3, 18))) is not None:
            yield _one_school(rng, seats, seat, more)


def _one_school(rng: random.Random, seats: _Seats, seat: Seat, more: float) -> list[Seat]:
    fleet = [seat]
    if rng.random() < 0.012:
        twin = seats.take((seat.school,), range(seat.grade.age, seat.grade.age + 1))
        return [*fleet, twin] if twin else fleet
    while len(fleet) < 4 and rng.random() < more / len(fleet):
        other = seats.sibling((seat.school,), [placed.grade.age for placed in fleet])
        if other is None:
            break
        fleet.append(other)
    return fleet


def _must(seat: Seat | None) -> Seat:
    if seat is None:
        raise LookupError("the schools have too few seats for the families planned")
    return seat


def settle_families(register: Register, plans: Sequence[Plan], seats: Sequence[Seat]) -> None:
    """Fill every seat with a child and give every child its guardians."""
    by_key = {plan.school.key: plan for plan in plans}
    for fleet in _fleets(register.rng, _Seats(register.rng, seats)):
        _Family(register, by_key, sorted(fleet, key=lambda seat: -seat.grade.age)).settle()


class _Family:
    """One family while it is made."""

    def __init__(self, register: Register, plans: dict[str, Plan], fleet: list[Seat]) -> None:
        self.register, self.rng, self.plans, self.fleet = register, register.rng, plans, fleet
        self.abroad = len({plans[seat.school].school.country for seat in fleet}) > 1
        self.home = plans[fleet[-1].school]
        self.origin = names.ORIGINS[pick(self.rng, _MIX[self.home.school.key])]
        self.kind = "separated" if self.abroad else pick(self.rng, _KINDS)
        self.adults: list[tuple[Person, str]] = []
        self.surnames_of: dict[str, tuple[str, ...]] = {}
        self.mother_first = self.rng.random() < 0.06
        self.surnames: tuple[str, ...] = ()
        self.family_name = ""
        self.given_names: set[str] = set()

    def settle(self) -> None:
        births = [
            _birthday(self.rng, seat, self.plans[seat.school], self.register.start) for seat in self.fleet
        ]
        if len(births) > 1 and self.fleet[0].grade is self.fleet[1].grade:
            births[1] = births[0]
        self._raise_adults(births[0], births[-1])
        self.surnames = self._child_surnames()
        self.family_name = written(self.rng, self.origin, self.surnames)
        children = [self._child(seat, born) for seat, born in zip(self.fleet, births, strict=True)]
        self._tie(children)

    def _adult(self, sex: str, born: date, origin: names.Origin) -> Person:
        rng, register = self.rng, self.register
        given, family = fitting(rng, origin, sex, born.year, None)
        middle = second_given(rng, origin, sex, born.year, given)
        username = register.usernames.of_person(given, family)
        email = None if rng.random() < 0.045 else f"{username}@familia.example"
        person = Person(
            register.key("guardian"), given, middle, written(rng, origin, family), sex, born, self._language(origin), username,
            email, names.phone(rng, self.home.school.country) if rng.random() < 0.97 else None, origin.key,
        )  # fmt: skip
        self.surnames_of[person.key] = family
        return register.add(person)

    def _language(self, origin: names.Origin) -> str:
        if (
            origin.key in {"castilian", "latin_american", "moroccan", "romanian", "chinese"}
            and self.home.school.key == "pri"
        ):
            return "ca" if self.rng.random() < 0.2 else "es"
        return origin.language

    def _raise_adults(self, eldest: date, youngest: date) -> None:
        """The adults of the family, as old as parents are; a mother is under 45 when the youngest is born."""
        rng = self.rng
        latest = min(eldest.year - 19, eldest.year - round(rng.gauss(30, 4.2)))
        mother_year = max(latest, youngest.year - 44)
        father_year = mother_year - round(rng.gauss(2, 2.6))
        partner = names.ORIGINS[pick(rng, _MIX[self.home.school.key])] if rng.random() < 0.1 else self.origin
        pairs = {
            "couple": [("m", father_year, "father"), ("f", mother_year, "mother")],
            "separated": [("f", mother_year, "mother"), ("m", father_year, "father")],
            "mother": [("f", mother_year, "mother")],
            "father": [("m", father_year, "father")],
            "two_mothers": [("f", mother_year, "mother"), ("f", mother_year + rng.randint(-5, 5), "mother")],
            "two_fathers": [("m", father_year, "father"), ("m", father_year + rng.randint(-5, 5), "father")],
            "kin": [("f", mother_year - 24, "grandmother"), ("m", mother_year - 26, "grandfather")],
            "foster": [("f", mother_year - 5, "foster_parent"), ("m", father_year - 5, "foster_parent")],
        }[self.kind]
        for number, (sex, year, relation) in enumerate(pairs):
            # Nobody is a parent before the age of eighteen, whatever the draw.
            born = day_in(rng, min(year, eldest.year - 19))
            self.adults.append((self._adult(sex, born, self.origin if number == 0 else partner), relation))

    def _child_surnames(self) -> tuple[str, ...]:
        if self.kind == "foster":
            return names.draw_surnames(self.rng, self.origin)
        own = [self.surnames_of[person.key] for person, _ in self.adults]
        if len(own) == 1:
            return names.child_surnames(self.origin, own[0], (), mother_first=False)
        father_at = next((at for at, (person, _) in enumerate(self.adults) if person.sex == "m"), 0)
        return names.child_surnames(
            self.origin, own[father_at], own[1 - father_at], mother_first=self.mother_first
        )

    def _child(self, seat: Seat, born: date) -> Person:
        rng, register, plan = self.rng, self.register, self.plans[seat.school]
        sex = "x" if seat.grade.age > 12 and rng.random() < 0.006 else rng.choice("fm")
        origin = self._child_fashion()
        given = self._fresh_given(origin, sex, born.year)
        username = register.usernames.of_person(given, self.surnames)
        email = f"{username}@example.org" if seat.grade.age >= 10 else None
        person = Person(
            register.key("pupil"), given, second_given(rng, self.origin, sex, born.year, given), self.family_name, sex, born,
            self._pupil_language(plan), username, email,
            names.phone(rng, plan.school.country) if seat.grade.age >= 14 and rng.random() < 0.6 else None, self.origin.key,
        )  # fmt: skip
        self.given_names.add(given)
        register.children.append(Child(person.key, seat))
        return register.add(person)

    def _fresh_given(self, origin: names.Origin, sex: str, year: int) -> str:
        """A name that no brother or sister has."""
        while True:
            given, _ = fitting(self.rng, origin, sex, year, self.surnames)
            if given not in self.given_names:
                return given

    def _child_fashion(self) -> names.Origin:
        """Children of families from elsewhere now and then carry a name of the country."""
        local = {"pri": names.CATALAN, "sec": names.CASTILIAN, "col": names.CHILEAN}[self.home.school.key]
        chance = {
            "chinese": 0.5,
            "romanian": 0.2,
            "castilian": 0.25,
            "latin_american": 0.1,
            "portuguese": 0.3,
            "catalan": 0.0,
        }
        return local if self.rng.random() < chance.get(self.origin.key, 0.06) else self.origin

    def _pupil_language(self, plan: Plan) -> str:
        if self.origin.language in {"de", "en", "fr", "pt"} and self.rng.random() < 0.25:
            return self.origin.language
        return "ca" if self.origin.key == "catalan" else plan.school.languages[0]

    # Ties: households, custody, notices, collecting.

    def _household(self, plan: Plan) -> Household:
        rng, school = self.rng, plan.school
        street = rng.choice(_STREETS["cl" if school.country == "CL" else school.languages[0]])
        number = rng.randint(1, 98)
        flat = (
            f", {rng.randint(1, 5)}º {rng.choice('ABCD')}"
            if school.key == "sec"
            else f", {rng.randint(1, 4)}r {rng.randint(1, 3)}a"
        )
        flat = "" if rng.random() < 0.35 or school.country == "CL" else flat
        line = f"{street} {number}" if school.country == "CL" else f"{street}, {number}{flat}"
        landline = names.phone(rng, school.country) if rng.random() < 0.3 else None
        household = Household(
            self.register.key("household"), line, school.postal_code, school.town, school.country, landline
        )
        self.register.households.append(household)
        return household

    def _tie(self, children: list[Person]) -> None:
        if self.abroad:
            self._tie_abroad(children)
        elif self.kind == "separated":
            self._tie_separated(children)
        else:
            home = self._household(self.home)
            for child in children:
                for order, (adult, relation) in enumerate(self.adults, start=1):
                    self._guard(child, adult, relation, order, lives_with=True, home=home)
        self._grandparents(children)

    def _tie_abroad(self, children: list[Person]) -> None:
        """One parent in each country, each with one of the children; both are told of both."""
        homes = [self._household(self.plans[seat.school]) for seat in self.fleet]
        spanish_first = sorted(range(len(homes)), key=lambda at: homes[at].country != "ES")
        homes_of = {adult.key: homes[at] for (adult, _), at in zip(self.adults, spanish_first, strict=True)}
        for child, home in zip(children, homes, strict=True):
            ordered = sorted(self.adults, key=lambda adult: homes_of[adult[0].key] is not home)
            for order, (adult, relation) in enumerate(ordered, start=1):
                own = homes_of[adult.key]
                self._guard(child, adult, relation, order, lives_with=own is home, home=own)

    def _tie_separated(self, children: list[Person]) -> None:
        """Two households; shared custody for nearly half. The courts limit one parent in one family of four."""
        rng = self.rng
        homes = [self._household(self.home), self._household(self.home)]
        if rng.random() < 0.12:
            self.adults.reverse()
        shared = rng.random() < 0.45
        limit = (
            ""
            if shared
            else rng.choices(("", "no_notices", "no_collect", "both"), weights=(60, 14, 18, 8))[0]
        )
        place = "cl" if self.home.school.country == "CL" else self.home.school.languages[0]
        number = f"{rng.randint(11, 480)}/{self.register.start.year - rng.randint(0, 5)}"
        kinds = {"": (), "both": ("no_notices", "no_collect")}.get(limit, (limit,))
        note = " ".join(_COURT[kind][place].format(n=number) for kind in kinds)
        for child in children:
            (first, relation), (second, other) = self.adults
            self._guard(child, first, relation, 1, lives_with=True, home=homes[0])
            self._guard(child, second, other, 2, lives_with=shared, home=homes[1], kinds=kinds, note=note)

    def _grandparents(self, children: list[Person]) -> None:
        """In one family of eleven with a small child, somebody else fetches the children, and hears nothing from the school."""
        small = any(seat.grade.age < 12 for seat in self.fleet)
        if not small or self.kind == "kin" or self.rng.random() > 0.09:
            return
        sex, relation = self.rng.choice(
            (("f", "grandmother"), ("f", "grandmother"), ("m", "grandfather"), ("f", "aunt"))
        )
        parent, _ = self.rng.choice(self.adults)
        year = parent.born_on.year - (
            self.rng.randint(-6, 6) if relation == "aunt" else self.rng.randint(21, 33)
        )
        kin = self._adult(sex, day_in(self.rng, year), names.ORIGINS[parent.origin])
        for child in children:
            self.register.guardianships.append(
                Guardianship(child.key, kin.key, relation, 9, False, False, False, True, None)
            )

    def _guard(
        self, child: Person, adult: Person, relation: str, order: int, *,
        lives_with: bool, home: Household, kinds: tuple[str, ...] = (), note: str = "",
    ) -> None:  # fmt: skip
        self.register.guardianships.append(
            Guardianship(
                child.key, adult.key, relation, order, lives_with, "no_notices" not in kinds, "no_notices" not in kinds,
                "no_collect" not in kinds, home.key, note,
            )
        )  # fmt: skip


def day_in(rng: random.Random, year: int) -> date:
    return date(year, 1, 1) + timedelta(days=rng.randint(0, 364))


def fitting(
    rng: random.Random, origin: names.Origin, sex: str, year: int, surnames: tuple[str, ...] | None
) -> tuple[str, tuple[str, ...]]:
    """A given name and surnames that are nobody's whom everybody knows."""
    while True:
        family = surnames or names.draw_surnames(rng, origin)
        given = names.draw_given(rng, origin, sex, year)
        if not names.is_known(given, family):
            return given, family


def second_given(rng: random.Random, origin: names.Origin, sex: str, year: int, given: str) -> str:
    """The second given name of those countries that give two."""
    if not origin.second_given or sex == "x" or " " in given or rng.random() < 0.25:
        return ""
    second = names.draw_given(rng, origin, sex, year)
    return "" if second == given or " " in second else second


def written(rng: random.Random, origin: names.Origin, surnames: tuple[str, ...]) -> str:
    """The surnames as the family writes them; one Catalan family of eight joins them by `i`."""
    return (" i " if origin is names.CATALAN and len(surnames) == 2 and rng.random() < 0.125 else " ").join(
        surnames
    )
