"""Who asks at the doors for machines: sets the scope for the whole view and loads the actor, as people's middleware does."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, transaction
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.rules import OFFICE, Actor
from pupitre.tenancy import queries as tenancy
from pupitre.tenancy.scoping import scope
from pupitre.web.middleware import MACHINE_DOORS, error_page

from . import actions, queries
from .actions import metering
from .problems import BodyTooLarge, Impossible, made_problem, problem
from .repeating import done_once
from .rules import NotSignedIn, Presented, presented
from .rules.metering import seconds_left

Handler = Callable[[HttpRequest], HttpResponse]
API = "/api/"
Teller = Callable[[HttpRequest, DomainError], HttpResponse]

_tellers: dict[str, Teller] = {}


def tell_errors(prefix: str, teller: Teller) -> None:
    """Below this address a protocol has a shape of its own for errors; elsewhere they are problem+json."""
    _tellers[prefix] = teller


def error_answer(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The error as the protocol at this address tells it."""
    for prefix, teller in _tellers.items():
        if request.path.startswith(prefix):
            return teller(request, error)
    return error_page(request, error)


class MachineMiddleware:
    """Runs every view below a machine door in one transaction whose scope is the token's school.

    A view gets `request.machine` and `request.actor`; without a good token it gets neither and no scope, and refuses by
    `access.machine`. What a view answers with 400 or more leaves nothing behind in the database.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        if not request.path.startswith(MACHINE_DOORS):
            return None
        return _spoken(request, lambda: _let_in(request, lambda: view(request, *args, **kwargs)))


def _let_in(request: HttpRequest, run: Callable[[], HttpResponse]) -> HttpResponse:
    token = _token(request)
    try:
        return run() if token is None else _in_school(request, token, run)
    except DomainError as error:
        return error_answer(request, error)


def _spoken(request: HttpRequest, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Below the API every refusal is problem+json, also one of Django's own."""
    if not request.path.startswith(API):
        return run()
    try:
        return made_problem(run())
    except RequestDataTooBig:
        return error_page(request, BodyTooLarge())
    except (SuspiciousOperation, BadRequest, MultiPartParserError):
        return problem(400)
    except (DataError, OverflowError):
        # A number, date or text that no column can hold; what was done before it is undone already.
        return error_page(request, Impossible())


def _token(request: HttpRequest) -> Presented | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return presented(token.strip()) if kind.lower() == "bearer" else None


def _in_school(request: HttpRequest, token: Presented, run: Callable[[], HttpResponse]) -> HttpResponse:
    now = clock.now()
    try:
        answer = _answered(request, token, run, now)
    finally:
        machine = getattr(request, "machine", None)
        if machine is not None:
            metering.share_count(token.school_id, machine.connection_id, now=now)
    return answer


def _answered(
    request: HttpRequest, token: Presented, run: Callable[[], HttpResponse], now: datetime
) -> HttpResponse:
    with scope(token.school_id):
        found = queries.find_machine(token, now)
        if found is None:
            raise NotSignedIn
        school = tenancy.school_by_id(token.school_id)
        with scope(school.id, account=found.account_id, savepoint=False):
            request.machine = found  # type: ignore[attr-defined]
            request.actor = Actor(found.account_id, school, 0, OFFICE, name=found.name)  # type: ignore[attr-defined]
            left = metering.count_request(found.connection_id, now=now)
            actions.note_use(found, now=now)
            if request.path.startswith(API):
                answer = done_once(request, school, found, run, now=now)
            else:
                answer = run()
            if answer.status_code >= 400:
                transaction.set_rollback(True)
            answer.headers["RateLimit-Limit"] = str(metering.PER_MINUTE)
            answer.headers["RateLimit-Remaining"] = str(left)
            answer.headers["RateLimit-Reset"] = str(seconds_left(now))
            return answer
