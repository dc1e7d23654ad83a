"""Composing what policies, lesson rules and leases say to one whom, and writing it where it differs from before."""

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction

from pupitre.devices.models import Assignment, LessonRule, Target
from pupitre.devices.queries.layers import Whom, assigned_to
from pupitre.devices.queries.lesson_rules import schedules_of
from pupitre.devices.rules import Level
from pupitre.devices.rules.compiling import compile_document
from pupitre.kernel import clock
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import current
from pupitre.timetable.queries.stamp import timetable_stamp

if TYPE_CHECKING:
    from django.db.models import QuerySet

# Revisions become visible in their order: who compiles waits for who compiled before to commit. So what the gateway has not
# seen is always newer than what it has seen, and of two who change the same whom the second sees the first's change.
_IN_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext('devices_revision'))"

# A document that is the same as before is left alone: no revision, no row version. Who is told nothing gets no row.
_WRITE: Final = """
INSERT INTO devices_target (authority_id, school_id, level, whom, revision, document, changed_at, source)
SELECT %(authority)s, %(school)s, n.level, n.whom, nextval('devices_revision'), n.document, %(now)s, ''
  FROM unnest(%(levels)s::smallint[], %(whoms)s::bigint[], %(documents)s::jsonb[]) AS n (level, whom, document)
  LEFT JOIN devices_target t ON t.authority_id = %(authority)s AND t.level = n.level AND t.whom = n.whom
 WHERE n.document IS DISTINCT FROM coalesce(t.document, '{}')
    ON CONFLICT (authority_id, level, whom) DO UPDATE
   SET revision = excluded.revision, document = excluded.document, changed_at = excluded.changed_at
"""


def compile_targets(level: Level, whom: int, *, now: datetime) -> int:
    """Compose all that is said to one whom, in the scope of its school (of its authority at that level).

    Returns how many rows were written: none where nothing changed, else one.
    """
    return compile_all([(level, whom)], now=now)


@transaction.atomic
def compile_all(whoms: Collection[Whom], *, now: datetime) -> int:
    """Compose what is said to each of them; see `compile_targets`. Returns how many differ from before."""
    wanted = sorted(set(whoms))
    if not wanted:
        return 0
    authority_id, school = _place()
    zone = school.time_zone if school else tenancy.access_authority(authority_id).time_zone
    with connection.cursor() as cursor:
        cursor.execute(_IN_TURN)
    documents = _documents(wanted, authority_id, school, now, clock.local(now, zone).date())
    facts = {
        "authority": authority_id,
        "school": school.id if school else None,
        "now": now,
        "levels": [int(level) for level, _ in wanted],
        "whoms": [whom for _, whom in wanted],
        "documents": [json.dumps(documents[whom]) for whom in wanted],
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, facts)
        return int(cursor.rowcount)


def _place() -> tuple[int, SchoolFacts | None]:
    """Whose rows this scope writes: an authority's, or a school's."""
    scope = current()
    if scope is None or not (scope.school or scope.authority):
        raise RuntimeError("targets are compiled in the scope of a school or an authority")
    if scope.school:
        school = tenancy.school_by_id(scope.school)
        return school.authority_id, school
    return scope.authority, None


def _documents(
    whoms: Collection[Whom], authority_id: int, school: SchoolFacts | None, now: datetime, today: date
) -> dict[Whom, dict[str, Any]]:
    school_id = school.id if school else None
    assigned = assigned_to(whoms, authority_id=authority_id, school_id=school_id, today=today)
    classes = [whom for level, whom in whoms if level is Level.GROUP]
    schedules = schedules_of(school, classes, now=now) if school and classes else {}
    return {
        (level, whom): compile_document(
            assigned[level, whom], schedules.get(whom, ()) if level is Level.GROUP else ()
        )
        for level, whom in whoms
    }


def compile_policy(policy_id: int, *, now: datetime) -> int:
    """Compose what is said to everybody to whom this policy is assigned, within the scope."""
    authority_id, school = _place()
    found = Assignment.objects.filter(authority_id=authority_id, policy_id=policy_id, ended_at__isnull=True)
    rows = found.values_list("school_id", "level", "whom")
    return compile_all([(Level(row[1]), row[2]) for row in rows if _is_ours(*row, school)], now=now)


def _is_ours(school_id: int | None, level: int, whom: int, school: SchoolFacts | None) -> bool:
    """Whether this scope writes the target: an authority what is for all its schools, a school what is within it."""
    if school is None:
        return level == Level.AUTHORITY
    return school_id == school.id or (level == Level.SCHOOL and whom == school.id)


def schools_with(policy_id: int, authority_id: int) -> list[int]:
    """In an authority's scope: the schools in which this policy of the authority is assigned, by it or by themselves."""
    found = Assignment.objects.filter(
        authority_id=authority_id, policy_id=policy_id, ended_at__isnull=True, level__gt=Level.AUTHORITY
    )
    rows = found.values_list("school_id", "level", "whom")
    return sorted({whom if school_id is None else school_id for school_id, _, whom in rows})


def compile_dated(*, now: datetime, days: int = 3) -> int:
    """Compose what is said to those for whom an assignment or a rule began or ended in the last days.

    Doing it once more than needed writes nothing.
    """
    authority_id, school = _place()
    zone = school.time_zone if school else tenancy.access_authority(authority_id).time_zone
    today = clock.local(now, zone).date()
    early = date.fromordinal(today.toordinal() - days)
    found = Assignment.objects.filter(authority_id=authority_id, ended_at__isnull=True)
    found = found.filter(starts_on__range=(early, today)) | found.filter(ends_on__range=(early, today))
    rows = found.values_list("school_id", "level", "whom")
    whoms = {(Level(row[1]), row[2]) for row in rows if _is_ours(*row, school)}
    if school is not None:
        rules = LessonRule.objects.filter(ends_on__range=(early, today), ended_at__isnull=True)
        whoms |= {(Level.GROUP, class_id) for class_id in rules.values_list("klass_id", flat=True)}
    return compile_all(whoms, now=now)


def compile_rules(school: SchoolFacts, *, now: datetime) -> int:
    """Compile the school's lesson rules anew if its timetable, calendar or enrolments changed since they were compiled."""
    stale, stamp = stale_rules(school, now=now)
    written = compile_all([(Level.GROUP, class_id) for class_id in stale], now=now)
    remember_source(school, stale, stamp)
    return written


def stale_rules(school: SchoolFacts, *, now: datetime) -> tuple[list[int], str]:
    """The classes whose rules were compiled of another timetable than that of now, and the stamp of this one.

    One statement where the school has no rules.
    """
    today = clock.local(now, school.time_zone).date()
    rules = LessonRule.objects.filter(ended_at__isnull=True, ends_on__gte=today)
    classes = sorted(set(rules.values_list("klass_id", flat=True)))
    if not classes:
        return [], ""
    stamp = timetable_stamp(school)
    known = dict(_of_classes(school, classes).values_list("whom", "source"))
    return [class_id for class_id in classes if known.get(class_id) != stamp], stamp


def remember_source(school: SchoolFacts, class_ids: Collection[int], stamp: str) -> None:
    """Keep of which timetable the rules of those classes were compiled."""
    if class_ids:
        _of_classes(school, class_ids).update(source=stamp)


def _of_classes(school: SchoolFacts, class_ids: Collection[int]) -> "QuerySet[Target]":
    return Target.objects.filter(
        authority_id=school.authority_id, school_id=school.id, level=Level.GROUP, whom__in=class_ids
    )
