"""What a change of policies touches, before it is made."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.devices.actions import policies
from pupitre.devices.models import Device, Policy
from pupitre.devices.queries.previewing import Change, Given, preview
from pupitre.devices.rules import Level, Platform, Standing
from pupitre.devices.rules.validation import checked
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast

NO_CAMERA: dict[str, Any] = {"settings": {"camera": False}, "locked": []}


def manager(cast: Cast) -> Actor:
    return Actor(
        cast.inspector.pk, authority_id=cast.authority.pk, authority_roles=frozenset({Role.FLEET_MANAGER})
    )


def devices(cast: Cast, number: int, **facts: Any) -> list[Device]:
    """So many of the first school's."""
    given = {"platform": Platform.ANDROID.value, "standing": Standing.ENROLLED.value, "groups": []} | facts
    with scope(cast.school.id):
        return Device.objects.bulk_create(
            Device(
                authority_id=cast.authority.pk,
                school_id=cast.school.id,
                number=f"p-{facts}-{one}",
                created_at=NOW,
                **given,
            )
            for one in range(number)
        )


def policy_of(cast: Cast, document: dict[str, Any]) -> Policy:
    with scope(cast.school.id):
        return policies.create_policy(cast.head.actor, name="Tried", document=document, now=NOW)


def test_a_policy_for_a_form_changes_the_devices_of_the_form(cast: Cast) -> None:
    devices(cast, 3, groups=[cast.homeroom.pk, cast.klass.pk])
    devices(cast, 2, groups=[cast.klass.pk], platform=Platform.LINUX.value)
    policy = policy_of(cast, {"settings": {"camera": False, "volume": 5}})
    with scope(cast.school.id):
        give = Change(policy.pk, give=Given(Level.GROUP, cast.homeroom.pk))
        found = preview(cast.head.actor, give, today=TODAY)
        assert (found.concerned, found.changed) == (3, 3)
        assert found.classes == [("1A", 3)]
        assert {(one.key, one.before, one.after, one.devices) for one in found.differences} == {
            ("camera", None, False, 3),
            ("volume", None, 5, 3),
        }
        give = Change(policy.pk, give=Given(Level.GROUP, cast.klass.pk, platform=Platform.LINUX))
        found = preview(cast.head.actor, give, today=TODAY)
        assert (found.concerned, found.changed) == (5, 2)
        assert found.by_platform == {Platform.LINUX: 2}
        assert [one.key for one in found.differences] == ["camera"]  # a laptop's volume is not managed


def test_what_narrower_levels_say_is_not_touched(cast: Cast) -> None:
    one, *_ = devices(cast, 4)
    wide, narrow = policy_of(cast, NO_CAMERA), policy_of_other(cast)
    with scope(cast.school.id):
        actor = cast.head.actor
        policies.assign_policy(actor, narrow.pk, level=Level.DEVICE, whom=one.pk, now=NOW)
        given = policies.assign_policy(actor, wide.pk, level=Level.SCHOOL, whom=cast.school.id, now=NOW)
        found = preview(actor, Change(wide.pk, document=checked({"settings": {"camera": True}})), today=TODAY)
        assert (found.concerned, found.changed) == (4, 3)
        assert [(one.before, one.after, one.devices) for one in found.differences] == [(False, True, 3)]
        taken = preview(actor, Change(wide.pk, take=given.pk), today=TODAY)
        assert [(one.before, one.after, one.devices) for one in taken.differences] == [(False, None, 3)]


def policy_of_other(cast: Cast) -> Policy:
    with scope(cast.school.id):
        return policies.create_policy(
            cast.head.actor, name="Narrow", document={"settings": {"camera": True}}, now=NOW
        )


def test_an_authority_sees_its_schools_and_what_they_decided(cast: Cast) -> None:
    devices(cast, 3)
    own = policy_of_other(cast)
    with scope(cast.school.id):
        policies.assign_policy(cast.head.actor, own.pk, level=Level.SCHOOL, whom=cast.school.id, now=NOW)
    with scope(authority=cast.authority.pk):
        actor = manager(cast)
        policy = policies.create_policy(actor, name="All", document=NO_CAMERA, now=NOW)
        everywhere = Change(policy.pk, give=Given(Level.AUTHORITY, cast.authority.pk))
        found = preview(actor, everywhere, today=TODAY)
        assert (found.concerned, found.changed) == (3, 0)  # the school allows the camera itself
        policies.edit_policy(actor, policy.pk, document={**NO_CAMERA, "locked": ["camera"]}, now=NOW)
        found = preview(actor, everywhere, today=TODAY)
        assert found.schools == [("Oak School", 3)]
        here = Change(policy.pk, give=Given(Level.SCHOOL, cast.school.id))
        assert preview(actor, here, today=TODAY).changed == 3
        with pytest.raises(NotFound):
            preview(actor, Change(policy.pk, give=Given(Level.GROUP, cast.klass.pk)), today=TODAY)


def test_the_number_of_statements_does_not_grow_with_the_devices(cast: Cast) -> None:
    policy = policy_of(cast, NO_CAMERA)
    counts = []
    with scope(cast.school.id):
        for number in (1, 30):
            devices(cast, number, groups=[cast.homeroom.pk], name=f"batch {number}")
            with CaptureQueriesContext(connection) as told:
                preview(
                    cast.head.actor, Change(policy.pk, give=Given(Level.SCHOOL, cast.school.id)), today=TODAY
                )
            counts.append(len(told))
    assert counts[0] == counts[1]
