"""Addresses of files for devices: signed, ending by themselves, and the same for all devices of a week.

    /files/<expires>-<site>-<budget>-<mac>/<sha256>/<key>/<name>

The mac (HMAC-SHA256, half of it, in hexadecimal) is over everything before it and the hash and key. `site` is the school
whose budget the download counts against and `budget` its megabytes an hour; 0 for none. That all devices are given the same
address lets a site's cache serve them. `name` is for people and not signed.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

_WEEK: Final = 7 * 86400
_FORM: Final = re.compile(
    r"/files/(\d{9,11})-(\d{1,18})-(\d{1,9})-([0-9a-f]{32})/([0-9a-f]{64})/([^/?#]+)(?:/([^/?#]*))?"
)


@dataclass(frozen=True, slots=True)
class Download:
    """What an address allows: this object with this SHA-256, until `expires` (seconds since 1970)."""

    key: str
    sha256: str
    expires: int
    site: int = 0
    budget: int = 0  # megabytes an hour
    name: str = ""


def sign_download(
    secret: bytes,
    key: str,
    sha256: str,
    expires: datetime,
    *,
    site: int = 0,
    budget: int = 0,
    name: str = "",
) -> str:
    """The path of the address. `secret` is `kernel.signing.derived(config.secret_key, DOWNLOADS)`."""
    return path_of(secret, Download(key, sha256, int(expires.timestamp()), site, budget, name))


#: The purpose of the key (`kernel.signing.derived`).
DOWNLOADS: Final = "downloads"


def path_of(secret: bytes, found: Download) -> str:
    """The path of the address of this download."""
    path = f"/files/{found.expires}-{found.site}-{found.budget}-{_mac(secret, found)}/{found.sha256}/{quote(found.key, safe='')}"
    return f"{path}/{quote(found.name, safe='')}" if found.name else path


def read_download(path: str, secrets: tuple[bytes, ...]) -> Download | None:
    """What this path (as it was asked for, still quoted) allows; None where nobody of us signed it."""
    parts = _FORM.fullmatch(path)
    if parts is None:
        return None
    expires, site, budget, mac, sha256, key, name = parts.groups()
    found = Download(unquote(key), sha256, int(expires), int(site), int(budget), unquote(name or ""))
    if any(hmac.compare_digest(_mac(secret, found), mac) for secret in secrets):
        return found
    return None


def expiry_for(now: datetime) -> datetime:
    """Two to three weeks from now, the same for everybody asked within a week."""
    begins = int(now.timestamp()) // _WEEK * _WEEK
    return datetime.fromtimestamp(begins, UTC) + timedelta(weeks=3)


def _mac(secret: bytes, found: Download) -> str:
    told = f"{found.expires}-{found.site}-{found.budget}\n{found.sha256}\n{found.key}"
    return hmac.digest(secret, told.encode(), "sha256").hex()[:32]
