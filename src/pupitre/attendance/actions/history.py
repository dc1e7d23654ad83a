"""Bringing past registers, marks and absences: years of them from another system, or the demonstration's months."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from pupitre.attendance.models import AttendanceCode, Threshold
from pupitre.attendance.rules.loading import Loaded, NewCode, NewThreshold, PastNotice, PastRegister
from pupitre.people.queries.keys import person_ids
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy import bulk
from pupitre.timetable.queries.keys import lesson_keys

#: Registers written together: what is held in memory at once.
PORTION = 4000
_REGISTER = (
    "id", "school_id", "lesson_id", "class_id", "held_on", "starts_at", "ends_at", "taken_at", "taken_by_id", "closed_at",
    "closed_by_id", "version",
)  # fmt: skip
_REVISION = (
    "school_id", "register_id", "pupil_id", "status", "minutes", "code_id", "note", "recorded_at", "recorded_by_id", "device",
    "is_explicit", "outcome", "kept_at",
)  # fmt: skip
_NOTICE = (
    "school_id", "pupil_id", "starts_at", "ends_at", "kind", "reason", "document_key", "document_name", "document_type",
    "announced_at", "announced_by_id", "by_office", "state", "decided_at", "decided_by_id", "decision_note", "withdrawn_at",
)  # fmt: skip
# A mark repeats what its register says; only what is its own is copied. Who took the register stands in the register: a
# mark that nobody touched names nobody, which spares the database a fifth of its work.
_MARKS = """
INSERT INTO attendance_mark (school_id, register_id, pupil_id, status, minutes, code_id, note, recorded_at, recorded_by_id,
                             device, is_explicit, held_on)
SELECT r.school_id, r.id, m.pupil_id, m.status, m.minutes, NULL, m.note, r.taken_at,
       CASE WHEN m.is_explicit THEN r.taken_by_id END, '', m.is_explicit, r.held_on
  FROM {marks} m JOIN attendance_register r ON r.id = m.register_id
"""
_MARK_COLUMNS = {
    "register_id": "bigint",
    "pupil_id": "bigint",
    "status": "smallint",
    "minutes": "smallint",
    "note": "text",
    "is_explicit": "boolean",
}
# What an accepted justification does to the absences that it covers, as the office does it, for all of them at once.
_COVERED = """
CREATE TEMPORARY TABLE covered ON COMMIT DROP AS
SELECT DISTINCT ON (m.id) m.id, n.decided_at, n.decided_by_id
  FROM attendance_absencenotice n
  JOIN attendance_mark m ON m.pupil_id = n.pupil_id AND m.status = 2
   AND m.held_on BETWEEN (n.starts_at AT TIME ZONE %(zone)s)::date AND (n.ends_at AT TIME ZONE %(zone)s)::date
  JOIN attendance_register r ON r.id = m.register_id AND r.starts_at < n.ends_at AND r.ends_at > n.starts_at
 WHERE n.state = 2 AND n.withdrawn_at IS NULL AND n.decided_at IS NOT NULL
 ORDER BY m.id, n.decided_at
"""
_KEEP_COVERED = """
INSERT INTO attendance_markrevision (school_id, register_id, pupil_id, status, minutes, code_id, note, recorded_at,
                                     recorded_by_id, device, is_explicit, outcome, kept_at)
SELECT m.school_id, m.register_id, m.pupil_id, m.status, m.minutes, m.code_id, m.note, m.recorded_at, m.recorded_by_id, m.device,
       m.is_explicit, 4, greatest(c.decided_at, m.recorded_at)
  FROM covered c JOIN attendance_mark m ON m.id = c.id
"""
_EXCUSE_COVERED = """
UPDATE attendance_mark m SET status = 4, minutes = 0, code_id = NULL, device = 'office', is_explicit = true,
       recorded_at = greatest(c.decided_at, m.recorded_at), recorded_by_id = c.decided_by_id
  FROM covered c WHERE m.id = c.id
"""


class _Names:
    """The ids behind the names of one school."""

    def __init__(self, actor: Actor) -> None:
        self.school = actor.place.id
        self.persons = person_ids(actor)
        self.lessons = lesson_keys(actor)

    def person(self, sourced_id: str) -> int | None:
        return self.persons[sourced_id] if sourced_id else None


@transaction.atomic
def load_history(actor: Actor, registers: Iterable[PastRegister]) -> Loaded:
    """Write registers with their marks; nobody is alerted and no figure is counted (`figures.refresh_days` does).

    The registers may be made while they are taken. Raises KeyError where one names a lesson or person whom the school
    does not know, and the database's IntegrityError where a lesson's register of that day is there already.
    """
    require(actor, OFFICE)
    names, done = _Names(actor), Loaded(0, 0)
    for portion in _portions(registers):
        written = _write(names, portion)
        done = Loaded(done.registers + written.registers, done.marks + written.marks)
    return done


def _portions(registers: Iterable[PastRegister]) -> Iterator[list[PastRegister]]:
    held: list[PastRegister] = []
    for register in registers:
        held.append(register)
        if len(held) == PORTION:
            yield held
            held = []
    if held:
        yield held


def _write(names: _Names, registers: Sequence[PastRegister]) -> Loaded:
    numbered = list(zip(bulk.next_ids("attendance_register", len(registers)), registers, strict=True))
    bulk.insert_rows("attendance_register", _REGISTER, (_register(names, *one) for one in numbered))
    temporary = bulk.stage(_MARK_COLUMNS, _mark_lines(names, numbered))
    with connection.cursor() as cursor:
        cursor.execute(_MARKS.format(marks=temporary))
        marks = int(cursor.rowcount)
        cursor.execute(f"DROP TABLE {temporary}")
    bulk.insert_rows("attendance_markrevision", _REVISION, _revisions(names, numbered))
    return Loaded(len(numbered), marks)


def _register(names: _Names, number: int, one: PastRegister) -> tuple[Any, ...]:
    lesson_id, class_id = names.lessons[one.lesson]
    taken_by = names.person(one.taken_by)
    closed_by = taken_by if one.closed_at else None
    return (
        number, names.school, lesson_id, class_id, one.held_on, one.starts_at, one.ends_at, one.taken_at, taken_by, one.closed_at,
        closed_by, 1 + bool(one.replaced),
    )  # fmt: skip


def _mark_lines(names: _Names, numbered: Iterable[tuple[int, PastRegister]]) -> Iterator[str]:
    """Lines for COPY, put together here: this is the loop that runs hundreds of thousands of times."""
    persons, escaped = names.persons, bulk.escaped
    for number, register in numbered:
        for pupil, status, minutes, note, is_explicit in register.marks:
            text = escaped(note) if note else ""
            yield f"{number}\t{persons[pupil]}\t{status}\t{minutes}\t{text}\t{'t' if is_explicit else 'f'}\n"


def _revisions(names: _Names, numbered: Iterable[tuple[int, PastRegister]]) -> Iterator[tuple[Any, ...]]:
    for number, register in numbered:
        taken_by = names.person(register.taken_by)
        for one in register.replaced:
            pupil = names.person(one.pupil)
            yield (
                names.school, number, pupil, one.status, 0, None, "", one.recorded_at, taken_by, "", True, one.outcome, one.kept_at,
            )  # fmt: skip


@transaction.atomic
def load_absences(actor: Actor, notices: Iterable[PastNotice]) -> int:
    """Write announced and justified absences; nobody is told. Answers how many. `excuse_loaded` follows after the registers."""
    require(actor, OFFICE)
    names = _Names(actor)
    return bulk.insert_rows(
        "attendance_absencenotice",
        _NOTICE,
        (
            (names.school, names.person(one.pupil), one.starts_at, one.ends_at, one.kind, one.reason, one.document_key,
             one.document_name, one.document_type, one.announced_at, names.person(one.announced_by), one.by_office, one.state,
             one.decided_at, names.person(one.decided_by), one.decision_note, None)
            for one in notices
        ),
    )  # fmt: skip


@transaction.atomic
def excuse_loaded(actor: Actor) -> int:
    """Excuse the absences that an accepted justification covers, and keep what the marks said. Answers how many marks."""
    require(actor, OFFICE)
    with connection.cursor() as cursor:
        cursor.execute(_COVERED, {"zone": actor.place.time_zone})
        cursor.execute(_KEEP_COVERED)
        cursor.execute(_EXCUSE_COVERED)
        excused = int(cursor.rowcount)
        cursor.execute("DROP TABLE covered")
    return excused


@transaction.atomic
def load_ways(
    actor: Actor, *, codes: Sequence[NewCode] = (), thresholds: Sequence[NewThreshold] = ()
) -> None:
    """Write a school's codes and thresholds where it has none of its own yet."""
    require(actor, OFFICE)
    school = actor.place.id
    AttendanceCode.objects.bulk_create(
        AttendanceCode(school_id=school, code=one.code, label=one.label, status=one.status, position=position)
        for position, one in enumerate(codes)
    )
    Threshold.objects.bulk_create(
        Threshold(
            school_id=school,
            name=one.name,
            counts=one.counts,
            limit=one.limit,
            window=one.window,
            letter_title=one.title,
            letter_body=one.body,
        )
        for one in thresholds
    )
