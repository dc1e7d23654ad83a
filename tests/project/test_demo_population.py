"""The people of the demonstration: how many, how old, who belongs to whom, and nothing that could reach a real person."""

import re
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from pupitre.project.demo import names, schools
from pupitre.project.demo.population import build_population
from pupitre.project.demo.roster import Population

START = date(2026, 9, 7)
SEEDS = (1, 2, 3)


@cache
def people_of(seed: int) -> Population:
    return build_population(seed, START)


@pytest.fixture(params=SEEDS)
def population(request: pytest.FixtureRequest) -> Population:
    return people_of(request.param)


def test_the_same_seed_and_start_give_the_same_people() -> None:
    assert build_population(1, START) == people_of(1)
    assert build_population(1, START).people != people_of(2).people


def test_there_are_about_fifteen_hundred_pupils_in_three_schools_and_two_countries(
    population: Population,
) -> None:
    assert 1450 <= len(population.pupils) <= 1550
    counts = Counter(pupil.school_key for pupil in population.pupils)
    assert 370 <= counts["pri"] <= 450
    assert 600 <= counts["sec"] <= 720
    assert 380 <= counts["col"] <= 420
    assert {school.country for school in population.schools} == {"ES", "CL"}
    assert len({ZoneInfo(school.time_zone) for school in population.schools}) == 2


def test_groups_have_twenty_four_to_thirty_pupils_and_a_tutor_of_their_own(population: Population) -> None:
    assert all(24 <= group.size <= 30 for group in population.groups)
    counted = Counter(pupil.group_key for pupil in population.pupils)
    assert counted == {group.key: group.size for group in population.groups}
    assert len({group.tutor_key for group in population.groups}) == len(population.groups)
    taught = {
        (one.teacher_key, group)
        for one in population.classes.values()
        if one.kind == "scheduled"
        for group in one.group_keys
    }
    assert all((group.tutor_key, group.key) in taught for group in population.groups)


def test_pupils_are_as_old_as_their_grade(population: Population) -> None:
    ages = {grade.key: grade.age for grade in population.grades}
    zone = {school.key: school.country for school in population.schools}
    older = 0
    for pupil in population.pupils:
        born = population.people[pupil.person_key].born_on
        # In Chile the year of birth runs from April to March.
        year = born.year + 1 if zone[pupil.school_key] == "CL" and born.month > 3 else born.year
        extra = START.year - year - ages[pupil.grade_key]
        assert extra in {0, 1}
        older += extra
    assert older < 0.08 * len(population.pupils)


def test_parents_were_old_enough_when_their_children_were_born(population: Population) -> None:
    for tie in population.guardianships:
        parent, child = population.people[tie.guardian_key], population.people[tie.pupil_key]
        years = (child.born_on - parent.born_on).days / 365.25
        if tie.relation in {"mother", "father"}:
            assert years >= 18, (parent, child)
        if tie.relation == "mother":
            assert years <= 51, (parent, child)


def test_brothers_and_sisters_go_to_two_schools(population: Population) -> None:
    school_of = {pupil.person_key: pupil.school_key for pupil in population.pupils}
    children: dict[str, set[str]] = defaultdict(set)
    for tie in population.guardianships:
        if tie.relation in {"mother", "father"}:
            children[tie.guardian_key].add(tie.pupil_key)
    pairs = {frozenset({one, two}) for own in children.values() for one in own for two in own if one < two}
    kinds = Counter(frozenset(school_of[key] for key in pair) for pair in pairs)
    assert kinds[frozenset({"pri", "sec"})] >= 60
    assert kinds[frozenset({"pri", "col"})] + kinds[frozenset({"sec", "col"})] >= 4


def test_brothers_and_sisters_share_surnames_and_not_first_names(population: Population) -> None:
    families: dict[tuple[str, ...], list[str]] = defaultdict(list)
    guardians: dict[str, list[str]] = defaultdict(list)
    for tie in population.guardianships:
        if tie.order < 9:
            guardians[tie.pupil_key].append(tie.guardian_key)
    for pupil, own in guardians.items():
        families[tuple(sorted(own))].append(pupil)
    for pupils in families.values():
        assert len({population.people[key].family_name for key in pupils}) == 1
        assert len({population.people[key].given_name for key in pupils}) == len(pupils)


def test_every_pupil_has_a_guardian_who_hears_from_the_school_and_may_collect(population: Population) -> None:
    first = {tie.pupil_key: tie for tie in population.guardianships if tie.order == 1}
    assert set(first) == {pupil.person_key for pupil in population.pupils}
    assert all(
        tie.receives_notices and tie.may_collect and tie.lives_with and tie.has_custody
        for tie in first.values()
    )
    assert len({(tie.pupil_key, tie.guardian_key) for tie in population.guardianships}) == len(
        population.guardianships
    )


def test_about_fifteen_families_of_a_hundred_have_two_households_and_some_a_court_order(
    population: Population,
) -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for tie in population.guardianships:
        if tie.household_key:
            homes[tie.pupil_key].add(tie.household_key)
    apart = sum(1 for found in homes.values() if len(found) == 2)
    assert 0.11 < apart / len(homes) < 0.21
    limited = [tie for tie in population.guardianships if tie.court_note]
    assert sum(1 for tie in limited if not tie.receives_notices) >= 8
    assert sum(1 for tie in limited if not tie.may_collect) >= 8
    assert all(not tie.receives_notices or not tie.may_collect for tie in limited)
    assert all(
        tie.court_note
        for tie in population.guardianships
        if tie.order < 9 and not (tie.receives_notices and tie.may_collect)
    )


def test_names_of_sign_in_are_unique_and_plain(population: Population) -> None:
    usernames = [person.username for person in population.people.values()]
    assert len(set(usernames)) == len(usernames)
    assert all(re.fullmatch(r"[a-z]+(\.[a-z]+)?\d*", username) for username in usernames)


def test_no_address_or_number_reaches_anybody(population: Population) -> None:
    for person in population.people.values():
        assert person.email is None or person.email.split("@")[1] in {"example.org", "familia.example"}
        assert person.phone is None or re.fullmatch(
            r"\+34 4\d\d \d{3} \d{3}|\+56 9 0\d{3} \d{4}", person.phone
        )
        assert not names.is_known(person.given_name, (person.family_name.split()[0],))


def test_staff_number_about_a_hundred_and_ten_and_some_teach_in_two_schools(population: Population) -> None:
    teaches: dict[str, set[str | None]] = defaultdict(set)
    for role in population.roles:
        if role.role == "teacher":
            teaches[role.person_key].add(role.school_key)
    assert 95 <= len(teaches) <= 120
    assert sum(1 for found in teaches.values() if found == {"pri", "sec"}) >= 4
    for school in population.schools:
        held = {role.role for role in population.roles if role.school_key == school.key}
        assert held == {"head", "deputy_head", "secretary", "nurse", "counsellor", "teacher"}
    assert [role.role for role in population.roles if role.school_key is None] == ["inspector"]


def test_nobody_teaches_more_than_the_school_allows(population: Population) -> None:
    most = {plan.school.key: plan.load[1] for plan in schools.plans()}
    hours: Counter[tuple[str, str]] = Counter()
    for one in population.classes.values():
        hours[one.school_key, one.teacher_key] += one.lessons
    assert all(count <= most[school] for (school, _), count in hours.items())
    assert most == {"pri": 25, "sec": 20, "col": 30}
    # Who works in two schools has one week, not two.
    assert all(hours["pri", key] + hours["sec", key] <= 20 for key, _ in population.unavailable)


def test_each_pupil_has_a_full_week_in_one_class_of_each_block(population: Population) -> None:
    hours: Counter[str] = Counter()
    for enrolment in population.enrolments:
        if enrolment.role == "student":
            hours[enrolment.person_key] += population.classes[enrolment.class_key].lessons
    full = {"pri": {25}, "sec": {30}, "col": {30, 38}}
    assert all(hours[pupil.person_key] in full[pupil.school_key] for pupil in population.pupils)
    assert sorted(key for block in population.blocks for key in block.class_keys) == sorted(
        one.key for one in population.classes.values() if one.kind == "scheduled"
    )
    assert all(
        one.lessons == block.lessons
        for block in population.blocks
        for one in map(population.classes.__getitem__, block.class_keys)
    )


def test_titles_of_classes_are_told_apart_in_a_school(population: Population) -> None:
    titles = Counter((one.school_key, one.title) for one in population.classes.values())
    assert [title for title, count in titles.items() if count > 1] == []
    assert all(
        one.course_key in {course.key for course in population.courses} for one in population.classes.values()
    )


def test_the_second_language_of_teaching_abroad_is_german(population: Population) -> None:
    taught = [
        one
        for one in population.classes.values()
        if one.school_key == "col" and one.subject in {"DEU", "DAF"}
    ]
    assert sum(one.lessons for one in taught) > 100
    assert {school.languages for school in population.schools if school.key == "col"} == {("es", "de", "en")}


def test_there_is_somebody_to_sign_in_as_for_each_role(population: Population) -> None:
    roles = {persona.role for persona in population.personas}
    assert roles == {"inspector", "head", "secretary", "counsellor", "nurse", "teacher", "guardian", "pupil"}
    silent = next(persona for persona in population.personas if "court order" in persona.why)
    ties = [tie for tie in population.guardianships if tie.guardian_key == silent.person_key]
    assert ties
    assert not any(tie.receives_notices for tie in ties)


def test_a_name_of_the_time_and_country() -> None:
    people = people_of(1).people.values()
    catalan = [person for person in people if person.origin == "catalan"]
    mothers = Counter(
        person.given_name for person in catalan if person.key.startswith("guardian") and person.sex == "f"
    )
    girls = Counter(
        person.given_name
        for person in catalan
        if person.key.startswith("pupil") and person.sex == "f" and person.born_on.year > 2016
    )
    assert not {name for name, _ in mothers.most_common(5)} & {name for name, _ in girls.most_common(5)}
    assert 0.05 < sum(" i " in person.family_name for person in catalan) / len(catalan) < 0.2


def test_a_child_has_the_first_surname_of_each_parent() -> None:
    rule = names.child_surnames
    assert rule(names.CATALAN, ("Vila", "Serra"), ("Puig", "Mas"), mother_first=False) == ("Vila", "Puig")
    assert rule(names.CATALAN, ("Vila", "Serra"), ("Puig", "Mas"), mother_first=True) == ("Puig", "Vila")
    assert rule(names.PORTUGUESE, ("Silva", "Pinto"), ("Rocha", "Lopes"), mother_first=False) == (
        "Rocha",
        "Silva",
    )
    assert rule(names.MOROCCAN, ("Benali",), ("Chaoui",), mother_first=False) == ("Benali",)
    assert rule(names.CATALAN, ("Puig", "Mas"), (), mother_first=False) == ("Puig", "Mas")


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        (2024, date(2024, 3, 31)),
        (2025, date(2025, 4, 20)),
        (2026, date(2026, 4, 5)),
        (2038, date(2038, 4, 25)),
    ],
)
def test_easter(year: int, sunday: date) -> None:
    assert schools.easter(year) == sunday


@pytest.mark.parametrize(
    "today", [date(2026, 11, 20), date(2027, 1, 10), date(2027, 7, 31), date(2028, 2, 29)]
)
def test_the_demonstration_can_be_made_on_any_day_of_the_year(today: date) -> None:
    start = schools.year_start_for(today)
    population = build_population(7, start)
    assert start.weekday() == 0
    for school in population.schools:
        year = next(
            session
            for session in population.sessions
            if session.school_key == school.key and session.kind == "schoolYear"
        )
        assert year.begins_on <= today <= year.ends_on
        assert len(schools.school_days(population.closures, school.key, start, today)) > 30
