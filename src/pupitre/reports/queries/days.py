"""A pupil's day and weeks as families and pupils read them: lessons with presence, absences with what became of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from pupitre.attendance.rules.absences import NoticeState, Reason, Span, is_whole_days, last_day, may_withdraw
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.kernel.text import initials
from pupitre.messaging.queries import notices as messaging
from pupitre.messaging.queries.notices import Waiting
from pupitre.tenancy.rules import SchoolFacts
from pupitre.timetable import queries as timetable
from pupitre.timetable.queries import HeldLesson

#: Absences that lie further back are in the record.
RECENT: Final = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class LessonOfDay:
    """A lesson of a pupil today. `status` is None where its register was not taken (yet)."""

    subject: str
    room: str
    teacher: str
    starts_at: datetime
    ends_at: datetime
    is_cancelled: bool
    is_changed: bool
    note: str
    status: Status | None
    minutes: int
    is_announced: bool
    is_now: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class Announced:
    """An absence that was announced, with the school's days; `whole_days` hides the times."""

    id: int
    starts_at: datetime
    ends_at: datetime
    first_day: date
    last_day: date
    whole_days: bool
    kind: Reason
    state: NoticeState
    decision_note: str
    has_document: bool

    @property
    def may_be_withdrawn(self) -> bool:
        return may_withdraw(self.state, by_office=False)

    def meets(self, starts_at: datetime, ends_at: datetime) -> bool:
        return self.starts_at < ends_at and starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class MissedDay:
    """A day on which lessons were missed. `announced` is what the family said about it, newest first, or None."""

    on: date
    lessons: int
    excused: int
    subjects: tuple[str, ...]
    announced: Announced | None

    @property
    def is_justified(self) -> bool:
        return self.excused == self.lessons

    @property
    def is_open(self) -> bool:
        """Whether the family still owes the school a word about it."""
        return not self.is_justified and (
            self.announced is None or self.announced.state is NoticeState.REFUSED
        )


@dataclass(frozen=True, slots=True)
class PupilDay:
    """A pupil with today's lessons and the last weeks' absences, in one school."""

    id: int
    given_name: str
    name: str
    initials: str
    form: str
    has_photo: bool
    may_announce: bool
    receives_notices: bool
    lessons: list[LessonOfDay]
    coming: list[Announced]
    missed: list[MissedDay]

    @property
    def now(self) -> LessonOfDay | None:
        return next((one for one in self.lessons if one.is_now), None)

    @property
    def next(self) -> LessonOfDay | None:
        """The next one that is held."""
        return next((o for o in self.lessons if not (o.is_now or o.is_over or o.is_cancelled)), None)


# One statement whatever the number of pupils and of what they have: everything comes as JSON.
_DAYS: Final = """
WITH pupils AS MATERIALIZED (
SELECT p.id, coalesce(nullif(p.preferred_name, ''), p.given_name) AS given_name, p.family_name, p.photo_key <> '' AS has_photo,
       {may_announce} AS may_announce, {receives_notices} AS receives_notices, p.born_on, classes.ids, classes.form
  FROM {people}
  LEFT JOIN LATERAL (
       SELECT array_agg(e.class_id) AS ids, min(c.title) FILTER (WHERE c.kind = 'homeroom') AS form
         FROM courses_enrolment e JOIN courses_class c ON c.id = e.class_id
        WHERE e.person_id = p.id AND e.role = 1
          AND (e.begins_on IS NULL OR e.begins_on <= %(today)s) AND (e.ends_on IS NULL OR e.ends_on >= %(today)s)
  ) classes ON true
 WHERE p.ended_on IS NULL AND {wanted}
)
SELECT (SELECT settings_stamp FROM tenancy_school WHERE id = %(school)s),
       (SELECT json_agg(json_build_array(p.id, p.given_name, p.family_name, p.has_photo, p.may_announce, p.receives_notices,
                                         p.ids, p.form,
               (SELECT json_agg(json_build_array(r.lesson_id, m.status, m.minutes))
                  FROM attendance_mark m JOIN attendance_register r ON r.id = m.register_id
                 WHERE m.pupil_id = p.id AND m.held_on = %(today)s),
               (SELECT json_agg(json_build_array(m.held_on, m.status, l.subject, r.starts_at, r.ends_at) ORDER BY r.starts_at)
                  FROM attendance_mark m JOIN attendance_register r ON r.id = m.register_id
                  JOIN timetable_lesson l ON l.id = r.lesson_id
                 WHERE m.pupil_id = p.id AND m.held_on BETWEEN %(since)s AND %(today)s AND m.status IN (2, 4)),
               (SELECT json_agg(json_build_array(n.id, n.starts_at, n.ends_at, n.kind, n.state, n.decision_note,
                                                 n.document_key <> '') ORDER BY n.starts_at, n.id)
                  FROM attendance_absencenotice n
                 WHERE n.pupil_id = p.id AND n.ends_at >= %(since)s AND n.withdrawn_at IS NULL)) ORDER BY p.born_on, p.id)
          FROM pupils p),
       ({lessons}),
       ({notices})
"""
_OF_GUARDIAN: Final = {
    "may_announce": "g.may_announce",
    "receives_notices": "g.receives_notices",
    "people": "people_guardianship g JOIN people_person p ON p.id = g.pupil_id "
    "JOIN people_person a ON a.id = g.guardian_id AND a.ended_on IS NULL",
    "wanted": "g.guardian_id = %(person)s AND g.sees_record AND (g.ends_on IS NULL OR g.ends_on >= %(today)s)",
}
_OF_PUPIL: Final = {
    "may_announce": "false",
    "receives_notices": "true",
    "people": "people_person p",
    "wanted": "p.id = %(person)s",
}


def _statement(whose: Mapping[str, str], notices: str = "NULL") -> str:
    lessons = timetable.LESSONS_TOLD.format(
        classes="SELECT array_agg(one) FROM pupils CROSS JOIN unnest(pupils.ids) one"
    )
    return _DAYS.format(lessons=lessons, notices=notices, **whose)


_FAMILY: Final = _statement(_OF_GUARDIAN, messaging.WAITING_TOLD)
_CHILDREN: Final = _statement(_OF_GUARDIAN)
_PUPIL: Final = _statement(_OF_PUPIL)


def family_days(
    school: SchoolFacts, person_id: int, *, now: datetime
) -> tuple[list[PupilDay], list[Waiting]]:
    """The pupils whose record that guardian may see in the school in scope, eldest first, and what she has still to read there.

    One statement.
    """
    return _days(school, _FAMILY, person_id, now)


def days_of_guardian(school: SchoolFacts, person_id: int, *, now: datetime) -> list[PupilDay]:
    """The pupils whose record that guardian may see in the school in scope, eldest first. One statement."""
    return _days(school, _CHILDREN, person_id, now)[0]


def day_of_pupil(school: SchoolFacts, person_id: int, *, now: datetime) -> PupilDay | None:
    """The pupil's own. One statement."""
    return next(iter(_days(school, _PUPIL, person_id, now)[0]), None)


def _days(
    school: SchoolFacts, statement: str, person_id: int, now: datetime
) -> tuple[list[PupilDay], list[Waiting]]:
    today = clock.local(now, school.time_zone).date()
    asked: dict[str, int | date | list[int]] = {
        "school": school.id,
        "person": person_id,
        "today": today,
        "first": today,
        "last": today,
        "since": today - RECENT,
        "weekdays": timetable.weekdays_of(today, today),
        "limit": messaging.MOST_WAITING,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        stamp, pupils, told, notices = cursor.fetchone()
    rows = _plain(pupils)
    lessons = timetable.lessons_told(school, told, stamp, today, today) if rows else []
    return [_pupil_day(school, row, lessons, now) for row in rows], messaging.waiting_told(notices)


def _plain(found: Any) -> list[Any]:
    """A json column, which a raw cursor may hand over as text."""
    return json.loads(found) if isinstance(found, str) else found or []


def _pupil_day(school: SchoolFacts, row: Sequence[Any], lessons: list[HeldLesson], now: datetime) -> PupilDay:
    id_, given, family, has_photo, may_announce, receives, class_ids, form, marks, missed, told = row
    own = frozenset(class_ids or ())
    announced = [_announced(one, school.time_zone) for one in _plain(told)]
    by_lesson = {lesson_id: (Status(status), minutes) for lesson_id, status, minutes in _plain(marks)}
    return PupilDay(
        id=id_,
        given_name=given,
        name=f"{given} {family}",
        initials=initials(given, family),
        form=form or "",
        has_photo=has_photo,
        may_announce=may_announce,
        receives_notices=receives,
        lessons=[_lesson(one, by_lesson, announced, now) for one in lessons if one.class_id in own],
        coming=[one for one in announced if one.ends_at > now and one.state is not NoticeState.REFUSED],
        missed=_missed_days(_plain(missed), announced),
    )


def _lesson(
    held: HeldLesson, marks: Mapping[int, tuple[Status, int]], announced: Iterable[Announced], now: datetime
) -> LessonOfDay:
    status, minutes = marks.get(held.lesson_id, (None, 0))
    return LessonOfDay(
        subject=held.subject,
        room=held.room,
        teacher=", ".join(held.acting.values()),
        starts_at=held.starts_at,
        ends_at=held.ends_at,
        is_cancelled=held.is_cancelled,
        is_changed=held.is_changed,
        note=held.note,
        status=status,
        minutes=minutes,
        is_announced=any(
            one.meets(held.starts_at, held.ends_at) and one.state is not NoticeState.REFUSED
            for one in announced
        ),
        is_now=held.is_under_way(now),
        is_over=held.ends_at <= now,
    )


def _announced(told: list[Any], zone: str) -> Announced:
    id_, starts, ends, kind, state, note, has_document = told
    span = Span(datetime.fromisoformat(starts), datetime.fromisoformat(ends))
    return Announced(
        id=id_,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        first_day=clock.local(span.starts_at, zone).date(),
        last_day=last_day(span, zone),
        whole_days=is_whole_days(span, zone),
        kind=Reason(kind),
        state=NoticeState(state),
        decision_note=note,
        has_document=has_document,
    )


def _missed_days(exceptions: list[Any], announced: list[Announced]) -> list[MissedDay]:
    """The newest first."""
    by_day: dict[str, list[Any]] = {}
    for one in exceptions:
        by_day.setdefault(one[0], []).append(one)
    found = []
    for on, lessons in sorted(by_day.items(), reverse=True):
        starts, ends = datetime.fromisoformat(lessons[0][3]), datetime.fromisoformat(lessons[-1][4])
        about = [one for one in announced if one.meets(starts, ends)]
        # A refused word is followed by another one perhaps: what is not refused goes before it.
        about.sort(key=lambda one: (one.state is not NoticeState.REFUSED, one.id))
        found.append(
            MissedDay(
                on=date.fromisoformat(on),
                lessons=len(lessons),
                excused=sum(one[1] == Status.EXCUSED for one in lessons),
                subjects=tuple(dict.fromkeys(one[2] for one in lessons)),
                announced=about[-1] if about else None,
            )
        )
    return found
