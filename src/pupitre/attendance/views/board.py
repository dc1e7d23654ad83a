"""The office's day board, and what is noted on it."""

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from pupitre.attendance.actions import absences
from pupitre.attendance.forms import ArrivalForm, CallForm
from pupitre.attendance.queries import words
from pupitre.attendance.queries.absences import NoticeRow
from pupitre.attendance.queries.board import Announced, Board, board_for, contacts_for
from pupitre.attendance.rules.absences import span_of_days
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.access import actor_of, only
from pupitre.people.rules import LookAt, Role
from pupitre.people.rules.grades import grade_options
from pupitre.timetable.queries.beginnings import lacking_for
from pupitre.web.jinja import HUES, hours_and_minutes
from pupitre.web.pages import is_fragment, render, see

for_office = only(Role.HEAD, Role.SECRETARY)


@require_GET
@for_office
def board(request: HttpRequest, school: str) -> HttpResponse:
    """The whole page, or its part that htmx asks for again every half minute."""
    actor = actor_of(request)
    form_id, grade = request.GET.get("form", ""), request.GET.get("grade", "")
    chosen = int(form_id) if form_id.isdecimal() and len(form_id) < 19 else 0
    facts = board_for(actor, form_id=chosen, grade=grade, now=clock.now())
    query = urlencode({name: value for name, value in (("form", chosen or ""), ("grade", grade)) if value})
    zone = ZoneInfo(actor.place.time_zone)
    context = {
        "board": facts,
        "zone": actor.place.time_zone,
        "school": school,
        "form_id": chosen,
        "grade": grade,
        "form_options": [("", _("All classes")), *((form.id, form.title) for form in facts.forms)],
        "grade_options": [("", _("All grades")), *grade_options(facts.grades, actor.place.country)],
        "query": f"?{query}" if query else "",
        "reasons": words.reason_words(),
        "missing": _missing(facts, zone),
        "late": _late(facts, zone),
        "announced": _announced(facts),
        "lacking": None if facts.registers_taken else lacking_for(actor),
    }
    return render(request, "attendance/board.html", context, block="now" if is_fragment(request) else "")


def _missing(facts: Board, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Who is missing, ready to be written: a row is drawn for one pupil in twenty, every half minute."""
    since, alerts = _("since %(time)s"), words.alert_words()
    return [
        {
            "id": one.pupil_id,
            "name": one.name,
            "initials": one.initials,
            "hue": one.pupil_id % HUES,
            "note": _joined(one.form, one.subject, since % {"time": _at(one.since, zone)}),
            "reason": one.notice.kind if one.notice else None,
            "span": span_words(one.notice, facts.day) if one.notice else None,
            "is_excused": one.is_excused,
            "alert": alerts[one.alert] % {"time": _at(one.alert_at, zone)} if one.alert else "",
            "came": f"{one.register_id}-{one.pupil_id}" if one.may_come_in(facts.now) else "",
        }
        for one in facts.missing
    ]


def _late(facts: Board, zone: ZoneInfo) -> list[dict[str, Any]]:
    said = {
        number: ngettext("%(num)s minute", "%(num)s minutes", number) % {"num": number}
        for number in {one.minutes for one in facts.late}
    }
    return [
        {
            "name": one.name,
            "note": _joined(one.form, one.subject, _at(one.starts_at, zone)),
            "minutes": said[one.minutes],
        }
        for one in facts.late
    ]


def _announced(facts: Board) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "name": one.pupil_name,
            "form": one.form,
            "span": span_words(one, facts.day),
            "kind": one.kind,
        }
        for one in facts.announced
    ]


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _at(moment: datetime | None, zone: ZoneInfo) -> str:
    """The time of day on the school's wall."""
    return hours_and_minutes(moment.astimezone(zone)) if moment else ""


def span_words(notice: NoticeRow | Announced, today: date) -> dict[str, object]:
    """What a list says of an absence's time: its days, and the times where it is no matter of whole days."""
    return {
        "only_today": notice.first_day == notice.last_day == today,
        "one_day": notice.first_day == notice.last_day,
        "first": notice.first_day,
        "last": notice.last_day,
        "times": None if notice.whole_days else (notice.starts_at, notice.ends_at),
    }


@require_GET
@for_office
def contacts(request: HttpRequest, school: str, pupil: int) -> HttpResponse:
    """Whom to call about a missing pupil. Nobody's number stands on the board, so opening this is the look that counts."""
    actor, now = actor_of(request), clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    facts = contacts_for(actor, pupil, today)
    people.note_looks(actor, [pupil], LookAt.CONTACTS, now=now)
    context = {
        "facts": facts,
        "school": school,
        "relations": words.relation_words(),
        "form": CallForm(initial={"pupil": pupil, "last_day": today}),
    }
    return render(request, "attendance/contacts.html", context, block="sheet" if is_fragment(request) else "")


@require_POST
@for_office
def calls(request: HttpRequest, school: str) -> HttpResponse:
    """Note what a family said on the telephone."""
    actor, now = actor_of(request), clock.now()
    form = CallForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This could not be noted. Check the day."))
        return see(request, "board", school=school)
    told = form.cleaned_data
    today = clock.local(now, actor.place.time_zone).date()
    span = span_of_days(today, told["last_day"], actor.place.time_zone)
    notice = absences.announce_absence(
        actor,
        pupil_id=told["pupil"],
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        kind=told["kind"],
        reason=told["reason"],
        now=now,
    )
    messages.success(request, _("Noted: %(pupil)s is excused.") % {"pupil": notice.pupil.full_name})
    return see(request, "board", school=school)


@require_POST
@for_office
def arrivals(request: HttpRequest, school: str) -> HttpResponse:
    """Somebody who was missing stands at the office's door."""
    form = ArrivalForm(request.POST)
    if not form.is_valid():
        return see(request, "board", school=school)
    register, pupil = form.cleaned_data["came"]
    mark = absences.mark_arrived(actor_of(request), register_id=register, pupil_id=pupil, now=clock.now())
    late = ngettext("Marked as late by %(num)s minute.", "Marked as late by %(num)s minutes.", mark.minutes)
    messages.success(request, late % {"num": mark.minutes})
    return see(request, "board", school=school)
