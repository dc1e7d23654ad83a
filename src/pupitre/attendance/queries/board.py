"""The day board: who is missing now, which registers are not taken, who was announced, who came late."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from operator import attrgetter
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from pupitre.attendance.rules.absences import AlertState, Reason, Span, is_whole_days, last_day
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.kernel.text import initials
from pupitre.people import queries as people
from pupitre.people.queries.files import grades_of
from pupitre.people.rules import OFFICE, Actor, Relation, require
from pupitre.timetable.rules.calendar import instant

from .rosters import Form, form_of, forms_for, rows
from .settings import settings_for
from .untaken import UntakenRegister, untaken_registers

# Everybody who is, or was, not simply present today, with all marks of the day. Small: one pupil in ten, at most. A row a
# pupil: what is the same in all of its marks is looked up once. Registers are read together, and lessons only where shown.
# OFFSET 0 has the marks looked up by pupil: PostgreSQL, which does not guess how few they are, would read all of the day.
_SEEN = """
WITH away AS MATERIALIZED (
    SELECT DISTINCT pupil_id FROM attendance_mark WHERE held_on = %(day)s AND status <> 1 AND status < 5
), mark AS MATERIALIZED (
    SELECT m.pupil_id, m.status, m.minutes, m.register_id FROM away x CROSS JOIN LATERAL (
           SELECT pupil_id, status, minutes, register_id FROM attendance_mark WHERE pupil_id = x.pupil_id AND held_on = %(day)s
           OFFSET 0) m
), held AS MATERIALIZED (
    SELECT id, lesson_id, extract(epoch FROM starts_at)::bigint AS starts_at, extract(epoch FROM ends_at)::bigint AS ends_at
      FROM attendance_register WHERE held_on = %(day)s
), seen AS MATERIALIZED (
    SELECT pupil_id, array_agg(status) AS status, array_agg(minutes) AS minutes, array_agg(register_id) AS register,
           array_agg(lesson_id) AS lesson, array_agg(starts_at) AS starts_at, array_agg(ends_at) AS ends_at
      FROM (SELECT m.*, h.lesson_id, h.starts_at, h.ends_at FROM mark m JOIN held h ON h.id = m.register_id
             ORDER BY m.pupil_id, h.starts_at, h.id) one
     GROUP BY pupil_id
)
SELECT p.id, coalesce(nullif(p.preferred_name, ''), p.given_name), p.family_name, p.grade, a.state, a.decided_at, a.due_at,
       s.status, s.minutes, s.register, s.lesson, s.starts_at, s.ends_at
  FROM seen s JOIN people_person p ON p.id = s.pupil_id
  LEFT JOIN attendance_alert a ON a.pupil_id = s.pupil_id AND a.held_on = %(day)s
 ORDER BY p.family_key, p.id
"""
# The bounds stand in sub-selects, so that the planner has no reason to plan each request anew.
_ANNOUNCED = """
SELECT n.id, n.pupil_id, coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, p.grade, n.kind,
       n.starts_at, n.ends_at
  FROM attendance_absencenotice n JOIN people_person p ON p.id = n.pupil_id
 WHERE n.ends_at > (SELECT %(begins)s::timestamptz) AND n.starts_at < (SELECT %(ends)s::timestamptz)
   AND n.withdrawn_at IS NULL AND n.state < 3
 ORDER BY p.family_key, n.id
"""
_SUBJECTS = "SELECT id, subject FROM timetable_lesson WHERE id = ANY(%s)"
_MISSING: Final = frozenset({int(Status.ABSENT), int(Status.EXCUSED)})


class _Mark(NamedTuple):
    """A mark of today with its lesson; the instants in seconds since 1970."""

    status: int
    minutes: int
    register_id: int
    lesson_id: int
    starts_at: int
    ends_at: int


class _Seen(NamedTuple):
    """A pupil who is or was not simply present today, with all marks of the day in order."""

    pupil_id: int
    given_name: str
    family_name: str
    grade: str
    alert: int | None
    alert_decided_at: datetime | None
    alert_due_at: datetime | None
    marks: list[_Mark]

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"

    @property
    def late(self) -> _Mark | None:
        """The mark of the longest delay."""
        late = [mark for mark in self.marks if mark.status == Status.LATE]
        return max(late, key=attrgetter("minutes")) if late else None

    @property
    def missing(self) -> tuple[_Mark, _Mark] | None:
        """The last mark and the first one since which the pupil is missing; None where she is here."""
        last = self.marks[-1]
        if last.status not in _MISSING:
            return None
        return last, list(takewhile(lambda mark: mark.status in _MISSING, reversed(self.marks)))[-1]


@dataclass(frozen=True, slots=True)
class Announced:
    """An absence that stands announced for today. Days are the school's; `whole_days` hides the times."""

    id: int
    pupil_id: int
    pupil_name: str
    form: str
    grade: str
    kind: Reason
    starts_at: datetime
    ends_at: datetime
    first_day: date
    last_day: date
    whole_days: bool


@dataclass(frozen=True, slots=True)
class MissingPupil:
    """Somebody who was not there in the last lesson that was checked."""

    pupil_id: int
    name: str
    initials: str
    form: str
    grade: str
    since: datetime
    register_id: int
    subject: str
    lesson_ends_at: datetime
    is_excused: bool
    notice: Announced | None
    alert: AlertState | None
    alert_at: datetime | None

    def may_come_in(self, now: datetime) -> bool:
        """Whether the lesson is not over yet: who comes later has missed it, and stands in the next register."""
        return now < self.lesson_ends_at

    @property
    def is_announced(self) -> bool:
        return self.is_excused or self.notice is not None


@dataclass(frozen=True, slots=True)
class LatePupil:
    """Somebody who came late today; `minutes` of the longest."""

    pupil_id: int
    name: str
    form: str
    grade: str
    minutes: int
    subject: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """The school now. Lists are filtered; `forms` and `grades` are what can be chosen."""

    day: date
    now: datetime
    missing: list[MissingPupil]
    untaken: list[UntakenRegister]
    announced: list[Announced]
    late: list[LatePupil]
    registers_taken: int
    forms: list[Form] = field(default_factory=list)
    grades: list[str] = field(default_factory=list)

    @property
    def unannounced(self) -> int:
        return sum(not pupil.is_announced for pupil in self.missing)


def board_for(actor: Actor, *, form_id: int = 0, grade: str = "", now: datetime) -> Board:
    """Today's board of the school. The number of statements does not depend on how many are missing."""
    require(actor, OFFICE)
    zone = actor.place.time_zone
    today = clock.local(now, zone).date()
    seen = _seen_on(today)
    announced = _announced_on(actor, today)
    forms = form_of({*(one.pupil_id for one in seen), *(row[1] for row in announced)}, today)
    titles = {pupil_id: form.title for pupil_id, form in forms.items()}
    notices = [_announced(row, zone, titles.get(row[1], "")) for row in announced]
    all_forms = forms_for()
    wanted = next((form.title for form in all_forms if form.id == form_id), "")

    def is_wanted(form: str, of_grade: str) -> bool:
        return (not form_id or form == wanted) and (not grade or of_grade == grade)

    seen = [one for one in seen if is_wanted(titles.get(one.pupil_id, ""), one.grade)]
    subjects = _subjects_of(seen)
    missing = list(_missing(seen, titles, subjects, notices))
    missing_ids = {one.pupil_id for one in missing}
    due_minutes = settings_for(actor).register_due_minutes
    untaken, taken = untaken_registers(
        actor, today, now=now, due_minutes=due_minutes, form_id=form_id, grade=grade
    )
    return Board(
        day=today,
        now=now,
        missing=sorted(missing, key=lambda one: one.is_announced),
        untaken=untaken,
        announced=[n for n in notices if is_wanted(n.form, n.grade) and n.pupil_id not in missing_ids],
        late=list(_late(seen, titles, subjects)),
        registers_taken=taken,
        forms=all_forms,
        grades=grades_of(actor),
    )


def _seen_on(day: date) -> list[_Seen]:
    found = rows(_SEEN, {"day": day})
    return [_Seen._make([*row[:7], [_Mark(*mark) for mark in zip(*row[7:], strict=True)]]) for row in found]


def _subjects_of(seen: list[_Seen]) -> dict[int, str]:
    """The subjects of the lessons that are shown, by the lesson's id."""
    shown = {one.missing[0].lesson_id for one in seen if one.missing}
    shown |= {one.late.lesson_id for one in seen if one.late}
    return dict(rows(_SUBJECTS, [list(shown)]))


def _announced_on(actor: Actor, day: date) -> list[tuple[Any, ...]]:
    """Everybody for whom an absence on that day stands announced, in order of name; the second column is the pupil."""
    zone = ZoneInfo(actor.place.time_zone)
    begins, ends = instant(day, time.min, zone), instant(day + timedelta(days=1), time.min, zone)
    return rows(_ANNOUNCED, {"begins": begins, "ends": ends})


def _announced(row: tuple[Any, ...], zone: str, form: str) -> Announced:
    id_, pupil_id, name, grade, kind, starts_at, ends_at = row
    span = Span(starts_at, ends_at)
    return Announced(
        id=id_,
        pupil_id=pupil_id,
        pupil_name=name,
        form=form,
        grade=grade,
        kind=Reason(kind),
        starts_at=starts_at,
        ends_at=ends_at,
        first_day=clock.local(starts_at, zone).date(),
        last_day=last_day(span, zone),
        whole_days=is_whole_days(span, zone),
    )


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _missing(
    seen: list[_Seen], forms: dict[int, str], subjects: dict[int, str], announced: list[Announced]
) -> Iterator[MissingPupil]:
    notices = {notice.pupil_id: notice for notice in announced}
    for one in seen:
        if one.missing is None:
            continue
        last, since = one.missing
        begins, ends = _instant(last.starts_at), _instant(last.ends_at)
        notice = notices.get(one.pupil_id)
        if notice and not (notice.starts_at < ends and notice.ends_at > begins):
            notice = None
        yield MissingPupil(
            pupil_id=one.pupil_id,
            name=one.name,
            initials=initials(one.given_name, one.family_name),
            form=forms.get(one.pupil_id, ""),
            grade=one.grade,
            since=_instant(since.starts_at),
            register_id=last.register_id,
            subject=subjects.get(last.lesson_id, ""),
            lesson_ends_at=ends,
            is_excused=last.status == Status.EXCUSED,
            notice=notice,
            alert=AlertState(one.alert) if one.alert else None,
            alert_at=one.alert_decided_at or one.alert_due_at,
        )


def _late(seen: list[_Seen], forms: dict[int, str], subjects: dict[int, str]) -> Iterator[LatePupil]:
    for one in seen:
        worst = one.late
        if worst:
            form, subject = forms.get(one.pupil_id, ""), subjects.get(worst.lesson_id, "")
            starts_at = _instant(worst.starts_at)
            yield LatePupil(one.pupil_id, one.name, form, one.grade, worst.minutes, subject, starts_at)


@dataclass(frozen=True, slots=True)
class Contact:
    """An adult to call, or by a court's order not to."""

    name: str
    relation: Relation
    phone: str
    email: str
    lives_with: bool
    may_collect: bool
    may_be_told: bool
    court_note: str


@dataclass(frozen=True, slots=True)
class Contacts:
    """A pupil's adults, the first to call first. Showing them is a look that the caller keeps."""

    pupil_id: int
    pupil_name: str
    contacts: list[Contact]


def contacts_for(actor: Actor, pupil_id: int, today: date) -> Contacts:
    """Whom the office calls. Of an adult who may not be told, no number is given."""
    require(actor, OFFICE)
    pupil = people.access_pupil(actor, pupil_id)
    found = []
    for relation in people.guardians_of([pupil_id], today):
        adult, told = relation.guardian, relation.sees_record and relation.receives_notices
        found.append(
            Contact(
                name=adult.full_name,
                relation=Relation(relation.relation),
                phone=(adult.phone or adult.sms) if told else "",
                email=adult.email if told else "",
                lives_with=relation.lives_with,
                may_collect=relation.may_collect,
                may_be_told=told,
                court_note=relation.court_note,
            )
        )
    return Contacts(pupil_id, pupil.full_name, found)
