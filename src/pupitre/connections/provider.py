"""allauth's OpenID provider, told our house's ways: a tool is one school's, and is told of that school's people alone."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.internal.private_keys import filter_keys
from allauth.idp.oidc.models import Client, PrivateKey
from django.conf import settings
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidTokenError

from pupitre.tenancy.scoping import scope

from .queries import tools as queries
from .rules.keys import school_of
from .rules.tools import CHOICES, ToolScope

#: When the oldest of the keys was made, as far as allauth has to know: it signs by the newest.
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
_CLAIMS: Final = [
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "nonce",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "locale",
    "email",
    "email_verified",
    "school",
    "sourcedId",
    "roles",
    "classes",
]


class ToolProvider(DefaultOIDCAdapter):  # type: ignore[misc]
    """What `IDP_OIDC_ADAPTER` names. Every question is asked in the scope of the school that the client's id names."""

    def get_issuer(self) -> str:
        return str(settings.CONFIG.base_url)

    def get_user_sub(self, client: Client, user: Any) -> str:
        """The tool's own name for the account: another tool has another one, so that they cannot put theirs together."""
        with scope(school_of(client.pk) or 0):
            tool = queries.find_tool(client.pk)
            grant = tool and queries.find_grant(tool, account_id=user.pk)
        if not grant:
            raise InvalidGrantError(description="The person has not let the tool know her.")
        return grant.subject

    def get_user_by_sub(self, client: Client, sub: str) -> Any:
        """The account that bears that name in the tool, where it may use the tool at this moment."""
        with scope(school_of(client.pk) or 0):
            tool = queries.find_tool(client.pk)
            grant = tool and queries.find_grant(tool, subject=sub)
            if not tool or not grant or queries.find_user(tool, grant.account) is None:
                return None
            return grant.account

    def get_claims(
        self,
        purpose: str,
        user: Any,
        client: Client,
        scopes: Iterable[str],
        email: str | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """What the tool is told, at sign-in and at every later question: nothing of who has left since."""
        with scope(school_of(client.pk) or 0, account=user.pk):
            tool = queries.find_tool(client.pk)
            if tool is None:
                _refuse(purpose)
            grant = queries.find_grant(tool, account_id=user.pk)
            actor = queries.find_user(tool, user)
            if grant is None or actor is None:
                _refuse(purpose)
            return {"sub": grant.subject, **queries.claims_of(actor, user, set(scopes) & set(grant.scopes))}

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        """What allauth could do, narrowed to what we let it do, under the installation's one address."""
        del data["device_authorization_endpoint"]
        for name, value in data.items():
            if isinstance(value, str) and name != "issuer":
                data[name] = self.get_issuer() + urlsplit(value).path
        data |= {
            "subject_types_supported": ["pairwise"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "scopes_supported": [ToolScope.OPENID, *CHOICES, ToolScope.OFFLINE],
            "claims_supported": _CLAIMS,
        }

    def list_private_keys(
        self, *, did_activate: bool | None = None, is_active: bool | None = None
    ) -> list[PrivateKey]:
        """The installation's keys, those that do not sign any more, too: what they signed is still checked by them."""
        pems = settings.CONFIG.keys_that_sign()
        ages = range(len(pems), 0, -1)
        keys = [
            PrivateKey(pem=pem, issued_at=_BEGINNING + timedelta(days=age))
            for pem, age in zip(pems, ages, strict=True)
        ]
        return list(filter_keys(keys, did_activate=did_activate or None, is_active=is_active or None))


def _refuse(purpose: str) -> NoReturn:
    told = "The person may not use the tool any more."
    raise (
        InvalidTokenError(description=told) if purpose == "userinfo" else InvalidGrantError(description=told)
    )
