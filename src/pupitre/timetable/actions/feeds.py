"""Creating and revoking calendar feeds."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from pupitre.kernel import tokens
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor
from pupitre.timetable.models import CalendarFeed
from pupitre.timetable.queries.feeds import feed_persons_for


@transaction.atomic
def create_feed(actor: Actor, person_id: int, *, now: datetime) -> str:
    """A new secret for a person's feed; answers it, and only now. Feeds created before keep working until revoked."""
    if person_id not in {person.id for person in feed_persons_for(actor)}:
        raise NotFound
    secret = tokens.new_token()
    CalendarFeed.objects.create(
        school_id=actor.place.id,
        person_id=person_id,
        created_by_id=actor.person_id,
        secret_digest=tokens.digest(secret),
        created_at=now,
    )
    return secret


@transaction.atomic
def revoke_feed(actor: Actor, feed_id: int, *, now: datetime) -> None:
    """Let a feed that the actor created, or that is of herself, be read no longer."""
    own = Q(created_by_id=actor.person_id) | Q(person_id=actor.person_id)
    done = CalendarFeed.objects.filter(own, pk=feed_id, revoked_at__isnull=True).update(revoked_at=now)
    if not done:
        raise NotFound


def note_reading(feed_id: int, now: datetime) -> None:
    """Remember when a program last asked for the feed, so that its owner sees which are in use."""
    CalendarFeed.objects.filter(pk=feed_id).update(read_at=now)
