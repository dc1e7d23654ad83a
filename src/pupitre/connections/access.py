"""Marks on machine doors: which scope a door asks for."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest

from .rules import Machine, NotSignedIn, Scope

#: Where a mark keeps its scope, for the description of the API.
SCOPE: Final = "asked_scope"


def machine_of(request: HttpRequest) -> Machine:
    """The connection that asks. Raises NotSignedIn where none does."""
    machine: Machine | None = getattr(request, "machine", None)
    if machine is None:
        raise NotSignedIn
    return machine


def machine(scope: Scope) -> Callable[[HttpRequest], Any]:
    """What a django-ninja operation names as its `auth`: a connection with that scope."""

    def authenticate(request: HttpRequest) -> Machine:
        found = machine_of(request)
        found.require(scope)
        return found

    setattr(authenticate, SCOPE, scope)
    return authenticate
