"""The head's school."""

from django.http import HttpRequest, HttpResponse
from django.utils import formats
from django.views.decorators.http import require_GET

from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.access import actor_of, only
from pupitre.people.rules import LookAt, Role
from pupitre.reports.queries.overview import overview_of
from pupitre.timetable.queries.beginnings import lacking_for
from pupitre.web.pages import render


@only(Role.HEAD)
@require_GET
def overview(request: HttpRequest, school: str) -> HttpResponse:
    """Today, the trend, the forms, and the pupils who miss most: looking at those is kept."""
    actor, now = actor_of(request), clock.now()
    found = overview_of(actor, now=now)
    people.note_looks(actor, [one.pupil_id for one in found.concerns], LookAt.ATTENDANCE, now=now)
    context = {
        "found": found,
        "school": actor.place,
        "zone": actor.place.time_zone,
        "labels": [formats.date_format(on, "j M") for on, _ in found.days],
        "now": now,
        "lacking": None if found.days else lacking_for(actor),
    }
    return render(request, "reports/overview.html", context)
