"""A SCIM filter as a condition of the database: no request reads everybody to find somebody."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q
from scim2_models import InvalidFilterException, InvalidValueException
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

#: Whatever is compared with an attribute: the operator and the value become a condition.
Compare = Callable[[CompareOperator, Any], Q]
NOTHING: Final = Q(pk__in=())
_LOOKUPS: Final = {
    CompareOperator.eq: "iexact",
    CompareOperator.co: "icontains",
    CompareOperator.sw: "istartswith",
    CompareOperator.ew: "iendswith",
}
_ORDERS: Final = {
    CompareOperator.gt: "gt",
    CompareOperator.ge: "gte",
    CompareOperator.lt: "lt",
    CompareOperator.le: "lte",
}


class Unsupported(InvalidFilterException):
    """A comparison that the database is not asked."""

    _default_detail = "This comparison is not supported for this attribute"


@dataclass(frozen=True, slots=True)
class Attribute:
    """How an attribute is compared, when it is there, and by what it is sorted ('' for: not at all)."""

    compare: Compare
    present: Q
    order: str = ""


def text(column: str, *, order: bool = True, everybody: bool = False) -> Attribute:
    """A column of text; '' counts as absent, unless everybody has one."""
    present = Q() if everybody else ~Q(**{column: ""})

    def compare(op: CompareOperator, value: Any) -> Q:
        if value is None:
            return _absent(op, present)
        if not isinstance(value, str):
            raise Unsupported
        if op is CompareOperator.ne:
            return ~Q(**{f"{column}__iexact": value})
        if op not in _LOOKUPS:
            raise Unsupported
        return present & Q(**{f"{column}__{_LOOKUPS[op]}": value})

    return Attribute(compare, present, column if order else "")


def _absent(op: CompareOperator, present: Q) -> Q:
    if op is CompareOperator.eq:
        return ~present if present else NOTHING
    if op is CompareOperator.ne:
        return present
    raise Unsupported


def flag(holds: Q, order: str = "") -> Attribute:
    """A boolean that is always there."""

    def compare(op: CompareOperator, value: Any) -> Q:
        if op not in {CompareOperator.eq, CompareOperator.ne} or not isinstance(value, bool):
            raise Unsupported
        return holds if value is (op is CompareOperator.eq) else ~holds

    return Attribute(compare, Q(), order)


def constant(word: Any, present: Q) -> Attribute:
    """An attribute that reads the same wherever it is there."""

    def compare(op: CompareOperator, value: Any) -> Q:
        same = str(value).casefold() == str(word).casefold()
        if op is CompareOperator.eq:
            return present if same else NOTHING
        if op is CompareOperator.ne:
            return ~present if same else Q()
        raise Unsupported

    return Attribute(compare, present)


def only_equal(find: Callable[[str], Q], present: Q, order: str = "") -> Attribute:
    """An attribute that is looked up as a whole."""

    def compare(op: CompareOperator, value: Any) -> Q:
        if value is None:
            return _absent(op, present)
        if op is CompareOperator.eq:
            return find(str(value))
        if op is CompareOperator.ne:
            return ~find(str(value))
        raise Unsupported

    return Attribute(compare, present, order)


def moment(find: Callable[[str, datetime], Q], order: str = "") -> Attribute:
    """An instant; `find` gets Django's comparison (gt, gte, lt, lte, exact)."""

    def compare(op: CompareOperator, value: Any) -> Q:
        lookup = _ORDERS.get(op) or {"eq": "exact"}.get(op.value)
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            raise Unsupported from None
        if lookup is None or at.tzinfo is None:
            raise Unsupported
        return find(lookup, at)

    return Attribute(compare, Q(), order)


_MISSING: Final = Attribute(lambda _op, _value: NOTHING, NOTHING)


def by_id(value: str) -> Q:
    return Q(pk=int(value)) if value.isascii() and value.isdecimal() and len(value) < 19 else NOTHING


class Conditions(FilterVisitor[Q]):
    """Turns a filter into a condition. `attributes` are named in lower case, sub-attributes after a dot.

    What a kind does not have matches none of it where several kinds are searched, and is refused where one is (`is_strict`).
    """

    def __init__(
        self, attributes: Mapping[str, Attribute], within: str = "", *, is_strict: bool = True
    ) -> None:
        self._attributes, self._within, self._is_strict = attributes, within, is_strict

    def _find(self, path: AttrPath) -> Attribute:
        name = ".".join(part for part in (self._within, path.attr, path.sub_attr) if part).casefold()
        if name in self._attributes:
            return self._attributes[name]
        if self._is_strict:
            raise Unsupported
        return _MISSING

    def visit_comparison(self, node: Comparison) -> Q:
        return self._find(node.attr_path).compare(node.op, node.value)

    def visit_present(self, node: Present) -> Q:
        return self._find(node.attr_path).present

    def visit_not(self, node: Not) -> Q:
        inner = self.visit(node.expr)
        return ~inner if inner else NOTHING

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        terms = [self.visit(term) for term in node.terms]
        if node.op is LogicalOperator.and_:
            return Q(*terms)
        if not all(terms):
            return Q()  # one of them holds for everybody
        found = NOTHING
        for term in terms:
            found |= term
        return found

    def visit_value_path(self, node: ValuePath) -> Q:
        inside = Conditions(self._attributes, node.attr_path.attr, is_strict=self._is_strict)
        return inside.visit(node.val_filter)


def order_of(attributes: Mapping[str, Attribute], sort_by: Any, *, descending: bool) -> list[Any]:
    """By what the database sorts; ids settle what is equal. Raises InvalidValueException."""
    if sort_by is None:
        return [F("pk").asc()]
    name = str(sort_by).rpartition(":")[2].casefold()
    column = attributes[name].order if name in attributes else ""
    if not column:
        raise InvalidValueException(detail=f"Resources are not sorted by {sort_by}")
    first = F(column).desc() if descending else F(column).asc()
    return [first, F("pk").desc() if descending else F("pk").asc()]
