"""Reading registers: the lesson, and everything that its page shows, in one statement each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import get_language, gettext

from pupitre.attendance.rules.absences import Reason
from pupitre.attendance.rules.merging import KeptMark, MarkFacts, PupilMarks
from pupitre.attendance.rules.registers import RegisterFacts
from pupitre.attendance.rules.status import DEFAULT_LETTERS, Code, Outcome, Status, default_codes
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor
from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable import queries as timetable
from pupitre.timetable.rules.calendar import instant

# What the page shows besides the pupils comes with the first row. The class stands in a sub-select by itself: of anything else
# row-level security makes no index condition. Enrolments count on the lesson's day, and who has a mark
# stays on the register when she leaves the class. Notices that were neither withdrawn nor refused are the whole day's, and
# so are the marks of the day, which are only looked for where a pupil was not present all day: which of them concern the
# lesson is decided when its hours are known.
_SHEET: Final = """
WITH lesson AS MATERIALIZED ({lesson}), held AS MATERIALIZED (
    SELECT id, class_id, version, taken_at, closed_at, starts_at, ends_at, taken_by_id, closed_by_id
      FROM attendance_register WHERE lesson_id = %(lesson)s AND held_on = %(first)s{lock}
), pupils AS MATERIALIZED (
    SELECT e.person_id AS id FROM courses_enrolment e
     WHERE e.class_id = (SELECT coalesce((SELECT class_id FROM held), (SELECT class_id FROM lesson))) AND e.role = 1
       AND (e.begins_on IS NULL OR e.begins_on <= %(first)s) AND (e.ends_on IS NULL OR e.ends_on >= %(first)s)
    UNION SELECT m.pupil_id FROM attendance_mark m WHERE m.register_id = (SELECT id FROM held)
), facts (told) AS MATERIALIZED (
    SELECT json_build_array(
        (SELECT settings_stamp FROM tenancy_school WHERE id = %(school)s),
        (SELECT told FROM lesson),
        (SELECT json_build_array(id, version, taken_at, closed_at, {names}) FROM held),
        (SELECT json_agg(json_build_array(n.pupil_id, n.kind, n.reason, n.starts_at, n.ends_at) ORDER BY n.starts_at DESC)
           FROM pupils JOIN attendance_absencenotice n ON n.pupil_id = pupils.id
          WHERE n.starts_at < %(day_ends)s AND n.ends_at > %(day_starts)s AND n.withdrawn_at IS NULL AND n.state <> 3),
        {before})
)
SELECT p.id, coalesce(nullif(p.preferred_name, ''), p.given_name), p.family_name, p.photo_key,
       m.status, m.minutes, m.code_id, m.note, m.recorded_at, m.recorded_by_id, m.device, m.is_explicit,
       CASE WHEN row_number() OVER ordered = 1 THEN facts.told END
  FROM facts
  LEFT JOIN pupils ON true
  LEFT JOIN people_person p ON p.id = pupils.id AND (p.ended_on IS NULL OR p.ended_on >= %(first)s)
  LEFT JOIN attendance_mark m ON m.register_id = (SELECT id FROM held) AND m.pupil_id = p.id
WINDOW ordered AS (ORDER BY p.family_key, p.id)
 ORDER BY p.family_key, p.id
"""
_BEFORE: Final = """
(SELECT json_agg(json_build_array(e.pupil_id, e.status, e.minutes, r.starts_at) ORDER BY r.starts_at)
   FROM (SELECT DISTINCT o.pupil_id AS id FROM pupils JOIN attendance_mark o ON o.pupil_id = pupils.id
          WHERE o.held_on = %(first)s AND o.status <> 1) away
   JOIN attendance_mark e ON e.pupil_id = away.id AND e.held_on = %(first)s
   JOIN attendance_register r ON r.id = e.register_id)
"""
_NAMES: Final = """
(SELECT given_name || ' ' || family_name FROM people_person p WHERE p.id = taken_by_id),
(SELECT given_name || ' ' || family_name FROM people_person p WHERE p.id = closed_by_id)
"""
_PAGE: Final = _SHEET.format(lesson=timetable.LESSON_TOLD, lock="", names=_NAMES, before=_BEFORE)
# Who saves need not look back, but at what was kept of the register's marks. The register is locked, and its version told once
# more as the statement's snapshot has it: where another save was waited for, that is an older one, and so are the marks.
_KEPT: Final = """
(SELECT json_agg(json_build_array(v.pupil_id, v.status, v.minutes, v.code_id, v.note, v.recorded_at, v.recorded_by_id, v.device,
                                  v.is_explicit, v.outcome) ORDER BY v.id)
   FROM attendance_markrevision v WHERE v.register_id = (SELECT id FROM held)),
(SELECT version FROM attendance_register WHERE lesson_id = %(lesson)s AND held_on = %(first)s)
"""
_LOCKED: Final = _SHEET.format(
    lesson=timetable.LESSON_TOLD, lock=" FOR NO KEY UPDATE", names="NULL, NULL", before=_KEPT
)
_SETTINGS: Final = """
SELECT (SELECT json_agg(json_build_array(id, code, label, status) ORDER BY position, id)
          FROM attendance_attendancecode WHERE is_active),
       (SELECT correction_days FROM attendance_attendancesettings LIMIT 1)
"""
# A lesson may have left the timetable, or moved, after its register was taken.
_TAKEN_THEN: Final = """
SELECT r.class_id, c.title, l.subject, l.position, l.length, r.starts_at, r.ends_at,
       ARRAY(SELECT ARRAY[p.id::text, p.given_name || ' ' || p.family_name]
               FROM timetable_lessonteacher t JOIN people_person p ON p.id = t.teacher_id WHERE t.lesson_id = l.id)
  FROM attendance_register r JOIN timetable_lesson l ON l.id = r.lesson_id JOIN courses_class c ON c.id = r.class_id
 WHERE r.lesson_id = %s AND r.held_on = %s
"""
_ASSISTS: Final = """
SELECT EXISTS (SELECT 1 FROM courses_enrolment WHERE class_id = %s AND person_id = %s AND role IN (2, 3)
                AND (begins_on IS NULL OR begins_on <= %s) AND (ends_on IS NULL OR ends_on >= %s))
"""
_STATES: Final = """
SELECT r.lesson_id, r.taken_at, r.closed_at, count(m.id),
       count(m.id) FILTER (WHERE m.status IN (2, 4, 5)), count(m.id) FILTER (WHERE m.status = 3)
  FROM attendance_register r LEFT JOIN attendance_mark m ON m.register_id = r.id
 WHERE r.held_on = %s AND r.lesson_id = ANY(%s)
 GROUP BY r.lesson_id, r.taken_at, r.closed_at
"""


@dataclass(frozen=True, slots=True)
class SheetPupil:
    """A pupil's line in a register. `before`, the mark of the lesson before, is None also where she was present all day."""

    id: int
    given_name: str
    family_name: str
    photo_key: str
    mark: MarkFacts | None
    announced: Reason | None
    announced_text: str
    before: Status | None
    before_minutes: int

    @property
    def is_announced(self) -> bool:
        return self.announced is not None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A register as its page shows it; `version` is 0 and `register_id` None where nobody has taken it."""

    lesson: timetable.HeldLesson
    pupils: tuple[SheetPupil, ...]
    codes: tuple[Code, ...]
    facts: RegisterFacts
    register_id: int | None
    version: int
    taken_at: datetime | None
    taken_by: str
    closed_by: str
    #: Marks that do not count (any more), by pupil and in the order in which they were kept; only where it is to be saved.
    kept: tuple[tuple[int, KeptMark], ...] = ()

    @property
    def closed_at(self) -> datetime | None:
        return self.facts.closed_at

    def code_of(self, status: Status, code_id: int = 0) -> Code:
        """The school's code of a mark: its own, or the first one of that status."""
        for code in self.codes if code_id else ():
            if code.id == code_id:
                return code
        return next(code for code in self.codes if code.status is status)


def _allowed(actor: Actor, lesson: timetable.HeldLesson) -> timetable.HeldLesson:
    if actor.is_office or lesson.is_taught_by(actor.person_id) or actor.person_id in lesson.teachers:
        return lesson
    if actor.person_id and actor.is_staff and _assists(actor.person_id, lesson):
        return lesson
    raise NotFound


def _taken_then(lesson_id: int, held_on: date) -> timetable.HeldLesson:
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_THEN, [lesson_id, held_on])
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    class_id, title, subject, position, length, starts_at, ends_at, teachers = row
    return timetable.HeldLesson(
        lesson_id=lesson_id,
        class_id=class_id,
        class_title=title,
        held_on=held_on,
        starts_at=starts_at,
        ends_at=ends_at,
        week="",
        subject=subject,
        room="",
        usual_room="",
        is_cancelled=False,
        note="",
        teachers={int(id_): name for id_, name in teachers},
        absent_teacher_id=None,
        substitute_id=None,
        substitute_name="",
        position=position,
        length=length,
        room_id=None,
    )


def _assists(person_id: int, lesson: timetable.HeldLesson) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_ASSISTS, [lesson.class_id, person_id, lesson.held_on, lesson.held_on])
        return bool(cursor.fetchone()[0])


def access_sheet(actor: Actor, lesson_id: int, held_on: date) -> Sheet:
    """The register of a lesson that the actor may see and take, or NotFound: pupils by family name, marks, announcements, and
    the mark of the lesson before. One statement.

    The lesson's teachers may and who stands in for them that day, teachers and aides enrolled in its class, and the office.
    """
    rows, told = _asked(actor, _PAGE, held_on, {"lesson": lesson_id})
    allowed = _lesson_allowed(actor, told, lesson_id, held_on)
    return _sheet(actor, allowed, rows, told, before=_before(allowed, told[4] or ()))


def _lesson_allowed(actor: Actor, told: list[Any], lesson_id: int, held_on: date) -> timetable.HeldLesson:
    lesson = timetable.lesson_told(actor.place, told[1], told[0], held_on)
    return _allowed(actor, lesson or _taken_then(lesson_id, held_on))


def sheet_to_save(actor: Actor, lesson_id: int, held_on: date) -> Sheet:
    """As `access_sheet`, for who saves it: with what was kept of its marks, and without those of the lesson before and who took
    and closed it.

    Where it was taken before, the register stays locked until the transaction ends. One statement, and the same again where
    another save had to be waited for.
    """
    rows, told = _asked(actor, _LOCKED, held_on, {"lesson": lesson_id})
    if told[2] and told[2][1] != told[-1]:
        rows, told = _asked(actor, _LOCKED, held_on, {"lesson": lesson_id})
    kept = told[4]
    allowed = _lesson_allowed(actor, told, lesson_id, held_on)
    return _sheet(actor, allowed, rows, told, kept=tuple(_kept(row) for row in kept or ()))


def _asked(actor: Actor, statement: str, on: date, asked: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """The rows of pupils, and what came with the first: stamp, lesson, register, notices, and the day's or kept marks."""
    zone = ZoneInfo(actor.place.time_zone)
    starts, ends = instant(on, time.min, zone), instant(on + timedelta(days=1), time.min, zone)
    asked |= {"school": actor.place.id, "first": on, "last": on, "day_starts": starts, "day_ends": ends}
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        rows = cursor.fetchall()
    return rows, _plain(rows[0][12])


def _sheet(
    actor: Actor,
    lesson: timetable.HeldLesson,
    rows: list[Any],
    told: list[Any],
    *,
    before: dict[int, tuple[Status, int]] | None = None,
    kept: tuple[tuple[int, KeptMark], ...] = (),
) -> Sheet:
    stamp, _, register, notices, *_rest = told
    register_id, version, taken_at, closed_at, taken_by, closed_by = register or (None, 0, None, None, "", "")
    own_codes, correction_days = _settings_at(actor.place.id, stamp)
    announced = _announced(lesson, notices or ())
    return Sheet(
        lesson=lesson,
        pupils=tuple(_pupil(row, announced, before or {}) for row in rows if row[0] is not None),
        codes=codes_from(actor.place, own_codes),
        facts=RegisterFacts(
            held_on=lesson.held_on,
            starts_at=lesson.starts_at,
            is_cancelled=lesson.is_cancelled,
            is_taken=register_id is not None,
            closed_at=_instant(closed_at),
            correction_days=correction_days,
            zone=actor.place.time_zone,
            is_office=actor.is_office,
        ),
        register_id=register_id,
        version=version,
        taken_at=_instant(taken_at),
        taken_by=taken_by or "",
        closed_by=closed_by or "",
        kept=kept,
    )


@lru_cache(maxsize=1024)
def _settings_at(school_id: int, stamp: str) -> tuple[Any, int]:
    """The school's own codes and its days for corrections, remembered for as long as its settings have that stamp."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        codes, days = cursor.fetchone()
    return _plain(codes), 7 if days is None else days


def _announced(lesson: timetable.HeldLesson, notices: Iterable[Any]) -> dict[int, tuple[Reason, str]]:
    """By pupil the first notice that covers part of the lesson; they come with the last one first."""
    return {
        pupil: (Reason(kind), reason)
        for pupil, kind, reason, starts_at, ends_at in notices
        if datetime.fromisoformat(starts_at) < lesson.ends_at
        and datetime.fromisoformat(ends_at) > lesson.starts_at
    }


def _before(lesson: timetable.HeldLesson, marks: Iterable[Any]) -> dict[int, tuple[Status, int]]:
    """By pupil the mark of the day's last lesson before; they come in order of time."""
    return {
        pupil: (Status(status), minutes)
        for pupil, status, minutes, starts_at in marks
        if datetime.fromisoformat(starts_at) < lesson.starts_at
    }


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _instant(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _pupil(
    row: tuple[Any, ...], announced: dict[int, tuple[Reason, str]], before: dict[int, tuple[Status, int]]
) -> SheetPupil:
    mark = None
    if row[4] is not None:
        mark = MarkFacts(Status(row[4]), row[8], row[10], row[11], row[5], row[6] or 0, row[7], row[9] or 0)
    reason, text = announced.get(row[0], (None, ""))
    was, was_minutes = before.get(row[0], (None, 0))
    return SheetPupil(row[0], row[1], row[2], row[3], mark, reason, text or "", was, was_minutes)


def codes_from(school: SchoolFacts, own: Any) -> tuple[Code, ...]:
    """The school's codes out of rows of (id, code, label, status); the language's usual ones where it has none.

    'Present' is always among them: a school that forgot it still takes registers.
    """
    usual = default_codes(school.locale, status_labels())
    if not own:
        return tuple(usual)
    codes = tuple(Code(id_, code, label, Status(status)) for id_, code, label, status in own)
    lacking = [code for code in usual if code.status not in {c.status for c in codes}]
    taken = {code.code for code in codes}
    return (*codes, *(code for code in lacking if code.code not in taken))


def status_labels() -> list[str]:
    """The five statuses in words, in the order of Status, in the reader's language."""
    return [
        gettext("Present"),
        gettext("Absent"),
        gettext("Late"),
        gettext("Excused"),
        gettext("Out of class"),
    ]


def status_letters() -> str:
    """One letter for each of the five statuses, no letter twice, in the reader's language."""
    return DEFAULT_LETTERS.get((get_language() or "en")[:2], DEFAULT_LETTERS["en"])


def marks_of(sheet: Sheet) -> dict[int, PupilMarks]:
    """Everything known about each pupil's marks, kept ones included: what merging decides on. For a sheet of `sheet_to_save`."""
    kept: dict[int, list[KeptMark]] = {}
    for pupil_id, one in sheet.kept:
        kept.setdefault(pupil_id, []).append(one)
    return {pupil.id: PupilMarks(pupil.mark, tuple(kept.get(pupil.id, ()))) for pupil in sheet.pupils}


def _kept(row: list[Any]) -> tuple[int, KeptMark]:
    pupil_id, status, minutes, code_id, note, at, by, device, is_explicit, outcome = row
    mark = MarkFacts(
        Status(status), datetime.fromisoformat(at), device, is_explicit, minutes, code_id or 0, note, by or 0
    )
    return pupil_id, KeptMark(mark, Outcome(outcome))


@dataclass(frozen=True, slots=True)
class LessonState:
    """A lesson of somebody's day, and how far its register is."""

    lesson: timetable.HeldLesson
    taken_at: datetime | None = None
    closed_at: datetime | None = None
    marks: int = 0
    away: int = 0
    late: int = 0


def day_for(actor: Actor, on: date) -> list[LessonState]:
    """The actor's lessons of a day in order of time: those on the timetable, stood in for, or assisted in."""
    if not actor.person_id:
        return []
    lessons = timetable.lessons_of_day(actor.place, on, teacher_id=actor.person_id)
    if not lessons:
        return []
    states = states_of(on, [lesson.lesson_id for lesson in lessons])
    return [LessonState(lesson, *states.get(lesson.lesson_id, ())) for lesson in lessons]


def states_of(on: date, lesson_ids: list[int]) -> dict[int, tuple[Any, ...]]:
    """How far the registers of these lessons are on a day: what LessonState says besides the lesson. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [on, lesson_ids])
        return {row[0]: row[1:] for row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One mark that was ever made in a register, or its reopening; `counts` tells the mark that stands."""

    pupil_id: int
    pupil: str
    at: datetime
    by: str
    device: str
    status: Status | None
    code_id: int
    minutes: int
    note: str
    outcome: Outcome | None
    counts: bool
    is_explicit: bool


@dataclass(frozen=True, slots=True)
class ReopeningEntry:
    """A reopening, and the closing that it undid."""

    at: datetime
    by: str
    reason: str
    closed_at: datetime
    closed_by: str


_HISTORY: Final = """
SELECT p.id, p.given_name || ' ' || p.family_name, a.recorded_at, coalesce(w.given_name || ' ' || w.family_name, ''),
       a.device, a.status, a.code_id, a.minutes, a.note, a.outcome, a.is_explicit
  FROM (SELECT pupil_id, recorded_at, recorded_by_id, device, status, code_id, minutes, note, outcome, is_explicit
          FROM attendance_markrevision WHERE register_id = %(register)s
         UNION ALL
        SELECT pupil_id, recorded_at, recorded_by_id, device, status, code_id, minutes, note, NULL, is_explicit
          FROM attendance_mark WHERE register_id = %(register)s AND (
               is_explicit OR pupil_id IN (SELECT pupil_id FROM attendance_markrevision WHERE register_id = %(register)s))
       ) a
  JOIN people_person p ON p.id = a.pupil_id
  LEFT JOIN people_person w ON w.id = a.recorded_by_id
 WHERE %(pupil)s::bigint IS NULL OR a.pupil_id = %(pupil)s::bigint
 ORDER BY p.family_key, p.id, a.recorded_at, a.outcome NULLS LAST
"""
_REOPENINGS: Final = """
SELECT o.reopened_at, coalesce(w.given_name || ' ' || w.family_name, ''), o.reason, o.closed_at,
       coalesce(c.given_name || ' ' || c.family_name, '')
  FROM attendance_reopening o
  LEFT JOIN people_person w ON w.id = o.reopened_by_id
  LEFT JOIN people_person c ON c.id = o.closed_by_id
 WHERE o.register_id = %s ORDER BY o.reopened_at DESC
"""


def history_of(sheet: Sheet, pupil_id: int | None = None) -> list[HistoryEntry]:
    """Every mark that was decided in the register, by pupil and time; what nobody touched or changed is left out."""
    if sheet.register_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, {"register": sheet.register_id, "pupil": pupil_id})
        rows = cursor.fetchall()
    return [
        HistoryEntry(
            pupil_id=row[0],
            pupil=row[1],
            at=row[2],
            by=row[3],
            device=row[4],
            status=Status(row[5]),
            code_id=row[6] or 0,
            minutes=row[7],
            note=row[8],
            outcome=None if row[9] is None else Outcome(row[9]),
            counts=row[9] is None,
            is_explicit=row[10],
        )
        for row in rows
    ]


def reopenings_of(sheet: Sheet) -> list[ReopeningEntry]:
    """The register's reopenings, newest first."""
    if sheet.register_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_REOPENINGS, [sheet.register_id])
        return [ReopeningEntry(*row) for row in cursor.fetchall()]
