"""Pages that belong to no context: the living design page, health, and what makes the product installable."""

import hashlib
import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from pupitre.kernel.errors import Away

from .middleware import MACHINE_DOORS, error_page, plain_problem
from .pages import render
from .reconnecting import is_lost


def design(request: HttpRequest) -> HttpResponse:
    return render(request, "web/design.html")


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("alive\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """The process answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ready\n", content_type="text/plain")


def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "web/offline.html")


def manifest(request: HttpRequest) -> HttpResponse:
    """The web application manifest: what makes Pupitre installable on a phone."""
    icons = [
        {"src": static("web/icons/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        {"src": static("web/icons/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": static("web/icons/icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {
            "src": static("web/icons/maskable-512.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    facts = {
        "name": "Pupitre",
        "short_name": "Pupitre",
        "description": _("The school's day on your phone."),
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f5f1e6",
        "theme_color": "#17372f",
        "icons": icons,
    }
    return JsonResponse(facts, content_type="application/manifest+json")


def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, from the root because its scope is the whole product; its build's facts stand before it."""
    answer = HttpResponse(_worker_source(), content_type="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = "/"
    return answer


def _worker_source() -> str:
    return _read_worker() if settings.DEBUG else _remembered_worker()


@lru_cache(maxsize=1)
def _remembered_worker() -> str:
    return _read_worker()


def _read_worker() -> str:
    """The script, and before it the assets' hashed names. A new build has other names, so the browser installs it anew."""
    script = Path(str(finders.find("web/service-worker.js"))).read_text(encoding="utf-8")
    build: dict[str, Any] = {
        "assets": [static(path) for path in settings.WORKER_ASSETS],
        "scripts": [static(path) for path in settings.WORKER_SCRIPTS],
        "offline": reverse("offline"),
        "signOut": reverse("account_logout"),
    }
    version = hashlib.sha256((json.dumps(build) + script).encode()).hexdigest()[:12]
    return f"self.pupitreBuild = {json.dumps({'version': version, **build})};\n{script}"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.path.startswith(MACHINE_DOORS):
        return plain_problem(400, _("The request is not understood."))
    return render(request, "web/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "web/403.html", {"message": ""}, status=403)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from before the last sign-in, or without cookies: Django's own answer to it is for developers."""
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return render(request, "web/stale.html", {"again": before if is_ours else "/"}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.path.startswith(MACHINE_DOORS):
        return plain_problem(404, _("There is nothing here, or it is not yours to see."))
    return render(request, "web/404.html", {"message": ""}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The last resort: it touches neither the database nor the shell."""
    if is_lost(sys.exc_info()[1]):
        answer = error_page(request, Away())
        answer.database_was_lost = True  # type: ignore[attr-defined]
        return answer
    if request.path.startswith(MACHINE_DOORS):
        return plain_problem(500, "Internal Server Error")
    return render(request, "web/500.html", status=500)
