"""Which version of each application a device shall have. Pure: gateway and pages ask the same questions.

Nothing is written for a device. Its state names applications ({"package", "action", "version", "pinned"}); which version that
is today follows from the catalogue, from the rollouts that are under way, and from the device's number, which alone says
whether it is among the first. So a wave opens, widens and halts for half a million devices without a row being written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

from pupitre.kernel.errors import Refused

from . import InstallState, Platform, RolloutState

#: What kinds of packages a platform takes.
KINDS: Final[Mapping[Platform, tuple[str, ...]]] = {
    Platform.ANDROID: ("apk", "web"),
    Platform.WINDOWS: ("msi", "winget", "web"),
    Platform.LINUX: ("deb", "flatpak", "web"),
    Platform.IOS: ("web",),
    Platform.MACOS: ("web",),
    Platform.CHROMEOS: ("web",),
}
#: Kinds whose file we keep and deliver; the others come from where their own tool gets them.
WITH_FILE: Final = frozenset({"apk", "deb", "msi"})
#: A site's budget is let go in portions of so long.
PORTION: Final = timedelta(minutes=15)
#: How a budget counts a site whose devices nobody has counted.
UNCOUNTED: Final = 500
_WHOLE: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an application. `file_key` is ours to deliver; `url` is somebody else's address."""

    id: int
    version: str
    code: int = 0
    file_key: str = ""
    size: int = 0
    sha256: str = ""
    url: str = ""
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Wave:
    """A rollout's turn: for these schools, or, where none is named, for all that no wave before has whole."""

    number: int
    starts_at: datetime
    schools: frozenset[int] = frozenset()
    share: int = 100


@dataclass(frozen=True, slots=True)
class Rollout:
    """The way of a version. `site_budget` in megabytes an hour for each school, 0 for no limit."""

    id: int
    version: int
    previous: int | None
    state: RolloutState
    site_budget: int = 0
    waves: tuple[Wave, ...] = ()


@dataclass(frozen=True)
class Application:
    """An application of the catalogue with its versions and rollouts, both in the order in which they were made.

    `school` is None for the authority's, which all its schools have.
    """

    id: int
    authority: int
    school: int | None
    platform: Platform
    package: str
    name: str
    kind: str
    versions: tuple[Version, ...] = ()
    rollouts: tuple[Rollout, ...] = ()

    @cached_property
    def by_id(self) -> dict[int, Version]:
        return {one.id: one for one in self.versions}


@dataclass(frozen=True, slots=True)
class Place:
    """The device that asks, and where it stands. `devices` are those enrolled at its school, 0 where not counted."""

    number: str
    school: int
    platform: Platform
    devices: int = 0
    #: The school's own store of what was fetched once (settings["site_cache"]).
    cache: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a device shall do about one application.

    `action` is install, remove or allow. `version` "" means any. With `keeps_newer` a device that has a newer version keeps
    it: a rollout was halted, and whoever has the new version is not sent back before somebody says so.
    """

    package: str
    kind: str
    action: str
    name: str = ""
    version: str = ""
    code: int = 0
    version_id: int = 0
    file_key: str = ""
    url: str = ""
    sha256: str = ""
    size: int = 0
    cache: str = ""
    pinned: bool = False
    keeps_newer: bool = False


@dataclass(frozen=True)
class Catalogue:
    """All applications, found by what a device of a school can ask for. Made anew when something in them changes."""

    applications: tuple[Application, ...] = ()
    #: {(authority, school or None, platform, package): application}
    _places: Mapping[tuple[int, int | None, Platform, str], Application] = field(default_factory=dict)
    _stamps: Mapping[int, str] = field(default_factory=dict)
    _moving: Mapping[tuple[int, Platform], tuple[tuple[Application, Rollout], ...]] = field(
        default_factory=dict
    )

    def find(self, authority: int, school: int, platform: Platform, package: str) -> Application | None:
        """The school's own application of that package, else its authority's."""
        own = self._places.get((authority, school, platform, package))
        return own if own is not None else self._places.get((authority, None, platform, package))

    def stamp(self, authority: int, place: Place, now: datetime) -> str:
        """Differs whenever `wanted` of this device may: to be made a part of its state's version.

        Costs one short hash for every rollout that is under way on the platform, and nothing where there is none.
        """
        moving = self._moving.get((authority, place.platform), ())
        own = "".join(
            "1" if takes_part(one, app.by_id[one.version].size, place, now) else "0"
            for app, one in moving
            if app.school in {None, place.school}
        )
        return self._stamps.get(authority, "") + own


def gather(applications: Iterable[Application]) -> Catalogue:
    """The catalogue of these applications, as a gateway keeps it in memory."""
    everything = tuple(applications)
    texts: dict[int, list[str]] = {}
    moving: dict[tuple[int, Platform], tuple[tuple[Application, Rollout], ...]] = {}
    for app in everything:
        texts.setdefault(app.authority, []).append(_text(app))
        under_way = tuple(
            (app, one)
            for one in app.rollouts
            if one.state is RolloutState.RUNNING and one.version in app.by_id
        )
        if under_way:
            key = (app.authority, app.platform)
            moving[key] = moving.get(key, ()) + under_way
    return Catalogue(
        everything,
        {(app.authority, app.school, app.platform, app.package): app for app in everything},
        {
            key: blake2b("\n".join(sorted(found)).encode(), digest_size=5).hexdigest()
            for key, found in texts.items()
        },
        moving,
    )


def _text(app: Application) -> str:
    versions = ",".join(f"{v.id}:{v.sha256[:8]}:{v.is_withdrawn:d}" for v in app.versions)
    rollouts = ",".join(f"{r.id}:{r.version}:{r.previous}:{r.state:d}" for r in app.rollouts)
    return f"{app.id}|{app.school}|{app.platform:d}|{app.package}|{app.kind}|{versions}|{rollouts}"


def catalogue_of(
    applications: Sequence[Mapping[str, Any]],
    versions: Sequence[Mapping[str, Any]],
    rollouts: Sequence[Mapping[str, Any]],
    waves: Sequence[Mapping[str, Any]],
) -> Catalogue:
    """The catalogue of the rows of `devices_application`, `_applicationversion`, `_rollout` and `_wave`, columns by name.

    Archived applications may be left out; withdrawn versions and ended rollouts may not: they say what is released.
    """
    turns: dict[int, list[Wave]] = {}
    for row in sorted(waves, key=lambda one: one["number"]):
        turns.setdefault(row["rollout_id"], []).append(
            Wave(row["number"], row["starts_at"], frozenset(row["schools"]), row["share"])
        )
    held: dict[int, list[Version]] = {}
    application_of: dict[int, int] = {}
    for row in sorted(versions, key=lambda one: one["id"]):
        application_of[row["id"]] = row["application_id"]
        held.setdefault(row["application_id"], []).append(_version(row))
    ways: dict[int, list[Rollout]] = {}
    for row in sorted(rollouts, key=lambda one: one["id"]):
        way = _rollout(row, turns.get(row["id"], ()))
        ways.setdefault(application_of.get(way.version, 0), []).append(way)
    return gather(
        Application(
            row["id"], row["authority_id"], row["school_id"], Platform(row["platform"]), row["package"], row["name"],
            row["kind"], tuple(held.get(row["id"], ())), tuple(ways.get(row["id"], ())),
        )
        for row in applications
    )  # fmt: skip


def _version(row: Mapping[str, Any]) -> Version:
    return Version(
        row["id"], row["version"], row["code"], row["file_key"], row["size"], row["sha256"], row["url"],
        row["withdrawn_at"] is not None,
    )  # fmt: skip


def _rollout(row: Mapping[str, Any], waves: Iterable[Wave]) -> Rollout:
    return Rollout(
        row["id"],
        row["version_id"],
        row["previous_id"],
        RolloutState(row["state"]),
        row["site_budget"],
        tuple(waves),
    )


# Which version


def wanted(
    entries: Iterable[Mapping[str, Any]], catalogue: Catalogue, authority: int, place: Place, now: datetime
) -> list[Wanted]:
    """What a device shall do about applications.

    `entries` is settings["applications"] of its desired state; a package that the catalogue does not have is left out, but
    not a removal. `authority` is the school's, whose catalogue holds besides its own.
    """
    found = (_wanted(entry, catalogue, authority, place, now) for entry in entries)
    return [one for one in found if one is not None]


def _wanted(
    entry: Mapping[str, Any], catalogue: Catalogue, authority: int, place: Place, now: datetime
) -> Wanted | None:
    package, action = str(entry.get("package", "")), str(entry.get("action", "install"))
    app = catalogue.find(authority, place.school, place.platform, package)
    if action in {"remove", "allow"}:
        name = app.name if app else str(entry.get("name", ""))
        return Wanted(package, app.kind if app else "", action, name)
    if app is None:
        return None
    chosen, keeps_newer = choose(app, entry, place, now)
    if chosen is None:
        return None
    return Wanted(
        package, app.kind, "install", app.name, chosen.version, chosen.code, chosen.id, chosen.file_key, chosen.url,
        chosen.sha256, chosen.size, place.cache if chosen.file_key else "", bool(entry.get("pinned")), keeps_newer,
    )  # fmt: skip


def choose(
    app: Application, entry: Mapping[str, Any], place: Place, now: datetime
) -> tuple[Version | None, bool]:
    """The version for this device, and whether a newer one that it has may stay.

    A pin holds whatever else is under way, also downwards. Else it is the released version, or the one of the last
    rollout in which the device has its turn. A withdrawn version is nobody's.
    """
    if entry.get("pinned") and (pinned := _called(app, str(entry.get("version", "")))) is not None:
        return pinned, False
    for way in reversed(app.rollouts):
        version = app.by_id.get(way.version)
        if version is None or version.is_withdrawn:
            continue
        if way.state is RolloutState.DONE:
            break
        if way.state is RolloutState.RUNNING and takes_part(way, version.size, place, now):
            return version, False
    return released(app), _is_halted(app)


def released(app: Application) -> Version | None:
    """The version that everybody has who is in no rollout: of the last one that was completed, else the first there was."""
    for way in reversed(app.rollouts):
        version = app.by_id.get(way.version)
        if way.state is RolloutState.DONE and version is not None and not version.is_withdrawn:
            return version
        if way.state is RolloutState.ROLLED_BACK and way.previous in app.by_id:
            back = app.by_id[way.previous]
            if not back.is_withdrawn:
                return back
    on_their_way = {way.version for way in app.rollouts}
    usable = [one for one in app.versions if not one.is_withdrawn]
    settled = [one for one in usable if one.id not in on_their_way]
    return settled[0] if settled else None


def _is_halted(app: Application) -> bool:
    return bool(app.rollouts) and app.rollouts[-1].state is RolloutState.HALTED


def _called(app: Application, version: str) -> Version | None:
    found = [one for one in app.versions if one.version == version and not one.is_withdrawn]
    return found[-1] if found else None


# Waves


def takes_part(rollout: Rollout, size: int, place: Place, now: datetime) -> bool:
    """Whether it is this device's turn in a running rollout: its wave is open, it is in the share, the site has room."""
    turn = turn_of(rollout, place.school, now)
    if turn is None:
        return False
    position = position_of(rollout.id, place.number)
    return position < turn.share / 100 and position < _room(rollout, size, place, turn, now)


def turn_of(rollout: Rollout, school: int, now: datetime) -> Wave | None:
    """The widest wave that is open for the school; None where none is."""
    opened = [one for one in waves_of(rollout, school) if one.starts_at <= now]
    return max(opened, key=lambda one: (one.share, -one.number), default=None)


def waves_of(rollout: Rollout, school: int) -> list[Wave]:
    """The waves that are a school's, open or not."""
    found: list[Wave] = []
    for wave in rollout.waves:
        if school in wave.schools or not (wave.schools or any(one.share >= 100 for one in found)):
            found.append(wave)
    return found


def position_of(rollout: int, number: str) -> float:
    """Where in the row of a rollout a device stands, from 0 up to 1: always the same, and another in every rollout."""
    found = blake2b(f"{rollout}:{number}".encode(), digest_size=4).digest()
    return int.from_bytes(found) / _WHOLE


def _room(rollout: Rollout, size: int, place: Place, turn: Wave, now: datetime) -> float:
    """What share of a site's devices its budget lets fetch by now. A site with a cache fetches once: it has no limit."""
    if not rollout.site_budget or not size or place.cache:
        return 1.0
    portions = (now - turn.starts_at) // PORTION + 1
    allowed = rollout.site_budget * 1_000_000 * (portions * PORTION / timedelta(hours=1))
    whole = size * (place.devices or UNCOUNTED)
    # A budget smaller than the file still lets one device at a time come through.
    return max(allowed / whole, portions / (place.devices or UNCOUNTED) / 4)


def is_complete(rollout: Rollout, now: datetime) -> bool:
    """Whether its last wave is open and for everybody: nothing more follows by itself."""
    return bool(rollout.waves) and all(one.starts_at <= now for one in rollout.waves)


# Judging


@dataclass(frozen=True, slots=True)
class Counts:
    """What devices reported of a version."""

    installed: int = 0
    failed: int = 0
    removed: int = 0

    @property
    def reports(self) -> int:
        return self.installed + self.failed

    @property
    def failure_rate(self) -> float:
        """Percent of those who tried."""
        return 100 * self.failed / self.reports if self.reports else 0.0


def counts_of(by_state: Mapping[int, int]) -> Counts:
    """Of {InstallState: number}."""
    return Counts(*(by_state.get(state, 0) for state in InstallState))


def must_halt(counts: Counts, *, failure_limit: int, least_reports: int) -> bool:
    """Whether so many installations failed that a rollout stops by itself."""
    return counts.reports >= max(1, least_reports) and counts.failure_rate >= failure_limit


#: From which state which may follow.
FOLLOWS: Final[Mapping[RolloutState, frozenset[RolloutState]]] = {
    RolloutState.PLANNED: frozenset({RolloutState.RUNNING, RolloutState.ROLLED_BACK}),
    RolloutState.RUNNING: frozenset({RolloutState.HALTED, RolloutState.DONE, RolloutState.ROLLED_BACK}),
    RolloutState.HALTED: frozenset({RolloutState.RUNNING, RolloutState.ROLLED_BACK}),
    RolloutState.DONE: frozenset({RolloutState.ROLLED_BACK}),
    RolloutState.ROLLED_BACK: frozenset(),
}


def spread(wanted_waves: Sequence[Wave]) -> tuple[Wave, ...]:
    """Waves in the order of their beginnings, numbered. Raises NoWaves, WavesBackwards."""
    if not wanted_waves:
        raise NoWaves
    ordered = sorted(wanted_waves, key=lambda one: (one.starts_at, one.share))
    if any(not 1 <= one.share <= 100 for one in ordered):
        raise BadShare
    return tuple(replace(one, number=number) for number, one in enumerate(ordered, start=1))


# Errors


class NoWaves(Refused):
    """A rollout needs at least one wave."""


class BadShare(Refused):
    """A wave's share is a number from 1 to 100."""


class WrongTurn(Refused):
    """That is not possible in the state that this rollout is in."""


class AlreadyOnTheWay(Refused):
    """Another version of this application is on its way. Complete it or roll it back first."""


class NothingToGoBackTo(Refused):
    """There is no earlier version that devices could go back to."""


class IsWithdrawn(Refused):
    """This version was withdrawn."""


class WrongKind(Refused):
    """This kind of package is not for that system."""


class NotAPackage(Refused):
    """This file is not a package that could be read. Android takes .apk files, Linux .deb, Windows .msi."""


class OtherPackage(Refused):
    """This file is another application's package."""


class AlreadyThere(Refused):
    """This version is in the catalogue already."""


class TooLarge(Refused):
    """This file is too large."""


class PackageNeeded(Refused):
    """Say how the package is called by its system, such as org.example.app."""


class VersionNeeded(Refused):
    """Say which version this is."""


class FileNeeded(Refused):
    """Devices need a file, or the https address of one."""


class WrongAddress(Refused):
    """The address must begin with https://"""


class BadLimit(Refused):
    """These limits are not possible."""
