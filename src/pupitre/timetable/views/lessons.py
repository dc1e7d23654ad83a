"""A lesson by hand: add, change, end; and the whole timetable as CSV."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pupitre.kernel import clock
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE
from pupitre.timetable import actions
from pupitre.timetable.forms import LessonForm
from pupitre.timetable.queries import office as queries
from pupitre.timetable.queries.export import timetable_csv
from pupitre.web.pages import render, see

from .weeks import date_in, weekday_names


@only(*OFFICE)
@require_http_methods(["GET", "POST"])
def new_lesson(request: HttpRequest, school: str) -> HttpResponse:
    """Add a lesson. What it stands against is shown first, and may be accepted."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    form = _form(request, {"from_on": today.isoformat(), "length": 1}, today)
    if request.method == "GET" or not form.is_valid():
        return _page(request, school, form, title=_("Add a lesson"))
    facts = form.cleaned_data
    clashes = _clashes(facts)
    if clashes and not request.POST.get("anyway"):
        return _page(request, school, form, title=_("Add a lesson"), clashes=clashes)
    actions.schedule_lesson(
        actor,
        facts["klass"],
        starts_on=facts["from_on"],
        **{name: facts[name] for name in _SHARED},
    )
    messages.success(request, _("The lesson is in the timetable."))
    return see(request, "timetable", school=school)


_SHARED = ("weekday", "position", "length", "week", "subject", "teachers", "room", "ends_on")


@only(*OFFICE)
@require_http_methods(["GET", "POST"])
def lesson(request: HttpRequest, school: str, lesson: int) -> HttpResponse:
    """Change a lesson from a date on."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    row, teachers = queries.access_lesson(actor, lesson)
    initial = {
        "klass": row.klass_id,
        "subject": row.subject,
        "weekday": row.weekday,
        "position": row.position,
        "length": row.length,
        "week": row.week,
        "teachers": teachers,
        "room": row.room_id or "",
        "from_on": today.isoformat(),
        "ends_on": row.ends_on.isoformat() if row.ends_on else "",
    }
    title = f"{row.subject} · {row.klass.title}" if row.subject else row.klass.title
    form = _form(request, initial, today, keeps=(row.klass_id, row.klass.title))
    shown: dict[str, Any] = {"lesson_id": lesson, "row": row, "today": today}
    if request.method == "GET" or not form.is_valid():
        return _page(request, school, form, title=title, **shown)
    facts = form.cleaned_data
    clashes = _clashes(facts, lesson)
    if clashes and not request.POST.get("anyway"):
        return _page(request, school, form, title=title, clashes=clashes, **shown)
    actions.change_lesson(actor, lesson, from_on=facts["from_on"], **{name: facts[name] for name in _SHARED})
    messages.success(request, _("The lesson is changed."))
    return see(request, "timetable", school=school)


def _form(
    request: HttpRequest, initial: dict[str, Any], today: date, *, keeps: tuple[int, str] | None = None
) -> LessonForm:
    """The form with what the school offers. A lesson keeps its class."""
    offered = queries.offered_for(actor_of(request), today)
    choices: dict[str, Any] = {
        "klass": [keeps] if keeps else offered.classes,
        "weekday": [(int(number), name) for number, name in weekday_names()],
        "position": offered.periods,
        "teachers": offered.teachers,
        "room": [("", _("No room")), *offered.rooms],
    }
    return LessonForm(request.POST if request.method == "POST" else None, offered=choices, initial=initial)


def _page(request: HttpRequest, school: str, form: LessonForm, **shown: Any) -> HttpResponse:
    refused = bool(form.errors or shown.get("clashes"))
    context = {"school": school, "form": form, "clashes": [], **shown}
    return render(request, "timetable/lesson.html", context, status=422 if refused else 200)


def _clashes(facts: dict[str, Any], lesson: int = 0) -> list[queries.Clash]:
    asked = {name: value for name, value in facts.items() if name != "subject"}
    return queries.clashes_with(**asked, lesson=lesson)


@only(*OFFICE)
@require_POST
def lesson_end(request: HttpRequest, school: str, lesson: int) -> HttpResponse:
    """Let a lesson be held for the last time on a date; without one, it is not held from today on."""
    actor = actor_of(request)
    yesterday = clock.today(actor.place.time_zone) - timedelta(days=1)
    actions.end_lesson(actor, lesson, last_on=date_in(request.POST.get("last_on", ""), yesterday))
    messages.success(request, _("The lesson ends."))
    return see(request, "timetable", school=school)


@only(*OFFICE)
@require_safe
def timetable_export(request: HttpRequest, school: str) -> HttpResponse:
    """The timetable of today as CSV, in the form that the import reads."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    names = dict(weekday_names())
    text = timetable_csv(actor, today, {int(number): name for number, name in names.items()})
    return HttpResponse(
        "\ufeff" + text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="timetable-{school}-{today}.csv"'},
    )
