"""The teacher's day and her registers."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pupitre.attendance.actions import registers as actions
from pupitre.attendance.actions.registers import Happening, Taken, Told
from pupitre.attendance.queries import registers as queries
from pupitre.attendance.queries.registers import LessonState, Sheet, SheetPupil
from pupitre.attendance.rules.absences import Reason
from pupitre.attendance.rules.merging import OPENS_BEFORE, Kind, MarkFacts
from pupitre.attendance.rules.registers import (
    NotUnderstood,
    Phase,
    judge_phase,
    may_reopen,
    merge_deadline,
    propose,
)
from pupitre.attendance.rules.status import OFFICE_DEVICE, Outcome, Status
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import initials
from pupitre.people.access import actor_of, only, open_to_all
from pupitre.people.rules import Actor, Role
from pupitre.web.middleware import json_of
from pupitre.web.pages import render, see

TAKES = (Role.TEACHER, Role.AIDE, Role.COUNSELLOR, Role.HEAD, Role.SECRETARY)
WRITABLE: Final = frozenset({Phase.OPEN, Phase.TAKEN})
#: Which pages the service worker may keep on the device, and for which account (web/static/web/service-worker.js).
KEPT: Final = "Pupitre-Keep"
_DEVICE: Final = re.compile(r"[0-9a-zA-Z-]{8,36}")
_BIGGEST_BATCH: Final = 400


# ---- the day


@only(*TAKES)
@require_GET
def day(request: HttpRequest, school: str, on: date | None = None) -> HttpResponse:
    """The teacher's lessons of a day, the one of now first."""
    actor, now = actor_of(request), clock.now()
    today = clock.today(actor.place.time_zone)
    shown = on or today
    rows = [_day_row(actor, state, now) for state in queries.day_for(actor, shown)]
    facts = {
        "on": shown,
        "is_today": shown == today,
        "before": shown - timedelta(days=1),
        "after": shown + timedelta(days=1),
        "zone": actor.place.time_zone,
        "school": school,
        "account_id": actor.account_id,
        "rows": rows,
        "now_row": _row_of_now(rows) if shown == today else None,
        "preloads": shown == today and any(row["is_open_today"] for row in rows),
        "is_office": actor.is_office,
    }
    answer = render(request, "attendance/day.html", facts)
    answer.headers[KEPT] = "day"
    return answer


def _day_row(actor: Actor, state: LessonState, now: datetime) -> dict[str, Any]:
    lesson = state.lesson
    mine = lesson.is_taught_by(actor.person_id) or actor.person_id not in lesson.teachers
    return {
        "lesson": lesson,
        "state": _state_of(state, now, is_mine=mine),
        "marks": state.marks,
        "away": state.away,
        "late": state.late,
        "taken_at": state.taken_at,
        "is_mine": mine,
        "is_substitution": lesson.substitute_id == actor.person_id,
        "is_now": lesson.is_under_way(now),
        "is_next": not lesson.is_cancelled and lesson.starts_at > now,
        "is_open_today": not lesson.is_cancelled and mine,
        "has_begun": lesson.starts_at - OPENS_BEFORE <= now,
    }


def _state_of(state: LessonState, now: datetime, *, is_mine: bool) -> str:
    """One of: cancelled, away, closed, taken, upcoming, now, missing."""
    if state.closed_at:
        return "closed"
    if state.taken_at:
        return "taken"
    if state.lesson.is_cancelled:
        return "cancelled"
    if not is_mine:
        return "away"
    if now < state.lesson.starts_at - OPENS_BEFORE:
        return "upcoming"
    return "now" if now < state.lesson.ends_at else "missing"


def _row_of_now(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The lesson that the teacher stands in, else the next one of the day."""
    mine = [row for row in rows if row["is_mine"]]
    under_way = next((row for row in mine if row["is_now"]), None)
    return under_way or next((row for row in mine if row["is_next"]), None)


# ---- the register


@only(*TAKES)
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest, school: str, lesson: int, on: date) -> HttpResponse:
    """The register of one lesson on one day. The form alone is enough; the island makes it quick."""
    actor, now = actor_of(request), clock.now()
    if request.method == "POST":
        taken = actions.take_register(
            actor,
            lesson_id=lesson,
            held_on=on,
            told=_told_by_form(request),
            now=now,
            device=_device(request.POST.get("device")),
            base_version=_number(request.POST.get("version")),
        )
        _tell(request, taken)
        return see(request, "register", school=school, lesson=lesson, on=on)
    sheet = queries.access_sheet(actor, lesson, on)
    answer = render(request, "attendance/register.html", register_facts(actor, sheet, now))
    answer.headers[KEPT] = "register"
    return answer


def register_facts(actor: Actor, sheet: Sheet, now: datetime) -> dict[str, Any]:
    """What the register's page shows; words and addresses are looked up once, not in every row."""
    phase = judge_phase(sheet.facts, now)
    codes = [
        {"code": code.code, "letter": code.code, "label": code.label, "kind": code.kind}
        for code in sheet.codes
    ]
    rows, shown = _sheet_rows(sheet, photos_of(actor))
    return {
        "sheet": sheet,
        "lesson": sheet.lesson,
        "school": actor.place.slug,
        "zone": actor.place.time_zone,
        "on": sheet.lesson.held_on,
        "phase": phase.value,
        "writable": phase in WRITABLE,
        "may_reopen": may_reopen(sheet.facts, now),
        "is_late_arrival": merge_deadline(sheet.facts) is not None,
        "statuses": codes,
        "rows": rows,
        "shown": shown,
        "counts": _counts(rows),
        "account_id": actor.account_id,
        "now": now.astimezone(UTC),
        "opens_at": sheet.lesson.starts_at - OPENS_BEFORE,
        "is_substitute": sheet.lesson.substitute_id == actor.person_id and bool(actor.person_id),
        "is_replaced": sheet.lesson.is_replaced(actor.person_id),
        "late_codes": " ".join(code.code for code in sheet.codes if code.status is Status.LATE),
        "names": ", ".join(sheet.lesson.teachers.values()),
    }


def photos_of(actor: Actor) -> str:
    """The address of a photo, to be completed by `%`: (person's id, the photo's own mark)."""
    return (
        reverse("person-photo", kwargs={"school": actor.place.slug, "person": 0}).replace("/0/", "/%s/")
        + "?%s"
    )


def _sheet_rows(sheet: Sheet, photos: str) -> tuple[list[dict[str, Any]], str]:
    announced, before = _announced_words(), _before_words()
    rows, shown = [], []
    for pupil in sheet.pupils:
        row = _sheet_row(sheet, pupil, announced, before)
        if pupil.photo_key:
            # With its own mark a photo may be kept for ever: a new one has another address.
            row["photo"] = photos % (pupil.id, pupil.photo_key[-8:])
        rows.append(row)
        shown.append(f"{pupil.id}:{row['code']}:{row['minutes']}")
    return rows, ",".join(shown)


def _sheet_row(
    sheet: Sheet, pupil: SheetPupil, announced: dict[Reason, str], before: dict[Status, str]
) -> dict[str, Any]:
    mark = pupil.mark
    status = mark.status if mark else propose(is_announced=pupil.is_announced)
    return {
        "id": pupil.id,
        "given_name": pupil.given_name,
        "family_name": pupil.family_name,
        "initials": initials(pupil.given_name, pupil.family_name),
        "photo": "",
        "code": sheet.code_of(status, mark.code_id if mark else 0).code,
        "minutes": mark.minutes if mark else 0,
        "announced": announced[pupil.announced] if pupil.announced is not None else "",
        "previous": before.get(pupil.before, "") if pupil.before is not None else "",
        "note": mark.note if mark else "",
        "href": f"{sheet.lesson.held_on}/pupils/{pupil.id}",
    }


def _announced_words() -> dict[Reason, str]:
    return {
        Reason.ILLNESS: _("Announced: ill"),
        Reason.MEDICAL: _("Announced: medical appointment"),
        Reason.FAMILY: _("Announced: family"),
        Reason.TRAVEL: _("Announced: travel"),
        Reason.OTHER: _("Announced"),
    }


def _before_words() -> dict[Status, str]:
    return {
        Status.ABSENT: _("Absent in the lesson before"),
        Status.EXCUSED: _("Excused in the lesson before"),
        Status.OUT: _("Out of class in the lesson before"),
    }


def _counts(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["code"]] = counts.get(row["code"], 0) + 1
    return counts


def _told_by_form(request: HttpRequest) -> list[Told]:
    """What the form says otherwise than it showed: only that is a decision."""
    shown = set(request.POST.get("shown", "").split(","))
    told = []
    for name in request.POST:
        pupil = name.removeprefix("mark-")
        if pupil == name or not pupil.isdecimal():
            continue
        code, minutes = str(request.POST[name]), _number(request.POST.get(f"minutes-{pupil}")) or 0
        if f"{pupil}:{code}:{minutes}" not in shown:
            told.append(Told(int(pupil), code, minutes))
    return told


def _number(value: object) -> int | None:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _device(value: object) -> str:
    text = str(value or "")
    return text if _DEVICE.fullmatch(text) and text != OFFICE_DEVICE else ""


def _tell(request: HttpRequest, taken: Taken) -> None:
    from django.contrib import messages

    names = {pupil.id: f"{pupil.given_name} {pupil.family_name}" for pupil in taken.sheet.pupils}
    for happening in taken.happenings:
        messages.warning(request, happening_words(taken.sheet, happening, names[happening.pupil_id]))
    if not taken.happenings:
        messages.success(request, _("The register is saved."))


# ---- what a device that was offline sends


@only(*TAKES)
@require_POST
def marks(request: HttpRequest, school: str, lesson: int, on: date) -> HttpResponse:
    """Merge a device's marks; the answer is the register as it is then. Sending the same again changes nothing."""
    actor, now = actor_of(request), clock.now()
    body = json_of(request)
    taken = actions.take_register(
        actor,
        lesson_id=lesson,
        held_on=on,
        told=_told_by_device(body),
        now=now,
        device=_device(body.get("device")),
        base_version=body.get("base_version") if isinstance(body.get("base_version"), int) else None,
        from_device=True,
    )
    return JsonResponse(
        {**register_state(taken), "batch": str(body.get("batch", ""))[:64], "now": now.isoformat()}
    )


def _told_by_device(body: Any) -> list[Told]:
    rows = body.get("marks", []) if isinstance(body, dict) else None
    if not isinstance(rows, list) or len(rows) > _BIGGEST_BATCH:
        raise NotUnderstood
    return [_told_by_row(row) for row in rows]


def _told_by_row(row: Any) -> Told:
    if (
        not isinstance(row, dict)
        or not isinstance(row.get("pupil"), int)
        or not isinstance(row.get("code"), str)
    ):
        raise NotUnderstood
    try:
        recorded_at = parse_datetime(str(row.get("recorded_at", "")))
    except ValueError:
        raise NotUnderstood from None
    if recorded_at is None or recorded_at.tzinfo is None:
        raise NotUnderstood
    minutes, note = row.get("minutes"), row.get("note")
    return Told(
        pupil_id=row["pupil"],
        code=row["code"],
        minutes=min(minutes, 600) if isinstance(minutes, int) and minutes > 0 else 0,
        note=note if isinstance(note, str) else None,
        recorded_at=recorded_at,
        is_explicit=row.get("explicit") is not False,
    )


def register_state(taken: Taken) -> dict[str, Any]:
    """The register as islands know it: per pupil the code, the minutes and the note, and what happened."""
    sheet = taken.sheet
    names = {pupil.id: f"{pupil.given_name} {pupil.family_name}" for pupil in sheet.pupils}
    return {
        "version": taken.version,
        "closed": sheet.closed_at is not None,
        "marks": {str(id_): _spoken(sheet, mark) for id_, mark in taken.marks.items()},
        "merged": [
            {
                "pupil": happening.pupil_id,
                "name": names[happening.pupil_id],
                "kind": happening.kind.value,
                "text": happening_words(sheet, happening, names[happening.pupil_id]),
                "mine": _spoken(sheet, happening.mine),
                "other": _spoken(sheet, happening.other) if happening.other else None,
                "use": _use_words(sheet, happening),
            }
            for happening in taken.happenings
        ],
    }


def _spoken(sheet: Sheet, mark: MarkFacts) -> list[Any]:
    return [sheet.code_of(mark.status, mark.code_id).code, mark.minutes, mark.note]


def _label(sheet: Sheet, mark: MarkFacts | None) -> str:
    if mark is None:
        return "–"
    label = sheet.code_of(mark.status, mark.code_id).label
    if mark.status is Status.LATE and mark.minutes:
        return ngettext("%(label)s, %(minutes)s minute", "%(label)s, %(minutes)s minutes", mark.minutes) % {
            "label": label,
            "minutes": mark.minutes,
        }
    return label


def happening_words(sheet: Sheet, happening: Happening, name: str) -> str:
    """What became of a mark, in a sentence."""
    facts = {"name": name, "mine": _label(sheet, happening.mine), "other": _label(sheet, happening.other)}
    if happening.kind is Kind.REPLACED:
        return _("%(name)s: your “%(mine)s” counts. Another device had said “%(other)s” before.") % facts
    if happening.kind is Kind.OVERRULED:
        return (
            _("%(name)s: another device said “%(other)s” later, which counts. Yours was “%(mine)s”.") % facts
        )
    if happening.kind is Kind.JUSTIFIED:
        return _("%(name)s: the office has excused this absence, so “%(other)s” counts.") % facts
    if happening.kind is Kind.AFTER_CLOSING:
        return (
            _("%(name)s: your “%(mine)s” was made after the register was closed. “%(other)s” counts.") % facts
        )
    return _("%(name)s: “%(mine)s” is saved, but this device’s clock is wrong.") % facts


def _use_words(sheet: Sheet, happening: Happening) -> str:
    """The button that decides otherwise, where there is something to decide."""
    if happening.kind is Kind.REPLACED:
        return _("Use “%(label)s”") % {"label": _label(sheet, happening.other)}
    if happening.kind is Kind.OVERRULED:
        return _("Use mine: “%(label)s”") % {"label": _label(sheet, happening.mine)}
    return ""


@open_to_all
@require_GET
def session(request: HttpRequest) -> HttpResponse:
    """Who is signed in on this device, a fresh token for forms, and the server's time: what a device asks before it sends."""
    account = request.user.pk if request.user.is_authenticated else 0
    answer = JsonResponse({"account": account, "csrf": get_token(request), "now": clock.now().isoformat()})
    answer.headers["Cache-Control"] = "no-store"
    return answer


# ---- closing, reopening, history


@only(*TAKES)
@require_POST
def closure(request: HttpRequest, school: str, lesson: int, on: date) -> HttpResponse:
    """Close the register, with what the form says."""
    from django.contrib import messages

    actor, now = actor_of(request), clock.now()
    told = _told_by_form(request)
    if told:
        actions.take_register(
            actor,
            lesson_id=lesson,
            held_on=on,
            told=told,
            now=now,
            device=_device(request.POST.get("device")),
            base_version=_number(request.POST.get("version")),
        )
    actions.close_register(actor, lesson_id=lesson, held_on=on, now=now)
    messages.success(request, _("The register is closed."))
    return see(request, "register", school=school, lesson=lesson, on=on)


@only(*TAKES)
@require_POST
def reopening(request: HttpRequest, school: str, lesson: int, on: date) -> HttpResponse:
    """Open a closed register again, with a reason."""
    actor = actor_of(request)
    reason = request.POST.get("reason", "")
    actions.reopen_register(actor, lesson_id=lesson, held_on=on, reason=reason, now=clock.now())
    return see(request, "register", school=school, lesson=lesson, on=on)


@only(*TAKES)
@require_GET
def history(request: HttpRequest, school: str, lesson: int, on: date) -> HttpResponse:
    """Every mark that was ever made in the register: who, when, on which device, and what became of it."""
    actor = actor_of(request)
    sheet = queries.access_sheet(actor, lesson, on)
    facts = {
        **_frame(actor, sheet),
        "pupils": history_by_pupil(sheet, queries.history_of(sheet)),
        "reopenings": queries.reopenings_of(sheet),
    }
    return render(request, "attendance/register_history.html", facts)


def _frame(actor: Actor, sheet: Sheet) -> dict[str, Any]:
    return {
        "sheet": sheet,
        "lesson": sheet.lesson,
        "school": actor.place.slug,
        "zone": actor.place.time_zone,
        "on": sheet.lesson.held_on,
    }


def history_by_pupil(sheet: Sheet, entries: list[queries.HistoryEntry]) -> list[dict[str, Any]]:
    """The history as timelines: each entry says what was said, by whom, when and where, and why it does not count."""
    words, outcomes = _device_words(), _outcome_words()
    pupils: dict[int, dict[str, Any]] = {}
    for entry in entries:
        pupil = pupils.setdefault(entry.pupil_id, {"name": entry.pupil, "id": entry.pupil_id, "entries": []})
        before = pupil["entries"][-1]["label"] if pupil["entries"] else ""
        code = sheet.code_of(entry.status or Status.PRESENT, entry.code_id)
        label = _label(sheet, MarkFacts(code.status, entry.at, minutes=entry.minutes, code_id=code.id))
        pupil["entries"].append(
            {
                "label": label,
                "title": f"{before} → {label}" if before and before != label else label,
                "kind": code.kind,
                "at": entry.at,
                "by": entry.by or "Pupitre",
                "where": _device_label(entry.device, words),
                "note": entry.note,
                "outcome": _("counts") if entry.outcome is None else outcomes[entry.outcome],
                "counts": entry.counts,
            }
        )
    return list(pupils.values())


def _device_words() -> dict[str, str]:
    return {"office": _("Office"), "": _("without script"), "device": _("device")}


def _device_label(device: str, words: dict[str, str]) -> str:
    return words.get(device) or f"{words['device']} {device[:4]}"


def _outcome_words() -> dict[Outcome, str]:
    return {
        Outcome.CORRECTED: _("corrected"),
        Outcome.LATER: _("another device said otherwise later"),
        Outcome.EXPLICIT: _("nobody had touched it"),
        Outcome.JUSTIFIED: _("excused by the office"),
        Outcome.TIED: _("another device at the same moment"),
        Outcome.AFTER_CLOSING: _("arrived after the closing"),
    }


# ---- one pupil in a register


@only(*TAKES)
@require_http_methods(["GET", "POST"])
def pupil(request: HttpRequest, school: str, lesson: int, on: date, pupil: int) -> HttpResponse:
    """One pupil's mark with its note and history."""
    actor, now = actor_of(request), clock.now()
    if request.method == "POST":
        told = Told(
            pupil,
            request.POST.get("code", ""),
            _number(request.POST.get("minutes")) or 0,
            request.POST.get("note", ""),
        )
        taken = actions.take_register(
            actor, lesson_id=lesson, held_on=on, told=[told], now=now,
            base_version=_number(request.POST.get("version")),
        )  # fmt: skip
        _tell(request, taken)
        return see(request, "register", school=school, lesson=lesson, on=on)
    sheet = queries.access_sheet(actor, lesson, on)
    line = next((line for line in sheet.pupils if line.id == pupil), None)
    if line is None:
        raise NotFound
    row = _sheet_row(sheet, line, _announced_words(), _before_words())
    facts = {
        **_frame(actor, sheet),
        "pupil": line,
        "row": row,
        "codes": [(code.code, f"{code.code} · {code.label}") for code in sheet.codes],
        "writable": judge_phase(sheet.facts, now) in WRITABLE,
        "entries": [
            e for p in history_by_pupil(sheet, queries.history_of(sheet, pupil)) for e in p["entries"]
        ],
    }
    return render(request, "attendance/register_pupil.html", facts)
