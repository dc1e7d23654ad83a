"""Long lists come in pages, each with a cursor to the next: rows that are added meanwhile neither hide nor repeat others."""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import BaseModel, ConfigDict, Field

from pupitre.kernel.errors import Refused

from .wire import Cursor, Limit, example_of

Item = TypeVar("Item")
USUAL: Final = 50


class WrongCursor(Refused):
    """This cursor does not belong to this list. Begin again without one."""


class Paged(Schema):
    """The part of a list that is asked for."""

    limit: Limit = Field(USUAL, description="How many rows to answer with at most.", examples=[USUAL])
    cursor: Cursor | None = Field(
        None, description="The `next` of the page before; without it the first page.", examples=["WyJhIiwxXQ"]
    )


#: What an operation that answers a list names as its last parameter.
Part = Query[Paged]


def _page_example(schema: dict[str, Any], model: type[BaseModel]) -> None:
    (kind,) = model.__pydantic_generic_metadata__["args"] or (None,)
    items = [example_of(kind)] if isinstance(kind, type) and issubclass(kind, BaseModel) else []
    schema["examples"] = [{"items": items, "next": None}]


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra=_page_example)

    items: list[Item] = Field(description="The rows, in the list's order.")
    next: str | None = Field(
        description="The cursor of the next page, or null on the last one.", examples=["WyJhIiwxXQ"]
    )


def cursor_of(key: Sequence[Any] | None) -> str | None:
    """The place behind a row, given the row's sort key and number."""
    if key is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).rstrip(b"=").decode()


def key_of(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The sort key and number that a cursor holds. Raises WrongCursor where they are not of these kinds."""
    if cursor is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise WrongCursor from None
    if not isinstance(found, list) or [type(part) for part in found] != list(kinds):
        raise WrongCursor
    if any(isinstance(part, int) and abs(part) > 2**62 for part in found) or "\0" in str(found):
        raise WrongCursor
    return tuple(found)


def page_of(
    request: HttpRequest, response: HttpResponse, items: Sequence[Any], following: Sequence[Any] | None
) -> dict[str, Any]:
    """The answer to a list's operation: rows, the next cursor, and the same as a `Link`."""
    cursor = cursor_of(following)
    if cursor is not None:
        query = request.GET.copy()
        query["cursor"] = cursor
        address = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        response.headers["Link"] = f'<{address}>; rel="next"'
    return {"items": items, "next": cursor}
