"""The catalogue, and a version's way through the schools: waves, halting, going on, rolling back."""

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from pupitre.devices.actions import catalogue, rollouts
from pupitre.devices.actions.loading import load_fleet, load_installations
from pupitre.devices.models import Application, ApplicationVersion, Rollout
from pupitre.devices.queries import catalogue as queries
from pupitre.devices.rules import InstallState, Platform, Protocol, RolloutState, applications
from pupitre.devices.rules.loading import NewDevice, NewInstallation
from pupitre.devices.rules.rollouts import RolloutHalted
from pupitre.kernel import events
from pupitre.kernel.errors import Denied, NotFound
from pupitre.kernel.storage import Storage
from pupitre.people.rules import Actor, Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast

from .packages import apk, deb


@pytest.fixture
def inside(cast: Cast) -> Iterator[Cast]:
    with scope(cast.school.id):
        yield cast


def manager(cast: Cast) -> Actor:
    return Actor(
        cast.inspector.pk, authority_id=cast.authority.pk, authority_roles=frozenset({Role.FLEET_MANAGER})
    )


def upload(actor: Actor, data: bytes, **facts: object) -> ApplicationVersion:
    told: dict[str, object] = {"file_name": "atlas.apk", "size": len(data), "now": NOW, **facts}
    return catalogue.upload_version(actor, io.BytesIO(data), **told)  # type: ignore[arg-type]


def two_versions(actor: Actor) -> tuple[ApplicationVersion, ApplicationVersion]:
    return upload(actor, apk(version="1.0", code=10), name="Atlas"), upload(
        actor, apk(version="2.0", code=20)
    )


NOW_FOR_ALL = [applications.Wave(1, NOW)]


def test_an_upload_is_named_by_the_file_and_kept_whole(inside: Cast) -> None:
    data = apk()
    version = upload(inside.secretary.actor, data, name="Atlas")
    app = Application.objects.get(pk=version.application_id)
    assert (app.package, app.name, app.platform, app.kind) == (
        "org.example.atlas",
        "Atlas",
        Platform.ANDROID,
        "apk",
    )
    assert (version.version, version.code, version.size) == ("2.1", 21, len(data))
    assert version.sha256 == hashlib.sha256(data).hexdigest()
    assert Storage(settings.CONFIG.storage_url).get(version.file_key) == data


def test_a_second_file_is_a_version_of_the_same_application(inside: Cast) -> None:
    first, second = two_versions(inside.secretary.actor)
    assert first.application_id == second.application_id
    with pytest.raises(applications.AlreadyThere):
        upload(inside.secretary.actor, apk(version="2.0", code=20))
    with pytest.raises(applications.OtherPackage):
        upload(inside.secretary.actor, apk("org.other"), application_id=first.application_id)
    with pytest.raises(applications.WrongKind):
        upload(inside.secretary.actor, deb(), application_id=first.application_id)
    with pytest.raises(applications.TooLarge):
        upload(inside.secretary.actor, apk(), size=10**10)


def test_an_msi_is_named_by_hand(inside: Cast) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100
    with pytest.raises(applications.PackageNeeded):
        upload(inside.secretary.actor, data)
    version = upload(inside.secretary.actor, data, package="Atlas.Setup", version="3")
    assert (version.version, version.application.kind) == ("3", "msi")


def test_versions_from_elsewhere_need_an_address_or_their_own_tool(inside: Cast) -> None:
    actor = inside.secretary.actor
    app = catalogue.add_application(
        actor, package="org.videolan.vlc", name="VLC", platform=Platform.LINUX, kind="flatpak", now=NOW
    )
    assert catalogue.add_version(actor, app.pk, version="3.0", now=NOW).file_key == ""
    with pytest.raises(applications.WrongAddress):
        catalogue.add_version(actor, app.pk, version="3.1", url="http://example.org/x", now=NOW)
    with pytest.raises(applications.WrongKind):
        catalogue.add_application(actor, package="x", name="x", platform=Platform.LINUX, kind="apk", now=NOW)
    with pytest.raises(Denied):
        catalogue.add_application(
            inside.teacher.actor, package="x", name="x", platform=Platform.LINUX, kind="deb", now=NOW
        )


def test_a_school_does_not_change_its_authoritys_catalogue(cast: Cast) -> None:
    with scope(authority=cast.authority.pk):
        old, _ = two_versions(manager(cast))
    with scope(cast.school.id):
        (line,) = queries.applications_for(cast.secretary.actor)
        assert (line.name, line.is_own, line.released) == ("Atlas", False, "1.0")
        with pytest.raises(NotFound):
            catalogue.withdraw_version(cast.secretary.actor, old.pk, now=NOW)
        with pytest.raises(NotFound):
            rollouts.plan_rollout(cast.secretary.actor, old.pk, waves=NOW_FOR_ALL, now=NOW)


def test_another_schools_catalogue_is_not_seen(cast: Cast) -> None:
    with scope(cast.school.id):
        two_versions(cast.secretary.actor)
    stranger = Actor(1, cast.other_school, cast.stranger.person.pk, frozenset({Role.TECHNICIAN}), name="Stan")
    with scope(cast.other_school.id):
        assert queries.applications_for(stranger) == []


def test_a_rollout_goes_its_way_and_becomes_what_everybody_has(inside: Cast) -> None:
    actor = inside.secretary.actor
    old, new = two_versions(actor)
    rollout = rollouts.plan_rollout(actor, new.pk, waves=NOW_FOR_ALL, starts=False, now=NOW)
    assert (rollout.state, rollout.previous_id) == (RolloutState.PLANNED, old.pk)
    with pytest.raises(applications.AlreadyOnTheWay):
        rollouts.plan_rollout(actor, new.pk, waves=NOW_FOR_ALL, now=NOW)
    rollouts.start_rollout(actor, rollout.pk, now=NOW)
    with pytest.raises(applications.WrongTurn):
        rollouts.start_rollout(actor, rollout.pk, now=NOW)
    rollouts.complete_rollout(actor, rollout.pk, now=NOW)
    assert queries.applications_for(actor)[0].released == "2.0"
    rollouts.roll_back(actor, rollout.pk, now=NOW)
    assert queries.applications_for(actor)[0].released == "1.0"


def test_what_has_nothing_before_it_is_not_rolled_back(inside: Cast) -> None:
    actor = inside.secretary.actor
    only = upload(actor, apk())
    rollout = rollouts.plan_rollout(actor, only.pk, waves=NOW_FOR_ALL, now=NOW)
    with pytest.raises(applications.NothingToGoBackTo):
        rollouts.roll_back(actor, rollout.pk, now=NOW)


def test_waves_are_looked_at(inside: Cast) -> None:
    actor = inside.secretary.actor
    version = upload(actor, apk())
    with pytest.raises(applications.NoWaves):
        rollouts.plan_rollout(actor, version.pk, waves=[], now=NOW)
    with pytest.raises(applications.BadShare):
        rollouts.plan_rollout(actor, version.pk, waves=[applications.Wave(1, NOW, share=0)], now=NOW)
    with pytest.raises(applications.BadLimit):
        rollouts.plan_rollout(actor, version.pk, waves=NOW_FOR_ALL, failure_limit=0, now=NOW)


def reported(cast: Cast, version: int, *, installed: int, failed: int, first: int = 0) -> None:
    """So many devices report; in the school's scope."""
    numbers = [f"r-{first + one}" for one in range(installed + failed)]
    ids = load_fleet(
        cast.office,
        [NewDevice(one, one, one, "", Platform.ANDROID, Protocol.HEADWIND, "", "", NOW) for one in numbers],
    )
    states = [InstallState.INSTALLED] * installed + [InstallState.FAILED] * failed
    load_installations(
        cast.office,
        [
            NewInstallation(
                number,
                version,
                state,
                NOW + timedelta(minutes=first),
                "no space" * (state == InstallState.FAILED),
            )
            for number, state in zip(numbers, states, strict=True)
        ],
        ids,
    )


def test_an_authoritys_rollout_halts_by_itself_and_somebody_is_told(cast: Cast) -> None:
    told: list[RolloutHalted] = []
    with scope(authority=cast.authority.pk):
        _, new = two_versions(manager(cast))
        rollout = rollouts.plan_rollout(manager(cast), new.pk, waves=NOW_FOR_ALL, least_reports=20, now=NOW)
    with scope(cast.school.id):
        reported(cast, new.pk, installed=17, failed=2)
    with scope(authority=cast.authority.pk):
        assert rollouts.judge_running(now=NOW) == []
    with scope(cast.school.id):
        reported(cast, new.pk, installed=1, failed=0, first=50)
    with scope(authority=cast.authority.pk):
        events.subscribe(RolloutHalted, told.append)
        assert rollouts.judge_running(now=NOW) == [rollout.pk]
        assert rollouts.judge_running(now=NOW) == []
        rollout.refresh_from_db()
        assert (rollout.state, rollout.why_halted) == (RolloutState.HALTED, "failures")
        line = queries.access_rollout(manager(cast), rollout.pk)
        assert (line.counts.installed, line.counts.failed) == (18, 2)
        assert queries.failures_of(manager(cast), line) == [("no space", 2)]
        assert [
            (school, counts.failed) for school, counts in queries.by_school(manager(cast), rollout.pk)
        ] == [(cast.school.id, 2)]
    assert [(one.application, one.version, one.failed, one.reports) for one in told] == [
        ("Atlas", "2.0", 2, 20)
    ]


def test_who_goes_on_starts_counting_anew(inside: Cast) -> None:
    actor = inside.secretary.actor
    _, new = two_versions(actor)
    rollout = rollouts.plan_rollout(actor, new.pk, waves=NOW_FOR_ALL, least_reports=4, now=NOW)
    reported(inside, new.pk, installed=2, failed=2)
    later = NOW + timedelta(hours=1)
    assert rollouts.judge_running(now=later) == [rollout.pk]
    rollouts.resume_rollout(actor, rollout.pk, now=later)
    assert rollouts.judge_running(now=later) == []
    reported(inside, new.pk, installed=0, failed=4, first=100)
    assert rollouts.judge_running(now=later) == [rollout.pk]


def test_a_withdrawn_version_halts_its_rollout(inside: Cast) -> None:
    actor = inside.secretary.actor
    _, new = two_versions(actor)
    rollout = rollouts.plan_rollout(actor, new.pk, waves=NOW_FOR_ALL, now=NOW)
    catalogue.withdraw_version(actor, new.pk, now=NOW)
    assert Rollout.objects.get(pk=rollout.pk).state == RolloutState.HALTED
    with pytest.raises(applications.IsWithdrawn):
        catalogue.withdraw_version(actor, new.pk, now=NOW)


def test_the_schools_devices_are_given_what_both_catalogues_say(cast: Cast) -> None:
    with scope(authority=cast.authority.pk):
        old, new = two_versions(manager(cast))
        waves = [applications.Wave(1, NOW, frozenset({cast.school.id}))]
        rollouts.plan_rollout(manager(cast), new.pk, waves=waves, now=NOW)
    for school, expected in ((cast.school, new), (cast.other_school, old)):
        with scope(school.id):
            made = queries.catalogue_of_school(Actor(0, school, roles=frozenset({Role.TECHNICIAN})))
            entry = {"package": "org.example.atlas", "action": "install"}
            place = applications.Place("d-1", school.id, Platform.ANDROID, 10)
            (one,) = applications.wanted([entry], made, cast.authority.pk, place, NOW)
            assert (one.version_id, one.sha256) == (expected.pk, expected.sha256)
