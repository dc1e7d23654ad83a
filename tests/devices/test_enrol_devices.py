"""Tickets that end by themselves, devices that wait to be known, and the end of use."""

from datetime import timedelta

import pytest

from pupitre.devices.actions import enrolling
from pupitre.devices.models import Application, ApplicationVersion, Device, DeviceEvent
from pupitre.devices.rules import AlreadyEnded, Platform, Standing
from pupitre.devices.rules.tickets import TicketTooLong, code_of, digest_of
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people.rules import system_actor
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.devices.fleet import some_devices, waiting_device


def test_a_ticket_is_for_a_class_and_ends_by_itself(cast: Cast) -> None:
    with scope(cast.school.id):
        ticket = enrolling.make_ticket(cast.technician.actor, now=NOW, class_id=cast.homeroom.pk, uses=25)
        code = enrolling.code_shown(ticket)
        assert len(code) == 14
        assert digest_of(code.lower().replace("-", " ")) == ticket.digest
        assert (ticket.label, ticket.uses_left, ticket.expires_at) == ("1A", 25, NOW + timedelta(days=7))
        with pytest.raises(TicketTooLong):
            enrolling.make_ticket(cast.technician.actor, now=NOW, lasts=timedelta(days=90))


def test_codes_differ_by_school_moment_and_secret() -> None:
    codes = {
        code_of(secret, school, NOW + timedelta(microseconds=later))
        for secret in ("one", "two")
        for school in (1, 2)
        for later in range(50)
    }
    assert len(codes) == 200


def test_a_ticket_is_revoked_once(cast: Cast) -> None:
    with scope(cast.school.id):
        ticket = enrolling.make_ticket(cast.technician.actor, now=NOW)
        enrolling.revoke_ticket(cast.technician.actor, ticket.pk, now=NOW)
        with pytest.raises(AlreadyEnded):
            enrolling.revoke_ticket(cast.technician.actor, ticket.pk, now=NOW)


def test_the_page_shows_the_code_and_no_page_does_when_it_ended(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.technician)
    made = browser.post("/s/oak/devices/enrolment", {"class": cast.homeroom.pk, "days": "1", "uses": "30"})
    assert made.status_code == 303
    page = made.headers["Location"]
    with scope(cast.school.id):
        from pupitre.devices.models import EnrolmentTicket

        ticket = EnrolmentTicket.objects.get()
        code = enrolling.code_shown(ticket)
    answer = browser.get(page)
    assert code in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert code not in browser.get("/s/oak/devices/enrolment").content.decode()
    assert browser.post(f"{page}/revocation").status_code == 303
    assert code not in browser.get(page).content.decode()


def test_unknown_devices_wait_until_somebody_knows_them(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        one, other = waiting_device(cast, "W1"), waiting_device(cast, "W2")
        Device.objects.filter(pk=one.pk).update(klass=cast.homeroom)
    browser = visit.as_(cast.technician)
    shown = browser.get("/s/oak/devices/waiting").content.decode()
    assert "W1" in shown
    assert "W2" in shown
    browser.post("/s/oak/devices/waiting", {"device": [one.pk], "do": "approve"})
    browser.post("/s/oak/devices/waiting", {"device": [other.pk], "do": "refuse"})
    with scope(cast.school.id):
        one.refresh_from_db()
        other.refresh_from_db()
        assert (one.standing, one.enrolled_at, one.groups) == (3, NOW, [cast.homeroom.pk])
        assert other.standing == Standing.RETIRED.value
        assert DeviceEvent.objects.filter(device=other, kind="refused").exists()
        with pytest.raises(enrolling.NotWaiting):
            enrolling.approve_devices(cast.technician.actor, [one.pk], now=NOW)


def test_a_device_goes_out_of_use_and_comes_back(cast: Cast) -> None:
    with scope(cast.school.id):
        (device_id,) = some_devices(cast, 1)
        Device.objects.filter(pk=device_id).update(public_key=b"x" * 32, holder=cast.pupil.person)
        enrolling.retire_devices(cast.technician.actor, [device_id], now=NOW)
        device = Device.objects.get(pk=device_id)
        assert (device.standing, device.holder_id, device.groups) == (4, None, [])
        enrolling.release_device(cast.technician.actor, device_id, now=NOW)
        device.refresh_from_db()
        assert (device.standing, device.public_key) == (Standing.EXPECTED.value, None)


def test_the_serial_of_another_device_is_refused(cast: Cast) -> None:
    with scope(cast.school.id):
        one, _other = some_devices(cast, 2)
        with pytest.raises(enrolling.SerialTaken):
            enrolling.change_device(cast.technician.actor, one, serial=" r52x 0002")
        changed = enrolling.change_device(cast.technician.actor, one, asset_tag=" NEW-7 ", name="Trolley 1")
        assert changed.asset_tag == "NEW-7"
        assert "new-7" in changed.search_key


def test_who_may_not(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        for member in (cast.teacher, cast.pupil):
            with pytest.raises(Denied):
                enrolling.make_ticket(member.actor, now=NOW)
        waiting = waiting_device(cast)
    with scope(cast.other_school.id), pytest.raises(NotFound):
        enrolling.approve_devices(system_actor(cast.other_school), [waiting.pk], now=NOW)
    for page in ("enrolment", "waiting", "deliveries", "list", "proposals", "assignment", ""):
        address = f"/s/oak/devices/{page}".rstrip("/")
        assert visit.as_(cast.teacher).get(address).status_code == 403
        assert visit.as_(cast.pupil).get(address).status_code == 403
        assert visit.as_(cast.stranger).get(address).status_code == 404
        assert visit.anonymous().get(address).status_code == 302


@pytest.mark.parametrize(
    "where", [{"url": "https://h.example/launcher.apk"}, {"file_key": "devices/a.apk", "file_name": "a.apk"}]
)
def test_a_ticket_draws_what_new_tablets_read(cast: Cast, visit: Visitor, where: dict[str, str]) -> None:
    with scope(cast.school.id):
        ticket = enrolling.make_ticket(cast.technician.actor, now=NOW, platform=Platform.ANDROID)
        page = f"/s/oak/devices/enrolment/{ticket.pk}"
        assert "The picture cannot be drawn yet" in visit.as_(cast.technician).get(page).content.decode()
        launcher = Application.objects.create(
            authority_id=cast.authority.pk,
            school_id=cast.school.id,
            package="com.hmdm.launcher",
            name="Headwind",
            platform=Platform.ANDROID.value,
            kind="apk",
            created_at=NOW,
        )
        ApplicationVersion.objects.create(
            authority_id=cast.authority.pk,
            school_id=cast.school.id,
            application=launcher,
            version="6.36",
            sha256="ab" * 32,
            created_at=NOW,
            **where,
        )
    plain = visit.as_(cast.technician).get(page).content.decode()
    assert 'class="qr"' in plain
    technician, network = visit.as_(cast.technician), {"ssid": "Oak", "password": "secret-word"}
    with_network = technician.post(page, network).content.decode()
    in_address = technician.get(f"{page}?ssid=Oak&password=secret-word").content.decode()
    assert 'value="secret-word"' not in in_address
    assert with_network != plain
    assert len(with_network) > len(plain)
    assert "pupitre-agent" not in plain
