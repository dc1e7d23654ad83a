"""Telling families of absences that nobody announced: noted when a register is saved, decided after the school's delay."""

from datetime import datetime

from django.db import connection, transaction

from pupitre.attendance.models import Alert, Register
from pupitre.attendance.queries.alerts import DueAlert, due_alerts
from pupitre.attendance.queries.rosters import guardians_told
from pupitre.attendance.queries.settings import settings_for
from pupitre.attendance.rules.absences import AlertState, alert_due, judge_alert
from pupitre.attendance.rules.events import PupilMissing
from pupitre.kernel import clock, events
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.background import deferred

JOB = "pupitre.attendance.jobs.decide_alerts"
# One alert per pupil and day. One that was calmed is raised again by another lesson: the pupil left after the first.
_NOTE = """
INSERT INTO attendance_alert (school_id, pupil_id, held_on, register_id, due_at, state)
SELECT m.school_id, m.pupil_id, m.held_on, m.register_id, %s, 1
  FROM attendance_mark m WHERE m.register_id = %s AND m.status = 2
 ORDER BY m.pupil_id
ON CONFLICT (school_id, pupil_id, held_on) DO UPDATE
   SET register_id = excluded.register_id, due_at = excluded.due_at, state = 1, decided_at = NULL
 WHERE attendance_alert.state = 3
RETURNING id
"""


@transaction.atomic(savepoint=False)
def note_absences(actor: Actor, *, register_id: int, now: datetime) -> int:
    """Note who is absent in that register, and have it decided when the school's delay is over.

    Called by whoever saves a register, in the same transaction; repeating it changes nothing. Only today's registers
    raise alerts: what is handed in on another day comes too late to say that a child is missing. Answers how many.
    """
    register = Register.objects.only("held_on", "starts_at").get(pk=register_id)
    if register.held_on != clock.local(now, actor.place.time_zone).date():
        return 0
    due_at = alert_due(register.starts_at, settings_for(actor).alert_delay_minutes, now)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [due_at, register_id])
        noted = len(cursor.fetchall())
    if noted:
        deferred(JOB, actor.place.id, at=due_at)
    return noted


@transaction.atomic
def decide_due_alerts(actor: Actor, *, now: datetime) -> int:
    """Decide every alert of the school that is due: tell the entitled guardians, or calm it. Answers how many were told.

    Safe to repeat and to run twice at once: each alert is locked while it is decided.
    """
    require(actor, OFFICE)
    due = due_alerts(now)
    if not due:
        return 0
    tells = settings_for(actor).alerts_families
    decided = {alert.id: judge_alert(alert.day, tells_families=tells) for alert in due}
    for state in AlertState:
        ids = [alert_id for alert_id, became in decided.items() if became is state]
        if ids:
            Alert.objects.filter(pk__in=ids).update(state=state, decided_at=now)
    missing = [alert for alert in due if decided[alert.id] is AlertState.TOLD]
    _tell(actor, missing, now)
    return len(missing)


def _tell(actor: Actor, missing: list[DueAlert], now: datetime) -> None:
    today = clock.local(now, actor.place.time_zone).date()
    told = guardians_told((alert.pupil_id for alert in missing), today)
    for alert in missing:
        events.publish(
            PupilMissing(
                school_id=actor.place.id,
                pupil_id=alert.pupil_id,
                pupil_name=alert.pupil_name,
                guardian_person_ids=told.get(alert.pupil_id, ()),
                register_id=alert.register_id,
                held_on=alert.held_on,
                subject=alert.subject,
                class_title=alert.class_title,
                starts_at=alert.starts_at,
                at=now,
            )
        )
