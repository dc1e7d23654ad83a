"""Importing a roster in four steps (upload, look, decide, apply), and taking the school's own roster along."""

from datetime import datetime
from typing import IO, Annotated, Any, Final, Literal, cast

from django.http import HttpRequest, HttpResponse
from ninja import File, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from pupitre.connections.access import machine
from pupitre.connections.paging import Page, Paged, key_of, page_of
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Id, Row, Sent, told
from pupitre.courses.actions import exports, rosters
from pupitre.courses.queries import listing
from pupitre.courses.queries import rosters as queries
from pupitre.courses.rules.preview import finding_from_json
from pupitre.courses.views.words import mend, what
from pupitre.kernel import clock
from pupitre.people.access import actor_of

router = Router(tags=["Rosters"])
reads, writes = machine(Scope.ROSTERS_READ), machine(Scope.ROSTERS_WRITE)

StateWord = Literal["uploaded", "read", "applying", "applied", "refused", "failed"]
STATES: Final[dict[int, str]] = {
    1: "uploaded",
    2: "read",
    3: "applying",
    4: "applied",
    5: "refused",
    6: "failed",
}
KindWord = Literal[
    "orgs", "academicSessions", "courses", "classes", "users", "roles", "relationships", "enrollments"
]
Label = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class Counts(Row):
    """What would become, or became, of the rows of a kind."""

    kind: KindWord = told("Which rows.", "users")
    new: int = told("New ones.", 12)
    changed: int = told("Those that change.", 3)
    ended: int = told("Those that end, as they are not in the files any more.", 1)
    back: int = told("Those that had ended and are there again.", 0)
    conflicts: int = told("Fields that both the school and the files changed.", 0)
    same: int = told("Those that stay as they are.", 804)


class OrgRow(Row):
    """A school that the files hold."""

    id: str = told("Its sourcedId.", "08012345")
    name: str = told("Its name.", "Oak School")
    type: str = told("OneRoster's type.", "school")
    people: int = told("How many people belong to it.", 820)
    chosen: bool = told("Whether it is taken for this school.", example=True)


class ImportRow(Row):
    """An import as the list shows it."""

    id: int = told("Its number.", 12)
    file_name: str = told("Name of the file that was uploaded.", "roster.zip")
    source: str = told("What the files were understood as.", "oneroster-1.2")
    state: StateWord = told(
        "`read` waits for its application; `refused` has errors; `failed` may be applied again.", "read"
    )
    uploaded_at: datetime = told("When it came.", "2026-10-13T07:10:00Z")
    applied_at: datetime | None = told("When it was carried out.", None)
    done: int = told("Rows written so far.", 0)
    total: int = told("Rows to write.", 0)


class ImportFacts(ImportRow):
    """An import with what it would change, or changed."""

    errors: int = told("Findings that forbid the import.", 0)
    warnings: int = told("Findings to look at.", 2)
    failure: str = told("Why it failed, or empty.", "")
    orgs: list[OrgRow] = told("The schools in the files.", [OrgRow])
    kinds: list[Counts] = told("What would become of the rows.", [Counts])


class FindingRow(Row):
    """Something that was found while the files were read."""

    severity: Literal["error", "warning", "note"] = told("How bad it is.", "warning")
    code: str = told("What it is, for programs.", "cell-empty")
    file: str = told("In which file.", "users.csv")
    line: int | None = told("On which line.", 17)
    column: str = told("In which column.", "email")
    value: str = told("What stood there.", "")
    what: str = told("What it is, in the language of `Accept-Language`.", "The cell is empty.")
    mend: str = told("What to do about it.", "Fill it in.")


class ChangeRow(Row):
    """What would happen to a row."""

    kind: KindWord = told("Which kind of row.", "users")
    sort: Literal["conflict", "changed", "ended", "back", "new"] = told("What happens to it.", "changed")
    key: str = told("By which the row is known.", "p-2014-0302")
    label: str = told("Its name.", "Pau Puig Serra")
    field: str | None = told("The field in conflict.", None)
    changes: list[list[Any]] = told("Fields with before and after.", [["grade", "06", "07"]])


class ChangesAsked(Schema):
    """Which changes are listed."""

    kind: KindWord = told("Which kind of rows.", "users", default="users")


class ChoicesSent(Sent):
    """How the files are to be understood, and whose word counts in conflicts."""

    orgs: list[Label] | None = told(
        "sourcedIds of the orgs that are this school.", ["08012345"], default=None
    )
    roles: (
        dict[
            Label,
            Literal[
                "",
                "student",
                "teacher",
                "aide",
                "principal",
                "siteAdministrator",
                "counselor",
                "nurse",
                "guardian",
            ],
        ]
        | None
    ) = told(
        "What unknown words for roles mean; empty leaves their rows out.",
        {"Delegado": "student"},
        default=None,
    )
    date_order: Literal["dmy", "mdy"] | None = told("The order of dates.", "dmy", default=None)
    conflicts: Literal["file", "school"] | None = told(
        "Whose word counts in all conflicts.", "file", default=None
    )


def _row(record: Any) -> dict[str, Any]:
    names = ("id", "file_name", "source", "uploaded_at", "applied_at", "done", "total")
    return {name: getattr(record, name) for name in names} | {"state": STATES[record.state]}


def _facts(record: Any) -> dict[str, Any]:
    severities = [line["severity"] for line in record.findings]
    is_done = record.state == record.APPLIED
    counts = (record.report if is_done else record.plan).get("kinds", {})
    return {
        **_row(record),
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "failure": str(record.report.get("failure", "")),
        "orgs": record.plan.get("orgs", []),
        "kinds": [{"kind": kind, **found} for kind, found in counts.items()],
    }


@router.get("/rosters", response=Page[ImportRow], auth=reads)
def list_rosters(request: HttpRequest, response: HttpResponse, part: Query[Paged]) -> Any:
    """Imports, the newest first."""
    found = listing.imports_after(actor_of(request), key_of(part.cursor, int), limit=part.limit)
    items = [dict(zip(listing.IMPORT, row, strict=True)) for row in found.rows]
    for item in items:
        item["state"] = STATES[item["state"]]
    return page_of(request, response, items, found.following)


@router.post("/rosters", response={201: ImportFacts}, auth=writes)
def upload_roster(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """Upload a roster as a zip or CSV file: OneRoster 1.1 and 1.2, SDS and plain tables are understood.

    It is read at once where it is small, else by a job: ask for it again while its state is `uploaded`. Nothing of the
    school changes before it is applied.
    """
    if (file.size or 0) > rosters.MOST_UPLOADED:
        raise rosters.TooLarge(limit=rosters.MOST_UPLOADED // 1024 // 1024)
    name = (file.name or "roster").replace("\0", "")
    record = rosters.receive_roster(
        actor_of(request), files={name: cast("IO[bytes]", file.file)}, file_name=name, now=clock.now()
    )
    return Status(201, _facts(record))


@router.get("/rosters/{roster}", response=ImportFacts, auth=reads)
def read_roster(request: HttpRequest, roster: Id) -> Any:
    """An import: how far it is, and what it would change, or changed."""
    return _facts(queries.access_import(actor_of(request), roster))


@router.get("/rosters/{roster}/findings", response=Page[FindingRow], auth=reads)
def list_findings(request: HttpRequest, response: HttpResponse, roster: Id, part: Query[Paged]) -> Any:
    """What was found while the files were read, errors first."""
    record = queries.access_import(actor_of(request), roster)
    (start,) = key_of(part.cursor, int) or (0,)
    lines, following = _after(record.findings, start, part.limit)
    found = [finding_from_json(line) for line in lines]
    items = [
        {
            "severity": one.severity.value,
            "code": one.code.value,
            "file": one.file,
            "line": one.line,
            "column": one.column,
            "value": one.value,
            "what": what(one),
            "mend": mend(one),
        }
        for one in found
    ]
    return page_of(request, response, items, following)


def _after(lines: list[Any], start: int, limit: int) -> tuple[list[Any], tuple[int] | None]:
    """Some of the lines of an import: they do not change, so their numbers are places enough."""
    start = max(start, 0)
    end = start + limit
    return lines[start:end], (end,) if end < len(lines) else None


@router.get("/rosters/{roster}/changes", response=Page[ChangeRow], auth=reads)
def list_changes(
    request: HttpRequest, response: HttpResponse, roster: Id, asked: Query[ChangesAsked], part: Query[Paged]
) -> Any:
    """What would happen to the rows of a kind, conflicts first. At most 2000 rows of each sort are kept."""
    record = queries.access_import(actor_of(request), roster)
    (start,) = key_of(part.cursor, int) or (0,)
    lines, following = _after(queries.plan_lines(record, asked.kind), start, part.limit)
    items = [
        {
            "kind": asked.kind,
            "sort": line["sort"],
            "key": line["key"].replace("\x1f", ":"),
            "label": line["label"],
            "field": line.get("field"),
            "changes": line.get("changes", []),
        }
        for line in lines
    ]
    return page_of(request, response, items, following)


@router.put("/rosters/{roster}/choices", response={204: None}, auth=writes)
def choose(request: HttpRequest, roster: Id, body: ChoicesSent) -> Any:
    """Say how the files are to be understood (they are read again), and whose word counts in conflicts."""
    actor, now = actor_of(request), clock.now()
    if body.orgs is not None or body.roles is not None or body.date_order is not None:
        rosters.choose(actor, roster, now=now, orgs=body.orgs, roles=body.roles, date_order=body.date_order)
    if body.conflicts is not None:
        rosters.answer_conflicts(actor, roster, take_all=body.conflicts == "file")
    else:
        queries.access_import(actor, roster)
    return Status(204, None)


@router.post("/rosters/{roster}/application", response={202: ImportRow}, auth=writes)
def apply_roster(request: HttpRequest, roster: Id) -> Any:
    """Carry the import out. A job does it: ask for it again while its state is `applying`."""
    return Status(202, _row(rosters.start_import(actor_of(request), roster, now=clock.now())))


@router.get(
    "/roster-export",
    auth=reads,
    openapi_extra={
        "responses": {
            200: {
                "description": "The zip.",
                "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
    },
)
def export_roster(request: HttpRequest) -> HttpResponse:
    """The whole school as a zip of OneRoster 1.2 CSV. Noted in the history of everybody who is in it."""
    data = exports.export_roster(actor_of(request), now=clock.now())
    headers = {"Content-Disposition": 'attachment; filename="oneroster.zip"'}
    return HttpResponse(data, content_type="application/zip", headers=headers)
