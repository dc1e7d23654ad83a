"""Marks on views: who may open a page at all. What a page shows is the queries' business."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from pupitre.kernel.errors import NotFound
from pupitre.kernel.tokens import new_token

from .rules import Actor, Role, require

#: The device's name in the session, so that a session that is ended from elsewhere tells it, and in a cookie.
DEVICE = "device"
_LONGEST, _KEPT_FOR = 64, 400 * 24 * 3600

View = TypeVar("View", bound=Callable[..., HttpResponse])


def open_to_all(view: View) -> View:
    """The view needs no sign-in (a letter's code, a class card, a feed with its own secret)."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """The view lies outside of any school and needs a sign-in."""
    view.signed_in_only = True  # type: ignore[attr-defined]
    return view


def only(*roles: Role) -> Callable[[View], View]:
    """The page is for these roles: others of the school get 403, strangers 404."""
    allowed = frozenset(roles)

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            require(actor_of(request), allowed)
            return view(request, *args, **kwargs)

        guarded.allowed_roles = allowed  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return mark


def inspects(view: View) -> View:
    """The page lies under `/a/<slug:authority>/` and is for the authority's inspectors: everybody else gets 404.

    It runs in `scope(authority=...)`, where only figures can be read; `actor_of(request).authority_id` says whose.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if Role.INSPECTOR not in actor_of(request).authority_roles:
            raise NotFound
        return view(request, *args, **kwargs)

    guarded.inspects = True  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def manages_fleet(view: View) -> View:
    """The page lies under `/a/<slug:authority>/` and is for the authority's fleet managers: everybody else gets 404."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if Role.FLEET_MANAGER not in actor_of(request).authority_roles:
            raise NotFound
        return view(request, *args, **kwargs)

    guarded.manages_fleet = True  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def actor_of(request: HttpRequest) -> Actor:
    """Who asks. Views hand it on as the first argument of every query and action."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def device_of(request: HttpRequest) -> str:
    """A name for this browser that outlives its sessions and says nothing; '' where none was given (`name_device`)."""
    held = request.session.get(DEVICE) or request.COOKIES.get(DEVICE, "")
    return str(held) if len(held) <= _LONGEST and held.isascii() else ""


def name_device(request: HttpRequest, response: HttpResponse) -> str:
    """Give this browser a name by which what was left in it can be taken back when its user signs out there."""
    device = device_of(request) or new_token()
    request.session[DEVICE] = device
    response.set_cookie(
        DEVICE,
        device,
        max_age=_KEPT_FOR,
        httponly=True,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )
    return device
