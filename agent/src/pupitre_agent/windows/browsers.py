"""Browsers' policies are keys of the registry; lists are keys with numbered values."""

import json
from typing import Any, Final

from pupitre_agent.browsing import KEYS, chromium, firefox
from pupitre_agent.engine import Handler, Part, Resource, Settings, Value
from pupitre_agent.machine import Machine, RegistryValue

_CHROMIUM: Final = (
    r"HKLM\SOFTWARE\Policies\Google\Chrome",
    r"HKLM\SOFTWARE\Policies\Microsoft\Edge",
    r"HKLM\SOFTWARE\Policies\BraveSoftware\Brave",
)
_FIREFOX: Final = r"HKLM\SOFTWARE\Policies\Mozilla\Firefox"
#: Edge has other names for the same.
_EDGE: Final = {"IncognitoModeAvailability": "InPrivateModeAvailability"}


def _wants(settings: Settings, machine: Machine) -> Part:
    part = Part()
    for key in _CHROMIUM:
        for name, value in chromium(settings).items():
            own = _EDGE.get(name, name) if key.endswith("Edge") else name
            part.resources += _values(key, own, value)
    # Chrome and Edge go by the computer's store as it is; Firefox when it is told to.
    roots = {"Certificates": {"ImportEnterpriseRoots": True}} if settings.get("certificates") else {}
    for name, value in {**firefox(settings), **roots}.items():
        # What is an object in policies.json is its text here.
        text = json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
        part.resources += _values(_FIREFOX, name, text)
    return part


def _values(key: str, name: str, value: Any) -> list[Resource]:
    if isinstance(value, list):
        return [Value(rf"{key}\{name}", str(number), str(one)) for number, one in enumerate(value, start=1)]
    single: RegistryValue = int(value) if isinstance(value, bool | int) else str(value)
    return [Value(key, name, single)]


HANDLER: Final = Handler("browsers", KEYS | {"certificates"}, _wants)
