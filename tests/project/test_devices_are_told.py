"""Who is told of loans, reports and rollouts that halted."""

from typing import Any

from allauth.account.models import EmailAddress
from django.core import mail

from pupitre.devices.actions import catalogue, incidents, lending, rollouts
from pupitre.devices.actions.loading import load_fleet, load_installations
from pupitre.devices.rules import Condition, InstallState, Platform, Protocol
from pupitre.devices.rules.applications import Wave
from pupitre.devices.rules.loading import NewDevice, NewInstallation
from pupitre.messaging.models import Notification
from pupitre.messaging.rules.kinds import Kind
from pupitre.people.rules import Actor, Role
from pupitre.project import wiring
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.jobs import run_jobs


def tablet(cast: Cast, number: str) -> int:
    made = NewDevice(number, number, number, "", Platform.ANDROID, Protocol.HEADWIND, "", "", NOW)
    return load_fleet(cast.office, [made])[number]


def told(kind: Kind) -> dict[int, str]:
    """{person: address} of those who were told."""
    return dict(Notification.objects.filter(kind=kind).values_list("person_id", "url"))


def test_guardians_who_may_sign_are_led_to_the_contract(cast: Cast) -> None:
    wiring.wire()
    with scope(cast.school.id):
        device = tablet(cast, "t-1")
        lending.propose_loan(cast.technician.actor, device, cast.pupil.person.pk, starts_on=TODAY, now=NOW)
        found = told(Kind.LOAN_TO_SIGN)
    assert set(found) == {cast.mother.person.pk, cast.father.person.pk}
    assert set(found.values()) == {"/s/oak/family/devices"}


def test_technicians_are_told_what_a_family_reports(cast: Cast) -> None:
    wiring.wire()
    with scope(cast.school.id):
        device = tablet(cast, "t-1")
        loan = lending.propose_loan(
            cast.technician.actor, device, cast.pupil.person.pk, starts_on=TODAY, now=NOW
        )
        lending.sign_loan(cast.mother.actor, loan.pk, agrees=True, now=NOW)
        incidents.report_device(
            cast.mother.actor, device, condition=Condition.BROKEN, told="x", happened_on=TODAY, now=NOW
        )
        assert set(told(Kind.DEVICE_REPORTED)) == {cast.technician.person.pk}
        incidents.report_device(
            cast.technician.actor, device, condition=Condition.BROKEN, told="x", happened_on=TODAY, now=NOW
        )
        assert Notification.objects.filter(kind=Kind.DEVICE_REPORTED).count() == 1


def halt(cast: Cast, actor: Actor, where: dict[str, Any]) -> None:
    """A rollout of `actor` in which every fourth installation fails."""
    with scope(**where):
        app = catalogue.add_application(
            actor, package="org.atlas", name="Atlas", platform=Platform.LINUX, kind="flatpak", now=NOW
        )
        version = catalogue.add_version(actor, app.pk, version="2", now=NOW)
        rollouts.plan_rollout(actor, version.pk, waves=[Wave(1, NOW)], least_reports=4, now=NOW)
    with scope(cast.school.id):
        ids = {f"r-{number}": tablet(cast, f"r-{number}") for number in range(4)}
        states = [InstallState.FAILED, *[InstallState.INSTALLED] * 3]
        reports = [
            NewInstallation(name, version.pk, state, NOW) for name, state in zip(ids, states, strict=True)
        ]
        load_installations(cast.office, reports, ids)
    with scope(**where):
        assert len(rollouts.judge_running(now=NOW)) == 1


def test_a_schools_technicians_are_told_of_their_rollout(cast: Cast) -> None:
    wiring.wire()
    halt(cast, cast.technician.actor, {"school": cast.school.id})
    with scope(cast.school.id):
        assert set(told(Kind.ROLLOUT_HALTED)) == {cast.technician.person.pk}


def test_the_authoritys_fleet_managers_get_a_mail(cast: Cast) -> None:
    wiring.wire()
    EmailAddress.objects.create(
        user=cast.fleet_manager, email="fleet@valley.example", primary=True, verified=True
    )
    actor = Actor(
        cast.fleet_manager.pk, authority_id=cast.authority.pk, authority_roles=frozenset({Role.FLEET_MANAGER})
    )
    halt(cast, actor, {"authority": cast.authority.pk})
    run_jobs()
    (letter,) = [one for one in mail.outbox if one.to == ["fleet@valley.example"]]
    assert "Atlas 2" in letter.body
    assert "/a/valley/fleet/rollouts" in letter.body
