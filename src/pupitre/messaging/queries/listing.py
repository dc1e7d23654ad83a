"""Notices and who has read them, one slice after the other. For the office."""

from typing import Any, Final

from pupitre.messaging.models import Notice
from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.keyset import Slice, slice_of

from .notices import NoticeFacts, Recipient, rows

NOTICE = (
    "id",
    "title",
    "body",
    "audience",
    "klass_id",
    "needs_confirmation",
    "created_at",
    "published_at",
    "withdrawn_at",
    "recipients",
)
# By the recipient's name and number; a mother of two has two receipts and one line.
_RECIPIENTS: Final = """
SELECT q.family_key, q.id, coalesce(nullif(q.preferred_name, ''), q.given_name) || ' ' || q.family_name,
       coalesce(string_agg(DISTINCT coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name, ', '), ''),
       min(r.read_at), min(r.confirmed_at), max(r.reminded_at)
  FROM messaging_receipt r
  JOIN people_person q ON q.id = r.person_id
  LEFT JOIN people_person p ON p.id = r.pupil_id
 WHERE r.notice_id = %(notice)s
   AND (%(key)s::text IS NULL OR q.family_key > %(key)s::text OR (q.family_key = %(key)s::text AND q.id > %(id)s))
 GROUP BY q.id
 ORDER BY q.family_key, q.id LIMIT %(limit)s
"""


def notices_after(actor: Actor, after: tuple[Any, ...] | None, *, limit: int, drafts: bool) -> Slice:
    """Notices, the newest first; with `drafts` only what is not published."""
    require(actor, OFFICE)
    found = Notice.objects.filter(published_at__isnull=drafts)
    return slice_of(found, NOTICE, by="id", after=after, limit=limit, descending=True)


def recipients_after(
    notice: NoticeFacts, after: tuple[Any, ...] | None, *, limit: int
) -> tuple[list[Recipient], tuple[Any, ...] | None]:
    """Whom the notice reached, by name. The caller has decided that the actor may follow it up. One statement."""
    key, id_ = after or (None, 0)
    found = rows(_RECIPIENTS, {"notice": notice.id, "key": key, "id": id_, "limit": limit + 1})
    following = tuple(found[limit - 1][:2]) if len(found) > limit else None
    return [Recipient(*row[1:]) for row in found[:limit]], following
