"""Calendar feeds: whose a person may have, which there are, and whose a secret is."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from pupitre.people import queries as people
from pupitre.people.rules import STAFF, Actor, Role
from pupitre.timetable.models import CalendarFeed


@dataclass(frozen=True, slots=True)
class FeedPerson:
    """Somebody whose timetable the actor may subscribe to."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed that is in force. `read_at` is when a program last asked for it."""

    id: int
    person_id: int
    created_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenFeed:
    """A feed behind a valid secret, and what decides whose lessons it has."""

    id: int
    person_id: int
    name: str
    is_staff: bool
    is_pupil: bool
    locale: str


def feed_persons_for(actor: Actor) -> list[FeedPerson]:
    """The actor, if she teaches or learns here, and the pupils whose record she may see."""
    found = []
    if actor.person_id and actor.is_any(STAFF | {Role.PUPIL}):
        found.append(FeedPerson(actor.person_id, actor.name))
    if actor.is_guardian:
        found += [FeedPerson(pupil.pk, pupil.full_name) for pupil in people.pupils_of_guardian(actor)]
    return found


def feeds_for(actor: Actor) -> list[FeedRow]:
    """The feeds in force that the actor created or that are of herself, newest first."""
    rows = (
        CalendarFeed.objects.filter(
            Q(created_by_id=actor.person_id) | Q(person_id=actor.person_id), revoked_at__isnull=True
        )
        .order_by("-created_at")
        .values_list("id", "person_id", "created_at", "read_at")
    )
    return [FeedRow(*row) for row in rows]


# A guardian's feed ends with her right to see the record, a person's with her last role in the school.
_OPEN: Final = """
SELECT f.id, f.person_id, coalesce(nullif(p.preferred_name, ''), p.given_name) || ' ' || p.family_name,
       coalesce(bool_or(m.role IN (1, 2, 3, 4, 5, 6)), false), coalesce(bool_or(m.role = 7), false),
       coalesce(nullif(a.locale, ''), nullif(p.locale, ''), '')
  FROM timetable_calendarfeed f
  JOIN people_person p ON p.id = f.person_id AND p.ended_on IS NULL
  JOIN people_membership m ON m.person_id = f.person_id
   AND (m.starts_on IS NULL OR m.starts_on <= %(today)s) AND (m.ends_on IS NULL OR m.ends_on >= %(today)s)
  LEFT JOIN people_person o ON o.id = f.created_by_id
  LEFT JOIN people_account a ON a.id = o.account_id
 WHERE f.secret_digest = %(digest)s AND f.revoked_at IS NULL
   AND (f.created_by_id IS NULL OR f.created_by_id = f.person_id OR (o.ended_on IS NULL AND EXISTS (
         SELECT FROM people_guardianship g WHERE g.guardian_id = f.created_by_id AND g.pupil_id = f.person_id
            AND g.sees_record AND (g.ends_on IS NULL OR g.ends_on >= %(today)s))))
 GROUP BY f.id, p.id, a.locale
"""


def find_feed(digest: str, today: date) -> OpenFeed | None:
    """The feed in force whose secret has that digest, or None. A guardian's needs her right to see the record today."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"digest": digest, "today": today})
        row = cursor.fetchone()
    return OpenFeed(*row) if row else None
