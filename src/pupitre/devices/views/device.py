"""One device: who has it, where it stands, what it reported, what happened to it and what it was told."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pupitre.courses import queries as courses
from pupitre.devices import wording as words
from pupitre.devices.actions import assigning, enrolling
from pupitre.devices.queries import device as queries
from pupitre.devices.queries import lending
from pupitre.devices.queries.fleet import classes_taught_now
from pupitre.devices.rules import CARES, SEES, Condition, Platform, Protocol, Standing
from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.kernel.text import initials
from pupitre.people import actions as people
from pupitre.people import queries as directory
from pupitre.people.access import actor_of, only
from pupitre.people.rules import Actor, LookAt
from pupitre.web.pages import render, see

from . import applying
from .tabs import tabs_of


@only(*SEES)
@require_safe
def device(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """The page of a device. Opening that of one which somebody has is kept, and that person can read so."""
    actor, now = actor_of(request), clock.now()
    today = clock.today(actor.place.time_zone)
    found = queries.access_device(actor, device, today=today)
    if found.holder_id is not None:
        people.note_looks(actor, [found.holder_id], LookAt.DEVICE, now=now)
    cares = actor.is_any(CARES)
    status, inventory = queries.status_of(found), queries.inventory_of(found)
    asked = request.GET.get("q", "").strip()
    context = {
        "school": school,
        "tabs_of_page": tabs_of(school, "device-list") if cares else [],
        "device": found,
        "label": str(found),
        "platform": Platform(found.platform),
        "standing": Standing(found.standing),
        "condition": Condition(found.condition),
        "protocol": Protocol(found.protocol).name.title() if found.protocol else "",
        "words": words,
        "zone": actor.place.time_zone,
        "now": now,
        "cares": cares,
        "holder": _holder(found),
        "status": status,
        "inventory": sorted(inventory.applications.items()) if inventory and cares else [],
        "hardware": sorted((inventory.hardware if inventory else {}).items()),
        "commands": queries.commands_of(found),
        "applies": _applies(found, status, now) if cares else None,
        "history": _history(found) if cares else [],
        "verbs": _verbs(actor, found, now),
        "loans": lending.loans_of(actor, today=today, device_id=found.pk) if cares else [],
        "asked": asked,
        "candidates": directory.people_matching(actor, asked, limit=10) if asked and cares else [],
        **(_choices(actor, found, today) if cares else {}),
    }
    return render(request, "devices/device.html", context)


def _applies(found: Any, status: Any, now: Any) -> Any:
    if found.standing == Standing.RETIRED:
        return None
    return applying.shown(found, now=now, applied=status.applied if status else "")


def _holder(found: Any) -> dict[str, Any] | None:
    person = found.holder
    if person is None:
        return None
    return {
        "id": person.pk,
        "name": person.full_name,
        "initials": initials(person.called, person.family_name),
    }


def _choices(actor: Actor, found: Any, today: date) -> dict[str, Any]:
    classes = courses.classes_for(actor, today=today)
    scripts = queries.scripts_for(actor, Platform(found.platform))
    return {
        "classes": [("", _("No class")), *((str(one.id), one.title) for one in classes)],
        "groups": [one.title for one in classes if one.id in set(found.groups)],
        "scripts": [(str(key), name) for key, name in scripts],
    }


def _verbs(actor: Actor, found: Any, now: Any) -> list[Any]:
    """What the reader may tell this device at this moment."""
    if found.standing != Standing.ENROLLED:
        return []
    if actor.is_any(CARES):
        return list(words.OFFERED)
    taught = set(classes_taught_now(actor, now=now))
    return list(words.TEACHERS) if taught & set(found.groups) else []


def _history(found: Any) -> list[dict[str, Any]]:
    return [
        {
            "at": one.at,
            "title": words.EVENTS.get(one.kind, one.kind),
            "by": one.by,
            "text": ", ".join(_fact(key, value) for key, value in one.facts.items() if value),
        }
        for one in queries.history_of(found)
    ]


def _fact(key: str, value: Any) -> str:
    if key == "columns":
        return ", ".join(str(words.FIELDS.get(name, name)) for name in value)
    return str(value)


@only(*CARES)
@require_POST
def facts(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """Change what the school itself knows of the device."""
    told = request.POST
    given: dict[str, Any] = {
        name: told[name].replace("\0", "")
        for name in ("asset_tag", "name", "serial", "notes")
        if name in told
    }
    if "warranty_until" in told:
        given["warranty_until"] = _day(told["warranty_until"])
    enrolling.change_device(actor_of(request), device, **given)
    messages.success(request, _("Saved."))
    return see(request, "device", school=school, device=device)


def _day(told: str) -> date | None:
    try:
        return date.fromisoformat(told.strip()) if told.strip() else None
    except ValueError:
        raise NotFound from None


@only(*CARES)
@require_POST
def holder(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """Give the device to somebody or to a class, or take it back."""
    actor, now, told = actor_of(request), clock.now(), request.POST
    if "class" in told:
        assigning.share_device(actor, device, number(told["class"]) or None, now=now)
        messages.success(request, _("The class of the device is set."))
    else:
        given = assigning.assign_device(actor, device, number(told.get("person", "")) or None, now=now)
        taken_back = _("Nobody has %(device)s now.") % {"device": given}
        told_so = _("%(name)s has %(device)s now.") % {"name": given.holder, "device": given}
        messages.success(request, told_so if given.holder_id else taken_back)
    return see(request, "device", school=school, device=device)


@only(*CARES)
@require_POST
def standing(request: HttpRequest, school: str, device: int) -> HttpResponse:
    """Let the device in, turn it away, take it out of use or back into it."""
    actor, now, do = actor_of(request), clock.now(), request.POST.get("do")
    if do == "approve":
        enrolling.approve_devices(actor, [device], now=now)
        messages.success(request, _("The device is let in."))
    elif do == "refuse":
        enrolling.refuse_devices(actor, [device], now=now)
        messages.success(request, _("The device is turned away."))
    elif do == "retire":
        enrolling.retire_devices(actor, [device], now=now)
        messages.success(request, _("The device is out of use."))
    elif do == "release":
        enrolling.release_device(actor, device, now=now)
        messages.success(request, _("The device is expected again: enrol it anew."))
    else:
        raise NotFound
    return see(request, "device", school=school, device=device)


def number(told: str) -> int:
    """A row's number of a form; 0 for nothing."""
    if not told:
        return 0
    if not told.isascii() or not told.isdecimal() or len(told) > 18:
        raise NotFound
    return int(told)
