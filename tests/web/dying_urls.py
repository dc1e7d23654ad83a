"""Pages whose connection to the database dies under them."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from pupitre.project import urls
from pupitre.tenancy.scoping import scope

#: How often each page was asked for.
asked: dict[str, int] = {}


def dies(request: HttpRequest, times: int) -> HttpResponse:
    """The backend is ended in the middle of the first so many requests."""
    asked[request.path] = asked.get(request.path, 0) + 1
    if asked[request.path] <= times:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'alive'")
        return HttpResponse(cursor.fetchone()[0])


def dies_in_scope(request: HttpRequest) -> HttpResponse:
    """The backend has ended when the second scope is set."""
    asked[request.path] = asked.get(request.path, 0) + 1
    if asked[request.path] == 1:
        connection.connection.pgconn.exec_(b"SELECT pg_terminate_backend(pg_backend_pid())")
    with scope(0):
        return HttpResponse("scoped")


def breaks(request: HttpRequest) -> HttpResponse:
    """What is wrong with the statement is no matter of the connection."""
    asked[request.path] = asked.get(request.path, 0) + 1
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1")
        try:
            cursor.execute("SELECT pg_sleep(1)")
        finally:
            cursor.execute("RESET statement_timeout")
    return HttpResponse()


urlpatterns = [
    path("dies/<int:times>/", dies),
    path("dies-in-scope/", dies_in_scope),
    path("breaks/", breaks),
    path("", include(urls)),
]
handler500 = urls.handler500
