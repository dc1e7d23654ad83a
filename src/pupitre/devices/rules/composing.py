"""From the policies of a device's chain to the one desired state, with the reason for every word of it.

Each level of the chain (authority, school, groups, person, device) has one layer, composed beforehand when a policy or an
assignment changes (`models.Target`). Composing the layers of a device is what the gateway does, in memory.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    #: Only for one platform: {platform: {"settings", "locked", "why"}}.
    platforms: Mapping[int, "Layer"] = field(default_factory=dict)
    #: Rules of the week (rules.schedules).
    schedule: Sequence[Mapping[str, Any]] = ()


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
    schedule: list[Mapping[str, Any]] = []
    for layer in sorted(layers, key=_place):
        schedule += layer.schedule
        _lay(applied, layer, layer, platform)
        if platform is not None and (own := layer.platforms.get(int(platform))) is not None:
            _lay(applied, layer, own, platform)
    return Desired(version_of(layers), applied, tuple(schedule))


def _place(layer: Layer) -> tuple[int, int]:
    return (int(layer.level), layer.whom)


def _lay(applied: dict[str, Applied], layer: Layer, said: Layer, platform: Platform | None) -> None:
    for key, value in said.settings.items():
        setting = SETTINGS.get(key)
        if setting is None or (platform is not None and platform not in setting.platforms):
            continue  # of a newer release, or not this system's
        before = applied.get(key)
        if before is not None and before.is_locked and before.level < layer.level:
            continue
        policy_id, policy = said.why.get(key, (0, ""))
        overridden: tuple[tuple[Level, str], ...] = ()
        if before is not None:
            overridden = (*before.overridden, (before.level, before.policy))
            if setting.kind is Kind.NAMED:
                value = merged(before.value, value, setting.name_by)
        applied[key] = Applied(key, value, layer.level, policy_id, policy, key in said.locked, overridden)


def merged(wide: Sequence[Mapping[str, Any]], narrow: Sequence[Mapping[str, Any]], name_by: str) -> list[Any]:
    """Named entries of both; of the same name the narrower's."""
    entries = {str(one.get(name_by)): one for one in wide}
    entries.update({str(one.get(name_by)): one for one in narrow})
    return list(entries.values())


def layer_of(row: Mapping[str, Any]) -> Layer:
    """A row of `devices_target` (level, whom, revision, document) as a layer."""
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
    )


def _said(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "settings": document.get("settings", {}),
        "locked": frozenset(document.get("locked", ())),
        "why": {key: (int(found[0]), str(found[1])) for key, found in document.get("why", {}).items()},
    }
