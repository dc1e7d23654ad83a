"""Letters: what is due, the archive with its PDF, and the thresholds."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from pupitre.attendance.actions import letters as actions
from pupitre.attendance.forms import ThresholdForm
from pupitre.attendance.printing import print_letters
from pupitre.attendance.queries import letters as queries
from pupitre.attendance.queries import words
from pupitre.attendance.rules.absences import Counted
from pupitre.attendance.rules.thresholds import PLACEHOLDERS
from pupitre.attendance.views.board import for_office
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people import actions as people
from pupitre.people.access import actor_of
from pupitre.people.rules import LookAt
from pupitre.web.middleware import told
from pupitre.web.pages import render, see


def _tabs(school: str, current: str) -> list[dict[str, object]]:
    doors = [
        ("attendance-letters", _("To be written")),
        ("attendance-archive", _("Written")),
        ("attendance-thresholds", _("Thresholds")),
    ]
    return [
        {"label": label, "href": reverse(name, kwargs={"school": school}), "current": name == current}
        for name, label in doors
    ]


@require_http_methods(["GET", "POST"])
@for_office
def letters(request: HttpRequest, school: str) -> HttpResponse:
    """Who has crossed a threshold (GET); write their letters (POST)."""
    actor, now = actor_of(request), clock.now()
    if request.method == "POST":
        threshold, pupils = request.POST.get("threshold", ""), request.POST.getlist("pupil")
        chosen = [int(one) for one in pupils if one.isdecimal() and len(one) < 19]
        if not (threshold.isdecimal() and len(threshold) < 19 and chosen):
            messages.error(request, _("Choose at least one pupil."))
            return see(request, "attendance-letters", school=school)
        written = actions.issue_letters(actor, threshold_id=int(threshold), pupil_ids=chosen, now=now)
        sentence = ngettext("%(count)s letter written.", "%(count)s letters written.", len(written))
        messages.success(request, sentence % {"count": len(written)})
        return see(request, "attendance-archive", school=school)
    today = clock.local(now, actor.place.time_zone).date()
    crossings = queries.crossings_for(actor, today)
    groups: dict[int, list[queries.Crossing]] = {}
    for crossing in crossings:
        if crossing.is_due:
            groups.setdefault(crossing.threshold_id, []).append(crossing)
    context = {
        "groups": list(groups.values()),
        "has_thresholds": bool(crossings) or bool(queries.thresholds_for(actor)),
        "tabs": _tabs(school, "attendance-letters"),
        "school": school,
        "counted": words.counted_words(),
    }
    return render(request, "attendance/letters.html", context)


@require_http_methods(["GET", "POST"])
@for_office
def archive(request: HttpRequest, school: str) -> HttpResponse:
    """The letters that were written (GET); mark some as sent (POST)."""
    actor, number = actor_of(request), request.GET.get("page", "1")
    if request.method == "POST":
        chosen = [int(one) for one in request.POST.getlist("letter") if one.isdecimal() and len(one) < 19]
        sent = actions.mark_sent(actor, letter_ids=chosen, now=clock.now())
        sentence = ngettext("%(count)s letter marked as sent.", "%(count)s letters marked as sent.", sent)
        messages.success(request, sentence % {"count": sent})
        return see(request, "attendance-archive", school=school)
    page = int(number) if number.isdecimal() and 0 < int(number) < 10_000 else 1
    rows, total = queries.letters_for(actor, limit=100, offset=(page - 1) * 100)
    context = {
        "rows": rows,
        "page": page,
        "has_more": total > page * 100,
        "tabs": _tabs(school, "attendance-archive"),
        "school": school,
        "zone": actor.place.time_zone,
    }
    return render(request, "attendance/archive.html", context)


@require_GET
@for_office
def letters_pdf(request: HttpRequest, school: str) -> HttpResponse:
    """The chosen letters as one PDF, a copy for each recipient."""
    actor = actor_of(request)
    chosen = [int(one) for one in request.GET.getlist("letter") if one.isdecimal() and len(one) < 19]
    copies, pupils = queries.copies_of(actor, chosen)
    people.note_looks(actor, pupils, LookAt.ATTENDANCE, now=clock.now(), reason=_("Letter"))
    return HttpResponse(
        print_letters(copies),
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="letters-{school}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


@require_http_methods(["GET", "POST"])
@for_office
def thresholds(request: HttpRequest, school: str) -> HttpResponse:
    """The school's thresholds (GET); begin with the usual ones (POST)."""
    actor = actor_of(request)
    if request.method == "POST":
        actions.adopt_default_thresholds(actor)
        return see(request, "attendance-thresholds", school=school)
    context = {
        "thresholds": queries.thresholds_for(actor),
        "tabs": _tabs(school, "attendance-thresholds"),
        "school": school,
        "counted": words.counted_words(),
        "windows": words.window_words(),
    }
    return render(request, "attendance/thresholds.html", context)


@require_http_methods(["GET", "POST"])
@for_office
def threshold(request: HttpRequest, school: str, threshold: int | None = None) -> HttpResponse:
    """One threshold, or a new one."""
    actor, status, error = actor_of(request), 200, ""
    found = queries.access_threshold(actor, threshold) if threshold else None
    names = ("name", "counts", "limit", "window", "letter_title", "letter_body", "is_active")
    form = ThresholdForm(initial={name: getattr(found, name) for name in names} if found else None)
    if request.method == "POST":
        form, status = ThresholdForm(request.POST), 422
        if form.is_valid():
            try:
                actions.save_threshold(actor, threshold_id=threshold, **form.cleaned_data)
            except DomainError as refused:
                error = told(refused)
            else:
                messages.success(request, _("The threshold is kept."))
                return see(request, "attendance-thresholds", school=school)
    names_of_places = {name: f"{{{name}}}" for name in PLACEHOLDERS}
    examples = [
        (
            word,
            actions.default_title(counts) % names_of_places,
            actions.default_body(counts) % names_of_places,
        )
        for counts, word in words.counted_words().items()
    ]
    context = {
        "form": form,
        "threshold": found,
        "school": school,
        "error": error,
        "examples": examples,
        "placeholders": list(names_of_places.values()),
        "counted": Counted,
    }
    return render(request, "attendance/threshold.html", context, status=status)
