"""A class's devices, for its teacher in her hour and for who cares for the devices."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from pupitre.devices import wording as words
from pupitre.devices.actions import commands as actions
from pupitre.devices.queries import fleet
from pupitre.devices.rules import CARES, SEES
from pupitre.kernel import clock
from pupitre.people.access import actor_of, only
from pupitre.web.pages import render, see

from .commands import arguments_of, verb_of
from .tabs import tabs_of


@only(*SEES)
@require_safe
def classes(request: HttpRequest, school: str) -> HttpResponse:
    """The classes that have devices: a teacher's own, or all."""
    actor, now = actor_of(request), clock.now()
    cares = actor.is_any(CARES)
    found = fleet.classes_with_devices(actor, today=clock.today(actor.place.time_zone))
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-classes") if cares else [],
        "classes": found,
        "now": fleet.classes_taught_now(actor, now=now) if actor.person_id else {},
        "cares": cares,
    }
    return render(request, "devices/classes.html", context)


@only(*SEES)
@require_http_methods(["GET", "HEAD", "POST"])
def klass(request: HttpRequest, school: str, klass: int) -> HttpResponse:
    """The devices of one class; POST tells them all something, which a teacher may while she stands before it."""
    actor, now = actor_of(request), clock.now()
    today = clock.today(actor.place.time_zone)
    found, lines = fleet.access_class_devices(actor, klass, today=today)
    if request.method == "POST":
        verb = verb_of(request)
        actions.tell_class(actor, klass, verb, arguments_of(request), now=now)
        messages.success(
            request, _("The devices of the class are told: %(verb)s.") % {"verb": words.VERBS[verb]}
        )
        return see(request, "device-class", school=school, klass=klass)
    until = fleet.classes_taught_now(actor, now=now).get(klass) if actor.person_id else None
    cares = actor.is_any(CARES)
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-classes") if cares else [],
        "klass": found,
        "lines": lines,
        "words": words,
        "zone": actor.place.time_zone,
        "until": until,
        "verbs": [verb for verb in words.TEACHERS if verb.name != "MESSAGE"] if cares or until else [],
        "cares": cares,
    }
    return render(request, "devices/class.html", context)
