"""The feed that phones subscribe to."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from icalendar import Calendar

from pupitre.timetable.rules.bell import Period
from pupitre.timetable.rules.calendar import (
    Occurrence,
    SchoolCalendar,
    Substitution,
    WeeklyLesson,
    occurrences_between,
)
from pupitre.timetable.rules.ical import FeedEvent, build_feed, event_uid

YEAR = SchoolCalendar(
    zone="Europe/Madrid",
    starts_on=date(2026, 9, 7),
    ends_on=date(2027, 6, 22),
    bells={"usual": (Period("1", time(8, 30), time(9, 25)),)},
    default_bells="usual",
)
LESSON = WeeklyLesson(17, 1, 0)
STAMP = datetime(2026, 9, 1, 12, tzinfo=UTC)


def _occurrences() -> list[Occurrence]:
    cancelled = Substitution(17, date(2026, 10, 26), is_cancelled=True)
    return list(occurrences_between(date(2026, 10, 19), date(2026, 11, 2), [LESSON], YEAR, [cancelled]))


def _feed(events: list[FeedEvent]) -> bytes:
    return build_feed(events, name="1A · Ana", zone="Europe/Madrid", host="school.example", stamp=STAMP)


def test_events_come_back_at_their_instants_with_their_words() -> None:
    events = [FeedEvent(o, "Música, 1A; «B»\ntwo", "Aula 1", "Pau", revision=3) for o in _occurrences()]
    calendar = Calendar.from_ical(_feed(events))
    read = calendar.events
    assert [str(event.decoded("dtstart").astimezone(UTC).time()) for event in read] == [
        "06:30:00",
        "07:30:00",
        "07:30:00",
    ]
    assert [event.end - event.start for event in read] == [timedelta(minutes=55)] * 3
    assert {str(event["summary"]) for event in read} == {"Música, 1A; «B»\ntwo"}
    assert {str(event["location"]) for event in read} == {"Aula 1"}
    assert {event["sequence"] for event in read} == {3}
    assert {event.DTSTAMP for event in read} == {STAMP}
    assert [str(event["status"]) for event in read] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]


def test_the_feed_carries_its_zone_its_name_and_how_often_to_ask() -> None:
    text = _feed([FeedEvent(o, "x") for o in _occurrences()]).decode()
    for line in (
        "TZID:Europe/Madrid",
        "BEGIN:DAYLIGHT",
        "DTSTART;TZID=Europe/Madrid:20261019T083000",
        "REFRESH-INTERVAL;VALUE=DURATION:PT4H",
        "X-PUBLISHED-TTL:PT4H",
        "X-WR-CALNAME:1A · Ana",
        "METHOD:PUBLISH",
    ):
        assert line in text.split("\r\n")
    assert text.count("BEGIN:VTIMEZONE") == 1


def test_identifiers_outlive_every_change() -> None:
    first = _occurrences()[0]
    moved = replace(
        first, starts_at=first.starts_at + timedelta(hours=1), substitution=Substitution(17, first.on)
    )
    assert event_uid(first, "h") == event_uid(moved, "h") == "lesson-17-20261019@h"
    uids = [event_uid(o, "h") for o in _occurrences()]
    assert len(set(uids)) == len(uids)


def test_the_same_timetable_makes_the_same_bytes() -> None:
    events = [FeedEvent(o, "x") for o in _occurrences()]
    assert _feed(events) == _feed(events)


def test_an_empty_feed_is_a_calendar() -> None:
    assert Calendar.from_ical(_feed([])).events == []
