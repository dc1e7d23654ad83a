"""Reading webhooks and the log of their deliveries."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q

from pupitre.connections.models import Webhook, WebhookDelivery, WebhookPulse
from pupitre.connections.rules.webhooks import DeliveryState, DisabledBy, Problem
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import OFFICE, Actor, require

PAGE: Final = 50


def access_webhook(actor: Actor, webhook_id: int) -> Webhook:
    """The webhook, for the office. Raises NotFound."""
    require(actor, OFFICE)
    found = Webhook.objects.filter(pk=webhook_id).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook as the office sees it, without its secret."""

    id: int
    name: str
    url: str
    kinds: tuple[str, ...]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    disabled_by: DisabledBy | None
    old_secret_until: datetime | None
    failing_since: datetime | None
    delivered_at: datetime | None
    waiting: int


def webhooks_for(actor: Actor) -> list[WebhookRow]:
    """The school's webhooks, by name. Three statements."""
    require(actor, OFFICE)
    return _rows(Webhook.objects.order_by("name", "id"))


def webhook_for(actor: Actor, webhook_id: int) -> WebhookRow:
    """One of them. Raises NotFound."""
    require(actor, OFFICE)
    found = _rows(Webhook.objects.filter(pk=webhook_id))
    if not found:
        raise NotFound
    return found[0]


def _rows(found: Any) -> list[WebhookRow]:
    columns = ("id", "name", "url", "kinds", "created_at", "created_by__display_name")
    rows: list[Any] = list(found.values_list(*columns, "disabled_at", "disabled_by", "old_secret_until"))
    ids = [row[0] for row in rows]
    pulses: dict[int, Any] = {
        webhook_id: (since, at)
        for webhook_id, since, at in WebhookPulse.objects.filter(webhook_id__in=ids).values_list(
            "webhook_id", "failing_since", "delivered_at"
        )
    }
    waiting = _waiting(ids)
    return [
        WebhookRow(
            id=row[0],
            name=row[1],
            url=row[2],
            kinds=tuple(row[3]),
            created_at=row[4],
            created_by=row[5] or "",
            disabled_at=row[6],
            disabled_by=DisabledBy(row[7]) if row[7] is not None else None,
            old_secret_until=row[8],
            failing_since=pulses.get(row[0], (None, None))[0],
            delivered_at=pulses.get(row[0], (None, None))[1],
            waiting=waiting.get(row[0], 0),
        )
        for row in rows
    ]


def _waiting(ids: list[int]) -> dict[int, int]:
    found = WebhookDelivery.objects.filter(webhook_id__in=ids, state=DeliveryState.WAITING)
    return dict(found.values_list("webhook_id").annotate(count=Count("id")))


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A line of the log."""

    id: int
    event_id: uuid.UUID
    kind: str
    created_at: datetime
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None
    attempted_at: datetime | None
    problem: Problem
    status: int
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Log:
    """A page of the log, and how many deliveries are in each state."""

    page: Page[Any]
    rows: list[DeliveryRow]
    counts: Mapping[DeliveryState, int]


_COLUMNS: Final = (
    *("id", "event_id", "kind", "created_at", "state", "attempts"),
    *("next_attempt_at", "attempted_at", "problem", "status", "delivered_at"),
)


def log_of(
    actor: Actor, webhook_id: int, *, state: DeliveryState | None = None, kind: str = "", page: int = 1
) -> Log:
    """The deliveries of a webhook, the newest first. Three statements."""
    require(actor, OFFICE)
    all_of = WebhookDelivery.objects.filter(webhook_id=webhook_id)
    if kind:
        all_of = all_of.filter(kind=kind)
    counts = dict(all_of.values_list("state").annotate(count=Count("id")))
    found = all_of.filter(state=state) if state is not None else all_of
    pages = Paginator(found.order_by("-id").values_list(*_COLUMNS), PAGE)
    # The states were counted already: the paginator need not count once more.
    pages.__dict__["count"] = sum(counts.values()) if state is None else counts.get(state, 0)
    shown = pages.get_page(page)
    return Log(shown, [_delivery(row) for row in shown], {one: counts.get(one, 0) for one in DeliveryState})


def _delivery(row: Any) -> DeliveryRow:
    facts = dict(zip(_COLUMNS, row, strict=True))
    return DeliveryRow(
        **{**facts, "state": DeliveryState(facts["state"]), "problem": Problem(facts["problem"])}
    )


@dataclass(frozen=True, slots=True)
class DeliveryFile:
    """A delivery with what was sent and what came back."""

    row: DeliveryRow
    payload: Mapping[str, Any]
    answer: str


def access_delivery(actor: Actor, webhook_id: int, delivery_id: int) -> DeliveryFile:
    """One delivery of that webhook. Raises NotFound."""
    require(actor, OFFICE)
    found = WebhookDelivery.objects.filter(pk=delivery_id, webhook_id=webhook_id)
    row = found.values_list(*_COLUMNS, "payload", "answer").first()
    if row is None:
        raise NotFound
    return DeliveryFile(_delivery(row[: len(_COLUMNS)]), row[-2], row[-1])


def webhooks_due(before: datetime) -> list[int]:
    """Webhooks of the school in scope for which something should have been tried before then, and was not."""
    late = WebhookDelivery.objects.filter(state=DeliveryState.WAITING, next_attempt_at__lt=before)
    paused = WebhookPulse.objects.filter(Q(paused_until__gte=before) | Q(busy_until__gte=before))
    found = late.filter(webhook__disabled_at__isnull=True).exclude(webhook_id__in=paused.values("webhook_id"))
    return list(found.order_by("webhook_id").values_list("webhook_id", flat=True).distinct())
