"""OAuth 2's client credentials (RFC 6749, sections 2.3.1, 4.4 and 5): what is asked, and what is answered. Pure."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from . import ONEROSTER_SCOPES, Scope

_CLIENT: Final = re.compile(r"(\d{1,18})\.(\d{1,18})")
_ADDRESS_OF: Final = {scope: address for address, scope in ONEROSTER_SCOPES.items()}


class GrantError(Exception):
    """The request for a token fails with one of the standard's words."""

    def __init__(self, word: str, why: str, *, status: int = 400, by_basic: bool = False) -> None:
        super().__init__(why)
        self.word, self.why, self.status, self.by_basic = word, why, status, by_basic


@dataclass(frozen=True, slots=True)
class Client:
    """Who says to be which connection of which school."""

    school_id: int
    connection_id: int
    secret: str
    by_basic: bool

    def refusal(self) -> GrantError:
        """The same for an unknown connection, a wrong secret and a revoked one."""
        return GrantError("invalid_client", "Wrong client or secret.", status=401, by_basic=self.by_basic)


def client_id(school_id: int, connection_id: int) -> str:
    """A connection's public name at the token endpoint."""
    return f"{school_id}.{connection_id}"


def client_of(authorization: str, form: Mapping[str, str]) -> Client:
    """The client, by HTTP Basic or by the form, never by both. Raises GrantError."""
    kind, _, packed = authorization.partition(" ")
    by_basic = kind.lower() == "basic"
    if by_basic and ("client_secret" in form or form.get("client_id", "") not in ("", _basic(packed)[0])):
        raise GrantError("invalid_request", "Tell the client in the header or in the form, not in both.")
    name, secret = _basic(packed) if by_basic else (form.get("client_id", ""), form.get("client_secret", ""))
    match = _CLIENT.fullmatch(name)
    if match is None or not secret:
        raise GrantError("invalid_client", "Wrong client or secret.", status=401, by_basic=by_basic)
    return Client(int(match[1]), int(match[2]), secret, by_basic)


def _basic(packed: str) -> tuple[str, str]:
    try:
        name, _, secret = base64.b64decode(packed.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise GrantError("invalid_client", "The header cannot be read.", status=401, by_basic=True) from None
    return unquote_plus(name), unquote_plus(secret)


def check_grant(form: Mapping[str, str]) -> None:
    """Raises GrantError for every grant but client credentials."""
    if not form.get("grant_type"):
        raise GrantError("invalid_request", "The grant_type is missing.")
    if form["grant_type"] != "client_credentials":
        raise GrantError("unsupported_grant_type", "Only client_credentials is granted here.")


def scopes_asked(told: str, allowed: Iterable[Scope]) -> list[Scope]:
    """The scopes that a request names, by OneRoster's addresses or our own words; all allowed where it names none."""
    may = set(allowed)
    if not told.strip():
        return sorted(may)
    known = {**ONEROSTER_SCOPES, **{scope.value: scope for scope in Scope}}
    asked = set()
    for word in told.split():
        if known.get(word) not in may:
            raise GrantError("invalid_scope", f"The connection lacks the scope {word[:200]}.")
        asked.add(known[word])
    return sorted(asked)


def told_scopes(scopes: Iterable[Scope]) -> str:
    """Scopes as an answer lists them: OneRoster's by its addresses."""
    return " ".join(_ADDRESS_OF.get(scope, scope.value) for scope in scopes)
