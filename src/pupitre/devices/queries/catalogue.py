"""The catalogue: applications with their versions and rollouts, as pages show them and as the rules ask."""


from django.db.models import Q

from pupitre.devices.models import Application, ApplicationVersion, Rollout, Wave
from pupitre.devices.rules import applications
from pupitre.people.rules import Actor

_APPLICATION = ("id", "authority_id", "school_id", "platform", "package", "name", "kind")
_VERSION = (
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
_ROLLOUT = ("id", "version_id", "previous_id", "state", "site_budget")
_WAVE = ("rollout_id", "number", "schools", "share", "starts_at")


def has_applications() -> bool:
    """Whether the scope's authority or school has any."""
    return Application.objects.exists()


def catalogue_of_school(actor: Actor) -> applications.Catalogue:
    """What the school's devices are given from: its own applications and its authority's."""
    place = actor.place
    mine = Q(school_id=place.id) | Q(school_id=None, authority_id=place.authority_id)
    return _catalogue(mine)


def _catalogue(whose: Q) -> applications.Catalogue:
    apps = list(Application.objects.filter(whose, archived_at=None).values(*_APPLICATION))
    ids = [one["id"] for one in apps]
    versions = list(ApplicationVersion.objects.filter(application_id__in=ids).values(*_VERSION))
    rollouts = list(Rollout.objects.filter(version_id__in=[one["id"] for one in versions]).values(*_ROLLOUT))
    waves = list(Wave.objects.filter(rollout_id__in=[one["id"] for one in rollouts]).values(*_WAVE))
    return applications.catalogue_of(apps, versions, rollouts, waves)
