"""The catalogue: applications with their versions and rollouts, as pages show them and as the rules ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Q

from pupitre.devices.models import Application, ApplicationVersion, Installation, Rollout, Wave
from pupitre.devices.queries.policies import Owner, owner_for
from pupitre.devices.rules import InstallState, Platform, RolloutState, applications
from pupitre.devices.rules.applications import Counts, counts_of
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor
from pupitre.tenancy.scoping import current

_APPLICATION: Final = ("id", "authority_id", "school_id", "platform", "package", "name", "kind")
_VERSION: Final = (
    "id",
    "application_id",
    "version",
    "code",
    "file_key",
    "size",
    "sha256",
    "url",
    "withdrawn_at",
)
_ROLLOUT: Final = ("id", "version_id", "previous_id", "state", "site_budget")
_WAVE: Final = ("rollout_id", "number", "schools", "share", "starts_at")


def has_applications() -> bool:
    """Whether the scope's authority or school has any."""
    return Application.objects.exists()


def catalogue_of_school(actor: Actor) -> applications.Catalogue:
    """What the school's devices are given from: its own applications and its authority's. Four statements."""
    place = actor.place
    return _catalogue(_seen(Owner(place.authority_id, place.id)) & Q(archived_at=None))


def _seen(owner: Owner) -> Q:
    """The owner's own and, for a school, its authority's; an authority's scope also sees its schools' own."""
    own = Q(school_id__isnull=True)
    if owner.school_id is not None:
        own |= Q(school_id=owner.school_id)
    return own & Q(authority_id=owner.authority_id)


def _catalogue(which: Q) -> applications.Catalogue:
    apps = list(Application.objects.filter(which).values(*_APPLICATION))
    versions = _values(ApplicationVersion, _VERSION, application_id__in=[one["id"] for one in apps])
    rollouts = _values(Rollout, _ROLLOUT, version_id__in=[one["id"] for one in versions])
    waves = _values(Wave, _WAVE, rollout_id__in=[one["id"] for one in rollouts])
    return applications.catalogue_of(apps, versions, rollouts, waves)


def _values(model: Any, columns: Iterable[str], **which: Any) -> list[dict[str, Any]]:
    return list(model.objects.filter(**which).values(*columns))


def application_facts(application_id: int) -> applications.Application:
    """One application with everything that says which version devices have."""
    (found,) = _catalogue(Q(pk=application_id)).applications
    return found


def lock_application(application_id: int) -> None:
    """Two who roll out at once do it one after the other."""
    Application.objects.select_for_update().get(pk=application_id)


# What one may change


def access_own(actor: Actor, application_id: int) -> Application:
    """An application that is the actor's to change: the authority's for a fleet manager, the school's own for a school."""
    found = Application.objects.filter(owned(owner_for(actor)), pk=application_id).first()
    if found is None:
        raise NotFound
    return found


def access_own_version(actor: Actor, version_id: int) -> ApplicationVersion:
    found = (
        ApplicationVersion.objects.select_related("application")
        .filter(owned(owner_for(actor)), pk=version_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def access_own_rollout(actor: Actor, rollout_id: int) -> Rollout:
    """One's own rollout, locked: who presses second sees what the first did."""
    found = Rollout.objects.select_for_update().filter(owned(owner_for(actor)), pk=rollout_id).first()
    if found is None:
        raise NotFound
    return found


def owned(owner: Owner) -> Q:
    """The rows that are the owner's to change."""
    return Q(authority_id=owner.authority_id, school_id=owner.school_id)


def own_of_scope() -> Q:
    """The rows of the scope's own level: an authority's without a school, or the school's."""
    scope = current()
    if scope is None:
        raise RuntimeError("there is no scope")
    return Q(school_id=scope.school) if scope.school else Q(school_id=None, authority_id=scope.authority)


# Judging


def counts_since(rollout: Rollout) -> Counts:
    """What devices reported of a rollout's version since it began, or since somebody had it go on."""
    found = Installation.objects.filter(
        authority_id=rollout.authority_id,
        version=rollout.version_id,
        reported_at__gte=rollout.judged_from or rollout.created_at,
    )
    if rollout.school_id is not None:
        found = found.filter(school_id=rollout.school_id)
    return counts_of(dict(found.values_list("state").annotate(Count("id"))))


def name_of(rollout: Rollout) -> tuple[str, str]:
    """(application, version)."""
    version = ApplicationVersion.objects.select_related("application").get(pk=rollout.version_id)
    return version.application.name, version.version


# Pages


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """A rollout as pages show it."""

    id: int
    application_id: int
    application: str
    platform: Platform
    version: str
    previous: str
    state: RolloutState
    failure_limit: int
    least_reports: int
    site_budget: int
    created_at: datetime
    ended_at: datetime | None
    why_halted: str
    is_own: bool
    counts: Counts
    waves: tuple[applications.Wave, ...]

    @property
    def is_judged(self) -> bool:
        return self.counts.reports >= self.least_reports


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of an application. `is_released` for what everybody has who is in no rollout."""

    id: int
    version: str
    code: int
    size: int
    sha256: str
    has_file: bool
    url: str
    created_at: datetime
    withdrawn_at: datetime | None
    is_released: bool
    counts: Counts


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """An application as the catalogue lists it."""

    id: int
    name: str
    package: str
    platform: Platform
    kind: str
    publisher: str
    notes: str
    is_own: bool
    versions: list[VersionLine]
    on_its_way: str

    @property
    def released(self) -> str:
        return next((one.version for one in self.versions if one.is_released), "")


def applications_for(actor: Actor, *, application_id: int | None = None) -> list[ApplicationLine]:
    """The catalogue of the actor's school with its authority's, or of the authority; by name. Five statements."""
    owner = owner_for(actor)
    rows = Application.objects.filter(_seen(owner), archived_at=None).order_by("name", "platform", "id")
    apps = list(rows.filter(pk=application_id) if application_id else rows)
    facts = {one.id: one for one in _catalogue(Q(pk__in=[app.pk for app in apps])).applications}
    times = ApplicationVersion.objects.filter(application_id__in=[one.pk for one in apps])
    dates = {pk: (made, gone) for pk, made, gone in times.values_list("id", "created_at", "withdrawn_at")}
    # Of one application only: half a million devices have reported of each version in a list.
    counts = _counts(owner, list(dates) if application_id else [])
    return [_application(app, facts[app.pk], owner, dates, counts) for app in apps]


def access_application(actor: Actor, application_id: int) -> ApplicationLine:
    """One application of the actor's catalogue."""
    found = applications_for(actor, application_id=application_id)
    if not found:
        raise NotFound
    return found[0]


def _application(
    app: Application,
    facts: applications.Application,
    owner: Owner,
    dates: Mapping[int, tuple[datetime, datetime | None]],
    counts: Mapping[int, Counts],
) -> ApplicationLine:
    released = applications.released(facts)
    versions = [
        VersionLine(
            one.id, one.version, one.code, one.size, one.sha256, bool(one.file_key), one.url, *dates[one.id],
            released is not None and released.id == one.id, counts.get(one.id, Counts()),
        )
        for one in reversed(facts.versions)
    ]  # fmt: skip
    moving = [one for one in facts.rollouts if one.state is RolloutState.RUNNING]
    return ApplicationLine(
        app.pk, app.name, app.package, Platform(app.platform), app.kind, app.publisher, app.notes,
        app.school_id == owner.school_id, versions, facts.by_id[moving[-1].version].version if moving else "",
    )  # fmt: skip


def _counts(owner: Owner, versions: list[int]) -> dict[int, Counts]:
    """What devices reported of versions: the school's, or all of the authority's."""
    if not versions:
        return {}
    found = Installation.objects.filter(authority_id=owner.authority_id, version__in=versions)
    if owner.school_id is not None:
        found = found.filter(school_id=owner.school_id)
    by_version: dict[int, dict[int, int]] = {}
    for version, state, count in found.values_list("version", "state").annotate(Count("id")):
        by_version.setdefault(version, {})[state] = count
    return {version: counts_of(states) for version, states in by_version.items()}


def rollouts_for(
    actor: Actor, *, application_id: int | None = None, rollout_id: int | None = None, limit: int = 60
) -> list[RolloutLine]:
    """The rollouts that reach the actor's devices, those under way first. Five statements."""
    owner = owner_for(actor)
    rows = Rollout.objects.select_related("version", "version__application", "previous").filter(_seen(owner))
    if application_id is not None:
        rows = rows.filter(version__application_id=application_id)
    if rollout_id is not None:
        rows = rows.filter(pk=rollout_id)
    found = sorted(rows.order_by("-id")[:limit], key=lambda one: (one.state not in _UNDER_WAY, -one.pk))
    waves: dict[int, list[applications.Wave]] = {}
    for row in _values(Wave, _WAVE, rollout_id__in=[one.pk for one in found]):
        waves.setdefault(row["rollout_id"], []).append(
            applications.Wave(row["number"], row["starts_at"], frozenset(row["schools"]), row["share"])
        )
    counted = [one.version_id for one in found if one.state in _UNDER_WAY or rollout_id is not None]
    counts = _counts(owner, counted)
    return [
        RolloutLine(
            one.pk, one.version.application_id, one.version.application.name, Platform(one.version.application.platform),
            one.version.version, one.previous.version if one.previous else "", RolloutState(one.state), one.failure_limit,
            one.least_reports, one.site_budget, one.created_at, one.ended_at, one.why_halted,
            one.school_id == owner.school_id, counts.get(one.version_id, Counts()),
            tuple(sorted(waves.get(one.pk, ()), key=lambda wave: wave.number)),
        )
        for one in found
    ]  # fmt: skip


_UNDER_WAY: Final = frozenset({RolloutState.PLANNED, RolloutState.RUNNING, RolloutState.HALTED})


def access_rollout(actor: Actor, rollout_id: int) -> RolloutLine:
    found = rollouts_for(actor, rollout_id=rollout_id)
    if not found:
        raise NotFound
    return found[0]


def failures_of(actor: Actor, rollout: RolloutLine, *, limit: int = 20) -> list[tuple[str, int]]:
    """What devices said why they could not install the version: (message, devices), the most frequent first."""
    owner = owner_for(actor)
    found = Installation.objects.filter(
        authority_id=owner.authority_id,
        version=_version_of(rollout.id),
        state=InstallState.FAILED.value,
    )
    if owner.school_id is not None:
        found = found.filter(school_id=owner.school_id)
    counted = found.values_list("message").annotate(n=Count("id")).order_by("-n", "message")
    return [(message, count) for message, count in counted[:limit]]


def _version_of(rollout_id: int) -> int:
    return int(Rollout.objects.values_list("version_id", flat=True).get(pk=rollout_id))


def by_school(actor: Actor, rollout_id: int) -> list[tuple[int, Counts]]:
    """In an authority: what each school's devices reported of a rollout's version."""
    owner = owner_for(actor)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT school_id, state, count(*) FROM devices_installation WHERE authority_id = %s AND version = %s "
            "GROUP BY school_id, state ORDER BY school_id",
            [owner.authority_id, _version_of(rollout_id)],
        )
        found: dict[int, dict[int, int]] = {}
        for school, state, count in cursor.fetchall():
            found.setdefault(school, {})[state] = count
    return [(school, counts_of(states)) for school, states in found.items()]
