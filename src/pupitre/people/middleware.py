"""Who is asking, and in which school or authority: sets the scope for the whole view and loads the actor."""

import logging
from collections.abc import Callable
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.contrib.auth.views import redirect_to_login
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.web.middleware import error_page
from pupitre.web.views import bad_request

from . import queries, rules, sign_in

Handler = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]

_log = logging.getLogger(__name__)

# A session remembers for so long that the account's second factor was seen. Who gives it up in this session is asked
# again at once, in another one when this has passed.
_SEEN, _SEEN_FOR = "second_factor_seen_at", 300
_GIVES_UP_FACTOR = frozenset({"mfa_deactivate_totp", "mfa_remove_webauthn"})


class ActorMiddleware:
    """Runs every view of a signed-in account in one transaction whose scope is the path's school or authority.

    The scope is opened around the view and not around the handler, so that an exception rolls the transaction back. An
    exception becomes its page only after that, and here: Django asks nobody about exceptions of `process_view`.
    A view marked `open_to_all` is not asked for a sign-in; one that takes `school` still gets that school's scope.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        run = (
            self._in_authority
            if "authority" in kwargs
            else self._in_school
            if "school" in kwargs
            else self._outside
        )
        try:
            return run(request, view, args, kwargs)
        except DomainError as error:
            return error_page(request, error)
        except (DataError, OverflowError):
            # A number, date or text that no column can hold: nobody writes it but by hand into an address or a form.
            _log.warning("an impossible value was asked for", exc_info=True)
            return bad_request(request)
        except (ImmediateHttpResponse, ReauthenticationRequired) as error:
            return sign_in.answer_to(request, error)

    def _in_school(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse:
        is_open = getattr(view, "open_to_all", False)
        if not request.user.is_authenticated and not is_open:
            return redirect_to_login(request.get_full_path())
        school = tenancy.access_school(kwargs["school"])
        with scope(school.id, account=request.user.pk or 0, authority=0):
            actor = rules.Actor(0, school)
            if request.user.is_authenticated:
                actor = queries.actor_in(request.user, school, clock.today(school.time_zone))
            request.actor = actor  # type: ignore[attr-defined]
            if not is_open and (answer := _turned_away(request, actor, is_known=bool(actor.roles))):
                return answer
            return rendered(view(request, *args, **kwargs))

    def _in_authority(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        actor = queries.authority_actor(request.user, kwargs["authority"])
        with scope(0, account=actor.account_id, authority=actor.authority_id):
            request.actor = actor  # type: ignore[attr-defined]
            if answer := _turned_away(request, actor, is_known=bool(actor.authority_roles)):
                return answer
            return rendered(view(request, *args, **kwargs))

    def _outside(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return (
                redirect_to_login(request.get_full_path()) if getattr(view, "signed_in_only", False) else None
            )
        match = request.resolver_match
        if request.method == "POST" and match is not None and match.url_name in _GIVES_UP_FACTOR:
            request.session.pop(_SEEN, None)
        with scope(0, account=request.user.pk):
            request.actor = rules.Actor(request.user.pk, name=str(request.user))  # type: ignore[attr-defined]
            return rendered(view(request, *args, **kwargs))


def _turned_away(request: HttpRequest, actor: rules.Actor, *, is_known: bool) -> HttpResponse | None:
    if not is_known:
        raise NotFound
    if rules.needs_second_factor(actor) and not _has_second_factor(request, actor):
        return redirect("second-factor-needed")
    return None


def _has_second_factor(request: HttpRequest, actor: rules.Actor) -> bool:
    now = clock.now().timestamp()
    if now - request.session.get(_SEEN, 0) < _SEEN_FOR:
        return True
    if not queries.has_second_factor(actor):
        return False
    request.session[_SEEN] = now
    return True


def rendered(response: HttpResponse) -> HttpResponse:
    """A TemplateResponse is rendered while the scope is still set."""
    if hasattr(response, "render") and callable(response.render) and not response.is_rendered:  # type: ignore[attr-defined]
        response = response.render()
    return response
