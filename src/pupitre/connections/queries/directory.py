"""What directories call the school's persons and classes."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q

from pupitre.connections.models import DirectoryRecord

USER, GROUP = DirectoryRecord.USER, DirectoryRecord.GROUP


def records_of(kind: int, row_ids: Collection[int]) -> dict[int, DirectoryRecord]:
    """By the id of the person or class; whom no directory has spoken of is not in it. One statement."""
    found = DirectoryRecord.objects.filter(kind=kind, row_id__in=list(row_ids))
    return {record.row_id: record for record in found}


def _rows(kind: int, **facts: Any) -> Any:
    return DirectoryRecord.objects.filter(kind=kind, **facts).values("row_id")


def shown(kind: int) -> Q:
    """What no directory has deleted, for a filter of persons or classes."""
    return ~Q(pk__in=_rows(kind, deleted_at__isnull=False))


def called(kind: int, external_id: str) -> Q:
    """What goes by that externalId: as a directory said it, else by its sourcedId."""
    own = Q(sourced_id=external_id) & ~Q(pk__in=_rows(kind))
    return own | Q(pk__in=_rows(kind, external_id=external_id))


def has_external_id(kind: int) -> Q:
    return ~Q(pk__in=_rows(kind, external_id__isnull=True))


def changed(kind: int, comparison: str, at: datetime) -> Q:
    """What a directory changed last before or after an instant; whom none spoke of counts from when she was added."""
    by_directory = Q(pk__in=_rows(kind, **{f"changed_at__{comparison}": at}))
    if kind == GROUP:
        return by_directory
    return by_directory | (Q(**{f"created_at__{comparison}": at}) & ~Q(pk__in=_rows(kind)))


def find_called(kind: int, external_id: str) -> DirectoryRecord | None:
    """The record of that externalId, deleted ones too."""
    found = DirectoryRecord.objects.filter(kind=kind, external_id=external_id)
    return found.order_by("deleted_at", "id").first()
