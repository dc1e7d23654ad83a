"""The office's justifications: the list, one of them, a new one, the decision and the document."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pupitre.attendance.actions import absences as actions
from pupitre.attendance.forms import AbsenceFilter, AbsenceForm, DecisionForm, document_of
from pupitre.attendance.queries import absences as queries
from pupitre.attendance.queries import words
from pupitre.attendance.queries.registers import status_labels, status_letters
from pupitre.attendance.queries.rosters import forms_for
from pupitre.attendance.rules.absences import NoticeState
from pupitre.attendance.rules.status import Status
from pupitre.attendance.views.board import for_office, span_words
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people import actions as people_actions
from pupitre.people import queries as people
from pupitre.people.access import actor_of, only
from pupitre.people.rules import STAFF, LookAt, Role
from pupitre.people.rules.grades import grade_label
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

PAGE = 50
for_readers = only(Role.HEAD, Role.SECRETARY, Role.COUNSELLOR)


@require_GET
@for_readers
def absences(request: HttpRequest, school: str) -> HttpResponse:
    """The list of one state, with its counts, filters and the decision in bulk."""
    actor, now = actor_of(request), clock.now()
    state_key, form_id, asked = AbsenceFilter(request.GET).chosen()
    number = request.GET.get("page", "1")
    page_number = int(number) if number.isdecimal() and 0 < int(number) < 10_000 else 1
    state = AbsenceFilter.STATES[state_key]
    rows, total = queries.notices_for(
        actor, state=state, form_id=form_id, words=asked, limit=PAGE, offset=(page_number - 1) * PAGE
    )
    counts, today = queries.count_by_state(actor), clock.local(now, actor.place.time_zone).date()
    here, state_words = reverse("absences", kwargs={"school": school}), words.state_words()
    tabs = [
        {
            "label": state_words[one],
            "href": f"{here}?state={key}",
            "current": key == state_key,
            "count": counts.get(one, 0),
        }
        for key, one in AbsenceFilter.STATES.items()
    ]
    context = {
        "rows": rows,
        "page": Paginator(range(total), PAGE).get_page(page_number),
        "tabs": tabs,
        "state": state_key,
        "form_id": form_id,
        "asked": asked,
        "form_options": [("", _("All classes")), *((form.id, form.title) for form in forms_for())],
        "school": school,
        "zone": actor.place.time_zone,
        "reasons": words.reason_words(),
        "spans": {row.id: span_words(row, today) for row in rows},
        "decides": actor.is_office,
    }
    return render(request, "attendance/absences.html", context)


@require_GET
@for_readers
def absence(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    """One justification with its lessons, document and decision."""
    return _page_of(request, school, notice)


def _page_of(
    request: HttpRequest, school: str, notice_id: int, *, error: str = "", status: int = 200
) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    row = queries.access_notice_row(actor, notice_id)
    people_actions.note_looks(actor, [row.pupil_id], LookAt.ATTENDANCE, now=now)
    context = {
        "row": row,
        "span": span_words(row, clock.local(now, actor.place.time_zone).date()),
        "lessons": queries.marks_met_by(row),
        "labels": status_labels(),
        "letters": status_letters(),
        "statuses": list(Status),
        "school": school,
        "zone": actor.place.time_zone,
        "reason": words.reason_words()[row.kind],
        "state": words.state_words()[row.state],
        "tone": words.STATE_TONES[row.state],
        "is_pending": row.state is NoticeState.PENDING and row.withdrawn_at is None,
        "decides": actor.is_office,
        "error": error,
    }
    return render(request, "attendance/absence.html", context, status=status)


@require_POST
@for_office
def decisions(request: HttpRequest, school: str) -> HttpResponse:
    """Accept or refuse one justification, or several at once."""
    actor = actor_of(request)
    form = DecisionForm(request.POST, request.POST.getlist("notice"))
    if not form.is_valid():
        messages.error(request, _("Choose at least one justification."))
        return see(request, "absences", school=school)
    facts, accepted = form.cleaned_data, form.cleaned_data["verdict"] == "accept"
    try:
        decided = actions.decide_absences(
            actor, notice_ids=facts["notice"], accepted=accepted, note=facts["note"], now=clock.now()
        )
    except DomainError as error:
        if len(facts["notice"]) == 1:
            return _page_of(request, school, facts["notice"][0], error=told(error), status=error.status)
        raise
    sentence = (
        ngettext("%(count)s absence accepted.", "%(count)s absences accepted.", len(decided))
        if accepted
        else ngettext("%(count)s absence refused.", "%(count)s absences refused.", len(decided))
    )
    messages.success(request, sentence % {"count": len(decided)})
    return see(request, "absences", school=school)


@require_POST
@for_office
def withdrawal(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    actions.withdraw_absence(actor_of(request), notice_id=notice, now=clock.now())
    messages.success(request, _("The announcement was withdrawn."))
    return see(request, "absence", school=school, notice=notice)


def document(request: HttpRequest, school: str, notice: int) -> HttpResponse:
    """The document as an attachment (GET), or a document handed in later (POST). For whoever sees the pupil's record."""
    actor = actor_of(request)
    if request.method == "POST":
        file = document_of(request.FILES.get("document"))
        if file:
            actions.attach_document(actor, notice_id=notice, document=file)
            messages.success(request, _("The document is kept."))
        else:
            queries.access_notice(actor, notice)
        return see(
            request,
            "absence" if actor.is_any(STAFF) else "home",
            **_where(actor.is_any(STAFF), school, notice),
        )
    found = queries.access_document(actor, notice)
    people_actions.note_looks(actor, [found.pupil_id], LookAt.DOCUMENT, now=clock.now())
    return HttpResponse(
        found.data,
        content_type=found.media_type,
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=found.name)
            or "attachment",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
        },
    )


def _where(is_staff: bool, school: str, notice: int) -> dict[str, Any]:
    return {"school": school, "notice": notice} if is_staff else {}


@require_http_methods(["GET", "POST"])
@for_office
def new_absence(request: HttpRequest, school: str) -> HttpResponse:
    """Note an absence for a pupil: find the pupil, then say when and why."""
    actor, now = actor_of(request), clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    pupil_id = request.POST.get("pupil") or request.GET.get("pupil", "")
    asked = request.GET.get("q", "")
    pupil = people.access_pupil(actor, int(pupil_id)) if pupil_id.isdecimal() and len(pupil_id) < 19 else None
    found = (
        people.people_matching(actor, asked, role=Role.PUPIL, limit=30) if asked.strip() and not pupil else []
    )
    form = AbsenceForm(initial={"first_day": today, "last_day": today + timedelta(days=0)})
    status, error = 200, ""
    if request.method == "POST" and pupil:
        form = AbsenceForm(request.POST, request.FILES)
        status = 422
        if form.is_valid():
            span, facts = form.span(actor.place.time_zone), form.cleaned_data
            try:
                notice = actions.announce_absence(
                    actor, pupil_id=pupil.pk, starts_at=span.starts_at, ends_at=span.ends_at,
                    kind=facts["kind"], reason=facts["reason"], document=form.uploaded(), now=now,
                )  # fmt: skip
            except DomainError as refused:
                error, status = told(refused), refused.status
            else:
                messages.success(request, _("The absence is noted."))
                return see(request, "absence", school=school, notice=notice.pk)
    context = {
        "pupil": pupil, "found": found, "asked": asked, "form": form, "school": school, "error": error,
        "grades": {one.grade: grade_label(one.grade, actor.place.country) for one in found},
    }  # fmt: skip
    return render(request, "attendance/new_absence.html", context, status=status)
