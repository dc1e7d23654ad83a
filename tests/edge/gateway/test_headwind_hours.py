"""Rules of the week for an agent that knows none: what holds at the bell that is nearest, and who is told when."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pupitre.devices.rules import Level
from pupitre.devices.rules.composing import Layer, compose
from pupitre.edge.gateway.fleet import Device, Fleet, State
from pupitre.edge.gateway.headwind_keeping import Keeping
from pupitre.edge.gateway.headwind_mqtt import Publishing
from pupitre.edge.gateway.headwind_polling import AROUND, HELD, Hours, Polling
from pupitre.edge.gateway.protocols import Gateway
from pupitre.kernel import clock

#: A Tuesday; nine o'clock in Madrid is eight in UTC.
BELL = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LESSON = {
    "id": "rule-1", "days": [2], "from": "09:00", "to": "09:55", "first": "2026-09-01", "last": "2027-06-30",
    "settings": {"blocked_applications": {"packages": ["org.game"]}},
}  # fmt: skip
LAYER = Layer(Level.GROUP, 7, 42, schedule=(LESSON,))
SECOND = timedelta(seconds=1)


def state() -> State:
    return State("2a", compose([LAYER], None), (), "Europe/Madrid")


def device(number: int = 1) -> Device:
    facts = {
        "id": number, "number": f"n-{number}", "school_id": 1, "authority_id": 1, "groups": [7], "holder_id": None, "platform": 1,
        "protocol": 1, "standing": 3, "public_key": None,
    }  # fmt: skip
    return Device(facts)


class OneState(Fleet):
    """A fleet in which everybody shall be the same."""

    def __init__(self) -> None:
        self.state, self.with_commands = state(), set()

    def state_of(self, device: Device, now: datetime) -> State:
        return self.state

    @property
    def zones(self) -> frozenset[str]:
        return frozenset({"Europe/Madrid", "America/Santiago"})

    def layers_with_schedules(self) -> list[Layer]:
        return [LAYER]


@pytest.fixture
def fleet() -> OneState:
    return OneState()


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        (BELL - AROUND - SECOND, False), (BELL - AROUND, True), (BELL + timedelta(minutes=30), True),
        (BELL + timedelta(minutes=55) - AROUND - SECOND, True), (BELL + timedelta(minutes=55) - AROUND, False),
        (BELL + timedelta(days=1), False), (BELL + timedelta(days=7), True),
    ],
)  # fmt: skip
def test_a_rule_holds_from_shortly_before_its_bell_to_shortly_before_its_end(
    fleet: OneState, at: datetime, holds: bool
) -> None:
    found = Hours(fleet).of(fleet.state, at)
    assert ("blocked_applications" in found.settings) == holds
    assert found.stamp.startswith("2a~") == holds


def test_the_same_state_is_reckoned_anew_when_its_hour_is_over(fleet: OneState) -> None:
    hours = Hours(fleet)
    before = hours.of(fleet.state, BELL - timedelta(minutes=5))
    assert hours.of(fleet.state, BELL - timedelta(minutes=4)) is before
    assert before.changes_at == BELL
    during = hours.of(fleet.state, BELL)
    assert during.stamp != before.stamp
    assert hours.of(fleet.state, BELL + timedelta(hours=1)).stamp == before.stamp


def test_a_tablet_is_told_once_and_one_that_was_never_told_within_a_while(fleet: OneState) -> None:
    hours, one = Hours(fleet), device(1)
    hours.told(one, "a")
    assert not hours.must_look(one, "a", BELL)
    assert hours.must_look(one, "b", BELL)
    others = [device(number) for number in range(100, 300)]
    assert sum(hours.must_look(each, "a", BELL) for each in others) < 5, "not all at once"
    assert all(hours.must_look(each, "a", BELL + timedelta(hours=1)) for each in others)
    hours.forget(one)
    hours.must_look(one, "a", BELL)
    assert hours.must_look(one, "a", BELL + timedelta(hours=1)), "what it was told before is forgotten"


def test_held_requests_end_around_the_bell_and_not_all_at_once(fleet: OneState) -> None:
    polling = polling_of(fleet)
    until = sorted(polling._until_bell(device(), BELL - timedelta(seconds=50)) for _ in range(300))
    assert 30 <= until[0] < 35
    assert 65 < until[-1] <= 70
    assert polling._until_bell(device(), BELL + timedelta(hours=2)) > 3600
    fleet.state = State("1", compose([], None), (), "UTC")
    assert polling._until_bell(device(), BELL) == HELD


def test_a_request_that_is_held_over_the_bell_is_told(fleet: OneState) -> None:
    polling = polling_of(fleet)

    async def scenario() -> list[Any]:
        polling._hours.told(device(), "2a")
        with clock.frozen(BELL - timedelta(minutes=2)):
            before = await polling.pending(device(), clock.now())
        with clock.frozen(BELL - timedelta(seconds=10)):
            return [
                before,
                await polling.pending(device(), clock.now()),
                await polling.pending(device(), clock.now()),
            ]

    before, at_bell, after = asyncio.run(scenario())
    assert (before, [one.kind for one in at_bell], after) == ([], ["configUpdated"], [])


def test_the_publisher_rings_once_for_each_bell_and_only_where_it_is_that_hour(fleet: OneState) -> None:
    publishing = Publishing(gateway_of(fleet), polling_of(fleet))
    assert publishing._rung(BELL - timedelta(minutes=1)) == []
    assert publishing._rung(BELL) == [(int(Level.GROUP), 7, "Europe/Madrid")]
    assert publishing._rung(BELL + SECOND) == []
    assert publishing._rung(BELL + timedelta(minutes=55)) == [(int(Level.GROUP), 7, "Europe/Madrid")]
    assert publishing._rung(BELL + timedelta(hours=4)) == [(int(Level.GROUP), 7, "America/Santiago")]


class _Nothing(Keeping):
    """Keeps nothing, and is asked for nothing."""

    def __init__(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def gateway_of(fleet: Fleet) -> Gateway:
    """With a fleet and nothing else."""
    nothing: Any = None
    return Gateway(nothing, nothing, fleet, nothing, nothing, nothing, nothing, nothing)


def polling_of(fleet: Fleet) -> Polling:
    return Polling(gateway_of(fleet), _Nothing(), Hours(fleet), lambda _device, _command: "")
