"""An import worked out: its files read, compared with the school, and carried out, in the transaction of the action that asks."""

import io
import json
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from pupitre.courses.actions.writing import Tell, Writing
from pupitre.courses.models import RosterImport
from pupitre.courses.queries import rosters as queries
from pupitre.courses.rules import coverage, preview
from pupitre.courses.rules.archives import files_of_zip
from pupitre.courses.rules.events import RosterImported
from pupitre.courses.rules.facts import KINDS, Said, said_about
from pupitre.courses.rules.findings import Finding, FindingCode, Severity
from pupitre.courses.rules.orgs import decide_orgs
from pupitre.courses.rules.parts import FACTS_NAME, LINES_SUFFIX, Part, part_of
from pupitre.courses.rules.planning import SchoolPlan, Sides, plan_of, to_remember
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import Choices, Kind, Roster, RosterRole
from pupitre.kernel import events
from pupitre.kernel.errors import Conflict, Refused
from pupitre.kernel.storage import Storage
from pupitre.people.rules import Actor
from pupitre.tenancy import queries as tenancy

_UNTOUCHED = (1980, 1, 1, 0, 0, 0)


class UnderWay(Conflict):
    """An import of this school is being carried out at this moment. Wait until it has finished."""


class FilesGone(Refused):
    """The files of this import are no longer kept. Upload them again."""


def store() -> Storage:
    return Storage(settings.CONFIG.storage_url)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The same files always give the same bytes, so that they are stored once."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(path, _UNTOUCHED), files[path], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@dataclass(slots=True)
class Work:
    """Everything about an import that is worked out from its files and the school."""

    roster: Roster
    orgs: frozenset[str]
    said: Said
    sides: Sides
    last_ids: Mapping[Kind, Mapping[str, list[str]]]
    plan: SchoolPlan
    findings: tuple[Finding, ...]
    person_ids: dict[str, int]
    department_ids: dict[str, int]

    @property
    def has_errors(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def work_out(actor: Actor, record: RosterImport, today: date, *, takes: bool) -> Work:
    """Read, translate to the school's facts and compare. `takes`: answer conflicts as chosen, not by keeping."""
    data = stored(record.file_key)
    unpacked = files_of_zip(data)
    extra = (*unpacked.findings, *_emptied(record))
    return compare(actor, record, unpacked.files, _packed_part(data), today, takes=takes, extra=extra)


def compare(
    actor: Actor,
    record: RosterImport,
    files: Mapping[str, bytes],
    part: Part | None,
    today: date,
    *,
    takes: bool,
    extra: tuple[Finding, ...] = (),
) -> Work:
    """Compare the files (path -> bytes) with the school, as the import's choices say."""
    roster = read_roster(files, choices=choices_of(record.choices), part=part)
    present, last = queries.school_facts(actor), queries.last_said()
    roster = coverage.with_known_people(roster, present.rows)
    orgs, more = decide_orgs(roster, record.choices.get("orgs") or (), tenancy.codes_of(actor.place.id))
    said = Said()
    if not roster.errors:
        said = said_about(roster, orgs, queries.known_to(present, last), today, is_part=part is not None)
    sides = Sides(present.rows, present.ended, last.rows, last.ended)
    coverage.limit(said, roster, sides)
    taken = record.choices.get("take") or {}
    plan = SchoolPlan()
    if not said.errors:
        plan = plan_of(said, sides, today, _taker(record.choices, taken) if takes else _keep)
    findings = (*roster.findings, *said.findings, *extra, *more)
    ranked = sorted(findings, key=lambda finding: list(Severity).index(finding.severity))
    return Work(
        roster,
        orgs,
        said,
        sides,
        last.ids,
        plan,
        tuple(ranked),
        present.person_ids,
        present.department_ids,
    )


def _packed_part(data: bytes) -> Part | None:
    """What a share of a region's files needs besides them, where the files are one."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if FACTS_NAME not in names:
            return None
        kept = [name for name in names if name == FACTS_NAME or name.endswith(LINES_SUFFIX)]
        return part_of({name: archive.read(name) for name in kept})


def stored(key: str) -> bytes:
    """What was kept under the key, or FilesGone."""
    if not key:
        raise FilesGone
    try:
        return store().get(key)
    except FileNotFoundError:
        raise FilesGone from None


def choices_of(chosen: Mapping[str, Any]) -> Choices:
    """What was chosen, as a RosterImport keeps it, for the reading."""
    roles = {word: RosterRole(role) if role else None for word, role in (chosen.get("roles") or {}).items()}
    return Choices(roles, chosen.get("grades") or {}, chosen.get("date_order") or "")


def _emptied(record: RosterImport) -> list[Finding]:
    code, warning = FindingCode.PASSWORD_NOT_READ, Severity.WARNING
    return [
        Finding(warning, code, file=path, column="password") for path in record.choices.get("emptied") or ()
    ]


def _keep(_kind: Kind, _key: str, _field: str) -> bool:
    return False


def _taker(choices: Mapping[str, Any], taken: Mapping[str, Mapping[str, list[str]]]) -> Any:
    """Answers a conflict as chosen; who took the file's word for all may have kept the school's in places."""
    usual = bool(choices.get("take_all"))

    def take(kind: Kind, key: str, field: str) -> bool:
        return (field in taken.get(kind.value, {}).get(key, ())) is not usual

    return take


def note_reading(actor: Actor, record: RosterImport, work: Work) -> None:
    """Put into the record what the pages show of a reading: findings, counts, and the rows of the plan."""
    record.state = RosterImport.REFUSED if work.has_errors else RosterImport.READ
    record.source = str(work.roster.source)
    record.findings = [preview.finding_to_json(finding) for finding in work.findings]
    record.choices = {**record.choices, "orgs": sorted(work.orgs)}
    record.plan = {
        **preview.summary_of(work.roster, work.orgs),
        "kinds": preview.counts_of(work.plan),
        "rows": _kept_rows(actor, work),
        "nothing": work.plan.changes_nothing and not work.has_errors,
        "writes": work.plan.writes,
    }


def write_out(
    actor: Actor,
    record: RosterImport,
    work: Work,
    *,
    now: datetime,
    today: date,
    tell: Tell,
    started: float,
) -> None:
    """Write the plan, and into the record that it was. `started`: the instant (`time.monotonic`) the work began."""
    remembered = to_remember(work.said, work.sides, work.last_ids, work.plan, today=today)
    writing = Writing(
        *(actor, work.plan, work.said, work.sides, now, today, tell),
        *(work.person_ids, work.department_ids, work.last_ids),
    )
    writing.write(remembered)
    record.report = {
        "by": actor.name,
        "kinds": preview.counts_of(work.plan),
        "nothing": work.plan.changes_nothing,
        "seconds": round(time.monotonic() - started, 2),
    }
    record.state, record.applied_at = RosterImport.APPLIED, now
    record.done = record.total = writing.total
    events.publish(RosterImported(actor.place.id, record.pk))


def _kept_rows(actor: Actor, work: Work) -> dict[str, str]:
    """The rows of the plan, kept beside the database: they are many, and read a page at a time."""
    names = preview.Names(work.said, work.sides.present)
    keys: dict[str, str] = {}
    for kind in KINDS:
        lines = list(preview.lines_of(kind, work.plan, names))
        preview.places_of(work.roster, kind, lines, work.said)
        if lines:
            data = zlib.compress(json.dumps(lines).encode(), 1)
            keys[kind.value] = store().put(actor.place.id, "roster-plans", data)
    return keys


def only_one(actor: Actor) -> None:
    """Imports of a school exclude each other, to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('pupitre.rosters'), %s)", [actor.place.id])
        (is_free,) = cursor.fetchone()
    if not is_free:
        raise UnderWay
