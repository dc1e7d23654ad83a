"""Errors as machines read them: RFC 9457's problem+json, and nothing else, below the addresses of the API."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja.errors import HttpError, ValidationError

from pupitre.kernel.errors import DomainError
from pupitre.web.middleware import error_page

TYPE: Final = "application/problem+json"


class Unreadable(DomainError):
    """The body is no JSON that can be read."""


class WrongMedia(DomainError):
    """The body must be application/json."""

    status = 415


class BodyTooLarge(DomainError):
    """This is too large."""

    status = 413


class Impossible(DomainError):
    """A number, date or text is beyond what can be kept."""

    status = 422


#: Headers that an answer keeps when it is told in another shape.
KEPT: Final = ("Allow", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
#: What HTTP's own refusals are called.
TITLES: Final = {
    400: gettext_noop("The request is not understood."),
    401: gettext_noop("The token is missing, wrong, revoked or has expired."),
    403: gettext_noop("This is not allowed."),
    404: gettext_noop("There is nothing here, or it is not yours to see."),
    405: gettext_noop("This address does not know that method."),
    413: gettext_noop("This is too large."),
    500: gettext_noop("Something went wrong on our side."),
}


def problem(
    status: int,
    *,
    title: str = "",
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """An error's answer. `errors` point at what is wrong in the request."""
    known = TITLES.get(status)
    facts: dict[str, Any] = {
        "type": "about:blank",
        "status": status,
        "title": title or (_(known) if known else HTTPStatus(status).phrase),
    }
    if errors:
        facts["errors"] = list(errors)
    return JsonResponse(facts, status=status, content_type=TYPE, headers=dict(headers or {}))


def domain_problem(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A domain error by its own status, in the language that the request accepts."""
    return error_page(request, error)


def invalid(error: ValidationError) -> HttpResponse:
    """What of the request the schema forbids: each with where it stands."""
    found = [{"pointer": _pointer(one["loc"]), "message": _message(one["msg"])} for one in error.errors]
    return problem(400, errors=found)


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")


def _pointer(place: Sequence[Any]) -> str:
    """`#/marks/0/code` for a field of the body, `?limit` for one of the address's."""
    where, *path = place
    if where == "body":
        # The first name is that of the body itself, which the sender does not know.
        return "#" + "".join(f"/{_escaped(part)}" for part in path[1:])
    return f"{'?' if where == 'query' else ''}{path[-1] if path else where}"


def _escaped(part: Any) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def by_http(error: HttpError) -> HttpResponse:
    """What django-ninja itself refuses."""
    return problem(error.status_code)


def made_problem(response: HttpResponse) -> HttpResponse:
    """An answer that is an error and no JSON, such as Django's own to a wrong method, as a problem."""
    if response.status_code < 400 or "json" in response.headers.get("Content-Type", ""):
        return response
    kept = {name: response.headers[name] for name in KEPT if name in response.headers}
    return problem(response.status_code, headers=kept)
