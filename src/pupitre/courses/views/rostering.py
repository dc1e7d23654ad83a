"""OneRoster 1.2's rostering service (REST), for other systems: one view answers all of its endpoints."""

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse, JsonResponse

from pupitre.connections.access import machine_of
from pupitre.connections.middleware import tell_errors
from pupitre.connections.rules import Machine, Scope
from pupitre.courses.actions import rostering as actions
from pupitre.courses.queries import rostering as queries
from pupitre.courses.rules.rostering.asking import UnfitValue, UnknownField, asked_of, fields_of, links_of
from pupitre.courses.rules.rostering.filtering import UnfitFilter
from pupitre.courses.rules.rostering.resources import (
    DEMOGRAPHICS,
    Endpoint,
    Resource,
    core_of,
    endpoint_at,
)
from pupitre.courses.rules.rostering.telling import Telling, status_info
from pupitre.kernel import clock
from pupitre.kernel.errors import Busy, DomainError, NotFound
from pupitre.people.access import actor_of, open_to_all
from pupitre.web.middleware import told

SERVICE = "/ims/oneroster/rostering/v1p2"

# The docstrings of errors that these endpoints tell stay in English: the standard's readers are programs' makers.
_MINOR: Mapping[type[DomainError], str] = {
    UnfitFilter: "invalid_filter_field",
    UnknownField: "invalid_selection_field",
    UnfitValue: "invaliddata",
}


class OnlyRead(DomainError):
    """The rostering service is read by GET."""

    status = 405


@open_to_all
def rostering(request: HttpRequest, rest: str) -> HttpResponse:
    """A collection or a single thing of the school that the token belongs to."""
    machine = machine_of(request)
    if request.method not in ("GET", "HEAD"):
        raise OnlyRead
    found = endpoint_at(rest)
    if found is None:
        raise NotFound
    endpoint, identifiers = found
    _check(machine, endpoint)
    actor = actor_of(request)
    if endpoint.parents and not queries.has_parents(actor, endpoint, identifiers):
        raise NotFound
    answer = _single if endpoint.is_single else _collection
    return answer(request, endpoint, identifiers)


def _check(machine: Machine, endpoint: Endpoint) -> None:
    """The scopes of the standard: birth data apart, the core, and all the rest."""
    if endpoint.resource is DEMOGRAPHICS:
        machine.require(Scope.ONEROSTER_DEMOGRAPHICS)
    elif not (endpoint.core and Scope.ONEROSTER_CORE in machine.scopes):
        machine.require(Scope.ONEROSTER)


def _known_to(machine: Machine, endpoint: Endpoint) -> Resource:
    """What the connection may know of the endpoint's things."""
    return endpoint.resource if Scope.ONEROSTER in machine.scopes else core_of(endpoint.resource)


def _single(request: HttpRequest, endpoint: Endpoint, identifiers: Sequence[str]) -> HttpResponse:
    resource = _known_to(machine_of(request), endpoint)
    fields = fields_of(dict(request.GET.lists()), resource)
    row = queries.find_thing(actor_of(request), endpoint, identifiers[-1])
    if row is None:
        raise NotFound
    actions.note_reading(actor_of(request), endpoint.resource, [row], now=clock.now())
    return JsonResponse(
        {endpoint.resource.one: _telling(request).of(endpoint.resource, row, fields or resource.told)}
    )


def _collection(request: HttpRequest, endpoint: Endpoint, identifiers: Sequence[str]) -> HttpResponse:
    query, resource = dict(request.GET.lists()), _known_to(machine_of(request), endpoint)
    asked = asked_of(query, resource)
    parent = identifiers[-1] if identifiers else ""
    found = queries.things_for(actor_of(request), endpoint, asked, parent=parent)
    actions.note_reading(actor_of(request), endpoint.resource, found.rows, now=clock.now())
    telling, fields = _telling(request), asked.fields or resource.told
    answer = JsonResponse({resource.many: [telling.of(resource, row, fields) for row in found.rows]})
    answer.headers["X-Total-Count"] = str(found.total)
    answer.headers["Link"] = links_of(request.build_absolute_uri(request.path), query, asked, found.total)
    return answer


def _telling(request: HttpRequest) -> Telling:
    return Telling(request.build_absolute_uri(SERVICE))


def _error(request: HttpRequest, error: DomainError) -> HttpResponse:
    """What went wrong, in the standard's payload."""
    payload = status_info(error.status, told(error), _MINOR.get(type(error), ""))
    answer = JsonResponse(payload, status=error.status)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if error.status == 405:
        answer.headers["Allow"] = "GET, HEAD"
    if isinstance(error, Busy):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


tell_errors("/ims/", _error)


@open_to_all
def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    """Below /ims/ there is nothing else, and the standard's programs are told so in their own words."""
    raise NotFound
