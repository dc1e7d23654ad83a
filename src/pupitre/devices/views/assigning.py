"""A whole class gets its devices in one act, looked at before."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from pupitre.courses import queries as courses
from pupitre.devices.actions import assigning as actions
from pupitre.devices.rules import CARES
from pupitre.devices.rules.assigning import Mode, Plan, Source
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of, only
from pupitre.people.rules import Actor
from pupitre.web.middleware import told as told_error
from pupitre.web.pages import render, see

from .device import number
from .tabs import tabs_of


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def assignment(request: HttpRequest, school: str) -> HttpResponse:
    """Choose a class and its devices, look at the plan, carry it out."""
    actor, told = actor_of(request), request.POST or request.GET
    source = Source(told["source"]) if told.get("source") in set(map(str, Source)) else Source.FREE
    mode = Mode(told["mode"]) if told.get("mode") in set(map(str, Mode)) else Mode.EACH
    facts: dict[str, Any] = {
        "source": source,
        "mode": mode,
        "from_class_id": number(told.get("from", "")) or None,
        "words": told.get("list", "")[:60_000],
    }
    class_id, plan, problem = number(told.get("class", "")), None, ""
    if class_id:
        try:
            plan = actions.plan_class(actor, class_id, today=clock.today(actor.place.time_zone), **facts)
            if request.method == "POST":
                return _done(request, school, actor, class_id, plan, mode)
        except DomainError as error:
            problem = told_error(error)
    classes = courses.classes_for(actor, today=clock.today(actor.place.time_zone))
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-classes"),
        "classes": [(str(one.id), one.title) for one in classes],
        "class_id": str(class_id or ""),
        "class_title": next((one.title for one in classes if one.id == class_id), ""),
        "from_id": str(facts["from_class_id"] or ""),
        "list": facts["words"],
        "source": source.value,
        "mode": mode.value,
        "sources": [
            (Source.FREE.value, _("Devices that nobody has"), ""),
            (
                Source.CLASS.value,
                _("The devices of another class"),
                _("With a new school year, for instance."),
            ),
            (
                Source.LIST.value,
                _("Those of a list"),
                _("Serial or inventory numbers, in the order of names."),
            ),
        ],
        "modes": [
            (Mode.EACH.value, _("One to each pupil"), _("In the order of numbers and names.")),
            (Mode.SHARED.value, _("To the class as a whole"), _("A trolley, for instance.")),
        ],
        "plan": plan,
        "problem": problem,
    }
    return render(request, "devices/assignment.html", context, status=422 if problem else 200)


def _done(
    request: HttpRequest, school: str, actor: Actor, class_id: int, plan: Plan, mode: Mode
) -> HttpResponse:
    fingerprint = request.POST.get("fingerprint", "")
    many = actions.assign_class(
        actor, class_id, plan=plan, fingerprint=fingerprint, mode=mode, now=clock.now()
    )
    told = ngettext("%(num)s device is given.", "%(num)s devices are given.", many)
    messages.success(request, told % {"num": many})
    return see(request, "device-class", school=school, klass=class_id)
