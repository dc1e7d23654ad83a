"""Security headers, and the one place that turns domain errors into pages."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext

from pupitre.kernel.errors import Busy, DomainError

from .pages import render

Handler = Callable[[HttpRequest], HttpResponse]
#: Below these addresses machines ask: nobody is asked for a session, no cookie counts, and errors are problem+json.
MACHINE_DOORS = ("/api/", "/ims/", "/scim/", "/oauth/")

# No inline style or script anywhere, so the policy needs no nonce. Images of people come as data or from ourselves.
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class HeadersMiddleware:
    """Put the security headers on every answer; personal pages are never kept by shared caches."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if settings.SESSION_COOKIE_SECURE:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        _name_account(request, response)
        return response


def _name_account(request: HttpRequest, response: HttpResponse) -> None:
    """Tell the service worker whose page this is: it keeps pages per account, and forgets them when another signs in."""
    account = getattr(request, "_cached_user", None)  # only where the view asked: an asset needs no session
    if account is not None and response.headers.get("Content-Type", "").startswith("text/html"):
        response.headers["Pupitre-Account"] = str(account.pk or 0)


class BodyLimitMiddleware:
    """Refuse a body that is too large before anything reads it: Django writes uploads to the disk as they come.

    Who shows no session sends forms of a few kilobytes. The largest thing that anybody else sends is a region's roster.
    """

    OPEN, SIGNED_IN = 1024 * 1024, 256 * 1024 * 1024

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        shows_who = settings.SESSION_COOKIE_NAME in request.COOKIES or (
            request.path.startswith(MACHINE_DOORS) and "Authorization" in request.headers
        )
        limit = self.SIGNED_IN if shows_who else self.OPEN
        if length.isdecimal() and int(length) <= limit:
            return self.get_response(request)
        if request.path.startswith(MACHINE_DOORS):
            return plain_problem(413, gettext("This is too large."))
        return HttpResponse(
            gettext("This is too large."), status=413, content_type="text/plain; charset=utf-8"
        )

    @classmethod
    def limit_for(cls, environ: Mapping[str, Any]) -> int:
        """How many bytes the sender of this request may send: more for who shows a session or a connection's token."""
        shows = f"{settings.SESSION_COOKIE_NAME}=" in environ.get("HTTP_COOKIE", "")
        shows = shows or environ.get("HTTP_AUTHORIZATION", "").lower().startswith("bearer ")
        return cls.SIGNED_IN if shows else cls.OPEN


class DomainErrorMiddleware:
    """Turn a DomainError that a view let through into its page, or into problem+json for a script."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return error_page(request, error) if isinstance(error, DomainError) else None


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    message = told(error)
    asks_json = "json" in request.headers.get("Accept", "") or request.content_type == "application/json"
    if asks_json or request.path.startswith(MACHINE_DOORS):
        answer: HttpResponse = plain_problem(error.status, message)
    else:
        answer = _page(request, error, message)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Busy):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def plain_problem(status: int, title: str) -> JsonResponse:
    """An error as RFC 9457 has it, without a kind of its own."""
    facts = {"type": "about:blank", "status": status, "title": title}
    return JsonResponse(facts, status=status, content_type="application/problem+json")


def _page(request: HttpRequest, error: DomainError, message: str) -> HttpResponse:
    template = f"web/{error.status}.html" if error.status in (403, 404, 429, 503) else "web/refused.html"
    return render(request, template, {"message": message}, status=error.status)


def told(error: DomainError) -> str:
    """The error's sentence in the reader's language."""
    sentence = " ".join(error.message.split())
    translated = gettext(sentence)
    return translated % error.facts if error.facts else translated


def json_of(request: HttpRequest) -> Any:
    """The request's JSON body, or an empty dict where there is none or it is broken."""
    try:
        return json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        return {}
