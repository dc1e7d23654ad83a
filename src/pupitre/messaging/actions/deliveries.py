"""Carrying notifications outside: one mail or push at a time, each with its own fate."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import translation
from pywebpush import WebPushException, webpush

from pupitre.messaging import queries
from pupitre.messaging.models import Delivery, PushSubscription
from pupitre.messaging.rules.kinds import MOST_ATTEMPTS, Channel, DeliveryState, Kind
from pupitre.people import queries as people
from pupitre.tenancy.rules import SchoolFacts

#: What a push service answers when the browser has withdrawn (RFC 8030, 7.3).
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a batch."""

    done: int
    failed: int
    again: int


def carry(school: SchoolFacts, *, notification_ids: list[int], now: datetime) -> Carried:
    """Try every waiting delivery of those notifications once. Each result is kept before the next is tried."""
    waiting = queries.waiting_deliveries(notification_ids)
    readers = {p.person_id: p for p in people.reachable_persons([d.notification.person_id for d in waiting])}
    counts = {DeliveryState.DONE: 0, DeliveryState.FAILED: 0, DeliveryState.WAITING: 0}
    mailbox = get_connection()
    for delivery in waiting:
        reader = readers.get(delivery.notification.person_id)
        language = (reader.locale if reader else "") or school.locale
        with translation.override(language):
            try:
                _carry_one(school, delivery, mailbox, now)
                delivery.state, delivery.error = DeliveryState.DONE, ""
            except (OSError, WebPushException) as error:  # smtplib's errors are OSErrors
                delivery.error = str(error)[:500]
                is_last = delivery.attempts + 1 >= MOST_ATTEMPTS
                delivery.state = DeliveryState.FAILED if is_last else DeliveryState.WAITING
        delivery.attempts += 1
        delivery.done_at = now
        delivery.save(update_fields=["state", "error", "attempts", "done_at"])
        counts[DeliveryState(delivery.state)] += 1
    return Carried(counts[DeliveryState.DONE], counts[DeliveryState.FAILED], counts[DeliveryState.WAITING])


def _carry_one(school: SchoolFacts, delivery: Delivery, mailbox: object, now: datetime) -> None:
    note = delivery.notification
    title, sentence = queries.worded(Kind(note.kind), note.facts)
    if delivery.channel == Channel.EMAIL:
        _mail(school, delivery, title, sentence, mailbox)
    else:
        _push(delivery, title, now)


def _mail(school: SchoolFacts, delivery: Delivery, title: str, sentence: str, mailbox: object) -> None:
    from django.template import engines

    note = delivery.notification
    facts = {
        "title": title,
        "sentence": sentence,
        "school": school.name,
        "link": f"{settings.CONFIG.base_url}{note.url}" if note.url else "",
        "choose": f"{settings.CONFIG.base_url}/notifications",
    }
    text = engines["jinja2"].env.get_template("messaging/mail.txt").render(facts)
    EmailMessage(
        subject=" ".join(f"{title} · {school.name}".split()),
        body=text,
        to=[delivery.address],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        connection=mailbox,
    ).send()


def _push(delivery: Delivery, title: str, now: datetime) -> None:
    """The text says no more than the kind's title: a phone shows it on a locked screen.

    The title of a missing pupil names the child; that is what a guardian must see at once, and only guardians get it.
    """
    browser = PushSubscription.objects.filter(endpoint=delivery.address, failed_at__isnull=True).first()
    if browser is None:
        return
    try:
        webpush(
            {"endpoint": browser.endpoint, "keys": {"p256dh": browser.p256dh, "auth": browser.auth}},
            data=json.dumps({"title": title, "url": delivery.notification.url, "tag": str(delivery.notification_id)}),
            vapid_private_key=settings.CONFIG.vapid_private_key,
            vapid_claims={"sub": f"mailto:{settings.CONFIG.mail_from}"},
            ttl=6 * 3600,
            timeout=10,
        )
    except WebPushException as error:
        if error.response is not None and error.response.status_code in _GONE:
            browser.failed_at = now
            browser.save(update_fields=["failed_at"])
            return
        raise
