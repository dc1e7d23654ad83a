"""Writing a populated region: first what its schools share, then one school after the other, each in one transaction.

A school is either complete or not there, so whatever was interrupted goes on with the schools that are missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from pupitre.attendance.actions import figures, history
from pupitre.attendance.rules.absences import Counted, Window
from pupitre.attendance.rules.loading import NewThreshold
from pupitre.courses.actions import loading as courses
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people import actions as people
from pupitre.people.actions import loading as people_loading
from pupitre.people.rules import Role, system_actor
from pupitre.people.rules.loading import Everybody
from pupitre.project.populate.families import Human, SchoolPeople, draw_shared, people_of
from pupitre.project.populate.past import Past
from pupitre.project.populate.region import Region, Years
from pupitre.project.populate.teaching import BELL, SchoolWeek
from pupitre.tenancy import actions as founding
from pupitre.tenancy import bulk
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.models import Authority
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.actions.loading import load_timetable

#: Everybody's. It opens invented data only.
PASSWORD: Final = "demostracio"  # noqa: S105
INSPECTOR: Final = "inspector.of.{authority}"
_WHERE: Final = {"country": "ES", "time_zone": "Europe/Madrid"}
_ACCOUNT: Final = (
    "id", "password", "last_login", "username", "email", "display_name", "locale", "is_active", "activated_at", "created_at",
)  # fmt: skip


class NotOursError(Exception):
    """The authority has schools of its own, or some of other numbers; populate fills an authority of its own only."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the schools stand on: the authority, everybody's password as it is kept, and the moment of the filling."""

    region: Region
    authority_id: int
    password: str
    now: datetime

    @property
    def years(self) -> Years:
        return Years(clock.local(self.now, _WHERE["time_zone"]).date())


@dataclass(frozen=True, slots=True)
class Filled:
    """What one school was filled with."""

    number: int
    persons: int
    registers: int
    marks: int


def prepare(region: Region, *, now: datetime) -> tuple[Ground, list[int]]:
    """Found the authority with what its schools share; answers what they stand on, and the numbers that are missing.

    Raises NotOursError where the authority has other schools.
    """
    authority = region.authority
    done = _numbers_done(region)
    with transaction.atomic():
        row = founding.found_authority(
            slug=authority,
            name=authority.replace("-", " ").title(),
            locale="ca",
            requires_second_factor=False,
            **_WHERE,
        )
        ground = Ground(region, row.pk, make_password(PASSWORD), now)
        _open_shared(ground)
        inspector = people_loading.account_of(INSPECTOR.format(authority=authority))
        people.appoint_inspector(authority_id=row.pk, account=inspector)
    missing = [number for number in range(region.schools) if number not in done]
    # Large schools first: the last ones to be filled are then small, and no process waits long for another.
    return ground, sorted(missing, key=lambda number: -region.planned[number].pupils)


def sum_up(ground: Ground) -> None:
    """Sum the authority's days over its schools: the last step, when all of them stand."""
    with scope(authority=ground.authority_id):
        figures.count_authority(ground.authority_id, now=ground.now)


def _numbers_done(region: Region) -> set[int]:
    numbers = {region.sourced_id(number): number for number in range(region.schools)}
    try:
        found = tenancy.authority_at(region.authority)
    except NotFound:
        return set()
    held = {tenancy.codes_of(one.id)[0] for one in tenancy.schools_for(found.pk)}
    if held - numbers.keys():
        raise NotOursError
    return {numbers[one] for one in held}


def _open_shared(ground: Ground) -> None:
    region, year = ground.region, ground.years.start.year
    shared = [draw_shared(region, one.number, year) for one in region.planned if one.shared]
    humans = [human for one in shared for human in one.humans()]
    told = {"given_name": "Inés", "family_name": "Torrent", "locale": "ca"}
    humans.append(Human(INSPECTOR.format(authority=region.authority), told))
    held = _accounts_of([one.key for one in humans])
    _open([one for one in humans if one.key not in held], ground)


def _accounts_of(usernames: Sequence[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT username, id FROM people_account WHERE username = ANY(%s)", [list(usernames)])
        return dict(cursor.fetchall())


def _open(humans: Sequence[Human], ground: Ground) -> dict[str, int]:
    """Accounts that are ready for use, all with the same password: hashing each would take hours."""
    ids = dict(zip((one.key for one in humans), bulk.next_ids("people_account", len(humans)), strict=True))
    bulk.insert_rows("people_account", _ACCOUNT, _account_rows(humans, ids, ground))
    return ids


def _account_rows(humans: Iterable[Human], ids: dict[str, int], ground: Ground) -> Iterator[Sequence[Any]]:
    for one in humans:
        yield (
            ids[one.key], ground.password, None, one.key, "", one.display_name, one.told["locale"], True, ground.now, ground.now,
        )  # fmt: skip


def fill_school(ground: Ground, number: int) -> Filled:
    """One school with everything in it, in one transaction."""
    region, years = ground.region, ground.years
    crowd = people_of(region, number, years.start.year)
    week = SchoolWeek(crowd, years)
    with transaction.atomic():
        facts = _found(ground, number)
        with scope(facts.id):
            registers, marks = _fill(ground, facts, crowd, week)
    return Filled(number, len(crowd.humans), registers, marks)


def _found(ground: Ground, number: int) -> SchoolFacts:
    planned = ground.region.planned[number]
    row = founding.found_school(
        Authority.objects.get(pk=ground.authority_id),
        slug=planned.slug,
        name=planned.name,
        locale=planned.language,
        sourced_id=ground.region.sourced_id(number),
        **_WHERE,
    )
    return tenancy.facts_of(row)


def _fill(ground: Ground, facts: SchoolFacts, crowd: SchoolPeople, week: SchoolWeek) -> tuple[int, int]:
    actor, drafts = system_actor(facts), week.drafts
    person_ids = people_loading.load_people(actor, _everybody(ground, crowd), now=ground.now)
    class_ids = courses.load_teaching(actor, week.teaching(), person_ids=person_ids)
    timetable.set_bell_schedule(actor, name="Marc", periods=BELL)
    timetable.set_weeks(actor, weekdays=range(1, 6))
    for one in ground.years.closures:
        timetable.close_day(actor, starts_on=one.first_on, ends_on=one.last_on, label=one.title)
    load_timetable(
        actor,
        rooms=list(drafts.rooms.values()),
        lessons=drafts.lessons,
        class_ids=class_ids,
        person_ids=person_ids,
    )
    history.load_ways(actor, thresholds=[_threshold()])
    keys = {role: person_ids[key] for key, role in reversed(crowd.roles)}
    days = ground.years.days(ground.region.history)
    return Past(actor, days, keys[Role.SECRETARY], keys[Role.HEAD], ground.now).make()


def _everybody(ground: Ground, crowd: SchoolPeople) -> Everybody:
    held = _accounts_of(crowd.shared)
    own = [one for key, one in crowd.humans.items() if key not in held]
    ids = held | _open(own, ground)
    return Everybody(crowd.persons(ids), crowd.new_roles(), tuple(crowd.ties))


def _threshold() -> NewThreshold:
    body = "Benvolguts {guardian},\n\n{pupil} ({class}) ha faltat a {count} classes entre {from} i {until}.\n\n{school}"
    return NewThreshold(
        "Cinc faltes en un mes", Counted.ABSENT_LESSONS, 5, Window.MONTH, "Faltes de {pupil}", body
    )
