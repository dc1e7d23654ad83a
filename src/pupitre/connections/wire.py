"""What goes over the wire: the kinds of fields of requests and answers, each with its description and an example.

A request's fields are strict: what the published schema forbids is refused, and what it allows is understood. Answers are
built from attributes or keys. A model's example is made of its fields' examples, so that there is one place for each.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

_DIGITS: Final = re.compile(r"[0-9]{1,16}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
#: Every number of ours fits into a JavaScript number, too.
LARGEST: Final = 2**53 - 1


def _whole(value: Any) -> Any:
    """JSON knows one kind of number: 5.0 is five. `true` is none, and "5" is a text."""
    if isinstance(value, bool | str):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic tells these as problems
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digits(value: Any) -> Any:
    """A number in an address."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("must be a whole number in digits")
    return value


def _iso_day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a date such as 2026-10-13")
    return date.fromisoformat(value)


def _iso_moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("must be a time with its zone such as 2026-10-13T07:10:00Z")
    found = datetime.fromisoformat(value.upper())
    if found.utcoffset() is None:
        raise ValueError("must say its zone")
    return found


#: In an address: the number of a row, and how many rows.
Id = Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(_digits)]
Limit = Annotated[int, Field(ge=1, le=200), BeforeValidator(_digits)]
#: In a body.
Ref = Annotated[int, Field(ge=1, le=LARGEST, strict=True), BeforeValidator(_whole)]
Count = Annotated[int, Field(ge=0, le=32000, strict=True), BeforeValidator(_whole)]
Order = Annotated[int, Field(ge=1, le=9, strict=True), BeforeValidator(_whole)]
Minutes = Annotated[int, Field(ge=0, le=600, strict=True), BeforeValidator(_whole)]
Flag = StrictBool
Day = Annotated[date, BeforeValidator(_iso_day)]
Moment = Annotated[datetime, BeforeValidator(_iso_moment)]
#: Text of one line or several; PostgreSQL holds no NUL.
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$", strict=True)]
Name = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$")
]
Prose = Annotated[str, Field(max_length=5000, pattern=r"^[^\x00]*$", strict=True)]
Words = Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")]
Cursor = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9_-]+$")]


def told(description: str, example: Any, **limits: Any) -> Any:
    """A field with what it means and an example of it. `default=` makes it optional."""
    return Field(description=description, examples=[plain(example)], **limits)


def _exemplify(schema: dict[str, Any], model: type[BaseModel]) -> None:
    schema["examples"] = [example_of(model)]


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """The example of a model, made of its fields' examples."""
    return {
        field.alias or name: plain(field.examples[0])
        for name, field in model.model_fields.items()
        if field.examples
    }


def plain(value: Any) -> Any:
    """An example as JSON shows it; a model stands for its own example."""
    if isinstance(value, type) and issubclass(value, BaseModel):
        return example_of(value)
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


class Row(BaseModel):
    """What an operation answers."""

    model_config = ConfigDict(
        from_attributes=True, populate_by_name=True, json_schema_extra=_exemplify, title=None
    )


class Sent(BaseModel):
    """What a request's body says. A name that nobody knows is a mistake that its sender wants to hear of."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_exemplify)
