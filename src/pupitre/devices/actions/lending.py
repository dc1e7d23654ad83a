"""Lending devices: proposed, signed by the family, swapped for a spare, returned."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import get_language

from pupitre.devices.models import Device, Incident, LendingTerms, Loan
from pupitre.devices.printing import print_contracts
from pupitre.devices.queries import lending as queries
from pupitre.devices.queries.contracts import contract_of
from pupitre.devices.queries.device import access_devices
from pupitre.devices.rules import CARES, Condition, LoanState
from pupitre.devices.rules import lending as rules
from pupitre.devices.rules.events import EventKind
from pupitre.kernel import events
from pupitre.kernel.storage import Storage
from pupitre.people import queries as people
from pupitre.people.rules import Actor, require

from .assigning import hold
from .noting import note

#: Under this kind contracts lie in the object store.
CONTRACTS = "contracts"


@transaction.atomic
def save_terms(actor: Actor, *, conditions: str, accessories: Sequence[str] | str) -> LendingTerms:
    """On what terms the school lends from now on. Contracts that were proposed keep theirs."""
    require(actor, CARES)
    if len(conditions) > rules.LONGEST_TEXT:
        raise rules.TextTooLong
    terms, _ = LendingTerms.objects.update_or_create(
        school_id=actor.place.id,
        defaults={
            "conditions": conditions.strip(),
            "accessories": rules.accessories_of(
                accessories if isinstance(accessories, str) else list(accessories)
            ),
        },
    )
    return terms


# Proposing


@transaction.atomic
def propose_loan(
    actor: Actor,
    device_id: int,
    person_id: int,
    *,
    starts_on: date,
    due_on: date | None = None,
    accessories: Sequence[str] | None = None,
    now: datetime,
) -> Loan:
    """Lend a device: its contract waits for the family. The person has it at once, so that policies follow.

    `accessories` None are the school's usual ones. Raises NotFound, NotLendable, AlreadyLent, DueBeforeStart.
    """
    (device,) = access_devices(actor, [device_id])
    people.access_person(actor, person_id)
    wanted = [(device, person_id)]
    return _propose(actor, wanted, starts_on=starts_on, due_on=due_on, accessories=accessories, now=now)[0]


@dataclass(frozen=True, slots=True)
class ClassLent:
    """What came of lending to a class: the loans, and the names of who got none because there were no more devices."""

    loans: list[Loan]
    without: list[str]


@transaction.atomic
def lend_class(
    actor: Actor,
    class_id: int,
    *,
    starts_on: date,
    due_on: date | None = None,
    accessories: Sequence[str] | None = None,
    now: datetime,
) -> ClassLent:
    """Lend every pupil of a class the device she has, else the next free one (`queries.lending.class_plan`).

    Raises NotFound, NobodyToLendTo, DueBeforeStart.
    """
    plan = queries.class_plan(actor, class_id, today=queries.today_of(actor))
    if not plan.lines:
        raise rules.NobodyToLendTo
    devices = {one.pk: one for one in access_devices(actor, [line[2] for line in plan.lines])}
    wanted = [(devices[device], person) for person, _, device, _ in plan.lines]
    loans = _propose(actor, wanted, starts_on=starts_on, due_on=due_on, accessories=accessories, now=now)
    return ClassLent(loans, plan.without)


def _propose(
    actor: Actor,
    wanted: Sequence[tuple[Device, int]],
    *,
    starts_on: date,
    due_on: date | None,
    accessories: Sequence[str] | None,
    now: datetime,
) -> list[Loan]:
    rules.check_span(starts_on, due_on)
    if not all(rules.is_lendable(device.standing, device.condition) for device, _ in wanted):
        raise rules.NotLendable
    terms = queries.terms_of(actor)
    given = list(terms.accessories) if accessories is None else rules.accessories_of(list(accessories))
    try:
        with transaction.atomic():
            loans = Loan.objects.bulk_create(
                Loan(
                    school_id=actor.place.id,
                    device=device,
                    person_id=person,
                    starts_on=starts_on,
                    due_on=due_on,
                    accessories=given,
                    conditions=terms.conditions,
                    created_at=now,
                    created_by_id=actor.account_id or None,
                )
                for device, person in wanted
            )
    except IntegrityError:
        raise rules.AlreadyLent from None
    hold(actor, {device.pk: person for device, person in wanted}, now=now)
    note(actor, [device.pk for device, _ in wanted], EventKind.LENT, now=now)
    persons = tuple(person for _, person in wanted)
    events.publish(rules.LoanProposed(actor.place.id, tuple(one.pk for one in loans), persons, now))
    return loans


# Signing


@transaction.atomic
def sign_loan(actor: Actor, loan_id: int, *, agrees: bool, now: datetime) -> Loan:
    """Sign a contract in one's own page, as a guardian or when of age. What was signed is kept as a PDF.

    Raises NotFound, NotEntitledToSign, NothingToSign, NotAgreed.
    """
    loan = _access_for_change(actor, loan_id)
    if not queries.may_sign(actor, loan, queries.today_of(actor)):
        raise rules.NotEntitledToSign
    if loan.state != LoanState.PROPOSED:
        raise rules.NothingToSign
    if not agrees:
        raise rules.NotAgreed
    language = get_language() or actor.place.locale
    signer = people.access_person(actor, actor.person_id)
    contract = contract_of(actor, loan, language=language, signer=str(signer), at=now)
    store = Storage(settings.CONFIG.storage_url)
    loan.contract_key = store.put(actor.place.id, CONTRACTS, print_contracts([contract]))
    loan.signed_by_id, loan.signed_at, loan.state = actor.person_id, now, LoanState.RUNNING.value
    loan.save(update_fields=["contract_key", "signed_by", "signed_at", "state"])
    note(actor, [loan.device_id], EventKind.SIGNED, now=now)
    return loan


@transaction.atomic
def confirm_paper(actor: Actor, loan_id: int, *, signed_on: date, now: datetime) -> Loan:
    """Confirm that the contract came back signed on paper on that day.

    Raises NotFound, NothingToSign, SignedInFuture.
    """
    require(actor, CARES)
    loan = _access_for_change(actor, loan_id)
    if loan.state != LoanState.PROPOSED:
        raise rules.NothingToSign
    if signed_on > queries.today_of(actor):
        raise rules.SignedInFuture
    noon = datetime.combine(signed_on, time(12), ZoneInfo(actor.place.time_zone))
    loan.signed_at = min(now, noon)
    loan.signed_by_id, loan.state = None, LoanState.RUNNING.value
    loan.save(update_fields=["signed_by", "signed_at", "state"])
    note(actor, [loan.device_id], EventKind.SIGNED, now=now, facts={"paper": signed_on.isoformat()})
    return loan


@transaction.atomic
def cancel_loan(actor: Actor, loan_id: int, *, now: datetime) -> Loan:
    """Take back a contract that nobody has signed: nobody has the device any more. Raises NotFound, NothingToSign."""
    require(actor, CARES)
    loan = _access_for_change(actor, loan_id)
    if loan.state != LoanState.PROPOSED:
        raise rules.NothingToSign
    return _end(actor, loan, LoanState.CANCELLED, now)


# Ending and going on


@transaction.atomic
def return_loan(
    actor: Actor,
    loan_id: int,
    *,
    returned: Collection[str],
    condition: Condition = Condition.GOOD,
    told: str = "",
    now: datetime,
) -> Loan:
    """Take a device back with what came with it. One that is not in order gets a report.

    Raises NotFound, NotRunning.
    """
    require(actor, CARES)
    loan = _access_for_change(actor, loan_id)
    if loan.state != LoanState.RUNNING:
        raise rules.NotRunning
    loan.returned = [one for one in loan.accessories if one in returned]
    loan.notes = told.strip() or loan.notes
    _end(actor, loan, LoanState.RETURNED, now)
    note(actor, [loan.device_id], EventKind.RETURNED, now=now, facts={"missing": _missing(loan)})
    if condition != Condition.GOOD:
        note_incident(actor, loan.device, loan, condition, told.strip(), queries.today_of(actor), now=now)
    elif loan.device.condition in rules.GONE:  # it turned up again
        loan.device.condition = Condition.GOOD.value
        loan.device.save(update_fields=["condition"])
        note(actor, [loan.device_id], EventKind.FOUND, now=now)
    return loan


def _missing(loan: Loan) -> list[str]:
    return [one for one in loan.accessories if one not in (loan.returned or ())]


@transaction.atomic
def swap_loan(
    actor: Actor,
    loan_id: int,
    spare_id: int,
    *,
    condition: Condition = Condition.BROKEN,
    told: str = "",
    now: datetime,
) -> Loan:
    """Give the borrower a spare in one act: the loan goes on with it under the same contract.

    The spare has the holder at once, and so her policies and applications; the other device gets a report.
    Raises NotFound, NotRunning, NotASpare.
    """
    require(actor, CARES)
    loan = _access_for_change(actor, loan_id)
    if loan.state != LoanState.RUNNING:
        raise rules.NotRunning
    (spare,) = access_devices(actor, [spare_id])
    taken = Loan.objects.filter(
        school_id=actor.place.id, device=spare, state__in=[one.value for one in rules.OPEN]
    )
    if spare.holder_id or not rules.is_lendable(spare.standing, spare.condition) or taken.exists():
        raise rules.NotASpare
    loan.state, loan.ended_at = LoanState.SWAPPED.value, now
    loan.save(update_fields=["state", "ended_at"])
    following = _continuation(actor, loan, spare, now)
    hold(actor, {loan.device_id: None, spare.pk: loan.person_id}, now=now)
    note(actor, [loan.device_id], EventKind.SWAPPED, now=now, facts={"for": queries.label(spare)})
    note(actor, [spare.pk], EventKind.SWAPPED, now=now, facts={"from": queries.label(loan.device)})
    if loan.device.condition == Condition.GOOD and condition != Condition.GOOD:
        note_incident(actor, loan.device, loan, condition, told.strip(), queries.today_of(actor), now=now)
    return following


def _continuation(actor: Actor, loan: Loan, spare: Device, now: datetime) -> Loan:
    return Loan.objects.create(
        school_id=actor.place.id,
        device=spare,
        person_id=loan.person_id,
        state=LoanState.RUNNING.value,
        starts_on=queries.today_of(actor),
        due_on=loan.due_on,
        accessories=loan.accessories,
        conditions=loan.conditions,
        contract_key=loan.contract_key,
        signed_by_id=loan.signed_by_id,
        signed_at=loan.signed_at,
        continues=loan,
        created_at=now,
        created_by_id=actor.account_id or None,
    )


def _end(actor: Actor, loan: Loan, state: LoanState, now: datetime) -> Loan:
    loan.state, loan.ended_at = state.value, now
    loan.save(update_fields=["state", "ended_at", "returned", "notes"])
    hold(actor, {loan.device_id: None}, now=now)
    return loan


def _access_for_change(actor: Actor, loan_id: int) -> Loan:
    """Two who press at once do it one after the other: the second sees what the first did."""
    Loan.objects.select_for_update().filter(school_id=actor.place.id, pk=loan_id).first()
    return queries.access_loan(actor, loan_id)


# Reports: shared with `incidents`.

_KINDS = {
    Condition.BROKEN: EventKind.BROKEN,
    Condition.IN_REPAIR: EventKind.BROKEN,
    Condition.LOST: EventKind.LOST,
    Condition.STOLEN: EventKind.STOLEN,
}


def note_incident(
    actor: Actor,
    device: Device,
    loan: Loan | None,
    condition: Condition,
    told: str,
    happened_on: date,
    *,
    now: datetime,
) -> Incident:
    """Write a report and the device's condition, and tell who cares for devices. Part of an action: asks for no role."""
    incident = Incident.objects.create(
        school_id=actor.place.id,
        device=device,
        loan=loan,
        condition=condition.value,
        told=told,
        happened_on=happened_on,
        reported_at=now,
        reported_by_id=actor.person_id or None,
    )
    device.condition = condition.value
    device.save(update_fields=["condition"])
    note(actor, [device.pk], _KINDS[condition], now=now)
    events.publish(
        rules.DeviceReported(
            actor.place.id, device.pk, queries.label(device), condition, actor.person_id, now
        )
    )
    return incident
