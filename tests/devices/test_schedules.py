"""What holds at a moment by the rules of the week: pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pupitre.devices.rules.compiling import Hours, Span, rule_entries, weekly_entries, weekly_hours
from pupitre.devices.rules.schedules import holding_at, next_change, takes_place, until

MADRID = "Europe/Madrid"
MATHS = {
    "id": "rule-7-1",
    "label": "Calculator only",
    "days": [2, 4],
    "from": "09:00",
    "to": "09:55",
    "first": "2026-09-01",
    "last": "2027-06-30",
    "except": ["2026-10-15"],
    "also": ["2026-12-05"],
    "settings": {"camera": False},
}


def at(text: str, zone: str = MADRID) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def held(schedule: list[dict[str, Any]], text: str, zone: str = MADRID) -> list[str]:
    return [one["id"] for one in holding_at(schedule, at(text, zone), zone).entries]


def test_a_rule_holds_from_its_first_minute_up_to_its_last() -> None:
    assert held([MATHS], "2026-10-13T08:59:59") == []
    assert held([MATHS], "2026-10-13T09:00") == ["rule-7-1"]
    assert held([MATHS], "2026-10-13T09:54:59") == ["rule-7-1"]
    assert held([MATHS], "2026-10-13T09:55") == []


def test_a_rule_knows_its_holidays_its_extra_days_and_its_end() -> None:
    assert held([MATHS], "2026-10-15T09:10") == []  # a Thursday, excepted
    assert held([MATHS], "2026-12-05T09:10") == ["rule-7-1"]  # a Saturday that runs besides
    assert held([MATHS], "2027-06-29T09:10") == ["rule-7-1"]
    assert held([MATHS], "2027-07-01T09:10") == []


def test_the_local_time_counts_in_winter_as_in_summer() -> None:
    assert holding_at([MATHS], datetime(2026, 10, 13, 7, 10, tzinfo=UTC), MADRID).entries
    assert not holding_at([MATHS], datetime(2026, 11, 3, 7, 10, tzinfo=UTC), MADRID).entries
    assert holding_at([MATHS], datetime(2026, 11, 3, 8, 10, tzinfo=UTC), MADRID).entries


def test_a_lease_lifts_the_rules_and_is_laid_over() -> None:
    lease = {
        "id": "lease-1",
        "starts_at": "2026-10-13T07:05:00Z",
        "ends_at": "2026-10-13T07:30:00Z",
        "settings": {"volume": 10},
        "lifts_rules": True,
    }
    assert held([MATHS, lease], "2026-10-13T09:04") == ["rule-7-1"]
    assert held([MATHS, lease], "2026-10-13T09:05") == ["lease-1"]
    assert held([MATHS, lease], "2026-10-13T09:30") == ["rule-7-1"]
    assert holding_at([MATHS, lease], at("2026-10-13T09:10"), MADRID).settings == {"volume": 10}
    assert next_change([MATHS, lease], at("2026-10-13T09:10"), MADRID) == at("2026-10-13T09:30")
    assert until([MATHS, lease], lease, at("2026-10-13T09:10"), MADRID) == at("2026-10-13T09:30")


def test_the_later_entry_is_laid_over_the_earlier() -> None:
    other = MATHS | {"id": "rule-9-1", "settings": {"camera": True, "volume": 5}}
    holding = holding_at([MATHS, other], at("2026-10-13T09:10"), MADRID)
    assert holding.settings == {"camera": True, "volume": 5}
    said = holding.says("camera")
    assert said is not None
    assert said["id"] == "rule-9-1"


def test_the_next_change_is_the_next_bell_also_over_a_holiday() -> None:
    assert next_change([MATHS], at("2026-10-13T09:10"), MADRID) == at("2026-10-13T09:55")
    assert next_change([MATHS], at("2026-10-13T09:55"), MADRID) == at("2026-10-20T09:00")
    assert next_change([MATHS], at("2027-06-29T10:00"), MADRID) is None
    assert next_change([], at("2026-10-13T09:10"), MADRID) is None


def test_what_was_left_out_when_the_clocks_went_forward_never_holds() -> None:
    night = MATHS | {"days": [7], "from": "02:15", "to": "03:30", "first": "2027-03-01"}
    # Sunday, 28 March 2027: 02:00 is 03:00.
    assert next_change([night], at("2027-03-28T01:00"), MADRID) == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    assert held([night], "2027-03-28T03:10") == ["rule-7-1"]
    assert held([night], "2027-03-28T03:30") == []


def test_an_hour_that_comes_twice_counts_twice() -> None:
    night = MATHS | {"days": [7], "from": "02:15", "to": "02:45", "first": "2026-10-01"}
    starts = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 02:15 in summer time
    changes = [starts - timedelta(minutes=1)]
    for _ in range(4):
        found = next_change([night], changes[-1], MADRID)
        assert found is not None
        changes.append(found)
    assert [f"{one:%H:%M}" for one in changes[1:]] == ["00:15", "00:45", "01:15", "01:45"]


def test_hours_to_midnight_end_there() -> None:
    entries = weekly_hours(
        [Hours(frozenset({5}), "20:00", "24:00")], date(2026, 10, 1), date(2026, 12, 31), [date(2026, 10, 30)]
    )
    rule = rule_entries(3, "Night", {"camera": False}, [], entries)
    assert held(rule, "2026-10-23T23:59:59") == ["rule-3-1"]
    assert held(rule, "2026-10-24T00:00") == []
    assert held(rule, "2026-10-30T21:00") == []  # no school that day
    assert next_change(rule, at("2026-10-23T22:00"), MADRID) == at("2026-10-24T00:00")


ON = st.dates(date(2026, 9, 1), date(2027, 6, 30))
TIMES = st.sampled_from(["08:00", "08:55", "09:00", "09:55", "10:50", "12:15"])
SPANS = st.lists(st.builds(Span, on=ON, starts=TIMES, ends=TIMES), max_size=40)
WEEKLY = st.lists(
    st.tuples(ON, st.integers(1, 30), st.sampled_from([("08:00", "08:55"), ("09:00", "10:50")])), max_size=6
).map(
    lambda found: [
        Span(on + timedelta(weeks=n), starts, ends)
        for on, weeks, (starts, ends) in found
        for n in range(weeks)
    ]
)


@given(SPANS | WEEKLY)
def test_entries_of_the_week_hold_exactly_when_the_lessons_are(spans: list[Span]) -> None:
    entries = weekly_entries(spans)
    for on in {span.on + timedelta(days=n) for span in spans for n in (-7, -1, 0, 1, 7)}:
        for clock in ("07:59", "08:00", "08:54", "08:55", "09:30", "09:55", "11:00", "12:15"):
            wanted = any(span.on == on and span.starts <= clock < span.ends for span in spans)
            found = any(entry["from"] <= clock < entry["to"] and takes_place(entry, on) for entry in entries)
            assert found == wanted


ENTRIES = st.lists(
    st.builds(
        lambda number, days, times, first, weeks: {
            "id": f"rule-{number}-1",
            "days": sorted(days),
            "from": min(times),
            "to": max(times),
            "first": first.isoformat(),
            "last": (first + timedelta(weeks=weeks)).isoformat(),
            "settings": {"camera": False},
        },
        st.integers(1, 5),
        st.sets(st.integers(1, 7), min_size=1),
        st.tuples(st.sampled_from(["00:00", "01:30", "02:15", "02:45", "03:00", "08:00"]), TIMES),
        st.dates(date(2026, 10, 12), date(2026, 11, 2)),
        st.integers(0, 4),
    ),
    max_size=4,
    unique_by=lambda entry: str(entry["id"]),
)


@given(ENTRIES, st.integers(0, 40 * 24 * 4))
def test_nothing_changes_before_the_next_change(schedule: list[dict[str, Any]], quarters: int) -> None:
    start = datetime(2026, 10, 10, tzinfo=UTC) + timedelta(minutes=15 * quarters)
    change = next_change(schedule, start, MADRID)
    now = holding_at(schedule, start, MADRID)
    end = change or start + timedelta(days=20)
    probe = start
    while probe < min(end, start + timedelta(days=9)):
        assert holding_at(schedule, probe, MADRID) == now
        probe += timedelta(minutes=5)
    if change is not None:
        assert holding_at(schedule, change, MADRID) != now
