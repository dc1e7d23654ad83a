"""Loans and reports for other systems: a shop that repairs, an inventory, a school's accounts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Day, Id, Line, Prose, Ref, Row, Sent, told
from pupitre.devices.actions import incidents as reporting
from pupitre.devices.actions import lending as actions
from pupitre.devices.queries import lending as queries
from pupitre.devices.rules import Condition, LoanState
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.access import actor_of
from pupitre.people.rules import LookAt

router = Router(tags=["Device loans"])
reads, writes = machine(Scope.DEVICES_READ), machine(Scope.DEVICES_WRITE)

LoanWord = Literal["proposed", "running", "returned", "swapped", "cancelled"]
KeptWord = Literal["good", "broken", "in_repair"]
ReportedWord = Literal["broken", "lost", "stolen"]
Accessories = Annotated[list[Line], Field(max_length=20)]


class LoanRow(Row):
    """A device lent to a person."""

    id: int = told("Its number.", 31)
    device_id: int = told("The device.", 512)
    person_id: int = told("Who borrows it.", 4711)
    state: LoanWord = told("Where it is: `proposed` waits for the family's signature.", "running")
    starts_on: date = told("From that day on.", "2026-09-14")
    due_on: date | None = told("Until that day; null until the pupil leaves.", "2027-06-22")
    signed_at: datetime | None = told("When the contract was signed.", "2026-09-16T18:02:00+02:00")
    signed_here: bool = told("Signed in the family's page; else on paper.", example=True)
    ended_at: datetime | None = told("When it ended.", None)
    accessories: list[str] = told("What was lent with it.", ["Charger"])
    returned: list[str] | None = told("What of that came back; null before.", None)


class LoansAsked(Schema):
    """Which loans."""

    state: LoanWord | None = told("Only in that state.", "running", default=None)
    person_id: Id | None = told("Only that person's.", 4711, default=None)
    device_id: Id | None = told("Only that device's.", 512, default=None)


class LoanSent(Sent):
    """A loan to propose: its contract then waits for the family."""

    device_id: Ref = told("The device.", 512)
    person_id: Ref = told("Who borrows it.", 4711)
    starts_on: Day = told("From that day on.", "2026-09-14")
    due_on: Day | None = told("Until that day.", "2027-06-22", default=None)
    accessories: Accessories | None = told(
        "What is lent with it; left out, the school's usual ones.", ["Charger"], default=None
    )


class SignatureSent(Sent):
    """A signature on paper."""

    signed_on: Day = told("The day.", "2026-09-16")


class SwapSent(Sent):
    """A spare in the place of the lent device."""

    spare_id: Ref = told("The device that takes its place.", 513)
    condition: KeptWord = told("The other device is now.", "broken", default="broken")
    words: Prose = told("What happened.", "Screen", default="")


class ReturnSent(Sent):
    """A device that came back."""

    returned: Accessories = told("The accessories that came with it.", ["Charger"], default=[])
    condition: KeptWord = told("Its condition.", "good", default="good")
    words: Prose = told("Notes.", "", default="")


class IncidentRow(Row):
    """A device reported broken, lost or stolen."""

    id: int = told("Its number.", 9)
    device_id: int = told("The device.", 512)
    loan_id: int | None = told("The loan during which it happened.", 31)
    condition: ReportedWord | Literal["in_repair"] = told("What was reported.", "broken")
    words: str = told("What was told.", "The screen has a crack.")
    happened_on: date = told("When it happened.", "2026-10-12")
    reported_at: datetime = told("When it was told.", "2026-10-13T09:10:00+02:00")
    reported_by: int | None = told("The person who told it.", 4711)
    closed_at: datetime | None = told("When it was closed.", None)
    outcome: str = told("What became of it.", "")


class IncidentsAsked(Schema):
    """Which reports."""

    state: Literal["open", "closed"] | None = told("Only those.", "open", default=None)


class IncidentSent(Sent):
    """A report."""

    device_id: Ref = told("The device.", 512)
    condition: ReportedWord = told("What it is.", "broken")
    words: Prose = told("What happened.", "The screen has a crack.")
    happened_on: Day = told("When.", "2026-10-12")


class ClosureSent(Sent):
    """What became of a report."""

    condition: KeptWord = told("The device is now.", "good", default="good")
    outcome: Prose = told("What was done.", "New screen", default="")


def _loan(one: queries.LoanLine) -> dict[str, Any]:
    names = (
        "id",
        "device_id",
        "person_id",
        "starts_on",
        "due_on",
        "signed_at",
        "ended_at",
        "accessories",
        "returned",
    )
    return {name: getattr(one, name) for name in names} | {
        "state": one.state.name.lower(),
        "signed_here": one.is_signed_here,
    }


def _incident(one: Any) -> dict[str, Any]:
    names = ("id", "device_id", "loan_id", "happened_on", "reported_at", "closed_at", "outcome")
    return {name: getattr(one, name) for name in names} | {
        "condition": Condition(one.condition).name.lower(),
        "words": one.told,
        "reported_by": one.reported_by_id,
    }


def _page(request: HttpRequest, response: HttpResponse, rows: Sequence[Any], limit: int, show: Any) -> Any:
    following = [rows[limit - 1].id] if len(rows) > limit else None
    return page_of(request, response, [show(one) for one in rows[:limit]], following)


def _after(part: Paged) -> int:
    key = key_of(part.cursor, int)
    return int(key[0]) if key else 0


def _one(request: HttpRequest, loan_id: int) -> dict[str, Any]:
    actor = actor_of(request)
    found = queries.access_loan(actor, loan_id)
    lines = queries.loans_of(actor, today=queries.today_of(actor), person_id=found.person_id)
    return _loan(next(one for one in lines if one.id == loan_id))


@router.get("/device-loans", response=Page[LoanRow], auth=reads)
def list_device_loans(
    request: HttpRequest, response: HttpResponse, asked: Query[LoansAsked], part: Query[Paged]
) -> Any:
    """The school's loans, by their numbers. That they are read is noted for the persons once a month."""
    actor = actor_of(request)
    rows = queries.loans_after(
        actor, after=_after(part), limit=part.limit + 1, today=queries.today_of(actor),
        states=[LoanState[asked.state.upper()]] if asked.state else (), person_id=asked.person_id or 0,
        device_id=asked.device_id or 0,
    )  # fmt: skip
    people.note_reading(actor, [one.person_id for one in rows], LookAt.DEVICE, now=clock.now())
    return _page(request, response, rows, part.limit, _loan)


@router.post("/device-loans", response={201: LoanRow}, auth=writes)
def propose_device_loan(request: HttpRequest, body: LoanSent) -> Any:
    """Lend a device: its contract waits for the family. 409 where it is lent already, 422 where it cannot be."""
    made = actions.propose_loan(
        actor_of(request), body.device_id, body.person_id, starts_on=body.starts_on, due_on=body.due_on,
        accessories=body.accessories, now=clock.now(),
    )  # fmt: skip
    return Status(201, _one(request, made.pk))


@router.get("/device-loans/{loan}", response=LoanRow, auth=reads)
def read_device_loan(request: HttpRequest, loan: Id) -> Any:
    """One loan."""
    return _one(request, loan)


@router.put("/device-loans/{loan}/signature", response=LoanRow, auth=writes)
def sign_device_loan(request: HttpRequest, loan: Id, body: SignatureSent) -> Any:
    """Say that the contract came back signed on paper. 409 where none is waited for."""
    actions.confirm_paper(actor_of(request), loan, signed_on=body.signed_on, now=clock.now())
    return _one(request, loan)


@router.post("/device-loans/{loan}/swap", response=LoanRow, auth=writes)
def swap_lent_device(request: HttpRequest, loan: Id, body: SwapSent) -> Any:
    """Give the borrower a spare; answers the loan that goes on with it."""
    made = actions.swap_loan(
        actor_of(request), loan, body.spare_id, condition=Condition[body.condition.upper()], told=body.words,
        now=clock.now(),
    )  # fmt: skip
    return _one(request, made.pk)


@router.post("/device-loans/{loan}/return", response=LoanRow, auth=writes)
def return_lent_device(request: HttpRequest, loan: Id, body: ReturnSent) -> Any:
    """Take a device back. 409 where the loan is not running."""
    actions.return_loan(
        actor_of(request), loan, returned=body.returned, condition=Condition[body.condition.upper()], told=body.words,
        now=clock.now(),
    )  # fmt: skip
    return _one(request, loan)


@router.delete("/device-loans/{loan}", response={204: None}, auth=writes)
def cancel_device_loan(request: HttpRequest, loan: Id) -> Any:
    """Take back a contract that nobody has signed. 409 where somebody has."""
    actions.cancel_loan(actor_of(request), loan, now=clock.now())
    return Status(204, None)


@router.get("/device-incidents", response=Page[IncidentRow], auth=reads)
def list_device_incidents(
    request: HttpRequest, response: HttpResponse, asked: Query[IncidentsAsked], part: Query[Paged]
) -> Any:
    """What was reported broken, lost or stolen, by number."""
    rows = queries.incidents_after(
        actor_of(request),
        after=_after(part),
        limit=part.limit + 1,
        closed=None if asked.state is None else asked.state == "closed",
    )
    return _page(request, response, rows, part.limit, _incident)


@router.post("/device-incidents", response={201: IncidentRow}, auth=writes)
def report_device(request: HttpRequest, body: IncidentSent) -> Any:
    """Report a device. Of one that is gone, a lock is proposed."""
    made = reporting.report_device(
        actor_of(request), body.device_id, condition=Condition[body.condition.upper()], told=body.words,
        happened_on=body.happened_on, now=clock.now(),
    )  # fmt: skip
    return Status(201, _incident(made))


@router.put("/device-incidents/{incident}/closure", response=IncidentRow, auth=writes)
def close_device_incident(request: HttpRequest, incident: Id, body: ClosureSent) -> Any:
    """Say what became of a report. 409 where it is closed."""
    return _incident(
        reporting.close_incident(
            actor_of(request), incident, outcome=body.outcome, condition=Condition[body.condition.upper()],
            now=clock.now(),
        )
    )  # fmt: skip
