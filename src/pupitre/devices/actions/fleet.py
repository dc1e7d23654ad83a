"""What an authority's fleet manager does to devices of its schools: in each school's scope, under her own name."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from pupitre.devices.queries.authority import by_school, require_manager
from pupitre.devices.queries.fleet import devices_for
from pupitre.devices.rules import Standing, Verb
from pupitre.devices.rules.commanding import NothingToTell, arguments_of
from pupitre.devices.rules.fleet import Search, delegated, narrowed, search_of
from pupitre.kernel.errors import Refused
from pupitre.people.rules import Actor
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.background import deferred
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

from .commands import tell_devices

_TELL: Final = "pupitre.devices.jobs.tell_matching"
#: More than any school has.
_MOST: Final = 20_000


class WordsNarrowNothing(Refused):
    """Choose filters, and no words: what is told to all devices of a search is carried out school by school."""


@transaction.atomic
def tell_fleet(
    actor: Actor,
    device_ids: Sequence[int],
    verb: Verb,
    arguments: Mapping[str, Any] | None = None,
    *,
    now: datetime,
    reason: str = "",
) -> int:
    """Tell devices of several schools something; answers of how many schools. A school's own people are the second person."""
    require_manager(actor)
    found = by_school(actor, device_ids)
    for school_id, devices in found.items():
        school = tenancy.school_by_id(school_id)
        with scope(school_id, account=actor.account_id):
            tell_devices(delegated(actor, school), devices, verb, arguments, now=now, reason=reason)
    return len(found)


@transaction.atomic
def tell_search(
    actor: Actor, search: Search, verb: Verb, arguments: Mapping[str, Any] | None = None, *, reason: str = ""
) -> int:
    """Tell all devices that a search finds something: one job a school. Answers for how many schools."""
    require_manager(actor)
    if search.words:
        raise WordsNarrowNothing
    told = arguments_of(verb, arguments or {})
    schools = [one for one in tenancy.schools_for(actor.authority_id) if search.school in (0, one.id)]
    for school in schools:
        deferred(
            _TELL,
            school.id,
            lock=f"tell:{school.id}",
            query=narrowed(search, school=0).query(),
            verb=verb.value,
            arguments=told,
            account_id=actor.account_id,
            name=actor.name,
            reason=reason,
        )
    return len(schools)


@transaction.atomic
def tell_matching(
    school: SchoolFacts,
    *,
    query: Mapping[str, str],
    verb: int,
    arguments: Mapping[str, Any],
    account_id: int,
    name: str,
    reason: str,
    now: datetime,
) -> int:
    """One school's part of `tell_search`; answers how many devices were told."""
    actor = delegated(Actor(account_id, name=name), school)
    search = narrowed(search_of(query), standing=Standing.ENROLLED)
    devices = [one.id for one in devices_for(actor, search, today=now.date(), limit=_MOST).lines]
    if not devices:
        return 0
    try:
        tell_devices(actor, devices, Verb(verb), arguments, now=now, reason=reason)
    except NothingToTell:  # a script for another system than this school's
        return 0
    return len(devices)
