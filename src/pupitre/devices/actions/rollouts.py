"""Rollouts: a version's way through the schools, judged by what devices report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from pupitre.devices.models import Rollout, Wave
from pupitre.devices.queries import catalogue as queries
from pupitre.devices.queries.policies import owner_for
from pupitre.devices.rules import RolloutState
from pupitre.devices.rules import applications as rules
from pupitre.devices.rules.rollouts import RolloutHalted
from pupitre.kernel import events
from pupitre.people.rules import Actor

_UNDER_WAY: Final = [RolloutState.PLANNED.value, RolloutState.RUNNING.value, RolloutState.HALTED.value]


@transaction.atomic
def plan_rollout(
    actor: Actor,
    version_id: int,
    *,
    waves: Sequence[rules.Wave],
    failure_limit: int = 5,
    least_reports: int = 20,
    site_budget: int = 0,
    starts: bool = True,
    now: datetime,
) -> Rollout:
    """Send a version on its way, in waves; with `starts` False it waits until somebody starts it.

    It goes back to what is released now. One rollout of an application at a time.
    Raises NotFound, IsWithdrawn, AlreadyOnTheWay, NoWaves, BadShare, BadLimit.
    """
    version, owner = queries.access_own_version(actor, version_id), owner_for(actor)
    if version.withdrawn_at is not None:
        raise rules.IsWithdrawn
    if not (1 <= failure_limit <= 100 and 1 <= least_reports <= 100_000 and 0 <= site_budget <= 1_000_000):
        raise rules.BadLimit
    queries.lock_application(version.application_id)
    app = queries.application_facts(version.application_id)
    if any(one.state in _UNDER_WAY for one in app.rollouts):
        raise rules.AlreadyOnTheWay
    previous = rules.released(app)
    if previous is not None and previous.id == version.pk:
        previous = None
    rollout = Rollout.objects.create(
        authority_id=owner.authority_id,
        school_id=owner.school_id,
        version=version,
        previous_id=previous.id if previous else None,
        state=(RolloutState.RUNNING if starts else RolloutState.PLANNED).value,
        failure_limit=failure_limit,
        least_reports=least_reports,
        site_budget=site_budget,
        created_at=now,
        created_by_id=actor.account_id or None,
    )
    Wave.objects.bulk_create(
        Wave(
            authority_id=owner.authority_id,
            school_id=owner.school_id,
            rollout=rollout,
            number=one.number,
            schools=sorted(one.schools),
            share=one.share,
            starts_at=one.starts_at,
        )
        for one in rules.spread(waves)
    )
    return rollout


def start_rollout(actor: Actor, rollout_id: int, *, now: datetime) -> Rollout:
    """Begin what was planned. Raises NotFound, WrongTurn."""
    return _turn(actor, rollout_id, RolloutState.RUNNING, now, only=RolloutState.PLANNED)


def halt_rollout(actor: Actor, rollout_id: int, *, why: str = "", now: datetime) -> Rollout:
    """Give the version to nobody else; who has it keeps it. Raises NotFound, WrongTurn."""
    return _turn(actor, rollout_id, RolloutState.HALTED, now, why=why.strip()[:500] or "stopped")


def resume_rollout(actor: Actor, rollout_id: int, *, now: datetime) -> Rollout:
    """Go on with what was halted: failures until now do not halt it again. Raises NotFound, WrongTurn."""
    return _turn(actor, rollout_id, RolloutState.RUNNING, now, only=RolloutState.HALTED)


def complete_rollout(actor: Actor, rollout_id: int, *, now: datetime) -> Rollout:
    """Make the version what everybody has. Raises NotFound, WrongTurn."""
    return _turn(actor, rollout_id, RolloutState.DONE, now)


def roll_back(actor: Actor, rollout_id: int, *, now: datetime) -> Rollout:
    """Bring everybody back to the version before, also downwards. Raises NotFound, WrongTurn, NothingToGoBackTo."""
    return _turn(actor, rollout_id, RolloutState.ROLLED_BACK, now)


@transaction.atomic
def _turn(
    actor: Actor,
    rollout_id: int,
    state: RolloutState,
    now: datetime,
    *,
    why: str = "",
    only: RolloutState | None = None,
) -> Rollout:
    rollout = queries.access_own_rollout(actor, rollout_id)
    before = RolloutState(rollout.state)
    if state not in rules.FOLLOWS[before] or (only is not None and before is not only):
        raise rules.WrongTurn
    if state is RolloutState.ROLLED_BACK and rollout.previous_id is None:
        raise rules.NothingToGoBackTo
    if state is RolloutState.RUNNING and before is RolloutState.HALTED:
        rollout.judged_from = now
    rollout.state, rollout.why_halted = state.value, why
    rollout.ended_at = None if state is RolloutState.RUNNING else now
    rollout.save(update_fields=["state", "why_halted", "ended_at", "judged_from"])
    return rollout


@transaction.atomic
def judge_running(*, now: datetime) -> list[int]:
    """In an authority's or a school's scope: halt its own running rollouts in which too many installations failed.

    Answers those that were halted. Two statements where none is.
    """
    halted = []
    for rollout in Rollout.objects.select_for_update().filter(
        queries.own_of_scope(), state=RolloutState.RUNNING.value
    ):
        counts = queries.counts_since(rollout)
        if rules.must_halt(counts, failure_limit=rollout.failure_limit, least_reports=rollout.least_reports):
            rollout.state, rollout.why_halted, rollout.ended_at = RolloutState.HALTED.value, "failures", now
            rollout.save(update_fields=["state", "why_halted", "ended_at"])
            halted.append(rollout.pk)
            events.publish(_told(rollout, counts, now))
    return halted


def _told(rollout: Rollout, counts: rules.Counts, now: datetime) -> RolloutHalted:
    app, version = queries.name_of(rollout)
    return RolloutHalted(
        rollout.authority_id, rollout.school_id, rollout.pk, app, version, counts.failed, counts.reports, now
    )


def schools_with_running(authority_id: int) -> list[int]:
    """In an authority's scope: its schools that have rollouts of their own under way."""
    found = Rollout.objects.filter(
        authority_id=authority_id, school_id__isnull=False, state=RolloutState.RUNNING.value
    )
    return sorted({one for one in found.values_list("school_id", flat=True) if one is not None})
