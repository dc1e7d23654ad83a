"""Which version of an application a device shall have."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pupitre.devices.rules import Platform, RolloutState, applications
from pupitre.devices.rules.applications import (
    Application,
    Catalogue,
    Counts,
    Place,
    Rollout,
    Version,
    Wanted,
    Wave,
    gather,
    must_halt,
    position_of,
    released,
)

NOW = datetime(2026, 10, 13, 8, tzinfo=UTC)
OLD = Version(1, "5.0", 50, "apps/old", 10_000_000, "a" * 64)
NEW = Version(2, "6.0", 60, "apps/new", 10_000_000, "b" * 64)
AUTHORITY, OAK, ELM = 1, 11, 12
FOR_ALL = (Wave(1, NOW - timedelta(hours=1)),)


def geogebra(
    *rollouts: Rollout, versions: tuple[Version, ...] = (OLD, NEW), school: int | None = None
) -> Application:
    return Application(
        5 if school is None else 6, AUTHORITY, school, Platform.ANDROID, "org.geogebra", "GeoGebra", "apk", versions, rollouts
    )  # fmt: skip


def rollout(state: RolloutState, waves: tuple[Wave, ...] = FOR_ALL, budget: int = 0) -> Rollout:
    return Rollout(7, NEW.id, OLD.id, state, budget, waves)


def ask(
    found: Application | Catalogue, place: Place | None = None, now: datetime = NOW, **entry: Any
) -> list[Wanted]:
    catalogue = found if isinstance(found, Catalogue) else gather([found])
    told = {"package": "org.geogebra", "action": "install", **entry}
    return applications.wanted([told], catalogue, AUTHORITY, place or at(OAK), now)


def at(school: int, number: str = "d-1", devices: int = 100, cache: str = "") -> Place:
    return Place(number, school, Platform.ANDROID, devices, cache)


def having(
    found: Application, *, school: int = OAK, now: datetime = NOW, version: Version = NEW, cache: str = ""
) -> int:
    """How many of a thousand devices of a school shall have the version."""
    places = (at(school, f"d-{number}", 1000, cache) for number in range(1000))
    return sum(ask(found, place, now)[0].version_id == version.id for place in places)


def test_the_first_version_is_everybodys_until_another_is_rolled_out() -> None:
    (one,) = ask(geogebra())
    assert (one.version, one.code, one.file_key, one.sha256) == ("5.0", 50, "apps/old", "a" * 64)
    assert not one.keeps_newer


def test_a_running_rollout_reaches_only_the_schools_whose_turn_it_is() -> None:
    app = geogebra(
        rollout(RolloutState.RUNNING, (Wave(1, NOW, frozenset({OAK})), Wave(2, NOW + timedelta(days=1))))
    )
    assert ask(app)[0].version == "6.0"
    assert ask(app, at(ELM))[0].version == "5.0"
    assert ask(app, at(ELM), NOW + timedelta(days=1))[0].version == "6.0"


def test_a_canary_is_always_the_same_share_of_the_devices() -> None:
    canary = rollout(RolloutState.RUNNING, (Wave(1, NOW, share=10), Wave(2, NOW + timedelta(days=1))))
    among = having(geogebra(canary))
    assert 70 < among < 130
    assert having(geogebra(canary)) == among
    assert having(geogebra(canary), now=NOW + timedelta(days=1)) == 1000


def test_who_is_first_in_one_rollout_is_not_in_the_next() -> None:
    first = [number for number in range(2000) if position_of(1, f"d-{number}") < 0.1]
    again = [number for number in first if position_of(2, f"d-{number}") < 0.1]
    assert len(again) < len(first) / 4


def test_a_site_fetches_no_more_than_its_budget_by_the_hour() -> None:
    # A thousand devices of 10 MB each are 10 GB: 1,000 MB an hour take ten hours.
    app = geogebra(rollout(RolloutState.RUNNING, (Wave(1, NOW),), budget=1000))
    assert 10 < having(app) < 50
    assert 450 < having(app, now=NOW + timedelta(hours=5)) < 570
    assert having(app, now=NOW + timedelta(hours=10)) == 1000


def test_a_site_with_a_cache_fetches_once_and_has_no_budget() -> None:
    app = geogebra(rollout(RolloutState.RUNNING, (Wave(1, NOW),), budget=1))
    assert having(app, cache="http://10.0.0.5/") == 1000
    assert ask(app, at(OAK, cache="http://10.0.0.5/"))[0].cache == "http://10.0.0.5/"


def test_a_halted_rollout_gives_nobody_the_version_and_takes_it_from_nobody() -> None:
    (one,) = ask(geogebra(rollout(RolloutState.HALTED)))
    assert (one.version, one.keeps_newer) == ("5.0", True)


def test_a_rolled_back_one_brings_everybody_back() -> None:
    (one,) = ask(geogebra(rollout(RolloutState.ROLLED_BACK)))
    assert (one.version, one.keeps_newer) == ("5.0", False)


def test_a_completed_rollout_is_what_everybody_has() -> None:
    assert ask(geogebra(rollout(RolloutState.DONE)))[0].version == "6.0"


def test_a_planned_one_gives_nothing_yet() -> None:
    assert ask(geogebra(rollout(RolloutState.PLANNED)))[0].version == "5.0"


def test_a_pin_holds_also_downwards() -> None:
    done = geogebra(rollout(RolloutState.DONE))
    (one,) = ask(done, version="5.0", pinned=True)
    assert (one.version, one.pinned) == ("5.0", True)
    assert ask(done, version="5.0")[0].version == "6.0"


def test_a_withdrawn_version_is_nobodys() -> None:
    withdrawn = Version(2, "6.0", 60, is_withdrawn=True)
    for state in RolloutState:
        app = geogebra(rollout(state), versions=(OLD, withdrawn))
        assert ask(app)[0].version == "5.0"
        assert ask(app, version="6.0", pinned=True)[0].version == "5.0"
    assert released(geogebra(versions=(withdrawn,))) is None
    assert ask(geogebra(versions=(withdrawn,))) == []


def test_a_schools_own_application_goes_before_its_authoritys() -> None:
    own = Version(9, "4.2-school")
    catalogue = gather([geogebra(), geogebra(versions=(own,), school=OAK)])
    assert ask(catalogue)[0].version == "4.2-school"
    assert ask(catalogue, at(ELM))[0].version == "5.0"


def test_removals_need_no_catalogue_and_unknown_packages_are_left_out() -> None:
    (gone,) = ask(gather([]), action="remove", package="com.game")
    assert (gone.action, gone.package, gone.version) == ("remove", "com.game", "")
    assert ask(gather([]), package="com.unknown") == []


def test_the_stamp_changes_whenever_what_is_wanted_does() -> None:
    waves = (Wave(1, NOW, share=50), Wave(2, NOW + timedelta(days=1)))
    catalogue = gather([geogebra(rollout(RolloutState.RUNNING, waves))])
    for number in range(200):
        place = at(OAK, f"d-{number}")
        before, after = (
            (catalogue.stamp(AUTHORITY, place, now), ask(catalogue, place, now))
            for now in (NOW, NOW + timedelta(days=1))
        )
        assert (before[0] == after[0]) == (before[1] == after[1])
    halted = gather([geogebra(rollout(RolloutState.HALTED, waves))])
    assert halted.stamp(AUTHORITY, at(OAK), NOW) != catalogue.stamp(AUTHORITY, at(OAK), NOW)
    assert catalogue.stamp(2, at(OAK), NOW) == ""


def test_rows_of_the_tables_make_the_same_catalogue() -> None:
    app = {
        "id": 5,
        "authority_id": AUTHORITY,
        "school_id": None,
        "platform": 1,
        "package": "org.geogebra",
        "name": "GeoGebra",
        "kind": "apk",
    }
    versions = [
        {
            "id": one.id,
            "application_id": 5,
            "version": one.version,
            "code": one.code,
            "file_key": one.file_key,
            "size": one.size,
            "sha256": one.sha256,
            "url": "",
            "withdrawn_at": None,
        }
        for one in (NEW, OLD)
    ]
    ways = [{"id": 7, "version_id": 2, "previous_id": 1, "state": 2, "site_budget": 0}]
    waves = [
        {"rollout_id": 7, "number": 1, "starts_at": NOW - timedelta(hours=1), "schools": [], "share": 100}
    ]
    made = applications.catalogue_of([app], versions, ways, waves)
    assert made.applications == (geogebra(rollout(RolloutState.RUNNING)),)


@pytest.mark.parametrize(
    ("counts", "halts"),
    [
        (Counts(installed=18, failed=1), False),  # too few have reported
        (Counts(installed=19, failed=1), True),
        (Counts(installed=96, failed=4), False),
        (Counts(installed=0, failed=20), True),
        (Counts(), False),
    ],
)
def test_a_rollout_halts_by_the_share_of_failures_among_enough_reports(counts: Counts, halts: bool) -> None:
    assert must_halt(counts, failure_limit=5, least_reports=20) is halts
