"""Which applications are installed, and what of that the server does not know yet. Applications, not libraries; nothing of people's own."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from .linux.launching import launchers
from .machine import LINUX, Machine
from .packages import tools_of
from .signing import canonical


def applications(machine: Machine, named: Iterable[str]) -> dict[str, str]:
    """{package: version} of what has an entry in the menu, and of what policies name."""
    found: dict[str, str] = {}
    tools = tools_of(machine)
    for kind, tool in tools.items():
        if kind == "winget" and "msi" in tools:
            continue  # the same applications, by other names
        all_ = tool.installed(machine)
        found |= _shown(machine, all_, named) if kind == "deb" else all_
    return found


def _shown(machine: Machine, packages: Mapping[str, str], named: Iterable[str]) -> dict[str, str]:
    shown = {one.package for one in launchers(machine)} if machine.system == LINUX else set()
    return {name: version for name, version in packages.items() if name in shown or name in set(named)}


def digest(packages: Mapping[str, str], parts: Mapping[str, Any]) -> str:
    """Of the whole, as the server reckons it: the same for the same packages and hardware, whatever their order."""
    return hashlib.sha256(canonical({"applications": dict(packages), "hardware": dict(parts)})).hexdigest()


def difference(
    packages: Mapping[str, str], parts: Mapping[str, Any], known: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The member `inventory` of a check-in, or None where the server knows all.

    `known` is what it has taken: {"digest", "packages", "hardware"}, or nothing.
    """
    now = digest(packages, parts)
    if known.get("digest") == now:
        return None
    before: Mapping[str, str] = known.get("packages") or {}
    told: dict[str, Any] = {
        "base": known.get("digest") or "",
        "digest": now,
        "set": {name: version for name, version in packages.items() if before.get(name) != version},
        "gone": sorted(name for name in before if name not in packages),
    }
    if known.get("hardware") != parts:
        told["hardware"] = dict(parts)
    return told
