"""SCIM's door. What speaks it is loaded with the first request: it is large, and most processes never need it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from pupitre.connections.middleware import tell_errors
from pupitre.kernel.errors import DomainError
from pupitre.people.access import open_to_all


@csrf_exempt
@open_to_all
def scim(request: HttpRequest, path: str = "") -> HttpResponse:
    """Whatever lies below /scim/v2; the token decides."""
    from pupitre.connections.scim import door

    return door.answer(request, path)


def _tell(request: HttpRequest, error: DomainError) -> HttpResponse:
    from pupitre.connections.scim import door

    return door.tell(request, error)


tell_errors("/scim/", _tell)
