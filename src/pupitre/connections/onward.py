"""Sending somebody from a page of ours to another house.

Browsers hold a form to `form-action 'self'` through all redirects that follow it, and a sign-in begins with a form. So
whoever comes from a page of ours gets a page that goes on by itself; whoever comes from outside is redirected as usual.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from pupitre.web.pages import render


def onward(request: HttpRequest, response: HttpResponse, name: str = "") -> HttpResponse:
    """The response, or the page that goes on, where it leads out of the house and the way began in it."""
    to = response.headers.get("Location", "")
    if not urlsplit(to).netloc or _is_ours(to) or not _began_here(request):
        return response
    page = render(request, "connections/onward.html", {"to": to, "name": name or urlsplit(to).hostname})
    page.headers["Cache-Control"] = "no-store"
    page.cookies = response.cookies
    return page


def leave(request: HttpRequest, to: str, name: str = "") -> HttpResponse:
    """Go to that address outside."""
    return onward(request, redirect(to), name)


def _is_ours(to: str) -> bool:
    return to.startswith(f"{settings.CONFIG.base_url}/")


def _began_here(request: HttpRequest) -> bool:
    """Our pages tell where they come from to ourselves alone (Referrer-Policy: same-origin)."""
    told = urlsplit(request.headers.get("Referer", "")).netloc
    return request.headers.get("Sec-Fetch-Site") == "same-origin" or told == request.get_host()
