"""Lists of devices that were bought: chosen, looked at line by line, taken in."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from pupitre.devices import wording as words
from pupitre.devices.actions import intake as actions
from pupitre.devices.queries import tickets as queries
from pupitre.devices.rules import CARES, Platform
from pupitre.devices.rules import intake as rules
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of, only
from pupitre.people.rules import Actor
from pupitre.web.middleware import told as told_error
from pupitre.web.pages import render, see

from .device import number
from .tabs import tabs_of

#: Lines of a preview; what is wrong comes first.
_SHOWN = 200


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def deliveries(request: HttpRequest, school: str) -> HttpResponse:
    """What was taken in so far, and the form for the next list. POST shows what would become of it."""
    actor, problem = actor_of(request), ""
    if request.method == "POST":
        try:
            return _preview(request, school, actor)
        except DomainError as error:
            problem = told_error(error)
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-deliveries"),
        "deliveries": queries.deliveries_for(actor),
        "platforms": [(str(one.value), words.PLATFORMS[one]) for one in Platform],
        "columns": [str(word) for word in words.COLUMNS.values()],
        "zone": actor.place.time_zone,
        "problem": problem,
    }
    return render(request, "devices/deliveries.html", context, status=422 if problem else 200)


def _preview(request: HttpRequest, school: str, actor: Actor) -> HttpResponse:
    upload = request.FILES.get("file")
    if upload is None:
        raise rules.UnreadableList
    if (upload.size or 0) > rules.MOST_BYTES:
        raise rules.TooManyDevices
    platform = _platform(request)
    name = str(upload.name or "").replace("\0", "")
    found = rules.read_list(name, upload.read())
    today = clock.today(actor.place.time_zone)
    intake = actions.judged(actor, found, platform=platform, today=today)
    lines = sorted(intake.lines, key=lambda one: (not any(f.forbids for f in one.findings), not one.findings))
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-deliveries"),
        "intake": intake,
        "lines": [_line(one) for one in lines[:_SHOWN]],
        "hidden": max(0, len(lines) - _SHOWN),
        "columns": [(words.COLUMNS[column], heading) for column, heading in intake.columns.items()],
        "sealed": "" if intake.errors else actions.seal(actor, found, platform=platform),
        "name": name.rpartition(".")[0],
        "file_name": name,
    }
    answer = render(request, "devices/intake.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _platform(request: HttpRequest) -> Platform:
    told = number(request.POST.get("platform", ""))
    return Platform(told) if told in set(Platform) else Platform.ANDROID


def _line(one: actions.Line) -> dict[str, Any]:
    listed = one.listed
    state, tone = (_("Known already"), "") if one.device_id else (_("New"), "good")
    if one.device_id and one.is_changed:
        state, tone = _("Brought up to date"), "info"
    if any(finding.forbids for finding in one.findings):
        state, tone = _("Error"), "bad"
    return {
        "line": listed.line,
        "serial": listed.serial or listed.imei or "—",
        "tag": listed.asset_tag,
        "what": " ".join(filter(None, (listed.maker, listed.model))) or listed.name,
        "platform": words.PLATFORMS.get(listed.platform, ""),
        "person": one.person,
        "klass": listed.klass if one.class_id else "",
        "state": state,
        "tone": tone,
        "findings": [(words.TROUBLES[finding.trouble], finding.value) for finding in one.findings],
    }


@only(*CARES)
@require_POST
def confirmation(request: HttpRequest, school: str) -> HttpResponse:
    """Take the list in that was looked at."""
    actor, told = actor_of(request), request.POST
    found, platform = actions.unseal(actor, told.get("sealed", ""))
    delivery, intake = actions.take_in(
        actor,
        found,
        platform=platform,
        today=clock.today(actor.place.time_zone),
        now=clock.now(),
        name=told.get("name", "").replace("\0", ""),
        file_name=told.get("file_name", "").replace("\0", ""),
        supplier=told.get("supplier", "").replace("\0", ""),
        delivered_on=_day(told.get("delivered_on", "")),
        warranty_until=_day(told.get("warranty_until", "")),
    )
    if delivery is None:
        messages.info(request, _("All of these devices are known already. Nothing has changed."))
    else:
        new = ngettext("%(num)s device is new.", "%(num)s devices are new.", intake.new) % {"num": intake.new}
        messages.success(request, _("The list is taken in.") + " " + new)
    return see(request, "device-deliveries", school=school)


def _day(told: str) -> date | None:
    try:
        return date.fromisoformat(told.strip()) if told.strip() else None
    except ValueError:
        return None
