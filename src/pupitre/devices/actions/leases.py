"""Leases: a teacher's word for the devices of her class, until the lesson ends at most."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pupitre.courses import queries as courses
from pupitre.devices.models import Lease
from pupitre.devices.queries import lesson_rules as queries
from pupitre.devices.rules import CARES, SEES, AlreadyEnded, Level
from pupitre.devices.rules import policies as rules
from pupitre.devices.rules.validation import checked_for_an_hour
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, require

from . import targets


@transaction.atomic
def give_lease(
    actor: Actor,
    class_id: int,
    *,
    now: datetime,
    settings: Mapping[str, Any] | None = None,
    lifts_rules: bool = False,
    ends_at: datetime | None = None,
    reason: str = "",
) -> Lease:
    """Lift the lesson rules of a class, set something for its devices, or both, from now until the lesson's end or before.

    A teacher does it for the classes that she teaches at this moment, who cares for devices for any, for some hours at most.
    What the same class was given before ends. Raises NotTaughtNow, NothingSaid, SettingsWrong, TooLong.
    """
    clean = checked_for_an_hour(settings or {})
    if not (clean or lifts_rules):
        raise rules.NothingSaid
    end = rules.lease_end(ends_at, now=now, lesson_ends_at=_lesson_end(actor, class_id, now))
    _end_running(class_id, now)
    lease = Lease.objects.create(
        school_id=actor.place.id,
        klass_id=class_id,
        settings=clean,
        lifts_rules=lifts_rules,
        reason=reason.strip(),
        starts_at=now,
        ends_at=end,
        given_by_id=actor.person_id or None,
    )
    targets.compile_targets(Level.GROUP, class_id, now=now)
    return lease


@transaction.atomic
def end_lease(actor: Actor, lease_id: int, *, now: datetime) -> Lease:
    """End a lease before its time. Raises NotFound, NotTaughtNow, AlreadyEnded."""
    require(actor, SEES)
    lease = Lease.objects.select_for_update(of=["self"]).filter(pk=lease_id).first()
    if lease is None:
        raise NotFound
    if lease.ends_at <= now:
        raise AlreadyEnded
    if lease.given_by_id is None or lease.given_by_id != actor.person_id:
        _lesson_end(actor, lease.klass_id, now)
    lease.ends_at = now
    lease.save(update_fields=["ends_at"])
    targets.compile_targets(Level.GROUP, lease.klass_id, now=now)
    return lease


def _lesson_end(actor: Actor, class_id: int, now: datetime) -> datetime | None:
    """Until when the actor may decide for the class; None where no lesson bounds it."""
    require(actor, SEES)
    courses.access_class(actor, class_id)
    if actor.is_any(CARES):
        return None
    ends = [lesson.ends_at for lesson in queries.taught_now(actor, now) if lesson.class_id == class_id]
    if not ends:
        raise rules.NotTaughtNow
    return max(ends)


def _end_running(class_id: int, now: datetime) -> None:
    for lease in queries.running_leases([class_id], now):
        lease.ends_at = now
        lease.save(update_fields=["ends_at"])
