"""The office's pages of webhooks: which there are, one with its log, and a delivery with what was sent and answered."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pupitre.connections.actions import webhooks as actions
from pupitre.connections.queries import webhooks as queries
from pupitre.connections.rules.webhooks import LOG_KEPT, TEST, DeliveryState, DisabledBy, EventKind, Problem
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

KINDS: Final[Mapping[str, str | Promise]] = {
    EventKind.PERSON_CREATED: gettext_lazy("A person was added"),
    EventKind.PERSON_UPDATED: gettext_lazy("A person was changed"),
    EventKind.PERSON_ENDED: gettext_lazy("A person has left"),
    EventKind.ENROLMENT_CHANGED: gettext_lazy("Somebody joined or left a class"),
    EventKind.ROSTER_IMPORTED: gettext_lazy("A roster was imported"),
    EventKind.REGISTER_TAKEN: gettext_lazy("A register was taken"),
    EventKind.REGISTER_CLOSED: gettext_lazy("A register was closed"),
    EventKind.ABSENCE_ANNOUNCED: gettext_lazy("An absence was announced"),
    EventKind.ABSENCE_DECIDED: gettext_lazy("A justification was decided"),
    EventKind.PUPIL_MISSING: gettext_lazy("A pupil is missing"),
    EventKind.NOTICE_PUBLISHED: gettext_lazy("A notice was published"),
    EventKind.SUBSTITUTION_CHANGED: gettext_lazy("A lesson is held otherwise"),
}
_ALL_KINDS: Final = {**KINDS, TEST: gettext_lazy("Test")}
_STATES: Final = {
    DeliveryState.WAITING: gettext_lazy("Waiting"),
    DeliveryState.DELIVERED: gettext_lazy("Delivered"),
    DeliveryState.FAILED: gettext_lazy("Failed"),
}
_TONES: Final = {DeliveryState.WAITING: "info", DeliveryState.DELIVERED: "good", DeliveryState.FAILED: "bad"}
_PROBLEMS: Final = {
    Problem.NONE: "",
    Problem.STATUS: gettext_lazy("The other system answered with an error."),
    Problem.REFUSED_ADDRESS: gettext_lazy("The address leads into a private network, or is not https."),
    Problem.UNREACHABLE: gettext_lazy("Nobody answers at this address."),
    Problem.UNTRUSTED: gettext_lazy("The certificate of the other system is not valid."),
    Problem.TOOK_TOO_LONG: gettext_lazy("The answer took longer than 10 seconds."),
    Problem.DISABLED: gettext_lazy("The webhook was disabled while this waited."),
    Problem.UNREADABLE: gettext_lazy("The secret cannot be read any more. Make a new one."),
}
_DISABLED: Final = {
    DisabledBy.OFFICE: gettext_lazy("The office disabled it."),
    DisabledBy.GONE: gettext_lazy("The other system says that this address is gone for good."),
    DisabledBy.FAILURES: gettext_lazy("The other system accepted nothing for five days."),
}
#: What can be sent again at once: the choices of "since", in days.
_SINCE: Final = (1, 3, 7, 30)


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest, school: str) -> HttpResponse:
    """The webhooks; POST makes one, whose secret the answer shows and no page ever again."""
    return _made(request, school) if request.method == "POST" else _list(request, school)


def _made(request: HttpRequest, school: str) -> HttpResponse:
    asked = _asked(request)
    try:
        row, secret = actions.open_webhook(actor_of(request), **asked, now=clock.now())
    except DomainError as error:
        return _list(request, school, problem=told(error), **asked, status=error.status)
    return _unkept(_one(request, school, row.pk, secret=secret, is_new=True))


def _asked(request: HttpRequest) -> dict[str, Any]:
    known = {kind.value for kind in EventKind}
    text = {name: request.POST.get(name, "").replace("\0", "") for name in ("name", "url")}
    return {**text, "kinds": [EventKind(one) for one in request.POST.getlist("kind") if one in known]}


def _unkept(answer: HttpResponse) -> HttpResponse:
    answer.headers["Cache-Control"] = "no-store"  # a secret stands in it
    return answer


def _list(request: HttpRequest, school: str, *, status: int = 200, **more: Any) -> HttpResponse:
    actor = actor_of(request)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "rows": queries.webhooks_for(actor),
        "choices": KINDS.items(),
        "disabled": _DISABLED,
        "problem": "",
        "name": "",
        "url": "",
        "kinds": (),
        **more,
    }
    context["address"] = context.pop("url")
    return render(request, "connections/webhooks.html", context, status=status)


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, school: str, webhook: int) -> HttpResponse:
    """One webhook with its log; POST changes its name, address and events."""
    if request.method != "POST":
        return _one(request, school, webhook)
    asked = _asked(request)
    try:
        actions.change_webhook(actor_of(request), webhook, **asked)
    except DomainError as error:
        if error.status == 404:
            raise
        return _one(request, school, webhook, problem=told(error), asked=asked, status=error.status)
    messages.success(request, _("The webhook was changed."))
    return see(request, "webhook", school=school, webhook=webhook)


def _one(request: HttpRequest, school: str, webhook: int, *, status: int = 200, **more: Any) -> HttpResponse:
    actor, asked = actor_of(request), request.GET
    row = queries.webhook_for(actor, webhook)
    state, kind = _state(asked.get("state", "")), asked.get("kind", "")
    kind = kind if kind in _ALL_KINDS else ""
    number = asked.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else 1
    log = queries.log_of(actor, webhook, state=state, kind=kind, page=page)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "row": row,
        "now": clock.now(),
        "log": log,
        "tabs": _tabs(log.counts, state, kind),
        "kind": kind,
        "state": state,
        "kind_options": [("", _("All events")), *_ALL_KINDS.items()],
        "query": "&" + urlencode({"state": state.value if state else "", "kind": kind}),
        "since": [(str(days), _days(days)) for days in _SINCE],
        "choices": KINDS.items(),
        "secret": "",
        "is_new": False,
        "problem": "",
        "asked": {"name": row.name, "url": row.url, "kinds": row.kinds},
        **_words(),
        **more,
    }
    return render(request, "connections/webhook.html", context, status=status)


def _words() -> dict[str, Any]:
    return {
        "states": _STATES,
        "tones": _TONES,
        "problems": _PROBLEMS,
        "kind_words": _ALL_KINDS,
        "disabled": _DISABLED,
    }


def _days(days: int) -> str:
    return ngettext("since yesterday", "of the last %(days)s days", days) % {"days": days}


def _state(text: str) -> DeliveryState | None:
    return DeliveryState(int(text)) if text in {"1", "2", "3"} else None


def _tabs(
    counts: Mapping[DeliveryState, int], current: DeliveryState | None, kind: str
) -> list[dict[str, Any]]:
    choices: list[tuple[DeliveryState | None, Any, int]] = [(None, _("All"), sum(counts.values()))]
    choices += [(one, _STATES[one], counts[one]) for one in DeliveryState]
    return [
        {
            "label": label,
            "href": "?" + urlencode({"state": one.value if one else "", "kind": kind}),
            "current": one is current,
            "count": count,
        }
        for one, label, count in choices
    ]


@only(*OFFICE)
@require_POST
def secret(request: HttpRequest, school: str, webhook: int) -> HttpResponse:
    """A new secret, shown in the answer alone."""
    _row, new = actions.rotate_secret(actor_of(request), webhook, now=clock.now())
    return _unkept(_one(request, school, webhook, secret=new))


@only(*OFFICE)
@require_POST
def trials(request: HttpRequest, school: str, webhook: int) -> HttpResponse:
    """A test on its way."""
    sent = actions.send_test(actor_of(request), webhook, now=clock.now())
    messages.success(request, _("The test is on its way. Look again in a few seconds."))
    return see(request, "webhook-delivery", school=school, webhook=webhook, delivery=sent.pk)


@only(*OFFICE)
@require_POST
def activity(request: HttpRequest, school: str, webhook: int) -> HttpResponse:
    """Disable it, enable it, or remove it."""
    actor, wish = actor_of(request), request.POST.get("wish")
    if wish == "remove":
        actions.remove_webhook(actor, webhook)
        messages.success(request, _("The webhook was removed."))
        return see(request, "webhooks", school=school)
    if wish == "enable":
        actions.enable_webhook(actor, webhook)
        messages.success(request, _("The webhook is enabled. What failed before can be sent again."))
    else:
        actions.disable_webhook(actor, webhook, now=clock.now())
        messages.success(request, _("The webhook is disabled. Nothing is sent any more."))
    return see(request, "webhook", school=school, webhook=webhook)


@only(*OFFICE)
@require_POST
def replays(request: HttpRequest, school: str, webhook: int) -> HttpResponse:
    """Everything that failed since then once more."""
    days = request.POST.get("since", "")
    chosen = int(days) if days in {str(one) for one in _SINCE} else LOG_KEPT.days
    now = clock.now()
    count = actions.replay_failed(actor_of(request), webhook, since=_since(now, chosen), now=now)
    sentence = ngettext("%(count)s delivery is sent again.", "%(count)s deliveries are sent again.", count)
    messages.success(request, sentence % {"count": count})
    return see(request, "webhook", school=school, webhook=webhook)


def _since(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


@only(*OFFICE)
@require_safe
def delivery(request: HttpRequest, school: str, webhook: int, delivery: int) -> HttpResponse:
    """What was sent, how often, and what came back."""
    actor = actor_of(request)
    row = queries.webhook_for(actor, webhook)
    found = queries.access_delivery(actor, webhook, delivery)
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "webhook": row,
        "found": found,
        "row": found.row,
        "payload": json.dumps(found.payload, ensure_ascii=False, indent=2),
        **_words(),
    }
    return render(request, "connections/delivery.html", context)


@only(*OFFICE)
@require_POST
def replay(request: HttpRequest, school: str, webhook: int, delivery: int) -> HttpResponse:
    """One delivery once more."""
    actions.replay(actor_of(request), webhook, delivery, now=clock.now())
    messages.success(request, _("It is on its way again. Look again in a few seconds."))
    return see(request, "webhook-delivery", school=school, webhook=webhook, delivery=delivery)
