"""The authority's fleet: schools in figures, devices by search, one device without anybody's name."""

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from pupitre.connections.paging import cursor_of, key_of
from pupitre.devices import wording as words
from pupitre.devices import workbook
from pupitre.devices.actions import fleet as actions
from pupitre.devices.actions import keeping
from pupitre.devices.queries import authority as queries
from pupitre.devices.queries import device as own
from pupitre.devices.rules import Standing
from pupitre.devices.rules.fleet import Seen, delegated, search_of
from pupitre.kernel import clock
from pupitre.people.access import actor_of, manages_fleet
from pupitre.people.rules import Actor
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.web.pages import is_fragment, render, see

from .commands import arguments_of, say, verb_of
from .device import number
from .school import charts_of, narrowed_by_words_only
from .tabs import authority_tabs_of

_LONGEST = 100
#: So many rows are read in one transaction of an export.
_CHUNK = 2000


@manages_fleet
@require_safe
def overview(request: HttpRequest, authority: str) -> HttpResponse:
    """All schools by what was counted of their devices."""
    words_asked = request.GET.get("q", "").replace("\0", "").strip()[:_LONGEST]
    told = request.GET.get("order", "")
    order = (
        queries.SchoolOrder(told)
        if told in set(map(str, queries.SchoolOrder))
        else queries.SchoolOrder.DEVICES
    )
    page = request.GET.get("page", "")
    place = int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 5 else 1
    fleet = queries.fleet_for(actor_of(request), order=order, words=words_asked, page=max(1, place))
    query = {
        name: value
        for name, value in (("q", words_asked), ("order", order))
        if value not in ("", queries.SchoolOrder.DEVICES)
    }
    context = {
        "authority": authority,
        "fleet": fleet,
        "page": Paginator(range(fleet.found), queries.SCHOOLS_SHOWN).get_page(max(1, place)),
        "words": words_asked,
        "order": order,
        "orders": _orders(),
        "query": f"&{urlencode(query)}" if query else "",
        "columns": [(one, label) for one, label in _columns() if one is not queries.SchoolOrder.NAME],
    }
    if is_fragment(request):
        return render(request, "devices/fleet.html", context, block="results")
    context |= {
        "tabs_of_page": authority_tabs_of(authority, "fleet"),
        "charts": charts_of(fleet.total),
        "in_use": fleet.total.of("standing", Standing.ENROLLED.value),
        "seen_today": fleet.total.of("seen", Seen.TODAY),
        "missing": fleet.total.of("compliance", "no"),
        "waiting": fleet.total.of("standing", Standing.WAITING.value),
    }
    return render(request, "devices/fleet.html", context)


def _columns() -> list[tuple[queries.SchoolOrder, str]]:
    return [
        (queries.SchoolOrder.DEVICES, _("Devices")),
        (queries.SchoolOrder.MISSING, _("Something is missing")),
        (queries.SchoolOrder.UNSEEN, _("Not seen for more than a month")),
        (queries.SchoolOrder.WAITING, _("Waiting for approval")),
        (queries.SchoolOrder.BROKEN, _("Broken or away")),
        (queries.SchoolOrder.NAME, _("Name")),
    ]


def _orders() -> list[tuple[str, str]]:
    return [(one.value, label) for one, label in _columns()]


@manages_fleet
@require_safe
def devices(request: HttpRequest, authority: str) -> HttpResponse:
    """Devices of all schools, searched by the beginning of a serial, tag or number, and narrowed."""
    actor, search = actor_of(request), search_of(request.GET)
    key = key_of(request.GET.get("after") or None, int)
    part = queries.fleet_devices(actor, search, today=clock.now().date(), after=key[0] if key else None)
    query = urlencode(search.query())
    behind = cursor_of([part.following]) if part.following is not None else ""
    context = {
        "authority": authority,
        "search": search,
        "lines": part.lines,
        "is_first": key is None,
        "query": query,
        "next": f"?{query}{'&' if query else ''}after={behind}" if behind else "",
        "words": words,
        "verbs": [(verb.value, words.VERBS[verb]) for verb in words.OFFERED if verb.name != "RUN_SCRIPT"],
        "zone": tenancy.access_authority(actor.authority_id).time_zone,
    }
    if is_fragment(request):
        return render(request, "devices/fleet_devices.html", context, block="results")
    context |= {"tabs_of_page": authority_tabs_of(authority, "fleet-devices"), **_filters(actor, search)}
    return render(request, "devices/fleet_devices.html", context)


def _filters(actor: Actor, search: Any) -> dict[str, Any]:
    every, total = _("All"), queries.fleet_for(actor).total
    return {
        "standings": words.options(words.STANDINGS, _("All in use or to come")),
        "conditions": words.options(words.CONDITIONS, every),
        "platforms": words.options(words.PLATFORMS, every),
        "seens": words.options(words.SEEN, every),
        "compliances": words.options(words.COMPLIANCE, every),
        "wears": words.options(words.WEAR, every),
        "helds": words.options(words.HELD, every),
        "schools": [("", every), *((str(key), name) for key, name in queries.schools_of(actor))],
        "models": [("", every), *((one, one) for one in queries.frequent(total, "model"))],
        "versions": [("", every), *((one, one) for one in queries.frequent(total, "os"))],
        "views": queries.authority_views_for(actor),
        "is_narrow": not narrowed_by_words_only(search),
    }


@manages_fleet
@require_safe
def device(request: HttpRequest, authority: str, device: int) -> HttpResponse:
    """One device, without who has it: what it is, reported and was told."""
    actor = actor_of(request)
    found = queries.access_fleet_device(actor, device)
    school = tenancy.school_by_id(found.school_id)
    with scope(school.id, account=actor.account_id):
        row = own.access_devices(delegated(actor, school), [device])[0]
        status, inventory, commands = own.status_of(row), own.inventory_of(row), own.commands_of(row)
    context = {
        "authority": authority,
        "tabs_of_page": authority_tabs_of(authority, "fleet-devices"),
        "device": found,
        "school": school,
        "status": status,
        "inventory": sorted(inventory.applications.items()) if inventory else [],
        "hardware": sorted((inventory.hardware if inventory else {}).items()),
        "commands": commands,
        "words": words,
        "zone": school.time_zone,
        "verbs": list(words.OFFERED) if found.standing == Standing.ENROLLED else [],
    }
    return render(request, "devices/fleet_device.html", context)


@manages_fleet
@require_POST
def commands(request: HttpRequest, authority: str) -> HttpResponse:
    """Tell the devices that were chosen something, or all that the search finds."""
    actor, verb = actor_of(request), verb_of(request)
    reason, now = request.POST.get("reason", "").replace("\0", ""), clock.now()
    chosen = [number(one) for one in request.POST.getlist("device")[:500]]
    if request.POST.get("all"):
        search = search_of(QueryDict(request.POST.get("query", "")[:500]))
        many = actions.tell_search(actor, search, verb, arguments_of(request), reason=reason)
        told = ngettext(
            "The devices of %(num)s school are being told.",
            "The devices of %(num)s schools are being told.",
            many,
        )
        messages.success(request, told % {"num": many})
    elif chosen:
        actions.tell_fleet(actor, chosen, verb, arguments_of(request), now=now, reason=reason)
        say(request, verb, len(chosen))
    else:
        messages.error(request, _("Choose the devices first."))
    if len(chosen) == 1 and request.POST.get("back") == "device":
        return see(request, "fleet-device", authority=authority, device=chosen[0])
    return see(request, "fleet-devices", authority=authority)


# -- saved views, export ----------------------------------------------------------------------------------------------


@manages_fleet
@require_POST
def views(request: HttpRequest, authority: str) -> HttpResponse:
    """Keep the search that one looks at."""
    query = urlencode(search_of(QueryDict(request.POST.get("query", "")[:500])).query())
    keeping.keep_authority_view(actor_of(request), name=request.POST.get("name", ""), query=query)
    messages.success(request, _("The view is kept."))
    return see(request, "fleet-devices", authority=authority)


@manages_fleet
@require_POST
def view_removal(request: HttpRequest, authority: str, view: int) -> HttpResponse:
    """Forget a view."""
    keeping.drop_authority_view(actor_of(request), view)
    messages.success(request, _("The view is forgotten."))
    return see(request, "fleet-devices", authority=authority)


@manages_fleet
@require_safe
def export(request: HttpRequest, authority: str) -> HttpResponse:
    """What the search finds, as CSV, sent as it is read: half a million lines fit into no memory at once."""
    search, actor = search_of(request.GET), actor_of(request)
    name = f"fleet-{authority}-{clock.now().date().isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    answer: Any = StreamingHttpResponse(
        _lines(actor, search), content_type="text/csv; charset=utf-8", headers=headers
    )
    streamed: HttpResponse = answer
    return streamed


class _Echo:
    """What the csv module writes into, and what it wrote is handed on."""

    def write(self, line: str) -> str:
        return line


def _lines(actor: Actor, search: Any) -> Iterator[str]:
    """A stream is read when the view's transaction is over: each part opens its own scope."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(workbook.fleet_head())
    after, today = None, clock.now().date()
    while True:
        with scope(0, account=actor.account_id, authority=actor.authority_id):
            part = queries.fleet_devices(actor, search, today=today, after=after, limit=_CHUNK)
        yield "".join(writer.writerow(cells) for cells in workbook.fleet_rows(part.lines))
        after = part.following
        if after is None:
            return
