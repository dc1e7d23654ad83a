"""Importing a roster: upload, look at what was found and what will change, decide, apply, read the report."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import IO, Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pupitre.courses.actions import exports, rosters
from pupitre.courses.queries import rosters as queries
from pupitre.courses.rules.findings import Finding
from pupitre.courses.rules.preview import finding_from_json
from pupitre.courses.views import words
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE
from pupitre.people.rules.grades import CODES, code_options
from pupitre.web.middleware import told
from pupitre.web.pages import is_fragment, render, see

PAGE = 50
_SHOWN_FINDINGS = 6

# The docstrings of errors that these pages show.
ERRORS = (
    gettext_noop(
        "The files are larger than %(limit)s MB together. Leave out what does not belong to the roster."
    ),
    gettext_noop(
        "There are errors in these files. Nothing was changed; mend them and upload the files again."
    ),
    gettext_noop("The import has been carried out already."),
    gettext_noop("An import of this school is being carried out at this moment. Wait until it has finished."),
    gettext_noop("The files of this import are no longer kept. Upload them again."),
    gettext_noop("The files hold no school “%(org)s”."),
    gettext_noop("Only a form can be attached to a class."),
    gettext_noop("The roster names somebody whom neither it nor the school knows: %(who)s."),
)


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest, school: str) -> HttpResponse:
    """The imports so far, and the form for the next."""
    actor, problem = actor_of(request), ""
    if request.method == "POST":
        uploads = request.FILES.getlist("files")
        try:
            files = {str(upload.name): cast("IO[bytes]", upload.file) for upload in uploads}
            name = ", ".join(str(upload.name) for upload in uploads)
            record = rosters.receive_roster(actor, files=files, file_name=name, now=clock.now())
            return see(request, "roster", school=school, roster=record.pk)
        except DomainError as error:
            problem = told(error)
    rows = [_row(record) for record in queries.imports_for(actor)]
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    context = {"school": school, "page": page, "zone": actor.place.time_zone, "problem": problem}
    return render(request, "courses/rosters.html", context, status=422 if problem else 200)


def _row(record: Any) -> dict[str, Any]:
    label, tone, icon = _states()[record.state]
    return {
        "id": record.pk,
        "file_name": record.file_name,
        "source": record.source,
        "at": record.applied_at or record.uploaded_at,
        "by": str(record.uploaded_by or record.report.get("by", "")),
        "label": label,
        "tone": tone,
        "icon": icon,
    }


def _states() -> dict[int, tuple[str, str, str]]:
    return {
        1: (_("Being checked"), "info", "clock"),
        2: (_("Waiting for you"), "warn", "clock"),
        3: (_("Being imported"), "info", "clock"),
        4: (_("Imported"), "good", "check"),
        5: (_("Has errors"), "bad", "circle-x"),
        6: (_("Failed"), "bad", "circle-x"),
    }


# -- one import -------------------------------------------------------------------------------------------------------


@only(*OFFICE)
@require_safe
def roster(request: HttpRequest, school: str, roster: int) -> HttpResponse:
    """One import: its check, its preview, its progress or its report."""
    actor = actor_of(request)
    record = queries.access_import(actor, roster)
    if is_fragment(request) and record.state in (record.UPLOADED, record.APPLYING):
        context = {"school": school, "record": record}
        return render(request, "courses/roster.html", context, block="progress")
    if is_fragment(request):
        return see(request, "roster", school=school, roster=roster)
    findings = [finding_from_json(line) for line in record.findings]
    counts = Counter(finding.severity.value for finding in findings)
    is_done = record.state == record.APPLIED
    context = {
        "school": school,
        "record": record,
        "zone": actor.place.time_zone,
        "step": _step(record),
        "counts": counts,
        "findings": [_finding(finding) for finding in findings[:_SHOWN_FINDINGS]],
        "found": len(findings),
        "kinds": _kinds(record.report.get("kinds", {}) if is_done else record.plan.get("kinds", {})),
        "conflicts": sum(k["conflicts"] for k in record.plan.get("kinds", {}).values()),
        "choices": _choices(record, actor.place.country),
        "orgs": [
            {**org, "type": _org_types().get(org["type"], org["type"])} for org in record.plan.get("orgs", ())
        ],
    }
    return render(request, "courses/roster.html", context)


def _org_types() -> dict[str, str]:
    return {
        "school": _("School"),
        "college": _("College"),
        "university": _("University"),
        "campus": _("Campus"),
    }


def _step(record: Any) -> int:
    """Where on the way from the upload to the report this import is."""
    return {1: 1, 2: 2, 3: 3, 4: 5, 5: 1, 6: 3}[int(record.state)]


def _kinds(counts: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "name": name, **counts[kind]} for kind, name in words.KINDS.items() if kind in counts
    ]


def _finding(finding: Finding) -> dict[str, Any]:
    place = finding.file
    if finding.line:
        place = _("%(file)s, line %(line)s") % {"file": finding.file, "line": finding.line}
    return {
        "severity": finding.severity.value,
        "label": _severity(finding),
        "tone": words.SEVERITY_TONES[finding.severity.value],
        "what": words.what(finding),
        "mend": words.mend(finding),
        "where": place,
        "column": finding.column,
        "value": finding.value,
    }


def _severity(finding: Finding) -> str:
    return {"error": _("Error"), "warning": _("Warning"), "note": _("Note")}[finding.severity.value]


def _choices(record: Any, country: str) -> dict[str, Any]:
    """Words that the user may map: those that are unknown, and those that were mapped before."""
    chosen, plan = record.choices, record.plan
    roles = _mapping(plan.get("unknown_roles", ()), chosen.get("roles") or {})
    grades = _mapping(plan.get("unknown_grades", ()), chosen.get("grades") or {})
    return {
        "roles": roles,
        "grades": grades,
        "role_options": [("?", _("Choose …")), *words.ROLE_CHOICES],
        "grade_options": [("", _("Keep it as it is")), *code_options(country, _)],
        "asks_dates": plan.get("ambiguous_dates") or bool(chosen.get("date_order")),
        "date_order": chosen.get("date_order", ""),
        "are_open": bool(plan.get("unknown_roles") or plan.get("ambiguous_dates")),
    }


def _mapping(unknown: Iterable[Mapping[str, Any]], chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    found = {word["value"]: {**word, "chosen": None} for word in unknown}
    for word, meaning in chosen.items():
        found.setdefault(word, {"value": word, "count": 0})["chosen"] = meaning
    return [{**word, "number": number} for number, word in enumerate(found.values())]


@only(*OFFICE)
@require_POST
def choices(request: HttpRequest, school: str, roster: int) -> HttpResponse:
    """Which orgs are this school, and what unknown words and dates mean. The files are read again."""
    actor, post = actor_of(request), request.POST
    record = queries.access_import(actor, roster)
    given = _choices(record, actor.place.country)
    roles = {w["value"]: post.get(f"role-{w['number']}", "?") for w in given["roles"]}
    grades = {w["value"]: post.get(f"grade-{w['number']}", "") for w in given["grades"]}
    known = dict(words.ROLE_CHOICES)
    rosters.choose(
        actor,
        roster,
        now=clock.now(),
        roles={word: role for word, role in roles.items() if role in known},
        grades={word: grade for word, grade in grades.items() if grade in ("", *CODES)},
        date_order=post["date_order"] if post.get("date_order") in ("dmy", "mdy") else None,
        orgs=post.getlist("org") or None,
    )
    messages.success(request, _("The files were read again with your choices."))
    return see(request, "roster", school=school, roster=roster)


@only(*OFFICE)
@require_POST
def application(request: HttpRequest, school: str, roster: int) -> HttpResponse:
    """Carry the import out."""
    rosters.start_import(actor_of(request), roster, now=clock.now())
    return see(request, "roster", school=school, roster=roster)


# -- findings ---------------------------------------------------------------------------------------------------------


@only(*OFFICE)
@require_safe
def findings(request: HttpRequest, school: str, roster: int) -> HttpResponse:
    """Everything that was found, by severity and file; also as a table to download."""
    record = queries.access_import(actor_of(request), roster)
    every = [finding_from_json(line) for line in record.findings]
    if request.GET.get("format") == "csv":
        return _findings_csv(every)
    severity, file = request.GET.get("severity", ""), request.GET.get("file", "")
    shown = [f for f in every if severity in ("", f.severity.value) and file in ("", f.file)]
    counts = Counter(finding.severity.value for finding in every)
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "school": school,
        "record": record,
        "page": page,
        "rows": [_finding(finding) for finding in page.object_list],
        "query": f"&{query.urlencode()}" if query else "",
        "severity": severity,
        "file": file,
        "files": [(name, name) for name in sorted({one.file for one in every if one.file})],
        "severities": [("", _("All"), len(every)), *((k, n, counts[k]) for k, n in words.SEVERITIES.items())],
    }
    return render(request, "courses/roster_findings.html", context)


def _findings_csv(every: Iterable[Finding]) -> HttpResponse:
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="findings.csv"'},
    )
    response.write("\ufeff")
    writer = csv.writer(response)
    head = (_("Severity"), _("File"), _("Line"), _("Column"), _("Value"), _("What"), _("What to do"))
    writer.writerow(head)
    for one in every:
        row = (
            _severity(one),
            one.file,
            one.line or "",
            one.column,
            one.value,
            words.what(one),
            words.mend(one),
        )
        writer.writerow([_as_text(str(cell)) for cell in row])
    return response


def _as_text(cell: str) -> str:
    """A spreadsheet must not take a value of the file for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


# -- changes ----------------------------------------------------------------------------------------------------------


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def changes(request: HttpRequest, school: str, roster: int, kind: str) -> HttpResponse:
    """The rows of one kind that something happens to, with each field before and after; conflicts are decided here."""
    actor = actor_of(request)
    record, country = queries.access_import(actor, roster), actor.place.country
    if kind not in words.KINDS or kind not in record.plan.get("kinds", {}):
        raise NotFound
    lines = list(enumerate(queries.plan_lines(record, kind)))
    if request.method == "POST":
        _answer(request, record, kind, dict(lines))
        return see(request, "roster-changes", school=school, roster=roster, kind=kind)
    sort = request.GET.get("sort", "")
    shown = [(number, line) for number, line in lines if sort in ("", line["sort"])]
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    counts = record.plan["kinds"][kind]
    context = {
        "school": school,
        "record": record,
        "kind": kind,
        "name": words.KINDS[kind],
        "page": page,
        "rows": [_line(record, kind, country, number, line) for number, line in page.object_list],
        "query": f"&sort={sort}" if sort else "",
        "sort": sort,
        "sorts": [
            ("", _("All"), None),
            *((s, n, counts["conflicts" if s == "conflict" else s]) for s, n in words.SORTS.items()),
        ],
        "hidden": sum(counts[s] for s in ("new", "changed", "ended", "back", "conflicts")) - len(lines),
        "may_decide": record.state == record.READ,
    }
    return render(request, "courses/roster_changes.html", context)


def _line(record: Any, kind: str, country: str, number: int, line: Mapping[str, Any]) -> dict[str, Any]:
    sort = line["sort"]
    shown: dict[str, Any] = {
        "number": number,
        "sort": sort,
        "badge": words.SORTS[sort],
        "tone": words.TONES[sort],
        "label": line["label"],
        "note": words.note(line),
        "id": line.get("id", ""),
        "place": line.get("place"),
        "changes": [
            (
                words.FIELDS.get(f, f),
                words.value(kind, f, before, country),
                words.value(kind, f, after, country),
            )
            for f, before, after in line.get("changes", ())
        ],
    }
    if sort == "conflict":
        name = line["field"]
        shown["field"] = words.FIELDS.get(name, name)
        shown["last"], shown["now"], shown["incoming"] = (
            words.value(kind, name, line[side], country) for side in ("last", "now", "incoming")
        )
        shown["both"] = line["both"]
        shown["takes_file"] = queries.takes_file(record, kind, line["key"], name)
    return shown


def _answer(request: HttpRequest, record: Any, kind: str, lines: Mapping[int, Mapping[str, Any]]) -> None:
    answers: dict[tuple[str, str, str], bool] = {}
    for number, line in lines.items():
        answer = request.POST.get(f"conflict-{number}")
        if answer in ("file", "school") and line["sort"] == "conflict":
            answers[kind, line["key"], line["field"]] = answer == "file"
    rosters.answer_conflicts(actor_of(request), record.pk, answers=answers)
    messages.success(request, _("Your decisions are kept."))


@only(*OFFICE)
@require_POST
def decisions(request: HttpRequest, school: str, roster: int) -> HttpResponse:
    """Take the file's word, or keep the school's, in all conflicts at once."""
    takes = request.POST.get("take") == "file"
    rosters.answer_conflicts(actor_of(request), roster, take_all=takes)
    messages.success(request, _("Your decisions are kept."))
    return see(request, "roster", school=school, roster=roster)


# -- export -----------------------------------------------------------------------------------------------------------


@only(*OFFICE)
@require_POST
def export(request: HttpRequest, school: str) -> HttpResponse:
    """The school's roster as OneRoster 1.2 CSV."""
    actor = actor_of(request)
    data = exports.export_roster(actor, now=clock.now())
    name = f"{school}-{clock.today(actor.place.time_zone).isoformat()}-oneroster.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type="application/zip", headers=headers)
