"""Large pages go compressed: who waits for one on a phone waits for its bytes (docs/decisions/0020-compressed-pages.md)."""

import gzip
import secrets
from collections.abc import Callable
from io import BytesIO
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

#: Shorter answers fit into the first packets anyway.
SHORTEST: Final = 4096
#: Beyond it the time grows faster than what is spared.
LEVEL: Final = 4
#: The length of an answer must not tell what is in it to who can have it asked again and again: so many bytes more or less.
MOST_PADDING: Final = 100
KINDS: Final = ("text/html", "application/json", "application/problem+json", "text/csv", "text/calendar")


class CompressMiddleware:
    """Compress what is text and long enough, for browsers that understand it. Streamed answers go as they come."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not _is_worth_it(response):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.content = compressed(response.content)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.content))
        return response


def _is_worth_it(response: HttpResponse) -> bool:
    return (
        not response.streaming
        and len(response.content) >= SHORTEST
        and response.headers.get("Content-Type", "").startswith(KINDS)
        and not response.has_header("Content-Encoding")
    )


def compressed(content: bytes) -> bytes:
    """As gzip, with padding of a random length where gzip keeps a file's name."""
    packed = BytesIO()
    padding = "a" * secrets.randbelow(MOST_PADDING)
    with gzip.GzipFile(padding, "wb", LEVEL, packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()
