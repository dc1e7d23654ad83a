"""allauth's sign-in by other providers, told our house's ways: a provider is one school's, and opens accounts by its rule.

allauth speaks the protocols. Which providers there are, and whose account one opens, is read from the school's own
tables; allauth's stay empty. Google and Microsoft are OpenID Connect like others: allauth's own modules for them know one
application for the whole installation, and take an address for confirmed that Microsoft does not confirm.
"""

import hmac
import time
from collections.abc import Mapping
from typing import Any, Final

import requests
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.base.provider import ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.kernel.tokens import new_token
from pupitre.people import queries as people
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.web.middleware import told
from pupitre.web.pages import render

from .actions import identity as actions
from .outside import OutsideSession
from .queries import identity as queries
from .rules.identity import ProviderFacts, ProviderKind, asserted

_SCOPE: Final = ["openid", "profile", "email"]
_LONGEST_NAME: Final = 191  # allauth's column, which stays empty, has no room for more
_DESCRIBED_FOR, _MOST_DESCRIBED = 300.0, 500
_described: dict[str, tuple[float, dict[str, Any]]] = {}
_SAML_ATTRIBUTES: Final = {
    **SAMLProvider.default_attribute_mapping,
    "email": [
        *SAMLProvider.default_attribute_mapping["email"],
        "mail",
        "email",
        "http://schemas.xmlsoap.org/claims/EmailAddress",
    ],
}


class SchoolOidcAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """One OpenID provider's addresses and answers, checked further than allauth does."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself; a process remembers it for some minutes, for a whole school that signs in."""
        issuer = self.get_provider().app.settings["server_url"]
        held = _described.get(issuer)
        if held and held[0] > time.monotonic():
            return held[1]
        config: dict[str, Any] = super().openid_config
        # OpenID Connect Discovery 4.3. Otherwise one house could speak in the name of another.
        if not isinstance(config, dict) or config.get("issuer") not in {issuer, f"{issuer}/"}:
            raise OAuth2Error("the provider calls itself otherwise")
        if len(_described) >= _MOST_DESCRIBED:
            _described.clear()
        _described[issuer] = (time.monotonic() + _DESCRIBED_FOR, config)
        return config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("the provider sent no ID token")
        login = super().complete_login(request, app, token, **kwargs)
        said = login.account.extra_data
        # OpenID Connect Core 5.3.2: what userinfo says counts only of whom the signed token names.
        if said.get("userinfo") and said["userinfo"].get("sub") != said["id_token"].get("sub"):
            raise OAuth2Error("userinfo speaks of somebody else")
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """With its signature, which allauth spares where the token came straight from the provider."""
        decoded: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        return decoded

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return callback_url(self.provider_id)


def forget_descriptions() -> None:
    """What providers say of themselves is asked anew: for tests, which change them."""
    _described.clear()


class SchoolOidc(OpenIDConnectProvider):  # type: ignore[misc]
    """One school's OpenID provider."""

    oauth2_adapter_class = SchoolOidcAdapter

    def extract_uid(self, data: Mapping[str, Any]) -> str:
        subject = data["id_token"].get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_NAME:
            raise OAuth2Error("the provider did not say whom it means")
        return subject


def callback_url(key: str) -> str:
    """Where the provider sends people back to: its administrator enters it there."""
    return f"{settings.CONFIG.base_url}{reverse('identity-callback', args=[key])}"


def saml_entity(key: str) -> str:
    """What we are called towards a SAML provider, and where our metadata stands."""
    return f"{settings.CONFIG.base_url}{reverse('saml_metadata', args=[key])}"


def begin(request: HttpRequest, provider: ProviderFacts, *, process: str, then: str) -> HttpResponse:
    """Send the browser to the provider. What comes back must fit this browser, this attempt and this provider."""
    found = as_allauth(request, provider)
    safe = then if get_account_adapter(request).is_safe_url(then) else ""
    more: dict[str, Any] = {}
    if provider.kind is not ProviderKind.SAML:
        nonce = new_token()
        more = {"data": {"nonce": nonce}, "auth_params": {"nonce": nonce}}
    try:
        answer: HttpResponse = found.redirect(request, process, next_url=safe or None, **more)
    except (
        requests.RequestException,
        OAuth2Error,
        ProviderException,
        KeyError,
        ValueError,
        *saml_errors(provider),
    ):
        return failed(
            request,
            provider.school_id,
            _("It does not answer as it should. Try again later, or sign in here."),
        )
    return answer


def saml_errors(provider: ProviderFacts) -> tuple[type[Exception], ...]:
    """What SAML's library raises, which takes its time to load and most never need."""
    if provider.kind is not ProviderKind.SAML:
        return ()
    from onelogin.saml2.errors import OneLogin_Saml2_Error

    return (OneLogin_Saml2_Error,)


def as_allauth(request: HttpRequest, provider: ProviderFacts) -> Any:
    """The provider as allauth knows providers; its application is kept nowhere."""
    if provider.kind is ProviderKind.SAML:
        return SAMLProvider(request, app=_saml_app(provider))
    app = SocialApp(
        provider=SchoolOidc.id,
        provider_id=provider.key,
        name=provider.name[:40],
        client_id=provider.client_id,
        secret=provider.secret,
        settings={"server_url": provider.issuer.rstrip("/"), "oauth_pkce_enabled": True, "scope": _SCOPE},
    )
    return SchoolOidc(request, app=app)


def _saml_app(provider: ProviderFacts) -> SocialApp:
    return SocialApp(
        provider=SAMLProvider.id,
        provider_id=provider.key,
        name=provider.name[:40],
        client_id=provider.key,
        settings={
            "idp": {name: provider.saml.get(name, "") for name in ("entity_id", "sso_url", "x509cert")},
            "sp": {"entity_id": saml_entity(provider.key)},
            "attribute_mapping": _SAML_ATTRIBUTES,
            "advanced": {
                "strict": True,
                "allow_single_label_domains": True,  # a house's own host may be called `school`
                "want_assertion_signed": True,
                "want_attribute_statement": False,
                "reject_deprecated_algorithm": True,
                "reject_idp_initiated_sso": True,
                "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            },
        },
    )


class SchoolAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """What `SOCIALACCOUNT_ADAPTER` names."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        found = queries.find_provider(provider)
        if found is None:
            raise SocialApp.DoesNotExist
        return as_allauth(request, found)

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        found = queries.find_provider(client_id or provider)
        if found is None or (provider == SAMLProvider.id and found.kind is not ProviderKind.SAML):
            raise SocialApp.DoesNotExist
        return as_allauth(request, found).app

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        return []

    def get_requests_session(self) -> requests.Session:
        return OutsideSession()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def can_authenticate_by_email(self, login: SocialLogin, email: str) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Whose account it is that somebody's provider vouched for: allauth goes on with it, second factor included."""
        provider = queries.find_provider(sociallogin.account.provider)
        if provider is None:
            raise ImmediateHttpResponse(failed(request, 0, _("The school does not use it any more.")))
        claims = _claims(provider, sociallogin)
        sociallogin.account.extra_data = {}
        try:
            if sociallogin.state.get("process") == AuthProcess.CONNECT:
                raise ImmediateHttpResponse(_connected(request, provider, sociallogin.account.uid))
            with scope(provider.school_id):
                what = asserted(provider, sociallogin.account.uid, claims)
                sociallogin.user = actions.enter(provider, what, now=clock.now())
        except DomainError as error:
            raise ImmediateHttpResponse(failed(request, provider.school_id, told(error))) from None

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Mapping[str, Any] | None = None,
    ) -> None:
        found = queries.find_provider(provider.sub_id)
        school_id = found.school_id if found else 0
        message = _("The sign-in was not finished. Try again.")
        raise ImmediateHttpResponse(failed(request, school_id, message))


def _claims(provider: ProviderFacts, login: SocialLogin) -> Mapping[str, Any]:
    """What was said, with what was asked for this time only. Raises OAuth2Error where it answers to another attempt."""
    said = login.account.extra_data
    if provider.kind is ProviderKind.SAML:
        email = login.email_addresses[0].email if login.email_addresses else ""
        return {**said, "email": email}
    wanted = (login.state.get("data") or {}).get("nonce", "")
    if not wanted or not hmac.compare_digest(str(said["id_token"].get("nonce", "")), wanted):
        raise OAuth2Error("the answer belongs to another attempt")
    return {**(said.get("userinfo") or {}), **said["id_token"]}


def _connected(request: HttpRequest, provider: ProviderFacts, subject: str) -> HttpResponse:
    school = tenancy.school_by_id(provider.school_id)
    with scope(school.id, account=request.user.pk or 0):
        if not request.user.is_authenticated:
            return redirect("account_login")
        actor = people.actor_in(request.user, school, clock.today(school.time_zone))
        actions.connect(actor, provider, subject, now=clock.now())
    messages.success(request, _("You can sign in with it now."))
    return redirect("account-identity")


def failed(request: HttpRequest, school_id: int, message: str) -> HttpResponse:
    """The page of who did not get in, with the way back to her school's sign-in."""
    back = reverse("account_login")
    if school_id:
        back = f"{back}?school={tenancy.school_by_id(school_id).slug}"
    return render(request, "connections/no_entry.html", {"message": message, "back": back}, status=403)
