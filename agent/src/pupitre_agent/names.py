"""Names of people's own, made fit for files, and lists of hosts."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any


def file_name(text: str) -> str:
    """A name for a file, of a name that people gave, that no other name has."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40]
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def excepted(proxy: Mapping[str, Any]) -> list[str]:
    """The hosts that are asked without the proxy."""
    found = proxy.get("except") or []
    return [one.strip() for one in (found.split(",") if isinstance(found, str) else found) if one.strip()]
