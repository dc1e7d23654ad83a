"""What time it is where somebody plays with the clock."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pupitre_agent.clock import Clock

START = 1_800_000_000.0
HOUR = 3600.0


@dataclass
class Hands:
    """Clocks that a test moves."""

    at: float = START
    counted: float = 100.0
    run: str = "boot-1"

    def wall(self) -> float:
        return self.at

    def elapsed(self) -> float:
        return self.counted

    def boot(self) -> str:
        return self.run

    def pass_(self, seconds: float) -> None:
        self.at += seconds
        self.counted += seconds

    def restart(self, name: str) -> None:
        self.run, self.counted = name, 5.0


def heard(hands: Hands, server: float = START) -> Clock:
    clock = Clock(hands)
    clock.heard(datetime.fromtimestamp(server, UTC))
    return clock


def test_before_the_server_was_heard_the_wall_is_believed() -> None:
    assert Clock(Hands()).seconds() == START
    assert Clock(Hands()).memory() is None


def test_while_the_computer_runs_its_clock_says_nothing() -> None:
    hands = Hands()
    clock = heard(hands)
    hands.pass_(HOUR)
    for moved in (-86_400, 86_400 * 400):
        hands.at += moved
        assert clock.seconds() == START + HOUR


def test_a_computer_that_is_an_hour_wrong_is_right_after_it_was_off_for_a_day() -> None:
    hands = Hands(at=START - HOUR)
    memory = heard(hands).memory()
    hands.restart("boot-2")
    hands.at += 86_400
    clock = Clock(hands, memory)
    assert clock.seconds() == START + 86_400
    assert clock.finding == ""


def test_a_clock_set_back_while_it_was_off_goes_on_from_the_last_known_moment() -> None:
    hands = Hands()
    clock = heard(hands)
    hands.pass_(HOUR)
    memory = clock.memory()
    hands.restart("boot-2")
    hands.at -= 3 * 86_400
    clock = Clock(hands, memory)
    assert clock.seconds() == START + HOUR
    assert "set back by 3 days" in clock.finding
    hands.pass_(60)
    assert clock.seconds() == START + HOUR + 60
    # Again and again: it never gets earlier.
    memory = clock.memory()
    hands.restart("boot-3")
    hands.at -= 30 * 86_400
    assert Clock(hands, memory).seconds() == START + HOUR + 60


def test_what_is_off_for_weeks_knows_the_day_by_its_own_clock() -> None:
    hands = Hands()
    memory = heard(hands).memory()
    hands.restart("boot-2")
    hands.at += 21 * 86_400
    assert Clock(hands, memory).seconds() == START + 21 * 86_400


@pytest.mark.parametrize(("moved", "word"), [(5 * 86_400, "ahead"), (-5 * 86_400, "behind")])
def test_a_clock_that_was_moved_is_told_when_the_server_is_heard_again(moved: float, word: str) -> None:
    hands = Hands()
    memory = heard(hands).memory()
    assert memory
    hands.restart("boot-2")
    hands.at += moved
    clock = Clock(hands, {**memory, "floor": 0.0})
    clock.seconds()
    clock.heard(datetime.fromtimestamp(START + 60, UTC))
    assert f"5 days {word}" in clock.finding
    assert clock.seconds() == START + 60
