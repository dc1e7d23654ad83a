"""The pages of lending: for who cares for devices, and for pupil and family."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.devices.actions import incidents, lending
from pupitre.devices.actions.assigning import assign_device
from pupitre.devices.actions.commands import tell_devices
from pupitre.devices.actions.loading import load_fleet
from pupitre.devices.models import Device, Incident, Loan
from pupitre.devices.queries import lending as queries
from pupitre.devices.rules import Condition, LoanState, Platform, Protocol, Verb
from pupitre.devices.rules.loading import NewDevice, NewStatus
from pupitre.people import actions as people
from pupitre.people.models import Look, Person
from pupitre.people.rules import LookAt, Relation, Role
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor


def tablets(cast: Cast, *names: str) -> list[int]:
    made = [
        NewDevice(
            f"t-{name}", f"S{name}", f"OAK-{name}", "", Platform.ANDROID, Protocol.HEADWIND, "Samsung", "Tab A9", NOW,
            enrolled_at=NOW, status=NewStatus(NOW, 81, False, 93, "14", "6.36", 12_000_000_000, (), True),
            applications={"org.geogebra": "5.2"}, events=((NOW, "enrolled", {}),),
        )
        for name in names
    ]  # fmt: skip
    return list(load_fleet(cast.office, made).values())


def propose(cast: Cast, device: int, person: Any = None) -> Loan:
    return lending.propose_loan(
        cast.technician.actor, device, (person or cast.pupil).person.pk, starts_on=TODAY, due_on=date(2027, 6, 22),
        accessories=["Charger", "Case"], now=NOW,
    )  # fmt: skip


@pytest.fixture
def lent(cast: Cast) -> tuple[Cast, int, int]:
    """A loan of OAK-1 to the pupil that waits for its signature, and a spare: (cast, loan, device)."""
    with scope(cast.school.id):
        first, _ = tablets(cast, "1", "2")
        loan = propose(cast, first)
    return cast, loan.pk, first


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def of_school(cast: Cast, read: Any) -> Any:
    with scope(cast.school.id):
        return read()


PAGES = ("loans", "loans?show=overdue", "loans?show=ended", "loans/new?q=Pau", "loans/class", "loans/collection",
         "loans/terms", "incidents", "incidents?show=closed")  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_for_who_cares_for_devices(cast: Cast, visit: Visitor, page: str) -> None:
    where = f"/s/oak/devices/{page}"
    for member in (cast.technician, cast.secretary, cast.head):
        assert visit.as_(member).get(where).status_code == 200
    for member in (cast.teacher, cast.pupil, cast.mother):
        assert visit.as_(member).get(where).status_code == 403
    assert visit.as_(cast.stranger).get(where).status_code == 404
    assert visit.anonymous().get(where).status_code == 302


def test_the_technician_proposes_a_loan_on_the_page(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        (device,) = tablets(cast, "7")
    browser = visit.as_(cast.technician)
    assert "Pau Pupil" in text_of(browser.get("/s/oak/devices/loans/new?q=Pupil"))
    facts = {"device": device, "person": cast.pupil.person.pk, "starts_on": "2026-10-13", "due_on": "2027-06-22",
             "accessories": "Charger\nCase"}  # fmt: skip
    answer = browser.post("/s/oak/devices/loans/new", facts, follow=True)
    assert "To be signed" in text_of(answer)
    again = browser.post("/s/oak/devices/loans/new", {**facts, "q": "Pupil"})
    assert "lent already" in text_of(again)


def test_the_mother_reads_and_signs_in_her_page(lent: Any, visit: Visitor) -> None:
    cast, loan, _ = lent
    browser = visit.as_(cast.mother)
    assert "A contract waits to be signed" in text_of(browser.get("/s/oak/family/devices"))
    page = text_of(browser.get(f"/s/oak/family/loans/{loan}"))
    assert "remains the property of the school" in page
    refused = browser.post(f"/s/oak/family/loans/{loan}", {})
    assert "confirm that you have read" in text_of(refused)
    signed = browser.post(f"/s/oak/family/loans/{loan}", {"agrees": "on"}, follow=True)
    assert "Mara Pupil" in text_of(signed)
    pdf = browser.get(f"/s/oak/family/loans/{loan}/contract.pdf")
    assert pdf.content.startswith(b"%PDF-")
    assert of_school(cast, lambda: Loan.objects.get(pk=loan).state) == LoanState.RUNNING


def test_a_minor_reads_and_does_not_sign(lent: Any, visit: Visitor) -> None:
    cast, loan, _ = lent
    browser = visit.as_(cast.pupil)
    assert 'name="agrees"' not in text_of(browser.get(f"/s/oak/family/loans/{loan}"))
    assert "signed by a guardian" in text_of(browser.post(f"/s/oak/family/loans/{loan}", {"agrees": "on"}))


def test_family_pages_are_nobody_elses(lent: Any, visit: Visitor) -> None:
    cast, loan, device = lent
    pages = (f"loans/{loan}", f"loans/{loan}/contract.pdf", f"devices/{device}", f"devices/{device}/report")
    for page in pages:
        where = f"/s/oak/family/{page}"
        for member in (cast.mother, cast.father, cast.pupil):
            assert visit.as_(member).get(where).status_code == 200
        for member in (cast.classmate, cast.barred, cast.stranger):
            assert visit.as_(member).get(where).status_code in {403, 404}
        assert visit.as_(cast.technician).get(where).status_code == 403
        assert visit.anonymous().get(where).status_code == 302


def test_paper_swap_and_return_on_the_loans_page(lent: Any, visit: Visitor) -> None:
    cast, loan, device = lent
    browser, where = visit.as_(cast.technician), f"/s/oak/devices/loans/{loan}"
    assert browser.get(f"{where}/contract.pdf").content.startswith(b"%PDF-")
    assert browser.get("/s/oak/devices/loans/contracts.pdf").content.startswith(b"%PDF-")
    browser.post(f"{where}/paper", {"signed_on": "2026-10-12"})
    spare = of_school(cast, lambda: Device.objects.get(number="t-2").pk)
    assert "OAK-2" in text_of(browser.get(where))
    after = browser.post(f"{where}/swap", {"spare": spare, "condition": "2", "told": "Screen"}, follow=True)
    assert "OAK-2" in text_of(after)
    again = browser.post(f"{where}/swap", {"spare": spare, "condition": "2"})
    assert again.status_code == 422
    assert "not running" in text_of(again)
    following = of_school(cast, lambda: Loan.objects.get(continues_id=loan).pk)
    told = browser.post(
        f"/s/oak/devices/loans/{following}/return", {"returned": ["Charger"], "condition": "1"}, follow=True
    )
    assert "Charger" in text_of(told)
    assert of_school(cast, lambda: Loan.objects.get(pk=following).returned) == ["Charger"]
    ended = text_of(browser.get("/s/oak/devices/loans?show=ended"))
    assert "Case is missing" in ended
    reported = text_of(browser.get("/s/oak/devices/incidents"))
    assert "Screen" in reported
    incident = of_school(cast, lambda: Incident.objects.get(device_id=device).pk)
    browser.post(f"/s/oak/devices/incidents/{incident}", {"act": "repair"})
    browser.post(f"/s/oak/devices/incidents/{incident}", {"condition": "1", "outcome": "New screen"})
    assert "New screen" in text_of(browser.get("/s/oak/devices/incidents?show=closed"))


def test_a_class_is_lent_to_on_one_page(lent: Any, visit: Visitor) -> None:
    cast, *_ = lent
    browser = visit.as_(cast.technician)
    page = text_of(browser.get(f"/s/oak/devices/loans/class?class={cast.homeroom.pk}"))
    assert "OAK-2" in page
    assert "no free device" in page
    browser.post("/s/oak/devices/loans/class", {"class": cast.homeroom.pk, "starts_on": "2026-10-13"})
    assert of_school(cast, Loan.objects.count) == 2


def test_the_terms_are_kept(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.technician)
    browser.post("/s/oak/devices/loans/terms", {"conditions": "No stickers.", "accessories": "Charger"})
    assert "No stickers." in text_of(browser.get("/s/oak/devices/loans/terms"))


def test_a_family_reports_and_staff_reports(lent: Any, visit: Visitor) -> None:
    cast, _, device = lent
    facts = {"condition": "4", "told": "On the train", "happened_on": "2026-10-13"}
    visit.as_(cast.mother).post(f"/s/oak/family/devices/{device}/report", facts)
    assert of_school(cast, lambda: Device.objects.get(pk=device).condition) == Condition.STOLEN
    assert "say in a few words" in text_of(
        visit.as_(cast.teacher).post(f"/s/oak/devices/{device}/report", {**facts, "told": ""})
    )


def test_the_family_reads_everything_that_is_held_and_who_looked(lent: Any, visit: Visitor) -> None:
    cast, _, device = lent
    visit.as_(cast.technician).get(f"/s/oak/devices/{device}")
    with scope(cast.school.id):
        incidents.report_device(
            cast.mother.actor, device, condition=Condition.LOST, told="x", happened_on=TODAY, now=NOW
        )
    for member in (cast.pupil, cast.mother):
        page = text_of(visit.as_(member).get(f"/s/oak/family/devices/{device}"))
        for shown in (
            "S1",
            "t-1",
            "81 %",
            "93 %",
            "12.0 GB",
            "org.geogebra",
            "5.2",
            "Teo Nician",
            "no location is asked for",
        ):
            assert shown in page, shown


def test_who_has_a_device_next_does_not_read_what_was_said_to_who_had_it(cast: Cast, visit: Visitor) -> None:
    technician, later = cast.technician.actor, NOW + timedelta(days=1)
    with scope(cast.school.id):
        (device,) = tablets(cast, "1")
        for member, at in ((cast.pupil, NOW), (cast.classmate, later)):
            assign_device(technician, device, member.person.pk, now=at)
            told = {"text": f"Bring it, {member.person.given_name}"}
            tell_devices(
                technician, [device], Verb.MESSAGE, told, now=at + timedelta(minutes=1), reason="Late"
            )
    page = text_of(visit.as_(cast.classmate).get(f"/s/oak/family/devices/{device}"))
    assert "Bring it, Clàudia" in page
    assert "Bring it, Pau" not in page


def test_opening_loans_is_kept_for_the_pupil_to_read(lent: Any, visit: Visitor) -> None:
    cast, loan, _ = lent
    visit.as_(cast.technician).get(f"/s/oak/devices/loans/{loan}")
    found = of_school(
        cast,
        lambda: list(Look.objects.filter(subject_id=cast.pupil.person.pk).values_list("what", flat=True)),
    )
    assert LookAt.DEVICE in found


def statements(browser: Client, where: str) -> int:
    browser.get(where)
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(where).status_code == 200
    return len(seen)


def test_statements_do_not_grow_with_the_loans(cast: Cast, visit: Visitor) -> None:
    browser, family = visit.as_(cast.technician), visit.as_(cast.mother)
    pages = [
        "loans",
        "loans/collection?until=2027-07-31",
        "incidents",
        f"loans/class?class={cast.homeroom.pk}",
    ]
    counted = []
    for size in (1, 30):
        with scope(cast.school.id):
            for device in tablets(cast, *(f"{size}-{number}" for number in range(size))):
                loan = propose(cast, device)
                lending.confirm_paper(cast.technician.actor, loan.pk, signed_on=TODAY, now=NOW)
                incidents.report_device(
                    cast.technician.actor,
                    device,
                    condition=Condition.BROKEN,
                    told="x",
                    happened_on=TODAY,
                    now=NOW,
                )
        found = [statements(browser, f"/s/oak/devices/{page}") for page in pages]
        counted.append([*found, statements(family, "/s/oak/family/devices")])
    assert counted[0] == counted[1]


def test_what_each_child_gave_back_is_read_for_all_at_once(cast: Cast, visit: Visitor) -> None:
    browser, where = visit.as_(cast.mother), "/s/oak/family/devices"
    few = statements(browser, where)
    with scope(cast.school.id):
        children = [cast.pupil.person, *(_child(cast, number) for number in range(3))]
        names = [f"past-{number}" for number in range(len(children))]
        for child, device in zip(children, tablets(cast, *names), strict=True):
            loan = lending.propose_loan(cast.technician.actor, device, child.pk, starts_on=TODAY, now=NOW)
            lending.confirm_paper(cast.technician.actor, loan.pk, signed_on=TODAY, now=NOW)
            lending.return_loan(cast.technician.actor, loan.pk, returned=[], now=NOW)
        backwards = [child.pk for child in reversed(children)]
        lines = queries.loans_of_persons(cast.mother.actor, backwards, today=TODAY)
    assert [line.person_id for line in lines] == backwards
    assert text_of(browser.get(where)).count("Tab A9") == len(children)
    assert statements(browser, where) == few


def _child(cast: Cast, number: int) -> Person:
    child = people.register_person(
        cast.office, sourced_id=f"lent-{number}", given_name=f"Nil{number}", family_name="Pupil", now=NOW
    )
    people.grant_role(cast.office, child, Role.PUPIL)
    people.make_guardian(cast.office, child, cast.mother.person, relation=Relation.MOTHER)
    return child
