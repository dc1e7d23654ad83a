"""Reading authorities and schools. They hold no personal data and need no scope."""

import time
from datetime import datetime

from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import fold

from .models import Authority, Change, School, Upkeep
from .rules import SchoolFacts

# A school's facts change a few times a year and are asked for on every page: each process remembers them for a minute.
_REMEMBER_SECONDS = 60.0
_remembered: dict[str, tuple[float, SchoolFacts]] = {}


def access_school(slug: str) -> SchoolFacts:
    """The school of that address, or NotFound."""
    held = _remembered.get(slug)
    if held and held[0] > time.monotonic():
        return held[1]
    school = School.objects.select_related("authority").filter(slug=slug).first()
    if school is None:
        raise NotFound
    facts = facts_of(school)
    _remembered[slug] = (time.monotonic() + _REMEMBER_SECONDS, facts)
    return facts


def facts_of(school: School) -> SchoolFacts:
    return SchoolFacts(
        id=school.pk,
        slug=school.slug,
        name=school.name,
        country=school.country,
        locale=school.locale,
        time_zone=school.time_zone,
        authority_id=school.authority_id,
        requires_second_factor=school.authority.requires_second_factor,
    )


def school_by_id(school_id: int) -> SchoolFacts:
    """For jobs, which carry the tenant's id, and for pages that cross schools."""
    held = _remembered.get(f"#{school_id}")
    if held and held[0] > time.monotonic():
        return held[1]
    facts = facts_of(School.objects.select_related("authority").get(pk=school_id))
    _remembered[f"#{school_id}"] = (time.monotonic() + _REMEMBER_SECONDS, facts)
    return facts


def codes_of(school_id: int) -> tuple[str, str, str]:
    """What a roster may call the school: its sourcedId, the authority's code for it ('' where it has none), its name."""
    found = School.objects.filter(pk=school_id).values_list("sourced_id", "identifier", "name").first()
    if found is None:
        raise NotFound
    return found


def schools_for(authority_id: int) -> list[SchoolFacts]:
    """The schools of an authority, by name."""
    found = School.objects.select_related("authority").filter(authority_id=authority_id).order_by("name")
    return [facts_of(school) for school in found]


def all_schools() -> list[SchoolFacts]:
    """Every school of the installation, for sweeps that visit each in its own scope."""
    return [facts_of(school) for school in School.objects.select_related("authority").order_by("id")]


def schools_named(authority_id: int, words: str) -> list[int]:
    """The ids of the authority's schools whose name or code has all those words in it, however they are accented."""
    wanted = fold(words).split()
    found = School.objects.filter(authority_id=authority_id).values_list("id", "name", "identifier")
    return [one for one, name, code in found if all(word in fold(f"{name} {code}") for word in wanted)]


def all_authorities() -> list[int]:
    """The ids of every authority of the installation."""
    return list(Authority.objects.order_by("id").values_list("id", flat=True))


def schools_called(words: str, *, limit: int = 20) -> list[SchoolFacts]:
    """Schools with those words in their names, for who looks for the way in to her own."""
    found = School.objects.select_related("authority").filter(name__icontains=words).order_by("name", "id")
    return [facts_of(school) for school in found[:limit]]


def access_authority(authority_id: int) -> Authority:
    found = Authority.objects.filter(pk=authority_id).first()
    if found is None:
        raise NotFound
    return found


def authority_at(slug: str) -> Authority:
    """The authority of that address, or NotFound."""
    found = Authority.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound
    return found


def changes_about(subject_id: int, *, limit: int = 200) -> list[Change]:
    """What was changed about one person, newest first. The caller has decided who may ask."""
    return list(Change.objects.filter(subject_id=subject_id).order_by("-changed_at", "-id")[:limit])


def changes_of(table: str, row_id: int) -> list[Change]:
    """The history of one row, newest first."""
    return list(Change.objects.filter(table_name=table, row_id=row_id).order_by("-changed_at", "-id"))


def forget_schools() -> None:
    """Drop what this process remembers, after a school's facts were changed."""
    _remembered.clear()


def upkeep_ends(prefix: str) -> dict[str, datetime | None]:
    """When the upkeep whose names begin so last came to its end."""
    found = Upkeep.objects.filter(name__startswith=prefix).values_list("name", "ended_at")
    return dict(found)
