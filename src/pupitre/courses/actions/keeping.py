"""Keeping the school's roster as files of OneRoster 1.2, by the school's own plan."""

import contextlib
from datetime import datetime

from django.db import transaction

from pupitre.courses.actions import exports
from pupitre.courses.actions.comparing import store
from pupitre.courses.models import RosterExport, RosterExportPlan
from pupitre.courses.queries import pulling as queries
from pupitre.courses.queries.rosters import school_facts
from pupitre.courses.rules.roster import Kind
from pupitre.kernel import clock
from pupitre.kernel.errors import Refused
from pupitre.people import actions as people
from pupitre.people.rules import OFFICE, Actor, LookAt, require
from pupitre.tenancy.rules import SchoolFacts

MOST_KEPT = 366


class UnfitPlan(Refused):
    """Choose an hour of the day, and how many exports are kept: between 1 and 366."""


@transaction.atomic
def plan_exports(actor: Actor, *, is_on: bool, hour: int, kept: int) -> None:
    """Say whether, at which hour and how many exports are kept."""
    require(actor, OFFICE)
    if not 0 <= hour <= 23 or not 1 <= kept <= MOST_KEPT:
        raise UnfitPlan
    RosterExportPlan.objects.update_or_create(
        school_id=actor.place.id, defaults={"is_on": is_on, "hour": hour, "kept": kept}
    )


def is_export_due(actor: Actor, school: SchoolFacts, *, now: datetime) -> bool:
    """Whether today's export is to be made: from its hour on, once a day. In the school's scope."""
    plan = queries.export_plan(actor)
    here = clock.local(now, school.time_zone)
    if not plan.is_on or here.hour < plan.hour:
        return False
    last = queries.last_export_at(actor)
    return last is None or clock.local(last, school.time_zone).date() < here.date()


@transaction.atomic
def keep_export(actor: Actor, *, now: datetime) -> RosterExport:
    """Make an export and keep it; the oldest beyond the plan go."""
    require(actor, OFFICE)
    data = exports.export_roster(actor, now=now)
    key = store().put(actor.place.id, "roster-exports", data)
    row = RosterExport.objects.create(school_id=actor.place.id, made_at=now, file_key=key, size=len(data))
    kept = queries.export_plan(actor).kept
    old = list(RosterExport.objects.order_by("-made_at", "-id").values_list("id", "file_key")[kept:])
    RosterExport.objects.filter(pk__in=[pk for pk, _ in old]).delete()
    used = set(RosterExport.objects.values_list("file_key", flat=True))
    transaction.on_commit(lambda: _delete({file_key for _, file_key in old} - used))
    return row


def _delete(keys: set[str]) -> None:
    for key in sorted(keys):
        # One that is not there any more is what was wanted.
        with contextlib.suppress(FileNotFoundError):
            store().delete(key)


@transaction.atomic
def open_export(actor: Actor, export_id: int, *, now: datetime) -> tuple[RosterExport, bytes]:
    """A kept export, to take it away. Kept in the log of looks at everybody who is in the school."""
    row = queries.access_export(actor, export_id)
    present = school_facts(actor)
    people.note_looks(
        actor, [present.person_ids[key] for key in present.rows[Kind.USERS]], LookAt.EXPORT, now=now
    )
    return row, store().get(row.file_key)
