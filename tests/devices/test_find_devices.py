"""Finding devices of a school: words, filters, parts, views that are kept, lists to take along."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.devices.actions import keeping
from pupitre.devices.models import Device, DeviceStatus, SavedView
from pupitre.devices.queries import fleet
from pupitre.devices.queries.figures import figures_for
from pupitre.devices.rules import Condition, Platform, Standing
from pupitre.devices.rules.fleet import Compliance, Held, Search, Seen, Wear, search_of
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people.models import Look
from pupitre.people.rules import LookAt
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.devices.fleet import given, some_devices, waiting_device

UTC_TODAY = NOW.date()


def found(cast: Cast, **facts: Any) -> list[str]:
    lines = fleet.devices_for(cast.technician.actor, Search(**facts), today=UTC_TODAY).lines
    return [one.label for one in lines]


def test_words_find_tags_serials_models_and_holders(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 3)
        given(cast, devices[1], cast.classmate.person.pk)
        assert found(cast, words="x0003") == ["T-003"]
        assert found(cast, words="GALAXY t-001") == ["T-001"]
        assert found(cast, words="claudia") == ["T-002"]
        assert found(cast, words="nobody") == []


def test_every_filter_narrows(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 4)
        given(cast, devices[0], cast.pupil.person.pk)
        Device.objects.filter(pk=devices[1]).update(condition=Condition.BROKEN.value)
        Device.objects.filter(pk=devices[2]).update(platform=Platform.LINUX.value, model="L13")
        DeviceStatus.objects.filter(device_id=devices[3]).update(
            seen_on=UTC_TODAY - timedelta(days=40), is_compliant=False, battery_health=55, os_version="11"
        )
        assert found(cast, held=Held.YES) == ["T-001"]
        assert found(cast, klass=cast.klass.pk) == ["T-001"]
        assert found(cast, condition=Condition.BROKEN) == ["T-002"]
        assert found(cast, platform=Platform.LINUX, model="L13") == ["T-003"]
        assert found(cast, seen=Seen.LONGER) == ["T-004"]
        assert found(cast, compliance=Compliance.NO, wear=Wear.SPENT, os_version="11") == ["T-004"]
        assert found(cast, seen=Seen.NEVER) == []
        waiting_device(cast)
        assert found(cast, standing=Standing.WAITING) == ["UNKNOWN1"]
        assert found(cast, seen=Seen.NEVER) == ["UNKNOWN1"]


@pytest.mark.parametrize("order", list(fleet.Order))
def test_parts_go_on_where_the_last_one_ended(cast: Cast, order: fleet.Order) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 7)
        for number, device in enumerate(devices[:5]):
            DeviceStatus.objects.filter(device_id=device).update(
                last_seen_at=NOW - timedelta(days=number % 3)
            )
        DeviceStatus.objects.filter(device_id=devices[6]).delete()
        seen: list[int] = []
        after = None
        while True:
            part = fleet.devices_for(
                cast.technician.actor, Search(), today=UTC_TODAY, order=order, after=after, limit=3
            )
            seen += [one.id for one in part.lines]
            after = part.following
            if after is None:
                break
        assert sorted(seen) == devices
        if order is fleet.Order.SEEN:
            assert seen[0] == devices[6]


def test_an_address_says_what_is_searched_and_nonsense_says_nothing() -> None:
    search = Search(words="t-1", standing=Standing.ENROLLED, seen=Seen.WEEK, klass=7, os_version="14")
    assert search_of(search.query()) == search
    nonsense = {"standing": "x", "platform": "99", "seen": "soon", "class": "-1", "q": "\0", "wear": "²"}
    assert search_of(nonsense).is_everything


def test_the_figures_count_what_the_filters_find(cast: Cast) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 3)
        Device.objects.filter(pk=devices[0]).update(standing=Standing.RETIRED.value)
        waiting_device(cast)
        figures = figures_for(cast.technician.actor, today=UTC_TODAY)
        assert figures.devices == 3
        assert figures.of("standing", Standing.ENROLLED.value) == 2
        assert figures.of("standing", Standing.RETIRED.value) == 1
        assert figures.of("seen", Seen.TODAY) == 2
        assert figures.of("wear", Wear.GOOD) == 2
        assert figures.counts["os"] == {"1:14": 2}


def test_views_are_kept_shared_and_forgotten(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        some_devices(cast, 1)
    technician, head = visit.as_(cast.technician), visit.as_(cast.head)
    technician.post(
        "/s/oak/devices/views", {"name": "To mend", "query": "condition=2&nonsense=1", "shared": "on"}
    )
    technician.post("/s/oak/devices/views", {"name": "Mine", "query": "standing=2"})
    assert "To mend" in head.get("/s/oak/devices/list").content.decode()
    assert "Mine" not in head.get("/s/oak/devices/list").content.decode()
    with scope(cast.school.id):
        row = SavedView.objects.get(name="To mend")
        assert row.query == "condition=2"
        with pytest.raises(NotFound):
            keeping.drop_view(cast.head.actor, row.pk)
    assert technician.post("/s/oak/devices/views", {"name": " "}).status_code == 422
    assert technician.post(f"/s/oak/devices/views/{row.pk}/removal").status_code == 303
    assert "To mend" not in head.get("/s/oak/devices/list").content.decode()


def test_a_list_taken_along_is_kept_in_the_log_of_its_holders(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 2)
        given(cast, devices[0], cast.pupil.person.pk)
        Device.objects.filter(pk=devices[1]).update(name="=1+1", asset_tag="")
    technician = visit.as_(cast.technician)
    text = technician.get("/s/oak/devices/list.csv").content.decode("utf-8-sig")
    assert text.splitlines()[0].startswith("Inventory number,Serial number")
    assert "Pau Pupil" in text
    assert "'=1+1" in text
    book = technician.get("/s/oak/devices/list.xlsx").content
    assert "xl/worksheets/sheet1.xml" in zipfile.ZipFile(io.BytesIO(book)).namelist()
    with scope(cast.school.id):
        looks = Look.objects.filter(subject=cast.pupil.person, what=LookAt.EXPORT.value)
        assert looks.count() == 2
        assert looks[0].actor_name == "Teo Nician"


def test_opening_a_device_that_somebody_has_is_kept(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        one, other = some_devices(cast, 2)
        given(cast, one, cast.pupil.person.pk)
    technician = visit.as_(cast.technician)
    assert "Pau Pupil" in technician.get(f"/s/oak/devices/{one}").content.decode()
    technician.get(f"/s/oak/devices/{other}")
    with scope(cast.school.id):
        assert [look.subject_id for look in Look.objects.filter(what=LookAt.DEVICE.value)] == [
            cast.pupil.person.pk
        ]


def test_who_may_not(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        (device,) = some_devices(cast, 1)
        with pytest.raises(Denied):
            fleet.devices_for(cast.teacher.actor, Search(), today=UTC_TODAY)
    for page in ("list.csv", "list.xlsx", str(device)):
        assert visit.as_(cast.pupil).get(f"/s/oak/devices/{page}").status_code == 403
        assert visit.as_(cast.stranger).get(f"/s/oak/devices/{page}").status_code == 404
    assert visit.as_(cast.teacher).get(f"/s/oak/devices/{device}").status_code == 404


def test_the_number_of_statements_does_not_grow(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        devices = some_devices(cast, 2)
        given(cast, devices[0], cast.pupil.person.pk)
        waiting_device(cast, "W0")
    technician, teacher = visit.as_(cast.technician), visit.as_(cast.teacher)
    pages = [
        f"/s/oak/devices{page}" for page in ("", "/list", "/waiting", "/deliveries", "/classes", "/proposals")
    ]
    pages += [
        f"/s/oak/devices/{devices[0]}",
        f"/s/oak/devices/classes/{cast.klass.pk}",
        "/s/oak/devices/list.csv",
    ]

    def count(browser: Any, page: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(page).status_code == 200
        return len(captured)

    classes = pages[-2]
    before = [count(technician, page) for page in pages] + [count(teacher, classes)]
    before = [count(technician, page) for page in pages] + [count(teacher, classes)]
    with scope(cast.school.id):
        for device in some_devices(cast, 30, first=100):
            given(cast, device, cast.sister.person.pk)
        for number in range(30):
            waiting_device(cast, f"W1{number}")
    assert [count(technician, page) for page in pages] + [count(teacher, classes)] == before
