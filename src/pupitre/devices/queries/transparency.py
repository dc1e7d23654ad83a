"""What the school holds about a device that somebody has: for that person and who looks after her. Nothing is left out
but what was said to who had it before: that is that person's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min

from pupitre.devices.models import (
    Command,
    Device,
    DeviceEvent,
    DeviceStatus,
    Installation,
    Inventory,
    LogLine,
)
from pupitre.devices.rules.events import EventKind
from pupitre.people.queries.history import LookLine, access_history
from pupitre.people.rules import Actor, LookAt


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is held about a device. Times are aware; None or empty where nothing is held."""

    status: DeviceStatus | None
    inventory: Inventory | None
    #: (what, how many rows, the oldest of them)
    kept: list[tuple[str, int, datetime]]
    events: list[DeviceEvent]
    commands: list[Command]
    looks: list[LookLine]


#: Tables of lines about a device, with the column that says when.
_LINES: Sequence[tuple[str, Any, str]] = (
    ("events", DeviceEvent, "happened_at"),
    ("commands", Command, "created_at"),
    ("log", LogLine, "logged_at"),
    ("installations", Installation, "reported_at"),
)
_SHOWN = 30


def seen_of(actor: Actor, device: Device) -> Seen:
    """What is held about this device. The caller has looked whether the actor may know (`lending.access_held`)."""
    which = {"school_id": device.school_id, "device_id": device.pk}
    kept = []
    for name, model, column in _LINES:
        count = model.objects.filter(**which).aggregate(n=Count("id"), first=Min(column))
        if count["n"]:
            kept.append((name, count["n"], count["first"]))
    handed = DeviceEvent.objects.filter(**which, kind=EventKind.ASSIGNED.value)
    since = handed.aggregate(at=Max("happened_at"))["at"] or device.created_at
    looks = access_history(actor, device.holder_id or 0).looks
    return Seen(
        status=DeviceStatus.objects.filter(**which).first(),
        inventory=Inventory.objects.filter(**which).first(),
        kept=kept,
        events=list(DeviceEvent.objects.filter(**which).order_by("-happened_at", "-id")[:_SHOWN]),
        commands=list(
            Command.objects.select_related("requested_by")
            .filter(**which, created_at__gte=since)
            .order_by("-created_at", "-id")[:_SHOWN]
        ),
        looks=[one for one in looks if one.what in {LookAt.DEVICE, LookAt.DOCUMENT}][:_SHOWN],
    )
