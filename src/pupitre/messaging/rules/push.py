"""Which addresses a browser may hand over for web push. Pure.

The product sends requests to these addresses, so they must not lead into the installation's own network: only the push
services of the browsers are taken, and this machine where the product itself runs on loopback.
"""

import base64
import binascii
import re
from typing import Final
from urllib.parse import urlsplit

from pupitre.kernel.errors import Refused

#: Chromium and its kin, Firefox, Safari, Edge.
SERVICES: Final = (
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST: Final = 2000
# Without a backslash, about which programs disagree: `https://inside\@push.apple.com/` leads some of them inside.
_PLAIN: Final = re.compile(r"[!-\[\]-~]+")


class UnknownPushService(Refused):
    """This browser's push service is not known. Choose e-mail instead."""


def check_browser(endpoint: str, p256dh: str, auth: str, *, own_host: str) -> None:
    """Refuse an endpoint outside of the known services and keys that are none. `own_host` is the product's."""
    host, is_usual = _host_of(endpoint)
    is_known = is_usual and any(host == name or host.endswith(f".{name}") for name in SERVICES)
    is_here = own_host in _LOOPBACK and host in _LOOPBACK
    if len(endpoint) > LONGEST or not (is_known or is_here):
        raise UnknownPushService
    if len(_decoded(p256dh)) != 65 or len(_decoded(auth)) != 16:
        raise UnknownPushService


def _host_of(endpoint: str) -> tuple[str, bool]:
    """The host, '' where programs could read another one, and whether it is asked by HTTPS at its usual port."""
    try:
        parts = urlsplit(endpoint)
        is_usual = parts.scheme == "https" and parts.port in {None, 443}
    except ValueError:
        return "", False
    if not _PLAIN.fullmatch(endpoint) or "@" in parts.netloc:
        return "", False
    return (parts.hostname or "").lower(), is_usual


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return b""
