"""Keeping what directories say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from pupitre.connections.models import DirectoryRecord
from pupitre.people.rules import Actor


@transaction.atomic(savepoint=False)
def keep_said(
    actor: Actor, kind: int, row_id: int, *, external_id: str | None, said: Mapping[str, Any], now: datetime
) -> DirectoryRecord:
    """Keep what a directory said of a person or class, and that it is shown to it."""
    facts = {"external_id": external_id, "said": dict(said), "changed_at": now, "deleted_at": None}
    found, _ = DirectoryRecord.objects.update_or_create(
        school_id=actor.place.id,
        kind=kind,
        row_id=row_id,
        defaults=facts,
        create_defaults={**facts, "created_at": now},
    )
    return found


@transaction.atomic(savepoint=False)
def keep_deleted(actor: Actor, kind: int, row_id: int, *, external_id: str | None, now: datetime) -> None:
    """Keep that a directory deleted it."""
    facts = {"deleted_at": now, "changed_at": now}
    DirectoryRecord.objects.update_or_create(
        school_id=actor.place.id,
        kind=kind,
        row_id=row_id,
        defaults=facts,
        create_defaults={**facts, "external_id": external_id, "created_at": now},
    )
