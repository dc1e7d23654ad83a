"""The token endpoint: a connection's secret is exchanged for a token of an hour (OAuth 2, client credentials)."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from pupitre.connections import actions, queries
from pupitre.connections.rules import presented
from pupitre.connections.rules.granting import (
    Client,
    GrantError,
    check_grant,
    client_of,
    scopes_asked,
    told_scopes,
)
from pupitre.kernel import clock
from pupitre.kernel.errors import TooMany
from pupitre.people import sign_in
from pupitre.people.access import open_to_all
from pupitre.tenancy.scoping import scope

_FORM = "application/x-www-form-urlencoded"
#: Failures only: a client that succeeds may come as often as it likes.
_RATES = "60/10m/ip,20/10m/key"


@csrf_exempt
@open_to_all
def token(request: HttpRequest) -> HttpResponse:
    """An access token for a client that shows its secret. Errors are the standard's."""
    try:
        form = _form(request)
        check_grant(form)
        client = client_of(request.headers.get("Authorization", ""), form)
        usage = sign_in.count_attempt(
            request, "token", _RATES, key=f"{client.school_id}.{client.connection_id}"
        )
        answer = _granted(client, form)
        usage.rollback()
    except GrantError as error:
        answer = _refused(error)
    except TooMany:
        answer = JsonResponse({"error": "slow_down"}, status=429, headers={"Retry-After": "600"})
    answer.headers["Cache-Control"], answer.headers["Pragma"] = "no-store", "no-cache"
    return answer


def _form(request: HttpRequest) -> Mapping[str, str]:
    if request.method != "POST":
        raise GrantError("invalid_request", "Ask by POST.", status=405)
    if request.content_type != _FORM:
        raise GrantError("invalid_request", f"Send {_FORM}.")
    if any(len(values) > 1 for _, values in request.POST.lists()):
        raise GrantError("invalid_request", "A parameter stands twice.")
    return request.POST.dict()


def _granted(client: Client, form: Mapping[str, str]) -> HttpResponse:
    now, shown = clock.now(), presented(client.secret)
    if shown is None or shown.is_access or shown.school_id != client.school_id:
        raise client.refusal()
    with scope(client.school_id):
        machine = queries.find_machine(shown, now)
        if machine is None or machine.connection_id != client.connection_id:
            raise client.refusal()
        asked = scopes_asked(form.get("scope", ""), machine.scopes)
        access = actions.give_access(client.school_id, machine, asked, now=now)
        actions.note_use(machine, now=now)
    return JsonResponse(
        {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(actions.ACCESS_LASTS.total_seconds()),
            "scope": told_scopes(asked),
        }
    )


def _refused(error: GrantError) -> HttpResponse:
    answer = JsonResponse({"error": error.word, "error_description": error.why}, status=error.status)
    if error.by_basic and error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="pupitre"'
    if error.status == 405:
        answer.headers["Allow"] = "POST"
    return answer
