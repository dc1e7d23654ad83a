"""Reading notices and notifications."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import formats
from django.utils.translation import gettext

from pupitre.kernel import clock
from pupitre.messaging.models import Delivery, Notification, Preference, PushSubscription
from pupitre.messaging.rules.kinds import WORDINGS, DeliveryState, Kind, Show
from pupitre.people.rules import Actor

#: The bell counts no further: nobody reads the difference.
MOST_COUNTED = 99
_ABOUT_NOTICES = [Kind.NOTICE, Kind.NOTICE_REMINDER, Kind.NOTICE_UNREAD]


@dataclass(frozen=True, slots=True)
class Unread:
    """What waits behind the bell over all schools, and how many notices of the school in scope are among it."""

    lines: int
    notices: int


_UNREAD = """
SELECT count(*), count(DISTINCT url) FILTER (WHERE kind = ANY(%s) AND school_id = %s)
  FROM (SELECT url, kind, school_id FROM messaging_notification WHERE account_id = %s AND read_at IS NULL LIMIT %s) new
"""


def unread_of(actor: Actor) -> Unread:
    """One statement, for every page; counts at most MOST_COUNTED."""
    school_id = actor.school.id if actor.school else 0
    with connection.cursor() as cursor:
        cursor.execute(
            _UNREAD, [[int(kind) for kind in _ABOUT_NOTICES], school_id, actor.account_id, MOST_COUNTED]
        )
        return Unread(*cursor.fetchone())


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
    school: str = ""
    time_zone: str = "UTC"


def lines_for(
    actor: Actor, *, only_new: bool = False, school_id: int | None = None, limit: int = 60, offset: int = 0
) -> list[Line]:
    """The account's newest lines, over all its schools or of one. One statement."""
    rows = Notification.objects.select_related("school").filter(account_id=actor.account_id)
    if only_new:
        rows = rows.filter(read_at__isnull=True)
    if school_id is not None:
        rows = rows.filter(school_id=school_id)
    return [line_of(row) for row in rows.order_by("-created_at", "-id")[offset : offset + limit]]


def line_of(row: Notification) -> Line:
    kind = Kind(row.kind)
    title, sentence = worded(kind, row.facts)
    return Line(
        id=row.pk,
        kind=kind,
        title=title,
        sentence=sentence,
        url=row.url,
        created_at=row.created_at,
        is_new=row.read_at is None,
        school=row.school.name,
        time_zone=row.school.time_zone,
    )


def worded(kind: Kind, facts: dict[str, Any]) -> tuple[str, str]:
    """The title and the sentence of a notification in the active language."""
    wording = WORDINGS[kind]
    told = {name: _told(value) for name, value in facts.items()}
    is_one_day = wording.of_one_day and told["from"] == told["until"]
    sentence = wording.of_one_day if is_one_day else wording.sentence
    return gettext(wording.title) % told, gettext(sentence) % told


def worded_together(kind: Kind, many: list[dict[str, Any]]) -> tuple[str, str]:
    """The title, and the sentences line by line, of notifications of one kind that go outside together."""
    words = [worded(kind, facts) for facts in many]
    title = gettext(WORDINGS[kind].of_several) % {"count": len(many)} if len(many) > 1 else words[0][0]
    return title, "\n".join(sentence for _, sentence in words)


def _told(value: Any) -> Any:
    """A fact in words: moments (kinds.moment) as the active language writes them, anything else as it is."""
    if not isinstance(value, dict):
        return value
    local = clock.local(datetime.fromisoformat(value["at"]), value["zone"])
    return (
        formats.time_format(local, "H:i")
        if value["show"] == Show.TIME
        else formats.date_format(local, "MONTH_DAY_FORMAT")
    )


def find_line(actor: Actor, notification_id: int) -> Line | None:
    found = Notification.objects.select_related("school").filter(
        pk=notification_id, account_id=actor.account_id
    )
    return line_of(row) if (row := found.first()) else None


@dataclass(frozen=True, slots=True)
class Channels:
    """How an account is told besides the bell; `browsers` take web push."""

    by_email: bool = True
    by_push: bool = True
    browsers: int = 0


def channels_of(actor: Actor) -> Channels:
    found = Preference.objects.filter(account_id=actor.account_id).first()
    browsers = PushSubscription.objects.filter(account_id=actor.account_id, failed_at__isnull=True).count()
    return Channels(found.by_email, found.by_push, browsers) if found else Channels(browsers=browsers)


def waiting_deliveries(notification_ids: list[int]) -> list[tuple[int, Kind]]:
    """What is still to be carried outside of those notifications: the id of each mail or push, and of which kind it is."""
    found = Delivery.objects.filter(notification_id__in=notification_ids, state=DeliveryState.WAITING)
    rows = found.order_by("id").values_list("id", "notification__kind")
    return [(id_, Kind(kind)) for id_, kind in rows]
