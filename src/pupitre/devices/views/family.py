"""For the pupil and who looks after her: the devices, the contract to sign, and what the school sees on the tablet."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from pupitre.devices import wording as words
from pupitre.devices.actions import lending as actions
from pupitre.devices.actions import retention
from pupitre.devices.queries import contracts
from pupitre.devices.queries import lending as queries
from pupitre.devices.queries.transparency import Seen, seen_of
from pupitre.devices.rules import Condition, LoanState, Platform, Standing, Verb
from pupitre.devices.rules.events import EventKind
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people import queries as people
from pupitre.people.access import actor_of, only
from pupitre.people.rules import Actor, Role
from pupitre.people.wording import LOOKS
from pupitre.web.pages import render, see

from . import applying
from .lending import report_by
from .lending_words import contract_response, errors_of, reported_conditions

families_only = only(Role.PUPIL, Role.GUARDIAN)


def _page(request: HttpRequest, school: str, template: str, **context: Any) -> HttpResponse:
    shared = {"school": school, "words": words, "zone": actor_of(request).place.time_zone}
    return render(request, f"devices/{template}", shared | context)


def _own(actor: Actor) -> list[tuple[int, str]]:
    """The actor where she is a pupil, and whom she looks after: (person, name)."""
    found = [(one.pk, str(one)) for one in people.pupils_of_guardian(actor)] if actor.is_guardian else []
    return [(actor.person_id, ""), *found] if actor.is_pupil else found


@families_only
@require_safe
def devices(request: HttpRequest, school: str) -> HttpResponse:
    """What the pupil, or each child in this school, has from it; contracts that wait are on top."""
    actor = actor_of(request)
    own = _own(actor)
    names = dict(own)
    held = queries.held_by(list(names), actor.place.id)
    today = queries.today_of(actor)
    past = [
        line
        for line in queries.loans_of_persons(actor, names, today=today)
        if line.state in {LoanState.RETURNED, LoanState.SWAPPED}
    ]
    return _page(
        request, school, "own_devices.html", held=held, names=names, past=past, today=today,
        waiting=[one for one in held if one.loan is not None and one.loan.state == LoanState.PROPOSED],
        is_pupil=actor.is_pupil, broken=Condition.GOOD,
    )  # fmt: skip


@families_only
@require_safe
def device(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """What the school sees on this tablet: every field with its value, how long it is kept, and who looked."""
    actor, now = actor_of(request), clock.now()
    found = queries.access_held(actor, device)
    seen = seen_of(actor, found)
    label = queries.label(found)
    return _page(
        request, school, "own_device.html", device=found, label=label, seen=seen, parts=_parts(found, seen, label, actor),
        reasons=applying.reasons_for_pupils(found, now=now) if found.standing == Standing.ENROLLED else [],
        looks=LOOKS, verbs=words.VERBS, history=[(one, _event(one.kind)) for one in seen.events],
        is_own=found.holder_id == actor.person_id, log_days=retention.LOG_DAYS, months=retention.MONTHS,
        commands=[(one, words.VERBS[Verb(one.verb)], words.COMMAND_STATES[one.state]) for one in seen.commands],
        name=str(found.holder),
    )  # fmt: skip


def _event(kind: str) -> str:
    known = set(map(str, EventKind))
    return str(words.EVENTS[EventKind(kind)]) if kind in known else kind


def _parts(device: Any, seen: Seen, label: str, actor: Actor) -> list[dict[str, Any]]:
    """The tables of the page: what the school knows of the device, what the device told, what is installed."""
    kept = [
        (_("Label"), label),
        (_("Number in its protocol"), device.number),
        (_("Serial number"), device.serial),
        (_("IMEI of its radio"), device.imei),
        (_("System"), words.PLATFORMS[Platform(device.platform)]),
        (_("Model"), " ".join(one for one in (device.maker, device.model) if one)),
        (_("Where it stands"), words.STANDINGS[Standing(device.standing)]),
        (_("Condition"), words.CONDITIONS[Condition(device.condition)]),
        (_("Who has it"), str(device.holder)),
        (_("Notes of the school about the device"), device.notes),
    ]
    parts = [
        {
            "title": _("What the school keeps of the device"),
            "lines": [(name, value) for name, value in kept if value],
            "since": device.created_at,
            "kept": _("as long as the school has the device"),
        }
    ]
    if seen.status is not None and seen.status.last_seen_at is not None:
        parts.append(
            {
                "title": _("What the device last said"),
                "lines": _told(seen.status),
                "since": seen.status.last_seen_at,
                "kept": _("until the device says something newer: nothing older is kept"),
            }
        )
    if seen.inventory is not None and seen.inventory.hardware:
        parts.append(
            {
                "title": _("What it is made of"),
                "lines": sorted((name, str(value)) for name, value in seen.inventory.hardware.items()),
                "since": seen.inventory.reported_at,
                "kept": _("until the device says something newer: nothing older is kept"),
            }
        )
    if seen.inventory is not None:
        parts.append(
            {
                "title": _("What is installed"),
                "lines": sorted(seen.inventory.applications.items()),
                "since": seen.inventory.reported_at,
                "kept": _("until the device says something newer: nothing older is kept"),
            }
        )
    return parts


def _told(status: Any) -> list[tuple[str, Any]]:
    gigabytes = f"{status.storage_free / 1e9:.1f} GB" if status.storage_free is not None else ""
    told = [
        (_("Network address at its last contact"), status.address),
        (_("Battery"), f"{status.battery} %" if status.battery is not None else ""),
        (_("Charging"), {True: _("yes"), False: _("no")}.get(status.is_charging, "")),
        (
            _("What the battery still holds of its first capacity"),
            f"{status.battery_health} %" if status.battery_health else "",
        ),
        (_("Version of the system"), status.os_version),
        (_("Version of the management program"), status.agent_version),
        (_("Free storage"), gigabytes),
        (_("Has everything been applied"), {True: _("yes"), False: _("no")}.get(status.is_compliant, "")),
        (_("What could not be applied"), ", ".join(str(one.get("key", "")) for one in status.problems)),
    ]
    return [(name, value) for name, value in told if value]


@families_only
@require_http_methods(["GET", "HEAD", "POST"])
def loan(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """The contract to be read (GET); sign it (POST)."""
    actor = actor_of(request)
    errors: tuple[str, ...] = ()
    found = queries.access_loan(actor, loan)
    if request.method == "POST":
        try:
            actions.sign_loan(actor, loan, agrees=request.POST.get("agrees") == "on", now=clock.now())
        except NotFound:
            raise
        except DomainError as error:
            errors = errors_of(error)
        else:
            messages.success(request, _("Signed. You can read the contract here at any time."))
            return see(request, "own-loan", school=school, loan=loan)
    return _page(
        request, school, "own_loan.html", loan=found, label=queries.label(found.device), errors=errors,
        parts=contracts.parts_of(actor, found), waits=found.state == LoanState.PROPOSED,
        may_sign=queries.may_sign(actor, found, queries.today_of(actor)), state=LoanState(found.state),
    )  # fmt: skip


@families_only
@require_GET
def loan_pdf(request: HttpRequest, school: str, loan: int) -> HttpResponse:
    """The contract as PDF."""
    actor = actor_of(request)
    return contract_response(actor, queries.access_loan(actor, loan))


@families_only
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """Report one's device broken, lost or stolen."""
    actor = actor_of(request)
    errors: tuple[str, ...] = ()
    found = queries.access_held(actor, device)
    if request.method == "POST":
        try:
            report_by(actor, request, device)
        except NotFound:
            raise
        except DomainError as error:
            errors = errors_of(error)
        else:
            messages.success(
                request, _("Thank you. The school knows now and will tell you what happens next.")
            )
            return see(request, "own-devices", school=school)
    return _page(
        request, school, "report.html", label=queries.label(found), errors=errors, reported=reported_conditions(),
        happened_on=queries.today_of(actor).isoformat(), told=request.POST.get("told", ""),
        condition=request.POST.get("condition", ""), may_lock=False, shows_tabs=False,
        back=reverse("own-devices", kwargs={"school": school}),
    )  # fmt: skip
