"""The authority: its schools side by side, in figures."""

from datetime import date
from math import ceil
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from markupsafe import Markup

from pupitre.attendance.rules.telling import SMALLEST
from pupitre.kernel import clock
from pupitre.people.access import actor_of, inspects
from pupitre.reports import workbook as workbooks
from pupitre.reports.queries.authority import SHOWN, AuthorityFigures, Order, figures_of, sheets_of
from pupitre.reports.rules import Count
from pupitre.reports.views.home import remembered
from pupitre.web.jinja import dated, number
from pupitre.web.pages import is_fragment, render

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_WORDS = 100


@inspects
@require_GET
def overview(request: HttpRequest, authority: str) -> HttpResponse:
    """No pupil's name, and no figure that rests on so few that one could be guessed."""
    words = request.GET.get("q", "").strip()[:_LONGEST_WORDS]
    asked = request.GET.get("order", "")
    order = Order(asked) if asked in set(map(str, Order)) else Order.MISSED
    figures = _part(request, order, words)
    told = [(on, count.percent) for on, count in figures.days if count.percent is not None]
    query = {
        name: value for name, value in (("q", words), ("order", order)) if value not in ("", Order.MISSED)
    }
    context = {
        "figures": figures,
        "rows": _rows(figures),
        "page": Paginator(range(figures.found), SHOWN).get_page(request.GET.get("page")),
        "words": words,
        "order": order,
        "orders": _orders(),
        "query": f"&{urlencode(query)}" if query else "",
        "smallest": SMALLEST,
        "labels": [dated(on, "j M") for on, _count in told],
        "series": _series(figures, [on for on, _count in told], [percent for _on, percent in told]),
        "bars": [] if figures.schools > SHOWN else _bars(figures),
    }
    block = "results" if is_fragment(request) else ""
    return remembered(render(request, "reports/authority.html", context, block=block), f"/a/{authority}/")


def _part(request: HttpRequest, order: Order, words: str) -> AuthorityFigures:
    """The part of the schools that is asked for, or the last one where there are not so many."""
    asked, actor, now = request.GET.get("page", ""), actor_of(request), clock.now()
    page = int(asked) if asked.isdecimal() and 0 < len(asked) < 5 else 1
    figures = figures_of(actor, now=now, order=order, words=words, page=max(1, page))
    if page > 1 and not figures.shown and figures.found:
        figures = figures_of(actor, now=now, order=order, words=words, page=ceil(figures.found / SHOWN))
    return figures


def _orders() -> list[tuple[str, str]]:
    return [
        (Order.MISSED, _("Most missed in 30 days")),
        (Order.REGISTERS, _("Most registers lacking today")),
        (Order.NAME, _("Name")),
    ]


def _rows(figures: AuthorityFigures) -> list[dict[str, object]]:
    """The schools ready to be written."""
    hidden = Markup('<span title="{}">&lt; {}</span>').format(_("too few to be told"), SMALLEST)

    def percent(count: Count) -> str:
        told = count.percent
        return f"{number(told, 1)} %" if told is not None else hidden if count.is_hidden else "–"

    return [
        {
            "name": one.name,
            "registers": one.today.registers,
            "expected": one.expected if one.usual else 0,
            "today": percent(one.today.count),
            "window": percent(one.window),
            "lessons": number(one.window.marks) if one.window.marks else "–",
        }
        for one in figures.shown
    ]


def _bars(figures: AuthorityFigures) -> list[tuple[str, float]]:
    told = [(one.name, one.window.percent) for one in figures.shown if one.window.percent is not None]
    return sorted(told, key=lambda bar: -bar[1])


def _series(figures: AuthorityFigures, days: list[date], total: list[float]) -> list[dict[str, object]]:
    """The authority's line, and each school's where there are few schools and each has a figure on every day."""
    lines: list[dict[str, object]] = [{"label": figures.name, "values": total, "hue": 0}]
    for hue, one in enumerate(figures.shown if figures.lines else [], start=1):
        own = figures.lines.get(one.id, {})
        values = [own[on].percent if on in own else None for on in days]
        if values and None not in values:
            lines.append({"label": one.name, "values": values, "hue": hue})
    return lines if len(lines) > 2 else lines[:1]


@inspects
@require_GET
def workbook(request: HttpRequest, authority: str) -> HttpResponse:
    now = clock.now()
    answer = HttpResponse(workbooks.build(sheets_of(actor_of(request), now=now)), content_type=XLSX)
    name = f"{authority}-{now.date().isoformat()}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
