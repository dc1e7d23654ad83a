"""Keeping who of the staff looked at whose protected data."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from pupitre.people.models import Look
from pupitre.people.rules import STAFF, Actor, LookAt

_AGAIN_AFTER: Final = timedelta(days=30)
_NOTE_READING: Final = """
INSERT INTO people_look (school_id, looked_at, account_id, actor_name, subject_id, what, reason)
SELECT %(school)s, %(now)s, %(account)s, %(name)s, subject, %(what)s, ''
  FROM unnest(%(subjects)s::bigint[]) AS subject
 WHERE NOT EXISTS (SELECT FROM people_look l WHERE l.subject_id = subject AND l.looked_at > %(since)s
                      AND l.account_id = %(account)s AND l.what = %(what)s)
"""


@transaction.atomic
def note_looks(
    actor: Actor, subject_ids: Iterable[int], what: LookAt, *, now: datetime, reason: str = ""
) -> None:
    """Keep that a member of staff looked at these persons' data, in one statement.

    Looks of families and pupils at what is theirs, and of jobs, are not kept: the log is about the school's staff.
    """
    if not actor.account_id or not actor.is_any(STAFF):
        return
    Look.objects.bulk_create(
        Look(
            school_id=actor.place.id,
            looked_at=now,
            account_id=actor.account_id,
            actor_name=actor.name,
            subject_id=subject_id,
            what=what,
            reason=reason,
        )
        for subject_id in sorted(set(subject_ids))
        if subject_id != actor.person_id
    )


@transaction.atomic
def note_reading(actor: Actor, subject_ids: Iterable[int], what: LookAt, *, now: datetime) -> None:
    """Keep that another system reads these persons' data, in one statement.

    It reads everybody every night: what the persons want to know, and the log can hold, is that it does, once a month.
    """
    subjects = sorted(set(subject_ids))
    if not actor.account_id or not subjects:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE_READING,
            {
                "school": actor.place.id,
                "now": now,
                "since": now - _AGAIN_AFTER,
                "account": actor.account_id,
                "name": actor.name,
                "what": what.value,
                "subjects": subjects,
            },
        )
