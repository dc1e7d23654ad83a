"""Statistics for staff: the school's or her classes', the pupils', one pupil's year, and the workbook."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from pupitre.attendance.forms import StretchForm
from pupitre.attendance.queries import absences as notices
from pupitre.attendance.queries import statistics as queries
from pupitre.attendance.queries import words
from pupitre.attendance.queries.registers import status_labels, status_letters
from pupitre.attendance.queries.rosters import periods
from pupitre.attendance.queries.statistics import DayOfYear, Figures, Overview, PupilYear, Stretch
from pupitre.attendance.rules.absences import Window
from pupitre.attendance.rules.status import Status
from pupitre.attendance.rules.thresholds import window_on
from pupitre.attendance.views.board import span_words
from pupitre.attendance.workbook import build_workbook
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.access import actor_of, only
from pupitre.people.rules import STAFF, LookAt
from pupitre.web.pages import render

PAGE = 50
for_staff = only(*STAFF)


def _stretch(request: HttpRequest, today: date) -> Stretch:
    """The days asked for; the school year until today where nothing or nonsense is asked."""
    form = StretchForm(request.GET)
    told = form.cleaned_data if form.is_valid() else {}
    year = queries.year_of(today)
    first, last = told.get("first") or year.first, told.get("last") or min(today, year.last)
    return Stretch(first, last) if first <= last else Stretch(last, first)


def _chooser(request: HttpRequest, name: str, school: str, stretch: Stretch, today: date) -> dict[str, Any]:
    """What the period chooser shows: quick choices as links, and the form for any days."""
    sessions, here = periods(), reverse(name, kwargs={"school": school})
    month = window_on(Window.MONTH, today, sessions)
    before = window_on(Window.MONTH, month[0] - timedelta(days=1), sessions)
    choices = [
        (_("This month"), month),
        (_("Last month"), before),
        (_("School year"), window_on(Window.YEAR, today, sessions)),
        (_("Term"), window_on(Window.TERM, today, sessions)),
    ]
    form_id = request.GET.get("form", "")
    kept = {"form": form_id} if form_id.isdecimal() else {}
    quick: list[dict[str, Any]] = []
    for label, (first, last) in choices:
        chosen = Stretch(first, min(last, today))
        if any(one["chosen"] == chosen for one in quick):
            continue
        query = urlencode({"first": first.isoformat(), "last": chosen.last.isoformat(), **kept})
        quick.append(
            {"label": label, "href": f"{here}?{query}", "current": stretch == chosen, "chosen": chosen}
        )
    form = StretchForm(initial={"first": stretch.first, "last": stretch.last})
    asked = urlencode({"first": stretch.first.isoformat(), "last": stretch.last.isoformat()})
    return {"quick": quick, "form": form, "asked": asked}


@require_GET
@for_staff
def statistics(request: HttpRequest, school: str) -> HttpResponse:
    """By class, month, weekday and lesson."""
    actor, today = actor_of(request), clock.today(actor_of(request).place.time_zone)
    stretch = _stretch(request, today)
    overview = queries.overview_for(actor, stretch, today)
    context = {
        "overview": overview,
        "stretch": stretch,
        "chooser": _chooser(request, "attendance-statistics", school, stretch, today),
        "school": school,
        "labels": status_labels(),
        "numeric_labels": [{"label": label, "numeric": True} for label in status_labels()],
        "tab": "overview",
        **_charts(overview),
    }
    return render(request, "attendance/statistics.html", context)


def _charts(overview: Overview) -> dict[str, Any]:
    """Plain numbers for the chart macros."""
    labels = status_labels()
    worst = sorted(
        overview.forms or overview.classes, key=lambda one: one.figures.percent_missed, reverse=True
    )[:10]
    begins = sorted({lesson[1] for lesson in overview.lessons})
    weekdays = sorted({lesson[0] for lesson in overview.lessons})
    missed = {(weekday, begin): count for weekday, begin, count, _late in overview.lessons}
    return {
        "months": [formats.date_format(month, "M Y") for month, _figures in overview.months],
        "month_series": _series(labels, [figures for _month, figures in overview.months]),
        "weekdays": [abbreviated(weekday - 1) for weekday, _figures in overview.weekdays],
        "weekday_series": _series(labels, [figures for _weekday, figures in overview.weekdays]),
        "worst": [(one.title, one.figures.percent_missed) for one in worst if one.figures.missed],
        "lesson_columns": [str(WEEKDAYS[weekday - 1]) for weekday in weekdays],
        "lesson_rows": [
            [begin, *(missed.get((weekday, begin), 0) for weekday in weekdays)] for begin in begins
        ],
    }


def abbreviated(weekday: int) -> str:
    """A weekday (0 is Monday) in a few letters; some languages' lists mix "Dv" with "ds."."""
    text = str(WEEKDAYS_ABBR[weekday]).rstrip(".")
    return text[:1].upper() + text[1:]


def _series(labels: list[str], figures: list[Figures]) -> list[dict[str, Any]]:
    kinds = (
        ("absent", Status.ABSENT, [one.absent for one in figures]),
        ("excused", Status.EXCUSED, [one.excused for one in figures]),
        ("late", Status.LATE, [one.late for one in figures]),
    )
    letters = status_letters()
    return [
        {"label": labels[status - 1], "kind": kind, "letter": letters[status - 1], "values": values}
        for kind, status, values in kinds
    ]


@require_GET
@for_staff
def pupils(request: HttpRequest, school: str) -> HttpResponse:
    """Who missed most. One more row than fits tells whether there is another page."""
    actor, today = actor_of(request), clock.today(actor_of(request).place.time_zone)
    stretch, form_text, number = (
        _stretch(request, today),
        request.GET.get("form", ""),
        request.GET.get("page", "1"),
    )
    form_id = int(form_text) if form_text.isdecimal() and len(form_text) < 19 else 0
    page = int(number) if number.isdecimal() and 0 < int(number) < 10_000 else 1
    found = queries.pupils_for(
        actor, stretch, today, form_id=form_id, limit=PAGE + 1, offset=(page - 1) * PAGE
    )
    forms = queries.chosen_forms(actor)
    context = {
        "pupils": found[:PAGE],
        "has_more": len(found) > PAGE,
        "page": page,
        "stretch": stretch,
        "chooser": _chooser(request, "attendance-pupils", school, stretch, today),
        "school": school,
        "labels": status_labels(),
        "form_options": [("", _("All classes")), *((form.id, form.title) for form in forms)] if forms else [],
        "form_id": form_id,
        "tab": "pupils",
    }
    return render(request, "attendance/pupils.html", context)


@require_GET
@for_staff
def pupil(request: HttpRequest, school: str, pupil: int) -> HttpResponse:
    """A pupil's year: a heat calendar, the lessons missed, what was announced."""
    actor, now = actor_of(request), clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    year = queries.pupil_year_for(actor, pupil, _stretch(request, today), today)
    people.note_looks(actor, [pupil], LookAt.ATTENDANCE, now=now)
    reads_notices = actor.is_any(notices.READS_ABSENCES)
    announced = notices.notices_of_pupil(actor, pupil, limit=30) if reads_notices else []
    context = {
        "year": year,
        "school": school,
        "zone": actor.place.time_zone,
        "letters": status_letters(),
        "labels": status_labels(),
        "weeks": _weeks(year),
        "days": [abbreviated(n) for n in range(5)],
        "notices": announced,
        "spans": {row.id: span_words(row, today) for row in announced},
        "reasons": words.reason_words(),
        "states": words.state_words(),
        "tones": words.STATE_TONES,
        "is_office": actor.is_office,
    }
    return render(request, "attendance/pupil.html", context)


def _weeks(year: PupilYear) -> list[dict[str, Any]]:
    return [
        {
            "label": _("%(day)s/%(month)s") % {"day": week.monday.day, "month": week.monday.month},
            "cells": [_cell(week.monday + timedelta(days=n), day) for n, day in enumerate(week.days)],
        }
        for week in queries.weeks_of(year)
    ]


def _cell(on: date, day: DayOfYear | None) -> dict[str, Any]:
    label = formats.date_format(on, "SHORT_DATE_FORMAT")
    if day is None:
        return {"level": None, "value": "", "label": label}
    told = ngettext("%(day)s: %(count)s lesson missed", "%(day)s: %(count)s lessons missed", day.missed)
    return {
        "level": min(day.missed, 4),
        "value": day.missed,
        "label": told % {"day": label, "count": day.missed},
    }


@require_GET
@for_staff
def workbook(request: HttpRequest, school: str) -> HttpResponse:
    """Everything that the actor sees, as .xlsx. Each pupil in it is a look that is kept."""
    actor, now = actor_of(request), clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    stretch = _stretch(request, today)
    found = queries.pupils_for(actor, stretch, today, limit=100_000)
    data = build_workbook(
        pupils=found,
        classes=queries.overview_for(actor, stretch, today).classes,
        marks=queries.exported_marks(actor, stretch, today),
        status_words=status_labels(),
    )
    people.note_looks(
        actor, [one.pupil_id for one in found], LookAt.EXPORT, now=now, reason=_("Attendance workbook")
    )
    name = f"attendance-{school}-{stretch.first}-{stretch.last}.xlsx"
    return HttpResponse(
        data,
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )
