"""Looking people up, their files, and the office's changes."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from pupitre.kernel import clock
from pupitre.kernel.storage import Storage
from pupitre.kernel.text import initials
from pupitre.people import actions, wording
from pupitre.people.access import actor_of, only
from pupitre.people.forms import GuardianshipForm, NewPersonForm, PersonForm, RoleForm
from pupitre.people.photos import LARGEST_UPLOAD, UnfitPhoto
from pupitre.people.queries import files
from pupitre.people.queries import history as histories
from pupitre.people.rules import OFFICE, PRINTS_CARDS, READS_FILES, STAFF, LookAt, Role
from pupitre.people.rules.grades import grade_label, grade_options
from pupitre.web.pages import is_fragment, render, see

#: Texts that are told as errors, for the catalogues.
TOLD = (
    gettext_noop("The file cannot be read as a photo. JPEG, PNG and WebP up to 10 MB are understood."),
    gettext_noop("You cannot take your own office role away. Ask a colleague of the office."),
)


def _today(request: HttpRequest) -> Any:
    return clock.today(actor_of(request).place.time_zone)


@only(*STAFF)
def people(request: HttpRequest, school: str) -> HttpResponse:
    """The search. htmx asks for the block `results` while one types."""
    actor, asked = actor_of(request), request.GET
    role = (
        Role(int(asked["role"]))
        if asked.get("role", "") in {str(r.value) for r in wording.GIVEN_ROLES}
        else None
    )
    words, grade, with_left = asked.get("q", ""), asked.get("grade", ""), bool(asked.get("left"))
    found = files.search_people(
        actor,
        words=words,
        role=role,
        grade=grade,
        page=_number(asked.get("page")),
        today=_today(request),
        with_left=with_left,
    )
    facts = {
        "found": found.page,
        "lines": [_line(line, school, actor.place.country) for line in found.lines],
        "prints_cards": actor.is_any(PRINTS_CARDS),
        "words": words,
        "role": str(role.value) if role else "",
        "grade": grade,
        "with_left": with_left,
        "roles": [("", _("All roles")), *((str(r.value), wording.ROLES[r]) for r in wording.GIVEN_ROLES)],
        "grades": [("", _("All grades")), *grade_options(found.grades, actor.place.country)],
        "query": _query(asked, "q", "role", "grade", "left"),
        "school_slug": school,
    }
    block = "results" if is_fragment(request) else ""
    return render(request, "people/people.html", facts, block=block)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 1


def _query(asked: Any, *names: str) -> str:
    chosen = {name: asked[name] for name in names if asked.get(name)}
    return f"&{urlencode(chosen)}" if chosen else ""


def _line(line: files.Found, school: str, country: str) -> dict[str, Any]:
    address = f"/s/{school}/people/{line.id}"
    return {
        "id": line.id,
        "name": line.name,
        "initials": line.initials,
        "photo": f"{address}/photo" if line.has_photo else "",
        "roles": ", ".join(str(wording.ROLES[role]) for role in line.roles),
        "grade": grade_label(line.grade, country),
        "href": address if line.opens else None,
        "has_left": line.has_left,
    }


@only(*READS_FILES)
def person(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """A person's file. Opening it is kept, and the person concerned can read so."""
    opened = actions.open_file(actor_of(request), person, today=_today(request), now=clock.now())
    facts = {
        "file": opened,
        "person": opened.person,
        "initials": initials(opened.person.called, opened.person.family_name),
        "photo": f"/s/{school}/people/{person}/photo" if opened.person.photo_key else "",
        "words": wording,
        "grade": wording.grade_in_words(opened.person.grade, actor_of(request).place.country),
        "role_form": RoleForm(),
        "school_slug": school,
    }
    return render(request, "people/person.html", facts)


@only(*OFFICE)
def new(request: HttpRequest, school: str) -> HttpResponse:
    """Add a person by hand."""
    form = NewPersonForm(request.POST or None, country=actor_of(request).place.country)
    if request.method == "POST" and form.is_valid():
        facts = dict(form.cleaned_data)
        role = facts.pop("role")
        added = actions.add_person(actor_of(request), role=role, now=clock.now(), **facts)
        messages.success(request, _("%(name)s is added.") % {"name": added})
        return see(request, "person", school=school, person=added.pk)
    status = 422 if form.errors else 200
    return render(
        request,
        "people/person_form.html",
        {"form": form, "person": None, "school_slug": school},
        status=status,
    )


@only(*OFFICE)
def edit(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """Change what the office keeps of a person."""
    found = files.access_person_for_office(actor_of(request), person)
    actions.note_looks(actor_of(request), [person], LookAt.FILE, now=clock.now())
    initial = {name: getattr(found, name) for name in PersonForm.base_fields}
    country = actor_of(request).place.country
    form = PersonForm(request.POST or None, initial=initial, country=country)
    if request.method == "POST" and form.is_valid():
        actions.change_person(actor_of(request), person, **form.cleaned_data)
        messages.success(request, _("The changes are kept."))
        return see(request, "person", school=school, person=person)
    status = 422 if form.errors else 200
    facts = {"form": form, "person": found, "school_slug": school}
    return render(request, "people/person_form.html", facts, status=status)


@only(*OFFICE)
@require_POST
def departure(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """A person leaves the school, or is back (`back=1`)."""
    if request.POST.get("back"):
        actions.return_person(actor_of(request), person)
    else:
        actions.end_person(actor_of(request), person, on=_today(request), now=clock.now())
    return see(request, "person", school=school, person=person)


@only(*OFFICE)
@require_POST
def roles(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """Give a person a role."""
    form = RoleForm(request.POST)
    if form.is_valid():
        found = files.access_person_for_office(actor_of(request), person)
        actions.grant_role(actor_of(request), found, **form.cleaned_data)
    return see(request, "person", school=school, person=person)


@only(*OFFICE)
@require_POST
def role_end(request: HttpRequest, school: str, person: int, membership: int) -> HttpResponse:
    """End a role."""
    actions.end_role(actor_of(request), membership, today=_today(request))
    return see(request, "person", school=school, person=person)


@only(*OFFICE)
def guardian_new(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """Find the adult who looks after a pupil, and say so."""
    actor = actor_of(request)
    pupil = files.access_person_for_office(actor, person)
    if request.method == "POST":
        adult = files.access_person_for_office(actor, _number(request.POST.get("adult")))
        actions.make_guardian(actor, pupil, adult)
        return see(request, "guardian", school=school, person=person, guardian=adult.pk)
    words = request.GET.get("q", "")
    facts = {
        "pupil": pupil,
        "words": words,
        "adults": files.adults_matching(actor, words, without=person),
        "school_slug": school,
    }
    return render(request, "people/guardian_new.html", facts)


@only(*OFFICE)
def guardian(request: HttpRequest, school: str, person: int, guardian: int) -> HttpResponse:
    """What an adult is to a pupil: entitlements and a court's limits."""
    found = files.access_guardianship(actor_of(request), person, guardian)
    actions.note_looks(actor_of(request), [person], LookAt.FILE, now=clock.now())
    initial = {name: getattr(found, name) for name in GuardianshipForm.base_fields}
    form = GuardianshipForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.change_guardianship(actor_of(request), person, guardian, **form.cleaned_data)
        messages.success(request, _("The changes are kept."))
        return see(request, "person", school=school, person=person)
    facts = {"form": form, "pupil": found.pupil, "adult": found.guardian, "school_slug": school}
    return render(request, "people/guardian.html", facts, status=422 if form.errors else 200)


def photo(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """A person's photo (GET), or a new one (POST). The browser may keep it for an hour, caches on the way may not."""
    if request.method == "POST":
        return _new_photo(request, school, person)
    key = files.access_photo(actor_of(request), person)
    tag = f'"{key.rpartition("/")[2][:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=3600"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(
        Storage(settings.CONFIG.storage_url).get(key), content_type="image/jpeg", headers=headers
    )


@only(*OFFICE)
def _new_photo(request: HttpRequest, school: str, person: int) -> HttpResponse:
    if request.POST.get("remove"):
        actions.remove_photo(actor_of(request), person)
        return see(request, "person", school=school, person=person)
    uploaded = request.FILES.get("photo")
    if uploaded is None or (uploaded.size or 0) > LARGEST_UPLOAD:
        raise UnfitPhoto
    actions.set_photo(actor_of(request), person, uploaded)  # type: ignore[arg-type]
    return see(request, "person", school=school, person=person)


@require_GET
def history(request: HttpRequest, school: str, person: int) -> HttpResponse:
    """Who changed and who looked: for the person, for guardians who see the record, and for the office."""
    actor = actor_of(request)
    kept = histories.access_history(actor, person)
    if actor.is_office:  # and a mother who teaches reads her own child's as a mother
        actions.note_looks(actor, [person], LookAt.FILE, now=clock.now())
    facts = {
        "person": kept.person,
        "zone": actor.place.time_zone,
        "changes": [_change(line, actor.place.country) for line in kept.changes],
        "looks": [
            {"at": line.at, "who": line.who, "what": wording.LOOKS[line.what], "reason": line.reason}
            for line in kept.looks
        ],
    }
    return render(request, "people/history.html", facts)


def _change(line: histories.ChangeLine, country: str) -> dict[str, Any]:
    return {
        "at": line.at,
        "title": wording.table_in_words(line.table, line.operation),
        "who": line.who or _("the school's own automatism"),
        "about": line.about,
        "fields": wording.changes_in_words(line.table, line.fields, country),
    }
