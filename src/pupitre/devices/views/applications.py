"""The catalogue and the rollouts: the same pages for a school's technician and an authority's fleet manager."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pupitre.devices import wording as words
from pupitre.devices.actions import catalogue as actions
from pupitre.devices.actions import rollouts as rolling
from pupitre.devices.queries import catalogue as queries
from pupitre.devices.rules import CARES, Platform, RolloutState
from pupitre.devices.rules.applications import KINDS, Wave
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.people.access import actor_of, manages_fleet, only
from pupitre.people.rules import Actor
from pupitre.tenancy import queries as tenancy
from pupitre.web.pages import render

from .lending_words import day_of, errors_of
from .tabs import authority_tabs_of, tabs_of

STATES: dict[RolloutState, str | Promise] = {
    RolloutState.PLANNED: lazy("Planned"),
    RolloutState.RUNNING: lazy("On its way"),
    RolloutState.HALTED: lazy("Halted"),
    RolloutState.DONE: lazy("Complete"),
    RolloutState.ROLLED_BACK: lazy("Rolled back"),
}
TONES = {
    RolloutState.PLANNED: "info",
    RolloutState.RUNNING: "chalky",
    RolloutState.HALTED: "bad",
    RolloutState.DONE: "good",
    RolloutState.ROLLED_BACK: "warn",
}
HALTED: dict[str, str | Promise] = {
    "failures": lazy("Too many installations failed: it halted by itself."),
    "withdrawn": lazy("The version was withdrawn."),
    "stopped": lazy("Somebody stopped it."),
}
#: The first wave's share of the usual plan, and how long each wave waits for the next.
_CANARY, _PAUSE = 5, 3


@dataclass(frozen=True, slots=True)
class Where:
    """A school's pages, or an authority's: the names of their addresses begin alike."""

    slug: str
    is_school: bool

    @property
    def facts(self) -> dict[str, str]:
        return {"school" if self.is_school else "authority": self.slug}

    def name(self, page: str) -> str:
        return f"{'device' if self.is_school else 'fleet'}-{page}"

    def url(self, page: str, **more: int) -> str:
        return reverse(self.name(page), kwargs={**self.facts, **more})

    def tabs(self, page: str) -> list[dict[str, Any]]:
        return (tabs_of if self.is_school else authority_tabs_of)(self.slug, self.name(page))


def _where(school: str, authority: str) -> Where:
    return Where(school or authority, is_school=bool(school))


def _zone(actor: Actor) -> str:
    return actor.school.time_zone if actor.school else tenancy.access_authority(actor.authority_id).time_zone


def _page(request: HttpRequest, where: Where, tab: str, template: str, **context: Any) -> HttpResponse:
    shared = {
        **where.facts,
        "where": where,
        "tabs_of_page": where.tabs(tab),
        "words": words,
        "states": STATES,
        "tones": TONES,
        "halted": HALTED,
        "zone": _zone(actor_of(request)),
    }
    return render(request, f"devices/{template}", shared | context)


def _go(where: Where, page: str, **more: int) -> HttpResponse:
    answer = redirect(where.url(page, **more))
    answer.status_code = 303
    return answer


# The catalogue


def _catalogue(request: HttpRequest, school: str = "", authority: str = "") -> HttpResponse:
    """The applications (GET); put one in by its file, or by name (POST)."""
    actor, where = actor_of(request), _where(school, authority)
    errors: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            app_id = _put_in(actor, request)
        except DomainError as error:
            errors = errors_of(error)
        else:
            messages.success(request, _("It is in the catalogue."))
            return _go(where, "application", app=app_id)
    kinds = [(kind, kind) for kind in ("apk", "deb", "msi", "flatpak", "winget", "web")]
    return _page(
        request, where, "applications", "applications.html", rows=queries.applications_for(actor), errors=errors,
        kinds=kinds, told=request.POST,
    )  # fmt: skip


def _put_in(actor: Actor, request: HttpRequest) -> int:
    told, now = request.POST, clock.now()
    facts: dict[str, Any] = {name: told.get(name, "") for name in ("name", "package")}
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile) and upload.file is not None:
        version = actions.upload_version(
            actor, upload.file, file_name=upload.name or "", size=upload.size or 0, version=told.get("version", ""),
            now=now, **facts,
        )  # fmt: skip
        return version.application_id
    kind = told.get("kind", "web")
    platform = next((one for one, kinds in KINDS.items() if kind in kinds), Platform.ANDROID)
    app = actions.add_application(actor, platform=platform, kind=kind, now=now, **facts)
    actions.add_version(actor, app.pk, version=told.get("version", ""), url=told.get("url", ""), now=now)
    return app.pk


def _application(request: HttpRequest, app: int, school: str = "", authority: str = "") -> HttpResponse:
    """One application with its versions (GET); add a version (POST)."""
    actor, where = actor_of(request), _where(school, authority)
    errors: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            _add_version(actor, request, app)
        except NotFound:
            raise
        except DomainError as error:
            errors = errors_of(error)
        else:
            messages.success(request, _("The version is in the catalogue. Devices get it by a rollout."))
            return _go(where, "application", app=app)
    found = queries.access_application(actor, app)
    return _page(
        request, where, "applications", "application.html", app=found, errors=errors, told=request.POST,
        rollouts=queries.rollouts_for(actor, application_id=app), schools=_schools(actor), canary=_CANARY, pause=_PAUSE,
        today=clock.local(clock.now(), _zone(actor)).date().isoformat(),
    )  # fmt: skip


def _add_version(actor: Actor, request: HttpRequest, app: int) -> None:
    told, now = request.POST, clock.now()
    upload = request.FILES.get("file")
    if isinstance(upload, UploadedFile) and upload.file is not None:
        actions.upload_version(
            actor, upload.file, file_name=upload.name or "", size=upload.size or 0, application_id=app,
            version=told.get("version", ""), now=now,
        )  # fmt: skip
    else:
        actions.add_version(actor, app, version=told.get("version", ""), url=told.get("url", ""), now=now)


def _schools(actor: Actor) -> list[tuple[int, str]]:
    """For an authority's waves; a school's own rollout has itself alone."""
    if actor.school is not None:
        return []
    return [(one.id, one.name) for one in tenancy.schools_for(actor.authority_id)]


def _withdrawal(request: HttpRequest, version: int, school: str = "", authority: str = "") -> HttpResponse:
    """Give a version to nobody any more."""
    where = _where(school, authority)
    withdrawn = actions.withdraw_version(actor_of(request), version, now=clock.now())
    messages.success(request, _("The version was withdrawn."))
    return _go(where, "application", app=withdrawn.application_id)


def _removal(request: HttpRequest, app: int, school: str = "", authority: str = "") -> HttpResponse:
    """Take an application out of the catalogue."""
    where = _where(school, authority)
    actions.archive_application(actor_of(request), app, now=clock.now())
    messages.success(
        request, _("It is out of the catalogue. What is installed stays until a policy removes it.")
    )
    return _go(where, "applications")


# Rollouts


def _rollouts(request: HttpRequest, school: str = "", authority: str = "") -> HttpResponse:
    """The rollouts that reach these devices, those under way first."""
    actor, where = actor_of(request), _where(school, authority)
    return _page(
        request, where, "rollouts", "rollouts.html", rows=queries.rollouts_for(actor), now=clock.now()
    )


def _beginning(request: HttpRequest, version: int, school: str = "", authority: str = "") -> HttpResponse:
    """Send a version on its way."""
    actor, where, told, now = actor_of(request), _where(school, authority), request.POST, clock.now()
    facts: dict[str, Any] = {
        name: int(value)
        for name in ("failure_limit", "least_reports", "site_budget")
        if (value := told.get(name, "")).isascii() and value.isdecimal() and len(value) < 10
    }
    rollout = rolling.plan_rollout(actor, version, waves=_waves(actor, request, now), now=now, **facts)
    messages.success(request, _("The rollout has begun."))
    return _go(where, "rollout", rollout=rollout.pk)


def _waves(actor: Actor, request: HttpRequest, now: datetime) -> list[Wave]:
    """A pilot (some schools, or a share of each), and everybody some days later; or everybody at once."""
    told = request.POST
    first = _beginning_of(day_of(told.get("starts_on", "")), actor, now)
    days = told.get("days", "")
    pause = timedelta(days=int(days) if days.isascii() and days.isdecimal() and len(days) < 4 else _PAUSE)
    share = told.get("share", "")
    pilot = int(share) if share.isascii() and share.isdecimal() and len(share) < 4 else _CANARY
    schools = frozenset(
        int(one) for one in told.getlist("school") if one.isascii() and one.isdecimal() and len(one) < 19
    )
    if told.get("way") == "at-once":
        return [Wave(1, first)]
    return [Wave(1, first, schools, pilot), Wave(2, first + pause)]


def _beginning_of(day: Any, actor: Actor, now: datetime) -> datetime:
    """The wanted day's early morning, or now where that is over."""
    if day is None:
        return now
    return max(now, datetime.combine(day, time(5), ZoneInfo(_zone(actor))))


def _rollout(request: HttpRequest, rollout: int, school: str = "", authority: str = "") -> HttpResponse:
    """One rollout: its waves, what devices reported, why some could not; what may follow (POST)."""
    actor, where = actor_of(request), _where(school, authority)
    errors: tuple[str, ...] = ()
    if request.method == "POST":
        try:
            _turn(actor, request, rollout)
        except NotFound:
            raise
        except DomainError as error:
            errors = errors_of(error)
        else:
            return _go(where, "rollout", rollout=rollout)
    found = queries.access_rollout(actor, rollout)
    names = dict(_schools(actor)) if actor.school is None else {actor.school.id: actor.school.name}
    counted = queries.by_school(actor, rollout) if actor.school is None else []
    return _page(
        request, where, "rollouts", "rollout.html", rollout=found, errors=errors, names=names, now=clock.now(),
        failures=queries.failures_of(actor, found), counted=[(names.get(school, "–"), counts) for school, counts in counted],
    )  # fmt: skip


_TURNS = {
    "start": rolling.start_rollout,
    "resume": rolling.resume_rollout,
    "complete": rolling.complete_rollout,
    "roll-back": rolling.roll_back,
}


def _turn(actor: Actor, request: HttpRequest, rollout: int) -> None:
    wanted = request.POST.get("turn", "")
    if wanted == "halt":
        rolling.halt_rollout(actor, rollout, why=request.POST.get("why", ""), now=clock.now())
    elif wanted in _TURNS:
        _TURNS[wanted](actor, rollout, now=clock.now())
    else:
        raise NotFound


_both, _read, _post = require_http_methods(["GET", "HEAD", "POST"]), require_safe, require_POST
applications, fleet_applications = only(*CARES)(_both(_catalogue)), manages_fleet(_both(_catalogue))
application, fleet_application = only(*CARES)(_both(_application)), manages_fleet(_both(_application))
withdrawal, fleet_withdrawal = only(*CARES)(_post(_withdrawal)), manages_fleet(_post(_withdrawal))
removal, fleet_removal = only(*CARES)(_post(_removal)), manages_fleet(_post(_removal))
beginning, fleet_beginning = only(*CARES)(_post(_beginning)), manages_fleet(_post(_beginning))
rollouts, fleet_rollouts = only(*CARES)(_read(_rollouts)), manages_fleet(_read(_rollouts))
rollout, fleet_rollout = only(*CARES)(_both(_rollout)), manages_fleet(_both(_rollout))
