"""The authority: its schools side by side, in figures."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import formats
from django.views.decorators.http import require_GET

from pupitre.kernel import clock
from pupitre.people.access import actor_of, inspects
from pupitre.reports import workbook as workbooks
from pupitre.reports.queries.authority import AuthorityFigures, figures_of
from pupitre.reports.rules import SMALLEST
from pupitre.reports.views.home import remembered
from pupitre.web.pages import render

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: A line chart stays readable with so many schools beside the authority's own line.
MOST_LINES = 3
#: Schools side by side on a page; the sums are those of all.
SHOWN = 30


@inspects
@require_GET
def overview(request: HttpRequest, authority: str) -> HttpResponse:
    """No pupil's name, and no figure that rests on so few that one could be guessed."""
    figures = figures_of(actor_of(request), now=clock.now(), most_with_days=MOST_LINES)
    page = Paginator(figures.schools, SHOWN).get_page(request.GET.get("page"))
    told = [(on, count.percent) for on, count in figures.days if count.percent is not None]
    context = {
        "figures": figures,
        "page": page,
        "smallest": SMALLEST,
        "labels": [formats.date_format(on, "j M") for on, _ in told],
        "series": _series(figures, [on for on, _ in told], [percent for _, percent in told]),
        "bars": sorted(
            ((one.school.name, one.window.percent) for one in page if one.window.percent is not None),
            key=lambda bar: -bar[1],
        ),
    }
    return remembered(render(request, "reports/authority.html", context), f"/a/{authority}/")


def _series(figures: AuthorityFigures, days: list, total: list[float]) -> list[dict[str, object]]:  # type: ignore[type-arg]
    """The authority's line, and each school's where there are few schools and each has a figure on every day."""
    lines: list[dict[str, object]] = [{"label": figures.authority.name, "values": total, "hue": 0}]
    if len(figures.schools) > MOST_LINES:
        return lines
    for hue, one in enumerate(figures.schools, start=1):
        values = [one.days[on].count.percent if on in one.days else None for on in days]
        if values and None not in values:
            lines.append({"label": one.school.name, "values": values, "hue": hue})
    return lines if len(lines) > 2 else lines[:1]


@inspects
@require_GET
def workbook(request: HttpRequest, authority: str) -> HttpResponse:
    now = clock.now()
    answer = HttpResponse(workbooks.build(figures_of(actor_of(request), now=now)), content_type=XLSX)
    name = f"{authority}-{now.date().isoformat()}.xlsx"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
