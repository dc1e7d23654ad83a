"""Absences: what was announced, and noting, deciding and taking back one."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from pupitre.attendance.actions import absences as actions
from pupitre.attendance.queries import absences as queries
from pupitre.attendance.queries import listing
from pupitre.attendance.rules.absences import NoticeState, Reason
from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Id, Moment, Ref, Row, Sent, told
from pupitre.kernel import clock
from pupitre.people import actions as people
from pupitre.people.access import actor_of
from pupitre.people.rules import LookAt

router = Router(tags=["Absences"])
reads, writes = machine(Scope.ABSENCES_READ), machine(Scope.ABSENCES_WRITE)

ReasonWord = Literal["illness", "medical", "family", "travel", "other"]
StateWord = Literal["pending", "accepted", "refused"]
Text = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$", strict=True)]


class AbsenceRow(Row):
    """An announced absence as the list shows it."""

    id: int = told("Its number.", 451)
    pupil_id: int = told("The pupil.", 4711)
    pupil_name: str = told("The pupil's name.", "Pau Puig Serra")
    form: str = told("The pupil's form.", "1A")
    starts_at: datetime = told("When it begins.", "2026-10-13T22:00:00Z")
    ends_at: datetime = told("When it ends; not included.", "2026-10-14T22:00:00Z")
    first_day: date = told("First day in the school's own time.", date(2026, 10, 14))
    last_day: date = told("Last day.", date(2026, 10, 14))
    whole_days: bool = told("Whether it is of whole days.", example=True)
    kind: ReasonWord = told("Why.", "illness")
    state: StateWord = told("What the office made of it.", "pending")
    announced_at: datetime = told("When it was announced.", "2026-10-13T18:40:00Z")
    by_office: bool = told("Whether the office noted it.", example=False)
    has_document: bool = told("Whether a document was handed in.", example=False)
    decided_at: datetime | None = told("When the office decided.", None)
    withdrawn_at: datetime | None = told("When it was taken back.", None)


class AbsenceFacts(AbsenceRow):
    """An absence with what the family says. Each reading is noted in the pupil's history."""

    reason: str = told("What the family says.", "Fever")
    announced_by: str = told("Who announced it.", "Mara Puig")
    decided_by: str = told("Who decided.", "")
    decision_note: str = told("Why it was refused.", "")


class NewAbsence(Sent):
    """An absence to note. What the office's systems note is accepted at once."""

    pupil_id: Ref = told("The pupil.", 4711)
    starts_at: Moment = told("When it begins.", "2026-10-13T22:00:00Z")
    ends_at: Moment = told("When it ends; not included.", "2026-10-14T22:00:00Z")
    kind: ReasonWord = told("Why.", "illness")
    reason: Text = told("What the family says.", "Fever", default="")


class DecisionSent(Sent):
    """What the office makes of a justification."""

    accepted: Annotated[bool, Field(strict=True)] = told("Accept it, or refuse it.", example=True)
    note: Annotated[Text, Field(max_length=1000)] = told(
        "Why it is refused; the family reads it.", "", default=""
    )


class Noted(Row):
    """The absence that was noted, or the earlier one that it extends."""

    id: int = told("Its number.", 451)


class AbsencesAsked(Schema):
    """Which absences are listed."""

    state: StateWord | None = told("Only those in that state.", "pending", default=None)
    pupil_id: Id | None = told("Only those of that pupil.", 4711, default=None)
    withdrawn: Literal["without", "with"] = told(
        "Whether those are listed that were taken back.", "without", default="without"
    )


def _row(row: queries.NoticeRow) -> dict[str, Any]:
    made = {"kind", "state", "has_document"}
    plain = {name: getattr(row, name) for name in AbsenceFacts.model_fields if name not in made}
    words = {"kind": row.kind.name.lower(), "state": row.state.name.lower()}
    return {**plain, **words, "has_document": bool(row.document_name)}


@router.get("/absences", response=Page[AbsenceRow], auth=reads)
def list_absences(
    request: HttpRequest, response: HttpResponse, asked: Query[AbsencesAsked], part: Query[Paged]
) -> Any:
    """Absences in the order in which they were announced, without what families say."""
    found, following = listing.absences_after(
        actor_of(request),
        key_of(part.cursor, int),
        limit=part.limit,
        state=NoticeState[asked.state.upper()] if asked.state else None,
        pupil_id=asked.pupil_id,
        with_withdrawn=asked.withdrawn == "with",
    )
    return page_of(request, response, [_row(row) for row in found], following)


@router.get("/absences/{absence}", response=AbsenceFacts, auth=reads)
def read_absence(request: HttpRequest, absence: Id) -> Any:
    """One absence with what the family says."""
    actor = actor_of(request)
    row = queries.access_notice_row(actor, absence)
    people.note_looks(actor, [row.pupil_id], LookAt.ATTENDANCE, now=clock.now())
    return _row(row)


@router.post("/absences", response={201: Noted}, auth=writes)
def note_absence(request: HttpRequest, body: NewAbsence) -> Any:
    """Note that a pupil is, was or will be away. Marks that say absent in that time become excused."""
    noted = actions.announce_absence(
        actor_of(request),
        pupil_id=body.pupil_id,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        kind=Reason[body.kind.upper()],
        reason=body.reason,
        now=clock.now(),
    )
    return Status(201, {"id": noted.pk})


@router.put("/absences/{absence}/decision", response={204: None}, auth=writes)
def decide_absence(request: HttpRequest, absence: Id, body: DecisionSent) -> Any:
    """Accept or refuse what a family announced. The family is told."""
    actions.decide_absence(
        actor_of(request), notice_id=absence, accepted=body.accepted, note=body.note, now=clock.now()
    )
    return Status(204, None)


@router.post("/absences/{absence}/withdrawal", response={204: None}, auth=writes)
def withdraw_absence(request: HttpRequest, absence: Id) -> Any:
    """Take an announcement back. What was excused by it is absent again."""
    actions.withdraw_absence(actor_of(request), notice_id=absence, now=clock.now())
    return Status(204, None)
