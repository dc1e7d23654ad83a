"""The HTTP API of notices: what was published, who has read it, and writing one."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Flag, Id, Name, Ref, Row, Sent, told
from pupitre.kernel import clock
from pupitre.kernel.errors import Refused
from pupitre.messaging.actions import notices as actions
from pupitre.messaging.queries import listing
from pupitre.messaging.queries import notices as queries
from pupitre.messaging.rules.kinds import Audience
from pupitre.messaging.rules.notices import LONGEST_BODY, LONGEST_TITLE
from pupitre.people.access import actor_of

router = Router(tags=["Notices"])
reads, writes = machine(Scope.NOTICES_READ), machine(Scope.NOTICES_WRITE)

AudienceWord = Literal["families", "pupils", "staff", "everybody"]
WORDS: Final[dict[int, str]] = {audience.value: audience.name.lower() for audience in Audience}
Title = Annotated[Name, Field(max_length=LONGEST_TITLE)]
#: Something to read, and not only white space.
Body = Annotated[
    str, Field(min_length=1, max_length=LONGEST_BODY, pattern=r"^[^\x00]*[^\x00-\x20][^\x00]*$", strict=True)
]


class UnknownClass(Refused):
    """There is no class with this number to write to."""


class NoticeRow(Row):
    """Something the school tells families, pupils or staff."""

    id: int = told("Its number.", 88)
    title: str = told("Title.", "Excursion on Friday")
    body: str = told("Plain text; addresses of the web become links.", "We leave at nine.")
    audience: AudienceWord = told("For whom it is.", "families")
    class_id: int | None = told("The class it is limited to.", 31)
    needs_confirmation: bool = told("Whether readers are asked to confirm it.", example=True)
    created_at: datetime = told("When it was written.", "2026-10-12T15:00:00Z")
    published_at: datetime | None = told("When it was published.", "2026-10-12T15:05:00Z")
    withdrawn_at: datetime | None = told("When it was taken back.", None)
    recipients: int = told("How many people it is for.", 54)


class NoticeFacts(NoticeRow):
    """A notice, and how far it has come."""

    read: int = told("How many people have read it.", 41)
    confirmed: int = told("How many have confirmed it.", 37)


class RecipientRow(Row):
    """A person whom a notice reached."""

    person_id: int = told("The person.", 5822)
    name: str = told("The name.", "Mara Puig")
    pupils: str = told("Because of whom.", "Pau Puig Serra")
    read_at: datetime | None = told("When she read it.", "2026-10-12T18:21:00Z")
    confirmed_at: datetime | None = told("When she confirmed it.", None)
    reminded_at: datetime | None = told("When she was reminded last.", None)


class NewNotice(Sent):
    """A notice to write."""

    title: Title = told("Title.", "Excursion on Friday")
    body: Body = told("Plain text; addresses of the web become links.", "We leave at nine.")
    audience: AudienceWord = told("For whom it is.", "families")
    class_id: Ref | None = told("Only for that class and its families.", 31, default=None)
    needs_confirmation: Flag = told("Ask readers to confirm it.", example=True, default=False)
    publish: Flag = told("Publish it at once; otherwise it stays a draft.", example=True, default=True)


class Written(Row):
    """The notice that was written."""

    id: int = told("Its number.", 88)
    published_at: datetime | None = told("When it was published.", "2026-10-12T15:05:00Z")
    recipients: int = told("How many people it is for.", 54)


class NoticesAsked(Schema):
    """Which notices are listed."""

    state: Literal["published", "draft"] = told("Published ones or drafts.", "published", default="published")


@router.get("/notices", response=Page[NoticeRow], auth=reads)
def list_notices(
    request: HttpRequest, response: HttpResponse, asked: Query[NoticesAsked], part: Query[Paged]
) -> Any:
    """Notices, the newest first; also those that were taken back."""
    found = listing.notices_after(
        actor_of(request), key_of(part.cursor, int), limit=part.limit, drafts=asked.state == "draft"
    )
    items = [dict(zip(listing.NOTICE, row, strict=True)) for row in found.rows]
    for item in items:
        item |= {"audience": WORDS[item["audience"]], "class_id": item["klass_id"]}
    return page_of(request, response, items, found.following)


@router.get("/notices/{notice}", response=NoticeFacts, auth=reads)
def read_notice(request: HttpRequest, notice: Id) -> Any:
    """One notice, and how many have read and confirmed it."""
    facts = queries.access_managed_notice(actor_of(request), notice)
    progress = queries.progress_of(notice)
    plain = {name: getattr(facts, name) for name in NoticeRow.model_fields}
    return {
        **plain,
        "audience": WORDS[facts.audience],
        "read": progress.read,
        "confirmed": progress.confirmed,
    }


@router.get("/notices/{notice}/recipients", response=Page[RecipientRow], auth=reads)
def list_recipients(request: HttpRequest, response: HttpResponse, notice: Id, part: Query[Paged]) -> Any:
    """Whom a notice reached, by name, with when they read and confirmed it."""
    facts = queries.access_managed_notice(actor_of(request), notice)
    found, following = listing.recipients_after(facts, key_of(part.cursor, str, int), limit=part.limit)
    return page_of(request, response, found, following)


@router.post("/notices", response={201: Written}, auth=writes)
def write_notice(request: HttpRequest, body: NewNotice) -> Any:
    """Write a notice and publish it, or keep it as a draft. A job hands it out."""
    actor, now = actor_of(request), clock.now()
    today = clock.local(now, actor.place.time_zone).date()
    if body.class_id is not None and body.class_id not in {
        one.id for one in queries.classes_to_write_to(actor, today)
    }:
        raise UnknownClass
    written = actions.draft_notice(
        actor,
        title=body.title,
        body=body.body,
        audience=Audience[body.audience.upper()],
        class_id=body.class_id,
        needs_confirmation=body.needs_confirmation,
        now=now,
    )
    if body.publish:
        written = actions.publish_notice(actor, notice_id=written.pk, now=now)
    facts = {"published_at": written.published_at, "recipients": written.recipients}
    return Status(201, {"id": written.pk, **facts})


@router.post("/notices/{notice}/withdrawal", response={204: None}, auth=writes)
def withdraw_notice(request: HttpRequest, notice: Id) -> Any:
    """Take a published notice back: nobody reads it any more."""
    actions.withdraw_notice(actor_of(request), notice_id=notice, now=clock.now())
    return Status(204, None)
