"""What a family does for several children at once."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from pupitre.attendance.actions import absences
from pupitre.attendance.rules.absences import Reason, Span
from pupitre.attendance.rules.documents import Document
from pupitre.people.rules import Actor


@transaction.atomic
def announce_for(
    actor: Actor,
    *,
    pupil_ids: Iterable[int],
    span: Span,
    kind: Reason,
    reason: str,
    document: Document | None,
    now: datetime,
) -> int:
    """Announce the same absence for several children of one school: all or none. Answers how many.

    Raises what attendance's announce_absence raises.
    """
    wanted = sorted(set(pupil_ids))
    for pupil_id in wanted:
        absences.announce_absence(
            actor,
            pupil_id=pupil_id,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            kind=kind,
            reason=reason,
            document=document,
            now=now,
        )
    return len(wanted)
