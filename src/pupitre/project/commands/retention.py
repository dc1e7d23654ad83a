"""`pupitre retention`: delete what is older than the rules allow, or say what would go. Also `pupitre figures`."""

import argparse
import sys
from collections import Counter
from datetime import timedelta

from pupitre.attendance.actions import figures
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import system_actor
from pupitre.project import retention
from pupitre.project.cli import CommandError
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope


def _schools(slug: str) -> list[SchoolFacts]:
    if not slug:
        return tenancy.all_schools()
    try:
        return [tenancy.access_school(slug)]
    except NotFound:
        raise CommandError(f"There is no school {slug!r}.") from None


def run_retention(args: argparse.Namespace) -> int:
    return _say_what_would_go(args) if args.dry_run else _delete(args)


def _say_what_would_go(args: argparse.Namespace) -> int:
    now = clock.now()
    counted: Counter[tuple[str, str]] = Counter()
    if not args.school:
        for rule, table, rows in retention.due_of_installation(now):
            counted[rule, table] += rows
    for school in _schools(args.school):
        for rule, table, rows in retention.due(school, now):
            counted[rule, table] += rows
    for (rule, table), rows in sorted(counted.items()):
        sys.stdout.write(f"{rows:>14,}  {table:<32} {rule}\n")
    sys.stdout.write(f"{sum(counted.values()):>14,}  rows would go. Nothing was deleted.\n")
    return 0


def _delete(args: argparse.Namespace) -> int:
    now = clock.now()
    pace = retention.Pace(now + timedelta(minutes=args.minutes), rest=0.0 if args.fast else 1.0)
    schools = _schools(args.school)
    gone: Counter[str] = Counter()
    complete = True
    if not args.school:
        told = retention.run_for_installation(now, pace)
        complete &= told.is_complete
        gone.update(told.rows)
        for month in told.months:
            sys.stdout.write(f"month {month}\n")
    for number, school in enumerate(schools, 1):
        told = retention.run_for_school(school, now, pace)
        complete &= told.is_complete
        gone.update(told.rows)
        if told.rows or sys.stderr.isatty():
            sys.stderr.write(f"{number} of {len(schools)}: {school.slug}, {sum(told.rows.values()):,} rows\n")
    for table, rows in sorted(gone.items()):
        if rows:
            sys.stdout.write(f"{rows:>14,}  {table}\n")
    rest = "" if complete else " Something is left: run it again, or wait for the night."
    sys.stdout.write(f"{sum(gone.values()):>14,}  rows were deleted.{rest}\n")
    return 0


def run_figures(args: argparse.Namespace) -> int:
    """Count every month that is over and was never counted; each in its own transaction, so that it can be broken off."""
    schools = _schools(args.school)
    months = 0
    for number, school in enumerate(schools, 1):
        while True:
            with scope(school.id):
                if figures.keep_earliest_month(system_actor(school), now=clock.now()) is None:
                    break
            months += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} of {len(schools)} schools, {months} months counted ")
    sys.stdout.write(f"{months} months were counted.\n")
    return 0
