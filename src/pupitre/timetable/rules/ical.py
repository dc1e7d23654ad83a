"""The timetable as an iCalendar feed (RFC 5545, RFC 7986): each occurrence an event of its own.

No recurrence rules: weeks A and B, holidays and exceptional days do not fit them, and every program agrees on plain events.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event, Timezone, vDuration

from pupitre.timetable.rules.calendar import Occurrence

_PRODUCT = "-//Pupitre//Timetable//EN"


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An occurrence with the words that its reader sees, already in her language.

    `revision` grows with each change of this occurrence, so that programs take the later.
    """

    occurrence: Occurrence
    summary: str
    location: str = ""
    description: str = ""
    revision: int = 0


def event_uid(occurrence: Occurrence, host: str) -> str:
    """The same for the same lesson and date for ever, whoever asks and whatever changed about it."""
    return f"lesson-{occurrence.lesson.id}-{occurrence.on:%Y%m%d}@{host}"


def build_feed(
    events: Iterable[FeedEvent],
    *,
    name: str,
    zone: str,
    host: str,
    stamp: datetime,
    refresh_every: timedelta = timedelta(hours=4),
) -> bytes:
    """The feed as bytes to send as `text/calendar`. `zone` is the school's IANA zone, `stamp` the aware time of making.

    Cancelled occurrences stay in it, as cancelled: a program that has them would not notice that they are gone.
    """
    listed = list(events)
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", zone)
    calendar.add("refresh-interval", refresh_every, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", vDuration(refresh_every))
    if listed:
        calendar.add_component(_time_zone(listed, zone))
    for item in listed:
        calendar.add_component(_event(item, host, stamp))
    return bytes(calendar.to_ical())


def _time_zone(events: list[FeedEvent], zone: str) -> Timezone:
    first = min(event.occurrence.on for event in events)
    last = max(event.occurrence.on for event in events)
    return Timezone.from_tzid(
        zone, first_date=date(first.year - 1, 1, 1), last_date=date(last.year + 2, 1, 1)
    )


def _event(item: FeedEvent, host: str, stamp: datetime) -> Event:
    occurrence = item.occurrence
    event = Event()
    event.add("uid", event_uid(occurrence, host))
    event.add("dtstamp", stamp)
    event.add("dtstart", occurrence.starts_at)
    event.add("dtend", occurrence.ends_at)
    event.add("summary", item.summary)
    event.add("sequence", item.revision)
    event.add("status", "CANCELLED" if occurrence.is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if occurrence.is_cancelled else "OPAQUE")
    for field, text in (("location", item.location), ("description", item.description)):
        if text:
            event.add(field, text)
    return event
