"""Telling devices something: once, with an end, replaced by the newer, and by two persons where it destroys."""

from datetime import timedelta

import pytest

from pupitre.connections.actions import open_connection
from pupitre.connections.rules import Scope
from pupitre.devices.actions import commands
from pupitre.devices.models import Command, Device, Script
from pupitre.devices.queries.device import commands_of, proposals_for
from pupitre.devices.rules import AlreadyEnded, CommandState, NotYours, Platform, SecondPersonNeeded, Verb
from pupitre.devices.rules.commanding import NothingToTell, TextMissing, TooLong
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people.rules import OFFICE, Actor
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.devices.fleet import given, some_devices, waiting_device


def states(device: int) -> list[tuple[Verb, CommandState]]:
    return [(one.verb, one.state) for one in commands_of(Device.objects.get(pk=device))]


def test_a_newer_command_takes_the_place_of_an_older(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        commands.tell_devices(cast.technician.actor, [device], Verb.LOCK, now=NOW)
        commands.tell_devices(cast.technician.actor, [device], Verb.UNLOCK, now=NOW + timedelta(minutes=1))
        commands.tell_devices(cast.technician.actor, [device], Verb.MESSAGE, {"text": "Hello"}, now=NOW)
        told = dict(states(device))
        assert told[Verb.LOCK] is CommandState.SUPERSEDED
        assert (told[Verb.UNLOCK], told[Verb.MESSAGE]) == (CommandState.QUEUED, CommandState.QUEUED)


def test_only_devices_in_use_are_told(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 2)
        waiting = waiting_device(cast)
        commands.tell_devices(cast.technician.actor, [*devices, waiting.pk], Verb.REBOOT, now=NOW)
        assert Command.objects.count() == 2
        assert len(set(Command.objects.values_list("batch", flat=True))) == 1
        with pytest.raises(NothingToTell):
            commands.tell_devices(cast.technician.actor, [waiting.pk], Verb.REBOOT, now=NOW)


def test_what_cannot_be_told(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 1)
        with pytest.raises(TextMissing):
            commands.tell_devices(cast.technician.actor, devices, Verb.MESSAGE, {"text": "  "}, now=NOW)
        with pytest.raises(TooLong):
            commands.tell_devices(
                cast.technician.actor, devices, Verb.LOCK, now=NOW, lasts=timedelta(days=91)
            )
        with pytest.raises(NotFound):
            commands.tell_devices(
                cast.technician.actor, devices, Verb.RUN_SCRIPT, {"script": "999999"}, now=NOW
            )


def test_wiping_takes_two_persons(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        batch = commands.tell_devices(
            cast.technician.actor, [device], Verb.WIPE, now=NOW, reason="Goes to another school"
        )
        assert states(device) == [(Verb.WIPE, CommandState.PROPOSED)]
        with pytest.raises(SecondPersonNeeded):
            commands.approve_batch(cast.technician.actor, batch, now=NOW)
        with pytest.raises(SecondPersonNeeded):
            commands.approve_batch(cast.office, batch, now=NOW)
        (proposal,) = proposals_for(cast.head.actor)
        assert (proposal.reason, proposal.is_own) == ("Goes to another school", False)
        later = NOW + timedelta(hours=2)
        assert commands.approve_batch(cast.head.actor, batch, now=later) == 1
        row = Command.objects.get()
        assert (row.state, row.approved_by_id, row.approved_at) == (2, cast.head.account.pk, later)
        assert row.expires_at == later + timedelta(days=60)
        with pytest.raises(AlreadyEnded):
            commands.reject_batch(cast.head.actor, batch, now=later)


def test_who_opened_a_connection_is_no_second_person_for_it(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        scopes = [Scope.DEVICES_WRITE]
        row, _secret = open_connection(cast.head.actor, name="Inventory", scopes=scopes, now=NOW)
        machine = Actor(row.account_id, cast.head.actor.school, 0, OFFICE, name=row.name)
        batch = commands.tell_devices(machine, [device], Verb.WIPE, now=NOW)
        with pytest.raises(SecondPersonNeeded):
            commands.approve_batch(cast.head.actor, batch, now=NOW)
        assert commands.approve_batch(cast.technician.actor, batch, now=NOW) == 1


def test_the_second_person_says_no_and_the_first_takes_back(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        one = commands.tell_devices(cast.technician.actor, [device], Verb.WIPE, now=NOW)
        commands.reject_batch(cast.secretary.actor, one, now=NOW)
        other = commands.tell_devices(cast.technician.actor, [device], Verb.WIPE, now=NOW)
        commands.reject_batch(cast.technician.actor, other, now=NOW)
        assert {state for _verb, state in states(device)} == {CommandState.REJECTED, CommandState.CANCELLED}
        assert proposals_for(cast.head.actor) == []


def test_a_script_goes_to_devices_of_its_system_only(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 2)
        Device.objects.filter(pk=devices[0]).update(platform=Platform.LINUX.value)
        script = Script.objects.create(
            authority_id=cast.authority.pk,
            school_id=cast.school.id,
            name="Update",
            platform=Platform.LINUX.value,
            text="apt update",
            created_at=NOW,
        )
        commands.tell_devices(
            cast.technician.actor, devices, Verb.RUN_SCRIPT, {"script": str(script.pk)}, now=NOW
        )
        assert list(Command.objects.values_list("device_id", "arguments")) == [
            (devices[0], {"script": script.pk})
        ]
        (proposal,) = proposals_for(cast.head.actor)
        assert proposal.script == "Update"


def test_commands_are_taken_back_and_end_by_themselves_and_are_told_again(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        commands.tell_devices(cast.technician.actor, [device], Verb.REPORT, now=NOW)
        row = Command.objects.get()
        commands.cancel_command(cast.technician.actor, row.pk, now=NOW)
        with pytest.raises(AlreadyEnded):
            commands.cancel_command(cast.technician.actor, row.pk, now=NOW)
        commands.tell_devices(cast.technician.actor, [device], Verb.REBOOT, now=NOW)
        assert commands.expire_commands(cast.school.id, now=NOW + timedelta(hours=11)) == 0
        assert commands.expire_commands(cast.school.id, now=NOW + timedelta(hours=12)) == 1
        late = Command.objects.get(verb=Verb.REBOOT.value)
        assert late.state == CommandState.EXPIRED.value
        commands.repeat_command(cast.technician.actor, late.pk, now=NOW + timedelta(days=1))
        assert Command.objects.filter(verb=Verb.REBOOT.value, state=CommandState.QUEUED.value).count() == 1


# -- teachers ---------------------------------------------------------------------------------------------------------


def test_a_teacher_locks_the_class_before_which_she_stands_until_her_lesson_ends(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 2)
        given(cast, devices[0], cast.pupil.person.pk)
        commands.tell_class(cast.teacher.actor, cast.klass.pk, Verb.LOCK, now=NOW)
        lock, unlock = Command.objects.order_by("id")
        ends = NOW + timedelta(minutes=45)
        assert (lock.device_id, lock.verb, lock.expires_at) == (devices[0], Verb.LOCK.value, ends)
        assert (unlock.verb, unlock.not_before) == (Verb.UNLOCK.value, ends)
        commands.tell_class(cast.technician.actor, cast.klass.pk, Verb.LOCK, now=NOW + timedelta(minutes=5))
        lock.refresh_from_db()
        unlock.refresh_from_db()
        assert (lock.state, unlock.state) == (8, 8)


def test_a_teacher_leaves_other_devices_and_other_hours_alone(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 2)
        given(cast, devices[0], cast.pupil.person.pk)
        with pytest.raises(NotYours):
            commands.tell_devices(cast.teacher.actor, devices, Verb.LOCK, now=NOW)
        with pytest.raises(NotYours):
            commands.tell_class(cast.teacher.actor, cast.klass.pk, Verb.LOCK, now=NOW + timedelta(hours=6))
        with pytest.raises(NotYours):
            commands.tell_class(cast.colleague.actor, cast.klass.pk, Verb.LOCK, now=NOW)
        with pytest.raises(NotFound):
            commands.tell_devices(cast.teacher.actor, devices[:1], Verb.WIPE, now=NOW)
        with pytest.raises(Denied):
            commands.tell_devices(cast.pupil.actor, devices[:1], Verb.LOCK, now=NOW)
        assert not Command.objects.exists()


def test_a_teachers_lock_of_one_device_ends_with_her_lesson_whatever_she_asks(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        given(cast, device, cast.pupil.person.pk)
        teacher, ends, far = cast.teacher.actor, NOW + timedelta(minutes=45), timedelta(days=80)
        commands.tell_devices(teacher, [device], Verb.LOCK, now=NOW, lasts=far)
        lock, unlock = Command.objects.order_by("id")
        assert (lock.verb, lock.expires_at) == (Verb.LOCK.value, ends)
        assert (unlock.verb, unlock.not_before) == (Verb.UNLOCK.value, ends)
        commands.tell_devices(teacher, [device], Verb.MESSAGE, {"text": "Hello"}, now=NOW, lasts=far)
        assert Command.objects.latest("id").expires_at == NOW + timedelta(days=1)


def test_the_class_page_is_for_its_teacher(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 1)
        given(cast, devices[0], cast.pupil.person.pk)
    teacher, page = visit.as_(cast.teacher), f"/s/oak/devices/classes/{cast.klass.pk}"
    shown = teacher.get(page).content.decode()
    assert "Pau Pupil" in shown
    assert "T-001" in shown
    assert "Maths 1A" in teacher.get("/s/oak/devices/classes").content.decode()
    assert teacher.post(page, {"verb": Verb.LOCK.value}).status_code == 303
    assert teacher.post(page, {"verb": Verb.WIPE.value}).status_code == 404
    assert visit.as_(cast.colleague).get(page).status_code == 404
    assert visit.as_(cast.colleague).get(f"/s/oak/devices/{devices[0]}").status_code == 404
    assert teacher.get(f"/s/oak/devices/{devices[0]}").status_code == 200
    with scope(cast.school.id):
        assert Command.objects.filter(verb=Verb.LOCK.value, state=CommandState.QUEUED.value).count() == 1


# -- pages ------------------------------------------------------------------------------------------------------------


def test_the_pages_tell_propose_and_decide(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        one, other = some_devices(cast, 2)
    technician = visit.as_(cast.technician)
    technician.post(f"/s/oak/devices/{one}/commands", {"verb": Verb.LOCK.value})
    technician.post(
        "/s/oak/devices/commands", {"device": [one, other], "verb": Verb.WIPE.value, "reason": "Old"}
    )
    shown = technician.get("/s/oak/devices/proposals").content.decode()
    assert "You asked for it" in shown
    with scope(cast.school.id):
        batch = Command.objects.filter(verb=Verb.WIPE.value).values_list("batch", flat=True)[0]
        lock = Command.objects.get(verb=Verb.LOCK.value)
    decision = f"/s/oak/devices/proposals/{batch}"
    assert technician.post(decision, {"do": "approve"}).status_code == 422
    assert visit.as_(cast.head).post(decision, {"do": "approve"}).status_code == 303
    assert technician.post(f"/s/oak/devices/commands/{lock.pk}/cancellation").status_code == 303
    told = technician.get(f"/s/oak/devices/{one}").content.decode()
    assert "Called off" in told
    assert "Hedy Head" in told
    assert technician.post("/s/oak/devices/commands", {"verb": Verb.LOCK.value}).status_code == 303
    assert technician.post(f"/s/oak/devices/{one}/commands", {"verb": "99"}).status_code == 404
