"""The office's page of connections: which there are, a new one, and the end of one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from pupitre.connections import actions, queries
from pupitre.connections.rules import Scope
from pupitre.connections.rules.granting import client_id
from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.access import actor_of, only
from pupitre.people.rules import OFFICE
from pupitre.web.middleware import told
from pupitre.web.pages import render, see

from .words import GROUPS, labels_of


@only(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def connections(request: HttpRequest, school: str) -> HttpResponse:
    """The connections; POST makes one, whose secret the answer shows and no page ever again."""
    return _made(request, school) if request.method == "POST" else _page(request, school)


def _made(request: HttpRequest, school: str) -> HttpResponse:
    known = {scope.value for scope in Scope}
    chosen = [Scope(one) for one in request.POST.getlist("scope") if one in known]
    name = request.POST.get("name", "").replace("\0", "")
    try:
        row, secret = actions.open_connection(actor_of(request), name=name, scopes=chosen, now=clock.now())
    except DomainError as error:
        return _page(request, school, problem=told(error), name=name, chosen=chosen, status=error.status)
    answer = _page(request, school, secret=secret, new=str(row), client=client_id(row.school_id, row.pk))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(request: HttpRequest, school: str, *, status: int = 200, **more: Any) -> HttpResponse:
    actor = actor_of(request)
    rows = [(row, labels_of(row.scopes)) for row in queries.connections_for(actor)]
    context = {
        "school": school,
        "zone": actor.place.time_zone,
        "open": [pair for pair in rows if pair[0].revoked_at is None],
        "ended": [pair for pair in rows if pair[0].revoked_at is not None],
        "groups": GROUPS,
        "secret": "",
        "problem": "",
        "name": "",
        "chosen": (),
        **more,
    }
    return render(request, "connections/connections.html", context, status=status)


@only(*OFFICE)
@require_POST
def revocation(request: HttpRequest, school: str, connection: int) -> HttpResponse:
    """Shut a connection out, at once."""
    actions.revoke_connection(actor_of(request), connection, now=clock.now())
    messages.success(request, _("The connection is shut out."))
    return see(request, "connections", school=school)
