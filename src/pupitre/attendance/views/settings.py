"""The school's own delays, switches and codes."""

from typing import Any

from django.contrib import messages
from django.forms import formset_factory
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from pupitre.attendance.actions import settings as actions
from pupitre.attendance.forms import CodeForm, SettingsForm
from pupitre.attendance.queries.registers import status_labels
from pupitre.attendance.queries.settings import own_codes, settings_for
from pupitre.attendance.rules.status import Status, default_codes
from pupitre.attendance.views.board import for_office
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of
from pupitre.people.rules import Actor
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

Codes = formset_factory(CodeForm, extra=2, max_num=30)
FIELDS = ("alerts_families", "alert_delay_minutes", "register_due_minutes", "correction_days")


@require_http_methods(["GET", "POST"])
@for_office
def settings(request: HttpRequest, school: str) -> HttpResponse:
    """The delays and switches (GET and POST), with the codes below."""
    actor = actor_of(request)
    if request.method == "POST":
        form = SettingsForm(request.POST)
        if form.is_valid():
            actions.change_settings(actor, **form.cleaned_data)
            messages.success(request, _("The settings are kept."))
            return see(request, "attendance-settings", school=school)
        return _page(request, actor, school, form=form, status=422)
    return _page(request, actor, school)


@require_POST
@for_office
def codes(request: HttpRequest, school: str) -> HttpResponse:
    """Write the school's codes; an empty line is not one."""
    actor = actor_of(request)
    lines = Codes(request.POST, prefix="codes")
    if not lines.is_valid():
        return _page(request, actor, school, lines=lines, error=_("A line could not be read."), status=422)
    facts = [
        actions.CodeFacts(
            id=told_line["id"] or 0,
            code=told_line["code"],
            label=told_line["label"],
            status=told_line["status"],
            is_active=told_line["is_active"],
        )
        for line in lines
        if (told_line := line.cleaned_data) and not line.is_empty()
    ]
    try:
        actions.change_codes(actor, codes=facts)
    except DomainError as refused:
        return _page(request, actor, school, lines=lines, error=told(refused), status=refused.status)
    messages.success(request, _("The codes are kept."))
    return see(request, "attendance-settings", school=school)


def _page(
    request: HttpRequest,
    actor: Actor,
    school: str,
    *,
    form: SettingsForm | None = None,
    lines: Any = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    held = settings_for(actor)
    form = form or SettingsForm(initial={name: getattr(held, name) for name in FIELDS})
    labels = status_labels()
    context = {
        "form": form,
        "lines": lines or Codes(initial=_shown_codes(actor, labels), prefix="codes"),
        "statuses": [(int(status), labels[status - 1]) for status in Status],
        "school": school,
        "error": error,
    }
    return render(request, "attendance/settings.html", context, status=status)


def _shown_codes(actor: Actor, labels: list[str]) -> list[dict[str, Any]]:
    """The school's own codes; the usual ones, not yet written, where it has none."""
    own = own_codes()
    if own:
        return [
            {"id": c.pk, "code": c.code, "label": c.label, "status": c.status, "is_active": c.is_active}
            for c in own
        ]
    return [
        {"id": None, "code": c.code, "label": c.label, "status": int(c.status), "is_active": True}
        for c in default_codes(actor.place.locale, labels)
    ]
