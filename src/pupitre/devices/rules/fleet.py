"""Finding devices among many: what a search asks for, and how a device is called. Pure."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final, TypeVar

from pupitre.kernel.text import fold
from pupitre.people.rules import Actor, Role
from pupitre.tenancy.rules import SchoolFacts

from . import Condition, Platform, Standing

_LONGEST: Final = 100
Number = TypeVar("Number", bound=IntEnum)
Word = TypeVar("Word", bound=StrEnum)


class Seen(StrEnum):
    """When a device was last heard of, in days of the database's clock (UTC)."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    LONGER = "longer"
    NEVER = "never"


class Compliance(StrEnum):
    """Whether a device has applied all that it shall."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Wear(StrEnum):
    """What a battery still holds of what it held when it was new."""

    GOOD = "good"  # 80 percent and more
    WORN = "worn"  # 60 and more
    SPENT = "spent"
    UNKNOWN = "unknown"


class Held(StrEnum):
    """Whether somebody has the device."""

    YES = "yes"
    NO = "no"


#: From so many percent on a battery is good, or worn and not yet spent.
GOOD_FROM, WORN_FROM = 80, 60
#: So many days ago still counts as a week, a month.
WEEK, MONTH = 7, 30


@dataclass(frozen=True, slots=True)
class Search:
    """What a list of devices is narrowed to. Nonsense in an address narrows nothing."""

    words: str = ""
    standing: Standing | None = None
    condition: Condition | None = None
    platform: Platform | None = None
    seen: Seen | None = None
    compliance: Compliance | None = None
    wear: Wear | None = None
    held: Held | None = None
    klass: int = 0
    school: int = 0
    model: str = ""
    os_version: str = ""

    def query(self) -> dict[str, str]:
        """As an address says it; what is not asked for is left out."""
        told: dict[str, str] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None and value not in ("", 0):
                told[_NAMES.get(one.name, one.name)] = str(
                    int(value) if isinstance(value, IntEnum) else value
                )
        return told

    @property
    def is_everything(self) -> bool:
        return self == Search()


_NAMES: Final = {"words": "q", "klass": "class", "os_version": "version"}


def search_of(query: Mapping[str, str]) -> Search:
    """The search that an address asks for."""
    return Search(
        words=_text(query.get("q", "")),
        standing=_number(Standing, query.get("standing", "")),
        condition=_number(Condition, query.get("condition", "")),
        platform=_number(Platform, query.get("platform", "")),
        seen=_word(Seen, query.get("seen", "")),
        compliance=_word(Compliance, query.get("compliance", "")),
        wear=_word(Wear, query.get("wear", "")),
        held=_word(Held, query.get("held", "")),
        klass=_id(query.get("class", "")),
        school=_id(query.get("school", "")),
        model=_text(query.get("model", "")),
        os_version=_text(query.get("version", "")),
    )


def narrowed(search: Search, **facts: Any) -> Search:
    return replace(search, **facts)


def _text(told: str) -> str:
    return " ".join(told.replace("\0", "").split())[:_LONGEST]


def _id(told: str) -> int:
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 18 else 0


def _number(kind: type[Number], told: str) -> Number | None:
    return next((one for one in kind if str(int(one)) == told), None)


def _word(kind: type[Word], told: str) -> Word | None:
    return next((one for one in kind if one.value == told), None)


def plain_serial(told: str) -> str:
    """A serial number as we keep it: makers' labels, delivery notes and agents differ in case and blanks."""
    return "".join(told.split()).upper()[:_LONGEST]


def search_key_of(*, serial: str, asset_tag: str, name: str, number: str, model: str) -> str:
    """What a school's search looks in (`models.Device.search_key`)."""
    return fold(f"{serial} {asset_tag} {name} {number} {model}")


def label_of(*, asset_tag: str, name: str, serial: str, number: str) -> str:
    """By what people call a device."""
    return asset_tag or name or serial or number


def seen_between(seen: Seen, today: date) -> tuple[date | None, date | None]:
    """The first and the last day of `seen_on` that count as this; both None for a device that was never heard of."""
    week, month = today - timedelta(days=WEEK), today - timedelta(days=MONTH)
    return {
        Seen.TODAY: (today, None),
        Seen.WEEK: (week, today - timedelta(days=1)),
        Seen.MONTH: (month, week - timedelta(days=1)),
        Seen.LONGER: (None, month - timedelta(days=1)),
        Seen.NEVER: (None, None),
    }[seen]


def delegated(actor: Actor, school: SchoolFacts) -> Actor:
    """The authority's fleet manager as she acts in one of its schools: as its technician would, under her own name."""
    return Actor(actor.account_id, school, 0, frozenset({Role.TECHNICIAN}), name=actor.name)


_NUMBER_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"


def new_number() -> str:
    """By what a device that has no number yet is called in the protocols, such as `d-7f3k9m2q`. It tells nothing."""
    return "d-" + "".join(secrets.choice(_NUMBER_LETTERS) for _ in range(10))
