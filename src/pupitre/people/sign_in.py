"""allauth, told our house's ways: nobody signs up alone, and who we are is what the school says."""

import base64
import hashlib
import logging
import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.internal.flows.login import (
    get_authentication_records,
    perform_login,
    record_authentication,
)
from allauth.account.middleware import AccountMiddleware
from allauth.account.models import Login
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from pupitre.kernel.errors import TooMany
from pupitre.kernel.events import publish

from . import queries
from .access import DEVICE, device_of
from .rules.events import SignedOut, SignedOutEverywhere
from .rules.invitations import is_username
from .sessions import SessionStore

_log = logging.getLogger(__name__)
#: What allauth asks its adapter for; here so that all six languages have it.
MESSAGES = {
    "account_inactive": _("This account rests. The school's office can tell you why."),
    "cannot_remove_primary_email": _("The main address cannot be removed."),
    "duplicate_email": _("This address is already in your account."),
    "email_password_mismatch": _("The user name, the e-mail or the password is not right."),
    "username_password_mismatch": _("The user name, the e-mail or the password is not right."),
    "email_taken": _("This address belongs to another account."),
    "enter_current_password": _("Enter your password until now."),
    "incorrect_code": _("This code is not right."),
    "incorrect_password": _("This password is not right."),
    "invalid_login": _("The user name, the e-mail or the password is not right."),
    "invalid_or_expired_key": _("This link does not work any more."),
    "invalid_password_reset": _("This link does not work any more."),
    "too_many_login_attempts": _("Too many attempts. Wait a few minutes, then try again."),
    "unknown_email": _("There is no account with this address."),
    "unverified_primary_email": _("The main address must be confirmed first."),
    "username_taken": _("The user name is taken. Choose another one."),
    "same_as_current": _("The new one is the same as the old one."),
    "rate_limited": _("Too many attempts. Wait a few minutes, then try again."),
    "add_email_blocked": _("Switch off the second step before you add an address."),
    "cannot_delete_authenticator": _("The second step cannot be switched off."),
    "cannot_generate_recovery_codes": _("Recovery codes need a second step that is set up."),
    "unverified_email": _("Confirm your e-mail address first."),
}
_WEAK = frozenset({"card", "socialaccount"})
_KEEPS_SESSION = frozenset({"account_change_password", "account_set_password"})
_WAYS = {
    "reauthenticate": _("Use your password"),
    "mfa_reauthenticate": _("Use a code from your app"),
    "mfa_reauthenticate:webauthn": _("Use your passkey"),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts come from rosters and invitations."""

    error_messages = {**DefaultAccountAdapter.error_messages, **MESSAGES}

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if request.user.is_authenticated and request.user.pk != user.pk:
            _tell_signed_out(request)
        return answer

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        if device := device_of(request):
            request.session[DEVICE] = device
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        return answer

    def logout(self, request: HttpRequest) -> None:
        _tell_signed_out(request)
        super().logout(request)

    def set_password(self, user: Any, password: str) -> None:
        """A new password ends all sessions, but the one in which it is changed by who knew the old one."""
        super().set_password(user, password)
        request = self.request
        match = request.resolver_match if request else None
        stays = match is not None and match.url_name in _KEEPS_SESSION
        publish(SignedOutEverywhere(user.pk, device_of(request) if stays and request else ""))

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Only who is signed in confirms her address. A mistyped one is a stranger's, who would otherwise confirm it,
        have a new password sent, and be in.
        """
        if request.user.pk != email_address.user_id:
            return False
        return bool(super().confirm_email(request, email_address))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Any,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """That something changed in an account is told to its confirmed address."""
        own = queries.confirmed_addresses().filter(user_id=user.pk)
        known = own.filter(email=email) if email else own.filter(primary=True)
        if address := known.values_list("email", flat=True).first():
            super().send_notification_mail(template_prefix, user, context, address)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/account"

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever has just signed in is not asked once more: allauth's timeout counts from second askings alone.

        A class card opens no more than a child’s pages, so signing in with one proves nothing here; nor does the word of a
        school’s identity provider, which is the school’s.
        """
        return bool(super().is_reauthentication_required(app=app, **kwargs)) and not _came_just_now(
            self.request
        )

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [{**way, "description": _WAYS[way["id"]]} for way in ways]


def _tell_signed_out(request: HttpRequest) -> None:
    if request.user.is_authenticated:
        publish(SignedOut(request.user.pk, device_of(request)))


class SessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    """The list of an account's sessions. What `USERSESSIONS_ADAPTER` names."""

    def end_sessions(self, sessions: Any) -> None:
        for session in sessions:
            device = SessionStore(session.session_key).get(DEVICE, "")
            publish(SignedOut(session.user_id, device))
        super().end_sessions(sessions)


def _came_just_now(request: HttpRequest | None) -> bool:
    if request is None or not request.user.is_authenticated:
        return False
    ways = get_authentication_records(request, request.user)
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT
    return any(way["at"] > since and way["method"] not in _WEAK for way in ways)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The name an authenticator application shows; secrets that a copy of the database alone does not give away."""

    error_messages = {**DefaultMFAAdapter.error_messages, **MESSAGES}

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(secret: str) -> Fernet:
    key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"pupitre.factor").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def answer_to(request: HttpRequest, error: Exception) -> HttpResponse:
    """What allauth answers to its own exceptions: asking again for the password, and the like."""
    answer: HttpResponse = _allauth.process_exception(request, error)
    return answer


def _nothing(request: HttpRequest) -> HttpResponse:
    raise NotImplementedError(request.path)


_allauth = AccountMiddleware(_nothing)


def let_in(request: HttpRequest, account: Any, *, method: str, then: str = "") -> HttpResponse:
    """Sign the account in by what was proved outside of allauth (a letter's code, a card). A second factor that the
    account has is still asked for. The session gets a new key, and is emptied where somebody else was signed in.
    """
    record_authentication(request, account, method=method)
    answer: HttpResponse = perform_login(request, Login(user=account, redirect_url=then or None))
    return answer


def ask_to_confirm(request: HttpRequest, account: Any) -> None:
    """Send the link that confirms what the account's owner typed. Without a mail server that answers, the account's page
    sends it later: nobody's activation fails for it.
    """
    for address in account.emailaddress_set.filter(verified=False):
        try:
            send_verification_email_to_address(request, address)
        except OSError:  # smtplib's errors, too
            _log.warning("a confirmation could not be sent", exc_info=True)


def fit_username(name: str) -> None:
    """Raises ValidationError where the name cannot be a user name."""
    if not is_username(name.lower()):
        raise ValidationError(
            _("A user name has 3 to 40 small letters, digits, dots or dashes, and begins with a letter.")
        )


#: What ACCOUNT_USERNAME_VALIDATORS names.
USERNAME_VALIDATORS = [fit_username]


def count_attempt(request: HttpRequest, action: str, rates: str, key: str = "") -> ratelimit.RateLimitUsage:
    """Count one attempt against `rates` ("30/10m/ip,5/h/key") in the cache all processes share. Raises TooMany.

    The answer's `rollback()` takes it back: whoever succeeds has not used up anything. The attempt counts only when the
    view answers; one that lets an error through rolls it back with everything else.
    """
    usage = ratelimit.consume(
        request, app="pupitre.people", action=action, config={action: rates}, key=key or None
    )
    if usage is None:
        raise TooMany
    return usage
