"""What the product has told somebody, over all her schools, and how she wants to be told."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.messaging import queries
from pupitre.messaging.actions import deliveries
from pupitre.messaging.actions import notifications as actions
from pupitre.people import queries as people
from pupitre.people.access import actor_of, name_device, signed_in
from pupitre.web.middleware import json_of
from pupitre.web.pages import render, see

_PAGE = 40


@signed_in
@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """The lines behind the bell, the new ones by day, and the choice of channels."""
    actor = actor_of(request)
    only_new = request.GET.get("show") == "new"
    at = max(_number(request.GET.get("page")), 1)
    lines = queries.lines_for(actor, only_new=only_new, limit=_PAGE + 1, offset=(at - 1) * _PAGE)
    context = {
        "lines": lines[:_PAGE],
        "older": at + 1 if len(lines) > _PAGE else 0,
        "newer": at - 1,
        "only_new": only_new,
        "new": sum(line.is_new for line in lines),
        "many_schools": len({line.school for line in lines}) > 1,
        "channels": queries.channels_of(actor),
        "email": people.own_address(actor),
        "push_key": deliveries.public_key(),
    }
    return render(request, "messaging/notifications.html", context)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else 0


@signed_in
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    actions.mark_read(actor_of(request), now=clock.now())
    return see(request, "notifications")


@signed_in
@require_POST
def read_one(request: HttpRequest, notification: int) -> HttpResponse:
    """A line was opened: it is read, and the reader goes to what it is about."""
    actor = actor_of(request)
    actions.mark_read(actor, notification_id=notification, now=clock.now())
    line = queries.find_line(actor, notification)
    if line is None:
        raise NotFound
    answer = redirect(line.url or "notifications")
    answer.status_code = 303
    return answer


@signed_in
@require_POST
def channels(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.POST.get(name) == "on" for name in ("by_email", "by_push")}
    actions.choose_channels(actor_of(request), **chosen)
    messages.success(request, _("Saved. The bell always tells you."))
    return see(request, "notifications")


@signed_in
@require_POST
def browsers(request: HttpRequest) -> HttpResponse:
    """A browser subscribes to web push (its subscription as JSON), or takes it back (`{"forget": endpoint}`)."""
    told, actor = json_of(request), actor_of(request)
    if not isinstance(told, dict):
        raise NotFound
    if endpoint := told.get("forget"):
        actions.forget_browser(actor, endpoint=str(endpoint))
        return JsonResponse({"subscribed": False})
    keys = told.get("keys")
    keys = keys if isinstance(keys, dict) else {}
    answer = JsonResponse({"subscribed": True}, status=201)
    actions.subscribe_browser(
        actor,
        endpoint=str(told.get("endpoint", "")),
        p256dh=str(keys.get("p256dh", "")),
        auth=str(keys.get("auth", "")),
        device=name_device(request, answer),
        now=clock.now(),
    )
    return answer
