"""Searches that people keep."""

from django.db import transaction

from pupitre.devices.models import AuthoritySavedView, SavedView
from pupitre.devices.rules import CARES
from pupitre.kernel.errors import NotFound, Refused
from pupitre.people.rules import Actor, Role, require

_MOST_QUERY = 500


class ViewNameMissing(Refused):
    """Give the view a name by which you will know it again."""


@transaction.atomic
def keep_view(actor: Actor, *, name: str, query: str, is_shared: bool) -> SavedView:
    """Keep a search of the school's devices under a name; the same name again replaces it."""
    require(actor, CARES)
    row, _ = SavedView.objects.update_or_create(
        school_id=actor.place.id,
        person_id=actor.person_id,
        name=_name(name),
        defaults={"query": query[:_MOST_QUERY], "is_shared": is_shared},
    )
    return row


@transaction.atomic
def drop_view(actor: Actor, view_id: int) -> None:
    """Forget a search of one's own."""
    require(actor, CARES)
    own = SavedView.objects.filter(school_id=actor.place.id, person_id=actor.person_id, pk=view_id)
    if not own.delete()[0]:
        raise NotFound


@transaction.atomic
def keep_authority_view(actor: Actor, *, name: str, query: str) -> AuthoritySavedView:
    """Keep a search of the authority's fleet under a name; the same name again replaces it."""
    _require_manager(actor)
    row, _ = AuthoritySavedView.objects.update_or_create(
        authority_id=actor.authority_id,
        account_id=actor.account_id,
        name=_name(name),
        defaults={"query": query[:_MOST_QUERY]},
    )
    return row


@transaction.atomic
def drop_authority_view(actor: Actor, view_id: int) -> None:
    _require_manager(actor)
    own = AuthoritySavedView.objects.filter(
        authority_id=actor.authority_id, account_id=actor.account_id, pk=view_id
    )
    if not own.delete()[0]:
        raise NotFound


def _name(told: str) -> str:
    name = " ".join(told.replace("\0", "").split())[:60]
    if not name:
        raise ViewNameMissing
    return name


def _require_manager(actor: Actor) -> None:
    if Role.FLEET_MANAGER not in actor.authority_roles:
        raise NotFound
