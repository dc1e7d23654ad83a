"""Who has which device: by hand, for a whole class in one act, and the classes that follow from it."""

from datetime import timedelta

import pytest

from pupitre.courses import actions as courses
from pupitre.courses.models import Class, Enrolment
from pupitre.devices.actions import assigning, enrolling
from pupitre.devices.actions.placing import place
from pupitre.devices.models import Device, Loan
from pupitre.devices.rules.assigning import Mode, PlanChanged, Source
from pupitre.kernel.errors import Denied
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.devices.fleet import given, some_devices


def groups_of(device_id: int) -> list[int]:
    return list(Device.objects.get(pk=device_id).groups)


def test_a_device_belongs_to_its_holders_classes(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        given(cast, device, cast.pupil.person.pk)
        assert groups_of(device) == sorted([cast.homeroom.pk, cast.klass.pk])
        assigning.assign_device(cast.technician.actor, device, None, now=NOW)
        assert groups_of(device) == []


def test_a_teachers_device_is_none_of_her_classes(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        given(cast, device, cast.teacher.person.pk)
        assert groups_of(device) == []


def test_who_leaves_a_class_takes_the_device_along(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        given(cast, device, cast.pupil.person.pk)
        row = Enrolment.objects.get(klass=cast.homeroom, person=cast.pupil.person)
        courses.end_enrolment(cast.office, row, today=TODAY)
        assert groups_of(device) == []
        courses.enrol(cast.office, cast.homeroom, cast.pupil.person)
        assert groups_of(device) == sorted([cast.homeroom.pk, cast.klass.pk])


def test_nothing_is_written_where_nothing_changed(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 3)
        for device, child in zip(devices, (cast.pupil, cast.sister, cast.classmate), strict=True):
            given(cast, device, child.person.pk)
        assert place(cast.school.id) == 0
        Enrolment.objects.filter(person=cast.pupil.person, klass=cast.klass).update(
            ends_on=TODAY - timedelta(days=1)
        )
        assert place(cast.school.id) == 1


def test_a_class_gets_its_devices_in_one_act(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 4)
        plan = assigning.plan_class(
            cast.technician.actor, cast.homeroom.pk, source=Source.FREE, mode=Mode.EACH, today=TODAY
        )
        assert [(one.device, one.person) for one in plan.givings] == [
            ("T-001", "Clàudia Mate"),
            ("T-002", "Pau Pupil"),
            ("T-003", "Sia Pupil"),
        ]
        assert plan.left == ("T-004",)
        many = assigning.assign_class(
            cast.technician.actor,
            cast.homeroom.pk,
            plan=plan,
            fingerprint=plan.fingerprint,
            mode=Mode.EACH,
            now=NOW,
        )
        assert many == 3
        holders = list(
            Device.objects.filter(pk__in=devices).order_by("asset_tag").values_list("holder_id", flat=True)
        )
        assert holders == [cast.classmate.person.pk, cast.pupil.person.pk, cast.sister.person.pk, None]
        again = assigning.plan_class(
            cast.technician.actor, cast.homeroom.pk, source=Source.FREE, mode=Mode.EACH, today=TODAY
        )
        assert again.givings == ()


def test_the_devices_of_last_years_class_go_to_this_years(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 3)
        new = courses.open_class(cast.office, sourced_id="2A", title="2A", kind=Class.HOMEROOM)
        for child in (cast.pupil, cast.sister, cast.classmate):
            courses.enrol(cast.office, new, child.person)
        for device in devices:
            assigning.share_device(cast.technician.actor, device, cast.homeroom.pk, now=NOW)
        plan = assigning.plan_class(
            cast.technician.actor,
            new.pk,
            source=Source.CLASS,
            mode=Mode.SHARED,
            today=TODAY,
            from_class_id=cast.homeroom.pk,
        )
        assigning.assign_class(
            cast.technician.actor, new.pk, plan=plan, fingerprint=plan.fingerprint, mode=Mode.SHARED, now=NOW
        )
        assert {tuple(groups_of(device)) for device in devices} == {(new.pk,)}


def test_a_list_of_serials_is_given_in_its_order(cast: Cast) -> None:
    with scope(cast.school.id):
        some_devices(cast, 3)
        plan = assigning.plan_class(
            cast.technician.actor,
            cast.homeroom.pk,
            source=Source.LIST,
            mode=Mode.EACH,
            today=TODAY,
            words="r52x0003; T-001\nNOBODYS",
        )
        assert [one.device for one in plan.givings] == ["T-003", "T-001"]
        assert (plan.unknown, plan.without) == (("NOBODYS",), ("Sia Pupil",))


def test_a_plan_that_is_not_the_one_looked_at_is_refused(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 3)
        facts = {"source": Source.FREE, "mode": Mode.EACH, "today": TODAY}
        plan = assigning.plan_class(cast.technician.actor, cast.homeroom.pk, **facts)  # type: ignore[arg-type]
        given(cast, devices[0], cast.colleague.person.pk)
        now = assigning.plan_class(cast.technician.actor, cast.homeroom.pk, **facts)  # type: ignore[arg-type]
        with pytest.raises(PlanChanged):
            assigning.assign_class(
                cast.technician.actor,
                cast.homeroom.pk,
                plan=now,
                fingerprint=plan.fingerprint,
                mode=Mode.EACH,
                now=NOW,
            )


def test_what_is_lent_is_left_to_its_loan(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        Loan.objects.create(
            school_id=cast.school.id,
            device_id=device,
            person=cast.pupil.person,
            starts_on=TODAY,
            created_at=NOW,
        )
        with pytest.raises(enrolling.StillLent):
            given(cast, device, cast.sister.person.pk)
        with pytest.raises(enrolling.StillLent):
            enrolling.retire_devices(cast.technician.actor, [device], now=NOW)
        plan = assigning.plan_class(
            cast.technician.actor, cast.homeroom.pk, source=Source.FREE, mode=Mode.EACH, today=TODAY
        )
        assert (plan.givings, plan.lent) == ((), ("T-001",))


def test_the_page_shows_the_plan_and_carries_it_out(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 3)
    browser = visit.as_(cast.technician)
    facts = {"class": cast.homeroom.pk, "source": "free", "mode": "each"}
    shown = browser.get("/s/oak/devices/assignment", facts).content.decode()
    assert "Pau Pupil" in shown
    fingerprint = shown.split('name="fingerprint" value="')[1].split('"')[0]
    answer = browser.post("/s/oak/devices/assignment", {**facts, "fingerprint": fingerprint})
    assert answer.status_code == 303
    with scope(cast.school.id):
        assert Device.objects.filter(pk__in=devices, holder__isnull=False).count() == 3
    late = browser.post("/s/oak/devices/assignment", {**facts, "fingerprint": fingerprint})
    assert late.status_code == 409 or late.status_code == 422


def test_the_page_of_a_device_gives_it_and_takes_it_back(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
    browser = visit.as_(cast.technician)
    assert "Pau Pupil" in browser.get(f"/s/oak/devices/{device}?q=pau").content.decode()
    browser.post(f"/s/oak/devices/{device}/holder", {"person": cast.pupil.person.pk})
    with scope(cast.school.id):
        assert Device.objects.get(pk=device).holder_id == cast.pupil.person.pk
    browser.post(f"/s/oak/devices/{device}/holder", {"person": ""})
    with scope(cast.school.id):
        assert Device.objects.get(pk=device).holder_id is None


def test_who_may_not(cast: Cast) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        for member in (cast.teacher, cast.pupil, cast.mother):
            with pytest.raises(Denied):
                assigning.assign_device(member.actor, device, cast.pupil.person.pk, now=NOW)
