"""A write that was sent twice is done once: the answer to a key is kept for a day."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from pupitre.connections.models import IdempotencyKey
from pupitre.connections.rules import Machine
from pupitre.connections.rules.repeating import Answered, KeyUsedOtherwise, UnderWay
from pupitre.tenancy.rules import SchoolFacts

KEPT: Final = timedelta(hours=24)


@transaction.atomic
def claim_key(machine: Machine, key: str, fingerprint: str, *, now: datetime) -> Answered | None:
    """The answer that was given to this key, or None where it is new: then nobody else has it until the transaction ends.

    Raises UnderWay while another request with the key is being answered, and KeyUsedOtherwise where it came with another
    request before.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))", [key, machine.connection_id]
        )
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise UnderWay
    found = IdempotencyKey.objects.filter(connection_id=machine.connection_id, key=key).first()
    if found is None:
        return None
    if found.created_at < now - KEPT:
        found.delete()
        return None
    if found.fingerprint != fingerprint:
        raise KeyUsedOtherwise
    return Answered(found.status, found.body)


def keep_answer(
    school: SchoolFacts, machine: Machine, key: str, fingerprint: str, answered: Answered, *, now: datetime
) -> None:
    """Remember what was answered, in the transaction of what was done."""
    IdempotencyKey.objects.create(
        school_id=school.id,
        connection_id=machine.connection_id,
        key=key,
        fingerprint=fingerprint,
        status=answered.status,
        body=answered.body,
        created_at=now,
    )


@transaction.atomic
def forget_keys(school: SchoolFacts, *, now: datetime) -> int:
    """Forget the answers of more than a day ago; says how many."""
    found, _ = IdempotencyKey.objects.filter(created_at__lt=now - KEPT).delete()
    return found
