"""`pupitre import` and `pupitre export` for rosters: the same actions as the pages', with progress in the terminal."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pupitre.courses.actions import exports, rosters
from pupitre.courses.rules.archives import is_roster_file
from pupitre.courses.rules.countries import doors
from pupitre.courses.rules.findings import Finding
from pupitre.courses.rules.preview import finding_from_json
from pupitre.courses.rules.reading import read_roster
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.kernel.storage import Storage
from pupitre.people.rules import Actor, system_actor
from pupitre.project.cli import CommandError
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope

_TIMETABLES = {".fet", ".xml"}
_SHOWN = 12
_SORTS = ("new", "changed", "ended", "back", "conflicts", "same")
_TITLES = {"back": "returned", "conflicts": "kept (the school's own)", "same": "as before"}


def run_import(args: argparse.Namespace) -> int:
    """Import what the path holds into the school; 0 when it was applied (or would be), 1 when nothing was changed."""
    if args.authority:
        from pupitre.project.commands.regions import run_region_import

        return run_region_import(args)
    if args.school is None:
        raise CommandError(
            "Which school? `pupitre import <school> <path>`, or a region: --authority <authority> <path>."
        )
    if _is_timetable(args):
        from pupitre.project.commands.timetables import run_timetable_import

        return int(run_timetable_import(args) or 0)
    actor = _office(args.school)
    return _Import(args, actor, _files(args.path)).run()


def run_export(args: argparse.Namespace) -> int:
    """Write the school's roster to a zip."""
    actor = _office(args.school)
    with scope(actor.place.id):
        data = exports.export_roster(actor, now=clock.now())
    try:
        args.path.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{args.path} cannot be written: {error.strerror}") from None
    Console().print(f"{args.path}: OneRoster 1.2 CSV of {actor.place.name}, {len(data):,} bytes")
    return 0


def _office(slug: str) -> Actor:
    try:
        return system_actor(tenancy.access_school(slug))
    except NotFound:
        known = ", ".join(school.slug for school in tenancy.all_schools()) or "none yet"
        raise CommandError(
            f"There is no school {slug!r}. Schools: {known}. `pupitre found <authority> <school>` founds one."
        ) from None


def _is_timetable(args: argparse.Namespace) -> bool:
    told = (args.format or "").lower()
    if told:
        return told in {"fet", "timetable", "timetable-csv"}
    path: Path = args.path
    if path.is_dir():
        names = {file.suffix.lower() for file in path.iterdir()}
        return bool(names & _TIMETABLES) and ".csv" not in names and not doors.recognises(_files(path))
    if path.suffix.lower() == ".csv" and path.is_file():
        return read_roster({path.name: path.read_bytes()}).source.format is None
    return path.suffix.lower() in _TIMETABLES and not (path.is_file() and doors.recognises(_files(path)))


def _files(path: Path) -> dict[str, bytes]:
    try:
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*")) if file.is_file()]
            kept = [file for file in found if is_roster_file(file.name) or file.suffix.lower() == ".zip"]
            return {file.relative_to(path).as_posix(): file.read_bytes() for file in kept}
        return {path.name: path.read_bytes()}
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None


class _Import:
    def __init__(self, args: argparse.Namespace, actor: Actor, files: Mapping[str, bytes]) -> None:
        self.args, self.actor, self.files = args, actor, files
        self.as_json = bool(getattr(args, "json", False))
        self.console = Console(quiet=self.as_json)

    def run(self) -> int:
        """Read, show, and apply unless there is an error or nothing shall be changed."""
        try:
            with scope(self.actor.place.id):
                record = self._read()
                self._show(record)
                is_wrong = record.state == record.REFUSED
                if is_wrong or self.args.dry_run:
                    transaction.set_rollback(True)
            if is_wrong or self.args.dry_run:
                self._forget(record)
                return self._end(record, 1 if is_wrong else 0)
            return self._end(self._apply(record.pk), 0)
        except DomainError as error:
            raise CommandError(str(error)) from None

    def _read(self) -> Any:
        now = clock.now()
        record = rosters.upload_roster(self.actor, files=self.files, file_name=self.args.path.name, now=now)
        record = rosters.read_import(self.actor, record.pk, now=now)
        choices = self._choices(record)
        return rosters.choose(self.actor, record.pk, now=now, **choices) if choices else record

    def _choices(self, record: Any) -> dict[str, Any]:
        args = self.args
        choices: dict[str, Any] = {}
        for name, told in (("roles", args.role_map), ("grades", args.grade_map)):
            if told:
                choices[name] = dict(pair_of(word) for word in told)
        if args.date_order:
            choices["date_order"] = args.date_order
        if args.org:
            every = [org["id"] for org in record.plan["orgs"]]
            choices["orgs"] = every if args.org == ["all"] else args.org
        return choices

    @staticmethod
    def _forget(record: Any) -> None:
        storage = Storage(settings.CONFIG.storage_url)
        for key in record.plan.get("rows", {}).values():
            storage.delete(key)

    def _apply(self, import_id: int) -> Any:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with scope(self.actor.place.id), Progress(*columns, console=self.console, transient=True) as bar:
            if self.args.take_file:
                rosters.answer_conflicts(self.actor, import_id, take_all=True)
            task = bar.add_task(f"Importing into {self.actor.place.name}")
            return rosters.apply_import(
                self.actor,
                import_id,
                now=clock.now(),
                tell=lambda done, total: bar.update(task, completed=done, total=total),
            )

    # -- showing -----------------------------------------------------------------------------------------------------

    def _show(self, record: Any) -> None:
        findings = [finding_from_json(line) for line in record.findings]
        say = self.console.print
        say(f"[bold]{record.file_name}[/bold] → {self.actor.place.name}: {record.source or 'not recognised'}")
        self._show_findings(findings)
        if record.plan["orgs"]:
            orgs = ", ".join(
                f"{'✓ ' if org['chosen'] else ''}{org['id']} {org['name']} ({org['people']} people)"
                for org in record.plan["orgs"]
            )
            say(f"Schools of the files: {orgs}", style="dim")
        if record.state != record.REFUSED:
            self._show_plan(record)

    def _show_findings(self, findings: list[Finding]) -> None:
        counts = Counter(finding.severity for finding in findings)
        shown: Counter[str] = Counter()
        styles = {"error": "red", "warning": "yellow", "note": "dim"}
        for finding in findings:
            shown[finding.severity] += 1
            if shown[finding.severity] > _SHOWN and not self.args.verbose:
                continue
            style = styles[finding.severity]
            self.console.print(
                f"{finding.severity}: {finding.what} {finding.mend}", style=style, markup=False
            )
        for severity, count in counts.items():
            if count > _SHOWN and not self.args.verbose:
                self.console.print(
                    f"… {count - _SHOWN} more ({severity}); --verbose shows all", style=styles[severity]
                )

    def _show_plan(self, record: Any) -> None:
        table = Table(title="What changes" if not record.plan["nothing"] else "Nothing changes")
        table.add_column("Kind")
        for sort in _SORTS:
            table.add_column(_TITLES.get(sort, sort), justify="right")
        for kind, counts in record.plan["kinds"].items():
            table.add_row(kind, *(f"{counts[sort]:,}" if counts[sort] else "·" for sort in _SORTS))
        self.console.print(table)

    def _end(self, record: Any, status: int) -> int:
        if self.as_json:
            answer = {
                "school": self.actor.place.slug,
                "source": record.source,
                "applied": record.state == record.APPLIED,
                "nothing_changes": bool(record.plan.get("nothing")),
                "kinds": record.plan.get("kinds", {}),
                "orgs": record.plan.get("orgs", []),
                "findings": record.findings,
                "report": record.report,
            }
            print(json.dumps(answer, ensure_ascii=False, indent=2))
        elif status:
            self.console.print("Nothing was changed.", style="bold red")
        elif self.args.dry_run:
            self.console.print("Nothing was changed: this was a trial run.", style="bold")
        elif record.report["nothing"]:
            self.console.print("Nothing changes: the school is as the files say.", style="bold green")
        else:
            self.console.print(f"Imported in {record.report['seconds']} s.", style="bold green")
        return status


def pair_of(word: str) -> tuple[str, str]:
    """What `--role-map` and `--grade-map` are told: a word and its meaning."""
    left, sign, right = word.partition("=")
    if not sign or not left.strip():
        raise CommandError(f"{word!r} is not of the form WORD=MEANING")
    return left.strip(), right.strip()
