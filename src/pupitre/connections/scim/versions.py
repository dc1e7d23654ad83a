"""Entity tags: of what a resource says, so that a change by the school's own hand is seen as well as one by SCIM."""

import hashlib
from typing import Any

from scim2_models import PreconditionFailedException, Resource


def version_of(resource: "Resource[Any]") -> str:
    """A weak entity tag of everything that the resource says, its meta apart."""
    said = resource.model_copy(update={"meta": None}).model_dump_json()
    return f'W/"{hashlib.sha256(said.encode()).hexdigest()[:20]}"'


def refuse_other(resource: "Resource[Any]", expected: str | None) -> None:
    """Raises PreconditionFailedException where the resource has been changed meanwhile."""
    if expected is not None and (resource.meta is None or resource.meta.version != expected):
        raise PreconditionFailedException
