"""Addresses of sign-in: to other tools with an account here (OpenID Connect), and here with another house's account."""

from allauth.idp.oidc import views as allauth
from django.urls import include, path

from .views import identity, tools

#: The names are allauth's, which looks its addresses up by them.
_PROVIDER = [
    path(".well-known/openid-configuration", allauth.configuration, name="configuration"),
    path(".well-known/jwks.json", allauth.jwks, name="jwks"),
    path("identity/authorize", tools.Authorization.as_view(), name="authorization"),
    path("identity/token", allauth.token, name="token"),
    path("identity/userinfo", allauth.user_info, name="userinfo"),
    path("identity/revoke", allauth.revoke, name="revoke"),
    path("identity/logout", tools.SignOut.as_view(), name="logout"),
    path("identity/device", tools.no_devices, name="device_authorization"),
    path("identity/device/code", tools.no_devices, name="device_code"),
]
_SAML = "account/saml/<str:organization_slug>"

urlpatterns = [
    path("", include(([path("", include((_PROVIDER, "oidc")))], "idp"))),
    path("s/<slug:school>/tools", tools.tools, name="tools"),
    path("s/<slug:school>/tools/<int:tool>", tools.tool, name="tool"),
    path("s/<slug:school>/tools/<int:tool>/secret", tools.secret, name="tool-secret"),
    path("s/<slug:school>/tools/<int:tool>/revocation", tools.revocation, name="tool-revocation"),
    path("s/<slug:school>/identity", identity.providers, name="identity-providers"),
    path("s/<slug:school>/identity/<int:provider>", identity.provider, name="identity-provider"),
    path(
        "s/<slug:school>/identity/<int:provider>/removal", identity.removal, name="identity-provider-removal"
    ),
    path(
        "s/<slug:school>/identity/<int:provider>/links/<int:link>/end",
        identity.link_end,
        name="identity-link-end",
    ),
    path("s/<slug:school>/own-links/<int:link>/end", identity.own_link_end, name="own-link-end"),
    path("s/<slug:school>/own-grants/<int:grant>/end", identity.own_grant_end, name="own-grant-end"),
    path("account/login/", identity.SignIn.as_view(), name="account_login"),
    path("account/school/", identity.finder, name="school-finder"),
    path("account/identity", identity.own, name="account-identity"),
    path("account/through/<str:key>", identity.entrance, name="identity-entrance"),
    path("account/through/<str:key>/connection", identity.connection, name="identity-connection"),
    path("account/through/<str:key>/callback", identity.callback, name="identity-callback"),
    path(f"{_SAML}/acs/", identity.saml_acs, name="saml_acs"),
    path(f"{_SAML}/acs/finish/", identity.saml_finish, name="saml_finish_acs"),
    path(f"{_SAML}/metadata/", identity.saml_metadata, name="saml_metadata"),
    path(f"{_SAML}/sls/", identity.no_single_logout, name="saml_sls"),
]
