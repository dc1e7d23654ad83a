"""Keeping who of the staff looked at whose protected data."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from pupitre.people.models import Look
from pupitre.people.rules import STAFF, Actor, LookAt


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
