"""The office's pages of what happens to rosters by itself: pulling one from another system, keeping exports."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pupitre.courses.actions import keeping, pulling
from pupitre.courses.queries import pulling as queries
from pupitre.courses.rules.pulling import Outcome
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

# The docstrings of errors that these pages show.
ERRORS = (
    gettext_noop("Both addresses must begin with https:// and lead to the other system."),
    gettext_noop("Enter the client id and the secret that the other system has given you."),
    gettext_noop("The share lies between 0 and 100."),
    gettext_noop("No other system is entered yet."),
    gettext_noop("Choose an hour of the day, and how many exports are kept: between 1 and 366."),
)
_TEXTS = ("base_url", "token_url", "client_id", "secret")


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def source(request: HttpRequest, school: str) -> HttpResponse:
    """Where the roster is pulled from, and what came of it last; POST enters it."""
    actor, problem, given = actor_of(request), "", None
    if request.method == "POST":
        given = {name: request.POST.get(name, "").replace("\0", "") for name in _TEXTS}
        try:
            pulling.enter_source(
                actor,
                **given,
                is_nightly="is_nightly" in request.POST,
                share=_number(request.POST, "share"),
            )
            messages.success(request, _("The other system is entered."))
            return see(request, "roster-source", school=school)
        except DomainError as error:
            problem = told(error)
    facts = queries.find_source(actor)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "source": facts,
        "given": given,
        "problem": problem,
        "share": request.POST.get("share") or (facts.share if facts else 10),
        "is_nightly": "is_nightly" in request.POST if given else bool(facts and facts.is_nightly),
        "outcome": _outcome(facts.outcome) if facts and facts.outcome else None,
    }
    return render(request, "courses/roster_source.html", context, status=422 if problem else 200)


def _number(post: Mapping[str, str], name: str) -> int:
    """The number, or one that no rule allows."""
    value = post.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 5 else -1


def _outcome(outcome: Outcome) -> dict[str, str]:
    """What came of the last pull: the sign, its tone, and what it means."""
    if outcome is Outcome.APPLIED:
        return {
            "label": _("Imported"),
            "tone": "good",
            "icon": "check",
            "text": _("The changes were imported by themselves."),
        }
    if outcome is Outcome.NOTHING:
        return {
            "label": _("Nothing new"),
            "tone": "good",
            "icon": "check",
            "text": _("The other system tells what it told before."),
        }
    if outcome is Outcome.WAITS:
        text = _("Nothing was changed yet. Look at what would change, and import it.")
        return {"label": _("Waiting for you"), "tone": "warn", "icon": "clock", "text": text}
    return {"label": _("Failed"), "tone": "bad", "icon": "circle-x", "text": _failures()[outcome]}


def _failures() -> dict[Outcome, str]:
    return {
        Outcome.ERRORS: _("There are errors in what the other system tells. Nothing was changed."),
        Outcome.FORBIDDEN_ADDRESS: _(
            "One of the addresses leads into a private network, where Pupitre does not ask."
        ),
        Outcome.UNREACHABLE: _("The other system cannot be reached. Check its addresses."),
        Outcome.UNTRUSTED: _("The certificate of the other system is not valid."),
        Outcome.SLOW: _("The other system took too long to answer."),
        Outcome.WRONG_SECRET: _("The other system does not accept the client id or the secret."),
        Outcome.NO_RIGHTS: _("The other system does not let this client read rosters."),
        Outcome.STATUS: _("The other system answered with an error."),
        Outcome.NOT_ONEROSTER: _(
            "What answers there is not OneRoster 1.2. Check the address of the service."
        ),
        Outcome.INCOMPLETE: _("The other system told only a part of its roster. Nothing was changed."),
        Outcome.TOO_LARGE: _("The other system tells more than can be a school's roster."),
    }


@only(*OFFICE)
@require_POST
def pull(request: HttpRequest, school: str) -> HttpResponse:
    """Pull now."""
    pulling.start_pull(actor_of(request), now=clock.now())
    messages.info(request, _("The roster is being pulled. This page tells in a moment what came of it."))
    return see(request, "roster-source", school=school)


@only(*OFFICE)
@require_POST
def removal(request: HttpRequest, school: str) -> HttpResponse:
    """Pull no more."""
    pulling.forget_source(actor_of(request))
    messages.success(request, _("The other system is not asked any more. What was imported stays."))
    return see(request, "roster-source", school=school)


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest, school: str) -> HttpResponse:
    """The exports that are kept; POST plans them."""
    actor, problem = actor_of(request), ""
    if request.method == "POST":
        hour, kept = _number(request.POST, "hour"), _number(request.POST, "kept")
        try:
            keeping.plan_exports(actor, is_on="is_on" in request.POST, hour=hour, kept=kept)
            messages.success(request, _("The plan is saved."))
            return see(request, "roster-exports", school=school)
        except DomainError as error:
            problem = told(error)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "plan": queries.export_plan(actor),
        "rows": [(row, filesizeformat(row.size)) for row in queries.exports_for(actor)],
        "hours": [(str(hour), f"{hour}:00") for hour in range(24)],
        "problem": problem,
        "most": keeping.MOST_KEPT,
    }
    return render(request, "courses/roster_exports.html", context, status=422 if problem else 200)


@only(*OFFICE)
@require_safe
def kept_export(request: HttpRequest, school: str, export: int) -> HttpResponse:
    """One kept export, as a file."""
    actor = actor_of(request)
    row, data = keeping.open_export(actor, export, now=clock.now())
    day = clock.local(row.made_at, actor.place.time_zone).date().isoformat()
    name = f"{school}-{day}.zip"
    return HttpResponse(
        data,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
