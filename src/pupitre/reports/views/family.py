"""The family's page over all its schools, absences announced and justified by families, and the pupil's own pages."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from pupitre.attendance.actions import absences
from pupitre.attendance.queries.absences import access_document
from pupitre.attendance.queries.words import reason_words
from pupitre.attendance.rules.absences import Reason
from pupitre.attendance.rules.status import DEFAULT_LETTERS, Status
from pupitre.kernel import clock
from pupitre.kernel.errors import Refused
from pupitre.messaging.queries import notices as messaging
from pupitre.people.access import actor_of, only, signed_in
from pupitre.people.rules import Role
from pupitre.reports import actions
from pupitre.reports.forms import ACCEPTED_FILES, AbsenceForm, read_document
from pupitre.reports.queries import days, family
from pupitre.reports.views.home import remembered
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

guardians_only = only(Role.GUARDIAN)
pupils_only = only(Role.PUPIL)


def status_words() -> dict[Status, str]:
    return {
        Status.PRESENT: _("present"),
        Status.ABSENT: _("absent"),
        Status.LATE: pgettext("one lesson", "late"),
        Status.EXCUSED: pgettext("one lesson", "excused"),
        Status.OUT: _("out of class"),
    }


def chips() -> dict[Status, tuple[str, str, str]]:
    """For each status the kind, the words and the letter of its chip."""
    letters = DEFAULT_LETTERS.get((get_language() or "en")[:2], DEFAULT_LETTERS["en"])
    words = status_words()
    return {
        status: (status.kind, words[status], letter) for status, letter in zip(Status, letters, strict=True)
    }


@signed_in
@require_GET
def family_page(request: HttpRequest) -> HttpResponse:
    """All children of the account in all its schools, on one page."""
    now = clock.now()
    schools = family.family_of(actor_of(request), now=now)
    zones = {one.school.time_zone for one in schools if one.children}
    context = {
        "schools": [one for one in schools if one.children],
        "is_guardian": bool(schools),
        "chips": chips(),
        "reasons": reason_words(),
        "several_zones": len(zones) > 1,
        "accept": ACCEPTED_FILES,
        "now": now,
        "zone": schools[0].school.time_zone if schools else "UTC",
    }
    return remembered(render(request, "reports/family.html", context), request.path)


@guardians_only
@require_http_methods(["GET", "POST"])
def announce(request: HttpRequest, school: str) -> HttpResponse:
    """Announce an absence for one or several children, or say afterwards why there was one."""
    actor, now = actor_of(request), clock.now()
    children = [one for one in family.children_of(actor, now=now) if one.may_announce]
    form = AbsenceForm(
        request.POST or None,
        request.FILES or None,
        children={one.id: one.name for one in children},
        initial=_begun(request, [one.id for one in children], clock.local(now, actor.place.time_zone).date()),
    )
    if request.method == "POST" and form.is_valid():
        try:
            count = actions.announce_for(
                actor,
                pupil_ids=form.cleaned_data["pupils"],
                span=form.span(actor.place.time_zone),
                kind=form.cleaned_data["kind"],
                reason=form.cleaned_data["reason"],
                document=form.uploaded(),
                now=now,
            )
        except Refused as error:
            form.add_error(None, told(error))
        else:
            words = ngettext(
                "The school knows about the absence.",
                "The school knows about the absence of %(count)s children.",
                count,
            )
            messages.success(request, words % {"count": count} if count > 1 else words)
            return see(request, "family")
    status = 422 if form.errors else 200
    context = {"form": form, "children": children, "school": actor.place, "is_past": "day" in request.GET}
    return render(request, "reports/announce.html", context, status=status)


def _begun(request: HttpRequest, children: list[int], today: date) -> dict[str, Any]:
    """What the address says (`?pupil=` and `?day=`), or today and, where there is only one, the child."""
    pupil, told_day = request.GET.get("pupil", ""), request.GET.get("day", "")
    chosen = [one for one in children if str(one) == pupil] or (children if len(children) == 1 else [])
    try:
        day = date.fromisoformat(told_day)
    except ValueError:
        day = today
    if abs(day - today) > timedelta(days=366):
        day = today
    return {"pupils": chosen, "first_day": day, "last_day": day, "kind": Reason.ILLNESS.value}


@guardians_only
@require_POST
def withdrawal(request: HttpRequest, school: str, absence: int) -> HttpResponse:
    absences.withdraw_absence(actor_of(request), notice_id=absence, now=clock.now())
    messages.success(request, _("The announcement is withdrawn."))
    return see(request, "family")


@guardians_only
@require_http_methods(["GET", "POST"])
def document(request: HttpRequest, school: str, absence: int) -> HttpResponse:
    """Hand a document in later, or fetch the one that was handed in."""
    actor = actor_of(request)
    if request.method == "POST":
        _attach(request, absence)
        return see(request, "family")
    kept = access_document(actor, absence)
    answer = HttpResponse(kept.data, content_type=kept.media_type)
    answer.headers["Content-Disposition"] = "attachment"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _attach(request: HttpRequest, absence: int) -> None:
    file = request.FILES.get("document")
    if file is None:
        messages.error(request, _("Choose a file first."))
        return
    try:
        absences.attach_document(actor_of(request), notice_id=absence, document=read_document(file))
    except Refused as error:
        messages.error(request, told(error))
    else:
        messages.success(request, _("The school has your document."))


@only(Role.GUARDIAN, Role.PUPIL)
@require_GET
def record(request: HttpRequest, school: str, pupil: int) -> HttpResponse:
    """A pupil's attendance of the school year, for the pupil and those who look after her or him."""
    actor = actor_of(request)
    found = family.record_of(actor, pupil, now=clock.now())
    context = {
        "record": found,
        "chips": chips(),
        "is_own": pupil == actor.person_id,
        "school": actor.place,
        "zone": actor.place.time_zone,
    }
    return render(request, "reports/record.html", context)


@pupils_only
@require_GET
def my_day(request: HttpRequest, school: str) -> HttpResponse:
    """The pupil's own day."""
    actor, now = actor_of(request), clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    context = {
        "day": days.day_of_pupil(actor.place, actor.person_id, now=now),
        "notices": messaging.waiting_for(actor.person_id, today),
        "chips": chips(),
        "school": actor.place,
        "zone": actor.place.time_zone,
        "today": today,
        "hour": clock.local(now, actor.place.time_zone).hour,
    }
    return remembered(render(request, "reports/my_day.html", context), f"/s/{school}/")
