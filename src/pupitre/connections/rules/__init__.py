"""What a connection may do, and how its secret reads. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pupitre.kernel import tokens
from pupitre.kernel.errors import Denied, DomainError, Refused


class Scope(StrEnum):
    """A right of a connection. Writing includes no reading. The last ones are OneRoster's, told by its own addresses."""

    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    ROSTERS_READ = "rosters:read"
    ROSTERS_WRITE = "rosters:write"
    TIMETABLE_READ = "timetable:read"
    TIMETABLE_WRITE = "timetable:write"
    REGISTERS_READ = "registers:read"
    REGISTERS_WRITE = "registers:write"
    ABSENCES_READ = "absences:read"
    ABSENCES_WRITE = "absences:write"
    NOTICES_READ = "notices:read"
    NOTICES_WRITE = "notices:write"
    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    SCIM = "scim"
    ONEROSTER_CORE = "oneroster:roster-core"
    ONEROSTER = "oneroster:roster"
    ONEROSTER_DEMOGRAPHICS = "oneroster:roster-demographics"


#: OneRoster 1.2, section 3.3 of its REST binding.
ONEROSTER_SCOPES: Final = {
    "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly": Scope.ONEROSTER_CORE,
    "https://purl.imsglobal.org/spec/or/v1p2/scope/roster.readonly": Scope.ONEROSTER,
    "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-demographics.readonly": Scope.ONEROSTER_DEMOGRAPHICS,
}


class NotSignedIn(DomainError):
    """The token is missing, wrong, revoked or has expired."""

    status = 401


class OutOfScope(Denied):
    """The connection lacks the scope %(scope)s."""


class NoScope(Refused):
    """Choose at least one right."""


class NameMissing(Refused):
    """Give the connection a name by which you will know it again."""


#: A connection's secret, or an access token made from it: the school, then 256 random bits.
_TOKEN: Final = re.compile(r"(pupitre|access)_(\d{1,18})_([\w-]{43})")


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as it came: of which school it says to be. `is_access` tells a short-lived one."""

    school_id: int
    digest: str
    is_access: bool


def new_secret(school_id: int, *, access: bool = False) -> str:
    return f"{'access' if access else 'pupitre'}_{school_id}_{tokens.new_token()}"


def presented(token: str) -> Presented | None:
    """What a bearer token claims; None where it is none of ours."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    return Presented(int(match[2]), tokens.digest(token), match[1] == "access")


@dataclass(frozen=True, slots=True)
class Machine:
    """The connection that asks, as the request carries it."""

    connection_id: int
    name: str
    account_id: int
    scopes: frozenset[Scope]
    last_used_at: datetime | None

    def require(self, scope: Scope) -> None:
        if scope not in self.scopes:
            raise OutOfScope(None, scope=scope.value)
