"""The day board: who is missing now, which registers are not taken, who was announced, who came late."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final
from zoneinfo import ZoneInfo

from pupitre.attendance.models import AbsenceNotice
from pupitre.attendance.rules.absences import AlertState
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.kernel.text import initials
from pupitre.people import queries as people
from pupitre.people.rules import OFFICE, Actor, Relation, require
from pupitre.timetable.rules.calendar import instant

from .absences import NoticeRow, notice_rows
from .rosters import Form, form_of, forms_for, rows
from .settings import settings_for
from .untaken import UntakenRegister, untaken_registers

# All marks today of everybody who is, or was, not simply present. Small: one pupil in ten, at most.
_MARKS = """
SELECT m.pupil_id, coalesce(nullif(p.preferred_name, ''), p.given_name), p.family_name, p.grade,
       m.status, m.minutes, r.id, r.starts_at, r.ends_at, l.subject, a.state, a.decided_at, a.due_at
  FROM attendance_mark m
  JOIN attendance_register r ON r.school_id = m.school_id AND r.id = m.register_id
  JOIN people_person p ON p.school_id = m.school_id AND p.id = m.pupil_id
  JOIN timetable_lesson l ON l.school_id = r.school_id AND l.id = r.lesson_id
  LEFT JOIN attendance_alert a ON a.school_id = m.school_id AND a.pupil_id = m.pupil_id AND a.held_on = m.held_on
 WHERE m.held_on = %s
   AND m.pupil_id IN (SELECT x.pupil_id FROM attendance_mark x WHERE x.held_on = %s AND x.status <> 1 AND x.status < 5)
 ORDER BY p.family_key, m.pupil_id, r.starts_at, r.id
"""
_MISSING: Final = frozenset({Status.ABSENT, Status.EXCUSED})


@dataclass(frozen=True, slots=True)
class _Seen:
    """A mark of today with its pupil and lesson."""

    pupil_id: int
    given_name: str
    family_name: str
    grade: str
    status: int
    minutes: int
    register_id: int
    starts_at: datetime
    ends_at: datetime
    subject: str
    alert: int | None
    alert_decided_at: datetime | None
    alert_due_at: datetime | None


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
    notice: NoticeRow | None
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
    announced: list[NoticeRow]
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
    seen = [_Seen(*row) for row in rows(_MARKS, [today, today])]
    announced = announced_on(actor, today)
    forms = form_of((mark.pupil_id for mark in seen), today)
    titles = {pupil_id: form.title for pupil_id, form in forms.items()}
    all_forms = forms_for()
    wanted = next((form.title for form in all_forms if form.id == form_id), "")

    def is_wanted(form: str, of_grade: str = "") -> bool:
        return (not form_id or form == wanted) and (not grade or of_grade == grade)

    missing = [one for one in _missing(seen, titles, announced) if is_wanted(one.form, one.grade)]
    late = [one for one in _late(seen, titles) if is_wanted(one.form, one.grade)]
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
        announced=[n for n in announced if is_wanted(n.form, n.grade) and n.pupil_id not in missing_ids],
        late=late,
        registers_taken=taken,
        forms=all_forms,
        grades=_grades(),
    )


def _grades() -> list[str]:
    found = rows(
        "SELECT DISTINCT grade FROM people_person WHERE grade <> '' AND ended_on IS NULL ORDER BY grade"
    )
    return [row[0] for row in found]


def announced_on(actor: Actor, day: date) -> list[NoticeRow]:
    """Everybody for whom an absence on that day stands announced, in order of name. Two statements."""
    zone = ZoneInfo(actor.place.time_zone)
    begins, ends = instant(day, time.min, zone), instant(day + timedelta(days=1), time.min, zone)
    found = AbsenceNotice.objects.filter(
        starts_at__lt=ends, ends_at__gt=begins, withdrawn_at__isnull=True, state__lt=3
    )
    return notice_rows(actor, found.order_by("pupil__family_key", "id"))


def _by_pupil(seen: Iterable[_Seen]) -> Iterator[list[_Seen]]:
    for _, marks in groupby(seen, key=attrgetter("pupil_id")):
        yield list(marks)


def _missing(seen: list[_Seen], forms: dict[int, str], announced: list[NoticeRow]) -> Iterator[MissingPupil]:
    notices = {notice.pupil_id: notice for notice in announced}
    for marks in _by_pupil(seen):
        last = marks[-1]
        if Status(last.status) not in _MISSING:
            continue
        since = last
        for mark in reversed(marks):
            if Status(mark.status) not in _MISSING:
                break
            since = mark
        notice = notices.get(last.pupil_id)
        if notice and not (notice.starts_at < last.ends_at and notice.ends_at > last.starts_at):
            notice = None
        yield MissingPupil(
            pupil_id=last.pupil_id,
            name=f"{last.given_name} {last.family_name}",
            initials=initials(last.given_name, last.family_name),
            form=forms.get(last.pupil_id, ""),
            grade=last.grade,
            since=since.starts_at,
            register_id=last.register_id,
            subject=last.subject,
            lesson_ends_at=last.ends_at,
            is_excused=last.status == Status.EXCUSED,
            notice=notice,
            alert=AlertState(last.alert) if last.alert else None,
            alert_at=last.alert_decided_at or last.alert_due_at,
        )


def _late(seen: list[_Seen], forms: dict[int, str]) -> Iterator[LatePupil]:
    for marks in _by_pupil(seen):
        late = [mark for mark in marks if mark.status == Status.LATE]
        if late:
            worst = max(late, key=attrgetter("minutes"))
            name = f"{worst.given_name} {worst.family_name}"
            form = forms.get(worst.pupil_id, "")
            yield LatePupil(
                worst.pupil_id, name, form, worst.grade, worst.minutes, worst.subject, worst.starts_at
            )


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
