"""Enrolment tickets, and the devices that came in by them or wait for somebody to know them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, F, Q

from pupitre.devices.models import ApplicationVersion, Delivery, Device, EnrolmentTicket
from pupitre.devices.rules import CARES, Platform, Standing
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, require

_SHOWN: Final = 100
#: The package of Headwind’s stock agent.
LAUNCHER: Final = "com.hmdm.launcher"


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket as the list shows it."""

    id: int
    label: str
    klass: str
    platform: Platform | None
    admits_unknown: bool
    uses_left: int
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None
    came: int

    def is_open(self, now: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > now and self.uses_left > 0


def tickets_for(actor: Actor) -> list[TicketLine]:
    """The newest tickets, with how many devices came in by each. Two statements."""
    require(actor, CARES)
    rows = list(
        EnrolmentTicket.objects.filter(school_id=actor.place.id)
        .select_related("klass", "created_by")
        .order_by("-created_at", "-id")[:_SHOWN]
    )
    came = (
        Device.objects.filter(school_id=actor.place.id, ticket_id__in=[row.pk for row in rows])
        .values("ticket_id")
        .annotate(came=Count("id"))
        .values_list("ticket_id", "came")
    )
    counts: dict[int, int] = {ticket: number for ticket, number in came if ticket is not None}
    return [ticket_line(row, counts.get(row.pk, 0)) for row in rows]


def ticket_line(row: EnrolmentTicket, came: int) -> TicketLine:
    return TicketLine(
        row.pk,
        row.label,
        row.klass.title if row.klass else "",
        Platform(row.platform) if row.platform else None,
        row.admits_unknown,
        row.uses_left,
        row.created_at,
        str(row.created_by or ""),
        row.expires_at,
        row.revoked_at,
        came,
    )


def access_ticket(actor: Actor, ticket_id: int) -> EnrolmentTicket:
    require(actor, CARES)
    found = (
        EnrolmentTicket.objects.filter(school_id=actor.place.id, pk=ticket_id)
        .select_related("klass", "created_by")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def came_by(ticket: EnrolmentTicket) -> list[dict[str, Any]]:
    """The devices that came in by a ticket, the newest first."""
    rows = Device.objects.filter(school_id=ticket.school_id, ticket_id=ticket.pk)
    columns = (
        "id",
        "asset_tag",
        "name",
        "serial",
        "number",
        "model",
        "standing",
        "enrolled_at",
        "created_at",
    )
    return list(rows.order_by("-created_at", "-id").values(*columns)[:200])


def waiting_for(actor: Actor) -> list[dict[str, Any]]:
    """The devices that nobody has approved yet, the oldest first."""
    require(actor, CARES)
    rows = Device.objects.filter(school_id=actor.place.id, standing=Standing.WAITING.value)
    columns = (
        "id",
        "serial",
        "number",
        "name",
        "platform",
        "maker",
        "model",
        "created_at",
        "ticket__label",
        "klass__title",
    )
    return list(rows.order_by("created_at", "id").values(*columns)[:500])


def deliveries_for(actor: Actor) -> list[dict[str, Any]]:
    """The lists of devices that were taken in, the newest first, with how many devices of each have come in."""
    require(actor, CARES)
    rows = list(
        Delivery.objects.filter(school_id=actor.place.id)
        .order_by("-created_at", "-id")
        .values(
            "id",
            "name",
            "file_name",
            "supplier",
            "delivered_on",
            "warranty_until",
            "created_at",
            "created_by__display_name",
        )[:_SHOWN]
    )
    counts = (
        Device.objects.filter(school_id=actor.place.id, delivery_id__in=[row["id"] for row in rows])
        .values("delivery_id", "standing")
        .annotate(number=Count("id"))
        .values_list("delivery_id", "standing", "number")
    )
    found: dict[int, dict[int, int]] = {}
    for delivery, standing, number in counts:
        if delivery is not None:
            found.setdefault(delivery, {})[standing] = number
    return [
        {
            **row,
            "devices": sum(found.get(row["id"], {}).values()),
            "expected": found.get(row["id"], {}).get(Standing.EXPECTED.value, 0),
        }
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Launcher:
    """The package of Headwind's agent: at its maker's address, or a file of ours (`file_key`)."""

    url: str
    file_key: str
    file_name: str
    sha256: str


def launcher_for(actor: Actor) -> Launcher | None:
    """What new tablets fetch as Headwind's agent; None while the catalogue has no version of it that can be fetched.

    The school's own entry goes before the authority's, and the newest version before older ones.
    """
    require(actor, CARES)
    own = Q(application__school_id=actor.place.id) | Q(
        application__school_id=None, application__authority_id=actor.place.authority_id
    )
    found = (
        ApplicationVersion.objects.filter(
            own,
            application__package=LAUNCHER,
            application__archived_at__isnull=True,
            withdrawn_at__isnull=True,
        )
        .exclude(url="", file_key="")
        .exclude(sha256="")
        .order_by(F("application__school_id").desc(nulls_last=True), "-code", "-id")
        .values_list("url", "file_key", "file_name", "sha256")
        .first()
    )
    return None if found is None else Launcher(*found)
