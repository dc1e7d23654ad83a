"""Reading the alerts that are due, with what decides them."""

from dataclasses import dataclass
from datetime import date, datetime

from pupitre.attendance.rules.absences import DayOfPupil
from pupitre.attendance.rules.status import Status

from .rosters import rows

_DUE = """
SELECT a.id, a.pupil_id, a.held_on, a.register_id, m.status,
       EXISTS (SELECT 1 FROM attendance_absencenotice n
                WHERE n.pupil_id = a.pupil_id AND n.starts_at < r.ends_at AND n.ends_at > r.starts_at
                  AND n.withdrawn_at IS NULL AND n.state <> 3),
       EXISTS (SELECT 1 FROM attendance_mark later
                 JOIN attendance_register lr ON lr.school_id = later.school_id AND lr.id = later.register_id
                WHERE later.pupil_id = a.pupil_id AND later.held_on = a.held_on AND later.status IN (1, 3)
                  AND lr.starts_at > r.starts_at),
       coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, l.subject, c.title, r.starts_at
  FROM attendance_alert a
  JOIN attendance_register r ON r.school_id = a.school_id AND r.id = a.register_id
  JOIN people_person p ON p.school_id = a.school_id AND p.id = a.pupil_id
  JOIN timetable_lesson l ON l.school_id = r.school_id AND l.id = r.lesson_id
  JOIN courses_class c ON c.school_id = r.school_id AND c.id = r.class_id
  LEFT JOIN attendance_mark m ON m.school_id = a.school_id AND m.register_id = a.register_id AND m.pupil_id = a.pupil_id
 WHERE a.state = 1 AND a.due_at <= %s
 ORDER BY a.id
   FOR UPDATE OF a SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class DueAlert:
    """An alert whose time has come."""

    id: int
    pupil_id: int
    held_on: date
    register_id: int
    day: DayOfPupil
    pupil_name: str
    subject: str
    class_title: str
    starts_at: datetime


def due_alerts(now: datetime) -> list[DueAlert]:
    """The waiting alerts that are due, locked; those that another worker is deciding are left to it."""
    found = []
    for id_, pupil, held_on, register, status, announced, came, name, subject, title, starts_at in rows(
        _DUE, [now]
    ):
        day = DayOfPupil(Status(status) if status else None, announced, came)
        found.append(DueAlert(id_, pupil, held_on, register, day, name, subject, title, starts_at))
    return found


def any_due(now: datetime) -> bool:
    """Whether the school has alerts to decide. For the sweep."""
    return bool(rows("SELECT 1 FROM attendance_alert WHERE state = 1 AND due_at <= %s LIMIT 1", [now]))
