"""Importing a roster: upload, read, decide, apply; and exporting one."""

import contextlib
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
from django.db import connection, transaction

from pupitre.courses.actions.writing import Writing
from pupitre.courses.models import RosterImport
from pupitre.courses.queries import rosters as queries
from pupitre.courses.rules import preview
from pupitre.courses.rules.archives import files_of_zip, is_roster_file
from pupitre.courses.rules.facts import KINDS, Said, said_about
from pupitre.courses.rules.findings import FINDING_TEXTS, Finding, FindingCode, Severity
from pupitre.courses.rules.orgs import decide_orgs
from pupitre.courses.rules.passwords import without_passwords
from pupitre.courses.rules.planning import SchoolPlan, Sides, plan_of, to_remember
from pupitre.courses.rules.reading import read_roster
from pupitre.courses.rules.roster import Choices, Kind, Roster, RosterRole
from pupitre.kernel import clock
from pupitre.kernel.errors import Conflict, Refused
from pupitre.kernel.storage import Storage
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.background import deferred

MOST_UPLOADED = 512 * 1024 * 1024
#: Files up to this size are read while the page waits; larger ones by a job.
READ_AT_ONCE = 6 * 1024 * 1024
_UNTOUCHED = (1980, 1, 1, 0, 0, 0)


class TooLarge(Refused):
    """The files are larger than %(limit)s MB together. Leave out what does not belong to the roster."""


class NotImportable(Refused):
    """There are errors in these files. Nothing was changed; mend them and upload the files again."""


class AlreadyApplied(Conflict):
    """The import has been carried out already."""


class UnderWay(Conflict):
    """An import of this school is being carried out at this moment. Wait until it has finished."""


class FilesGone(Refused):
    """The files of this import are no longer kept. Upload them again."""


class UnknownOrg(Refused):
    """The files hold no school “%(org)s”."""


def store() -> Storage:
    return Storage(settings.CONFIG.storage_url)


# -- upload -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def upload_roster(actor: Actor, *, files: Mapping[str, bytes], file_name: str, now: datetime) -> RosterImport:
    """Keep the uploaded files (paths -> bytes; zips are unpacked) as one zip without passwords. Nothing is read yet."""
    require(actor, OFFICE)
    if sum(map(len, files.values())) > MOST_UPLOADED:
        raise TooLarge(limit=MOST_UPLOADED // 1024 // 1024)
    kept, emptied = _without_passwords(_unpacked(files))
    key = store().put(actor.place.id, "rosters", _zipped(kept))
    choices = {**_remembered_choices(), "emptied": emptied}
    return RosterImport.objects.create(
        school_id=actor.place.id,
        uploaded_at=now,
        uploaded_by_id=actor.account_id or None,
        file_name=file_name[:200],
        file_key=key,
        choices=choices,
    )


@transaction.atomic
def receive_roster(
    actor: Actor, *, files: Mapping[str, bytes], file_name: str, now: datetime
) -> RosterImport:
    """Keep an upload and read it: at once where it is small, else by a job."""
    record = upload_roster(actor, files=files, file_name=file_name, now=now)
    if sum(map(_unpacked_size, files.values())) <= READ_AT_ONCE:
        return read_import(actor, record.pk, now=now)
    facts: dict[str, Any] = {"import_id": record.pk, "account_id": actor.account_id, "name": actor.name}
    deferred("pupitre.courses.jobs.read_files", actor.place.id, **facts)
    return record


def _unpacked_size(data: bytes) -> int:
    """How much there is to read: of a zip what it says itself, which its unpacking has found to be no lie."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _unpacked(files: Mapping[str, bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path, data in files.items():
        if not path.lower().endswith(".zip") and not data.startswith(b"PK\x03\x04"):
            if is_roster_file(path):
                found[path] = data
            continue
        unpacked = files_of_zip(data)
        if unpacked.findings:
            raise _refusal(unpacked.findings[0])
        found.update(unpacked.files)
    if not found:
        raise _refusal(Finding(Severity.ERROR, FindingCode.NOTHING_TO_READ))
    return found


def _refusal(finding: Finding) -> Refused:
    return Refused(FINDING_TEXTS[finding.code][0], **finding.words)


def _without_passwords(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    kept: dict[str, bytes] = {}
    emptied: list[str] = []
    for path, data in files.items():
        kept[path], had_some = without_passwords(path, data)
        if had_some:
            emptied.append(path)
    return kept, emptied


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """The same files always give the same bytes, so that they are stored once."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(path, _UNTOUCHED), files[path], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _remembered_choices() -> dict[str, Any]:
    """Mappings and schools are chosen again as at the last import; conflicts are not."""
    last = queries.last_choices()
    return {name: last[name] for name in ("roles", "grades", "date_order", "orgs") if last.get(name)}


# -- read -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Work:
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


def _work_out(actor: Actor, record: RosterImport, today: date, *, takes: bool) -> _Work:
    """Read, translate to the school's facts and compare. `takes`: answer conflicts as chosen, not by keeping."""
    unpacked = files_of_zip(_stored(record.file_key))
    roster = read_roster(unpacked.files, choices=_choices(record.choices))
    extra = [*unpacked.findings, *_emptied(record)]
    present, last = queries.school_facts(actor), queries.last_said()
    orgs, more = decide_orgs(roster, record.choices.get("orgs") or (), tenancy.codes_of(actor.place.id))
    said = Said()
    if not roster.errors:
        said = said_about(roster, orgs, queries.known_to(present, last), today)
    sides = Sides(present.rows, present.ended, last.rows, last.ended)
    taken = record.choices.get("take") or {}
    plan = SchoolPlan()
    if not said.errors:
        plan = plan_of(said, sides, today, _taker(record.choices, taken) if takes else _keep)
    findings = (*roster.findings, *said.findings, *extra, *more)
    ranked = sorted(findings, key=lambda finding: list(Severity).index(finding.severity))
    return _Work(
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


def _stored(key: str) -> bytes:
    if not key:
        raise FilesGone
    try:
        return store().get(key)
    except FileNotFoundError:
        raise FilesGone from None


def _choices(chosen: Mapping[str, Any]) -> Choices:
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


@transaction.atomic
def read_import(actor: Actor, import_id: int, *, now: datetime) -> RosterImport:
    """Read the files and work out what they would change; keep findings, counts and rows for the pages."""
    record = queries.access_import(actor, import_id)
    if record.state in (RosterImport.APPLIED, RosterImport.APPLYING):
        raise AlreadyApplied
    work = _work_out(actor, record, clock.local(now, actor.place.time_zone).date(), takes=False)
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
    record.save(update_fields=["state", "source", "findings", "choices", "plan"])
    return record


def _kept_rows(actor: Actor, work: _Work) -> dict[str, str]:
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


# -- decide -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def choose(
    actor: Actor,
    import_id: int,
    *,
    now: datetime,
    roles: Mapping[str, str] | None = None,
    grades: Mapping[str, str] | None = None,
    date_order: str | None = None,
    orgs: list[str] | None = None,
) -> RosterImport:
    """Say what unknown words mean ('' leaves a role's rows out), and which orgs are this school; then read again."""
    record = queries.access_import(actor, import_id)
    if record.state in (RosterImport.APPLIED, RosterImport.APPLYING):
        raise AlreadyApplied
    told = {"roles": roles, "grades": grades}
    for name, words in told.items():
        if words is not None:
            record.choices[name] = {**(record.choices.get(name) or {}), **words}
    if date_order is not None:
        record.choices["date_order"] = date_order
    if orgs is not None:
        options = {org["id"] for org in record.plan.get("orgs", ())}
        if record.plan and (unknown := [org for org in orgs if org not in options]):
            raise UnknownOrg(org=unknown[0])
        record.choices["orgs"] = orgs
    record.save(update_fields=["choices"])
    return read_import(actor, import_id, now=now)


@transaction.atomic
def answer_conflicts(
    actor: Actor,
    import_id: int,
    *,
    answers: Mapping[tuple[str, str, str], bool] | None = None,
    take_all: bool | None = None,
) -> RosterImport:
    """Take the file's word (True) or keep the school's (False): (kind, key, field) -> answer, or for all at once."""
    record = queries.access_import(actor, import_id)
    if record.state != RosterImport.READ:
        raise AlreadyApplied
    if take_all is not None:
        record.choices["take_all"], record.choices["take"] = take_all, {}
    usual = bool(record.choices.get("take_all"))
    different: dict[str, dict[str, list[str]]] = record.choices.setdefault("take", {})
    for (kind, key, field), takes in (answers or {}).items():
        fields = set(different.setdefault(kind, {}).get(key, ()))
        fields = fields - {field} if takes is usual else fields | {field}
        different[kind][key] = sorted(fields)
    record.save(update_fields=["choices"])
    return record


# -- apply ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def start_import(actor: Actor, import_id: int, *, now: datetime) -> RosterImport:
    """Hand the import to a job. One that was cut off by a crash may be started again."""
    record = queries.access_import(actor, import_id)
    if record.state == RosterImport.APPLIED:
        raise AlreadyApplied
    if record.state not in (RosterImport.READ, RosterImport.FAILED, RosterImport.APPLYING):
        raise NotImportable
    _only_one(actor)
    record.state, record.done, record.total = RosterImport.APPLYING, 0, 0
    record.report = {"by": actor.name, "started_at": now.isoformat()}
    record.save(update_fields=["state", "done", "total", "report"])
    facts = {"import_id": record.pk, "account_id": actor.account_id, "name": actor.name}
    deferred("pupitre.courses.jobs.apply_roster", actor.place.id, lock=f"rosters-{actor.place.id}", **facts)
    return record


def _only_one(actor: Actor) -> None:
    """Imports of a school exclude each other, to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('pupitre.rosters'), %s)", [actor.place.id])
        (is_free,) = cursor.fetchone()
    if not is_free:
        raise UnderWay


@transaction.atomic
def apply_import(actor: Actor, import_id: int, *, now: datetime, tell: Any = None) -> RosterImport:
    """Carry the import out, all or nothing. The school is compared again: what was changed meanwhile is kept.

    `tell(done, total)` hears the progress. Raises NotImportable where the files have errors.
    """
    require(actor, OFFICE)
    _only_one(actor)
    started = time.monotonic()
    record = queries.access_import(actor, import_id)
    if record.state == RosterImport.APPLIED:
        raise AlreadyApplied
    today = clock.local(now, actor.place.time_zone).date()
    work = _work_out(actor, record, today, takes=True)
    if work.has_errors:
        raise NotImportable
    remembered = to_remember(work.said, work.sides, work.last_ids, work.plan, today=today)
    writing = Writing(
        actor,
        work.plan,
        work.said,
        work.sides,
        now,
        today,
        tell or _unheard,
        work.person_ids,
        work.department_ids,
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
    record.save(update_fields=["report", "state", "applied_at", "done", "total"])
    return record


def _unheard(_done: int, _total: int) -> None:
    """Nobody listens."""


@transaction.atomic
def note_failure(actor: Actor, import_id: int, *, message: str) -> RosterImport:
    """Keep that an import could not be carried out, and why. Nothing of it was written."""
    record = queries.access_import(actor, import_id)
    record.state = RosterImport.FAILED
    record.report = {**record.report, "failure": message}
    record.save(update_fields=["state", "report"])
    return record


@transaction.atomic
def forget_files(actor: Actor, *, before: datetime) -> int:
    """Delete the files and rows of imports uploaded before then; findings and reports stay. Answers how many imports."""
    require(actor, OFFICE)
    old = list(RosterImport.objects.filter(uploaded_at__lt=before).exclude(file_key=""))
    young = RosterImport.objects.filter(uploaded_at__gte=before).exclude(file_key="")
    used: set[str] = set()
    for file_key, rows in young.values_list("file_key", "plan__rows"):
        used.update((file_key, *(rows or {}).values()))
    gone: set[str] = set()
    for record in old:
        gone.update((record.file_key, *record.plan.get("rows", {}).values()))
        record.file_key, record.plan = "", {**record.plan, "rows": {}}
    RosterImport.objects.bulk_update(old, ["file_key", "plan"], batch_size=100)
    transaction.on_commit(lambda: _delete(gone - used))
    return len(old)


def _delete(keys: set[str]) -> None:
    for key in sorted(keys):
        # One that is not there any more is what was wanted.
        with contextlib.suppress(FileNotFoundError):
            store().delete(key)
