"""Browsers obey policy files of root's; those that know none are named as a problem where the web is limited."""

import contextlib
import json
from typing import Final

from pupitre_agent.browsing import KEYS, chromium, firefox, is_limited
from pupitre_agent.certificates import encoded
from pupitre_agent.engine import File, Handler, Part, Settings
from pupitre_agent.errors import CannotApply
from pupitre_agent.machine import Machine

from .network import certificate_path

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
    paths_, texts = _certificates(settings, machine)
    told = {**firefox(settings), **({"Certificates": {"Install": paths_}} if paths_ else {})}
    of_chromium = {**chromium(settings), **({"CACertificates": texts} if texts else {})}
    for policies, paths in (({"policies": told}, _FIREFOX), (of_chromium, _CHROMIUM)):
        if policies and policies != {"policies": {}}:
            content = json.dumps(policies, indent=1, sort_keys=True).encode()
            part.resources += [File(path, content) for path in paths]
    if is_limited(settings):
        for name in _FREE:
            mode = machine.mode(f"/usr/bin/{name}")
            if mode is not None and mode & 0o001:
                part.cannot("web", f"The browser {name} does not obey lists of sites. Block it or remove it.")
    return part


def _certificates(settings: Settings, machine: Machine) -> tuple[list[str], list[str]]:
    """Browsers here trust what they bring along, not what the system does: their paths, and their content in base64."""
    paths, texts = [], []
    for one in settings.get("certificates") or []:
        with contextlib.suppress(CannotApply):  # told by the handler of the system's store
            texts.append(encoded(str(one["pem"])))
            paths.append(certificate_path(str(one["name"]), machine))
    return paths, texts


HANDLER: Final = Handler("browsers", KEYS | {"certificates"}, _wants)
