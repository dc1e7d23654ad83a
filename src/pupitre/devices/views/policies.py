"""Policies of a school and of an authority: the list, a policy, its editor with the preview, to whom it is given.

A school's pages and an authority's are the same; `Place` knows their addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pupitre.courses import queries as courses
from pupitre.devices.actions import policies as actions
from pupitre.devices.queries import lesson_rules
from pupitre.devices.queries import policies as queries
from pupitre.devices.queries.previewing import Change, Given, Preview, preview, wider_words
from pupitre.devices.rules import CARES, Level, Platform
from pupitre.devices.rules.policies import NothingNew
from pupitre.devices.rules.secrets import hidden, kept
from pupitre.devices.rules.validation import SettingsWrong, checked
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people.access import actor_of, manages_fleet, only
from pupitre.people.rules import Actor
from pupitre.tenancy import queries as tenancy
from pupitre.web.pages import render, see

from . import setting_forms as forms
from . import setting_words as words
from .tabs import authority_tabs_of, tabs_of

_LARGEST = 2**62
SHOWN_AND_SENT = ["GET", "HEAD", "POST"]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose policies the pages are about, and where these pages are."""

    school: str = ""
    authority: str = ""

    @property
    def names(self) -> dict[str, str]:
        return {"school": self.school} if self.school else {"authority": self.authority}

    def called(self, name: str) -> str:
        return name if self.school else f"fleet-{name}"

    def url(self, name: str, **more: Any) -> str:
        return reverse(self.called(name), kwargs={**self.names, **more})

    def tabs(self) -> list[dict[str, Any]]:
        if self.school:
            return tabs_of(self.school, "policies")
        return authority_tabs_of(self.authority, "fleet-policies")

    def see(self, request: HttpRequest, name: str, **more: Any) -> HttpResponse:
        return see(request, self.called(name), **self.names, **more)

    def today(self, actor: Actor) -> date:
        return clock.today(self.zone(actor))

    def zone(self, actor: Actor) -> str:
        return (
            actor.place.time_zone if self.school else tenancy.access_authority(actor.authority_id).time_zone
        )


def _show(
    request: HttpRequest, place: Place, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    facts = {
        "place": place,
        "school": place.school,
        "authority": place.authority,
        "tabs": place.tabs(),
        "words": words,
        "zone": place.zone(actor),
        "today": place.today(actor),
    }
    return render(request, template, {**facts, **context}, status=status)


# The list.


def _list(request: HttpRequest, place: Place) -> HttpResponse:
    actor = actor_of(request)
    found = queries.policies_for(actor, archived="archived" in request.GET)
    context: dict[str, Any] = {
        "own": [one for one in found if one.is_own],
        "wider": [one for one in found if not one.is_own],
        "archived": "archived" in request.GET,
        "assignments": queries.assignments_for(actor),
        "rules": lesson_rules.rules_for(actor, today=place.today(actor)) if place.school else [],
    }
    return _show(request, place, "devices/policies.html", context)


# The editor.


def _new(request: HttpRequest, place: Place) -> HttpResponse:
    if request.method != "POST":
        return _editor(request, place, {"settings": {}, "locked": []})
    document = forms.read(request.POST)
    name, notes = request.POST.get("name", ""), request.POST.get("notes", "")
    try:
        made = actions.create_policy(
            actor_of(request), name=name, notes=notes, document=document, now=clock.now()
        )
    except DomainError as error:
        return _editor(request, place, document, error=error, name=name, notes=notes)
    messages.success(request, _("The policy is kept. Now say for whom it is."))
    return place.see(request, "policy", policy=made.pk)


def _edit(request: HttpRequest, place: Place, policy_id: int) -> HttpResponse:
    actor = actor_of(request)
    policy = queries.access_policy(actor, within(policy_id))
    if policy.school_id != queries.owner_for(actor).school_id or policy.archived_at is not None:
        raise NotFound
    before = queries.document_of(policy)
    if request.method != "POST":
        return _editor(request, place, before, policy=policy)
    document = forms.read(request.POST, before=before)
    expected = request.POST.get("expected", "")
    try:
        if request.POST.get("intent") != "save":
            settings = kept(document["settings"], before.get("settings", {}))
            clean = checked({**document, "settings": settings})
            if clean == before:
                raise NothingNew
            touched = preview(actor, Change(policy.pk, document=clean), today=place.today(actor))
            return _editor(request, place, document, policy=policy, touched=touched, expected=expected)
        made = actions.edit_policy(
            actor, policy.pk, document=document, now=clock.now(), expected=_number(expected)
        )
    except DomainError as error:
        return _editor(request, place, document, policy=policy, error=error, expected=expected)
    messages.success(request, _("Version %(number)s holds now.") % {"number": made.number})
    return place.see(request, "policy", policy=policy.pk)


def _editor(
    request: HttpRequest,
    place: Place,
    document: Mapping[str, Any],
    *,
    policy: Any = None,
    error: DomainError | None = None,
    touched: Preview | None = None,
    expected: str = "",
    **typed: str,
) -> HttpResponse:
    actor = actor_of(request)
    findings = error.findings if isinstance(error, SettingsWrong) else ()
    context = {
        "policy": policy,
        "sections": forms.sections(
            document,
            inherited=wider_words(actor),
            findings=findings,
            applications=queries.known_applications(actor),
        ),
        "findings": [(words.name_of(one.key), one.key, forms.message(one)) for one in findings],
        "error": "" if error is None or findings else told(error),
        "touched": touched,
        "expected": expected or (policy.current if policy else ""),
        "typed": typed,
    }
    return _show(request, place, "devices/policy_editor.html", context, status=error.status if error else 200)


def told(error: DomainError) -> str:
    text = _(error.message)
    return text % error.facts if error.facts else text


# A policy.


def _policy(request: HttpRequest, place: Place, policy_id: int, **more: Any) -> HttpResponse:
    actor = actor_of(request)
    policy = queries.access_policy(actor, within(policy_id))
    owner = queries.owner_for(actor)
    versions = queries.versions_of(policy)
    current = next(one for one in versions if one.number == policy.current)
    is_own = policy.school_id == owner.school_id
    more.setdefault("given", request.GET)
    context = {
        "policy": policy,
        "is_own": is_own,
        "current": current,
        "said": _said(current.document),
        "versions": [(one, differences(current.document, one.document)) for one in versions]
        if is_own
        else [],
        "assignments": queries.assignments_for(actor, policy_id=policy.pk),
        "whoms": _whoms(actor, place, more["given"]),
        "platforms": [
            ("", _("All systems")),
            *((str(int(one)), name) for one, name in words.PLATFORMS.items()),
        ],
        **more,
    }
    status = more.get("status", 200)
    return _show(request, place, "devices/policy.html", context, status=status)


def _said(document: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    settings, locked = hidden(document.get("settings", {})), document.get("locked", ())
    return [(words.name_of(key), words.say(key, settings[key]), key in locked) for key in sorted(settings)]


def differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(setting, what holds now, what the other version says), of what differs; a secret is not told, only that it differs."""
    ours, theirs = now.get("settings", {}), then.get("settings", {})
    locks, other_locks = set(now.get("locked", ())), set(then.get("locked", ()))
    found = []
    for key in sorted({*ours, *theirs}):
        if ours.get(key) == theirs.get(key) and (key in locks) == (key in other_locks):
            continue
        sides = [
            words.say(key, hidden({key: side[key]})[key]) + (f" ({_('locked')})" if key in locked else "")
            if key in side
            else _("not set")
            for side, locked in ((ours, locks), (theirs, other_locks))
        ]
        found.append((words.name_of(key), sides[0], sides[1]))
    return found


def _whoms(actor: Actor, place: Place, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """To whom a policy can be given: `school-4`, `class-12`; a person or a device where their page led here."""
    if not place.school:
        everybody = [(f"authority-{actor.authority_id}", _("All schools"))]
        return everybody + [(f"school-{one.id}", one.name) for one in tenancy.schools_for(actor.authority_id)]
    found = [(f"school-{actor.place.id}", _("All devices of the school"))]
    owner = queries.owner_for(actor)
    for kind, level in (("device", Level.DEVICE), ("person", Level.PERSON)):
        number = _number(str(given.get(kind, "")))
        names = queries.names_of(owner, [(level, number)]) if number else {}
        found += [(f"{kind}-{whom}", name) for (_level, whom), name in names.items()]
    classes = courses.classes_for(actor, today=clock.today(actor.place.time_zone))
    return found + [(f"class-{one.id}", f"{one.title}{_subject(one)}") for one in classes]


def _subject(line: Any) -> str:
    return f" · {line.subject}" if line.subject and line.subject not in line.title else ""


_LEVELS = {
    "authority": Level.AUTHORITY,
    "school": Level.SCHOOL,
    "class": Level.GROUP,
    "person": Level.PERSON,
    "device": Level.DEVICE,
}


def _assign(request: HttpRequest, place: Place, policy_id: int) -> HttpResponse:
    actor, post = actor_of(request), request.POST
    try:
        given = _given(actor, post)
        if post.get("intent") != "save":
            touched = preview(actor, Change(within(policy_id), give=given), today=place.today(actor))
            return _policy(request, place, policy_id, touched=touched, given=post)
        actions.assign_policy(
            actor,
            within(policy_id),
            level=given.level,
            whom=given.whom,
            platform=given.platform,
            rank=given.rank,
            starts_on=date_in(post.get("starts_on", "")),
            ends_on=date_in(post.get("ends_on", "")),
            now=clock.now(),
        )
    except NotFound:
        raise
    except DomainError as error:
        return _policy(request, place, policy_id, error=told(error), given=post, status=error.status)
    messages.success(request, _("The policy is given."))
    return place.see(request, "policy", policy=policy_id)


def _given(actor: Actor, post: QueryDict) -> Given:
    kind, _dash, number = post.get("whom", "").partition("-")
    if kind not in _LEVELS or not number.isdecimal():
        raise NotFound
    platform = _number(post.get("platform", ""))
    if platform is not None and platform not in set(Platform):
        raise NotFound
    rank = post.get("rank", "").strip() or "0"
    return Given(
        _LEVELS[kind],
        within(int(number)),
        Platform(platform) if platform else None,
        int(rank) if rank.lstrip("-").isdecimal() and len(rank) < 5 else 1000,
    )


def _unassign(request: HttpRequest, place: Place, assignment_id: int) -> HttpResponse:
    gone = actions.unassign_policy(actor_of(request), within(assignment_id), now=clock.now())
    messages.success(request, _("The policy does not hold there any more."))
    return place.see(request, "policy", policy=gone.policy_id)


def _restore(request: HttpRequest, place: Place, policy_id: int, number: int) -> HttpResponse:
    actions.restore_version(actor_of(request), within(policy_id), min(number, 2**31 - 1), now=clock.now())
    messages.success(request, _("Version %(number)s holds now.") % {"number": number})
    return place.see(request, "policy", policy=policy_id)


def _rename(request: HttpRequest, place: Place, policy_id: int) -> HttpResponse:
    post = request.POST
    try:
        actions.rename_policy(
            actor_of(request), within(policy_id), name=post.get("name", ""), notes=post.get("notes", "")
        )
    except NotFound:
        raise
    except DomainError as error:
        return _policy(request, place, policy_id, error=told(error), status=error.status)
    messages.success(request, _("The name is kept."))
    return place.see(request, "policy", policy=policy_id)


def _archive(request: HttpRequest, place: Place, policy_id: int) -> HttpResponse:
    actions.archive_policy(actor_of(request), within(policy_id), now=clock.now())
    messages.success(request, _("The policy is put away. It holds for nobody any more."))
    return place.see(request, "policies")


def within(number: int) -> int:
    if number > _LARGEST:
        raise NotFound
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def date_in(text: str) -> date | None:
    try:
        return parse_date(text.strip())
    except ValueError:
        return None


# The pages of a school.


@only(*CARES)
@require_safe
def policies(request: HttpRequest, school: str) -> HttpResponse:
    """All policies, lesson rules, and to whom they are given."""
    return _list(request, Place(school=school))


@only(*CARES)
@require_http_methods(SHOWN_AND_SENT)
def policy_new(request: HttpRequest, school: str) -> HttpResponse:
    """Make a policy."""
    return _new(request, Place(school=school))


@only(*CARES)
@require_safe
def policy(request: HttpRequest, school: str, policy: int) -> HttpResponse:
    """What a policy says, for whom it is, what it said before."""
    return _policy(request, Place(school=school), policy)


@only(*CARES)
@require_http_methods(SHOWN_AND_SENT)
def policy_edit(request: HttpRequest, school: str, policy: int) -> HttpResponse:
    """Change what a policy says, after seeing what that touches."""
    return _edit(request, Place(school=school), policy)


@only(*CARES)
@require_POST
def policy_name(request: HttpRequest, school: str, policy: int) -> HttpResponse:
    return _rename(request, Place(school=school), policy)


@only(*CARES)
@require_POST
def policy_archival(request: HttpRequest, school: str, policy: int) -> HttpResponse:
    return _archive(request, Place(school=school), policy)


@only(*CARES)
@require_POST
def policy_restoration(request: HttpRequest, school: str, policy: int, version: int) -> HttpResponse:
    return _restore(request, Place(school=school), policy, version)


@only(*CARES)
@require_POST
def policy_assignments(request: HttpRequest, school: str, policy: int) -> HttpResponse:
    return _assign(request, Place(school=school), policy)


@only(*CARES)
@require_POST
def assignment_removal(request: HttpRequest, school: str, assignment: int) -> HttpResponse:
    return _unassign(request, Place(school=school), assignment)


# The pages of an authority.


@manages_fleet
@require_safe
def fleet_policies(request: HttpRequest, authority: str) -> HttpResponse:
    """The authority's policies, and to which schools they are given."""
    return _list(request, Place(authority=authority))


@manages_fleet
@require_http_methods(SHOWN_AND_SENT)
def fleet_policy_new(request: HttpRequest, authority: str) -> HttpResponse:
    return _new(request, Place(authority=authority))


@manages_fleet
@require_safe
def fleet_policy(request: HttpRequest, authority: str, policy: int) -> HttpResponse:
    return _policy(request, Place(authority=authority), policy)


@manages_fleet
@require_http_methods(SHOWN_AND_SENT)
def fleet_policy_edit(request: HttpRequest, authority: str, policy: int) -> HttpResponse:
    return _edit(request, Place(authority=authority), policy)


@manages_fleet
@require_POST
def fleet_policy_name(request: HttpRequest, authority: str, policy: int) -> HttpResponse:
    return _rename(request, Place(authority=authority), policy)


@manages_fleet
@require_POST
def fleet_policy_archival(request: HttpRequest, authority: str, policy: int) -> HttpResponse:
    return _archive(request, Place(authority=authority), policy)


@manages_fleet
@require_POST
def fleet_policy_restoration(request: HttpRequest, authority: str, policy: int, version: int) -> HttpResponse:
    return _restore(request, Place(authority=authority), policy, version)


@manages_fleet
@require_POST
def fleet_policy_assignments(request: HttpRequest, authority: str, policy: int) -> HttpResponse:
    return _assign(request, Place(authority=authority), policy)


@manages_fleet
@require_POST
def fleet_assignment_removal(request: HttpRequest, authority: str, assignment: int) -> HttpResponse:
    return _unassign(request, Place(authority=authority), assignment)
