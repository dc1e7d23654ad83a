"""Where a directory's groups are kept. They stand above this context, so the composition root says who knows them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Final, Protocol

from pupitre.people.rules import Actor


class Source(Protocol):
    """Groups: rows with `id`, `title` and `sourced_id`, and members by the ids of persons."""

    def found(self, actor: Actor) -> Any:
        """A QuerySet of the groups that there are."""

    def members(self, ids: Collection[int], today: date) -> Mapping[int, Sequence[int]]:
        """Who belongs to each today."""

    def of_member(self, person_id: int, today: date) -> Any:
        """A condition on `found`: the groups of that person."""

    def open(self, actor: Actor, *, title: str, sourced_id: str) -> int:
        """A new group; answers its id. '' as sourcedId leaves it to the source."""

    def rename(self, actor: Actor, id_: int, *, title: str) -> None:
        """Another name."""

    def end(self, actor: Actor, id_: int, *, today: date) -> None:
        """The group ends; its rows stay."""

    def set_members(self, actor: Actor, id_: int, person_ids: Collection[int], *, today: date) -> None:
        """Let these persons be its members."""


_learnt: Final[list[Source]] = []


def learn(source: Source) -> None:
    """Say where groups are kept. Saying it again changes nothing."""
    _learnt[:] = [source]


def source() -> Source:
    """Where groups are kept. Raises IndexError before anybody has said it."""
    return _learnt[0]
