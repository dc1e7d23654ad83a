"""How devices come in: tickets with their codes, who came by them, and who waits to be known."""

import io
import json
from datetime import timedelta
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from pupitre.courses import queries as courses
from pupitre.devices import wording as words
from pupitre.devices.actions import enrolling
from pupitre.devices.queries import tickets as queries
from pupitre.devices.rules import CARES, Platform, Standing
from pupitre.devices.rules.downloads import DOWNLOADS, sign_download
from pupitre.devices.rules.headwind.enrolling import Agent, Network, provisioning
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.kernel.signing import derived
from pupitre.people.access import actor_of, only
from pupitre.people.rules import Actor
from pupitre.web.middleware import told as told_error
from pupitre.web.pages import render, see

from .device import number
from .tabs import tabs_of


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def tickets(request: HttpRequest, school: str) -> HttpResponse:
    """The tickets, and the form for a new one."""
    actor, problem = actor_of(request), ""
    if request.method == "POST":
        try:
            made = _made(request, actor)
            return see(request, "device-ticket", school=school, ticket=made.pk)
        except DomainError as error:
            problem = told_error(error)
    now = clock.now()
    lines = queries.tickets_for(actor)
    classes = courses.classes_for(actor, today=clock.today(actor.place.time_zone))
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-enrolment"),
        "open": [one for one in lines if one.is_open(now)],
        "ended": [one for one in lines if not one.is_open(now)],
        "waiting": len(queries.waiting_for(actor)),
        "classes": [("", _("No class")), *((str(one.id), one.title) for one in classes)],
        "platforms": words.options(words.PLATFORMS, _("Any system")),
        "lasting": [("1", _("One day")), ("7", _("One week")), ("30", _("One month"))],
        "words": words,
        "zone": actor.place.time_zone,
        "problem": problem,
        "preset": request.GET.get("class", ""),
    }
    return render(request, "devices/enrolment.html", context, status=422 if problem else 200)


def _made(request: HttpRequest, actor: Actor) -> Any:
    told = request.POST
    platform = number(told.get("platform", ""))
    return enrolling.make_ticket(
        actor,
        now=clock.now(),
        class_id=number(told.get("class", "")) or None,
        platform=Platform(platform) if platform in set(Platform) else None,
        label=told.get("label", "").replace("\0", ""),
        admits_unknown=bool(told.get("admits_unknown")),
        uses=number(told.get("uses", "")) or 40,
        lasts=timedelta(days=number(told.get("days", "")) or 7),
    )


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def ticket(request: HttpRequest, school: str, ticket: int) -> HttpResponse:
    """A ticket with its code and QR code while it is open, and who came in by it. Fit to be printed.

    POST draws the school's Wi-Fi into it and changes nothing: a password in an address would stand in logs and histories.
    """
    actor, now = actor_of(request), clock.now()
    row = queries.access_ticket(actor, ticket)
    came = queries.came_by(row)
    line = queries.ticket_line(row, len(came))
    code = enrolling.code_shown(row) if line.is_open(now) else ""
    qr, lacks_agent = _tablets(row, code, request) if code else ("", False)
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-enrolment"),
        "ticket": line,
        "is_open": line.is_open(now),
        "code": code,
        "server": settings.CONFIG.gateway_url,
        "qr": qr,
        "lacks_agent": lacks_agent,
        "for_tablets": line.platform in (None, Platform.ANDROID),
        "for_computers": line.platform in (None, Platform.LINUX, Platform.WINDOWS),
        "came": came,
        "standings": {standing.value: words.STANDINGS[standing] for standing in Standing},
        "words": words,
        "zone": actor.place.time_zone,
        "network": {"ssid": request.POST.get("ssid", ""), "password": request.POST.get("password", "")},
    }
    answer = render(request, "devices/ticket.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _tablets(row: Any, code: str, request: HttpRequest) -> tuple[str, bool]:
    """The QR code that a new tablet reads, and whether the catalogue lacks the agent's package."""
    found = queries.launcher_for(actor_of(request))
    if found is None:
        return "", True
    ssid = request.POST.get("ssid", "").strip()[:32]
    network = Network(ssid, request.POST.get("password", "")[:63]) if ssid else None
    told = provisioning(
        server=settings.CONFIG.gateway_url,
        code=code,
        agent=Agent(_address(found, row), found.sha256),
        network=network,
    )
    return _qr(json.dumps(told, separators=(",", ":"))), False


def _address(found: queries.Launcher, row: Any) -> str:
    """Of our own file for as long as the ticket is open."""
    if found.url:
        return found.url
    secret = derived(settings.SECRET_KEY, DOWNLOADS)
    path = sign_download(secret, found.file_key, found.sha256, row.expires_at, name=found.file_name)
    return f"{settings.CONFIG.gateway_url.rstrip('/')}{path}"


def _qr(text: str) -> SafeString:
    out = io.BytesIO()
    segno.make(text, error="l", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, border=4, omitsize=True, svgclass="qr", lineclass=None
    )
    return mark_safe(out.getvalue().decode())  # noqa: S308 - drawn by segno from modules, no text in it


@only(*CARES)
@require_POST
def revocation(request: HttpRequest, school: str, ticket: int) -> HttpResponse:
    """Let nothing come in by it any more."""
    enrolling.revoke_ticket(actor_of(request), ticket, now=clock.now())
    messages.success(request, _("Nothing comes in by this code any more."))
    return see(request, "device-enrolment", school=school)


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def waiting(request: HttpRequest, school: str) -> HttpResponse:
    """Devices that came by themselves; POST lets the chosen ones in or turns them away."""
    actor = actor_of(request)
    if request.method == "POST":
        _decide(request, actor)
        return see(request, "devices-waiting", school=school)
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-enrolment"),
        "waiting": queries.waiting_for(actor),
        "platforms": {platform.value: words.PLATFORMS[platform] for platform in Platform},
        "zone": actor.place.time_zone,
    }
    return render(request, "devices/waiting.html", context)


def _decide(request: HttpRequest, actor: Actor) -> None:
    chosen = [number(one) for one in request.POST.getlist("device")]
    do = request.POST.get("do")
    if not chosen:
        messages.error(request, _("Choose the devices first."))
    elif do == "approve":
        many = enrolling.approve_devices(actor, chosen, now=clock.now())
        told = ngettext("%(num)s device is let in.", "%(num)s devices are let in.", many)
        messages.success(request, told % {"num": many})
    elif do == "refuse":
        many = enrolling.refuse_devices(actor, chosen, now=clock.now())
        told = ngettext("%(num)s device is turned away.", "%(num)s devices are turned away.", many)
        messages.success(request, told % {"num": many})
    else:
        raise NotFound
