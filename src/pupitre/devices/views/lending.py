"""Lending, for who cares for devices: loans, contracts, a class in one act, what is to be collected, what was reported."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from pupitre.courses import queries as courses
from pupitre.devices import wording as words
from pupitre.devices.actions import incidents as reporting
from pupitre.devices.actions import lending as actions
from pupitre.devices.printing import print_contracts
from pupitre.devices.queries import contracts
from pupitre.devices.queries import device as devices
from pupitre.devices.queries import lending as queries
from pupitre.devices.rules import CARES, SEES, Condition, LoanState
from pupitre.devices.rules.lending import REPORTED, Shown
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people import actions as people
from pupitre.people import queries as directory
from pupitre.people.access import actor_of, only
from pupitre.people.rules import Actor, LookAt
from pupitre.web.pages import render, see

from .lending_words import contract_response, day_of, errors_of, kept_conditions, reported_conditions
from .tabs import tabs_of

_LONGEST_ID = 18


def _id(text: str) -> int:
    """A row's number of a form or address; NotFound where it is none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID):
        raise NotFound
    return int(text)


def _page(request: HttpRequest, school: str, template: str, **context: Any) -> HttpResponse:
    shared = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-loans"),
        "words": words,
        "zone": actor_of(request).place.time_zone,
    }
    return render(request, f"devices/{template}", shared | context)


@only(*CARES)
@require_safe
def loans(request: HttpRequest, school: str) -> HttpResponse:
    """The school's loans: what runs, what waits for a signature, what is overdue, what has ended."""
    actor = actor_of(request)
    today = queries.today_of(actor)
    told = request.GET.get("show", "")
    shown = Shown(told) if told in set(map(str, Shown)) else Shown.OPEN
    number = request.GET.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and 0 < int(number) < 1000 else 1
    figures = queries.figures_for(actor, today=today)
    rows = queries.loans_for(
        actor, shown, today=today, offset=(page - 1) * queries.PAGE, limit=queries.PAGE + 1
    )
    people.note_looks(actor, [one.person_id for one in rows[: queries.PAGE]], LookAt.DEVICE, now=clock.now())
    return _page(
        request, school, "loans.html", rows=rows[: queries.PAGE], more=len(rows) > queries.PAGE, page=page, shown=shown,
        today=today, figures=figures, choices=_choices(school, shown, figures),
    )  # fmt: skip


def _choices(school: str, shown: Shown, figures: queries.Figures) -> list[dict[str, Any]]:
    href = reverse("device-loans", kwargs={"school": school})
    rows = [
        (Shown.OPEN, _("All open"), figures.open + figures.to_sign),
        (Shown.TO_SIGN, _("To be signed"), figures.to_sign),
        (Shown.OVERDUE, _("Overdue"), figures.overdue),
        (Shown.ENDED, _("Ended"), None),
    ]
    return [
        {"label": label, "href": f"{href}?show={one}", "current": one is shown, "count": count}
        for one, label, count in rows
    ]


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def new_loan(request: HttpRequest, school: str) -> HttpResponse:
    """Choose a device and who borrows it (GET); propose the loan (POST)."""
    actor = actor_of(request)
    errors: tuple[str, ...] = ()
    told = request.POST if request.method == "POST" else request.GET
    if request.method == "POST":
        try:
            loan = actions.propose_loan(
                actor, _id(told.get("device", "")), _id(told.get("person", "")), **_span(actor, request), now=clock.now()
            )  # fmt: skip
        except DomainError as error:
            errors = errors_of(error)
        else:
            messages.success(request, _("The contract waits for the family’s signature."))
            return see(request, "device-loan", school=school, loan=loan.pk)
    asked = told.get("q", "").strip()
    terms = queries.terms_of(actor)
    return _page(
        request, school, "loan_new.html", errors=errors, asked=asked, device=told.get("device", ""),
        spares=_with_chosen(actor, told.get("device", "")),
        found=[(str(one.pk), str(one)) for one in directory.people_matching(actor, asked, limit=20)] if asked else [],
        person=told.get("person", ""),
        starts_on=told.get("starts_on") or queries.today_of(actor).isoformat(), due_on=told.get("due_on", ""),
        accessories="\n".join(terms.accessories) if "accessories" not in told else told["accessories"],
    )  # fmt: skip


def _with_chosen(actor: Actor, chosen: str) -> list[tuple[str, str]]:
    """The free devices, and the one that the device's page named even where somebody has it already."""
    rows = [(str(pk), label) for pk, label in queries.spares_for(actor)]
    if chosen and chosen not in dict(rows):
        (device,) = devices.access_devices(actor, [_id(chosen)])
        rows.insert(0, (chosen, queries.label(device)))
    return rows


def _span(actor: Actor, request: HttpRequest) -> dict[str, Any]:
    return {
        "starts_on": day_of(request.POST.get("starts_on", "")) or queries.today_of(actor),
        "due_on": day_of(request.POST.get("due_on", "")),
        "accessories": request.POST.get("accessories", "").splitlines()
        if "accessories" in request.POST
        else None,
    }


@only(*CARES)
@require_safe
def loan(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """One loan with its contract, and what may follow."""
    return _loan_page(request, school, loan)


def _loan_page(request: HttpRequest, school: str, loan: int, *, errors: tuple[str, ...] = ()) -> HttpResponse:
    actor = actor_of(request)
    found = queries.access_loan(actor, loan)
    people.note_looks(actor, [found.person_id], LookAt.DEVICE, now=clock.now())
    today = queries.today_of(actor)
    running = found.state == LoanState.RUNNING
    return _page(
        request, school, "loan.html", loan=found, label=queries.label(found.device), today=today, errors=errors,
        state=LoanState(found.state), parts=contracts.parts_of(actor, found),
        spares=queries.spares_for(actor, platform=found.device.platform) if running else [],
        conditions=kept_conditions(), reported=reported_conditions(),
        incidents=queries.incidents_of([found.device_id], actor.place.id),
    )  # fmt: skip


def _act(request: HttpRequest, school: str, loan: int, act: Any, done: str) -> HttpResponse:
    """Do it and show the loan; what is refused is said on its page."""
    try:
        after = act()
    except NotFound:
        raise
    except DomainError as error:
        answer = _loan_page(request, school, loan, errors=errors_of(error))
        answer.status_code = 422
        return answer
    messages.success(request, done)
    return see(request, "device-loan", school=school, loan=after.pk)


@only(*CARES)
@require_POST
def paper(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """The contract came back signed on paper."""
    actor = actor_of(request)
    signed_on = day_of(request.POST.get("signed_on", "")) or queries.today_of(actor)
    return _act(
        request, school, loan, lambda: actions.confirm_paper(actor, loan, signed_on=signed_on, now=clock.now()),
        _("The loan is running."),
    )  # fmt: skip


@only(*CARES)
@require_POST
def cancellation(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """Take back a contract that nobody has signed."""
    actor = actor_of(request)
    return _act(
        request,
        school,
        loan,
        lambda: actions.cancel_loan(actor, loan, now=clock.now()),
        _("The loan was cancelled."),
    )


@only(*CARES)
@require_POST
def swap(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """Give the borrower a spare: one act."""
    actor, told = actor_of(request), request.POST
    return _act(
        request, school, loan,
        lambda: actions.swap_loan(
            actor, loan, _id(told.get("spare", "")), condition=_condition(told.get("condition", ""), Condition.BROKEN),
            told=told.get("told", ""), now=clock.now(),
        ),
        _("The loan goes on with this device. Its policies and applications follow by themselves."),
    )  # fmt: skip


@only(*CARES)
@require_POST
def giving_back(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """The device came back, with what came with it."""
    actor, told = actor_of(request), request.POST
    return _act(
        request, school, loan,
        lambda: actions.return_loan(
            actor, loan, returned=told.getlist("returned"),
            condition=_condition(told.get("condition", ""), Condition.GOOD), told=told.get("told", ""), now=clock.now(),
        ),
        _("The device was returned."),
    )  # fmt: skip


def _condition(told: str, otherwise: Condition) -> Condition:
    return Condition(int(told)) if told in {str(int(one)) for one in Condition} else otherwise


@only(*CARES)
@require_GET
def contract_pdf(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """A contract as PDF: as it was signed here, or to be signed on paper."""
    actor = actor_of(request)
    found = queries.access_loan(actor, loan)
    people.note_looks(actor, [found.person_id], LookAt.DOCUMENT, now=clock.now(), reason=_("Loan contract"))
    return contract_response(actor, found)


@only(*CARES)
@require_GET
def contracts_pdf(request: HttpRequest, school: str) -> HttpResponse:
    """All contracts that wait for a signature, to be printed in one go."""
    actor = actor_of(request)
    lines = queries.loans_for(actor, Shown.TO_SIGN, today=queries.today_of(actor), limit=300)
    if not lines:
        raise NotFound
    people.note_looks(
        actor, [one.person_id for one in lines], LookAt.DOCUMENT, now=clock.now(), reason=_("Loan contract")
    )
    found = queries.loans_by_id(actor, [one.id for one in lines])
    copies = contracts.contracts_of(actor, found, language=get_language() or actor.place.locale)
    return _pdf(print_contracts(copies), f"contracts-{school}.pdf")


def _pdf(data: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(data, content_type="application/pdf", headers=headers)


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def class_loans(request: HttpRequest, school: str) -> HttpResponse:
    """Look what a class would borrow (GET); lend it (POST)."""
    actor = actor_of(request)
    errors: tuple[str, ...] = ()
    told = request.POST if request.method == "POST" else request.GET
    chosen = told.get("class", "")
    if request.method == "POST":
        try:
            done = actions.lend_class(actor, _id(chosen), **_span(actor, request), now=clock.now())
        except NotFound:
            raise
        except DomainError as error:
            errors = errors_of(error)
        else:
            sentence = ngettext("%(num)s contract waits for its signature.", "%(num)s contracts wait for their signatures.", len(done.loans))  # fmt: skip
            messages.success(request, sentence % {"num": len(done.loans)})
            return see(request, "device-loans", school=school)
    today = queries.today_of(actor)
    plan = queries.class_plan(actor, _id(chosen), today=today) if chosen else None
    classes = [(one["id"], one["title"]) for one in courses.homerooms()]
    return _page(
        request, school, "loan_class.html", classes=classes, chosen=int(chosen) if chosen else 0, plan=plan, errors=errors,
        starts_on=told.get("starts_on") or today.isoformat(), due_on=told.get("due_on", ""),
        accessories="\n".join(queries.terms_of(actor).accessories),
    )  # fmt: skip


@only(*CARES)
@require_safe
def collection(request: HttpRequest, school: str) -> HttpResponse:
    """What is to be collected by a day, class by class, with the accessories to be ticked off: a page to print."""
    actor = actor_of(request)
    today = queries.today_of(actor)
    until = day_of(request.GET.get("until", "")) or date(today.year + (today.month > 8), 7, 31)
    rows = queries.collection_list(actor, until, today=today)
    people.note_looks(actor, [one.person_id for one in rows], LookAt.DEVICE, now=clock.now())
    groups: dict[str, list[queries.LoanLine]] = {}
    for row in rows:
        groups.setdefault(row.form, []).append(row)
    return _page(request, school, "collection.html", groups=groups, until=until, count=len(rows))


@only(*CARES)
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HttpRequest, school: str) -> HttpResponse:
    """On what terms the school lends."""
    actor = actor_of(request)
    errors: tuple[str, ...] = ()
    held = queries.terms_of(actor)
    conditions, accessories = held.conditions, "\n".join(held.accessories)
    if request.method == "POST":
        conditions, accessories = request.POST.get("conditions", ""), request.POST.get("accessories", "")
        try:
            actions.save_terms(actor, conditions=conditions, accessories=accessories)
        except DomainError as error:
            errors = errors_of(error)
        else:
            messages.success(request, _("Saved. Contracts that are proposed from now on say so."))
            return see(request, "device-loan-terms", school=school)
    return _page(
        request, school, "loan_terms.html", conditions=conditions, accessories=accessories, errors=errors,
        usual=contracts.usual_conditions(),
    )  # fmt: skip


# Reports


@only(*CARES)
@require_safe
def incidents(request: HttpRequest, school: str) -> HttpResponse:
    """What was reported broken, lost or stolen."""
    actor, closed = actor_of(request), request.GET.get("show") == "closed"
    rows = queries.incidents_for(actor, closed=closed)
    holders = [one.device.holder_id for one in rows if one.device.holder_id]
    people.note_looks(actor, holders, LookAt.DEVICE, now=clock.now())
    lines = [
        {"row": one, "label": queries.label(one.device), "condition": Condition(one.condition)}
        for one in rows
    ]
    return _page(request, school, "incidents.html", lines=lines, closed=closed, conditions=kept_conditions())


@only(*CARES)
@require_POST
def closure(request: HttpRequest, school: str, incident: int) -> HttpResponse:
    """What became of a report: it is in repair, or closed."""
    actor, told = actor_of(request), request.POST
    if told.get("act") == "repair":
        reporting.send_to_repair(actor, incident, now=clock.now())
        messages.success(request, _("The device is in repair."))
    else:
        reporting.close_incident(
            actor, incident, outcome=told.get("outcome", ""),
            condition=_condition(told.get("condition", ""), Condition.GOOD), now=clock.now(),
        )  # fmt: skip
        messages.success(request, _("The report is closed."))
    return see(request, "device-incidents", school=school)


@only(*SEES)
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """Report a device broken, lost or stolen, as one of the staff."""
    actor = actor_of(request)
    errors: tuple[str, ...] = ()
    found = devices.access_device(actor, device, today=queries.today_of(actor))
    if request.method == "POST":
        try:
            report_by(actor, request, device)
        except DomainError as error:
            errors = errors_of(error)
        else:
            messages.success(request, _("Reported."))
            return see(request, "device", school=school, device=device)
    return _page(
        request, school, "report.html", label=queries.label(found), errors=errors, reported=reported_conditions(),
        happened_on=queries.today_of(actor).isoformat(), told=request.POST.get("told", ""),
        condition=request.POST.get("condition", ""), may_lock=actor.is_any(CARES),
        back=reverse("device", kwargs={"school": school, "device": device}), shows_tabs=actor.is_any(CARES),
    )  # fmt: skip


def report_by(actor: Actor, request: HttpRequest, device: int) -> None:
    """Report what the form says; for staff and families."""
    told = request.POST
    condition = _condition(told.get("condition", ""), Condition.GOOD)
    reporting.report_device(
        actor, device, condition=condition if condition in REPORTED else Condition.GOOD, told=told.get("told", ""),
        happened_on=day_of(told.get("happened_on", "")) or queries.today_of(actor), locks=told.get("locks") == "on",
        now=clock.now(),
    )  # fmt: skip
