"""Rooms, bells and days that run otherwise, for who takes all of them along. For the office."""

from datetime import date
from typing import Any

from pupitre.people.rules import OFFICE, Actor, require
from pupitre.tenancy.keyset import Slice, slice_of
from pupitre.timetable.models import BellSchedule, CalendarException, Period, Room

After = tuple[Any, ...] | None
ROOM = ("id", "name", "capacity")
EXCEPTION = ("id", "starts_on", "ends_on", "kind", "label", "runs_as_weekday", "schedule_id")


def rooms_after(actor: Actor, after: After, *, limit: int) -> Slice:
    """Rooms that are offered."""
    require(actor, OFFICE)
    return slice_of(Room.objects.filter(ended_on__isnull=True), ROOM, by="id", after=after, limit=limit)


def exceptions_after(actor: Actor, after: After, *, limit: int, since: date | None) -> Slice:
    """Days that run otherwise and are not over at `since`."""
    require(actor, OFFICE)
    found = CalendarException.objects.all()
    if since is not None:
        found = found.filter(ends_on__gte=since)
    return slice_of(found, EXCEPTION, by="id", after=after, limit=limit)


def bells_of(actor: Actor) -> list[dict[str, Any]]:
    """The bell schedules with their periods; a school has a handful. Two statements."""
    require(actor, OFFICE)
    periods: dict[int, list[dict[str, Any]]] = {}
    for row in Period.objects.order_by("schedule_id", "position"):
        facts = {name: getattr(row, name) for name in ("position", "name", "is_break")}
        times = {"starts_at": f"{row.starts_at:%H:%M}", "ends_at": f"{row.ends_at:%H:%M}"}
        periods.setdefault(row.schedule_id, []).append(facts | times)
    rows = BellSchedule.objects.order_by("-is_default", "name", "id").values("id", "name", "is_default")
    return [{**row, "periods": periods.get(row["id"], [])} for row in rows]
