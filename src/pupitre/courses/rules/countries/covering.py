"""What files of a part of the school cover, while they are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pupitre.courses.rules.roster import Coverage, RosterRole


@dataclass(slots=True)
class Covering:
    """See `Coverage`; gathered file by file."""

    roles: set[RosterRole] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    whole_classes: set[str] = field(default_factory=set)
    families: bool = False
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unnumbered: set[str] = field(default_factory=set)
    by_name: set[str] = field(default_factory=set)
    untold: dict[str, frozenset[str]] = field(default_factory=dict)

    def leave_alone(self, user: str, facts: Iterable[str]) -> None:
        """The files do not tell these facts about the person."""
        self.untold[user] = frozenset(facts)

    def done(self) -> Coverage:
        return Coverage(
            frozenset(self.roles),
            tuple(sorted(self.people)),
            tuple(sorted(self.classes)),
            tuple(sorted(self.whole_classes)),
            self.families,
            dict(self.aliases),
            frozenset(self.unnumbered),
            frozenset(self.by_name),
            dict(self.untold),
        )
