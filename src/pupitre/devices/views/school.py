"""A school's fleet: how it stands, the list with its filters, saved views, and the list to take along."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pupitre.connections.paging import cursor_of, key_of
from pupitre.courses import queries as courses
from pupitre.devices import wording as words
from pupitre.devices import workbook as exporting
from pupitre.devices.actions import keeping
from pupitre.devices.queries import fleet
from pupitre.devices.queries.figures import Figures, figures_for
from pupitre.devices.rules import CARES, Condition, Platform, Standing
from pupitre.devices.rules.fleet import Compliance, Search, Seen, Wear, search_of
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.access import actor_of, only
from pupitre.people.rules import Actor, LookAt
from pupitre.web.pages import is_fragment, render, see

from .tabs import tabs_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Versions and models beside one another in a chart.
_MOST_BARS = 8


@only(*CARES)
@require_safe
def overview(request: HttpRequest, school: str) -> HttpResponse:
    """How the fleet stands at this moment, and what needs somebody."""
    actor = actor_of(request)
    figures = figures_for(actor, today=clock.now().date())
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "devices"),
        "figures": figures,
        "in_use": figures.of("standing", Standing.ENROLLED.value),
        "seen_today": figures.of("seen", Seen.TODAY),
        "charts": charts_of(figures),
        "todo": _todo(figures, school),
        "is_empty": not figures.devices and not figures.counts.get("standing"),
    }
    return render(request, "devices/overview.html", context)


def charts_of(figures: Figures) -> list[dict[str, Any]]:
    """Title, note and bars (label, number) of each chart that has anything to show."""
    charts = [
        (_("Last seen"), _("devices in use"), _bars(figures, "seen", words.SEEN)),
        (_("Policies"), _("devices in use"), _bars(figures, "compliance", words.COMPLIANCE)),
        (_("Condition"), "", _bars(figures, "condition", words.CONDITIONS)),
        (
            _("Battery"),
            _("what it holds of what it held when it was new"),
            _bars(figures, "wear", words.WEAR),
        ),
        (_("Systems"), "", _bars(figures, "platform", words.PLATFORMS)),
        (_("Versions"), _("the most frequent"), _versions(figures)),
        (_("Models"), _("the most frequent"), _most(figures.counts.get("model", {}))),
    ]
    return [{"title": title, "note": note, "bars": bars} for title, note, bars in charts if bars]


def _bars(figures: Figures, kind: str, names: words.Words) -> list[tuple[str, int]]:
    found = figures.counts.get(kind, {})
    pairs = [(str(name), int(found.get(_key(key), 0))) for key, name in names.items()]
    return [pair for pair in pairs if pair[1]]


def _key(key: Any) -> str:
    return str(int(key)) if isinstance(key, int) else str(key)


def _versions(figures: Figures) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for key, number in figures.counts.get("os", {}).items():
        platform, _colon, version = key.partition(":")
        known = platform.isdecimal() and int(platform) in set(Platform)
        name = str(words.PLATFORMS[Platform(int(platform))]) if known else ""
        shown = version if version.lower().startswith(name.lower()) else f"{name} {version}"
        found[shown] = found.get(shown, 0) + int(number)
    return _most(found)


def _most(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(((key, int(number)) for key, number in found.items()), key=lambda one: -one[1])[:_MOST_BARS]


def _todo(figures: Figures, school: str) -> list[dict[str, Any]]:
    """What somebody should look at, with the way there."""
    waiting = figures.of("standing", Standing.WAITING.value)
    proposals, incidents = (int(figures.counts.get(kind, 0)) for kind in ("proposals", "incidents"))
    lines = [
        (_("Waiting for approval"), waiting, f"/s/{school}/devices/waiting", "user-check"),
        (_("Waiting for a second person"), proposals, f"/s/{school}/devices/proposals", "users"),
        (_("Open incidents"), incidents, "", "triangle-alert"),
        _line(_("Something is missing"), figures, "compliance", Compliance.NO, school, "circle-x"),
        _line(_("Not seen for more than a month"), figures, "seen", Seen.LONGER, school, "eye-off"),
        _line(_("Batteries below 60 %"), figures, "wear", Wear.SPENT, school, "battery-low"),
        _line(_("Broken"), figures, "condition", Condition.BROKEN, school, "wrench"),
    ]
    return [
        {"label": label, "number": number, "href": href, "icon": icon}
        for label, number, href, icon in lines
        if number
    ]


def _line(
    label: str, figures: Figures, kind: str, value: Any, school: str, icon: str
) -> tuple[str, int, str, str]:
    query = Search(**{kind: value}).query()
    return label, figures.of(kind, _key(value)), f"/s/{school}/devices/list?{urlencode(query)}", icon


# -- the list ---------------------------------------------------------------------------------------------------------


@only(*CARES)
@require_safe
def devices(request: HttpRequest, school: str) -> HttpResponse:
    """The school's devices, searched and narrowed. htmx asks for the block `results` while one types."""
    actor, asked = actor_of(request), request.GET
    search, order = search_of(asked), _order(asked.get("order", ""))
    today = clock.now().date()
    after = key_of(asked.get("after") or None, str, int)
    part = fleet.devices_for(actor, search, today=today, order=order, after=after)
    query = urlencode({**search.query(), **({"order": order} if order is not fleet.Order.LABEL else {})})
    context = {
        "school": school,
        "search": search,
        "order": order,
        "lines": part.lines,
        "found": fleet.count_for(actor, search, today=today),
        "is_first": after is None,
        "query": query,
        "next": f"?{query}{'&' if query else ''}after={cursor_of(part.following)}" if part.following else "",
        "words": words,
        "verbs": [(verb.value, words.VERBS[verb]) for verb in words.OFFERED if verb.name != "RUN_SCRIPT"],
        "zone": actor.place.time_zone,
    }
    if is_fragment(request):
        return render(request, "devices/list.html", context, block="results")
    context |= {"tabs_of_page": tabs_of(school, "device-list"), **_filters(actor, search)}
    return render(request, "devices/list.html", context)


def _order(told: str) -> fleet.Order:
    return fleet.Order(told) if told in set(map(str, fleet.Order)) else fleet.Order.LABEL


def _filters(actor: Actor, search: Search) -> dict[str, Any]:
    models, versions = fleet.choices_for(actor)
    today = clock.today(actor.place.time_zone)
    homerooms = [(str(one.id), one.title) for one in courses.classes_for(actor, today=today)]
    every = _("All")
    return {
        "standings": words.options(words.STANDINGS, _("All in use or to come")),
        "conditions": words.options(words.CONDITIONS, every),
        "platforms": words.options(words.PLATFORMS, every),
        "seens": words.options(words.SEEN, every),
        "compliances": words.options(words.COMPLIANCE, every),
        "wears": words.options(words.WEAR, every),
        "helds": words.options(words.HELD, every),
        "classes": [("", every), *homerooms],
        "models": [("", every), *((one, one) for one in models)],
        "versions": [("", every), *((one, one) for one in versions)],
        "orders": [(fleet.Order.LABEL, _("Number")), (fleet.Order.SEEN, _("Longest not seen"))],
        "views": fleet.views_for(actor),
        "is_narrow": not narrowed_by_words_only(search),
    }


def narrowed_by_words_only(search: Search) -> bool:
    """Whether the further filters may stay folded."""
    return not (set(search.query()) - {"q", "standing", "class", "school"})


# -- saved views ------------------------------------------------------------------------------------------------------


@only(*CARES)
@require_POST
def views(request: HttpRequest, school: str) -> HttpResponse:
    """Keep the search that one looks at."""
    query = urlencode(search_of(_told(request)).query())
    keeping.keep_view(
        actor_of(request),
        name=request.POST.get("name", ""),
        query=query,
        is_shared=bool(request.POST.get("shared")),
    )
    messages.success(request, _("The view is kept."))
    answer = see(request, "device-list", school=school)
    answer.headers["Location"] = f"{answer.headers.get('Location', '')}?{query}"
    return answer


def _told(request: HttpRequest) -> Any:
    return QueryDict(request.POST.get("query", "")[:500])


@only(*CARES)
@require_POST
def view_removal(request: HttpRequest, school: str, view: int) -> HttpResponse:
    """Forget a view of one's own."""
    keeping.drop_view(actor_of(request), view)
    messages.success(request, _("The view is forgotten."))
    return see(request, "device-list", school=school)


# -- to take along ----------------------------------------------------------------------------------------------------

#: More than any school has.
_MOST_EXPORTED = 20_000


@only(*CARES)
@require_safe
def export_csv(request: HttpRequest, school: str) -> HttpResponse:
    """The devices that the search finds, as CSV. Each holder in it is a look that is kept."""
    name, lines = _exported(request, school)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(exporting.csv_of(lines), content_type="text/csv; charset=utf-8", headers=headers)


@only(*CARES)
@require_safe
def export_xlsx(request: HttpRequest, school: str) -> HttpResponse:
    """The same as a workbook."""
    name, lines = _exported(request, school)
    headers = {"Content-Disposition": f'attachment; filename="{name}.xlsx"'}
    return HttpResponse(exporting.workbook_of(lines), content_type=XLSX, headers=headers)


def _exported(request: HttpRequest, school: str) -> tuple[str, list[list[exporting.Cell]]]:
    actor, now = actor_of(request), clock.now()
    found = fleet.devices_for(actor, search_of(request.GET), today=now.date(), limit=_MOST_EXPORTED)
    people.note_looks(
        actor,
        [one.holder_id for one in found.lines if one.holder_id is not None],
        LookAt.EXPORT,
        now=now,
        reason=_("List of devices"),
    )
    today = clock.today(actor.place.time_zone).isoformat()
    return f"devices-{school}-{today}", exporting.rows_of(found.lines, actor.place.time_zone)
