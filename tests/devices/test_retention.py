"""What of the fleet goes when: by the nightly job, school by school."""

from datetime import date, datetime, timedelta

import pytest

from pupitre.devices.actions import incidents, lending
from pupitre.devices.actions.loading import load_fleet
from pupitre.devices.models import (
    Command,
    Device,
    DeviceEvent,
    DeviceStatus,
    Incident,
    Inventory,
    Loan,
    LogLine,
)
from pupitre.devices.rules import CommandState, Condition, Platform, Protocol, Standing, Verb
from pupitre.devices.rules.loading import NewCommand, NewDevice, NewStatus
from pupitre.kernel import clock
from pupitre.project import retention
from pupitre.project.retention import Pace
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast

#: The machine's clock may not run ahead of the database's, so what is old was made in the past.
PRESENT = clock.now()


def days_ago(days: int) -> datetime:
    return PRESENT - timedelta(days=days)


def forget(cast: Cast) -> dict[str, int]:
    with clock.frozen(PRESENT):
        return dict(
            retention.forget_of_school(cast.school, PRESENT, Pace(PRESENT + timedelta(hours=1), rest=0)).rows
        )


def device(cast: Cast, number: str = "t-1", **facts: object) -> int:
    one = NewDevice(number, number, number, "", Platform.ANDROID, Protocol.HEADWIND, "", "", NOW, **facts)  # type: ignore[arg-type]
    return load_fleet(cast.office, [one])[number]


def told(days: int, state: CommandState = CommandState.DONE) -> NewCommand:
    at = days_ago(days)
    return NewCommand(Verb.MESSAGE, state, at, at + timedelta(days=1))


def test_log_lines_go_after_a_month(cast: Cast) -> None:
    with scope(cast.school.id):
        one = device(cast)
        for days in (5, 29, 31, 400):
            LogLine.objects.create(
                school_id=cast.school.id, device_id=one, logged_at=days_ago(days), level=3, message="x"
            )
    assert forget(cast)["devices_logline"] == 2


def test_ended_commands_go_after_a_year_and_waiting_ones_stay(cast: Cast) -> None:
    with scope(cast.school.id):
        device(
            cast,
            commands=(
                told(30),
                told(360),
                told(380),
                told(800),
                told(800, CommandState.QUEUED),
                told(800, CommandState.EXPIRED),
            ),
        )
    assert forget(cast)["devices_command"] == 3
    with scope(cast.school.id):
        assert Command.objects.count() == 3


def test_many_commands_go_in_batches(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    (rule,) = [one for one in retention.RULES if one.table == "devices_command"]
    monkeypatch.setattr(retention, "RULES", (replace(rule, most=7),))
    with scope(cast.school.id):
        device(cast, commands=tuple(told(400 + number) for number in range(30)))
    assert forget(cast) == {"devices_command": 30}


def test_a_devices_history_goes_after_a_year(cast: Cast) -> None:
    with scope(cast.school.id):
        device(cast, events=tuple((days_ago(days), "changed", {}) for days in (10, 400)))
    assert forget(cast)["devices_deviceevent"] == 1
    with scope(cast.school.id):
        assert DeviceEvent.objects.count() == 1


def test_what_a_retired_device_reported_goes_a_year_later_and_the_device_stays_in_the_books(
    cast: Cast,
) -> None:
    reported = {"status": NewStatus(days_ago(500)), "applications": {"x": "1"}}
    with scope(cast.school.id):
        for number, standing, days in (
            ("a", Standing.RETIRED, 400),
            ("b", Standing.RETIRED, 100),
            ("c", Standing.ENROLLED, 0),
        ):
            device(cast, number, standing=standing, retired_at=days_ago(days) if days else None, **reported)
    rows = forget(cast)
    assert (rows["devices_devicestatus"], rows["devices_inventory"]) == (1, 1)
    with scope(cast.school.id):
        assert (Device.objects.count(), DeviceStatus.objects.count(), Inventory.objects.count()) == (3, 2, 2)


def test_loans_and_reports_stay_as_long_as_the_schools_accounts(cast: Cast) -> None:
    with scope(cast.school.id):
        for number, years in (("a", 7), ("b", 3)):
            one, then = device(cast, number), days_ago(365 * years)
            with clock.frozen(then):
                loan = lending.propose_loan(
                    cast.secretary.actor, one, cast.pupil.person.pk, starts_on=date(2019, 9, 1), now=then
                )
                lending.confirm_paper(cast.secretary.actor, loan.pk, signed_on=then.date(), now=then)
                found = incidents.report_device(
                    cast.secretary.actor,
                    one,
                    condition=Condition.BROKEN,
                    told="x",
                    happened_on=then.date(),
                    now=then,
                )
                incidents.close_incident(cast.secretary.actor, found.pk, outcome="mended", now=then)
                lending.return_loan(cast.secretary.actor, loan.pk, returned=[], now=then)
    rows = forget(cast)
    assert (rows["devices_incident"], rows["devices_loan"]) == (1, 1)
    with scope(cast.school.id):
        assert (Loan.objects.count(), Incident.objects.count()) == (1, 1)


def test_another_schools_rows_are_not_touched(cast: Cast) -> None:
    with scope(cast.school.id):
        device(cast, commands=(told(800),))
    with clock.frozen(PRESENT):
        pace = Pace(PRESENT + timedelta(hours=1), rest=0)
        assert not retention.forget_of_school(cast.other_school, PRESENT, pace).rows
