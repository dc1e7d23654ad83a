"""Background, sleep, updates of the system, and whether it is new enough."""

from typing import Final

from pupitre_agent.engine import Handler, Made, Part, Settings, Value
from pupitre_agent.errors import CannotApply
from pupitre_agent.health import is_older, system_name
from pupitre_agent.machine import Machine

from .restrictions import POLICIES

_SYSTEM: Final = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
_UPDATE: Final = rf"{POLICIES}\Windows\WindowsUpdate"
_PERSONAL: Final = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\PersonalizationCSP"
_BY_SCHEDULE: Final = 4


def _wallpaper(settings: Settings, machine: Machine) -> Part:
    value = str(settings["wallpaper"])
    if not value:
        return Part()
    if value[1:3] != ":\\":
        raise CannotApply(
            "The picture must be named by its path on the computer; put it there by the setting 'files'."
        )
    return Part([Value(_PERSONAL, "DesktopImagePath", value), Value(_PERSONAL, "DesktopImageStatus", 1)])


def _timeout(settings: Settings, machine: Machine) -> Part:
    seconds = int(settings["screen_timeout"])
    minutes = str(max(1, round(seconds / 60)))
    put = tuple(("powercfg", "/change", f"monitor-timeout-{power}", minutes) for power in ("ac", "dc"))
    drop = (
        ("powercfg", "/change", "monitor-timeout-ac", "10"),
        ("powercfg", "/change", "monitor-timeout-dc", "5"),
    )
    return Part([Value(_SYSTEM, "InactivityTimeoutSecs", seconds), Made("screen_timeout", put, drop)])


def _updates(settings: Settings, machine: Machine) -> Part:
    updates = settings["system_updates"] or {}
    mode = updates.get("mode", "instant")
    if mode == "manual":
        return Part([Value(rf"{_UPDATE}\AU", "NoAutoUpdate", 1)])
    part = Part(
        [Value(rf"{_UPDATE}\AU", "NoAutoUpdate", 0), Value(rf"{_UPDATE}\AU", "AUOptions", _BY_SCHEDULE)]
    )
    if mode == "window":
        starts, ends = int(str(updates["from"])[:2]), int(str(updates["to"])[:2])
        part.resources += [
            Value(rf"{_UPDATE}\AU", "ScheduledInstallDay", 0),
            Value(rf"{_UPDATE}\AU", "ScheduledInstallTime", starts),
            Value(_UPDATE, "SetActiveHours", 1),
            Value(_UPDATE, "ActiveHoursStart", ends % 24),
            Value(_UPDATE, "ActiveHoursEnd", starts),
        ]
    return part


def _oldest(settings: Settings, machine: Machine) -> Part:
    part = Part()
    found, least = system_name(machine), str(settings["oldest_system"])
    if least and is_older(found, least):
        part.cannot("oldest_system", f"{found} is older than {least}.")
    return part


HANDLERS: Final = (
    Handler("wallpaper", frozenset({"wallpaper"}), _wallpaper),
    Handler("screen_timeout", frozenset({"screen_timeout"}), _timeout),
    Handler("system_updates", frozenset({"system_updates"}), _updates),
    Handler("oldest_system", frozenset({"oldest_system"}), _oldest),
)
