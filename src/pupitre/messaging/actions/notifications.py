"""Telling persons something: in the product, by e-mail, and by web push."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from pupitre.kernel.errors import NotFound
from pupitre.messaging.models import Delivery, Notification, Preference, PushSubscription
from pupitre.messaging.rules.kinds import Channel, Kind
from pupitre.messaging.rules.push import check_browser
from pupitre.people import queries as people
from pupitre.people.rules import Actor
from pupitre.tenancy.background import deferred
from pupitre.tenancy.scoping import scope

#: One job carries this many notifications outside: jobs are dear, rows are cheap.
BATCH = 100


@transaction.atomic
def tell(
    school_id: int,
    person_ids: Iterable[int],
    kind: Kind,
    facts: Mapping[str, Any],
    url: str,
    *,
    now: datetime,
) -> list[Notification]:
    """Put a line behind the bell of those persons, and carry it outside as each of them likes.

    `facts` are what the kind's sentence names (messaging.rules.kinds.WORDINGS); days and times are kinds.moment. Runs in
    the caller's scope and transaction: if that rolls back, nobody is told.
    """
    reachable = people.reachable_persons(list(person_ids))
    told = Notification.objects.bulk_create(
        Notification(
            school_id=school_id,
            person_id=person.person_id,
            account_id=person.account_id,
            kind=kind,
            facts=dict(facts),
            url=url,
            created_at=now,
        )
        for person in reachable
    )
    waiting = _deliveries(school_id, told, {p.person_id: p.email for p in reachable})
    Delivery.objects.bulk_create(waiting)
    if waiting:
        ids = [notification.pk for notification in told]
        for start in range(0, len(ids), BATCH):
            deferred(
                "pupitre.messaging.jobs.carry_outside", school_id, notification_ids=ids[start : start + BATCH]
            )
    return told


def _deliveries(school_id: int, told: list[Notification], emails: dict[int, str]) -> list[Delivery]:
    accounts = [n.account_id for n in told if n.account_id]
    likes = {p.account_id: p for p in Preference.objects.filter(account_id__in=accounts)}
    endpoints: dict[int, list[str]] = {}
    for account_id, endpoint in PushSubscription.objects.filter(
        account_id__in=accounts, failed_at__isnull=True
    ).values_list("account_id", "endpoint"):
        endpoints.setdefault(account_id, []).append(endpoint)
    waiting = []
    for notification in told:
        like = likes.get(notification.account_id or 0)
        if (like is None or like.by_email) and (address := emails.get(notification.person_id)):
            waiting.append(_delivery(school_id, notification, Channel.EMAIL, address))
        if like is None or like.by_push:
            found = endpoints.get(notification.account_id or 0, [])
            waiting += [_delivery(school_id, notification, Channel.PUSH, endpoint) for endpoint in found]
    return waiting


def _delivery(school_id: int, notification: Notification, channel: Channel, address: str) -> Delivery:
    return Delivery(school_id=school_id, notification=notification, channel=channel, address=address)


@transaction.atomic
def mark_read(actor: Actor, *, notification_id: int | None = None, now: datetime) -> int:
    """Note that the reader has seen one line, or all of them in all her schools. Answers how many were new.

    An account reads its lines through its own scope but writes only within each line's school.
    """
    mine = Notification.objects.filter(account_id=actor.account_id)
    if notification_id is not None:
        mine = mine.filter(pk=notification_id)
        if not mine.exists():
            raise NotFound
    new = mine.filter(read_at__isnull=True)
    seen = 0
    for school_id in list(new.order_by("school_id").values_list("school_id", flat=True).distinct()):
        with scope(school_id, account=actor.account_id):
            seen += new.filter(school_id=school_id).update(read_at=now)
    return seen


@transaction.atomic
def subscribe_browser(
    actor: Actor, *, endpoint: str, p256dh: str, auth: str, device: str, now: datetime
) -> PushSubscription:
    """Let this browser receive web push for the account. A browser belongs to whoever subscribed it last, until she signs
    out on that device (people.access.device_of).

    Raises UnknownPushService for an address that is no browser's push service.
    """
    check_browser(endpoint, p256dh, auth, own_host=urlsplit(settings.CONFIG.base_url).hostname or "")
    found, _ = PushSubscription.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "account_id": actor.account_id,
            "p256dh": p256dh,
            "auth": auth,
            "device": device,
            "created_at": now,
            "failed_at": None,
        },
    )
    return found


@transaction.atomic
def forget_browser(actor: Actor, *, endpoint: str) -> int:
    """Send nothing to that browser any more; it matters not whether it was known."""
    deleted, _ = PushSubscription.objects.filter(account_id=actor.account_id, endpoint=endpoint).delete()
    return deleted


@transaction.atomic
def forget_device(account_id: int, *, device: str) -> int:
    """Send nothing more to the browsers in which the account was told on that device: whoever sits there now may be another."""
    deleted, _ = PushSubscription.objects.filter(account_id=account_id, device=device).delete()
    return deleted


@transaction.atomic
def forget_all_devices(account_id: int, *, but: str = "") -> int:
    """Send nothing more to any browser of the account, but to those on the device that is named."""
    mine = PushSubscription.objects.filter(account_id=account_id)
    deleted, _ = (mine.exclude(device=but) if but else mine).delete()
    return deleted


@transaction.atomic
def choose_channels(actor: Actor, *, by_email: bool, by_push: bool) -> Preference:
    """Say how the account wants to be told. The bell always tells."""
    found, _ = Preference.objects.update_or_create(
        account_id=actor.account_id, defaults={"by_email": by_email, "by_push": by_push}
    )
    return found
