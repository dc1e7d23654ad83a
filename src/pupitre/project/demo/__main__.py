"""`python -m pupitre.project.demo [--seed N] [--on YYYY-MM-DD]`: a look at the demonstration without a database."""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from pupitre.project.demo import attendance, schools
from pupitre.project.demo.notices import build_notices
from pupitre.project.demo.population import build_population
from pupitre.project.demo.roster import Population
from pupitre.project.demo.today import demo_day
from pupitre.project.demo.week import Week, solve_week


def main() -> None:
    """Generate the demonstration and print what is in it."""
    parser = argparse.ArgumentParser(prog="python -m pupitre.project.demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--on", type=date.fromisoformat, default=date(2026, 11, 20), help="the day it is opened"
    )
    arguments = parser.parse_args()
    started = time.perf_counter()
    population = build_population(arguments.seed, schools.year_start_for(arguments.on))
    made = time.perf_counter()
    week = solve_week(population)
    solved = time.perf_counter()
    for line in _summary(population, week, arguments.on):
        print(line)
    print(
        f"\nPeople in {made - started:.2f} s, week in {solved - made:.2f} s, everything in {time.perf_counter() - started:.2f} s."
    )


def _summary(population: Population, week: Week, on: date) -> Iterator[str]:
    yield from _schools(population, week)
    yield from _families(population)
    yield from _timetable(population, week, "sec-1E-A")
    yield from _timetable(population, week, "col-5B-A")
    yield from _hours(week, on)
    yield from _registers(population, week, on)
    yield from _notices(population, on)
    yield "\nPersonas"
    for persona in population.personas:
        person = population.people[persona.person_key]
        yield f"  {persona.role:10} {person.username:22} {person.name:36} {persona.school_key or '-':4} {persona.why}"


def _schools(population: Population, week: Week) -> Iterator[str]:
    yield f"{population.authority.name}: {len(population.pupils)} pupils, {len(population.people)} people"
    for school in population.schools:
        sizes = [group.size for group in population.groups if group.school_key == school.key]
        roles = Counter(role.role for role in population.roles if role.school_key == school.key)
        lessons = sum(1 for lesson in week.lessons if lesson.school_key == school.key)
        yield f"\n{school.name} ({school.town}, {school.time_zone})"
        yield f"  {sum(sizes)} pupils in {len(sizes)} groups of {min(sizes)} to {max(sizes)}, {lessons} lessons a week"
        yield "  " + ", ".join(f"{count} {role}" for role, count in roles.items())
        places = [pupil for pupil in population.pupils if pupil.school_key == school.key]
        for pupil in places[:: len(places) // 12]:
            person = population.people[pupil.person_key]
            yield f"    {pupil.group_key:10} {person.born_on} {person.sex} {person.language} {person.username:22} {person.name} ({person.origin})"
        staff = [role for role in population.roles if role.school_key == school.key]
        for role in staff[:: len(staff) // 8]:
            yield f"    {role.title:26} {population.people[role.person_key].name}"


def _families(population: Population) -> Iterator[str]:
    relations = Counter(tie.relation for tie in population.guardianships)
    origins = Counter(population.people[pupil.person_key].origin for pupil in population.pupils)
    yield "\nGuardians: " + ", ".join(f"{count} {relation}" for relation, count in relations.most_common())
    yield "Origins: " + ", ".join(f"{count} {origin}" for origin, count in origins.most_common())
    shown = [tie for tie in population.guardianships if tie.court_note]
    yield f"{len(shown)} ties limited by a court, such as:"
    for tie in shown[:: max(1, len(shown) // 4)]:
        names = f"{population.people[tie.guardian_key].name} for {population.people[tie.pupil_key].name}"
        yield f"  {tie.relation:7} {names}: {tie.court_note}"
    yield "Families:"
    homes: dict[str, list[str]] = {}
    for tie in population.guardianships:
        homes.setdefault(tie.pupil_key, []).append(
            f"{tie.relation} {population.people[tie.guardian_key].name}"
        )
    for pupil, guardians in islice(homes.items(), 0, None, 110):
        yield f"  {population.people[pupil].name}: {'; '.join(guardians)}"


def _timetable(population: Population, week: Week, group: str) -> Iterator[str]:
    yield f"\nWeek of {group}"
    cells: dict[tuple[int, int], list[str]] = {}
    for lesson in week.lessons:
        one = population.classes[lesson.class_key]
        if group in one.group_keys:
            cells.setdefault((lesson.weekday, lesson.period), []).append(one.subject)
    for period in range(1, max(period for _, period in cells) + 1):
        yield f"  {period}  " + "".join(
            f"{'|'.join(cells.get((day, period), ['-'])):17}" for day in range(1, 6)
        )


def _hours(week: Week, on: date) -> Iterator[str]:
    yield "\nA lesson under way"
    bell = week.bells["sec"]
    for days, hour in ((0, 9), (0, 13), (0, 22), (1, 11), (2, 3)):
        now = datetime.combine(
            on + timedelta(days=days), datetime.min.time(), ZoneInfo("Europe/Madrid")
        ).replace(hour=hour, minute=10)
        day = demo_day(now, bell)
        lesson = day.lesson_at(now.time())
        times = f"{lesson.starts_at:%H:%M}-{lesson.ends_at:%H:%M}" if lesson else "none"
        number = lesson.number if lesson and lesson.number else 0
        classes = len(week.at("sec", day.runs_as_weekday, number))
        yield f"  {now:%a %H:%M}: lesson {number}, {times}, {classes} classes, {'changed' if day.changed else 'as the calendar says'}"


def _registers(population: Population, week: Week, on: date) -> Iterator[str]:
    first = on - timedelta(days=61)
    days = {
        school.key: attendance.school_days(schools.school_days(population.closures, school.key, first, on))
        for school in population.schools
    }
    history = attendance.build_history(population, week, days, random.Random(population.seed))  # noqa: S311
    statuses: Counter[str] = Counter()
    taken = untaken = 0
    for register in history.registers:
        taken += register.taken_at is not None
        untaken += register.taken_at is None
        statuses.update(mark.status for mark in register.marks)
    total = statuses.total()
    yield f"\n{taken} registers, {untaken} not taken; {total} marks: " + ", ".join(
        f"{status} {100 * count / total:.2f} %" for status, count in statuses.most_common()
    )
    reasons = Counter(absence.reason for absence in history.absences)
    yield f"{len(history.absences)} absences: " + ", ".join(
        f"{count} {reason}" for reason, count in reasons.most_common()
    )


def _notices(population: Population, on: date) -> Iterator[str]:
    now = datetime.combine(on, datetime.min.time(), ZoneInfo("Europe/Madrid")).replace(hour=20)
    notices, receipts = build_notices(population, random.Random(population.seed), now=now)  # noqa: S311
    yield "\nNotices"
    for notice in notices:
        own = [receipt for receipt in receipts if receipt.notice_key == notice.key]
        read = sum(1 for receipt in own if receipt.read_at)
        confirmed = (
            f", {sum(1 for receipt in own if receipt.confirmed_at)} confirmed"
            if notice.needs_confirmation
            else ""
        )
        yield f"  {notice.published_at:%d %b %H:%M} {notice.school_key} {notice.title}: {read} of {len(own)} read{confirmed}"


if __name__ == "__main__":
    main()
