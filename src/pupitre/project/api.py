"""The HTTP API below /api/v1: every context's part, put together. What holds for all operations stands here."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import URLPattern, URLResolver, path
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser

from pupitre.attendance.api import router as attendance
from pupitre.connections import problems
from pupitre.connections.description import completed, learn, scopes_by_operation
from pupitre.courses.api import router as courses
from pupitre.devices.api import router as devices
from pupitre.kernel.errors import DomainError, NotFound
from pupitre.messaging.api import router as messaging
from pupitre.people.access import open_to_all
from pupitre.timetable.api import router as timetable


class StrictParser(Parser):
    """JSON as the standard has it, and called so."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type not in ("application/json", "application/merge-patch+json"):
            raise problems.WrongMedia
        try:
            return json.loads(request.body, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise problems.Unreadable from None


def _no_number(word: str) -> Any:
    raise ValueError(word)


class PupitreAPI(NinjaAPI):
    """Operations are called as the functions are: short names for whoever makes a client of the description."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = PupitreAPI(
    title="Pupitre",
    version="1",
    description="The school's work for other systems: people, classes, timetable, registers, absences, notices and devices.",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    parser=StrictParser(),
)
for part in (courses, timetable, attendance, messaging, devices):
    api.add_router("", part)


@api.exception_handler(DomainError)
def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    return problems.domain_problem(request, error)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problems.invalid(error)


@api.exception_handler(HttpError)
def _by_http(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What django-ninja refuses; of a body that was not understood the parser has said why."""
    said = error.__context__
    return _refused(request, said) if isinstance(said, DomainError) else problems.by_http(error)


@api.exception_handler(Exception)
def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Whoever stands outside answers it: the middlewares, and at last Django's own handler, which logs it."""
    raise error


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """The API in OpenAPI 3.1. Made once; it is the same for every school."""
    return completed(api.get_openapi_schema(path_prefix="/api/v1/"), scopes_by_operation(api))


learn(described)


@lru_cache(maxsize=1)
def _told() -> tuple[bytes, str]:
    data = json.dumps(described(), ensure_ascii=False, separators=(",", ":")).encode()
    return data, f'"{hashlib.sha256(data).hexdigest()[:32]}"'


@open_to_all
def openapi(request: HttpRequest) -> HttpResponse:
    """The description for programs."""
    data, tag = _told()
    unchanged = get_conditional_response(request, etag=tag)
    if isinstance(unchanged, HttpResponseNotModified):
        return unchanged
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    return HttpResponse(data, content_type="application/json", headers=headers)


@csrf_exempt
@open_to_all
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Nothing is here; said as problem+json, in development, too."""
    raise NotFound


urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/openapi.json", openapi, name="api-description"),
    path("api/v1/", api.urls),
    path("api/<path:rest>", nowhere, name="api-nowhere"),
]
