"""Lines of devices' histories."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pupitre.devices.models import DeviceEvent
from pupitre.devices.rules.events import EventKind
from pupitre.people.rules import Actor


def note(
    actor: Actor,
    device_ids: Iterable[int],
    kind: EventKind,
    *,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Keep that this happened to these devices. Part of an action; one statement."""
    DeviceEvent.objects.bulk_create(
        DeviceEvent(
            school_id=actor.place.id,
            device_id=device_id,
            happened_at=now,
            kind=kind.value,
            facts=dict(facts or {}),
            account_id=actor.account_id or None,
        )
        for device_id in device_ids
    )
