"""Reading notices and notifications."""

from pupitre.people.rules import Actor

from .models import Notification


def unread_count(actor: Actor) -> int:
    """How many lines wait behind the bell, over all schools of the account."""
    return Notification.objects.filter(account_id=actor.account_id, read_at__isnull=True).count()
