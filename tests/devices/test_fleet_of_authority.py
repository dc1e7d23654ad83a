"""The authority's fleet: figures, half a million devices by search and part, and nobody's name."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.devices.actions import fleet as actions
from pupitre.devices.actions.figures import count_fleet
from pupitre.devices.models import AuthoritySavedView, Command, Device, FleetFigure
from pupitre.devices.queries import authority as queries
from pupitre.devices.rules import CommandState, Platform, Standing, Verb
from pupitre.devices.rules.fleet import Compliance, Search, Seen, Wear
from pupitre.kernel.errors import NotFound
from pupitre.people.rules import Actor, Role, system_actor
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.rules import SchoolFacts
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.devices.fleet import given, some_devices, taken_in
from tests.jobs import run_jobs


@pytest.fixture
def manager(cast: Cast) -> Actor:
    return Actor(
        cast.fleet_manager.pk,
        name="Flee Tmanager",
        authority_id=cast.authority.pk,
        authority_roles=frozenset({Role.FLEET_MANAGER}),
    )


@pytest.fixture
def browser(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.fleet_manager)
    return client


@pytest.fixture
def devices(cast: Cast) -> list[int]:
    """Three of Oak, of which the pupil has one, and one that Elm expects; counted."""
    with scope(cast.school.id):
        made = some_devices(cast, 3)
        given(cast, made[0], cast.pupil.person.pk)
    with scope(cast.other_school.id):
        taken_in(system_actor(cast.other_school), "serial,model\nELM00001,L13\n")
    count_all(cast)
    return made


def count_all(cast: Cast) -> None:
    for school in (cast.school, cast.other_school):
        with scope(school.id):
            count_fleet(school)


def found(cast: Cast, actor: Actor, **facts: Any) -> list[str]:
    with scope(authority=cast.authority.pk):
        return [one.serial for one in queries.fleet_devices(actor, Search(**facts), today=NOW.date()).lines]


def test_schools_stand_side_by_side_by_what_was_counted(
    cast: Cast, manager: Actor, devices: list[int]
) -> None:
    with scope(authority=cast.authority.pk):
        fleet = queries.fleet_for(manager)
        assert (fleet.schools, fleet.total.devices) == (2, 4)
        assert [one.name for one in fleet.shown] == ["Oak School", "Elm School"]
        assert fleet.total.of("standing", Standing.EXPECTED.value) == 1
        named = queries.fleet_for(manager, words="elm", order=queries.SchoolOrder.NAME)
        assert [one.name for one in named.shown] == ["Elm School"]


def test_counting_again_keeps_one_row_a_school(cast: Cast, devices: list[int]) -> None:
    with scope(cast.school.id):
        Device.objects.update(standing=Standing.RETIRED.value)
    count_all(cast)
    with scope(authority=cast.authority.pk):
        rows = dict(FleetFigure.objects.values_list("school_id", "devices"))
    assert rows == {cast.school.id: 0, cast.other_school.id: 1}


def test_a_serial_is_found_by_its_beginning(cast: Cast, manager: Actor, devices: list[int]) -> None:
    assert found(cast, manager, words="r52x0002") == ["R52X0002"]
    assert found(cast, manager, words="elm") == ["ELM00001"]
    assert found(cast, manager, words="T-003") == ["R52X0003"]
    assert found(cast, manager, words="0002") == []
    assert len(found(cast, manager, standing=Standing.ENROLLED, platform=Platform.ANDROID)) == 3
    assert found(cast, manager, school=cast.other_school.id) == ["ELM00001"]
    assert found(cast, manager, seen=Seen.NEVER) == ["ELM00001"]
    assert found(cast, manager, wear=Wear.UNKNOWN, compliance=Compliance.UNKNOWN) == ["ELM00001"]
    assert len(found(cast, manager, seen=Seen.TODAY, wear=Wear.GOOD, compliance=Compliance.YES)) == 3
    with scope(cast.school.id):
        number = Device.objects.get(pk=devices[0]).number
    assert found(cast, manager, words=number.upper()[:8]) == ["R52X0001"]


def test_parts_go_on_where_the_last_one_ended(cast: Cast, manager: Actor, devices: list[int]) -> None:
    seen: list[str] = []
    after = None
    with scope(authority=cast.authority.pk):
        while True:
            part = queries.fleet_devices(manager, Search(), today=NOW.date(), after=after, limit=3)
            seen += [one.serial for one in part.lines]
            after = part.following
            if after is None:
                break
    assert seen == ["R52X0001", "R52X0002", "R52X0003", "ELM00001"]


def test_no_page_names_who_has_a_device(cast: Cast, browser: Client, devices: list[int]) -> None:
    names = re.compile("Pau|Sia|Clàudia")
    for page in ("", "devices", f"devices/{devices[0]}", "devices.csv"):
        answer = browser.get(f"/a/valley/fleet/{page}")
        assert answer.status_code == 200
        text = answer.getvalue().decode()
        assert not names.search(text), page
    assert "R52X0001" in text
    assert text.count("\n") == 5


def test_another_authoritys_devices_are_not_there(cast: Cast, devices: list[int]) -> None:
    other = Actor(cast.fleet_manager.pk, authority_id=999, authority_roles=frozenset({Role.FLEET_MANAGER}))
    with scope(authority=999):
        assert queries.fleet_devices(other, Search(), today=NOW.date()).lines == []
        with pytest.raises(NotFound):
            queries.access_fleet_device(other, devices[0])


def test_the_manager_tells_devices_of_several_schools(cast: Cast, manager: Actor, devices: list[int]) -> None:
    with scope(cast.other_school.id):
        Device.objects.update(standing=Standing.ENROLLED.value)
        elms = Device.objects.get().pk
    with scope(authority=cast.authority.pk, account=cast.fleet_manager.pk):
        assert actions.tell_fleet(manager, [devices[0], elms], Verb.REBOOT, now=NOW) == 2
        with pytest.raises(NotFound):
            actions.tell_fleet(manager, [999999], Verb.REBOOT, now=NOW)
    for school, device in ((cast.school, devices[0]), (cast.other_school, elms)):
        with scope(school.id):
            row = Command.objects.get()
            assert (row.device_id, row.requested_by_id) == (device, cast.fleet_manager.pk)


def test_all_that_a_search_finds_is_told_school_by_school(
    cast: Cast, browser: Client, devices: list[int]
) -> None:
    answer = browser.post(
        "/a/valley/fleet/commands", {"all": "1", "query": "platform=1", "verb": Verb.REPORT.value}
    )
    assert answer.status_code == 303
    assert run_jobs().count("pupitre.devices.jobs.tell_matching") == 2
    with scope(cast.school.id):
        assert Command.objects.filter(verb=Verb.REPORT.value).count() == 3
    with scope(cast.other_school.id):
        assert not Command.objects.exists()
    refused = browser.post("/a/valley/fleet/commands", {"all": "1", "query": "q=R52", "verb": "7"})
    assert refused.status_code == 422


def test_wiping_from_afar_waits_for_the_school(cast: Cast, browser: Client, devices: list[int]) -> None:
    browser.post(
        "/a/valley/fleet/commands", {"device": devices[1], "verb": Verb.WIPE.value, "back": "device"}
    )
    with scope(cast.school.id):
        assert Command.objects.get().state == CommandState.PROPOSED.value


def test_views_are_kept_by_each_manager(cast: Cast, browser: Client, devices: list[int]) -> None:
    browser.post("/a/valley/fleet/views", {"name": "Waiting", "query": "standing=2"})
    assert "Forget the view Waiting" in browser.get("/a/valley/fleet/devices").content.decode()
    row = AuthoritySavedView.objects.get()
    browser.post(f"/a/valley/fleet/views/{row.pk}/removal")
    assert not AuthoritySavedView.objects.exists()
    assert browser.post(f"/a/valley/fleet/views/{row.pk}/removal").status_code == 404


def test_the_manager_arrives_at_the_fleet(cast: Cast, browser: Client) -> None:
    assert browser.get("/").headers["Location"] == "/a/valley/fleet/"
    shown = browser.get("/a/valley/fleet/").content.decode()
    assert 'href="/a/valley/fleet/"' in shown
    assert browser.get("/a/valley/").status_code == 404


def test_who_may_not(cast: Cast, devices: list[int]) -> None:
    pages = ("", "devices", f"devices/{devices[0]}", "devices.csv")
    for account in (cast.inspector, cast.technician.account, cast.teacher.account, cast.mother.account):
        client = Client()
        client.force_login(account)
        assert {client.get(f"/a/valley/fleet/{page}").status_code for page in pages} == {404}
    assert Client().get("/a/valley/fleet/").status_code == 302
    client = Client()
    client.force_login(cast.fleet_manager)
    assert client.get("/s/oak/devices").status_code == 404


def test_the_number_of_statements_does_not_grow(cast: Cast, browser: Client, devices: list[int]) -> None:
    def count(page: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(f"/a/valley/fleet/{page}").status_code == 200
        return len(captured)

    pages = ("", "devices", f"devices/{devices[0]}")
    before = [count(page) for page in pages] and [count(page) for page in pages]
    for number in range(30):
        _found_school(cast, number)
    with scope(cast.school.id):
        some_devices(cast, 30, first=200)
    count_all(cast)
    assert [count(page) for page in pages] == before


def _found_school(cast: Cast, number: int) -> SchoolFacts:
    from pupitre.tenancy import actions as founding

    made = founding.found_school(
        cast.authority,
        slug=f"school-{number}",
        name=f"School {number}",
        country="ES",
        locale="es",
        time_zone="Europe/Madrid",
    )
    return tenancy.facts_of(made)
