"""Carrying notifications outside: one mail or push at a time, each with its own fate."""

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache
from smtplib import SMTPException
from typing import Any, Final

import requests
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import get_template
from django.utils import translation
from py_vapid import Vapid
from pywebpush import WebPushException, webpush

from pupitre.messaging import queries
from pupitre.messaging.models import Delivery, PushSubscription
from pupitre.messaging.rules.kinds import MOST_ATTEMPTS, WORDINGS, Channel, DeliveryState, Kind
from pupitre.people import queries as people
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope

#: What a push service answers when the browser has withdrawn (RFC 8030, 7.3).
_GONE: Final = frozenset({404, 410})
#: What it answers when it does not know our key (RFC 8292, 4.2): it will not, until the browser subscribes again.
_UNWELCOME: Final = frozenset({400, 401, 403})
#: Seconds that a push service keeps a message for a phone without network.
KEPT_FOR: Final = 6 * 3600


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a batch."""

    done: int = 0
    failed: int = 0
    again: int = 0


def carry(school_id: int, *, notification_ids: list[int], now: datetime) -> Carried:
    """Try every waiting delivery of those notifications once. Opens the school's scope itself.

    Each delivery has a transaction of its own, so that its result is kept before the next is tried: a worker that dies
    repeats at most one mail.
    """
    with scope(school_id):
        school = tenancy.school_by_id(school_id)
        waiting = queries.waiting_deliveries(notification_ids)
    counts = dict.fromkeys(DeliveryState, 0)
    mailbox = get_connection()
    try:
        for delivery_id, kind in waiting:
            with scope(school_id):
                together = _alike(delivery_id) if WORDINGS[kind].of_several else _alone(delivery_id)
                if (state := _try(school, together, mailbox, now)) is not None:
                    counts[state] += 1
    finally:
        _close(mailbox)
    return Carried(counts[DeliveryState.DONE], counts[DeliveryState.FAILED], counts[DeliveryState.WAITING])


def _close(mailbox: Any) -> None:
    try:
        mailbox.close()
    except (OSError, SMTPException):
        return  # the server was gone before we said good-bye


def _try(school: SchoolFacts, together: list[Delivery], mailbox: Any, now: datetime) -> DeliveryState | None:
    """Carry them as one. None where another worker has them or they are done."""
    if not together:
        return None
    reader = people.reachable_persons([together[0].notification.person_id])
    state, told = DeliveryState.DONE, ""
    with translation.override((reader[0].locale if reader else "") or school.locale):
        try:
            _carry_one(school, together, mailbox, now)
        except (OSError, SMTPException, WebPushException, requests.RequestException) as error:
            told = str(error)[:500]
            is_last = together[0].attempts + 1 >= MOST_ATTEMPTS
            state = DeliveryState.FAILED if is_last else DeliveryState.WAITING
    for delivery in together:
        delivery.state, delivery.error, delivery.done_at = state, told, now
        delivery.attempts += 1
    Delivery.objects.bulk_update(together, ["state", "error", "attempts", "done_at"])
    return state


_WAITING: Final = Delivery.objects.select_related("notification").filter(state=DeliveryState.WAITING)


def _alone(delivery_id: int) -> list[Delivery]:
    return list(_WAITING.select_for_update(of=("self",), skip_locked=True).filter(pk=delivery_id))


def _alike(delivery_id: int) -> list[Delivery]:
    """The delivery, and what waits with it for the same reader by the same way, of the same kind and about the same."""
    asked = _WAITING.filter(pk=delivery_id).first()
    if asked is None:
        return []
    note = asked.notification
    alike = _WAITING.filter(
        channel=asked.channel,
        address=asked.address,
        notification__person_id=note.person_id,
        notification__kind=note.kind,
        notification__url=note.url,
    )
    # Who waits here for another worker finds that it has taken them all, or takes those that came since.
    return list(alike.select_for_update(of=("self",)).order_by("id"))


def _carry_one(school: SchoolFacts, together: list[Delivery], mailbox: Any, now: datetime) -> None:
    kind = Kind(together[0].notification.kind)
    title, sentence = queries.worded_together(kind, [one.notification.facts for one in together])
    if together[0].channel == Channel.EMAIL:
        _mail(school, together[0], title, sentence, mailbox)
    else:
        _push(together[0], title, now, is_urgent=WORDINGS[kind].is_urgent)


def _mail(school: SchoolFacts, delivery: Delivery, title: str, sentence: str, mailbox: Any) -> None:
    note, base = delivery.notification, settings.CONFIG.base_url
    facts = {
        "title": title,
        "sentence": sentence,
        "school": school.name,
        "link": f"{base}{note.url}" if note.url else "",
        "choose": f"{base}/notifications",
    }
    text = get_template("messaging/mail.txt", using="jinja2").render(facts)
    mailbox.open()  # stays open for the mails that follow
    EmailMessage(
        # Whatever a title or a school's name holds, a subject is one line.
        subject=" ".join(f"{title} · {school.name}".split()),
        body=text,
        to=[delivery.address],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        connection=mailbox,
    ).send()


def _push(delivery: Delivery, title: str, now: datetime, *, is_urgent: bool) -> None:
    """The text says no more than the kind's title: a phone shows it on a locked screen.

    The title of a missing pupil names the child; that is what a guardian must see at once, and only guardians get it.
    """
    note = delivery.notification
    # Whoever shares the device may have subscribed it since: what was meant for somebody else is not for her screen.
    mine = PushSubscription.objects.filter(account_id=note.account_id, failed_at__isnull=True)
    browser = mine.filter(endpoint=delivery.address).first()
    if browser is None:
        return
    try:
        webpush(
            {"endpoint": browser.endpoint, "keys": {"p256dh": browser.p256dh, "auth": browser.auth}},
            data=json.dumps({"title": title, "url": note.url, "tag": str(note.pk)}),
            vapid_private_key=_vapid(),
            vapid_claims={"sub": f"mailto:{parseaddr(settings.CONFIG.mail_from)[1]}"},
            headers={"Urgency": "high" if is_urgent else "normal"},
            ttl=KEPT_FOR,
            timeout=10,
        )
    except WebPushException as error:
        _judge(browser, error, now)


def _judge(browser: PushSubscription, error: WebPushException, now: datetime) -> None:
    """A browser that withdrew is forgotten, one that refuses our key is left alone; anything else is tried again."""
    status = error.response.status_code if error.response is not None else 0
    if status in _GONE:
        browser.delete()
    elif status in _UNWELCOME:
        browser.failed_at = now
        browser.save(update_fields=["failed_at"])
    else:
        raise error


@lru_cache(maxsize=1)
def _vapid() -> Vapid:
    return Vapid.from_raw(settings.CONFIG.vapid_private_key.encode())


@lru_cache(maxsize=1)
def public_key() -> str:
    """The product's VAPID key as browsers take it: the uncompressed point in base64url without padding."""
    import base64

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = _vapid().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).decode().rstrip("=")
