"""What a request to the rostering service asks for: a page of a collection, its order, its fields. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from pupitre.kernel.errors import DomainError

from .filtering import Alternatives, FieldKind, parse_filter
from .resources import Resource

USUAL_LIMIT: Final = 100
#: Who asks for more gets this many and the address of the next page.
MOST: Final = 2000
_NUMBER: Final = re.compile(r"\d{1,9}")


class UnfitValue(DomainError):
    """%(parameter)s cannot be “%(value)s”."""


class UnknownField(DomainError):
    """There is no field “%(field)s” here."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of a collection. `fields` is empty where everything is wanted; `sort` where the order does not matter."""

    limit: int = USUAL_LIMIT
    offset: int = 0
    sort: str = ""
    descending: bool = False
    alternatives: Alternatives = ()
    fields: frozenset[str] = frozenset()


def asked_of(query: Mapping[str, Sequence[str]], resource: Resource) -> Asked:
    """Read the parameters of a collection. Raises UnfitValue, UnknownField or UnfitFilter."""
    told = {name: values[-1] for name, values in query.items() if values}
    for name, value in told.items():
        if "\0" in value:
            raise UnfitValue(None, parameter=name, value="\\0")
    order = told.get("orderBy", "asc").lower()
    if order not in ("asc", "desc"):
        raise UnfitValue(None, parameter="orderBy", value=told["orderBy"][:40])
    filtered = told.get("filter", "").strip()
    return Asked(
        min(_number("limit", told, USUAL_LIMIT, least=1), MOST),
        _number("offset", told, 0, least=0),
        _sort(told.get("sort", "").strip(), resource),
        order == "desc",
        parse_filter(filtered, resource.fields) if filtered else (),
        fields_of(query, resource),
    )


def fields_of(query: Mapping[str, Sequence[str]], resource: Resource) -> frozenset[str]:
    """The fields chosen, by commas or by repetition; a dotted one is told with the whole field that it lies in."""
    names = [name.strip() for value in query.get("fields", ()) for name in value.split(",")]
    chosen = set()
    for name in filter(None, names):
        head = name.partition(".")[0]
        if head not in resource.told or (head != name and name not in resource.fields):
            raise UnknownField(None, field=name[:80])
        chosen.add(head)
    return frozenset(chosen)


def _number(name: str, told: Mapping[str, str], usual: int, *, least: int) -> int:
    value = told.get(name, "")
    if not value:
        return usual
    if not _NUMBER.fullmatch(value) or int(value) < least:
        raise UnfitValue(None, parameter=name, value=value[:40])
    return int(value)


def _sort(name: str, resource: Resource) -> str:
    if name and resource.fields.get(name) in (None, FieldKind.WORDS, FieldKind.PARTS):
        raise UnknownField(None, field=name[:80])
    return name


def links_of(address: str, query: Mapping[str, Sequence[str]], asked: Asked, total: int) -> str:
    """The Link header (RFC 8288): the first, previous, next and last page, as far as there are any."""
    limit, offset = asked.limit, asked.offset
    pages = {"first": 0}
    if offset + limit < total:
        pages["next"] = offset + limit
    if offset > 0:
        pages["prev"] = max(0, min(offset, total) - limit)
    pages["last"] = max(0, total - 1) // limit * limit
    kept = [
        (name, value) for name, values in query.items() if name not in ("limit", "offset") for value in values
    ]
    return ", ".join(
        f'<{address}?{urlencode([*kept, ("limit", limit), ("offset", at)])}>; rel="{rel}"'
        for rel, at in pages.items()
    )
