"""What a tool may ask about who signs in to it, and where it may have them sent back. Pure."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pupitre.kernel.errors import Denied, Refused
from pupitre.people.rules import STAFF, Role


class ToolScope(StrEnum):
    """What a tool is told. OpenID Connect's words but the last two: ours, and OAuth's habit of asking for it."""

    OPENID = "openid"
    PROFILE = "profile"
    EMAIL = "email"
    SCHOOL = "school"
    OFFLINE = "offline_access"


#: What the office chooses from; `openid` every tool gets.
CHOICES: Final = (ToolScope.PROFILE, ToolScope.EMAIL, ToolScope.SCHOOL)
#: OneRoster 1.2's words for the roles that can use a tool.
ROLE_NAMES: Final = {
    Role.HEAD: "principal",
    Role.SECRETARY: "siteAdministrator",
    Role.TEACHER: "teacher",
    Role.AIDE: "aide",
    Role.COUNSELLOR: "counselor",
    Role.NURSE: "nurse",
    Role.TECHNICIAN: "systemAdministrator",
    Role.PUPIL: "student",
    Role.GUARDIAN: "guardian",
}
_LONGEST: Final = 500


class BadAddress(Refused):
    """“%(address)s” cannot be an address to send people back to. Write it as https://tool.example/callback, one a line."""


class ToolNameMissing(Refused):
    """Give the tool the name by which people know it."""


class NobodyMayUse(Refused):
    """Choose at least one group of people who may use the tool."""


class NotForYou(Denied):
    """“%(tool)s” is not open to you. The office of %(school)s decides who may use it."""


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """A tool as it is at the door."""

    id: int
    school_id: int
    client_id: str
    name: str
    roles: frozenset[Role]
    #: Staff are not asked whether the tool may know them: the school, which made it, has decided.
    is_trusted: bool


def may_use(tool: ToolFacts, roles: Collection[Role]) -> bool:
    """Whether somebody with these roles in the tool's school may sign in to it."""
    return not tool.roles.isdisjoint(roles)


def asks_first(
    tool: ToolFacts, roles: Collection[Role], granted: Collection[str], wanted: Collection[str]
) -> bool:
    """Whether the person is asked before the tool is told: the first time, and when it wants to know more."""
    if tool.is_trusted and not STAFF.isdisjoint(roles):
        return False
    return not set(wanted) <= set(granted)


def addresses_of(text: str) -> list[str]:
    """The addresses of a form's lines, each fit to be one that people are sent back to. Raises BadAddress."""
    found = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    for address in found:
        if not _is_good(address):
            raise BadAddress(None, address=address)
    if not found:
        raise BadAddress(None, address="")
    return found


def _is_good(address: str) -> bool:
    if (
        len(address) > _LONGEST
        or not address.isascii()
        or not address.isprintable()
        or set(address) & set("*\\ <>\"'")
    ):
        return False
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or "#" in address or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname))


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
