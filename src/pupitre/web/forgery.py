"""The token that a form carries against forged requests, as Django's middleware understands it.

Django draws each of its 32 signs from the system by itself and renews the cookie with every page, which together costs as
much as a statement. Here the mask is drawn at once, and a cookie that is there stays: it lasts a year, and a page that is
asked for without one makes the next.
"""

import os
from typing import Final

from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, get_token

_SIGNS: Final = CSRF_ALLOWED_CHARS
_AT: Final = {sign: number for number, sign in enumerate(_SIGNS)}
_DRAWN: Final = [number % len(_SIGNS) for number in range(256)]


def token_for(request: HttpRequest) -> str:
    """A token for the forms of this page: the cookie's secret under a mask of its own, so that no two pages say the same."""
    secret = request.META.get("CSRF_COOKIE")
    if secret is None:
        return get_token(request)
    mask = [_DRAWN[byte] for byte in os.urandom(len(secret))]
    shifted = [_SIGNS[(_AT[sign] + by) % len(_SIGNS)] for sign, by in zip(secret, mask, strict=True)]
    return "".join([_SIGNS[by] for by in mask] + shifted)
