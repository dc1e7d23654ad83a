"""The header `Idempotency-Key`, for every write of the API alike."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.http import HttpRequest, HttpResponse

from pupitre.tenancy.rules import SchoolFacts

from .actions.repeating import claim_key, keep_answer
from .rules import Machine
from .rules.repeating import Answered, key_told

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def done_once(
    request: HttpRequest,
    school: SchoolFacts,
    machine: Machine,
    run: Callable[[], HttpResponse],
    *,
    now: datetime,
) -> HttpResponse:
    """Run a request, or answer as it was answered when it came with this key before.

    What was refused has left nothing behind, so it is not kept: sent again, it is tried again.
    """
    if request.method not in _WRITES or HEADER not in request.headers:
        return run()
    key = key_told(request.headers[HEADER])
    fingerprint = fingerprint_of(request)
    before = claim_key(machine, key, fingerprint, now=now)
    if before is not None:
        return _replayed(before)
    answer = run()
    if answer.status_code < 400:
        told = Answered(answer.status_code, answer.content.decode())
        keep_answer(school, machine, key, fingerprint, told, now=now)
    return answer


def _replayed(before: Answered) -> HttpResponse:
    answer = HttpResponse(before.body, status=before.status, content_type="application/json; charset=utf-8")
    if not before.body:
        del answer.headers["Content-Type"]
    answer.headers[REPLAYED] = "true"
    return answer


def fingerprint_of(request: HttpRequest) -> str:
    """What tells one request from another: method, address and body; of an upload its fields and files."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    for name, values in sorted(request.POST.lists()):
        digest.update(f"{name}={values}\n".encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest.update(f"{name}:{file.name}:{file.size}\n".encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.hexdigest()
