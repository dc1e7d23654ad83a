"""`pupitre import` for timetables: the same actions as the page's, with the proposals taken as they are."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.rules import Actor, system_actor
from pupitre.project.cli import CommandError
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions
from pupitre.timetable.queries import imports as queries
from pupitre.timetable.rules.importing import NEW, Choices, arrange, ask, propose
from pupitre.timetable.rules.plan import ImportedTimetable, SourceFile

_SOLUTION = "_activities.xml"
_SHOWN = 12


def run_timetable_import(args: argparse.Namespace) -> int:
    """Import a timetable into the school; 0 when it was put to use (or would be), 1 when nothing was changed."""
    console = Console()
    school = _school(args.school)
    today = clock.today(school.place.time_zone)
    files = _files(args.path)
    plan = queries.read_timetable(files)
    _tell_findings(console, plan)
    if not plan.is_usable:
        raise CommandError(f"{args.path} cannot be used; nothing was changed.")
    with scope(school.place.id):
        known = queries.known_names(today)
        choices = propose(plan, known, queries.usual_start(today), before=queries.choices_before())
        undecided = [
            question.name
            for question, chosen in (
                *((q, choices.teachers) for q in ask(plan, known).teachers),
                *((q, choices.groups) for q in ask(plan, known).groups),
            )
            if not chosen.get(question.name)
        ]
        _tell_plan(console, plan, choices)
        if undecided:
            told = ", ".join(undecided[:_SHOWN]) + (" …" if len(undecided) > _SHOWN else "")
            raise CommandError(
                f"Several rows of the school would do for {told}.\n"
                f"Decide on the page /s/{args.school}/timetable/imports. Nothing was changed."
            )
        if args.dry_run:
            arrangement = arrange(plan, known, choices)
            console.print(
                f"Would put {len(arrangement.lessons)} lessons and {len(arrangement.duties)} duties to use from "
                f"{choices.starts_on} on. Nothing was changed."
            )
            return 0
        report = _apply(school, files, choices)
    table = Table("did", "count", title=f"Timetable of {school.place.name} from {choices.starts_on} on")
    for name, count in report.items():
        table.add_row(name.replace("_", " "), str(count))
    console.print(table)
    return 0


def _apply(school: Actor, files: Sequence[SourceFile], choices: Choices) -> dict[str, int]:
    now = clock.now()
    try:
        upload, _plan = actions.receive_timetable(school, files, now=now)
        actions.choose_timetable(school, upload.pk, choices)
        return actions.apply_timetable(school, upload.pk, now=now, today=clock.today(school.place.time_zone))
    except DomainError as error:
        raise CommandError(f"{error} Nothing was changed.") from None


def _school(slug: str) -> Actor:
    try:
        return system_actor(tenancy.access_school(slug))
    except DomainError:
        raise CommandError(f"There is no school /s/{slug}/.") from None


def _files(path: Path) -> list[SourceFile]:
    """The file; beside a .fet its solution, and the other way round; in a folder what belongs together there."""
    try:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in {".fet", ".xml"})
        else:
            found = [path, *_companions(path)]
        return [SourceFile(one.name, one.read_bytes()) for one in found]
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None


def _companions(path: Path) -> list[Path]:
    if path.name.endswith("_data_and_timetable.fet") or path.suffix.lower() not in {".fet", ".xml"}:
        return []
    if path.suffix.lower() == ".fet":
        other = path.with_name(f"{path.stem}{_SOLUTION}")
    else:
        other = path.with_name(f"{path.name.removesuffix(_SOLUTION)}.fet")
    return [other] if other != path and other.is_file() else []


def _tell_findings(console: Console, plan: ImportedTimetable) -> None:
    for finding in plan.findings:
        where = f"{finding.file}:{finding.line}" if finding.line else finding.file
        console.print(f"{finding.severity.value}: {where}: {finding.what()} {finding.mend()}", markup=False)


def _tell_plan(console: Console, plan: ImportedTimetable, choices: Choices) -> None:
    new = sum(choice == NEW for choice in choices.teachers.values())
    forms = sum(choice == NEW for choice in choices.groups.values())
    console.print(
        f"{len(plan.days)} days, {len(plan.periods)} hours, {len(plan.lessons)} activities; "
        f"{len(choices.teachers)} teachers ({new} new), {len(choices.groups)} groups ({forms} new), "
        f"{len(choices.rooms)} rooms.",
        markup=False,
    )
