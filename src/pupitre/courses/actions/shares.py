"""Importing one school's share of a region's files: read once, compared and carried out in one transaction."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction

from pupitre.courses.actions.comparing import Work, compare, note_reading, only_one, store, write_out, zipped
from pupitre.courses.models import RosterImport
from pupitre.courses.queries import rosters as queries
from pupitre.courses.rules import preview
from pupitre.courses.rules.findings import Finding, Severity
from pupitre.courses.rules.parts import Part, digest_of
from pupitre.courses.rules.roster import Kind
from pupitre.kernel import clock
from pupitre.people.rules import OFFICE, Actor, require

#: A file cut short looks like a school that everybody has left. More than this part of its people leave only when told.
MOST_LEAVING = 0.3
_FEW = 20


class Outcome(StrEnum):
    """What became of a school's share."""

    UNCHANGED = "unchanged"
    SAME = "same"
    APPLIED = "imported"
    REFUSED = "refused"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a share. kinds: counts as `preview.counts_of` gives them. leaving: people who would leave."""

    outcome: Outcome
    kinds: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    leaving: int = 0
    seconds: float = 0.0
    message: str = ""


@transaction.atomic
def import_share(
    actor: Actor,
    *,
    files: Mapping[str, bytes],
    part: Part,
    org: str,
    file_name: str,
    now: datetime,
    choices: Mapping[str, Any] | None = None,
    take_file: bool = False,
    lets_leave: bool = False,
    dry_run: bool = False,
) -> Taken:
    """Bring the org's share of a region's files into the school, all or nothing.

    A share that says what the last import said is not read again (`UNCHANGED`): what the school changed since is kept
    either way. With errors nothing is written (`REFUSED`); where more than MOST_LEAVING of the people would leave it
    waits for the office on its page (`WAITING`), unless `lets_leave`. `choices`: roles, grades, date_order as in a
    RosterImport's. Raises UnderWay where another import of the school runs.
    """
    require(actor, OFFICE)
    only_one(actor)
    started = time.monotonic()
    chosen = {**(choices or {}), "orgs": [org], "take_all": take_file}
    digest = digest_of(files, part, chosen)
    if not take_file and queries.last_digest() == digest:
        return Taken(Outcome.UNCHANGED, seconds=time.monotonic() - started)
    record = RosterImport(
        school_id=actor.place.id, uploaded_at=now, file_name=file_name[:200], file_key="", choices=chosen
    )
    today = clock.local(now, actor.place.time_zone).date()
    work = compare(actor, record, files, part, today, takes=True)
    outcome = _judged(work, lets_leave=lets_leave)
    if not dry_run:
        record.file_key = store().put(actor.place.id, "rosters", zipped({**files, **part.entries()}))
        if outcome in (Outcome.APPLIED, Outcome.SAME):
            _carry_out(actor, record, work, now=now, started=started)
            record.report["digest"] = digest
        else:
            note_reading(actor, record, work)
        record.save()
    seconds = time.monotonic() - started
    return Taken(outcome, preview.counts_of(work.plan), work.findings, _leaving(work), seconds)


def _judged(work: Work, *, lets_leave: bool) -> Outcome:
    if any(finding.severity is Severity.ERROR for finding in work.findings):
        return Outcome.REFUSED
    present = len(work.sides.present[Kind.USERS]) - len(work.sides.present_ended[Kind.USERS])
    leaving = _leaving(work)
    if leaving > max(_FEW, present * MOST_LEAVING) and not lets_leave:
        return Outcome.WAITING
    return Outcome.SAME if work.plan.changes_nothing else Outcome.APPLIED


def _leaving(work: Work) -> int:
    return len(work.plan.ends(Kind.USERS))


def _carry_out(actor: Actor, record: RosterImport, work: Work, *, now: datetime, started: float) -> None:
    """What was new is in the school: its rows are not kept to be looked at besides."""
    record.source = str(work.roster.source)
    record.findings = [preview.finding_to_json(finding) for finding in work.findings]
    record.plan = {
        **preview.summary_of(work.roster, work.orgs),
        "kinds": preview.counts_of(work.plan),
        "rows": {},
    }
    today = clock.local(now, actor.place.time_zone).date()
    write_out(actor, record, work, now=now, today=today, tell=lambda _done, _total: None, started=started)
