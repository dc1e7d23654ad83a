"""`pupitre import --authority`: a region's files, divided among its schools and imported one school after the other."""

import argparse
import gc
import json
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connections
from django.utils.text import slugify
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pupitre.courses.actions import shares
from pupitre.courses.actions.comparing import choices_of
from pupitre.courses.actions.dividing import Division, divide
from pupitre.courses.actions.shares import Outcome, Taken
from pupitre.courses.rules import regions
from pupitre.courses.rules.findings import Severity
from pupitre.courses.rules.preview import finding_to_json
from pupitre.courses.rules.roster import Org
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people.rules import system_actor
from pupitre.project.cli import CommandError
from pupitre.project.commands.rosters import pair_of
from pupitre.tenancy import actions as founding
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

_SHOWN = 5
_STYLES = {"refused": "red", "failed": "red", "missing": "red", "doubtful": "red", "waiting": "yellow"}
_GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.SAME})


def run_region_import(args: argparse.Namespace) -> int:
    """Import what the path holds into the authority's schools; 0 where every school of the files was, else 1."""
    try:
        authority = tenancy.authority_at(args.authority)
    except NotFound:
        raise CommandError(
            f"There is no authority {args.authority!r}. `pupitre found <authority> <school>` founds one with a school."
        ) from None
    if not args.path.exists():
        raise CommandError(f"{args.path} cannot be read: there is no such file or folder.")
    with tempfile.TemporaryDirectory(prefix="pupitre-region-") as folder:
        return _Region(args, authority, Path(folder)).run()


class _Region:
    #: What the processes of an import find when they come into being.
    _shared: "tuple[_Region, Division]"

    def __init__(self, args: argparse.Namespace, authority: Any, folder: Path) -> None:
        self.args, self.authority, self.folder = args, authority, folder
        self.console = Console(quiet=args.json)
        self.taken: dict[str, Taken] = {}
        self.schools: dict[str, SchoolFacts] = {}

    def run(self) -> int:
        """Divide, import school by school, tell."""
        division = self._divided()
        if division.errors:
            return self._end(division, regions.Matched({}), 1)
        matched = self._matched(division)
        self.schools = {org: tenancy.school_by_id(found) for org, found in matched.schools.items()}
        with self._imported(division) as taken, self._bar() as bar:
            task = bar.add_task("Importing", total=len(matched.schools))
            for org, outcome in taken:
                self.taken[org] = outcome
                bar.update(task, advance=1, description=f"Imported {self.schools[org].name}")
        is_whole = not (matched.missing or matched.doubtful)
        is_good = is_whole and all(taken.outcome in _GOOD for taken in self.taken.values())
        return self._end(division, matched, 0 if is_good else 1)

    def _bar(self) -> Progress:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self.console, transient=True)

    def _divided(self) -> Division:
        with self._bar() as bar:
            task = bar.add_task("Dividing", total=None)

            def heard(file: str, rows: int) -> None:
                bar.update(task, description=f"Dividing {file}", completed=rows)

            return divide(self.args.path, self.folder, heard, choices_of(self._choices()))

    def _matched(self, division: Division) -> regions.Matched:
        found = regions.match_schools(division.orgs.values(), self._candidates())
        if not (self.args.found and found.missing):
            return found
        for org in found.missing:
            if division.rows[org] and not self.args.dry_run:
                self._found(division.orgs[org])
        return regions.match_schools(division.orgs.values(), self._candidates())

    def _candidates(self) -> Iterator[regions.Candidate]:
        for school in tenancy.schools_for(self.authority.pk):
            yield regions.Candidate(school.id, *tenancy.codes_of(school.id))

    def _found(self, org: Org) -> None:
        authority, slug = self.authority, slugify(org.name)[:40] or slugify(org.sourced_id)
        if not slug or _is_taken(slug):
            slug = f"{slug or 'school'}-{slugify(org.identifier or org.sourced_id)}"[:50].strip("-")
        if _is_taken(slug):
            raise CommandError(f"The short name {slug!r} for {org.name} is taken; found the school by hand.")
        where = {
            "country": authority.country,
            "locale": authority.locale,
            "time_zone": authority.time_zone,
        }
        founding.found_school(
            authority, slug=slug, name=org.name, identifier=org.identifier, sourced_id=org.sourced_id, **where
        )

    @contextmanager
    def _imported(self, division: Division) -> Iterator[Iterator[tuple[str, Taken]]]:
        """The schools' outcomes as they come: one after the other, or so many at once in processes of their own."""
        jobs = min(self.args.jobs, len(self.schools))
        if jobs <= 1:
            yield ((org, self._import(division, org, school)) for org, school in self.schools.items())
            return
        # Copies of this process know the division. They must not share its connection, nor be made once the bar's thread runs.
        connections.close_all()
        _Region._shared = self, division
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            yield pool.imap_unordered(_import_one, self.schools)

    def _import(self, division: Division, org: str, school: SchoolFacts) -> Taken:
        if not division.rows[org] and division.whole is None:
            return Taken(Outcome.WAITING, message="the files hold nobody of it")
        share, actor = division.share_of(org), system_actor(school)
        try:
            with _without_collecting(), scope(school.id):
                return shares.import_share(
                    actor,
                    files=share.files,
                    part=share.part,
                    org=org,
                    file_name=self.args.path.name,
                    now=clock.now(),
                    choices=self._choices(),
                    take_file=self.args.take_file,
                    lets_leave=self.args.let_leave,
                    dry_run=self.args.dry_run,
                )
        except (DomainError, DatabaseError) as error:
            return Taken(Outcome.FAILED, message=str(error).partition("\n")[0])

    def _choices(self) -> dict[str, Any]:
        args = self.args
        choices: dict[str, Any] = {}
        for name, told in (("roles", args.role_map), ("grades", args.grade_map)):
            if told:
                choices[name] = dict(pair_of(word) for word in told)
        return {**choices, "date_order": args.date_order} if args.date_order else choices

    # -- telling -----------------------------------------------------------------------------------------------------

    def _end(self, division: Division, matched: regions.Matched, status: int) -> int:
        if self.args.json:
            print(json.dumps(self._answer(division, matched), ensure_ascii=False, indent=2))
            return status
        say = self.console.print
        say(
            f"[bold]{self.args.path.name}[/bold] → {self.authority.name}: {division.source or 'not recognised'}"
        )
        for finding in division.findings:
            if finding.severity is not Severity.NOTE or self.args.verbose:
                say(f"{finding.severity}: {finding.what} {finding.mend}", markup=False)
        for file, (line, count) in division.nowhere.items():
            say(f"{file}: {count:,} rows belong to no school, the first in line {line}.", style="yellow")
        for title, orgs in (
            ("is no school here", matched.missing),
            ("could be several schools", matched.doubtful),
        ):
            for org in orgs:
                say(f"{org} {division.orgs[org].name}: {title}; nothing of it was imported.", style="red")
        self._show_schools()
        self._show_totals(status)
        return status

    def _show_schools(self) -> None:
        for org, taken in self.taken.items():
            if taken.outcome in _GOOD and not self.args.verbose:
                continue
            school = self.schools[org]
            why = taken.message or _why(taken)
            style = _STYLES.get(taken.outcome, "")
            self.console.print(f"{school.slug}: {taken.outcome} {why}".strip(), style=style, markup=False)
            errors = [f for f in taken.findings if f.severity is Severity.ERROR]
            for finding in errors[: None if self.args.verbose else _SHOWN]:
                self.console.print(f"  {finding.what} {finding.mend}", markup=False)
            if len(errors) > _SHOWN and not self.args.verbose:
                self.console.print(f"  … {len(errors) - _SHOWN} more; --verbose shows all", markup=False)

    def _show_totals(self, status: int) -> None:
        table = Table(
            title="All schools" + (" (a trial run: nothing was changed)" if self.args.dry_run else "")
        )
        table.add_column("Kind")
        sums: dict[str, Counter[str]] = {}
        for taken in self.taken.values():
            for kind, counts in taken.kinds.items():
                sums.setdefault(kind, Counter()).update(counts)
        sorts = ("new", "changed", "ended", "back", "conflicts", "same")
        for sort in sorts:
            table.add_column(sort, justify="right")
        for kind, counts in sums.items():
            table.add_row(kind, *(f"{counts[sort]:,}" if counts[sort] else "·" for sort in sorts))
        if sums:
            self.console.print(table)
        outcomes = Counter(taken.outcome.value for taken in self.taken.values())
        told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()) or "none"
        self.console.print(f"Schools: {told}.", style="bold red" if status else "bold green")

    def _answer(self, division: Division, matched: regions.Matched) -> Mapping[str, Any]:
        return {
            "authority": self.authority.slug,
            "source": division.source,
            "findings": [finding_to_json(finding) for finding in division.findings],
            "nowhere": {
                file: {"line": line, "rows": rows} for file, (line, rows) in division.nowhere.items()
            },
            "missing": list(matched.missing),
            "doubtful": list(matched.doubtful),
            "schools": {self.schools[org].slug: _told(taken) for org, taken in self.taken.items()},
        }


def _import_one(org: str) -> tuple[str, Taken]:
    region, division = _Region._shared
    return org, region._import(division, org, region.schools[org])


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A school's facts are some hundred thousand objects that all live to the end: looking for garbage among them is a
    quarter of the time. It is collected after each school, so that memory stays flat, without what was there before.
    """
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
        gc.unfreeze()


def _is_taken(slug: str) -> bool:
    try:
        return bool(tenancy.access_school(slug))
    except NotFound:
        return False


def _why(taken: Taken) -> str:
    if taken.outcome is Outcome.WAITING:
        return (
            f"because {taken.leaving:,} people would leave; look at it on the school's page for rosters, "
            "or import with --let-leave"
        )
    return ""


def _told(taken: Taken) -> dict[str, Any]:
    facts = asdict(taken)
    facts["findings"] = [finding_to_json(finding) for finding in taken.findings]
    return {**facts, "outcome": taken.outcome.value, "seconds": round(taken.seconds, 2)}
