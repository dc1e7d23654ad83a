"""Which applications may be started: AppLocker, and for a kiosk the shell that people get instead of the desktop."""

import hashlib
import posixpath
import uuid
from typing import Final
from xml.sax.saxutils import quoteattr

from pupitre_agent.engine import File, Handler, Made, Part, Settings, Value
from pupitre_agent.errors import CannotApply
from pupitre_agent.machine import Machine
from pupitre_agent.packages.windows import installed_folders
from pupitre_agent.powershell import literal, powershell

from .network import FOLDER

_EVERYONE: Final = "S-1-1-0"
_ADMINISTRATORS: Final = "S-1-5-32-544"
_WINLOGON: Final = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
_RULE: Final = (
    '<FilePathRule Id="{id}" Name={name} Description="" UserOrGroupSid="{whom}" Action="{action}">'
    "<Conditions><FilePathCondition Path={path} /></Conditions></FilePathRule>"
)
_COLLECTIONS: Final = ("Exe", "Script", "Msi")


def _wants(settings: Settings, machine: Machine) -> Part:
    part = Part()
    allowed = _paths(settings, "allowed_applications", machine, part)
    blocked = _paths(settings, "blocked_applications", machine, part)
    kiosk = str(settings.get("kiosk_application") or "")
    is_kiosk = settings.get("mode") in {"kiosk", "exam"} and bool(kiosk)
    if settings.get("mode") == "kiosk" and not kiosk:
        part.cannot("mode", "There is no kiosk_application that could be shown.")
    if is_kiosk:
        try:
            shell = _path(kiosk, machine)
            allowed = [*allowed, shell] if settings.get("allowed_applications") else allowed
            part.resources.append(Value(_WINLOGON, "Shell", shell))
        except CannotApply as error:
            part.cannot("kiosk_application", str(error))
    if allowed or blocked or (settings.get("allowed_applications") or {}).get("packages"):
        part.resources += _policy(allowed, blocked)
    return part


def _paths(settings: Settings, key: str, machine: Machine, part: Part) -> list[str]:
    found = []
    for name in (settings.get(key) or {}).get("packages") or []:
        try:
            found.append(_path(str(name), machine))
        except CannotApply as error:
            part.cannot(key, str(error))
    return found


def _path(name: str, machine: Machine) -> str:
    """Where an application lies: a path or program as it is written, else the folder that it was installed to."""
    if name.lower().endswith(".exe"):
        return name if "\\" in name else rf"*\{name}"
    if "\\" in name:
        return name if name.endswith("*") else name.rstrip("\\") + r"\*"
    folder = installed_folders(machine).get(name.lower())
    if not folder:
        raise CannotApply(f"{name} is not installed, or does not say where; name it by its program (.exe).")
    return folder.rstrip("\\") + r"\*"


def _policy(allowed: list[str], blocked: list[str]) -> tuple[File, Made]:
    """Where something is allowed by name nothing else is but Windows itself; else everything but what is blocked."""
    base = [(_ADMINISTRATORS, "Allow", "*"), (_EVERYONE, "Allow", r"%WINDIR%\*")]
    open_ = [] if allowed else [(_EVERYONE, "Allow", "*")]
    own = [(_EVERYONE, "Allow", path) for path in allowed] + [(_EVERYONE, "Deny", path) for path in blocked]
    rules = [*base, *open_, *own]
    collections = "".join(
        f'<RuleCollection Type="{kind}" EnforcementMode="Enabled">'
        + "".join(_rule(f"{kind}:{number}", *rule) for number, rule in enumerate(rules))
        + "</RuleCollection>"
        for kind in _COLLECTIONS
    )
    content = f'<AppLockerPolicy Version="1">{collections}</AppLockerPolicy>'
    path = rf"{FOLDER}\applocker.xml"
    put = (
        ("sc.exe", "config", "appidsvc", "start=", "auto"),
        ("sc.exe", "start", "appidsvc"),
        powershell(
            f"Set-AppLockerPolicy -XmlPolicy {literal(path)} # {hashlib.sha256(content.encode()).hexdigest()[:16]}"
        ),
    )
    empty = '<AppLockerPolicy Version="1" />'
    drop = powershell(
        f"$p = Join-Path $env:TEMP 'pupitre-none.xml'; Set-Content $p {literal(empty)}; Set-AppLockerPolicy -XmlPolicy $p"
    )
    return File(path, content.encode()), Made("applocker", put, (drop,))


def _rule(place: str, whom: str, action: str, path: str) -> str:
    name = posixpath.basename(path.replace("\\", "/")) or path
    return _RULE.format(
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"pupitre:{place}:{path}"),
        name=quoteattr(f"{action} {name}"),
        whom=whom,
        action=action,
        path=quoteattr(path),
    )


HANDLER: Final = Handler(
    "launching",
    frozenset({"allowed_applications", "blocked_applications", "kiosk_application", "mode"}),
    _wants,
)
