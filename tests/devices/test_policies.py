"""Policies are made, changed, taken back and given to somebody; one row tells half a million devices."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.devices.actions import policies
from pupitre.devices.actions.targets import compile_dated, compile_targets
from pupitre.devices.models import PolicyVersion, Target
from pupitre.devices.queries.layers import Chain, layers_of
from pupitre.devices.rules import AlreadyEnded, Level, Platform
from pupitre.devices.rules import policies as rules
from pupitre.devices.rules.composing import Desired, compose
from pupitre.devices.rules.secrets import opened
from pupitre.devices.rules.validation import SettingsWrong
from pupitre.kernel.errors import Conflict, Denied, NotFound
from pupitre.people.rules import Actor, Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.jobs import run_jobs

NO_CAMERA = {"settings": {"camera": False}, "locked": []}


def manager(cast: Cast) -> Actor:
    return Actor(
        cast.inspector.pk,
        authority_id=cast.authority.pk,
        authority_roles=frozenset({Role.FLEET_MANAGER}),
    )


def desired(cast: Cast, platform: Platform = Platform.ANDROID, groups: tuple[int, ...] = ()) -> Desired:
    """The state of a device of the first school."""
    chain = Chain(cast.authority.pk, cast.school.id, platform, groups)
    with scope(cast.school.id):
        return compose(layers_of(chain), platform)


def test_a_policy_for_the_whole_authority_is_one_row(cast: Cast) -> None:
    with scope(authority=cast.authority.pk):
        policy = policies.create_policy(manager(cast), name="No camera", document=NO_CAMERA, now=NOW)
        with CaptureQueriesContext(
            connection,
        ) as told:
            policies.assign_policy(
                manager(cast), policy.pk, level=Level.AUTHORITY, whom=cast.authority.pk, now=NOW
            )
        told_sql = [one["sql"].replace('"', "").split() for one in told]
        assert [words[2] for words in told_sql if words[0] in {"INSERT", "UPDATE"}] == [
            "devices_assignment",
            "devices_target",
        ]
        assert Target.objects.filter(authority_id=cast.authority.pk).count() == 1
        assert compile_targets(Level.AUTHORITY, cast.authority.pk, now=NOW) == 0
    before = desired(cast)
    assert before.settings == {"camera": False}
    with scope(authority=cast.authority.pk):
        policies.edit_policy(
            manager(cast), policy.pk, document={"settings": {"camera": True, "bluetooth": False}}, now=NOW
        )
        assert Target.objects.filter(authority_id=cast.authority.pk).count() == 1
    after = desired(cast)
    assert after.settings == {"camera": True, "bluetooth": False}
    assert after.version != before.version


def test_a_policy_goes_back_to_what_it_said(cast: Cast) -> None:
    with scope(cast.school.id):
        actor = cast.head.actor
        policy = policies.create_policy(actor, name="Calm", document=NO_CAMERA, now=NOW)
        policies.assign_policy(actor, policy.pk, level=Level.SCHOOL, whom=cast.school.id, now=NOW)
        policies.edit_policy(actor, policy.pk, document={"settings": {"volume": 20}}, now=NOW, expected=1)
        assert desired(cast).settings == {"volume": 20}
        with pytest.raises(Conflict):
            policies.edit_policy(actor, policy.pk, document=NO_CAMERA, now=NOW, expected=1)
        with pytest.raises(rules.NothingNew):
            policies.edit_policy(actor, policy.pk, document={"settings": {"volume": 20}}, now=NOW)
        policies.restore_version(actor, policy.pk, 1, now=NOW)
        assert desired(cast).settings == {"camera": False}
        made = policies.edit_policy(actor, policy.pk, document={"settings": {"volume": 5}}, now=NOW)
        assert made.number == 3
        assert PolicyVersion.objects.filter(authority_id=cast.authority.pk, policy_id=policy.pk).count() == 3
        policies.archive_policy(actor, policy.pk, now=NOW)
        assert desired(cast).settings == {}
        with pytest.raises(AlreadyEnded):
            policies.edit_policy(actor, policy.pk, document=NO_CAMERA, now=NOW)


def test_a_school_uses_its_authoritys_policy_and_follows_it(cast: Cast) -> None:
    with scope(authority=cast.authority.pk):
        policy = policies.create_policy(manager(cast), name="Exams", document=NO_CAMERA, now=NOW)
    with scope(cast.school.id):
        policies.assign_policy(cast.head.actor, policy.pk, level=Level.GROUP, whom=cast.homeroom.pk, now=NOW)
        with pytest.raises(rules.NotYourPolicy):
            policies.edit_policy(cast.head.actor, policy.pk, document={"settings": {}}, now=NOW)
    with scope(authority=cast.authority.pk):
        policies.edit_policy(manager(cast), policy.pk, document={"settings": {"volume": 1}}, now=NOW)
    run_jobs()
    assert desired(cast, groups=(cast.homeroom.pk,)).settings == {"volume": 1}


def test_what_the_authority_locks_in_a_school_stays(cast: Cast) -> None:
    with scope(authority=cast.authority.pk):
        locked = {"settings": {"camera": False, "volume": 30}, "locked": ["camera"]}
        policy = policies.create_policy(manager(cast), name="Locked", document=locked, now=NOW)
        policies.assign_policy(manager(cast), policy.pk, level=Level.SCHOOL, whom=cast.school.id, now=NOW)
    with scope(cast.school.id):
        own = policies.create_policy(
            cast.head.actor, name="Own", document={"settings": {"camera": True, "volume": 50}}, now=NOW
        )
        policies.assign_policy(
            cast.head.actor, own.pk, level=Level.SCHOOL, whom=cast.school.id, rank=50, now=NOW
        )
    assert desired(cast).settings == {"camera": False, "volume": 50}


def test_an_assignment_holds_between_its_dates_and_on_its_platform(cast: Cast) -> None:
    today = date(2026, 10, 13)
    with scope(cast.school.id):
        actor = cast.head.actor
        policy = policies.create_policy(actor, name="Week", document=NO_CAMERA, now=NOW)
        given = policies.assign_policy(
            actor,
            policy.pk,
            level=Level.SCHOOL,
            whom=cast.school.id,
            platform=Platform.LINUX,
            starts_on=today + timedelta(days=1),
            ends_on=today + timedelta(days=2),
            now=NOW,
        )
        assert desired(cast, Platform.LINUX).settings == {}
        assert compile_dated(now=NOW + timedelta(days=1)) == 1
        assert desired(cast, Platform.LINUX).settings == {"camera": False}
        assert desired(cast, Platform.ANDROID).settings == {}
        assert compile_dated(now=NOW + timedelta(days=2)) == 0
        assert compile_dated(now=NOW + timedelta(days=3)) == 1
        assert desired(cast, Platform.LINUX).settings == {}
        policies.unassign_policy(actor, given.pk, now=NOW)
        with pytest.raises(AlreadyEnded):
            policies.unassign_policy(actor, given.pk, now=NOW)


def test_a_secret_is_sealed_and_stays_when_it_comes_back_unseen(cast: Cast) -> None:
    network = {"ssid": "School", "security": "wpa2", "password": "correct horse"}
    with scope(cast.school.id):
        actor = cast.head.actor
        policy = policies.create_policy(
            actor, name="Wi-Fi", document={"settings": {"wifi": [network]}}, now=NOW
        )
        policies.assign_policy(actor, policy.pk, level=Level.SCHOOL, whom=cast.school.id, now=NOW)
        shown = {**network, "password": True, "hidden": True}
        policies.edit_policy(actor, policy.pk, document={"settings": {"wifi": [shown]}}, now=NOW)
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(document::text, '') FROM devices_policyversion")
            assert "correct horse" not in cursor.fetchone()[0]
    settings = desired(cast).settings
    assert opened(settings) == {"wifi": [{**network, "hidden": True}]}
    assert "correct horse" not in str(settings)


def test_nothing_is_taken_for_sealed_that_is_not(cast: Cast) -> None:
    network = {"ssid": "School", "security": "wpa2", "password": {"sealed": 5}}
    with scope(cast.school.id), pytest.raises(SettingsWrong):
        policies.create_policy(cast.head.actor, name="W", document={"settings": {"wifi": [network]}}, now=NOW)


def test_a_policy_names_no_files_but_those_of_its_owners_catalogue(cast: Cast) -> None:
    def naming(key: str) -> dict[str, Any]:
        file = {"path": "a.pdf", "key": key, "sha256": "0" * 64, "action": "put"}
        return {"settings": {"files": [file]}, "locked": []}

    own, other = cast.school.id, cast.other_school.id
    with scope(own):
        actor = cast.head.actor
        policy = policies.create_policy(actor, name="Own", document=naming(f"{own}/packages/1"), now=NOW)
        for key in (
            f"{other}/packages/1",
            f"{own}/documents/1",
            f"{own}/packages/../documents/1",
            "0/packages/1",
        ):
            with pytest.raises(NotFound):
                policies.create_policy(actor, name="Other", document=naming(key), now=NOW)
            with pytest.raises(NotFound):
                policies.edit_policy(actor, policy.pk, document=naming(key), now=NOW)


def test_what_cannot_be_carried_out_is_refused_by_name(cast: Cast) -> None:
    wrong = {
        "camera": "no",
        "volume": 300,
        "colour": 1,
        "wifi": [{"ssid": "S", "security": "wpa2"}],
        "web": {"mode": "allow", "hosts": ["wikipedia.org", "not a host"]},
    }
    with scope(cast.school.id), pytest.raises(SettingsWrong) as refused:
        policies.create_policy(cast.head.actor, name="Wrong", document={"settings": wrong}, now=NOW)
    assert {one.pointer for one in refused.value.findings} == {
        "camera",
        "volume",
        "colour",
        "wifi/0/password",
        "web/hosts/1",
    }


def test_only_who_cares_for_devices_makes_policies_and_only_within_the_school(cast: Cast) -> None:
    with scope(cast.school.id):
        with pytest.raises(Denied):
            policies.create_policy(cast.teacher.actor, name="Mine", document=NO_CAMERA, now=NOW)
        policy = policies.create_policy(cast.head.actor, name="Mine", document=NO_CAMERA, now=NOW)
        with pytest.raises(rules.NameTaken):
            policies.create_policy(cast.head.actor, name=" Mine ", document=NO_CAMERA, now=NOW)
        for level, whom in ((Level.AUTHORITY, cast.authority.pk), (Level.SCHOOL, cast.other_school.id)):
            with pytest.raises(NotFound):
                policies.assign_policy(cast.head.actor, policy.pk, level=level, whom=whom, now=NOW)
    with scope(cast.other_school.id):
        other = Actor(1, school=cast.other_school, roles=frozenset({Role.TECHNICIAN}))
        with pytest.raises(NotFound):
            policies.edit_policy(other, policy.pk, document=NO_CAMERA, now=NOW)
        with pytest.raises(NotFound):
            policies.assign_policy(other, policy.pk, level=Level.SCHOOL, whom=cast.other_school.id, now=NOW)
