"""What scim2-server reads and writes: each kind of resource by its own module."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import Q
from scim2_models import (
    ConflictException,
    InvalidValueException,
    NotFoundException,
    NotImplementedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    SearchRequest,
)
from scim2_server.storage import ScimStorage, SearchPage

from pupitre.kernel import clock
from pupitre.kernel.errors import DomainError
from pupitre.people.rules import Actor
from pupitre.web.middleware import told

from . import filters
from .groups import Groups
from .users import Users
from .versions import refuse_other


class Storage(ScimStorage):
    """The school of the actor, for one request."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        today = clock.local(now, actor.place.time_zone).date()
        self._kinds: dict[str, Any] = {
            "User": Users(actor, now, today),
            "Group": Groups(actor, now, today),
        }

    def _of(self, resource_type: ResourceType) -> Any:
        return self._kinds[str(resource_type.name)]

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: "ResponseParameters[Any] | None" = None,
    ) -> "Resource[Any]":
        found: Resource[Any] = self._of(resource_type).get(resource_id)
        return found

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: "SearchRequest[Any]",
        *,
        position: Any = None,
    ) -> SearchPage:
        """Several kinds come one after the other; then they are not sorted."""
        if len(resource_types) > 1 and search_request.sort_by is not None:
            raise NotImplementedException(detail="Sort below /Users or /Groups")
        start, count = search_request.start_index_0 or 0, search_request.count
        total, resources = 0, list[Resource[Any]]()
        for resource_type in resource_types:
            wanted = None if count is None else count - len(resources)
            of_kind, found = self._search(
                resource_type, search_request, max(start - total, 0), wanted, alone=len(resource_types) == 1
            )
            total += of_kind
            resources += found
        return SearchPage(total, resources)

    def _search(
        self,
        resource_type: ResourceType,
        asked: "SearchRequest[Any]",
        start: int,
        count: int | None,
        *,
        alone: bool,
    ) -> tuple[int, "list[Resource[Any]]"]:
        kind = self._of(resource_type)
        attributes = kind.attributes()
        conditions = filters.Conditions(attributes, is_strict=alone)
        condition = conditions.visit(asked.filter.ast) if asked.filter is not None else Q()
        descending = asked.sort_order == asked.SortOrder.descending
        order = filters.order_of(attributes, asked.sort_by, descending=descending)
        found: tuple[int, list[Resource[Any]]] = kind.search(condition, order, start, count)
        return found

    def create(self, resource_type: ResourceType, resource: "Resource[Any]") -> "Resource[Any]":
        made: Resource[Any] = self._of(resource_type).create(resource)
        return made

    def update(
        self, resource_type: ResourceType, resource: "Resource[Any]", *, expected_version: str | None = None
    ) -> "Resource[Any]":
        kind = self._of(resource_type)
        refuse_other(kind.get(str(resource.id)), expected_version)
        changed: Resource[Any] = kind.update(resource)
        return changed

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        kind = self._of(resource_type)
        refuse_other(kind.get(resource_id), expected_version)
        kind.delete(resource_id)

    def operation(self) -> AbstractContextManager[None]:
        """One operation: what fails leaves nothing behind, also in the middle of a bulk request."""
        return _operation()


@contextmanager
def _operation() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except DomainError as error:
        raise as_scim(error) from error
    except (DataError, IntegrityError) as error:
        raise InvalidValueException(detail="A value cannot be kept as it is") from error


def as_scim(error: DomainError) -> SCIMException:
    """A domain error in SCIM's words."""
    by_status = {404: NotFoundException, 409: ConflictException, 422: InvalidValueException}
    exception: SCIMException = by_status.get(error.status, SCIMException)(detail=told(error))
    exception.status = error.status if error.status != 422 else 400
    return exception
