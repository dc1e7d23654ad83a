"""The catalogue and the rollouts for other systems. Files are put in on the page."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from pupitre.connections.access import machine
from pupitre.connections.rules import Scope
from pupitre.connections.wire import Id, Line, Moment, Row, Sent, told
from pupitre.devices.actions import rollouts as actions
from pupitre.devices.queries import catalogue as queries
from pupitre.devices.rules.applications import Wave
from pupitre.kernel import clock
from pupitre.people.access import actor_of

router = Router(tags=["Device applications"])
reads, writes = machine(Scope.DEVICES_READ), machine(Scope.DEVICES_WRITE)

StateWord = Literal["planned", "running", "halted", "done", "rolled_back"]
TurnWord = Literal["start", "halt", "resume", "complete", "roll_back"]
Share = Annotated[int, Field(ge=1, le=100, strict=True)]


class VersionRow(Row):
    """A version of an application."""

    id: int = told("Its number.", 12)
    version: str = told("Its name.", "6.0")
    code: int = told("Android's version code, else 0.", 60)
    size: int = told("Bytes of its file.", 71000000)
    sha256: str = told("The file's SHA-256.", "")
    is_released: bool = told("Whether everybody has it who is in no rollout.", example=True)
    withdrawn_at: datetime | None = told("When it was withdrawn.", None)


class ApplicationRow(Row):
    """An application of the school's catalogue, or of its authority's."""

    id: int = told("Its number.", 5)
    package: str = told("How its system calls it.", "org.geogebra.android")
    name: str = told("Its name.", "GeoGebra")
    platform: Literal["android", "windows", "linux", "ios", "macos", "chromeos"] = told(
        "Its system.", "android"
    )
    kind: str = told("The kind of package.", "apk")
    is_own: bool = told("Whether it is the school's; else its authority's.", example=False)
    versions: list[VersionRow] = told("Its versions, the newest first.", [])


class WaveRow(Row):
    """A rollout's turn."""

    schools: list[int] = told("The schools; none for all that are left.", [])
    share: int = told("Percent of each school's devices.", 10)
    starts_at: datetime = told("When it begins.", "2026-10-13T05:00:00+02:00")


class RolloutRow(Row):
    """The way of a version."""

    id: int = told("Its number.", 3)
    application_id: int = told("The application.", 5)
    version: str = told("The version.", "6.0")
    previous: str = told("What devices go back to.", "5.2")
    state: StateWord = told("Where it is.", "running")
    is_own: bool = told("Whether the school steers it; else its authority.", example=True)
    installed: int = told("Devices that have it.", 40)
    failed: int = told("Devices that could not install it.", 1)
    why_halted: str = told("`failures`, `withdrawn`, `stopped` or somebody's words.", "")
    waves: list[WaveRow] = told("Its waves.", [])


class WaveSent(Sent):
    """A turn for a share of the school's devices."""

    share: Share = told("Percent of the devices.", 10)
    starts_at: Moment = told("When it begins.", "2026-10-13T05:00:00+02:00")


class RolloutSent(Sent):
    """A version of the school's own catalogue to be rolled out."""

    waves: Annotated[list[WaveSent], Field(min_length=1, max_length=20)] = told(
        "Its waves.", [{"share": 10, "starts_at": "2026-10-13T05:00:00+02:00"}]
    )
    failure_limit: Share = told("Percent of failures at which it halts.", 5, default=5)
    least_reports: Annotated[int, Field(ge=1, le=100_000, strict=True)] = told(
        "Once so many have reported.", 20, default=20
    )
    site_budget: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = told(
        "Megabytes an hour; 0 for no limit.", 0, default=0
    )


class TurnSent(Sent):
    """What shall happen to a rollout."""

    turn: TurnWord = told("The turn.", "halt")
    why: Line = told("Why it is halted.", "", default="")


def _application(one: queries.ApplicationLine) -> dict[str, Any]:
    names = ("id", "version", "code", "size", "sha256", "is_released", "withdrawn_at")
    return {
        "id": one.id, "package": one.package, "name": one.name, "platform": one.platform.name.lower(), "kind": one.kind,
        "is_own": one.is_own, "versions": [{name: getattr(v, name) for name in names} for v in one.versions],
    }  # fmt: skip


def _rollout(one: queries.RolloutLine) -> dict[str, Any]:
    return {
        "id": one.id, "application_id": one.application_id, "version": one.version, "previous": one.previous,
        "state": one.state.name.lower(), "is_own": one.is_own, "installed": one.counts.installed,
        "failed": one.counts.failed, "why_halted": one.why_halted,
        "waves": [{"schools": sorted(w.schools), "share": w.share, "starts_at": w.starts_at} for w in one.waves],
    }  # fmt: skip


@router.get("/device-applications", response=list[ApplicationRow], auth=reads)
def list_device_applications(request: HttpRequest) -> Any:
    """The catalogue of the school and its authority, by name."""
    return [_application(one) for one in queries.applications_for(actor_of(request))]


@router.get("/device-rollouts", response=list[RolloutRow], auth=reads)
def list_device_rollouts(request: HttpRequest) -> Any:
    """The rollouts that reach the school's devices, those under way first."""
    return [_rollout(one) for one in queries.rollouts_for(actor_of(request))]


@router.get("/device-rollouts/{rollout}", response=RolloutRow, auth=reads)
def read_device_rollout(request: HttpRequest, rollout: Id) -> Any:
    """One rollout, with what the school's devices reported."""
    return _rollout(queries.access_rollout(actor_of(request), rollout))


@router.post("/device-versions/{version}/rollouts", response={201: RolloutRow}, auth=writes)
def roll_out_device_version(request: HttpRequest, version: Id, body: RolloutSent) -> Any:
    """Send a version of the school's own catalogue on its way. 422 where another is under way."""
    actor = actor_of(request)
    made = actions.plan_rollout(
        actor, version, waves=[Wave(number, one.starts_at, share=one.share) for number, one in enumerate(body.waves, 1)],
        failure_limit=body.failure_limit, least_reports=body.least_reports, site_budget=body.site_budget, now=clock.now(),
    )  # fmt: skip
    return Status(201, _rollout(queries.access_rollout(actor, made.pk)))


_TURNS = {
    "start": actions.start_rollout,
    "resume": actions.resume_rollout,
    "complete": actions.complete_rollout,
    "roll_back": actions.roll_back,
}


@router.put("/device-rollouts/{rollout}/turn", response=RolloutRow, auth=writes)
def turn_device_rollout(request: HttpRequest, rollout: Id, body: TurnSent) -> Any:
    """Start, halt, resume, complete or roll back the school's own rollout. 422 where its state does not allow it."""
    actor = actor_of(request)
    if body.turn == "halt":
        actions.halt_rollout(actor, rollout, why=body.why, now=clock.now())
    else:
        _TURNS[body.turn](actor, rollout, now=clock.now())
    return _rollout(queries.access_rollout(actor, rollout))
