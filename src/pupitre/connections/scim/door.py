"""SCIM's requests and answers as Django has them."""

import json
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from scim2_models import SCIMException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation
from scim2_server.service import ScimService

from pupitre.connections.access import machine_of
from pupitre.connections.rules import Scope
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of

from .resources import PROVIDER
from .storage import Storage, as_scim

ROOT: Final = "/scim/v2"
_SERVICE: Final = ScimService(PROVIDER)


def answer(request: HttpRequest, path: str) -> HttpResponse:
    """Serve one request. What is served at all needs no token (RFC 7643, 5); everything else the scope `scim`."""
    asked = ScimRequest(
        method=request.method or "GET",
        base_url=f"{settings.CONFIG.base_url}{ROOT}",
        path=f"/{path}",
        query=request.GET.dict(),
        headers=dict(request.headers),
        body=request.body,
    )
    try:
        return _as_django(_served(request, asked))
    except SCIMException as error:
        return _as_django(_SERVICE.error_response(error))
    except DomainError as error:
        return tell(request, error)


def _served(request: HttpRequest, asked: ScimRequest) -> ScimResponse:
    machine = getattr(request, "machine", None)
    if machine is None and _is_open(asked):
        with PROVIDER:
            return _SERVICE.service_provider_config(asked.url, asked.query)
    machine_of(request).require(Scope.SCIM)
    return ScimHandler(_SERVICE, Storage(actor_of(request), clock.now())).handle(asked)


def _is_open(asked: ScimRequest) -> bool:
    with PROVIDER:
        return _SERVICE.match(asked).operation is Operation.service_provider_config


def tell(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A domain error with SCIM's payload, for whatever fails below /scim/."""
    return _as_django(_SERVICE.error_response(as_scim(error)))


def _as_django(response: ScimResponse) -> HttpResponse:
    body = b"" if response.body is None else json.dumps(response.body, ensure_ascii=False).encode()
    made = HttpResponse(body, status=int(HTTPStatus(response.status)))
    if response.body is None:
        response.headers.pop("Content-Type", None)
        del made.headers["Content-Type"]
    for name, value in response.headers.items():
        made.headers[name] = value
    made.headers.setdefault("Cache-Control", "no-store")
    return made
