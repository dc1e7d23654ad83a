"""Arranging devices for tests: taken in by a list, let in as the gateway does it."""

from datetime import datetime
from typing import Any

from pupitre.devices.actions import assigning, intake
from pupitre.devices.models import Device, DeviceStatus
from pupitre.devices.rules import Platform, Standing
from pupitre.devices.rules.intake import read_list
from pupitre.people.rules import Actor
from tests.cast import NOW, TODAY, Cast


def taken_in(actor: Actor, text: str, *, name: str = "note.csv", **facts: Any) -> Any:
    """A list as the page takes it in; in the school's scope."""
    found = read_list(name, text.encode())
    return intake.take_in(
        actor,
        found,
        platform=Platform.ANDROID,
        today=TODAY,
        now=NOW,
        name="Delivery",
        file_name=name,
        **facts,
    )


def some_devices(cast: Cast, number: int, *, first: int = 1, prefix: str = "R52X") -> list[int]:
    """So many tablets of Oak that are in use; in its scope. The gateway's writes are made here by hand."""
    lines = [f"{prefix}{at:04},T-{at:03},Galaxy Tab A9" for at in range(first, first + number)]
    taken_in(cast.technician.actor, "serial,asset tag,model\n" + "\n".join(lines))
    serials = [line.split(",")[0] for line in lines]
    let_in(cast, serials)
    return list(Device.objects.filter(serial__in=serials).order_by("serial").values_list("pk", flat=True))


def let_in(cast: Cast, serials: list[str], now: datetime = NOW) -> None:
    """What the gateway does when expected devices come by a ticket, and tell of themselves."""
    Device.objects.filter(serial__in=serials).update(standing=Standing.ENROLLED.value, enrolled_at=now)
    for device in Device.objects.filter(serial__in=serials):
        DeviceStatus.objects.create(
            school_id=cast.school.id,
            authority_id=cast.authority.pk,
            device=device,
            last_seen_at=now,
            seen_on=now.date(),
            battery=80,
            battery_health=91,
            os_version="14",
            is_compliant=True,
        )


def waiting_device(cast: Cast, serial: str = "UNKNOWN1") -> Device:
    """A device that came by a code and is on no list, as the gateway writes it."""
    return Device.objects.create(
        school_id=cast.school.id,
        authority_id=cast.authority.pk,
        number=f"d-{serial.lower()}",
        serial=serial,
        model="Tab Nobody Knows",
        standing=Standing.WAITING.value,
        created_at=NOW,
        search_key=serial.lower(),
    )


def given(cast: Cast, device_id: int, person_id: int) -> None:
    assigning.assign_device(cast.technician.actor, device_id, person_id, now=NOW)
