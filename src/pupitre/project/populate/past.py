"""The past of a populated school: registers, marks, absences and what families were told, made inside the database.

A mark follows from its register and its enrolment, so PostgreSQL makes it from them: nothing of it passes the wire. Row-level
security, keys and triggers stay on. They are most of the cost, and they are what makes such a database like a real one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection

from pupitre.attendance.actions import figures
from pupitre.messaging.rules.kinds import Audience, Kind
from pupitre.people.rules import Actor, LookAt, Role
from pupitre.project.populate.region import DENSE

# Before the last days each pupil has two registers a week: of the first lesson, where each lesson of a homeroom's day would
# make fifteen times as many marks.
_REGISTERS: Final = """
INSERT INTO attendance_register (school_id, lesson_id, class_id, held_on, starts_at, ends_at, taken_at, taken_by_id, closed_at,
                                 closed_by_id, version)
SELECT l.school_id, l.id, l.class_id, d.held_on, t.starts_at, t.ends_at, t.starts_at + interval '4 minutes', w.teacher_id, t.ends_at,
       w.teacher_id, 1
  FROM unnest(%(days)s::date[]) d (held_on)
  JOIN timetable_lesson l ON l.weekday = extract(isodow FROM d.held_on)
  JOIN timetable_lessonteacher w ON w.lesson_id = l.id
  JOIN timetable_period p ON p.position = l.position
  JOIN courses_class c ON c.id = l.class_id
 CROSS JOIN LATERAL (SELECT (d.held_on + p.starts_at) AT TIME ZONE %(zone)s, (d.held_on + p.ends_at) AT TIME ZONE %(zone)s)
       t (starts_at, ends_at)
 WHERE d.held_on >= %(dense)s
    OR (l.position = 0 AND ((hashtext(c.sourced_id) & 1023) + (d.held_on - date '2000-01-01')) %% 5 IN (0, 2))
 ORDER BY d.held_on, l.position
"""
# One pupil of thirty is away on a day, most of them with a reason; one of fifty comes late to the first lesson.
_MARKS: Final = """
WITH pupil AS MATERIALIZED (
    SELECT m.person_id, hashtext(p.sourced_id) AS seed
      FROM people_membership m JOIN people_person p ON p.id = m.person_id WHERE m.role = %(pupil)s
)
INSERT INTO attendance_mark (school_id, register_id, pupil_id, status, minutes, code_id, note, recorded_at, recorded_by_id, device,
                             is_explicit, held_on)
SELECT r.school_id, r.id, e.person_id, s.status, CASE s.status WHEN 3 THEN 4 + (h.day & 7) ELSE 0 END, NULL, '', r.taken_at,
       CASE WHEN s.status > 1 THEN r.taken_by_id END, '', s.status > 1, r.held_on
  FROM attendance_register r
  JOIN courses_enrolment e ON e.class_id = r.class_id AND e.role = 1
  JOIN pupil ON pupil.person_id = e.person_id
 CROSS JOIN LATERAL (SELECT hashint4(pupil.seed # ((r.held_on - date '2000-01-01') * 7919))) h (day)
 CROSS JOIN LATERAL (SELECT CASE WHEN h.day & 1023 < 14 THEN 2 WHEN h.day & 1023 < 34 THEN 4
                                 WHEN h.day & 1023 < 54 AND extract(hour FROM r.starts_at AT TIME ZONE %(zone)s) = 9 THEN 3
                                 WHEN h.day & 1023 < 56 THEN 5 ELSE 1 END) s (status)
"""
_AWAY: Final = """
CREATE TEMPORARY TABLE away ON COMMIT DROP AS
SELECT DISTINCT ON (m.pupil_id, m.held_on) m.school_id, m.pupil_id, m.held_on, m.status, m.register_id, m.recorded_at,
       m.recorded_by_id, g.guardian_id
  FROM attendance_mark m LEFT JOIN people_guardianship g ON g.pupil_id = m.pupil_id AND g.priority = 1
 WHERE m.status IN (2, 4) ORDER BY m.pupil_id, m.held_on, m.register_id
"""
# Of the reasons those of yesterday still wait for the office.
_ABSENCES: Final = """
INSERT INTO attendance_absencenotice (school_id, pupil_id, starts_at, ends_at, kind, reason, document_key, document_name,
       document_type, announced_at, announced_by_id, by_office, state, decided_at, decided_by_id, decision_note, withdrawn_at)
SELECT school_id, pupil_id, held_on::timestamp AT TIME ZONE %(zone)s, (held_on + 1)::timestamp AT TIME ZONE %(zone)s,
       1 + (pupil_id + (held_on - date '2000-01-01')) %% 3, '', '', '', '', recorded_at - interval '1 hour', guardian_id, false,
       CASE WHEN held_on < %(last)s THEN 2 ELSE 1 END, CASE WHEN held_on < %(last)s THEN recorded_at + interval '5 hours' END,
       CASE WHEN held_on < %(last)s THEN %(secretary)s::bigint END, '', NULL
  FROM away WHERE status = 4 AND guardian_id IS NOT NULL
"""
_REVISIONS: Final = """
INSERT INTO attendance_markrevision (school_id, register_id, pupil_id, status, minutes, code_id, note, recorded_at, recorded_by_id,
                                     device, is_explicit, outcome, kept_at)
SELECT school_id, register_id, pupil_id, 2, 0, NULL, '', recorded_at, recorded_by_id, '', true, 4, recorded_at + interval '5 hours'
  FROM away WHERE status = 4 AND pupil_id %% 2 = 0
"""
_ALERTS: Final = """
INSERT INTO attendance_alert (school_id, pupil_id, held_on, register_id, due_at, state, decided_at)
SELECT school_id, pupil_id, held_on, register_id, recorded_at + interval '16 minutes', 2, recorded_at + interval '17 minutes'
  FROM away WHERE status = 2
"""
_MISSING: Final = """
INSERT INTO messaging_notification (school_id, person_id, account_id, kind, facts, url, created_at, read_at)
SELECT a.school_id, a.guardian_id, g.account_id, %(missing)s, jsonb_build_object('pupil', p.given_name || ' ' || p.family_name,
       'subject', '1', 'time', jsonb_build_object('at', a.recorded_at, 'zone', %(zone)s::text, 'show', 'time')), '/family',
       a.recorded_at + interval '17 minutes', CASE WHEN a.held_on < %(last)s THEN a.recorded_at + interval '1 hour' END
  FROM away a JOIN people_person p ON p.id = a.pupil_id JOIN people_person g ON g.id = a.guardian_id WHERE a.status = 2
"""
_NOTICE: Final = """
INSERT INTO messaging_notice (school_id, title, body, audience, class_id, needs_confirmation, author_id, created_at, published_at,
                              withdrawn_at, recipients)
VALUES (%(school)s, %(title)s, %(body)s, %(audience)s, NULL, %(confirm)s, %(author)s, %(at)s, %(at)s, NULL,
        (SELECT count(DISTINCT guardian_id) FROM people_guardianship WHERE receives_notices))
RETURNING id
"""
_RECEIPTS: Final = """
INSERT INTO messaging_receipt (school_id, notice_id, person_id, pupil_id, read_at, confirmed_at, reminded_at)
SELECT g.school_id, %(notice)s, g.guardian_id, g.pupil_id,
       CASE WHEN g.guardian_id %% 8 > 0 THEN %(at)s::timestamptz + g.guardian_id %% 40 * interval '1 hour' END,
       CASE WHEN %(confirm)s AND g.guardian_id %% 8 > 2 THEN %(at)s::timestamptz + g.guardian_id %% 40 * interval '1 hour' END, NULL
  FROM people_guardianship g WHERE g.receives_notices
"""
_NOTICE_TOLD: Final = """
INSERT INTO messaging_notification (school_id, person_id, account_id, kind, facts, url, created_at, read_at)
SELECT DISTINCT ON (r.person_id) r.school_id, r.person_id, p.account_id, %(kind)s,
       jsonb_build_object('school', %(name)s::text, 'title', %(title)s::text), '/s/' || %(slug)s::text || '/notices/' || r.notice_id, %(at)s, r.read_at
  FROM messaging_receipt r JOIN people_person p ON p.id = r.person_id WHERE r.notice_id = %(notice)s
"""
_LOOKS: Final = """
INSERT INTO people_look (school_id, looked_at, account_id, actor_name, subject_id, what, reason)
SELECT m.school_id, %(now)s::timestamptz - m.person_id %% 60 * interval '1 day', s.account_id, s.given_name || ' ' || s.family_name, m.person_id,
       %(file)s, ''
  FROM people_membership m JOIN people_person s ON s.id = %(secretary)s WHERE m.role = %(pupil)s AND m.person_id %% 6 = 0
"""
_NOTICES: Final = (
    (40, False, "Inici de curs", "Benvolgudes famílies, comencem el curs. Les portes s'obren a les 8.50 h."),
    (18, True, "Autorización de salida", "Les rogamos que confirmen la salida de la semana próxima."),
    (3, True, "Reunió amb els tutors", "Dimarts a les 18 h hi ha reunió amb cada tutor. Confirmeu l'assistència."),
)  # fmt: skip


@dataclass(frozen=True)
class Past:
    """What one school's past is made of. `days` are in order; `secretary` and `head` are person ids."""

    actor: Actor
    days: Sequence[date]
    secretary: int
    head: int
    now: datetime

    def make(self) -> tuple[int, int]:
        """Write all of it in the scope that is set; answers how many registers and marks."""
        self._tell_notices()
        if not self.days:
            return 0, 0
        facts = self._facts()
        with connection.cursor() as cursor:
            cursor.execute(_REGISTERS, facts)
            registers = int(cursor.rowcount)
            cursor.execute(_MARKS, facts)
            marks = int(cursor.rowcount)
            for statement in (_AWAY, _ABSENCES, _REVISIONS, _ALERTS, _MISSING, _LOOKS):
                cursor.execute(statement, facts)
            cursor.execute("DROP TABLE away")
        figures.refresh_days(self.actor, first=self.days[0], last=self.days[-1])
        return registers, marks

    def _facts(self) -> dict[str, Any]:
        return {
            "days": list(self.days),
            "dense": self.days[-DENSE:][0],
            "last": self.days[-1],
            "zone": self.actor.place.time_zone,
            "pupil": int(Role.PUPIL),
            "secretary": self.secretary,
            "missing": int(Kind.PUPIL_MISSING),
            "file": int(LookAt.FILE),
            "now": self.now,
        }

    def _tell_notices(self) -> None:
        place = self.actor.place
        with connection.cursor() as cursor:
            for ago, confirm, title, body in _NOTICES:
                facts: dict[str, Any] = {
                    "school": place.id, "name": place.name, "slug": place.slug, "title": title, "body": body, "confirm": confirm,
                    "audience": int(Audience.FAMILIES), "author": self.head, "kind": int(Kind.NOTICE),
                    "at": self.now - timedelta(days=ago),
                }  # fmt: skip
                cursor.execute(_NOTICE, facts)
                facts["notice"] = cursor.fetchone()[0]
                cursor.execute(_RECEIPTS, facts)
                cursor.execute(_NOTICE_TOLD, facts)
