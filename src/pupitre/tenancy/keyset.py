"""Long lists in slices: each goes on behind the last row of the one before, found by the index and not by counting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows of a list, as tuples of the columns asked for; `following` is the key to go on behind, None at the end."""

    rows: list[tuple[Any, ...]]
    following: tuple[Any, ...] | None


def slice_of(
    found: "QuerySet[Model]",
    columns: Sequence[str],
    *,
    by: str,
    after: tuple[Any, ...] | None,
    limit: int,
    descending: bool = False,
) -> Slice:
    """The next rows in the order of (`by`, id) behind `after`, which is such a pair. One statement.

    `by` may be "id". The first bound alone is what an index can use; the second leaves the rows of before out.
    """
    way, bound = ("-", "lt") if descending else ("", "gt")
    keys = ["id"] if by == "id" else [by, "id"]
    if after is not None and len(keys) == 1:
        found = found.filter(**{f"id__{bound}": after[0]})
    elif after is not None:
        found = found.filter(**{f"{by}__{bound}e": after[0]})
        found = found.filter(Q(**{f"{by}__{bound}": after[0]}) | Q(**{f"id__{bound}": after[1]}))
    ordered = found.order_by(*(way + key for key in keys))
    rows = list(ordered.values_list(*keys, *columns)[: limit + 1])
    more = len(rows) > limit
    width = len(keys)
    return Slice([row[width:] for row in rows[:limit]], tuple(rows[limit - 1][:width]) if more else None)
