"""Substitutions: who is absent, which lessons are to be covered, who could take them."""

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE, Actor
from pupitre.timetable import actions
from pupitre.timetable.queries.office import CoverDay, ToCover, cover_day
from pupitre.web.pages import render, see

from .weeks import date_in, without_subject


@only(*OFFICE)
@require_http_methods(["GET", "POST"])
def substitutions(request: HttpRequest, school: str) -> HttpResponse:
    """A day: choose who is absent, cover the lessons, see what is changed."""
    actor = actor_of(request)
    asked = request.POST if request.method == "POST" else request.GET
    on = date_in(asked.get("date", ""), clock.today(actor.place.time_zone))
    absent = asked.get("teacher", "")
    absent_id = int(absent) if absent.isdecimal() and len(absent) < 18 else None
    day = cover_day(actor, on, absent_id=absent_id)
    if absent_id and absent_id not in dict(day.teachers):
        raise NotFound
    if request.method == "POST":
        now = clock.now()
        count = sum(_covered(actor, request.POST, one, absent_id, day, now) for one in day.to_cover)
        messages.success(request, _("Kept: %(count)s lessons.") % {"count": count})
        answer = see(request, "substitutions", school=school)
        answer.headers["Location"] = f"{reverse('substitutions', kwargs={'school': school})}?date={on}"
        return answer
    return render(request, "timetable/substitutions.html", _context(school, day, absent_id))


def _covered(
    actor: Actor, posted: QueryDict, one: ToCover, absent_id: int | None, day: CoverDay, now: datetime
) -> int:
    """Write what was chosen for one lesson; answers how many changed."""
    lesson = one.lesson.lesson_id
    chosen = posted.get(f"substitute-{lesson}", "")
    room, note = posted.get(f"room-{lesson}", ""), posted.get(f"note-{lesson}", "").strip()
    is_cancelled = chosen == "cancel"
    substitute = _offered(chosen, dict(day.teachers)) if not is_cancelled else None
    if not (is_cancelled or substitute or room or note):
        return 0
    actions.change_day(
        actor,
        lesson,
        day.on,
        now=now,
        substitute_id=substitute,
        absent_teacher_id=absent_id,
        room_id=_offered(room, dict(day.rooms)),
        is_cancelled=is_cancelled,
        note=note[:500],
    )
    return 1


def _offered(text: str, offered: dict[int, str]) -> int | None:
    """The id that was chosen; one that the page does not offer does not exist."""
    if not text:
        return None
    if not text.isdecimal() or len(text) > 18 or int(text) not in offered:
        raise NotFound
    return int(text)


def _context(school: str, day: CoverDay, absent_id: int | None) -> dict[str, Any]:
    return {
        "school": school,
        "day": day,
        "absent_id": absent_id,
        "absent_name": dict(day.teachers).get(absent_id or 0, ""),
        "teachers": [("", _("Choose who is absent …")), *((str(id_), name) for id_, name in day.teachers)],
        "rooms": [("", _("Usual room")), *((str(id_), name) for id_, name in day.rooms)],
        "previous": f"?date={day.on - timedelta(days=1)}",
        "next": f"?date={day.on + timedelta(days=1)}",
        "lessons": [_row(one) for one in day.to_cover],
    }


def _row(one: ToCover) -> dict[str, Any]:
    lesson = one.lesson
    on_duty = [(str(c.id), c.name) for c in one.candidates if c.is_on_duty]
    free = [(str(c.id), c.name) for c in one.candidates if not c.is_on_duty]
    chosen = "cancel" if lesson.is_cancelled else str(lesson.substitute_id or "")
    names = {key for key, _name in (*on_duty, *free)}
    if chosen not in {"", "cancel"} and chosen not in names:
        on_duty.insert(0, (chosen, lesson.substitute_name))
    return {
        "lesson": lesson,
        "group": without_subject(lesson),
        "on_duty": on_duty,
        "free": free,
        "chosen": chosen,
        "room": str(lesson.room_id) if lesson.room != lesson.usual_room and lesson.room_id else "",
    }


@only(*OFFICE)
@require_POST
def substitution_undo(request: HttpRequest, school: str, lesson: int, held_on: str) -> HttpResponse:
    """Let the lesson be held as the timetable has it."""
    try:
        on = date.fromisoformat(held_on)
    except ValueError:
        raise NotFound from None
    actions.undo_change(actor_of(request), lesson, on, now=clock.now())
    messages.success(request, _("The lesson is held as the timetable has it."))
    answer = see(request, "substitutions", school=school)
    answer.headers["Location"] = f"{reverse('substitutions', kwargs={'school': school})}?date={on}"
    return answer
