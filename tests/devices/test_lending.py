"""Lending a device: proposed, signed by the family, swapped, reported, returned."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from pupitre.devices.actions import commands, incidents, lending
from pupitre.devices.actions.loading import load_fleet
from pupitre.devices.models import Command, Device, DeviceEvent, Incident, Loan
from pupitre.devices.queries import lending as queries
from pupitre.devices.rules import CommandState, Condition, LoanState, Platform, Protocol, Standing, Verb
from pupitre.devices.rules import lending as rules
from pupitre.devices.rules.lending import Shown
from pupitre.devices.rules.loading import NewDevice
from pupitre.kernel.errors import Denied, NotFound
from pupitre.kernel.storage import Storage
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast, Member


@pytest.fixture
def inside(cast: Cast) -> Iterator[Cast]:
    with scope(cast.school.id):
        yield cast


def tablet(cast: Cast, number: str, *, standing: Standing = Standing.ENROLLED) -> int:
    one = NewDevice(
        f"t-{number}", f"S{number}", f"OAK-{number}", "", Platform.ANDROID, Protocol.HEADWIND, "Samsung", "Tab A9", NOW,
        standing=standing,
    )  # fmt: skip
    return load_fleet(cast.office, [one])[one.number]


def lent(cast: Cast, device: int, to: Member | None = None) -> Loan:
    return lending.propose_loan(
        cast.secretary.actor, device, (to or cast.pupil).person.pk, starts_on=TODAY, due_on=date(2027, 6, 22),
        accessories=["Charger", "Case"], now=NOW,
    )  # fmt: skip


def running(cast: Cast, device: int, to: Member | None = None) -> Loan:
    return lending.sign_loan(cast.mother.actor, lent(cast, device, to).pk, agrees=True, now=NOW)


def holder_of(device: int) -> int | None:
    return Device.objects.get(pk=device).holder_id


def kinds_of(device: int) -> list[str]:
    return list(DeviceEvent.objects.filter(device_id=device).order_by("id").values_list("kind", flat=True))


def test_a_proposed_loan_waits_and_the_pupil_has_the_device_with_its_classes(inside: Cast) -> None:
    device = tablet(inside, "1")
    loan = lent(inside, device)
    assert (loan.state, loan.signed_at, loan.accessories) == (LoanState.PROPOSED, None, ["Charger", "Case"])
    assert holder_of(device) == inside.pupil.person.pk
    assert inside.homeroom.pk in Device.objects.get(pk=device).groups
    assert "lent" in kinds_of(device)


def test_an_entitled_guardian_signs_and_the_signed_contract_is_kept(inside: Cast) -> None:
    loan = running(inside, tablet(inside, "1"))
    loan.refresh_from_db()
    assert (loan.state, loan.signed_by_id, loan.signed_at) == (
        LoanState.RUNNING,
        inside.mother.person.pk,
        NOW,
    )
    from django.conf import settings

    assert Storage(settings.CONFIG.storage_url).get(loan.contract_key).startswith(b"%PDF-")


def test_nobody_signs_without_agreeing_or_twice(inside: Cast) -> None:
    loan = lent(inside, tablet(inside, "1"))
    with pytest.raises(rules.NotAgreed):
        lending.sign_loan(inside.mother.actor, loan.pk, agrees=False, now=NOW)
    lending.sign_loan(inside.mother.actor, loan.pk, agrees=True, now=NOW)
    with pytest.raises(rules.NothingToSign):
        lending.sign_loan(inside.father.actor, loan.pk, agrees=True, now=NOW)


def test_a_minor_the_office_and_the_barred_do_not_sign(inside: Cast) -> None:
    loan = lent(inside, tablet(inside, "1"))
    for member in (inside.pupil, inside.secretary):
        with pytest.raises(rules.NotEntitledToSign):
            lending.sign_loan(member.actor, loan.pk, agrees=True, now=NOW)
    for member in (inside.barred, inside.classmate, inside.teacher):
        with pytest.raises(NotFound):
            lending.sign_loan(member.actor, loan.pk, agrees=True, now=NOW)


def test_a_pupil_of_age_signs_for_herself(inside: Cast) -> None:
    loan = lent(inside, tablet(inside, "1"))
    inside.pupil.person.born_on = date(2008, 10, 13)
    inside.pupil.person.save(update_fields=["born_on"])
    assert lending.sign_loan(inside.pupil.actor, loan.pk, agrees=True, now=NOW).state == LoanState.RUNNING


def test_age_is_reached_on_the_birthday() -> None:
    assert rules.is_of_age(date(2008, 10, 13), date(2026, 10, 13))
    assert not rules.is_of_age(date(2008, 10, 14), date(2026, 10, 13))
    assert not rules.is_of_age(None, date(2026, 10, 13))


def test_the_office_confirms_what_was_signed_on_paper(inside: Cast) -> None:
    loan = lent(inside, tablet(inside, "1"))
    with pytest.raises(rules.SignedInFuture):
        lending.confirm_paper(inside.secretary.actor, loan.pk, signed_on=TODAY + timedelta(days=1), now=NOW)
    with pytest.raises(Denied):
        lending.confirm_paper(inside.teacher.actor, loan.pk, signed_on=TODAY, now=NOW)
    done = lending.confirm_paper(inside.secretary.actor, loan.pk, signed_on=date(2026, 10, 9), now=NOW)
    assert done.signed_at is not None
    assert (done.state, done.signed_by_id, done.signed_at.date()) == (
        LoanState.RUNNING,
        None,
        date(2026, 10, 9),
    )


def test_a_device_is_lent_once_and_only_when_it_is_in_order(inside: Cast) -> None:
    device = tablet(inside, "1")
    lent(inside, device)
    with pytest.raises(rules.AlreadyLent):
        lent(inside, device, inside.sister)
    waiting = tablet(inside, "2", standing=Standing.WAITING)
    with pytest.raises(rules.NotLendable):
        lent(inside, waiting)
    with pytest.raises(rules.DueBeforeStart):
        lending.propose_loan(
            inside.secretary.actor, tablet(inside, "3"), inside.pupil.person.pk, starts_on=TODAY,
            due_on=TODAY - timedelta(days=1), now=NOW,
        )  # fmt: skip


def test_a_cancelled_loan_takes_the_device_back(inside: Cast) -> None:
    device = tablet(inside, "1")
    lending.cancel_loan(inside.secretary.actor, lent(inside, device).pk, now=NOW)
    assert holder_of(device) is None
    assert lent(inside, device, inside.sister).state == LoanState.PROPOSED


def test_a_swap_is_one_act_the_loan_goes_on_with_the_spare(inside: Cast) -> None:
    broken, spare = tablet(inside, "1"), tablet(inside, "2")
    loan = running(inside, broken)
    following = lending.swap_loan(inside.secretary.actor, loan.pk, spare, told="Fell from the desk", now=NOW)
    loan.refresh_from_db()
    assert loan.state == LoanState.SWAPPED
    assert (following.state, following.continues_id, following.due_on) == (
        LoanState.RUNNING,
        loan.pk,
        loan.due_on,
    )
    assert (following.contract_key, following.signed_by_id) == (loan.contract_key, loan.signed_by_id)
    assert holder_of(broken) is None
    assert holder_of(spare) == inside.pupil.person.pk
    # The spare is in the chain of the pupil and of her classes: policies and applications follow.
    assert inside.homeroom.pk in Device.objects.get(pk=spare).groups
    assert Device.objects.get(pk=broken).groups == []
    incident = Incident.objects.get(device_id=broken)
    assert (incident.condition, incident.loan_id, incident.told) == (
        Condition.BROKEN,
        loan.pk,
        "Fell from the desk",
    )
    assert Device.objects.get(pk=broken).condition == Condition.BROKEN


def test_only_a_free_device_in_order_is_a_spare(inside: Cast) -> None:
    loan, other = running(inside, tablet(inside, "1")), tablet(inside, "2")
    lent(inside, other, inside.sister)
    with pytest.raises(rules.NotASpare):
        lending.swap_loan(inside.secretary.actor, loan.pk, other, now=NOW)


def test_what_does_not_come_back_is_kept(inside: Cast) -> None:
    device = tablet(inside, "1")
    loan = running(inside, device)
    lending.return_loan(inside.secretary.actor, loan.pk, returned=["Charger"], now=NOW)
    (line,) = queries.loans_of(inside.secretary.actor, today=TODAY, device_id=device)
    assert (line.state, line.missing) == (LoanState.RETURNED, ["Case"])
    assert holder_of(device) is None
    with pytest.raises(rules.NotRunning):
        lending.return_loan(inside.secretary.actor, loan.pk, returned=[], now=NOW)


def test_a_broken_one_that_is_returned_gets_a_report(inside: Cast) -> None:
    device = tablet(inside, "1")
    loan = running(inside, device)
    lending.return_loan(
        inside.secretary.actor, loan.pk, returned=["Charger", "Case"], condition=Condition.BROKEN, told="Screen", now=NOW
    )  # fmt: skip
    assert Incident.objects.get(device_id=device).told == "Screen"


def test_pupil_guardian_and_office_report_and_strangers_do_not(inside: Cast) -> None:
    device = tablet(inside, "1")
    running(inside, device)
    for member in (inside.pupil, inside.mother, inside.secretary, inside.teacher):
        incidents.report_device(
            member.actor, device, condition=Condition.BROKEN, told="The screen", happened_on=TODAY, now=NOW
        )
    assert Incident.objects.filter(device_id=device).count() == 4
    for member in (inside.classmate, inside.barred):
        with pytest.raises(NotFound):
            incidents.report_device(
                member.actor, device, condition=Condition.BROKEN, told="x", happened_on=TODAY, now=NOW
            )


def test_a_stolen_device_has_a_lock_proposed_which_somebody_else_agrees_to(inside: Cast) -> None:
    device = tablet(inside, "1")
    running(inside, device)
    for _ in range(2):
        incidents.report_device(
            inside.mother.actor,
            device,
            condition=Condition.STOLEN,
            told="On the train",
            happened_on=TODAY,
            now=NOW,
        )
    proposed = Command.objects.get(device_id=device)
    assert (proposed.verb, proposed.state) == (Verb.LOCK, CommandState.PROPOSED)
    assert commands.approve_batch(inside.secretary.actor, proposed.batch, now=NOW) == 1
    proposed.refresh_from_db()
    assert proposed.state == CommandState.QUEUED


def test_who_cares_for_devices_locks_at_once(inside: Cast) -> None:
    device = tablet(inside, "1")
    incidents.report_device(
        inside.secretary.actor,
        device,
        condition=Condition.LOST,
        told="x",
        happened_on=TODAY,
        locks=True,
        now=NOW,
    )
    assert Command.objects.get(device_id=device).state == CommandState.QUEUED


def test_a_report_needs_words_and_a_day_that_has_come(inside: Cast) -> None:
    device = tablet(inside, "1")
    for told, day, error in (
        (" ", TODAY, rules.NothingTold),
        ("x", TODAY + timedelta(days=1), rules.HappenedInFuture),
    ):
        with pytest.raises(error):
            incidents.report_device(
                inside.secretary.actor,
                device,
                condition=Condition.BROKEN,
                told=told,
                happened_on=day,
                now=NOW,
            )


def test_a_closed_report_says_what_became_of_it(inside: Cast) -> None:
    device = tablet(inside, "1")
    told = incidents.report_device(
        inside.secretary.actor, device, condition=Condition.BROKEN, told="x", happened_on=TODAY, now=NOW
    )
    incidents.send_to_repair(inside.secretary.actor, told.pk, now=NOW)
    assert Device.objects.get(pk=device).condition == Condition.IN_REPAIR
    incidents.close_incident(inside.secretary.actor, told.pk, outcome="New screen", now=NOW)
    assert Device.objects.get(pk=device).condition == Condition.GOOD
    assert kinds_of(device)[-1] == "repaired"
    with pytest.raises(rules.IncidentClosed):
        incidents.close_incident(inside.secretary.actor, told.pk, outcome="", now=NOW)


def test_a_class_is_lent_to_in_one_act(inside: Cast) -> None:
    own = tablet(inside, "9")
    loan = lent(inside, own)
    free = [tablet(inside, str(number)) for number in (1, 2)]
    found = lending.lend_class(inside.secretary.actor, inside.homeroom.pk, starts_on=TODAY, now=NOW)
    # The pupil has one; sister and classmate get the next by their labels.
    assert {one.person_id for one in found.loans} == {inside.sister.person.pk, inside.classmate.person.pk}
    assert {one.device_id for one in found.loans} == set(free)
    assert found.without == []
    assert loan.pk not in {one.pk for one in found.loans}
    with pytest.raises(rules.NobodyToLendTo):
        lending.lend_class(inside.secretary.actor, inside.homeroom.pk, starts_on=TODAY, now=NOW)


def test_who_gets_none_is_named(inside: Cast) -> None:
    tablet(inside, "1")
    found = lending.lend_class(inside.secretary.actor, inside.homeroom.pk, starts_on=TODAY, now=NOW)
    assert len(found.loans) == 1
    assert len(found.without) == 2


def test_lists_show_what_is_overdue_to_sign_and_to_collect(inside: Cast) -> None:
    actor = inside.secretary.actor
    loan = running(inside, tablet(inside, "1"))
    lent(inside, tablet(inside, "2"), inside.sister)
    later = date(2027, 6, 23)
    assert [one.id for one in queries.loans_for(actor, Shown.OVERDUE, today=later)] == [loan.pk]
    assert queries.loans_for(actor, Shown.OVERDUE, today=TODAY) == []
    assert len(queries.loans_for(actor, Shown.TO_SIGN, today=TODAY)) == 1
    assert len(queries.loans_for(actor, Shown.OPEN, today=TODAY)) == 2
    (line,) = queries.collection_list(actor, date(2027, 6, 30), today=TODAY)
    assert (line.id, line.form, line.device) == (loan.pk, "1A", "OAK-1")
    figures = queries.figures_for(actor, today=later)
    assert (figures.open, figures.to_sign, figures.overdue, figures.incidents) == (1, 1, 1, 0)


def test_the_schools_terms_stay_those_under_which_a_loan_was_proposed(inside: Cast) -> None:
    actor = inside.secretary.actor
    lending.save_terms(actor, conditions="No stickers.", accessories="Charger\nPencil\nCharger")
    loan = lending.propose_loan(actor, tablet(inside, "1"), inside.pupil.person.pk, starts_on=TODAY, now=NOW)
    lending.save_terms(actor, conditions="Stickers are fine.", accessories="")
    loan.refresh_from_db()
    assert (loan.conditions, loan.accessories) == ("No stickers.", ["Charger", "Pencil"])
    with pytest.raises(Denied):
        lending.save_terms(inside.teacher.actor, conditions="", accessories="")
