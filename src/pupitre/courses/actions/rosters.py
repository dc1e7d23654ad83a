"""Importing a roster: upload, read, decide, apply; and exporting one."""

import contextlib
import io
import time
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import IO, Any

from django.db import transaction

from pupitre.courses.actions.comparing import (
    FilesGone,
    UnderWay,
    note_reading,
    only_one,
    store,
    stored,
    work_out,
    write_out,
    zipped,
)
from pupitre.courses.models import RosterImport
from pupitre.courses.queries import rosters as queries
from pupitre.courses.rules import preview
from pupitre.courses.rules.archives import MOST_BYTES, MOST_ENTRIES, files_of_zip, is_archive, is_roster_file
from pupitre.courses.rules.findings import FINDING_TEXTS, Finding, FindingCode, Severity
from pupitre.courses.rules.passwords import without_passwords
from pupitre.kernel import clock
from pupitre.kernel.errors import Conflict, Refused
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.background import deferred

__all__ = ["FilesGone", "UnderWay", "store"]

Content = bytes | IO[bytes]

MOST_UPLOADED = 512 * 1024 * 1024
#: What an upload may unpack to on a page: a school of 50,000 with everything about them. A region's is divided
#: (`dividing`), from the command line.
MOST_UNPACKED = 128 * 1024 * 1024
#: Files up to this size are read while the page waits; larger ones by a job.
READ_AT_ONCE = 6 * 1024 * 1024


class TooLarge(Refused):
    """The files are larger than %(limit)s MB together. Leave out what does not belong to the roster."""


class NotReadable(Refused):
    """What was uploaded cannot be unpacked."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(FINDING_TEXTS[finding.code][0], **finding.words)
        self.finding = finding


class NotImportable(Refused):
    """There are errors in these files. Nothing was changed; mend them and upload the files again."""


class AlreadyApplied(Conflict):
    """The import has been carried out already."""


class UnknownOrg(Refused):
    """The files hold no school “%(org)s”."""


# -- upload -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def upload_roster(actor: Actor, *, files: Mapping[str, bytes], file_name: str, now: datetime) -> RosterImport:
    """Keep the uploaded files (paths -> bytes; zips are unpacked) as one zip without passwords. Nothing is read yet."""
    require(actor, OFFICE)
    if sum(map(len, files.values())) > MOST_UPLOADED:
        raise TooLarge(limit=MOST_UPLOADED // 1024 // 1024)
    kept, emptied = _without_passwords(_unpacked(files))
    key = store().put(actor.place.id, "rosters", zipped(kept))
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
    actor: Actor, *, files: Mapping[str, Content], file_name: str, now: datetime
) -> RosterImport:
    """Keep an upload (paths -> bytes or open files) and read it: at once where it is small, else by a job.

    What is large is neither read nor unpacked here: it goes to the store as it is, and the job unpacks it, takes the
    passwords out and forgets the upload itself.
    """
    require(actor, OFFICE)
    if sum(map(_size, files.values())) > MOST_UPLOADED:
        raise TooLarge(limit=MOST_UPLOADED // 1024 // 1024)
    unpacked = sum(map(_unpacked_size, files.values()))
    if unpacked > MOST_UNPACKED:
        facts: dict[str, str | int] = {"limit": f"{MOST_UNPACKED // 1024**2} MiB", "entries": MOST_ENTRIES}
        raise NotReadable(Finding(Severity.ERROR, FindingCode.ZIP_TOO_LARGE, params=facts))
    if unpacked <= READ_AT_ONCE:
        held = {path: _bytes(content) for path, content in files.items()}
        record = upload_roster(actor, files=held, file_name=file_name, now=now)
        return read_import(actor, record.pk, now=now)
    uploads = {
        path: store().put_stream(actor.place.id, "roster-uploads", _stream(content))
        for path, content in files.items()
    }
    record = RosterImport.objects.create(
        school_id=actor.place.id,
        uploaded_at=now,
        uploaded_by_id=actor.account_id or None,
        file_name=file_name[:200],
        file_key=next(iter(uploads.values())),
        choices={**_remembered_choices(), "uploads": uploads},
    )
    asker: dict[str, Any] = {"account_id": actor.account_id, "name": actor.name}
    deferred("pupitre.courses.jobs.read_files", actor.place.id, import_id=record.pk, **asker)
    return record


def _stream(content: Content) -> IO[bytes]:
    if isinstance(content, bytes):
        return io.BytesIO(content)
    content.seek(0)
    return content


def _bytes(content: Content) -> bytes:
    return _stream(content).read()


def _size(content: Content) -> int:
    return _stream(content).seek(0, io.SEEK_END)


def _unpacked_size(content: Content) -> int:
    """How much there is to read: of a zip what it says itself, and more is not read of it."""
    stream = _stream(content)
    try:
        with zipfile.ZipFile(stream) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return _size(content)


def _settle_upload(record: RosterImport) -> tuple[Finding, ...]:
    """Unpack what was uploaded into the files that are kept; the upload itself goes, for it may hold passwords."""
    uploads: dict[str, str] = record.choices.pop("uploads")
    try:
        files = {path: stored(key) for path, key in uploads.items()}
        kept, emptied = _without_passwords(_unpacked(files, most_bytes=MOST_UNPACKED))
        record.file_key = store().put(record.school_id, "rosters", zipped(kept))
        record.choices["emptied"] = emptied
        found: tuple[Finding, ...] = ()
    except NotReadable as refused:
        record.file_key, found = "", (refused.finding,)
    record.save(update_fields=["file_key", "choices"])
    transaction.on_commit(lambda: _delete(set(uploads.values())))
    return found


def _unpacked(files: Mapping[str, bytes], most_bytes: int = MOST_BYTES) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path, data in files.items():
        if not is_archive(path, data):
            if is_roster_file(path):
                found[path] = data
            continue
        unpacked = files_of_zip(data, most_bytes=most_bytes)
        if unpacked.findings:
            raise NotReadable(unpacked.findings[0])
        found.update(unpacked.files)
    if not found:
        raise NotReadable(Finding(Severity.ERROR, FindingCode.NOTHING_TO_READ))
    return found


def _without_passwords(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    kept: dict[str, bytes] = {}
    emptied: list[str] = []
    for path, data in files.items():
        kept[path], had_some = without_passwords(path, data)
        if had_some:
            emptied.append(path)
    return kept, emptied


def _remembered_choices() -> dict[str, Any]:
    """Mappings and schools are chosen again as at the last import; conflicts are not."""
    last = queries.last_choices()
    return {name: last[name] for name in ("roles", "grades", "date_order", "orgs") if last.get(name)}


# -- read -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def read_import(actor: Actor, import_id: int, *, now: datetime) -> RosterImport:
    """Read the files and work out what they would change; keep findings, counts and rows for the pages."""
    record = queries.access_import(actor, import_id)
    if record.state in (RosterImport.APPLIED, RosterImport.APPLYING):
        raise AlreadyApplied
    if "uploads" in record.choices and (found := _settle_upload(record)):
        record.state = RosterImport.REFUSED
        record.findings = [preview.finding_to_json(finding) for finding in found]
        record.plan = {"kinds": {}, "rows": {}, "orgs": []}
        record.save(update_fields=["state", "findings", "plan"])
        return record
    work = work_out(actor, record, clock.local(now, actor.place.time_zone).date(), takes=False)
    note_reading(actor, record, work)
    record.save(update_fields=["state", "source", "findings", "choices", "plan"])
    return record


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
    only_one(actor)
    record.state, record.done, record.total = RosterImport.APPLYING, 0, 0
    record.report = {"by": actor.name, "started_at": now.isoformat()}
    record.save(update_fields=["state", "done", "total", "report"])
    facts = {"import_id": record.pk, "account_id": actor.account_id, "name": actor.name}
    deferred("pupitre.courses.jobs.apply_roster", actor.place.id, lock=f"rosters-{actor.place.id}", **facts)
    return record


@transaction.atomic
def apply_import(actor: Actor, import_id: int, *, now: datetime, tell: Any = None) -> RosterImport:
    """Carry the import out, all or nothing. The school is compared again: what was changed meanwhile is kept.

    `tell(done, total)` hears the progress. Raises NotImportable where the files have errors.
    """
    require(actor, OFFICE)
    only_one(actor)
    record = queries.access_import(actor, import_id)
    if record.state == RosterImport.APPLIED:
        raise AlreadyApplied
    today = clock.local(now, actor.place.time_zone).date()
    started = time.monotonic()
    work = work_out(actor, record, today, takes=True)
    if work.has_errors:
        raise NotImportable
    write_out(actor, record, work, now=now, today=today, tell=tell or _unheard, started=started)
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
    for file_key, rows, uploads in young.values_list("file_key", "plan__rows", "choices__uploads"):
        used.update((file_key, *(rows or {}).values(), *(uploads or {}).values()))
    gone: set[str] = set()
    for record in old:
        gone.update((record.file_key, *record.plan.get("rows", {}).values()))
        gone.update(record.choices.get("uploads", {}).values())
        record.file_key, record.plan = "", {**record.plan, "rows": {}}
    RosterImport.objects.bulk_update(old, ["file_key", "plan"], batch_size=100)
    transaction.on_commit(lambda: _delete(gone - used))
    return len(old)


def _delete(keys: set[str]) -> None:
    for key in sorted(keys):
        # One that is not there any more is what was wanted.
        with contextlib.suppress(FileNotFoundError):
            store().delete(key)
