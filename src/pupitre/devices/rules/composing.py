"""From the policies of a device's chain to the one desired state, with the reason for every word of it.

Each level of the chain (authority, school, groups, person, device) has one layer, composed beforehand when a policy or an
assignment changes (`models.Target`). Composing the layers of a device is what the gateway does, in memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from . import Level, Platform
from .settings import SETTINGS, Kind

#: The state of a device for which nobody has said anything.
NOTHING: Final = "0"


@dataclass(frozen=True, slots=True)
class Word:
    """What one policy says of one setting."""

    key: str
    value: Any
    is_locked: bool
    policy_id: int
    policy: str


@dataclass(frozen=True, slots=True)
class Layer:
    """All that one level says to one whom, as `models.Target` keeps it; `revision` changes with it."""

    level: Level
    whom: int
    revision: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()
    #: {key: (policy's id, its name)}
    why: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    #: Within a level, of two layers' words about a setting that of the higher rank holds; what is not named has 0.
    ranks: Mapping[str, int] = field(default_factory=dict)
    #: Only for one platform: {platform: {"settings", "locked", "why"}}.
    platforms: Mapping[int, "Layer"] = field(default_factory=dict)
    #: Rules of the week (rules.schedules).
    schedule: Sequence[Mapping[str, Any]] = ()
    #: Whose word it is: the school whose row it is, or None for its authority's. For who holds layers of several schools.
    school: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """One setting of a desired state: its value, whose word it is, and whose words it overrides."""

    key: str
    value: Any
    level: Level
    policy_id: int
    policy: str
    is_locked: bool = False
    overridden: tuple[tuple[Level, str], ...] = ()
    #: Of the level: which class, person and so on.
    whom: int = 0


@dataclass(frozen=True, slots=True)
class Desired:
    """What a device shall be."""

    version: str
    applied: Mapping[str, Applied]
    schedule: tuple[Mapping[str, Any], ...]

    @property
    def settings(self) -> dict[str, Any]:
        return {key: one.value for key, one in self.applied.items()}


def version_of(layers: Iterable[Layer]) -> str:
    """The version of the state that these layers make: their revisions, so that no device need be written."""
    return ".".join(f"{one.revision:x}" for one in sorted(layers, key=_place)) or NOTHING


def compose(layers: Sequence[Layer], platform: Platform | None) -> Desired:
    """One state of the layers of a device's chain, in any order; `platform` None leaves nothing out."""
    applied: dict[str, Applied] = {}
    for layer, said, key in sorted(_words(layers, platform), key=_order):
        _lay(applied, layer, said, key)
    ordered = sorted(layers, key=_place)
    schedule = [entry for layer in ordered for entry in layer.schedule]
    return Desired(version_of(layers), applied, _schedule(schedule, applied, platform))


_Placed = tuple[Layer, Layer, str]


def _words(layers: Iterable[Layer], platform: Platform | None) -> Iterator[_Placed]:
    """Every word about a setting that this platform has; of a newer release's settings nothing is known."""
    for layer in layers:
        own = None if platform is None else layer.platforms.get(int(platform))
        for said in (layer,) if own is None else (layer, own):
            for key in said.settings:
                if _is_known(key, platform):
                    yield layer, said, key


def _is_known(key: str, platform: Platform | None) -> bool:
    setting = SETTINGS.get(key)
    return setting is not None and (platform is None or platform in setting.platforms)


def _order(word: _Placed) -> tuple[int, int, bool, int]:
    """Wide before narrow; within a level by rank, then what is for all platforms before what is for one."""
    layer, said, key = word
    return (int(layer.level), said.ranks.get(key, 0), said is not layer, layer.whom)


def _place(layer: Layer) -> tuple[int, int]:
    return (int(layer.level), layer.whom)


def _lay(applied: dict[str, Applied], layer: Layer, said: Layer, key: str) -> None:
    before, value = applied.get(key), said.settings[key]
    if before is not None and before.is_locked and before.level < layer.level:
        return
    policy_id, policy = said.why.get(key, (0, ""))
    is_locked = key in said.locked
    overridden: tuple[tuple[Level, str], ...] = ()
    if before is not None:
        overridden = (*before.overridden, (before.level, before.policy))
        if SETTINGS[key].kind is Kind.NAMED:
            value = merged(before.value, value, SETTINGS[key].name_by)
            is_locked = is_locked or before.is_locked
    applied[key] = Applied(key, value, layer.level, policy_id, policy, is_locked, overridden, layer.whom)


def _schedule(
    schedule: Iterable[Mapping[str, Any]], applied: Mapping[str, Applied], platform: Platform | None
) -> tuple[Mapping[str, Any], ...]:
    """The rules of the week, then the leases, which are laid over them. What is locked, neither touches."""
    found = []
    for entry in schedule:
        settings = {
            key: value
            for key, value in entry.get("settings", {}).items()
            if _is_known(key, platform) and not (key in applied and applied[key].is_locked)
        }
        if settings or entry.get("lifts_rules"):
            found.append({**entry, "settings": settings})
    return tuple(sorted(found, key=lambda entry: str(entry.get("starts_at", ""))))


def merged(wide: Sequence[Mapping[str, Any]], narrow: Sequence[Mapping[str, Any]], name_by: str) -> list[Any]:
    """Named entries of both; of the same name the narrower's."""
    entries = {str(one.get(name_by)): one for one in wide}
    entries.update({str(one.get(name_by)): one for one in narrow})
    return list(entries.values())


def layer_of(row: Mapping[str, Any]) -> Layer:
    """A row of `devices_target` (level, whom, revision, document; school_id where it is known) as a layer."""
    document = row["document"]
    return Layer(
        Level(row["level"]),
        row["whom"],
        row["revision"],
        **_said(document),
        platforms={
            int(platform): Layer(Level(row["level"]), row["whom"], row["revision"], **_said(said))
            for platform, said in document.get("platforms", {}).items()
        },
        schedule=tuple(document.get("schedule", ())),
        school=row.get("school_id"),
    )


def _said(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "settings": document.get("settings", {}),
        "locked": frozenset(document.get("locked", ())),
        "why": {key: (int(found[0]), str(found[1])) for key, found in document.get("why", {}).items()},
        "ranks": document.get("ranks", {}),
    }
