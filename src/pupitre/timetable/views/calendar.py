"""The calendar: bell schedules, weekdays and weeks, holidays, other days, rooms."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE
from pupitre.timetable import actions
from pupitre.timetable.forms import HolidayForm, OtherDayForm, RoomForm, WeeksForm, periods_in
from pupitre.timetable.queries.office import CalendarPage, calendar_page
from pupitre.timetable.rules.bell import Period, validate_periods
from pupitre.timetable.rules.calendar import week_of
from pupitre.web.pages import render, see

from .weeks import weekday_names


@only(*OFFICE)
@require_safe
def calendar(request: HttpRequest, school: str) -> HttpResponse:
    """Everything about when school is."""
    return _page(request, school)


def _page(request: HttpRequest, school: str, *, status: int = 200, **shown: Any) -> HttpResponse:
    """The page; a form that was refused stands in it with what is wrong."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    page = calendar_page(actor, today)
    context = {
        "school": school,
        "page": page,
        "today": today,
        "letter": week_of(today, page.calendar),
        "zone": actor.place.time_zone,
        "holiday_form": HolidayForm(),
        "other_form": OtherDayForm(ways=_ways(page)),
        "weeks_form": _weeks_form(page),
        "room_form": RoomForm(),
        "weekday_names": dict(weekday_names()),
        "extra_rows": (None, None),
        "problems": [],
        **shown,
    }
    return render(request, "timetable/calendar.html", context, status=status)


def _weeks_form(page: CalendarPage, data: Any = None) -> WeeksForm:
    names = [(int(number), name) for number, name in weekday_names()]
    initial = {
        "weekdays": page.weekdays,
        "cycle_starts_on": page.rule.cycle_starts_on.isoformat() if page.rule.cycle_starts_on else "",
        "holidays_pause_cycle": page.rule.holidays_pause_cycle,
    }
    return WeeksForm(data, names=names, initial=initial)


def _ways(page: CalendarPage) -> list[tuple[str, str]]:
    ways = [
        (f"weekday-{number}", _("As a %(weekday)s") % {"weekday": name}) for number, name in weekday_names()
    ]
    return ways + [
        (f"bell-{bells.id}", _("By the bells “%(name)s”") % {"name": bells.name})
        for bells in page.bells
        if not bells.is_default
    ]


@only(*OFFICE)
@require_POST
def bells(request: HttpRequest, school: str) -> HttpResponse:
    """Write a bell schedule, new or changed."""
    periods, wrong = periods_in(request.POST)
    name = request.POST.get("name", "").strip()
    problems = [_("“%(name)s” is not known here, or is not complete.") % {"name": one} for one in wrong]
    problems += [f"{finding.what(_)} {finding.mend(_)}" for finding in validate_periods(periods)]
    if not name or not periods:
        problems.append(_("A bell schedule needs a name and at least one period."))
    if problems:
        return _page(request, school, status=422, problems=problems, posted=(name, periods))
    actions.set_bell_schedule(
        actor_of(request),
        name=name,
        periods=[_bell(period) for period in periods],
        is_default=bool(request.POST.get("is_default")),
    )
    messages.success(request, _("The periods are kept."))
    return see(request, "calendar", school=school)


def _bell(period: Period) -> actions.Bell:
    return period.name, period.starts_at, period.ends_at, period.is_break


@only(*OFFICE)
@require_POST
def bells_deletion(request: HttpRequest, school: str, schedule: int) -> HttpResponse:
    """Remove a bell schedule that no day uses."""
    actions.delete_bell_schedule(actor_of(request), schedule)
    messages.success(request, _("The bell schedule is gone."))
    return see(request, "calendar", school=school)


@only(*OFFICE)
@require_POST
def weeks(request: HttpRequest, school: str) -> HttpResponse:
    """Change the weekdays and the cycle of weeks."""
    actor = actor_of(request)
    page = calendar_page(actor, clock.today(actor.place.time_zone))
    form = _weeks_form(page, request.POST)
    if not form.is_valid():
        return _page(request, school, status=422, weeks_form=form)
    actions.set_weeks(actor, **form.cleaned_data)
    messages.success(request, _("The weeks are kept."))
    return see(request, "calendar", school=school)


@only(*OFFICE)
@require_POST
def holidays(request: HttpRequest, school: str) -> HttpResponse:
    """Add days without school."""
    form = HolidayForm(request.POST)
    if not form.is_valid():
        return _page(request, school, status=422, holiday_form=form)
    actions.close_day(actor_of(request), **form.cleaned_data)
    messages.success(request, _("The days without school are kept."))
    return see(request, "calendar", school=school)


@only(*OFFICE)
@require_POST
def other_days(request: HttpRequest, school: str) -> HttpResponse:
    """Let a date run otherwise."""
    actor = actor_of(request)
    page = calendar_page(actor, clock.today(actor.place.time_zone))
    form = OtherDayForm(request.POST, ways=_ways(page))
    if not form.is_valid():
        return _page(request, school, status=422, other_form=form)
    actions.run_day_otherwise(actor, **form.facts)
    messages.success(request, _("The day is kept."))
    return see(request, "calendar", school=school)


@only(*OFFICE)
@require_POST
def exception_deletion(request: HttpRequest, school: str, exception: int) -> HttpResponse:
    """Take a holiday or another day's rule back."""
    actions.delete_exception(actor_of(request), exception)
    messages.success(request, _("The entry is gone."))
    return see(request, "calendar", school=school)


@only(*OFFICE)
@require_POST
def rooms(request: HttpRequest, school: str) -> HttpResponse:
    """Add a room, or say how many seats it has."""
    form = RoomForm(request.POST)
    if not form.is_valid():
        return _page(request, school, status=422, room_form=form)
    actions.open_room(actor_of(request), **form.cleaned_data)
    messages.success(request, _("The room is kept."))
    return see(request, "calendar", school=school)


@only(*OFFICE)
@require_POST
def room_closure(request: HttpRequest, school: str, room: int) -> HttpResponse:
    """Offer a room no longer."""
    actor = actor_of(request)
    if room > 2**62:
        raise NotFound
    actions.close_room(actor, room, today=clock.today(actor.place.time_zone))
    messages.success(request, _("The room is no longer offered."))
    return see(request, "calendar", school=school)
