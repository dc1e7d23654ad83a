"""Browsers obey policy files of root's; those that know none are named as a problem where the web is limited."""

import json
from typing import Final

from pupitre_agent.browsing import KEYS, chromium, firefox, is_limited
from pupitre_agent.engine import File, Handler, Part, Settings
from pupitre_agent.machine import Machine

#: Also read by Firefox as snap; the second by Firefox as Flatpak.
_FIREFOX: Final = (
    "/etc/firefox/policies/policies.json",
    "/var/lib/flatpak/extension/org.mozilla.firefox.systemconfig/x86_64/stable/policies/policies.json",
)
_CHROMIUM: Final = (
    "/etc/chromium/policies/managed/pupitre.json",
    "/etc/chromium-browser/policies/managed/pupitre.json",
    "/etc/opt/chrome/policies/managed/pupitre.json",
    "/etc/opt/edge/policies/managed/pupitre.json",
    "/etc/brave/policies/managed/pupitre.json",
)
#: Browsers that take no orders, by the name of their program.
_FREE: Final = (
    "epiphany",
    "epiphany-browser",
    "falkon",
    "konqueror",
    "midori",
    "dillo",
    "qutebrowser",
    "links",
    "lynx",
    "w3m",
)


def _wants(settings: Settings, machine: Machine) -> Part:
    part = Part()
    for policies, paths in (({"policies": firefox(settings)}, _FIREFOX), (chromium(settings), _CHROMIUM)):
        if policies and policies != {"policies": {}}:
            content = json.dumps(policies, indent=1, sort_keys=True).encode()
            part.resources += [File(path, content) for path in paths]
    if is_limited(settings):
        for name in _FREE:
            mode = machine.mode(f"/usr/bin/{name}")
            if mode is not None and mode & 0o001:
                part.cannot("web", f"The browser {name} does not obey lists of sites. Block it or remove it.")
    return part


HANDLER: Final = Handler("browsers", KEYS, _wants)
