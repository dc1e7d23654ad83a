"""Policies: made, changed by new versions, taken back to older ones, archived; given to somebody and taken back."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from pupitre.devices.models import Assignment, Policy, PolicyVersion
from pupitre.devices.queries import policies as queries
from pupitre.devices.rules import AlreadyEnded, Level, Platform
from pupitre.devices.rules import policies as rules
from pupitre.devices.rules.secrets import kept
from pupitre.devices.rules.validation import checked
from pupitre.kernel.errors import Conflict, NotFound
from pupitre.people.rules import Actor
from pupitre.tenancy.background import deferred
from pupitre.tenancy.scoping import scope

from . import targets
from .catalogue import PACKAGES


@transaction.atomic
def create_policy(
    actor: Actor, *, name: str, document: Mapping[str, Any], now: datetime, notes: str = ""
) -> Policy:
    """Make a policy of {"settings", "locked"}; it holds for nobody yet. Raises SettingsWrong, NameNeeded, NameTaken."""
    owner = queries.owner_for(actor)
    clean = _checked(document, owner.school_id)
    policy = Policy.objects.create(
        authority_id=owner.authority_id,
        school_id=owner.school_id,
        name=_name(owner, name),
        notes=notes.strip(),
        current=1,
        created_at=now,
    )
    _add_version(policy, 1, clean, actor, now)
    return policy


@transaction.atomic
def edit_policy(
    actor: Actor, policy_id: int, *, document: Mapping[str, Any], now: datetime, expected: int | None = None
) -> PolicyVersion:
    """Make a new version, which holds at once. Secrets that come back as `true` stay as they were.

    Raises SettingsWrong; NothingNew where it says the same as the current one; Conflict where that is not `expected`.
    """
    policy = _own_policy(actor, policy_id)
    if expected is not None and policy.current != expected:
        raise Conflict
    before = _version(policy, policy.current).document
    settings = kept(document.get("settings", {}), before.get("settings", {}))
    clean = _checked({**document, "settings": settings}, policy.school_id)
    if clean == before:
        raise rules.NothingNew
    number = (
        1
        + (
            PolicyVersion.objects.filter(authority_id=policy.authority_id, policy_id=policy.pk)
            .order_by("-number")
            .values_list("number", flat=True)[0]
        )
    )
    made = _add_version(policy, number, clean, actor, now)
    _point(policy, number, now)
    return made


@transaction.atomic
def restore_version(actor: Actor, policy_id: int, number: int, *, now: datetime) -> Policy:
    """Let an older (or again the newest) version hold. Raises NotFound, NothingNew."""
    policy = _own_policy(actor, policy_id)
    if policy.current == number:
        raise rules.NothingNew
    _version(policy, number)
    _point(policy, number, now)
    return policy


@transaction.atomic
def rename_policy(actor: Actor, policy_id: int, *, name: str, notes: str) -> Policy:
    """Call it otherwise. Nothing that a device obeys changes with it. Raises NameNeeded, NameTaken."""
    policy = _own_policy(actor, policy_id)
    policy.name, policy.notes = _name(queries.owner_for(actor), name, but=policy.pk), notes.strip()
    policy.save(update_fields=["name", "notes"])
    return policy


@transaction.atomic
def archive_policy(actor: Actor, policy_id: int, *, now: datetime) -> Policy:
    """Put a policy away: it holds for nobody any more, and nobody can be given it. Its versions stay."""
    policy = _own_policy(actor, policy_id)
    policy.archived_at = now
    policy.save(update_fields=["archived_at"])
    _compile(policy, now)
    return policy


@transaction.atomic
def assign_policy(
    actor: Actor,
    policy_id: int,
    *,
    level: Level,
    whom: int,
    now: datetime,
    platform: Platform | None = None,
    rank: int = 0,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Assignment:
    """Let a policy hold for somebody: see `Level`. An authority gives to all its schools or one, a school within itself.

    Raises NotFound where there is no such whom, AlreadyAssigned, DatesReversed, RankTooHigh.
    """
    owner = queries.owner_for(actor)
    policy = queries.access_policy(actor, policy_id)
    if policy.archived_at is not None:
        raise AlreadyEnded
    rules.check_assignment(rank, starts_on, ends_on)
    queries.require_whom(actor, level, whom)
    same = Assignment.objects.filter(
        owner.own, policy_id=policy_id, level=level, whom=whom, platform=platform, ended_at__isnull=True
    )
    if same.exists():
        raise rules.AlreadyAssigned
    made = Assignment.objects.create(
        authority_id=owner.authority_id,
        school_id=owner.school_id,
        policy_id=policy_id,
        level=level,
        whom=whom,
        platform=platform,
        rank=rank,
        starts_on=starts_on,
        ends_on=ends_on,
        made_at=now,
        made_by_id=actor.account_id or None,
    )
    _compile_whom(made, now)
    return made


@transaction.atomic
def unassign_policy(actor: Actor, assignment_id: int, *, now: datetime) -> Assignment:
    """Take a policy back from whom it was given to. Raises NotFound, AlreadyEnded."""
    owner = queries.owner_for(actor)
    found = Assignment.objects.select_for_update().filter(owner.own, pk=assignment_id).first()
    if found is None:
        raise NotFound
    if found.ended_at is not None:
        raise AlreadyEnded
    found.ended_at, found.ended_by_id = now, actor.account_id or None
    found.save(update_fields=["ended_at", "ended_by"])
    _compile_whom(found, now)
    return found


def _checked(document: Mapping[str, Any], school_id: int | None) -> dict[str, Any]:
    """The document as it is kept. Of the object store it names what is in the owner's catalogue, and nothing else:
    whatever it names, devices are given an address for. Raises SettingsWrong, NotFound.
    """
    clean = checked(document)
    own = re.compile(rf"{school_id or 0}/{PACKAGES}/[0-9a-z]+")
    if any("key" in one and not own.fullmatch(one["key"]) for one in clean["settings"].get("files", ())):
        raise NotFound
    return clean


def _own_policy(actor: Actor, policy_id: int) -> Policy:
    """A policy that the actor may change: its authority's policies a school only gives to whom it likes."""
    owner = queries.owner_for(actor)
    found = Policy.objects.select_for_update().filter(owner.own, pk=policy_id).first()
    if found is None:
        queries.access_policy(actor, policy_id)
        raise rules.NotYourPolicy
    if found.archived_at is not None:
        raise AlreadyEnded
    return found


def _name(owner: queries.Owner, name: str, *, but: int | None = None) -> str:
    clean = rules.checked_name(name)
    same = Policy.objects.filter(owner.own, name=clean, archived_at__isnull=True)
    if same.exclude(pk=but or 0).exists():
        raise rules.NameTaken
    return clean


def _version(policy: Policy, number: int) -> PolicyVersion:
    found = PolicyVersion.objects.filter(
        authority_id=policy.authority_id, policy_id=policy.pk, number=number
    ).first()
    if found is None:
        raise NotFound
    return found


def _add_version(
    policy: Policy, number: int, document: Mapping[str, Any], actor: Actor, now: datetime
) -> PolicyVersion:
    return PolicyVersion.objects.create(
        authority_id=policy.authority_id,
        school_id=policy.school_id,
        policy=policy,
        number=number,
        document=dict(document),
        made_at=now,
        made_by_id=actor.account_id or None,
    )


def _point(policy: Policy, number: int, now: datetime) -> None:
    policy.current = number
    policy.save(update_fields=["current"])
    _compile(policy, now)


def _compile(policy: Policy, now: datetime) -> None:
    """At once where the policy is the owner's alone; in each school that has it by a job of its own."""
    targets.compile_policy(policy.pk, now=now)
    if policy.school_id is None:
        for school_id in targets.schools_with(policy.pk, policy.authority_id):
            deferred("pupitre.devices.jobs.compile_policy", school_id, policy_id=policy.pk)


def _compile_whom(assignment: Assignment, now: datetime) -> None:
    level = Level(assignment.level)
    if assignment.school_id is None and level is Level.SCHOOL:
        # What is said to a school is composed of its own and its authority's words: its scope sees both.
        with scope(assignment.whom):
            targets.compile_targets(level, assignment.whom, now=now)
        return
    targets.compile_targets(level, assignment.whom, now=now)
