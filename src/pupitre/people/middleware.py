"""Who is asking, and in which school: sets the scope for the whole view and loads the actor."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from pupitre.kernel import clock
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope

from . import queries, rules

Handler = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]


class ActorMiddleware:
    """Runs every view of a signed-in account in one transaction whose scope is the path's school.

    The scope is opened around the view and not around the handler, so that an exception rolls the transaction back.
    A view marked `open_to_all` is not asked for a sign-in; one that takes `school` still gets that school's scope.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        slug = kwargs.get("school")
        is_open = getattr(view, "open_to_all", False)
        if slug is None:
            return self._outside(request, view, args, kwargs)
        if not request.user.is_authenticated and not is_open:
            return redirect_to_login(request.get_full_path())
        school = tenancy.access_school(slug)
        with scope(school.id, account=request.user.pk or 0, authority=0):
            if request.user.is_authenticated:
                actor = queries.actor_in(request.user, school, clock.today(school.time_zone))
                request.actor = actor  # type: ignore[attr-defined]
                if not is_open and (answer := self._refused(request, actor)):
                    return answer
            return rendered(view(request, *args, **kwargs))

    def _outside(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return (
                redirect_to_login(request.get_full_path()) if getattr(view, "signed_in_only", False) else None
            )
        with scope(0, account=request.user.pk):
            request.actor = rules.Actor(request.user.pk, name=str(request.user))  # type: ignore[attr-defined]
            return rendered(view(request, *args, **kwargs))

    def _refused(self, request: HttpRequest, actor: rules.Actor) -> HttpResponse | None:
        if not actor.roles:
            raise rules.NotFound
        if rules.needs_second_factor(actor) and not queries.has_second_factor(actor):
            return redirect("second-factor-needed")
        return None


def rendered(response: HttpResponse) -> HttpResponse:
    """A TemplateResponse is rendered while the scope is still set."""
    if hasattr(response, "render") and callable(response.render) and not response.is_rendered:  # type: ignore[attr-defined]
        response = response.render()
    return response
