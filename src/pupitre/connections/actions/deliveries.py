"""Sending what waits for a receiver: one worker at a time, a few deliveries a turn, no transaction open meanwhile."""

import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Min, Q

from pupitre.connections.models import Webhook, WebhookDelivery, WebhookPulse
from pupitre.connections.rules import webhooks as rules
from pupitre.connections.rules.webhooks import Attempt, DeliveryState, DisabledBy, Problem
from pupitre.kernel import clock, outward, sealing
from pupitre.tenancy.background import deferred
from pupitre.tenancy.scoping import scope

from .webhooks import SEND, close

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: A turn ends after so many deliveries, or so many seconds: then others have theirs.
MOST_A_TURN, TURN_SECONDS = 50, 20.0
#: A turn that has not ended by then was a worker's that died.
TURN_LOST: Final = timedelta(seconds=90)
#: So many receivers are asked at once by one worker process, which has other work, too.
_SLOTS: Final = threading.BoundedSemaphore(2)
_SLOTS_TAKEN: Final = timedelta(seconds=2)
_PROBLEMS: Final = {
    outward.Refused: Problem.REFUSED_ADDRESS,
    outward.Unreachable: Problem.UNREACHABLE,
    outward.Untrusted: Problem.UNTRUSTED,
    outward.TookTooLong: Problem.TOOK_TOO_LONG,
}


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A delivery taken out of the database to be sent."""

    id: int
    event_id: str
    body: bytes
    url: str
    keys: tuple[str, ...]


def carry(school_id: int, *, webhook_id: int, now: datetime) -> int:
    """Send what is due for one webhook and have the rest sent in its time; answers how many were tried.

    Opens the school's scope itself, and never holds a transaction while a receiver takes its time. Whoever finds another
    worker at it leaves: the other looks once more after its turn. Raises nothing that a receiver could cause.
    """
    if not _SLOTS.acquire(blocking=False):
        with scope(school_id):
            deferred(SEND, school_id, at=now + _SLOTS_TAKEN, webhook_id=webhook_id)
        return 0
    try:
        return _turns(school_id, webhook_id, now)
    finally:
        _SLOTS.release()


def _turns(school_id: int, webhook_id: int, now: datetime) -> int:
    """Turns until nothing is due. Only after a turn is given up does its worker know that nobody left it work."""
    tried, ends = 0, time.monotonic() + TURN_SECONDS
    while _take_turn(school_id, webhook_id, now):
        while tried < MOST_A_TURN and time.monotonic() < ends:
            goes_on = _send_next(school_id, webhook_id)
            if goes_on is None:
                break
            tried += 1
            if not goes_on:
                break
        now = clock.now()
        _end_turn(school_id, webhook_id)
        if tried >= MOST_A_TURN or time.monotonic() >= ends or not _goes_on(school_id, webhook_id, now):
            _wake_later(school_id, webhook_id, now)
            break
    return tried


def _take_turn(school_id: int, webhook_id: int, now: datetime) -> bool:
    with scope(school_id):
        free = Q(busy_until__isnull=True) | Q(busy_until__lte=now)
        awake = Q(paused_until__isnull=True) | Q(paused_until__lte=now)
        pulse = WebhookPulse.objects.filter(free, awake, webhook_id=webhook_id)
        return bool(pulse.update(busy_until=now + TURN_LOST))


def _end_turn(school_id: int, webhook_id: int) -> None:
    with scope(school_id):
        WebhookPulse.objects.filter(webhook_id=webhook_id).update(busy_until=None)


def _waiting(webhook_id: int) -> "QuerySet[WebhookDelivery]":
    """What waits for a webhook that is not disabled."""
    found = WebhookDelivery.objects.filter(webhook_id=webhook_id, state=DeliveryState.WAITING)
    return found.filter(webhook__disabled_at__isnull=True)


def _goes_on(school_id: int, webhook_id: int, now: datetime) -> bool:
    """Whether something is due and its receiver may be asked."""
    with scope(school_id):
        paused = WebhookPulse.objects.filter(webhook_id=webhook_id, paused_until__gt=now)
        return _waiting(webhook_id).filter(next_attempt_at__lte=now).exists() and not paused.exists()


def _send_next(school_id: int, webhook_id: int) -> bool | None:
    """Try the delivery that has waited longest. None where none is due, False where the receiver is to be left alone."""
    now = clock.now()
    with scope(school_id):
        parcel = _parcel(webhook_id, now)
    if parcel is None:
        return None
    attempt = _attempt(parcel, now)
    with scope(school_id):
        return _record(webhook_id, parcel.id, attempt, clock.now())


def _parcel(webhook_id: int, now: datetime) -> _Parcel | None:
    found = (
        _waiting(webhook_id)
        .filter(next_attempt_at__lte=now)
        .select_related("webhook")
        .order_by("next_attempt_at", "id")
        .first()
    )
    if found is None:
        return None
    keys = _keys(found.webhook, now)
    return _Parcel(found.pk, str(found.event_id), rules.body_of(found.payload), found.webhook.url, keys)


def _keys(webhook: Webhook, now: datetime) -> tuple[str, ...]:
    """The secrets that sign now; none where they cannot be read."""
    sealed = [webhook.secret]
    if webhook.old_secret is not None and webhook.old_secret_until and webhook.old_secret_until > now:
        sealed.append(webhook.old_secret)
    try:
        return tuple(sealing.unseal(one) for one in sealed)
    except sealing.Unreadable:
        return ()


def _attempt(parcel: _Parcel, now: datetime) -> Attempt:
    if not parcel.keys:
        return Attempt(Problem.UNREADABLE)
    headers = rules.headers_of(parcel.keys, parcel.event_id, now, parcel.body)
    allow_private = settings.CONFIG.private_addresses
    try:
        answer = outward.post(
            parcel.url, parcel.body, headers, seconds=rules.SECONDS, allow_private=allow_private
        )
    except outward.OutwardError as error:
        return Attempt(_PROBLEMS[type(error)])
    return rules.attempt_of(answer.status, answer.body, answer.headers.get("retry-after", ""))


def _record(webhook_id: int, delivery_id: int, attempt: Attempt, now: datetime) -> bool:
    """Keep what came of it. Answers whether the receiver may be asked for the next one at once."""
    delivery = WebhookDelivery.objects.select_for_update().filter(pk=delivery_id).first()
    pulse = WebhookPulse.objects.select_for_update().filter(webhook_id=webhook_id).first()
    if delivery is None or pulse is None:
        return False  # the webhook was removed meanwhile
    _keep(delivery, attempt, now)
    if attempt.is_delivered:
        pulse.failures, pulse.failing_since, pulse.paused_until = 0, None, None
        pulse.delivered_at = now
    elif attempt.blames_receiver:
        pulse.failures = min(pulse.failures + 1, 1000)
        pulse.failing_since = pulse.failing_since or now
        pulse.paused_until = rules.pause_until(pulse.failures, now, wait=attempt.wait)
    else:
        pulse.failing_since = pulse.failing_since or now
    pulse.save(update_fields=["failures", "failing_since", "paused_until", "delivered_at"])
    return _judge(webhook_id, attempt, pulse, now)


def _keep(delivery: WebhookDelivery, attempt: Attempt, now: datetime) -> None:
    delivery.attempts += 1
    delivery.attempted_at = now
    delivery.problem, delivery.status, delivery.answer = attempt.problem, attempt.status, attempt.answer
    delivery.next_attempt_at = None
    if attempt.is_delivered:
        delivery.state, delivery.delivered_at = DeliveryState.DELIVERED, now
    elif delivery.kind == rules.TEST:
        delivery.state = DeliveryState.FAILED  # somebody waits for its result, and sends another
    elif delivery.state == DeliveryState.WAITING:
        again = rules.next_attempt(delivery.attempts, now, chance=random.random(), wait=attempt.wait)  # noqa: S311 - jitter
        delivery.state = DeliveryState.FAILED if again is None else DeliveryState.WAITING
        delivery.next_attempt_at = again
    delivery.save(
        update_fields=[
            *("attempts", "attempted_at", "problem", "status", "answer"),
            *("next_attempt_at", "state", "delivered_at"),
        ]
    )


def _judge(webhook_id: int, attempt: Attempt, pulse: WebhookPulse, now: datetime) -> bool:
    """Disable a webhook whose receiver is gone for good."""
    why = DisabledBy.GONE if attempt.is_gone else None
    if why is None and not attempt.is_delivered and rules.is_hopeless(pulse.failing_since, now):
        why = DisabledBy.FAILURES
    if why is not None:
        close(Webhook.objects.get(pk=webhook_id), why, now=now)
        return False
    return not attempt.blames_receiver


def _wake_later(school_id: int, webhook_id: int, now: datetime) -> None:
    """Have the next attempt made in its time, by one job however many wait."""
    with scope(school_id):
        at = _waiting(webhook_id).aggregate(first=Min("next_attempt_at"))["first"]
        pulse = WebhookPulse.objects.select_for_update().filter(webhook_id=webhook_id).first()
        if at is None or pulse is None:
            return
        at = max(at, pulse.paused_until or at, now)
        if pulse.wakes_at is not None and now < pulse.wakes_at <= at:
            return
        pulse.wakes_at = at
        pulse.save(update_fields=["wakes_at"])
        deferred(SEND, school_id, at=at, webhook_id=webhook_id)
