"""Reading notices and notifications."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from pupitre.messaging.models import Delivery, Notification, Preference
from pupitre.messaging.rules.kinds import WORDINGS, Kind
from pupitre.people.rules import Actor


def unread_count(actor: Actor) -> int:
    """How many lines wait behind the bell, over all schools of the account."""
    return Notification.objects.filter(account_id=actor.account_id, read_at__isnull=True).count()


@dataclass(frozen=True, slots=True)
class Line:
    """A notification in its reader's language."""

    id: int
    kind: Kind
    title: str
    sentence: str
    url: str
    created_at: datetime
    is_new: bool


def lines_for(actor: Actor, *, limit: int = 60) -> list[Line]:
    """The account's newest lines, over all its schools."""
    rows = Notification.objects.filter(account_id=actor.account_id).order_by("-created_at", "-id")[:limit]
    return [line_of(row) for row in rows]


def line_of(row: Notification) -> Line:
    title, sentence = worded(Kind(row.kind), row.facts)
    return Line(row.pk, Kind(row.kind), title, sentence, row.url, row.created_at, row.read_at is None)


def worded(kind: Kind, facts: dict[str, Any]) -> tuple[str, str]:
    """The title and the sentence of a notification in the active language."""
    wording = WORDINGS[kind]
    return gettext(wording.title) % facts, gettext(wording.sentence) % facts


def find_line(actor: Actor, notification_id: int) -> Line | None:
    row = Notification.objects.filter(pk=notification_id, account_id=actor.account_id).first()
    return line_of(row) if row else None


def preference_of(actor: Actor) -> tuple[bool, bool]:
    """Whether the account wants e-mail, and web push."""
    found = Preference.objects.filter(account_id=actor.account_id).first()
    return (found.by_email, found.by_push) if found else (True, True)


def waiting_deliveries(notification_ids: list[int]) -> list[Delivery]:
    """What is still to be carried outside of those notifications, one mail or push each."""
    return list(
        Delivery.objects.select_related("notification")
        .filter(notification_id__in=notification_ids, state=1)
        .order_by("id")
    )
