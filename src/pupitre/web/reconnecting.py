"""A database that restarts is noticed, and costs nobody more than a moment.

Connections are kept for as long as a thread lives, and none is asked whether it still works: that would be a round trip for
each page. What the server says before it hangs up waits in the socket, and looking there costs microseconds.
"""

import select
from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]

#: The server is going, gone or not there yet, or has no connection left; everything else is about the statement.
_CONNECTION_LOST = ("08", "57P01", "57P02", "57P03", "53300")


class ReconnectMiddleware:
    """Outermost: begin each request with a connection that is alive; ask a safe one again whose connection died under it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _has_something_to_say() and not connection.is_usable():
            connection.close()
        response = self.get_response(request)
        if getattr(response, "database_was_lost", False):
            connection.close()
            if request.method in {"GET", "HEAD"} and isinstance(request, WSGIRequest):
                # A new request: the first one may remember half of what it asked the database.
                response = self.get_response(WSGIRequest(request.environ))
        return response


def is_lost(error: BaseException | None) -> bool:
    """Whether this error, or one that led to it, means that the connection to the database broke."""
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError):
            state = getattr(error.__cause__, "sqlstate", None)
            if state is None or state.startswith(_CONNECTION_LOST):
                return True
        error = error.__cause__ or error.__context__
    return False


def _has_something_to_say() -> bool:
    """Whether the server spoke without being asked, which it seldom does but to say good-bye."""
    held: Any = connection.connection
    if held is None or connection.in_atomic_block:
        return False
    if held.closed:
        return True
    sight = select.poll()
    sight.register(held.pgconn.socket, select.POLLIN)
    return bool(sight.poll(0))
