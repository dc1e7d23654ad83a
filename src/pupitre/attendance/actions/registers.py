"""Taking, correcting, closing and reopening registers.

Every way to mark, a form as well as a device that was offline, goes through `take_register`, which merges by rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction

from pupitre.attendance.models import Register, Reopening
from pupitre.attendance.queries import registers as queries
from pupitre.attendance.queries.registers import Sheet, SheetPupil
from pupitre.attendance.rules import merging
from pupitre.attendance.rules import registers as rules
from pupitre.attendance.rules.absences import minutes_late
from pupitre.attendance.rules.events import RegisterClosed, RegisterTaken
from pupitre.attendance.rules.merging import Kind, MarkFacts, PupilMarks
from pupitre.attendance.rules.status import Code, Status
from pupitre.kernel import clock, events
from pupitre.people.rules import Actor
from pupitre.tenancy.rules import SchoolFacts

from .alerts import note_absences
from .figures import defer_refresh

_INSTANT: Final = timedelta(microseconds=1)
# Of two devices that take the same register at once, the second waits here for the first, and is told nothing.
_OPEN: Final = """
INSERT INTO attendance_register
    (school_id, lesson_id, class_id, held_on, starts_at, ends_at, taken_at, taken_by_id, version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1)
ON CONFLICT (school_id, lesson_id, held_on) DO NOTHING RETURNING id
"""
# A save is one statement, whatever the number of marks; what says the same already is not written again.
_WRITE: Final = """
WITH written AS (
    INSERT INTO attendance_mark (school_id, register_id, pupil_id, status, minutes, code_id, note, recorded_at,
                                 recorded_by_id, device, is_explicit, held_on)
    SELECT %(school)s::bigint, %(register)s::bigint, m.pupil, m.status, m.minutes, nullif(m.code, 0), m.note, m.recorded_at,
           nullif(m.recorded_by, 0), m.device, m.is_explicit, %(on)s::date
      FROM unnest(%(pupil)s::bigint[], %(status)s::smallint[], %(minutes)s::smallint[], %(code)s::bigint[], %(note)s::text[],
                  %(recorded_at)s::timestamptz[], %(recorded_by)s::bigint[], %(device)s::text[], %(is_explicit)s::boolean[])
           AS m (pupil, status, minutes, code, note, recorded_at, recorded_by, device, is_explicit)
    ON CONFLICT (school_id, register_id, pupil_id) DO UPDATE
       SET status = excluded.status, minutes = excluded.minutes, code_id = excluded.code_id, note = excluded.note,
           recorded_at = excluded.recorded_at, recorded_by_id = excluded.recorded_by_id, device = excluded.device,
           is_explicit = excluded.is_explicit
), kept AS (
    INSERT INTO attendance_markrevision (school_id, register_id, pupil_id, status, minutes, code_id, note, recorded_at,
                                         recorded_by_id, device, is_explicit, outcome, kept_at)
    SELECT %(school)s::bigint, %(register)s::bigint, m.pupil, m.status, m.minutes, nullif(m.code, 0), m.note, m.recorded_at,
           nullif(m.recorded_by, 0), m.device, m.is_explicit, m.outcome, %(now)s::timestamptz
      FROM unnest(%(kept_pupil)s::bigint[], %(kept_status)s::smallint[], %(kept_minutes)s::smallint[],
                  %(kept_code)s::bigint[], %(kept_note)s::text[], %(kept_recorded_at)s::timestamptz[],
                  %(kept_recorded_by)s::bigint[], %(kept_device)s::text[], %(kept_is_explicit)s::boolean[],
                  %(outcome)s::smallint[])
           AS m (pupil, status, minutes, code, note, recorded_at, recorded_by, device, is_explicit, outcome)
)
UPDATE attendance_register SET version = %(version)s::integer
 WHERE id = %(register)s::bigint AND version <> %(version)s::integer
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a form or a device says about one pupil. `code` is one of the school's codes in letters."""

    pupil_id: int
    code: str
    minutes: int = 0
    note: str | None = None  # None leaves the one that is there
    recorded_at: datetime | None = None
    is_explicit: bool = True


@dataclass(frozen=True, slots=True)
class Happening:
    """What became of one pupil's mark, where the teacher should know: see merging.Kind."""

    pupil_id: int
    kind: Kind
    mine: MarkFacts
    other: MarkFacts | None
    clock_was_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A register after a save: its version, the mark that counts for each pupil, and what happened on the way."""

    sheet: Sheet
    register_id: int
    version: int
    marks: dict[int, MarkFacts]
    happenings: tuple[Happening, ...]
    changed: bool


@dataclass(slots=True)
class _Merge:
    """A save in the making."""

    marks: dict[int, PupilMarks]
    written: dict[int, MarkFacts] = field(default_factory=dict)
    kept: list[tuple[int, merging.KeptMark]] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)


@transaction.atomic
def take_register(
    actor: Actor,
    *,
    lesson_id: int,
    held_on: date,
    told: Sequence[Told],
    now: datetime,
    device: str = "",
    base_version: int | None = None,
    from_device: bool = False,
) -> Taken:
    """Save marks into the register of a lesson, which exists from now on; whoever is not named is present, or announced.

    `base_version` is the version that the sender saw. With `from_device` the marks may have been made long before they
    arrive: those made after the closing, or after the time for corrections, are kept and told but do not count. Raises
    what `rules.registers.refuse_unless_writable` does, NotInClass and UnknownCode.
    """
    sheet, is_new = _opened(actor, queries.sheet_to_save(actor, lesson_id, held_on), now)
    is_first = not sheet.pupils or all(pupil.mark is None for pupil in sheet.pupils)
    facts = sheet.facts if not is_first else _as_untaken(sheet)
    deadline = None
    if from_device:
        deadline = rules.merge_deadline(facts)
        _refuse_if_impossible(facts, now)
    else:
        rules.refuse_unless_writable(facts, now)
    merge = _Merge({} if is_first else queries.marks_of(sheet))
    if is_first:
        merge.marks = {pupil.id: PupilMarks() for pupil in sheet.pupils}
    _receive(
        actor,
        sheet,
        merge,
        told,
        now,
        device,
        deadline,
        has_seen=base_version == sheet.version and not is_first,
    )
    _complete(actor, sheet, merge, told, now, device)
    return _write(actor, sheet, merge, now, is_new=is_new, is_first=is_first)


def _as_untaken(sheet: Sheet) -> rules.RegisterFacts:
    return replace(sheet.facts, is_taken=False)


def _refuse_if_impossible(facts: rules.RegisterFacts, now: datetime) -> None:
    phase = rules.judge_phase(facts, now)
    if phase in {rules.Phase.UPCOMING, rules.Phase.CANCELLED}:
        rules.refuse_unless_writable(facts, now)


def _opened(actor: Actor, sheet: Sheet, now: datetime) -> tuple[Sheet, bool]:
    """The sheet with its register, locked, and whether that is a new one."""
    if sheet.register_id is not None:
        return sheet, False
    lesson, who = sheet.lesson, actor.person_id or None
    place: list[Any] = [actor.place.id, lesson.lesson_id, lesson.class_id, lesson.held_on]
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [*place, lesson.starts_at, lesson.ends_at, now, who])
        row = cursor.fetchone()
    if row is None:
        return queries.sheet_to_save(actor, lesson.lesson_id, lesson.held_on), False
    return replace(sheet, register_id=row[0], version=1, taken_at=now), True


def _receive(
    actor: Actor,
    sheet: Sheet,
    merge: _Merge,
    told: Sequence[Told],
    now: datetime,
    device: str,
    deadline: datetime | None,
    *,
    has_seen: bool,
) -> None:
    by_letters = {code.code: code for code in sheet.codes}
    for one in told:
        if one.pupil_id not in merge.marks:
            raise rules.NotInClass
        code = by_letters.get(one.code)
        if code is None:
            raise rules.UnknownCode
        before = merge.marks[one.pupil_id].current
        note = one.note if one.note is not None else before.note if before else ""
        mark, doubted = _mark_of(actor, sheet, one, code, now, device, note)
        if one.recorded_at is None and has_seen and before and before.recorded_at >= now:
            # Whoever corrects what she sees is later, whatever the clock of the device says that was corrected.
            mark = replace(mark, recorded_at=before.recorded_at + _INSTANT)
        arrival = merging.receive(merge.marks[one.pupil_id], mark, deadline=deadline, has_seen=has_seen)
        _note(merge, one.pupil_id, mark, arrival, doubted=doubted)


def _mark_of(
    actor: Actor, sheet: Sheet, one: Told, code: Code, now: datetime, device: str, note: str
) -> tuple[MarkFacts, bool]:
    lesson = sheet.lesson
    made_at = one.recorded_at or now
    minutes = one.minutes if code.status is Status.LATE else 0
    if code.status is Status.LATE and not minutes:
        minutes = minutes_late(lesson.starts_at, lesson.ends_at, made_at)
    mark = MarkFacts(
        status=code.status,
        recorded_at=made_at,
        device=device,
        is_explicit=one.is_explicit,
        minutes=min(minutes, 600),
        code_id=code.id,
        note=note.strip()[:500],
        recorded_by=actor.person_id,
    )
    return merging.believe(mark, starts_at=lesson.starts_at, now=now)


def _note(merge: _Merge, pupil_id: int, mark: MarkFacts, arrival: merging.Arrival, *, doubted: bool) -> None:
    before = merge.marks[pupil_id].current
    merge.marks[pupil_id] = arrival.marks
    merge.kept += [(pupil_id, kept) for kept in arrival.newly_kept]
    if arrival.marks.current is not None and arrival.marks.current != before:
        merge.written[pupil_id] = arrival.marks.current
    if doubted or arrival.kind not in {Kind.KNOWN, Kind.COUNTS}:
        merge.happenings.append(Happening(pupil_id, arrival.kind, mark, arrival.other, doubted))


def _complete(
    actor: Actor, sheet: Sheet, merge: _Merge, told: Sequence[Told], now: datetime, device: str
) -> None:
    """Whoever has no mark yet gets the one that the fresh register showed; nobody touched it."""
    made_at = max(
        (one.recorded_at for one in told if one.recorded_at and one.recorded_at <= now), default=now
    )
    for pupil in sheet.pupils:
        if merge.marks[pupil.id].current is None:
            status = rules.propose(is_announced=pupil.is_announced)
            merge.written[pupil.id] = MarkFacts(
                status, made_at, device, is_explicit=False, recorded_by=actor.person_id,
                code_id=sheet.code_of(status).id,
            )  # fmt: skip


def _write(
    actor: Actor, sheet: Sheet, merge: _Merge, now: datetime, *, is_new: bool, is_first: bool
) -> Taken:
    assert sheet.register_id is not None
    changed = bool(merge.written or merge.kept)
    # Whoever waited for this save sees by the version that there are other marks than those it has read.
    version = sheet.version + (changed and not is_new)
    if changed:
        _write_marks(actor.place, sheet, merge, version, now)
    if changed or is_first:
        _publish(actor, sheet, merge, now)
    if is_first:
        events.publish(RegisterTaken(actor.place.id, *_which(sheet), now))
    before = {pupil.id: pupil.mark for pupil in sheet.pupils if pupil.mark}
    return Taken(
        sheet,
        sheet.register_id,
        version,
        {**before, **merge.written},
        tuple(merge.happenings),
        changed=changed,
    )


def _which(sheet: Sheet) -> tuple[int, int, int, date]:
    assert sheet.register_id is not None
    return sheet.register_id, sheet.lesson.lesson_id, sheet.lesson.class_id, sheet.lesson.held_on


def _columns(marks: Sequence[tuple[int, MarkFacts]], before: str = "") -> dict[str, list[Any]]:
    return {
        f"{before}pupil": [pupil_id for pupil_id, _ in marks],
        f"{before}status": [int(mark.status) for _, mark in marks],
        f"{before}minutes": [mark.minutes for _, mark in marks],
        f"{before}code": [mark.code_id for _, mark in marks],
        f"{before}note": [mark.note for _, mark in marks],
        f"{before}recorded_at": [mark.recorded_at for _, mark in marks],
        f"{before}recorded_by": [mark.recorded_by for _, mark in marks],
        f"{before}device": [mark.device for _, mark in marks],
        f"{before}is_explicit": [mark.is_explicit for _, mark in marks],
    }


def _write_marks(school: SchoolFacts, sheet: Sheet, merge: _Merge, version: int, now: datetime) -> None:
    facts = {"school": school.id, "register": sheet.register_id, "on": sheet.lesson.held_on, "now": now}
    # Always in the same order, so that two saves never wait for each other in a circle.
    written = _columns(sorted(merge.written.items()))
    kept = _columns([(pupil_id, one.mark) for pupil_id, one in merge.kept], "kept_")
    outcomes = [int(one.outcome) for _, one in merge.kept]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {**facts, **written, **kept, "outcome": outcomes, "version": version})


def _publish(actor: Actor, sheet: Sheet, merge: _Merge, now: datetime) -> None:
    """Hand the rest to others, in this transaction: alerts to families, and the day's figures."""
    assert sheet.register_id is not None
    held_on = sheet.lesson.held_on
    is_today = held_on == clock.local(now, actor.place.time_zone).date()
    if is_today and any(mark.status is Status.ABSENT for mark in merge.written.values()):
        note_absences(actor, register_id=sheet.register_id, now=now)
    defer_refresh(actor, held_on=held_on)


@transaction.atomic
def close_register(actor: Actor, *, lesson_id: int, held_on: date, now: datetime) -> Taken:
    """Close the register: what it says is final until it is reopened. One that nobody has taken is taken by it."""
    taken = take_register(actor, lesson_id=lesson_id, held_on=held_on, told=[], now=now)
    Register.objects.filter(pk=taken.register_id).update(closed_at=now, closed_by_id=actor.person_id or None)
    events.publish(RegisterClosed(actor.place.id, *_which(taken.sheet), now))
    return taken


@transaction.atomic
def reopen_register(actor: Actor, *, lesson_id: int, held_on: date, reason: str, now: datetime) -> Reopening:
    """Open a closed register again to correct it; the reason stays in its history. Raises NotClosed, ReasonMissing."""
    sheet = queries.access_sheet(actor, lesson_id, held_on)
    register = Register.objects.select_for_update().filter(lesson_id=lesson_id, held_on=held_on).first()
    if register is None or register.closed_at is None:
        raise rules.NotClosed
    if not rules.may_reopen(sheet.facts, now):
        raise rules.CorrectionOver
    if not reason.strip():
        raise rules.ReasonMissing
    reopening = Reopening.objects.create(
        school_id=actor.place.id,
        register=register,
        reopened_at=now,
        reopened_by_id=actor.person_id or None,
        reason=reason.strip()[:500],
        closed_at=register.closed_at,
        closed_by_id=register.closed_by_id,
    )
    Register.objects.filter(pk=register.pk).update(closed_at=None, closed_by_id=None)
    return reopening


__all__ = ["Happening", "SheetPupil", "Taken", "Told", "close_register", "reopen_register", "take_register"]
