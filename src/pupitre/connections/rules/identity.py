"""Sign-in by a school's own identity provider: what it must say, and whose account it may open. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from pupitre.kernel.errors import Denied, Refused


class ProviderKind(IntEnum):
    """Who the provider is. The first two are OpenID Connect with a known address."""

    GOOGLE = 1
    MICROSOFT = 2
    OIDC = 3
    SAML = 4


class MatchBy(IntEnum):
    """By what of the roster a person is recognised the first time; afterwards by the provider's own name for her."""

    EMAIL = 1
    SOURCED_ID = 2
    USERNAME = 3


GOOGLE: Final = "https://accounts.google.com"
_DIRECTORY: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
#: Everybody has an address there: a school that could claim one would claim its neighbours' families.
PUBLIC_DOMAINS: Final = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "outlook.es",
        "outlook.fr",
        "hotmail.com",
        "hotmail.es",
        "hotmail.fr",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.es",
        "yahoo.fr",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "gmx.net",
        "gmx.de",
        "gmx.com",
        "web.de",
        "proton.me",
        "protonmail.com",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "laposte.net",
        "sfr.fr",
        "mail.com",
        "yandex.com",
        "zoho.com",
    ]
)


class IncompleteProvider(Refused):
    """The provider's name, address and identity are needed."""


class BadDirectory(Refused):
    """The directory (tenant) ID of Microsoft Entra is needed: 32 hexadecimal digits with dashes."""


class BadIssuer(Refused):
    """The provider's address cannot be asked: it must begin with https:// and be its issuer, to the letter."""


class BadDomain(Refused):
    """“%(domain)s” cannot be a domain of the school's e-mail addresses."""


class BadMetadata(Refused):
    """This is no SAML metadata of an identity provider with a certificate and an address to sign in at."""


class NoEntry(Denied):
    """The sign-in did not open an account. %(reason)s"""


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """A provider as it is at the door. `saml` holds entity_id, sso_url and x509cert."""

    id: int
    school_id: int
    key: str
    kind: ProviderKind
    name: str
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    domains: tuple[str, ...]
    match_by: MatchBy
    claim: str
    saml: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asserted:
    """What the provider said of who signed in: its name for her, and by what the roster is to know her ('' : nothing)."""

    subject: str
    by: MatchBy
    value: str


def issuer_of(kind: ProviderKind, told: str) -> str:
    """The issuer of a form's field: an address, or Microsoft's directory. Raises BadIssuer, BadDirectory."""
    told = told.strip()
    if kind is ProviderKind.GOOGLE:
        return GOOGLE
    if kind is ProviderKind.MICROSOFT:
        # `common` and `organizations` would let in whoever has an account anywhere.
        if not _DIRECTORY.fullmatch(told):
            raise BadDirectory
        return f"https://login.microsoftonline.com/{told.lower()}/v2.0"
    if not told.isascii() or any(c.isspace() for c in told) or set(told) & set('?#"<>'):
        raise BadIssuer
    return told


def domains_of(text: str) -> tuple[str, ...]:
    """The domains of a form's field. Raises BadDomain for what is none, and for those that everybody has."""
    found = tuple(
        dict.fromkeys(part.strip().lstrip("@").lower() for part in re.split(r"[\s,;]+", text) if part)
    )
    for domain in found:
        if not _DOMAIN.fullmatch(domain) or domain in PUBLIC_DOMAINS:
            raise BadDomain(None, domain=domain)
    return found


def asserted(provider: ProviderFacts, subject: str, claims: Mapping[str, Any]) -> Asserted:
    """What counts of the claims: a matching address only where it is confirmed and the school's, else nothing."""
    if provider.match_by is not MatchBy.EMAIL:
        return Asserted(subject, provider.match_by, _text(claims.get(provider.claim)))
    email = _confirmed_email(provider, claims).lower()
    local, _, domain = email.rpartition("@")
    return Asserted(subject, MatchBy.EMAIL, email if local and domain in provider.domains else "")


def _confirmed_email(provider: ProviderFacts, claims: Mapping[str, Any]) -> str:
    if provider.kind is ProviderKind.MICROSOFT:
        # `email` is what an administrator typed; the user principal name lies in a domain that Microsoft has verified.
        return _text(claims.get("preferred_username"))
    if provider.kind is ProviderKind.SAML:
        return _text(claims.get("email"))  # the school's own directory says it, signed
    if provider.kind is ProviderKind.GOOGLE and _text(claims.get("hd")).lower() not in provider.domains:
        return ""  # somebody's own Google account that carries a school's address
    return _text(claims.get("email")) if claims.get("email_verified") is True else ""


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        value = value[0] if len(value) == 1 else ""
    return value.strip() if isinstance(value, str) else ""


def may_open(*, is_known_here: bool, leads_elsewhere: bool, by_owner: bool) -> bool:
    """Whether a school's provider may open an account: of its own people only, and, where the account leads to other
    schools, too, only once its owner has said so. Whoever rules the provider could otherwise enter the other school.
    """
    return is_known_here and (by_owner or not leads_elsewhere)


def is_someone(person_ids: Collection[int]) -> bool:
    """Whether what was asserted fits exactly one person. An address that a family shares fits nobody."""
    return len(person_ids) == 1
