"""Making and changing webhooks, noting events for them, and having deliveries sent again."""

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from pupitre.connections.models import Webhook, WebhookDelivery, WebhookPulse
from pupitre.connections.queries import webhooks as queries
from pupitre.connections.rules.webhooks import (
    MOST_WEBHOOKS,
    ROTATION,
    TEST,
    DeliveryState,
    DisabledBy,
    EventKind,
    NoKind,
    NothingFailed,
    NotHttps,
    Problem,
    TooManyWebhooks,
    WebhookClosed,
    WebhookDisabled,
    WebhookNameMissing,
    body_of,
    new_webhook_secret,
    payload_of,
)
from pupitre.kernel import events, outward, sealing
from pupitre.kernel.errors import Conflict
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.background import deferred

SEND: Final = "pupitre.connections.jobs.send"
_LONGEST_URL: Final = 2000
# One statement, also where nobody listens: this stands in the way of whoever saves a register.
_NOTE: Final = """
INSERT INTO connections_webhookdelivery (school_id, webhook_id, event_id, kind, payload, created_at, state, attempts,
                                         next_attempt_at, problem, status, answer)
SELECT w.school_id, w.id, %s, %s, %s::jsonb, %s, 1, 0, %s, 0, 0, ''
  FROM connections_webhook w WHERE w.disabled_at IS NULL AND %s = ANY(w.kinds)
RETURNING webhook_id
"""


@transaction.atomic
def open_webhook(
    actor: Actor, *, name: str, url: str, kinds: Iterable[EventKind], now: datetime
) -> tuple[Webhook, str]:
    """Tell another system what happens from now on; answers the row and the secret, which is shown only now.

    Raises WebhookNameMissing, NotHttps, NoKind, TooManyWebhooks.
    """
    require(actor, OFFICE)
    facts = _checked(name, url, kinds)
    if Webhook.objects.count() >= MOST_WEBHOOKS:
        raise TooManyWebhooks(None, most=MOST_WEBHOOKS)
    secret = new_webhook_secret()
    row = Webhook.objects.create(
        school_id=actor.place.id,
        secret=sealing.seal(secret),
        created_at=now,
        created_by_id=actor.account_id or None,
        **facts,
    )
    WebhookPulse.objects.create(school_id=actor.place.id, webhook=row)
    return row, secret


@transaction.atomic
def change_webhook(
    actor: Actor, webhook_id: int, *, name: str, url: str, kinds: Iterable[EventKind]
) -> Webhook:
    """Another name, address or choice of events. What waits goes to the new address."""
    row = queries.access_webhook(actor, webhook_id)
    for field, value in _checked(name, url, kinds).items():
        setattr(row, field, value)
    row.save(update_fields=["name", "url", "kinds"])
    return row


def _checked(name: str, url: str, kinds: Iterable[EventKind]) -> dict[str, Any]:
    name, url = " ".join(name.split())[:80], url.strip()
    if not name:
        raise WebhookNameMissing
    if len(url) > _LONGEST_URL:
        raise NotHttps
    try:
        outward.check_address(url, allow_private=settings.CONFIG.private_addresses)
    except outward.Refused:
        raise NotHttps from None
    chosen = sorted({EventKind(kind) for kind in kinds})
    if not chosen:
        raise NoKind
    return {"name": name, "url": url, "kinds": [kind.value for kind in chosen]}


@transaction.atomic
def rotate_secret(actor: Actor, webhook_id: int, *, now: datetime) -> tuple[Webhook, str]:
    """A new secret, shown only now. For a day both sign, so that the receiver is changed without losing anything."""
    row = queries.access_webhook(actor, webhook_id)
    secret = new_webhook_secret()
    row.old_secret, row.old_secret_until = row.secret, now + ROTATION
    row.secret = sealing.seal(secret)
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return row, secret


@transaction.atomic
def disable_webhook(actor: Actor, webhook_id: int, *, now: datetime) -> None:
    """Send nothing any more. What waits is failed, and can be sent again later."""
    row = queries.access_webhook(actor, webhook_id)
    if row.disabled_at is not None:
        raise Conflict
    close(row, DisabledBy.OFFICE, now=now)


def close(row: Webhook, why: DisabledBy, *, now: datetime) -> None:
    """Disable a webhook, within the caller's transaction; who did not do it herself is told (WebhookClosed)."""
    changed = Webhook.objects.filter(pk=row.pk, disabled_at__isnull=True).update(
        disabled_at=now, disabled_by=why
    )
    if not changed:
        return
    waiting = WebhookDelivery.objects.filter(webhook=row, state=DeliveryState.WAITING)
    waiting.filter(attempts=0).update(problem=Problem.DISABLED)
    waiting.update(state=DeliveryState.FAILED, next_attempt_at=None)
    if why is not DisabledBy.OFFICE:
        events.publish(WebhookClosed(row.school_id, row.pk, row.name, why, now))


@transaction.atomic
def enable_webhook(actor: Actor, webhook_id: int) -> None:
    """Send again from now on, as if nothing had failed before."""
    row = queries.access_webhook(actor, webhook_id)
    if row.disabled_at is None:
        raise Conflict
    Webhook.objects.filter(pk=row.pk).update(disabled_at=None, disabled_by=None)
    _wake(row)


@transaction.atomic
def remove_webhook(actor: Actor, webhook_id: int) -> None:
    """Forget a webhook with its log."""
    row = queries.access_webhook(actor, webhook_id)
    WebhookDelivery.objects.filter(webhook=row).delete()
    WebhookPulse.objects.filter(webhook=row).delete()
    row.delete()


@transaction.atomic(savepoint=False)
def note_event(school_id: int, kind: EventKind, data: Mapping[str, Any], *, now: datetime) -> int:
    """Put an event on its way to every webhook of the school in scope that chose its kind; answers to how many.

    Within the transaction in which it happened: if that rolls back, nothing is sent. `data` holds ids and facts that may
    stand in another system's log: no names, no reasons, no contacts.
    """
    payload = body_of(payload_of(kind, now, data)).decode()
    facts = [uuid.uuid4(), kind.value, payload, now, now, kind.value]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, facts)
        webhook_ids = [row[0] for row in cursor.fetchall()]
    for webhook_id in webhook_ids:
        deferred(SEND, school_id, webhook_id=webhook_id)
    return len(webhook_ids)


@transaction.atomic
def send_test(actor: Actor, webhook_id: int, *, now: datetime) -> WebhookDelivery:
    """Send this receiver an event that means nothing, at once. Raises WebhookDisabled."""
    row = _enabled(actor, webhook_id)
    sent = WebhookDelivery.objects.create(
        school_id=row.school_id,
        webhook=row,
        event_id=uuid.uuid4(),
        kind=TEST,
        payload=payload_of(TEST, now, {"school": actor.place.slug, "webhook": row.pk}),
        created_at=now,
        next_attempt_at=now,
    )
    _wake(row)
    return sent


@transaction.atomic
def replay(actor: Actor, webhook_id: int, delivery_id: int, *, now: datetime) -> None:
    """Send one delivery again, whether it had arrived or not, under the same webhook-id. Raises WebhookDisabled."""
    row = _enabled(actor, webhook_id)
    queries.access_delivery(actor, webhook_id, delivery_id)
    _send_again(row, [delivery_id], now)


@transaction.atomic
def replay_failed(actor: Actor, webhook_id: int, *, since: datetime, now: datetime) -> int:
    """Send everything again that has failed of what happened since then; answers how many. Raises NothingFailed."""
    row = _enabled(actor, webhook_id)
    failed = WebhookDelivery.objects.filter(webhook=row, state=DeliveryState.FAILED, created_at__gte=since)
    ids = list(failed.order_by("id").values_list("id", flat=True))
    if not ids:
        raise NothingFailed
    _send_again(row, ids, now)
    return len(ids)


def _enabled(actor: Actor, webhook_id: int) -> Webhook:
    row = queries.access_webhook(actor, webhook_id)
    if row.disabled_at is not None:
        raise WebhookDisabled
    return row


def _send_again(row: Webhook, delivery_ids: Collection[int], now: datetime) -> None:
    WebhookDelivery.objects.filter(webhook=row, pk__in=delivery_ids).update(
        state=DeliveryState.WAITING, attempts=0, next_attempt_at=now
    )
    _wake(row)


def _wake(row: Webhook) -> None:
    """Somebody of the school looks on: a receiver that was left alone is asked at once."""
    WebhookPulse.objects.filter(webhook=row).update(paused_until=None, failures=0, failing_since=None)
    deferred(SEND, row.school_id, webhook_id=row.pk)


@transaction.atomic
def prune_log(actor: Actor, *, before: datetime) -> int:
    """Forget deliveries of events from before then; answers how many."""
    require(actor, OFFICE)
    gone, _ = WebhookDelivery.objects.filter(created_at__lt=before).delete()
    return gone
