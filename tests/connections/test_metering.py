"""A connection asks so often a minute, counted by all processes together; who asks more is told when to come again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pupitre.connections.actions import metering
from pupitre.connections.models import ConnectionUse
from pupitre.connections.rules.metering import BATCH, Meter, TooManyRequests, minute_of, seconds_left
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.project.api import Machine, connected


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(metering, "PER_MINUTE", 5)
    yield 5
    metering._meters.clear()


def test_the_sixth_request_of_five_is_told_to_wait(cast: Cast, few: int) -> None:
    machine = connected(cast.school)
    with clock.frozen(NOW + timedelta(seconds=42)):
        left = [machine.get("/rooms").headers["RateLimit-Remaining"] for _ in range(few)]
        refused = machine.get("/rooms")
    assert left == ["4", "3", "2", "1", "0"]
    assert refused.status_code == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "18"
    with clock.frozen(NOW + timedelta(seconds=60)):
        again = machine.get("/rooms")
    assert (again.status_code, again.headers["RateLimit-Limit"]) == (200, "5")


def test_refusals_count_and_other_connections_do_not(cast: Cast, few: int) -> None:
    machine = connected(cast.school)
    for _ in range(few):
        assert machine.get("/people/999999").status_code == 404
    assert machine.get("/rooms").status_code == 429
    assert connected(cast.school).get("/rooms").status_code == 200


def test_processes_hear_of_each_other(cast: Cast) -> None:
    machine = connected(cast.school)
    ask(machine, BATCH + 1)
    with scope(cast.school.id):
        assert ConnectionUse.objects.get(connection_id=machine.id).count == BATCH + 1
    metering._meters.clear()  # another process
    ask(machine, 1)
    assert metering._meters[machine.id].shared == BATCH + 2
    with scope(cast.school.id):
        metering._meters[machine.id] = Meter(minute_of(NOW) + 1, 0, 1)
        metering.share_count(cast.school.id, machine.id, now=NOW)
        assert ConnectionUse.objects.get(connection_id=machine.id).count == 1
    metering._meters.clear()


def ask(machine: Machine, times: int) -> None:
    for _ in range(times):
        assert machine.get("/rooms").status_code == 200


def test_a_minute_begins_anew() -> None:
    meter = Meter()
    assert [meter.count(7), meter.count(7), meter.count(8)] == [1, 2, 1]
    meter.told(7, 100, 1)  # of a minute that is over
    assert (meter.shared, meter.own) == (0, 1)
    assert seconds_left(NOW) == 60
    with pytest.raises(TooManyRequests):
        raise TooManyRequests(3)
