"""Telling devices what to do, and what waits for a second person."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from pupitre.devices import wording as words
from pupitre.devices.actions import commands as actions
from pupitre.devices.queries import device as queries
from pupitre.devices.rules import CARES, SEES, TWO_PERSONS, Verb
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people.access import actor_of, only
from pupitre.web.pages import render, see

from .device import number
from .tabs import tabs_of

_MOST = 500


def verb_of(request: HttpRequest) -> Verb:
    told = number(request.POST.get("verb", ""))
    if told not in set(Verb):
        raise NotFound
    return Verb(told)


def arguments_of(request: HttpRequest) -> dict[str, Any]:
    return {name: request.POST[name] for name in ("text", "script", "passcode") if request.POST.get(name)}


def lasts_of(request: HttpRequest) -> timedelta | None:
    hours = number(request.POST.get("hours", ""))
    return timedelta(hours=hours) if hours else None


@only(*SEES)
@require_POST
def commands(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """Tell one device something."""
    actor, verb = actor_of(request), verb_of(request)
    queries.access_device(actor, device, today=clock.today(actor.place.time_zone))
    actions.tell_devices(
        actor,
        [device],
        verb,
        arguments_of(request),
        now=clock.now(),
        lasts=lasts_of(request),
        reason=request.POST.get("reason", "").replace("\0", ""),
    )
    say(request, verb, 1)
    return see(request, "device", school=school, device=device)


def say(request: HttpRequest, verb: Verb, devices: int) -> None:
    """What comes of it, for the next page."""
    if verb in TWO_PERSONS:
        messages.info(request, _("Somebody else must agree to this before it is sent."))
        return
    told = ngettext("%(num)s device is told: %(verb)s.", "%(num)s devices are told: %(verb)s.", devices) % {
        "num": devices,
        "verb": words.VERBS[verb],
    }
    messages.success(request, told)


@only(*CARES)
@require_POST
def many(request: HttpRequest, school: str) -> HttpResponse:
    """Tell the devices that were chosen in the list something."""
    chosen = [number(one) for one in request.POST.getlist("device")[:_MOST]]
    if not chosen:
        messages.error(request, _("Choose the devices first."))
        return see(request, "device-list", school=school)
    actor, verb = actor_of(request), verb_of(request)
    queries.access_devices(actor, chosen)
    actions.tell_devices(
        actor,
        chosen,
        verb,
        arguments_of(request),
        now=clock.now(),
        reason=request.POST.get("reason", "").replace("\0", ""),
    )
    say(request, verb, len(chosen))
    return see(request, "device-list", school=school)


@only(*CARES)
@require_POST
def cancellation(request: HttpRequest, school: str, command: int) -> HttpResponse:
    """Take a command back."""
    found = actions.cancel_command(actor_of(request), command, now=clock.now())
    messages.success(request, _("The command is taken back."))
    return see(request, "device", school=school, device=found.device_id)


@only(*CARES)
@require_POST
def repetition(request: HttpRequest, school: str, command: int) -> HttpResponse:
    """Tell it once more."""
    actor = actor_of(request)
    found = queries.access_command(actor, command)
    actions.repeat_command(actor, command, now=clock.now())
    say(request, Verb(found.verb), 1)
    return see(request, "device", school=school, device=found.device_id)


@only(*CARES)
@require_safe
def proposals(request: HttpRequest, school: str) -> HttpResponse:
    """What waits for a second person."""
    actor = actor_of(request)
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, ""),
        "proposals": queries.proposals_for(actor),
        "words": words,
        "zone": actor.place.time_zone,
    }
    return render(request, "devices/proposals.html", context)


@only(*CARES)
@require_POST
def decision(request: HttpRequest, school: str, batch: UUID) -> HttpResponse:
    """Agree as the second person, or not."""
    actor, now = actor_of(request), clock.now()
    if request.POST.get("do") == "approve":
        devices = actions.approve_batch(actor, batch, now=now)
        told = ngettext("%(num)s device will do it.", "%(num)s devices will do it.", devices)
        messages.success(request, told % {"num": devices})
    else:
        actions.reject_batch(actor, batch, now=now)
        messages.success(request, _("Nothing of it is done."))
    return see(request, "device-proposals", school=school)
