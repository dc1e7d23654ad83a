"""The week's rules, in any time zone, over both turns of the clocks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from pupitre_agent import schedule

MADRID = "Europe/Madrid"
LESSON: dict[str, Any] = {
    "id": "rule-7", "label": "Calculator only", "days": [2, 4], "from": "09:00", "to": "09:55",
    "first": "2026-09-01", "last": "2027-06-30", "except": ["2026-10-13"], "also": ["2026-12-05"],
    "settings": {"allowed_applications": {"packages": ["calc"]}},
}  # fmt: skip
LEASE: dict[str, Any] = {
    "id": "lease-3", "starts_at": "2026-11-24T08:20:00Z", "ends_at": "2026-11-24T08:40:00Z", "settings": {}, "lifts_rules": True,
}  # fmt: skip


def local(text: str, zone: str = MADRID, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def held(at: datetime, *entries: dict[str, Any], zone: str = MADRID) -> list[str]:
    return [one["id"] for one in schedule.holding(entries, at, zone)]


def test_a_lesson_begins_with_its_first_minute_and_ends_before_its_last() -> None:
    assert held(local("2026-11-24 08:59:59"), LESSON) == []
    assert held(local("2026-11-24 09:00"), LESSON) == ["rule-7"]
    assert held(local("2026-11-24 09:54:59"), LESSON) == ["rule-7"]
    assert held(local("2026-11-24 09:55"), LESSON) == []


def test_a_holiday_has_no_lesson_and_a_saturday_that_is_made_up_has() -> None:
    assert held(local("2026-10-13 09:30"), LESSON) == []
    assert held(local("2026-12-05 09:30"), LESSON) == ["rule-7"]


def test_nothing_holds_before_the_first_day_and_after_the_last() -> None:
    assert held(local("2026-08-27 09:30"), LESSON) == []
    assert held(local("2027-07-01 09:30"), LESSON) == []


def test_a_lease_lifts_the_rules_of_the_week_while_it_holds() -> None:
    assert held(local("2026-11-24 09:10"), LESSON, LEASE) == ["rule-7"]
    assert held(local("2026-11-24 09:30"), LESSON, LEASE) == ["lease-3"]
    assert held(local("2026-11-24 09:40"), LESSON, LEASE) == ["rule-7"]


def test_the_later_entry_is_laid_over_the_earlier_and_both_over_the_settings() -> None:
    over = {**LESSON, "id": "rule-8", "settings": {"camera": False}}
    under = {**LESSON, "id": "rule-6", "settings": {"camera": True, "bluetooth": False}}
    found = schedule.effective({"camera": True, "wifi": []}, [under, over], local("2026-11-24 09:10"), MADRID)
    assert found.settings == {"camera": False, "bluetooth": False, "wifi": []}
    assert found.by["camera"]["id"] == "rule-8"
    assert "wifi" not in found.by


def test_until_midnight_is_written_as_twenty_four() -> None:
    evening = {**LESSON, "days": [2], "from": "22:00", "to": "24:00"}
    assert held(local("2026-11-24 23:59:59"), evening) == ["rule-7"]
    assert held(local("2026-11-25 00:00"), evening) == []
    assert schedule.next_change([evening], local("2026-11-24 23:00"), MADRID) == local("2026-11-25 00:00")


def test_the_hour_that_comes_twice_counts_twice() -> None:
    night = {
        **LESSON,
        "days": [7],
        "from": "02:15",
        "to": "02:45",
        "first": "2026-10-25",
        "last": "2026-10-25",
    }
    first, second = local("2026-10-25 02:30"), local("2026-10-25 02:30", fold=1)
    assert second - first == timedelta(hours=1)
    assert held(first, night) == held(second, night) == ["rule-7"]
    assert schedule.ends_at([night], night, first, MADRID) == local("2026-10-25 02:45")
    assert schedule.next_change([night], local("2026-10-25 02:50"), MADRID) == local(
        "2026-10-25 02:15", fold=1
    )


def test_what_begins_in_the_hour_that_is_left_out_begins_when_it_is_over() -> None:
    night = {
        **LESSON,
        "days": [7],
        "from": "02:30",
        "to": "04:00",
        "first": "2027-03-28",
        "last": "2027-03-28",
    }
    assert schedule.next_change([night], local("2027-03-28 01:30"), MADRID) == local("2027-03-28 03:00")
    assert held(local("2027-03-28 03:00"), night) == ["rule-7"]


def test_the_end_of_a_rule_is_found_weeks_ahead() -> None:
    daily = {
        **LESSON,
        "days": [1, 2, 3, 4, 5, 6, 7],
        "from": "00:00",
        "to": "24:00",
        "except": [],
        "also": [],
    }
    assert schedule.ends_at([daily], daily, local("2026-11-24 09:00"), MADRID) == local("2027-07-01 00:00")


DAYS = st.dates(date(2026, 9, 1), date(2027, 6, 30))
TIMES = st.times().map(lambda one: f"{one:%H:%M}")


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    """A rule of the week, or a lease."""
    name = draw(st.integers(1, 10**6))
    if draw(st.booleans()):
        starts = datetime.combine(draw(DAYS), draw(st.times()), UTC)
        ends = starts + timedelta(minutes=draw(st.integers(1, 5000)))
        return {
            "id": f"lease-{name}", "starts_at": starts.isoformat(), "ends_at": ends.isoformat(),
            "settings": {"camera": draw(st.booleans())}, "lifts_rules": draw(st.booleans()),
        }  # fmt: skip
    starts_, ends_ = sorted([draw(TIMES), draw(TIMES | st.just("24:00"))])
    first, last = sorted([draw(DAYS), draw(DAYS)])
    return {
        "id": f"rule-{name}", "days": draw(st.lists(st.integers(1, 7), unique=True)), "from": starts_, "to": ends_,
        "first": first.isoformat(), "last": last.isoformat(), "except": [d.isoformat() for d in draw(st.lists(DAYS, max_size=3))],
        "also": [d.isoformat() for d in draw(st.lists(DAYS, max_size=3))], "settings": {"camera": draw(st.booleans())},
    }  # fmt: skip


ZONES = st.sampled_from([MADRID, "America/Bogota", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
FIRST = datetime(2026, 8, 20, tzinfo=UTC)
INSTANTS = st.integers(0, 324 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


@settings(max_examples=150, deadline=None)
@given(st.lists(entries(), max_size=4), INSTANTS, ZONES, st.floats(0, 1))
def test_nothing_changes_before_the_next_change(
    found: list[dict[str, Any]], at: datetime, zone: str, share: float
) -> None:
    change = schedule.next_change(found, at, zone, furthest=60)
    end = change or at + timedelta(days=30)
    between = at + share * (end - at)
    if between < end:
        assert schedule.holding(found, between, zone) == schedule.holding(found, at, zone)
    if change is not None:
        assert schedule.holding(found, change, zone) != schedule.holding(found, at, zone)
