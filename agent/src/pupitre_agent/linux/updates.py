"""When the system updates itself, and whether it is new enough."""

from typing import Final

from pupitre_agent.engine import File, Handler, Part, Settings
from pupitre_agent.health import is_older, system_name
from pupitre_agent.machine import Machine

_TIMER: Final = "/etc/systemd/system/apt-daily-upgrade.timer.d/60-pupitre.conf"
_APT: Final = "/etc/apt/apt.conf.d/60pupitre-updates"


def _updates(settings: Settings, machine: Machine) -> Part:
    updates = settings["system_updates"] or {}
    mode = updates.get("mode", "instant")
    part = Part()
    if mode != "manual" and not machine.has("unattended-upgrade"):
        part.cannot("system_updates", "unattended-upgrades is not installed.")
        return part
    often = "0" if mode == "manual" else "1"
    text = "".join(
        f'APT::Periodic::{name} "{often}";\n' for name in ("Update-Package-Lists", "Unattended-Upgrade")
    )
    part.resources.append(File(_APT, text.encode()))
    if mode == "window":
        starts, ends = str(updates["from"]), str(updates["to"])
        spread = max(_minutes(ends) - _minutes(starts), 0) or 60
        # Not made up for at the next start: that would be in a lesson.
        timer = f"[Timer]\nOnCalendar=\nOnCalendar=*-*-* {starts}\nRandomizedDelaySec={spread}m\nPersistent=false\n"
        part.resources.append(File(_TIMER, timer.encode()))
    part.after = [("systemctl", "daemon-reload"), ("systemctl", "try-restart", "apt-daily-upgrade.timer")]
    return part


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _oldest(settings: Settings, machine: Machine) -> Part:
    part = Part()
    found, least = system_name(machine), str(settings["oldest_system"])
    if least and is_older(found, least):
        part.cannot("oldest_system", f"{found} is older than {least}.")
    return part


HANDLERS: Final = (
    Handler("system_updates", frozenset({"system_updates"}), _updates),
    Handler("oldest_system", frozenset({"oldest_system"}), _oldest),
)
