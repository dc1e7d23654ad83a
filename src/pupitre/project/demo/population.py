"""The people of the demonstration and the classes they share: everything but the hours and the registers."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from pupitre.project.demo import families, names, schools, teaching
from pupitre.project.demo.roster import (
    Enrolment,
    Group,
    Person,
    Persona,
    Population,
    Pupil,
    Role,
    SchoolClass,
)
from pupitre.project.demo.schools import Plan

# Teachers of two schools: department, then hours and weekdays away for the primary and for the secondary.
_SHARED = (
    ("religion", 9, {4, 5}, 8, {1, 2, 3}),
    ("religion", 9, {1, 2}, 8, {3, 4, 5}),
    ("music", 9, {3, 4, 5}, 8, {1, 2}),
    ("english", 8, {1, 5}, 6, {2, 3, 4}),
    ("support", 4, {1, 2, 3, 4}, 8, {5}),
)

_STAFF_MIX: dict[str, dict[str, float]] = {
    "pri": {"catalan": 74, "castilian": 24, "french": 1, "english": 1},
    "sec": {"castilian": 78, "catalan": 20, "portuguese": 1, "latin_american": 1},
    "col": {"chilean": 62, "german_chilean": 34, "mapuche": 4},
}

_WOMEN = {
    "tutor": 0.86,
    "physical": 0.4,
    "technology": 0.35,
    "physics": 0.45,
    "music": 0.55,
    "german": 0.7,
    "maths": 0.5,
}


def build_population(seed: int, school_year_start: date) -> Population:
    """Everybody, the same for the same seed and start.

    `school_year_start` is the first school day of all three schools (a Monday; `schools.year_start_for` gives one); birth
    dates follow from it.
    """
    return _Builder(seed, school_year_start).build()


class _Builder:
    def __init__(self, seed: int, start: date) -> None:
        self.seed, self.start, self.rng = seed, start, random.Random(seed)  # noqa: S311
        self.plans = schools.plans()
        self.register = families.Register(self.rng, start)
        self.roles: list[Role] = []
        self.teachings: dict[str, teaching.Teaching] = {}
        self.unavailable: dict[tuple[str, str], frozenset[int]] = {}
        self.counsellors: list[Person] = []

    def build(self) -> Population:
        sizes = {
            (grade.key, line): self._size(plan)
            for plan in self.plans
            for grade in plan.grades
            for line in plan.lines[grade.key]
        }
        seats = [
            families.Seat(plan.school.key, grade)
            for plan in self.plans
            for grade in plan.grades
            for _ in range(sum(sizes[grade.key, line] for line in plan.lines[grade.key]))
        ]
        # The leaders come first, so that the personas keep their names when the numbers of families change.
        for plan in self.plans:
            self._office(plan)
        self._inspector()
        families.settle_families(self.register, self.plans, seats)
        visiting = self._shared_teachers()
        for plan in self.plans:
            groups = self._homerooms(plan, sizes)
            taught = self.teachings[plan.school.key] = teaching.make_classes(self.rng, plan, groups)
            teaching.staff_school(plan, taught, self._hirer(plan), visiting.get(plan.school.key, []))
        return self._assemble()

    def _size(self, plan: Plan) -> int:
        low, high = plan.sizes
        return self.rng.randint(low, high)

    # Homerooms

    def _homerooms(self, plan: Plan, sizes: dict[tuple[str, str], int]) -> list[teaching.GroupDraft]:
        people = self.register.people
        groups = []
        for grade in plan.grades:
            pupils = [child.person_key for child in self.register.children if child.seat.grade is grade]
            self.rng.shuffle(pupils)
            # Dealt by sex, so that no line is all of one.
            pupils.sort(key=lambda key: people[key].sex)
            dealt = _dealt(pupils, [sizes[grade.key, line] for line in plan.lines[grade.key]])
            for line, members in zip(plan.lines[grade.key], dealt, strict=True):
                title = f"{grade.title} {line}" if len(plan.lines[grade.key]) > 1 else grade.title
                members.sort(key=lambda key: names.fold(people[key].sort_name))
                groups.append(teaching.GroupDraft(f"{grade.key}-{line}", grade, line, title, members))
        return groups

    # Staff

    def _employ(self, plan: Plan, department: str, *, oldest: int = 38) -> Person:
        rng = self.rng
        mix = _STAFF_MIX[plan.school.key]
        if department == "german":
            mix = (
                {"german": 55, "german_chilean": 45}
                if plan.school.key == "col"
                else {"german": 40, "castilian": 60}
            )
        origin = names.ORIGINS[families.pick(rng, mix)]
        sex = "f" if rng.random() < _WOMEN.get(department, 0.62) else "m"
        born = families.day_in(rng, self.start.year - rng.randint(26 if oldest == 38 else oldest, 63))
        given, family = families.fitting(rng, origin, sex, born.year, None)
        username = self.register.usernames.of_staff(given, family)
        language = plan.school.languages[0] if origin.double else origin.language
        middle = families.second_given(rng, origin, sex, born.year, given)
        return self.register.add(
            Person(
                self.register.key("staff"), given, middle, families.written(rng, origin, family), sex, born, language, username,
                f"{username}@example.org", names.phone(rng, plan.school.country), origin.key,
            )
        )  # fmt: skip

    def _role(self, person: Person, plan: Plan, role: str) -> Person:
        title = _by_sex(plan.words[role], person.sex)
        begins = self.start - timedelta(
            weeks=52 * self.rng.randint(0, min(18, self.start.year - person.born_on.year - 24))
        )
        self.roles.append(Role(person.key, plan.school.key, role, title, begins))
        return person

    def _office(self, plan: Plan) -> None:
        """Head, deputies, office, counsellor and nurse. The counsellor of the primary is the secondary's too."""
        count = 2 if plan.school.key == "sec" else 1
        for role in ("head", *["deputy_head"] * count, *["secretary"] * count, "nurse"):
            self._role(
                self._employ(plan, "office", oldest=38 if role in {"secretary", "nurse"} else 42), plan, role
            )
        if plan.school.key == "sec":
            self._role(self.counsellors[0], plan, "counsellor")
        self.counsellors.append(self._role(self._employ(plan, "office"), plan, "counsellor"))

    def _inspector(self) -> None:
        inspector = self._employ(self.plans[0], "office", oldest=46)
        title = _by_sex("Inspector|Inspectora", inspector.sex)
        self.roles.append(Role(inspector.key, None, "inspector", title, self.start - timedelta(weeks=104)))

    def _shared_teachers(self) -> dict[str, list[teaching.Teacher]]:
        primary, secondary, _ = self.plans
        visiting: dict[str, list[teaching.Teacher]] = {"pri": [], "sec": []}
        for department, hours, away, other_hours, other_away in _SHARED:
            person = self._employ(primary if self.rng.random() < 0.5 else secondary, department)
            for plan, most, days in ((primary, hours, away), (secondary, other_hours, other_away)):
                self._role(person, plan, "teacher")
                self.unavailable[person.key, plan.school.key] = frozenset(days)
                visiting[plan.school.key].append(
                    teaching.Teacher(person.key, department, most, frozenset(days))
                )
        return visiting

    def _hirer(self, plan: Plan) -> teaching.Hire:
        return lambda department: self._role(self._employ(plan, department), plan, "teacher").key

    # Assembly

    def _assemble(self) -> Population:
        last = max(session.ends_on for plan in self.plans for session in schools.sessions(plan, self.start))
        pupils = tuple(self._pupils())
        population = Population(
            seed=self.seed,
            school_year_start=self.start,
            authority=schools.AUTHORITY,
            schools=tuple(plan.school for plan in self.plans),
            sessions=tuple(session for plan in self.plans for session in schools.sessions(plan, self.start)),
            closures=tuple(
                closure for plan in self.plans for closure in schools.closures(plan.school, self.start, last)
            ),
            grades=tuple(grade for plan in self.plans for grade in plan.grades),
            groups=tuple(self._groups()),
            people=self.register.people,
            pupils=pupils,
            households=tuple(self.register.households),
            guardianships=tuple(self.register.guardianships),
            roles=tuple(self.roles),
            courses=tuple(course for taught in self.teachings.values() for course in taught.courses.values()),
            classes={one.key: one for one in self._classes()},
            enrolments=tuple(self._enrolments({pupil.person_key: pupil for pupil in pupils})),
            blocks=tuple(block for taught in self.teachings.values() for block in taught.blocks),
            unavailable=self.unavailable,
        )
        return replace(population, personas=tuple(choose_personas(population)))

    def _groups(self) -> Iterator[Group]:
        for school, taught in self.teachings.items():
            for draft in taught.groups:
                yield Group(
                    draft.key,
                    school,
                    draft.grade.key,
                    draft.line,
                    draft.title,
                    draft.tutor,
                    len(draft.pupils),
                )

    def _pupils(self) -> Iterator[Pupil]:
        """Every pupil's place; a few came after the start and a few have left since."""
        for school, taught in self.teachings.items():
            for draft in taught.groups:
                for key in draft.pupils:
                    chance = self.rng.random()
                    begins = (
                        self.start + timedelta(days=self.rng.randint(10, 40))
                        if chance < 0.006
                        else self.start
                    )
                    ends = self.start + timedelta(days=self.rng.randint(15, 55)) if chance > 0.997 else None
                    yield Pupil(key, school, draft.grade.key, draft.key, begins, ends)

    def _classes(self) -> Iterator[SchoolClass]:
        for school, taught in self.teachings.items():
            for group in taught.groups:
                code = group.key.removeprefix(f"{school}-")
                yield SchoolClass(
                    group.key,
                    school,
                    f"{group.grade.key}-HR",
                    "homeroom",
                    group.title,
                    code,
                    "HR",
                    (group.key,),
                    group.tutor,
                    0,
                    "",
                )
            for draft in taught.classes.values():
                yield SchoolClass(
                    draft.key, school, draft.course_key, "scheduled", draft.title, draft.code, draft.subject, draft.groups,
                    draft.teacher, draft.lessons, draft.room_kind,
                )  # fmt: skip

    def _enrolments(self, places: dict[str, Pupil]) -> Iterator[Enrolment]:
        members = [
            (key, teacher, pupils)
            for taught in self.teachings.values()
            for key, teacher, pupils in (
                *((group.key, group.tutor, group.pupils) for group in taught.groups),
                *((draft.key, draft.teacher, draft.pupils) for draft in taught.classes.values()),
            )
        ]
        for key, teacher, pupils in members:
            yield Enrolment(key, teacher, "teacher", self.start)
            for pupil in pupils:
                yield Enrolment(key, pupil, "student", places[pupil].begins_on, places[pupil].ends_on)


def _dealt(pupils: list[str], sizes: Sequence[int]) -> list[list[str]]:
    """The pupils dealt round the table until each place has its size."""
    places: list[list[str]] = [[] for _ in sizes]
    at = 0
    for pupil in pupils:
        while len(places[at % len(sizes)]) >= sizes[at % len(sizes)]:
            at += 1
        places[at % len(sizes)].append(pupil)
        at += 1
    return places


def _by_sex(text: str, sex: str) -> str:
    """`Director|Directora` for a man or a woman."""
    forms = text.split("|")
    return forms[-1] if sex == "f" else forms[0]


def choose_personas(population: Population) -> Iterator[Persona]:
    """The people to sign in as, one or two for each thing there is to see."""
    by_role = {(role.school_key, role.role): role.person_key for role in reversed(population.roles)}
    yield Persona(
        "inspector",
        by_role[None, "inspector"],
        None,
        "the figures of all schools of the authority, without pupils' names",
    )
    for role, why in (
        ("head", "the whole school"), ("secretary", "the day board, imports, letters"), ("counsellor", "works in two schools"),
        ("nurse", "pupils out of class"),
    ):  # fmt: skip
        yield Persona(role, by_role["sec", role], "sec", why)
    yield Persona("head", by_role["col", "head"], "col", "a school in another country and time zone")
    yield Persona("teacher", _busiest(population, "sec"), "sec", "tutor of a group, most lessons of the week")
    yield Persona("teacher", next(iter(population.unavailable))[0], "pri", "teaches in two schools")
    yield from _family_personas(population)


def _busiest(population: Population, school: str) -> str:
    hours: dict[str, int] = {}
    for one in population.classes.values():
        if one.school_key == school:
            hours[one.teacher_key] = hours.get(one.teacher_key, 0) + one.lessons
    return max(
        (group.tutor_key for group in population.groups if group.school_key == school),
        key=lambda key: (hours[key], key),
    )


def _family_personas(population: Population) -> Iterator[Persona]:
    places = {pupil.person_key: pupil for pupil in population.pupils if pupil.ends_on is None}
    schools_of: dict[str, set[str]] = {}
    for tie in population.guardianships:
        if tie.pupil_key in places and tie.receives_notices:
            schools_of.setdefault(tie.guardian_key, set()).add(places[tie.pupil_key].school_key)
    reachable = {key: found for key, found in schools_of.items() if population.people[key].email}
    yield Persona("guardian", _first(reachable, {"pri", "sec"}), "sec", "children in two schools")
    yield Persona(
        "guardian",
        next(key for key, found in reachable.items() if "col" in found and len(found) > 1),
        "col",
        "a child in each country",
    )
    silent = next(
        tie
        for tie in population.guardianships
        if tie.court_note and not tie.receives_notices and tie.pupil_key in places
    )
    yield Persona(
        "guardian",
        silent.guardian_key,
        places[silent.pupil_key].school_key,
        "separated; receives no notices by court order",
    )
    apart = next(
        tie
        for tie in population.guardianships
        if tie.order == 2 and not tie.lives_with and not tie.court_note and tie.pupil_key in places
    )
    yield Persona(
        "guardian",
        apart.guardian_key,
        places[apart.pupil_key].school_key,
        "separated, informed like the other parent",
    )
    for grade, why in (("sec-3E", "sees the own day"), ("pri-1", "signs in by class card")):
        pupil = next(pupil for pupil in places.values() if pupil.grade_key == grade)
        yield Persona("pupil", pupil.person_key, pupil.school_key, why)


def _first(found: dict[str, set[str]], wanted: set[str]) -> str:
    return next(key for key, schools_of in found.items() if schools_of == wanted)
