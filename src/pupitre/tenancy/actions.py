"""Founding and changing authorities and schools: acts of the operator, from the command line and the demonstration."""

from datetime import datetime
from typing import Any

from django.db import transaction

from . import queries
from .models import Authority, School, Upkeep


@transaction.atomic
def found_authority(
    *, slug: str, name: str, country: str, locale: str, time_zone: str, requires_second_factor: bool = True
) -> Authority:
    """Create the authority, or bring the one of that slug up to date."""
    facts = {
        "name": name,
        "country": country,
        "locale": locale,
        "time_zone": time_zone,
        "requires_second_factor": requires_second_factor,
    }
    authority, _ = Authority.objects.update_or_create(slug=slug, defaults=facts)
    return authority


@transaction.atomic
def found_school(
    authority: Authority,
    *,
    slug: str,
    name: str,
    country: str,
    locale: str,
    time_zone: str,
    identifier: str = "",
    sourced_id: str = "",
) -> School:
    """Create the school, or bring the one of that slug up to date."""
    facts = {
        "authority": authority,
        "name": name,
        "country": country,
        "locale": locale,
        "time_zone": time_zone,
        "identifier": identifier,
        "sourced_id": sourced_id or identifier or slug,
    }
    school, _ = School.objects.update_or_create(slug=slug, defaults=facts)
    queries.forget_schools()
    return school


def note_upkeep(
    name: str,
    *,
    began_at: datetime | None = None,
    ended_at: datetime | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Note that upkeep of that name began, or what it did and, where it came to its end, when it ended."""
    if began_at is not None:
        Upkeep.objects.update_or_create(name=name, defaults={"began_at": began_at})
    else:
        Upkeep.objects.filter(name=name).update(
            facts=facts or {}, **({"ended_at": ended_at} if ended_at else {})
        )
