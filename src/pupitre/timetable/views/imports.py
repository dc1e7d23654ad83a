"""Importing a timetable: upload, look at what it says and what will follow, put it to use, read the report."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE, Actor
from pupitre.timetable import actions
from pupitre.timetable.forms import UploadForm, choices_in
from pupitre.timetable.queries import imports as queries
from pupitre.timetable.queries.weeks import first_day_with_lessons
from pupitre.timetable.rules.bell import validate_periods
from pupitre.timetable.rules.importing import (
    NEW,
    SKIP,
    WITH_YEAR,
    Choices,
    Known,
    Question,
    arrange,
    ask,
    has_weeks,
    propose,
)
from pupitre.timetable.rules.matching import MatchReason
from pupitre.timetable.rules.plan import ImportedTimetable
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

from .weeks import weekday_names

if TYPE_CHECKING:
    from pupitre.timetable.models import TimetableImport


@only(*OFFICE)
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest, school: str) -> HttpResponse:
    """The uploads so far, and the form for the next."""
    actor = actor_of(request)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        upload, _plan = actions.receive_timetable(actor, form.cleaned_data["uploaded"], now=clock.now())
        return see(request, "timetable-import", school=school, upload=upload.pk)
    context = {
        "school": school,
        "form": form,
        "rows": queries.imports_for(actor),
        "zone": actor.place.time_zone,
    }
    return render(request, "timetable/imports.html", context, status=422 if form.errors else 200)


@only(*OFFICE)
@require_http_methods(["GET", "POST"])
def timetable_import(request: HttpRequest, school: str, upload: int) -> HttpResponse:
    """One upload: what was read and what will follow, or the report of what it did."""
    actor = actor_of(request)
    found = queries.access_import(actor, upload)
    today = clock.today(actor.place.time_zone)
    if found.state == found.APPLIED and request.method == "GET":
        return render(
            request,
            "timetable/import_report.html",
            {
                "school": school,
                "upload": found,
                "zone": actor.place.time_zone,
                "week": _first_week(actor, found, today),
            },
        )
    plan = queries.plan_of(found)
    context = {"school": school, "upload": found, "plan": plan, "findings": _findings(plan)}
    if not plan.is_usable:
        return render(request, "timetable/import_preview.html", {**context, "usable": False})
    known = queries.known_names(today)
    choices = queries.choices_of(found) or propose(
        plan, known, queries.usual_start(today), before=queries.choices_before()
    )
    problems: list[str] = []
    if request.method == "POST":
        choices, problems = _posted(request, plan, known, choices)
        if not problems:
            actions.choose_timetable(actor, upload, choices)
            problems = _applied(request, upload)
            if not problems:
                return see(request, "timetable-import", school=school, upload=upload)
    return render(
        request,
        "timetable/import_preview.html",
        {**context, "usable": True, "problems": problems, **_preview(plan, known, choices)},
        status=422 if problems else 200,
    )


def _first_week(actor: Actor, upload: "TimetableImport", today: date) -> str:
    """The question that opens the first week in which the import shows: at a weekend or in holidays this one is empty."""
    choices = queries.choices_of(upload)
    begins = max(today, choices.starts_on) if choices else today
    first = first_day_with_lessons(actor.place, begins)
    return f"?week={first}" if first else ""


def _posted(
    request: HttpRequest, plan: ImportedTimetable, known: Known, before: Choices
) -> tuple[Choices, list[str]]:
    choices, unknown = choices_in(request.POST, ask(plan, known), before, _ids_by_label(known))
    problems = [_("“%(name)s” is not known here, or is not complete.") % {"name": name} for name in unknown]
    problems += [f"{finding.what(_)} {finding.mend(_)}" for finding in validate_periods(choices.periods)]
    return choices, problems


def _applied(request: HttpRequest, upload: int) -> list[str]:
    """Put it to use if that is what was asked; answers why not."""
    if request.POST.get("do") != "apply":
        messages.success(request, _("Your choices are kept."))
        return []
    actor = actor_of(request)
    try:
        actions.apply_timetable(actor, upload, now=clock.now(), today=clock.today(actor.place.time_zone))
    except DomainError as error:
        return [told(error)]
    messages.success(request, _("The timetable is in use."))
    return []


def _findings(plan: ImportedTimetable) -> list[dict[str, str]]:
    tones = {"error": "bad", "warning": "warn", "notice": "info"}
    labels = {"error": _("Error"), "warning": _("Warning"), "notice": _("Notice")}
    return [
        {
            "tone": tones[finding.severity.value],
            "label": labels[finding.severity.value],
            "what": finding.what(_),
            "mend": finding.mend(_),
            "where": " · ".join(
                filter(
                    None,
                    [
                        finding.file,
                        _("line %(line)s") % {"line": finding.line} if finding.line else "",
                        finding.column or "",
                    ],
                )
            ),
        }
        for finding in plan.findings
    ]


def _preview(plan: ImportedTimetable, known: Known, choices: Choices) -> dict[str, Any]:
    asked, arrangement = ask(plan, known), arrange(plan, known, choices)
    held = {form.id for form in known.forms} | {klass.sourced_id for klass in known.classes}
    names = _labels_by_id(known)
    return {
        "choices": choices,
        "facts": _facts(plan, len(arrangement.duties)),
        "opened": {
            "teachers": len(arrangement.persons),
            "forms": sum(k.is_form and k.sourced_id not in held for k in arrangement.classes),
            "classes": sum(not k.is_form and k.sourced_id not in held for k in arrangement.classes),
            "rooms": len(arrangement.rooms),
        },
        "lessons": len(arrangement.lessons),
        "duties": len(arrangement.duties),
        "tables": [
            _table("teacher", _("Teachers"), asked.teachers, choices.teachers, names["teacher"]),
            _table("group", _("Classes and groups"), asked.groups, choices.groups, names["group"]),
            _table("room", _("Rooms"), asked.rooms, choices.rooms, names["room"]),
        ],
        "subjects": [
            (number, q, choices.subjects.get(q.name, q.name)) for number, q in enumerate(asked.subjects)
        ],
        "known_subjects": sorted({subject.name for subject in known.subjects}),
        "days": [(number, name, choices.days.get(name, 0)) for number, name in enumerate(choices.days)],
        "weekdays": weekday_names(),
        "labels": {kind: list(ids) for kind, ids in _ids_by_label(known).items()},
        "has_weeks": has_weeks(plan) or bool(choices.cycle_starts_on),
        "keeps_bells": list(choices.periods) == list(known.periods),
        "unplaced": Counter(activity.reason.value for activity in plan.unplaced),
    }


def _facts(plan: ImportedTimetable, duties: int) -> list[tuple[str, int]]:
    return [
        (_("Days"), len(plan.days)),
        (_("Periods"), sum(not period.is_break for period in plan.periods)),
        (_("Teachers"), len(plan.teachers)),
        (_("Groups"), len(plan.groups)),
        (_("Rooms"), len(plan.rooms)),
        (_("Subjects"), len(plan.subjects)),
        (_("Lessons"), sum(bool(lesson.groups) for lesson in plan.lessons)),
        (_("Duties without pupils"), duties),
    ]


def _table(
    kind: str, title: str, questions: Sequence[Question], chosen: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, Any]:
    rows = [
        {
            "number": number,
            "name": question.name,
            "lessons": question.lessons,
            "choice": chosen.get(question.name, ""),
            "options": _options(kind, question, chosen.get(question.name, ""), names),
            "reason": _reasons()[question.reason],
            "open": not chosen.get(question.name, ""),
            "is_part": question.is_part,
        }
        for number, question in enumerate(questions)
    ]
    return {
        "kind": kind,
        "title": title,
        "rows": rows,
        "undecided": sum(bool(row["open"]) for row in rows),
        "new": sum(row["choice"] == NEW for row in rows),
        "found": sum(row["choice"] not in {"", NEW, SKIP, WITH_YEAR} for row in rows),
    }


def _options(kind: str, question: Question, choice: str, names: Mapping[str, str]) -> list[tuple[str, str]]:
    listed = [] if choice else [("", _("Choose …"))]
    shown = dict.fromkeys(filter(None, [choice, question.choice, *question.candidates]))
    listed += [(id_, names[id_]) for id_ in shown if id_ in names]
    new = {"teacher": _("Add as a teacher"), "group": _("Open as a form"), "room": _("Add the room")}
    if question.is_part:
        listed.append((WITH_YEAR, _("Pupils of its form")))
    return [*listed, (NEW, new[kind]), (SKIP, _("Leave out"))]


def _reasons() -> dict[MatchReason, str]:
    return {
        MatchReason.EXACT: _("Same name"),
        MatchReason.SAME_WORDS: _("Same words"),
        MatchReason.PART_OF_NAME: _("Part of the name"),
        MatchReason.ABBREVIATION: _("Abbreviation"),
        MatchReason.INITIALS: _("Initials"),
        MatchReason.PARENT_GROUP: _("Part of a form"),
        MatchReason.PART_OF_CLASS: _("Begins like the form"),
        MatchReason.AMBIGUOUS: _("Several would do"),
        MatchReason.UNMATCHED: _("Not in the school yet"),
    }


def _labels_by_id(known: Known) -> dict[str, dict[str, str]]:
    return {kind: {id_: label for label, id_ in ids.items()} for kind, ids in _ids_by_label(known).items()}


def _ids_by_label(known: Known) -> dict[str, dict[str, str]]:
    """What the page calls each row, and its id. Of two with one name the second shows its number."""
    return {
        "teacher": _distinct((row.name, row.id) for row in known.teachers),
        "group": _distinct(
            [*((row.name, row.id) for row in known.forms), *((k.title, k.sourced_id) for k in known.classes)]
        ),
        "room": _distinct((row.name, row.id) for row in known.rooms),
    }


def _distinct(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, id_ in rows:
        plain = " ".join(name.split())
        found[plain if plain not in found else f"{plain} ({id_})"] = id_
    return found
