"""Why something is not possible now, who set it, and until when: for whoever sits before the computer, without any right.

The agent leaves what it was told where everybody may read it, without secrets; the sentences are made when somebody asks.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from . import schedule
from .machine import WINDOWS, Machine
from .words import Words

PUBLIC: Final = {
    "linux": "/var/lib/pupitre-agent-public/state.json",
    WINDOWS: r"C:\ProgramData\Pupitre\Public\state.json",
}
#: What nobody need see.
_SECRET: Final = frozenset({"wifi", "vpn", "certificates"})


def publish(machine: Machine, state: Mapping[str, Any] | None, now: datetime) -> None:
    """Leave there what may be read; nothing where the computer is managed no more."""
    path = PUBLIC[machine.system]
    if state is None:
        machine.remove(path)
        return
    told = {
        "version": state.get("version"),
        "time_zone": state.get("time_zone"),
        "settings": _plain(state.get("settings") or {}),
        "why": state.get("why") or {},
        "schedule": [
            {**one, "settings": _plain(one.get("settings") or {})}
            for one in state.get("schedule") or []
            if isinstance(one, dict)
        ],
    }
    content = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    if machine.read(path) != content:
        machine.write(path, content)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in _SECRET}


def explain(told: Mapping[str, Any], now: datetime, words: Words) -> list[str]:
    """A line for each thing that is limited now."""
    entries, zone = told.get("schedule") or [], str(told.get("time_zone") or "UTC")
    try:
        held = schedule.effective(told.get("settings") or {}, entries, now, zone)
    except (KeyError, TypeError, ValueError):  # of a newer server: told to the school as a problem
        held = schedule.Effective(told.get("settings") or {}, {}, ())
    lines = []
    for key, value in sorted(held.settings.items()):
        what = _limit(key, value, words)
        if not what:
            continue
        entry = held.by.get(key)
        if entry is None:
            by = _policy(told, key)
            lines.append(words("%(what)s Always, by the policy “%(by)s”.", what=what, by=by) if by else what)
            continue
        end = schedule.ends_at(entries, entry, now, zone)
        until = _moment(end, now, zone) if end else "…"
        label = str(entry.get("label") or entry.get("id"))
        lines.append(words("%(what)s By “%(by)s”, until %(until)s.", what=what, by=label, until=until))
    return lines or [words("Nothing is blocked now.")]


def _policy(told: Mapping[str, Any], key: str) -> str:
    why = (told.get("why") or {}).get(key)
    return str(why[-1] if isinstance(why, list) and why else why or "")


def _moment(at: datetime, now: datetime, zone: str) -> str:
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


#: What is said where a setting is false.
_FORBIDDEN: Final = {
    "camera": "The camera is off.",
    "microphone": "The microphone is off.",
    "bluetooth": "Bluetooth is off.",
    "usb_storage": "USB storage cannot be used.",
    "install_applications": "Applications cannot be installed.",
    "uninstall_applications": "Applications cannot be removed.",
    "developer_mode": "Tools for developers are off.",
    "add_accounts": "No accounts can be added.",
    "change_wifi": "Networks cannot be changed.",
}


def _limit(key: str, value: Any, words: Words) -> str:
    """What of a setting limits somebody, in a sentence; empty where nothing does."""
    if value is False and key in _FORBIDDEN:
        return words(_FORBIDDEN[key])
    packages = ", ".join(value.get("packages") or []) if isinstance(value, dict) else ""
    if key == "allowed_applications" and packages:
        return words("Only these applications can be used: %(names)s.", names=packages)
    if key == "blocked_applications" and packages:
        return words("These applications cannot be used: %(names)s.", names=packages)
    if key == "mode" and value in {"kiosk", "exam"}:
        return words("The computer shows one application only." if value == "kiosk" else "An exam is on.")
    return _web_limit(value, words) if key == "web" and isinstance(value, dict) else ""


def _web_limit(web: Mapping[str, Any], words: Words) -> str:
    hosts = ", ".join(web.get("hosts") or []) or "–"
    if web.get("mode") == "allow":
        return words("Only these web sites can be opened: %(names)s.", names=hosts)
    if web.get("mode") == "block":
        return words("These web sites cannot be opened: %(names)s.", names=hosts)
    return ""
