"""Classes: the list, and one class with who is in it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pupitre.courses import actions, queries
from pupitre.courses.queries.classes import PER_PAGE, MemberLine, lines_of
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import initials
from pupitre.people import queries as people
from pupitre.people.access import actor_of, only
from pupitre.people.queries import reach
from pupitre.people.rules import OFFICE, STAFF
from pupitre.web.jinja import HUES
from pupitre.web.pages import is_fragment, render, see

from .words import CLASS_KINDS, PARTS


@only(*STAFF)
@require_safe
def classes(request: HttpRequest, school: str) -> HttpResponse:
    """Forms, and classes that are taught."""
    actor, words = actor_of(request), request.GET.get("q", "")
    today = clock.today(actor.place.time_zone)
    asked = request.GET.get("page", "")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 5 else 1
    found, count = queries.page_of_classes(actor, today=today, words=words, page=number)
    page = Paginator(range(count), PER_PAGE).get_page(number)
    if page.number != number:
        found, _count = queries.page_of_classes(actor, today=today, words=words, page=page.number)
    context = {
        "page": page,
        "query": f"&{urlencode({'q': words})}" if words else "",
        "school": school,
        "words": words,
        "groups": [
            (_("Homerooms"), [line for line in found if line.kind == "homeroom"]),
            (_("Taught classes"), [line for line in found if line.kind != "homeroom"]),
        ],
        "is_office": actor.is_office,
    }
    block = "results" if is_fragment(request) else ""
    return render(request, "courses/classes.html", context, block=block)


@only(*STAFF)
@require_safe
def klass(request: HttpRequest, school: str, klass: int) -> HttpResponse:
    """One class: its teachers, pupils and the forms that it takes as a whole."""
    actor = actor_of(request)
    today = clock.today(actor.place.time_zone)
    found = queries.access_class(actor, klass)
    leaves = _("%(name)s leaves the class")
    lines = lines_of(klass, today=today)
    in_class = {row.person_id for row in lines}
    opens = reach.openable(actor, in_class, today)
    members = [_member(row, row.person_id in opens, leaves) for row in lines]
    words = request.GET.get("q", "").strip()
    context = {
        "school": school,
        "klass": found,
        "kind": CLASS_KINDS[found.kind],
        "pupils": [row for row in members if row["role"] == 1],
        "teachers": [row for row in members if row["role"] != 1],
        "homerooms": queries.homerooms(attached_to=klass) if found.kind != "homeroom" else [],
        "other_homerooms": _other_homerooms(klass) if actor.is_office and found.kind != "homeroom" else [],
        "is_office": actor.is_office,
        "words": words,
        "candidates": people.people_matching(actor, words, limit=12) if words and actor.is_office else [],
        "parts": list(PARTS.items()),
        "in_class": in_class,
    }
    return render(request, "courses/class.html", context)


def _member(row: MemberLine, opens: bool, leaves: str) -> dict[str, Any]:
    name = f"{row.called} {row.family_name}"
    return {
        "id": row.id,
        "person_id": row.person_id,
        "name": name,
        "initials": initials(row.called, row.family_name),
        "hue": row.person_id % HUES,
        "role": row.role,
        "part": PARTS[row.role],
        "comes_with_form": row.comes_with_form,
        "opens": opens,
        "leaves": leaves % {"name": name},
    }


def _other_homerooms(klass: int) -> list[tuple[int, str]]:
    return [(row["id"], row["title"]) for row in queries.homerooms(not_attached_to=klass)]


@only(*OFFICE)
@require_POST
def enrolments(request: HttpRequest, school: str, klass: int) -> HttpResponse:
    """Enrol a person by hand."""
    actor = actor_of(request)
    found = queries.access_class(actor, klass)
    person = people.access_person(actor, _number(request, "person"))
    role = _number(request, "role")
    if role not in PARTS:
        raise NotFound
    today = clock.today(actor.place.time_zone)
    actions.enrol(actor, found, person, role=role, begins_on=today)
    messages.success(request, _("%(name)s is in %(title)s now.") % {"name": person, "title": found})
    return see(request, "class", school=school, klass=klass)


@only(*OFFICE)
@require_POST
def enrolment_end(request: HttpRequest, school: str, klass: int, enrolment: int) -> HttpResponse:
    """Let a person leave the class from today on."""
    actor = actor_of(request)
    row = queries.access_enrolment(actor, klass, enrolment)
    actions.end_enrolment(actor, row, today=clock.today(actor.place.time_zone))
    messages.success(request, _("The enrolment has ended."))
    return see(request, "class", school=school, klass=klass)


@only(*OFFICE)
@require_POST
def homerooms(request: HttpRequest, school: str, klass: int) -> HttpResponse:
    """Attach a form to the class, or detach it."""
    actor = actor_of(request)
    found = queries.access_class(actor, klass)
    form = queries.access_class(actor, _number(request, "homeroom"))
    if request.POST.get("do") == "detach":
        actions.detach_homeroom(actor, found, form, today=clock.today(actor.place.time_zone))
        messages.success(request, _("%(form)s is no longer attached.") % {"form": form})
    else:
        actions.attach_homeroom(actor, found, form)
        messages.success(request, _("%(form)s is attached: its pupils are in the class.") % {"form": form})
    return see(request, "class", school=school, klass=klass)


def _number(request: HttpRequest, name: str) -> int:
    told = request.POST.get(name, "")
    if not told.isascii() or not told.isdigit() or len(told) > 18:
        raise NotFound
    return int(told)
