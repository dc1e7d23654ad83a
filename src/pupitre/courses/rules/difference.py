"""What an import changes: a three-way comparison of the last import, the school as it is now, and the file.

For one kind of row. What the school changed by hand since the last import is kept and shown, unless the user takes the
file's value. Comparing the same file again after its plan was carried out gives a plan that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from pupitre.courses.rules.roster import Mode

Values = Mapping[str, object]
TakeFromFile = Callable[[str, str], bool]

PRESENCE = "presence"
"""The name under which ending and restoring stand among a row's fields."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A row as it stands somewhere: its values, and whether it has ended."""

    values: Values
    is_ended: bool = False


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field gets the file's value."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row to create, to update or to restore, with the fields that change."""

    key: str
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """The school's own value stands against the file's; it is kept unless the user takes the file's.

    field is PRESENCE where the school ended or restored the row by hand. both_changed: the file, too, says something
    else than at the last import; otherwise it only repeats what the school has changed since.
    """

    key: str
    field: str
    last: object
    now: object
    incoming: object
    both_changed: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, row by row, in the order of the file; ended rows in the order of the school."""

    creates: tuple[RowChange, ...] = ()
    updates: tuple[RowChange, ...] = ()
    ends: tuple[str, ...] = ()
    restores: tuple[RowChange, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    unchanged: int = 0

    @property
    def changes_nothing(self) -> bool:
        """Whether carrying it out leaves the school as it is; conflicts are kept values, not changes."""
        return not (self.creates or self.updates or self.ends or self.restores)


def keep_the_schools(_key: str, _field: str) -> bool:
    """The default answer to every conflict."""
    return False


def difference(
    last_imported: Mapping[str, Standing],
    now_in_school: Mapping[str, Standing],
    incoming: Mapping[str, Values],
    *,
    mode: Mode = Mode.BULK,
    tobedeleted: Collection[str] = (),
    take_from_file: TakeFromFile = keep_the_schools,
) -> Plan:
    """The plan that brings the file into the school.

    last_imported: what the last import's file said (see `settled`). incoming: only the fields that the file tells; a
    field that is not there is left alone. In bulk, a row that came from a file and is in this one no longer ends; a row
    that the school made itself does not. take_from_file(key, field) answers conflicts.
    """
    comparison = _Comparison(last_imported, now_in_school, take_from_file)
    for key, values in incoming.items():
        comparison.arrive(key, values)
    explicit = frozenset(tobedeleted)
    gone: Iterable[str] = (
        now_in_school if mode is Mode.BULK else [key for key in now_in_school if key in explicit]
    )
    for key in gone:
        if key not in incoming:
            comparison.leave(key, is_named=key in explicit)
    return comparison.plan()


def settled(
    last_imported: Mapping[str, Standing],
    incoming: Mapping[str, Values],
    *,
    mode: Mode = Mode.BULK,
    tobedeleted: Collection[str] = (),
) -> dict[str, Standing]:
    """What to remember as the last import once the plan was carried out: the file's word, also where it lost."""
    explicit = frozenset(tobedeleted)
    remembered = {
        key: Standing(standing.values, standing.is_ended or mode is Mode.BULK or key in explicit)
        for key, standing in last_imported.items()
    }
    for key, values in incoming.items():
        before = last_imported[key].values if key in last_imported else {}
        remembered[key] = Standing({**before, **values})
    return remembered


_MISSING = object()


class _Comparison:
    def __init__(
        self, last: Mapping[str, Standing], now: Mapping[str, Standing], take_from_file: TakeFromFile
    ) -> None:
        self._last, self._now, self._take = last, now, take_from_file
        self._creates: list[RowChange] = []
        self._updates: list[RowChange] = []
        self._restores: list[RowChange] = []
        self._ends: list[str] = []
        self._conflicts: list[Conflict] = []
        self._unchanged = 0

    def plan(self) -> Plan:
        return Plan(
            tuple(self._creates),
            tuple(self._updates),
            tuple(self._ends),
            tuple(self._restores),
            tuple(self._conflicts),
            self._unchanged,
        )

    def arrive(self, key: str, values: Values) -> None:
        """A row of the file: new, known, or ended before."""
        last, now = self._last.get(key), self._now.get(key)
        if now is not None and not now.is_ended:
            self._compare_fields(key, values, last, now)
        elif self._was_ended_by_hand(last, now) and self._keeps(key, PRESENCE, last, "ended", "active"):
            self._unchanged += 1
        elif now is None:
            changes = tuple(FieldChange(name, None, value) for name, value in values.items())
            self._creates.append(RowChange(key, changes))
        else:
            changes = self._changes(key, values, last, now)
            self._restores.append(RowChange(key, changes))

    def leave(self, key: str, *, is_named: bool) -> None:
        """A row that the file no longer has, or names as deleted."""
        last, now = self._last.get(key), self._now[key]
        if now.is_ended:
            return
        is_the_schools = last is None and not is_named
        is_restored_by_hand = last is not None and last.is_ended
        if is_the_schools or (is_restored_by_hand and self._keeps(key, PRESENCE, last, "active", "ended")):
            self._unchanged += 1
        else:
            self._ends.append(key)

    @staticmethod
    def _was_ended_by_hand(last: Standing | None, now: Standing | None) -> bool:
        if last is None:
            return now is not None
        return not last.is_ended

    def _keeps(self, key: str, field: str, last: Standing | None, now: str, incoming: str) -> bool:
        if self._take(key, field):
            return False
        before = None if last is None else "ended" if last.is_ended else "active"
        self._conflicts.append(Conflict(key, field, before, now, incoming, before not in (None, incoming)))
        return True

    def _compare_fields(self, key: str, values: Values, last: Standing | None, now: Standing) -> None:
        changes = self._changes(key, values, last, now)
        if changes:
            self._updates.append(RowChange(key, changes))
        else:
            self._unchanged += 1

    def _changes(
        self, key: str, values: Values, last: Standing | None, now: Standing
    ) -> tuple[FieldChange, ...]:
        before: Values = last.values if last is not None else {}
        changes = []
        for name, value in values.items():
            current = now.values.get(name)
            if current == value:
                continue
            told = before.get(name, _MISSING)
            if told == current or self._take(key, name):
                changes.append(FieldChange(name, current, value))
                continue
            earlier = None if told is _MISSING else told
            self._conflicts.append(Conflict(key, name, earlier, current, value, told != value))
        return tuple(changes)
