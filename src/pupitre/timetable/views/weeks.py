"""The week of a class, a teacher, a room or a pupil."""

import zlib
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import fold
from pupitre.people import queries as people
from pupitre.people.access import actor_of
from pupitre.people.rules import Actor, Role
from pupitre.timetable.queries import HeldLesson
from pupitre.timetable.queries.beginnings import lacking_for
from pupitre.timetable.queries.weeks import (
    Choice,
    Choices,
    DayOff,
    HeldDuty,
    Week,
    Whose,
    access_choice,
    choices_for,
    may_arrange,
    usual_choice,
    week_of_choice,
)
from pupitre.timetable.rules.words import title_beside
from pupitre.web.jinja import dated, weekday_and_day
from pupitre.web.pages import render

_HUES = 10
_WEEK = timedelta(days=7)


def timetable(request: HttpRequest, school: str) -> HttpResponse:
    """The week asked for; without a question the reader's own."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    choices = choices_for(actor, today)
    choice = _asked(request, actor, choices) or usual_choice(actor, choices)
    on = date_in(request.GET.get("week", ""), today)
    context: dict[str, Any] = {
        "school": school,
        "tabs": _tabs(request, choices, choice),
        "choice": choice,
        "options": _options(choices, choice),
        "may_arrange": may_arrange(actor),
        "found": _found_pupils(request, actor),
        "words": request.GET.get("q", "").strip(),
        "is_staff": actor.is_staff,
    }
    week = week_of_choice(actor, choice, on) if choice else None
    if week:
        context |= _week_context(actor, week, today)
    if week is None or not week.lessons:
        context["lacking"] = lacking_for(actor)
    return render(request, "timetable/week.html", context)


def weekday_names() -> list[tuple[str, str]]:
    """ISO weekdays as text, with their names in the reader's language: 1 January 2024 was a Monday."""
    return [(str(day), formats.date_format(date(2024, 1, day), "l").capitalize()) for day in range(1, 8)]


def date_in(text: str, otherwise: date) -> date:
    """A date out of the address; what is not one is taken as not asked."""
    try:
        return date.fromisoformat(text) if text else otherwise
    except ValueError:
        return otherwise


def _asked(request: HttpRequest, actor: Actor, choices: Choices) -> Choice | None:
    for whose in Whose:
        asked = request.GET.get(whose.value, "")
        if asked:
            if not asked.isdecimal() or len(asked) > 18:
                raise NotFound
            return access_choice(actor, choices, whose, int(asked))
    by = request.GET.get("by", "")
    if by in {whose.value for whose in Whose} and actor.is_staff:
        return next(iter(choices.of(Whose(by))), None)
    return None


def _tabs(request: HttpRequest, choices: Choices, choice: Choice | None) -> list[dict[str, Any]]:
    """By class, teacher or room for staff; a guardian's pupils by name; nothing for who has one choice only."""
    if choices.classes or choices.teachers:
        whose = choice.whose if choice else None
        asked = request.GET.get("by")
        labels = {
            Whose.CLASS: _("Classes"),
            Whose.TEACHER: _("Teachers"),
            Whose.ROOM: _("Rooms"),
            Whose.PERSON: _("Pupils"),
        }
        return [
            {"label": label, "href": f"?by={kind.value}", "current": (asked or whose) == kind.value}
            for kind, label in labels.items()
        ]
    if len(choices.persons) > 1:
        return [
            {
                "label": person.name,
                "href": f"?person={person.id}",
                "current": choice is not None and person.id == choice.id,
            }
            for person in choices.persons
        ]
    return []


def _options(choices: Choices, choice: Choice | None) -> list[tuple[str, str]]:
    if choice is None or choice.whose is Whose.PERSON:
        return []
    listed = [(str(option.id), option.name) for option in choices.of(choice.whose)]
    if str(choice.id) not in {key for key, _name in listed}:
        listed.insert(0, (str(choice.id), choice.name))
    return listed


def _found_pupils(request: HttpRequest, actor: Actor) -> list[tuple[str, str]] | None:
    """What a search for pupils found: names and addresses. None where nobody searched."""
    if request.GET.get("by") != Whose.PERSON.value or not actor.is_staff:
        return None
    words = request.GET.get("q", "").strip()
    found = people.people_matching(actor, words, role=Role.PUPIL, limit=30) if words else []
    return [(person.sorted_name, f"?person={person.pk}") for person in found]


def _week_context(actor: Actor, week: Week, today: date) -> dict[str, Any]:
    whose = f"{week.choice.whose.value}={week.choice.id}"
    last = week.days[-1] if week.days else week.monday + timedelta(days=6)
    return {
        "week": week,
        "last": last,
        "grid_days": _grid_days(week, today),
        "grid_rows": grid_rows(week, _lesson_links(actor, week)),
        "notices": list(_notices(week)),
        "previous": f"?{whose}&week={week.monday - _WEEK:%Y-%m-%d}",
        "next": f"?{whose}&week={week.monday + _WEEK:%Y-%m-%d}",
        "this": f"?{whose}" if not week.monday <= today < week.monday + _WEEK else "",
        "caption": _("%(name)s, week of %(date)s")
        % {"name": week.choice.name, "date": formats.date_format(week.monday, "DATE_FORMAT")},
    }


def _lesson_links(actor: Actor, week: Week) -> dict[int, str]:
    if not may_arrange(actor):
        return {}
    slug = actor.place.slug
    return {
        lesson.lesson_id: reverse("lesson", kwargs={"school": slug, "lesson": lesson.lesson_id})
        for lesson in week.lessons
    }


def _grid_days(week: Week, today: date) -> list[dict[str, Any]]:
    return [
        {
            "number": day.isoweekday(),
            "short": dated(day, "D j"),
            "label": dated(day, "D j"),
            "today": day == today,
        }
        for day in week.days
    ]


def _notices(week: Week) -> Iterable[tuple[str, str, str]]:
    """Tone, title and text of what is out of the ordinary in the week."""
    notices: dict[tuple[str, str], str] = {}
    for day_off in week.days_off:
        tone, title, text = _notice(day_off)
        said = notices.get((tone, title))
        notices[tone, title] = f"{said}. {text}" if said else text
    yield from ((tone, title, text) for (tone, title), text in notices.items())
    if not any(week.is_school_day(day) for day in week.days) and not week.days_off:
        yield "info", _("No school in this week."), ""


def _notice(day_off: DayOff) -> tuple[str, str, str]:
    first = weekday_and_day(day_off.starts_on)
    dates = first
    if day_off.ends_on != day_off.starts_on:
        last = weekday_and_day(day_off.ends_on)
        dates = _("%(first)s to %(last)s") % {"first": first, "last": last}
    if day_off.kind == 1:
        return "chalky", day_off.label, _("No school: %(dates)s") % {"dates": dates}
    if day_off.kind == 2 and day_off.as_weekday:
        weekday = formats.date_format(date(2024, 1, day_off.as_weekday), "l")
        return (
            "info",
            day_off.label,
            _("%(date)s runs as a %(weekday)s") % {"date": dates, "weekday": weekday},
        )
    return "info", day_off.label, _("%(date)s has other times") % {"date": dates}


def grid_rows(week: Week, links: dict[int, str]) -> list[dict[str, Any]]:
    """The rows that the macro week_grid takes: a row a period; lessons that overlap share a cell."""
    blocks = {day: _blocks(week, day, links) for day in week.days}
    rows: list[dict[str, Any]] = []
    for position, period in enumerate(week.periods):
        time = f"{period.starts_at:%H:%M}"
        if period.is_break:
            rows.append({"label": period.name, "time": time, "pause": True, "cells": []})
            continue
        cells = []
        for day in week.days:
            block = blocks[day].get(position)
            if block is not None:
                cells.append({"day": day.isoweekday(), "span": block[0], "lessons": block[1]})
        rows.append({"label": period.name, "time": time, "pause": False, "cells": cells})
    return rows


def _blocks(week: Week, day: date, links: dict[int, str]) -> dict[int, tuple[int, list[dict[str, Any]]]]:
    """For each period that begins a cell: how many rows it takes, and its lessons. A break always ends a cell."""
    entries = [
        (lesson.position, lesson.length, _shown(lesson, week, links))
        for lesson in week.lessons
        if lesson.held_on == day
    ]
    entries += [
        (duty.position, duty.length, _shown_duty(duty)) for duty in week.duties if duty.held_on == day
    ]
    found: dict[int, tuple[int, list[dict[str, Any]]]] = {}
    for stretch in _stretches(week):
        position = stretch.start
        while position < stretch.stop:
            end = position + 1
            held: list[dict[str, Any]] = []
            while True:
                held = [cell for start, length, cell in entries if start < end and start + length > position]
                reach = max(
                    (
                        start + length
                        for start, length, _cell in entries
                        if start < end and start + length > position
                    ),
                    default=end,
                )
                if min(reach, stretch.stop) <= end:
                    break
                end = min(reach, stretch.stop)
            found[position] = (end - position, held)
            position = end
    return found


def _stretches(week: Week) -> list[range]:
    """The runs of lessons between breaks."""
    found, begun = [], None
    for position, period in enumerate(week.periods):
        if period.is_break:
            if begun is not None:
                found.append(range(begun, position))
            begun = None
        elif begun is None:
            begun = position
    if begun is not None:
        found.append(range(begun, len(week.periods)))
    return found


def _shown(lesson: HeldLesson, week: Week, links: dict[int, str]) -> dict[str, Any]:
    whose = week.choice.whose
    return {
        "subject": lesson.subject or lesson.class_title,
        "group": "" if whose is Whose.PERSON else _group(lesson, week),
        "room": "" if whose is Whose.ROOM else lesson.room,
        "teacher": "" if whose is Whose.TEACHER else ", ".join(lesson.teachers.values()),
        "hue": hue_of(lesson.subject or lesson.class_title),
        "href": links.get(lesson.lesson_id),
        "state": "cancelled" if lesson.is_cancelled else "changed" if lesson.is_changed else "",
        "note": _note(lesson, week),
    }


def _shown_duty(duty: HeldDuty) -> dict[str, Any]:
    return {
        "subject": duty.title,
        "group": _("Duty"),
        "room": duty.room,
        "teacher": "",
        "hue": "none",
        "href": None,
        "state": "",
        "note": "",
    }


def hue_of(subject: str) -> int:
    """The same colour for the same subject, everywhere."""
    return zlib.crc32(fold(subject).encode()) % _HUES


def _group(lesson: HeldLesson, week: Week) -> str:
    """The class without the subject, which stands above it, and without what the page is of."""
    title = without_subject(lesson)
    return "" if title in {lesson.subject, week.choice.name} else title


def without_subject(lesson: HeldLesson) -> str:
    """The class's title where it stands beside the subject: "Science · 1A" is "1A" then."""
    return title_beside(lesson.subject, lesson.class_title)


def _note(lesson: HeldLesson, week: Week) -> str:
    if lesson.is_cancelled:
        return " · ".join(filter(None, [pgettext("lesson", "Cancelled"), lesson.note]))
    told = []
    if week.choice.whose is Whose.TEACHER and lesson.substitute_id == week.choice.id:
        told.append(_("You stand in") if not lesson.is_replaced(week.choice.id) else "")
    elif lesson.substitute_name:
        told.append(_("Substitute: %(name)s") % {"name": lesson.substitute_name})
    if lesson.room != lesson.usual_room and lesson.room:
        told.append(_("Room: %(room)s") % {"room": lesson.room})
    if week.usual_start(lesson) not in (None, lesson.starts_at):
        told.append(f"{lesson.starts_at:%H:%M}–{lesson.ends_at:%H:%M}")
    return " · ".join(filter(None, [*told, lesson.note]))
