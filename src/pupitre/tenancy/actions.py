"""Founding and changing authorities and schools: acts of the operator, from the command line and the demonstration."""

from django.db import transaction

from . import queries
from .models import Authority, School


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
