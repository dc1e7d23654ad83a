"""An import changes what the file changed, keeps what the school changed by hand and shows it, and is idempotent."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from pupitre.courses.rules.difference import (
    PRESENCE,
    Conflict,
    FieldChange,
    Plan,
    RowChange,
    Standing,
    TakeFromFile,
    difference,
    keep_the_schools,
    settled,
)
from pupitre.courses.rules.roster import Mode

School = dict[str, Standing]

KEYS = st.sampled_from("abcd")
VALUES = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "y", "z"])}, optional={"phone": st.sampled_from(["", "1", "2"])}
)
STANDINGS = st.dictionaries(KEYS, st.builds(Standing, VALUES, st.booleans()))
INCOMING = st.dictionaries(KEYS, VALUES)
MODES = st.sampled_from(Mode)
ANSWERS = st.sampled_from([keep_the_schools, lambda _key, _field: True, lambda _key, field: field == "name"])


def carried_out(plan: Plan, now: Mapping[str, Standing]) -> School:
    """The school after the plan: what the importing action does with rows of the database."""
    after = dict(now)
    for change in (*plan.creates, *plan.updates, *plan.restores):
        before = now[change.key].values if change.key in now else {}
        after[change.key] = Standing({**before, **{each.field: each.after for each in change.changes}})
    for key in plan.ends:
        after[key] = Standing(now[key].values, is_ended=True)
    return after


@given(STANDINGS, STANDINGS, INCOMING, MODES, st.sets(KEYS), ANSWERS)
def test_the_same_file_twice_changes_nothing(
    last: School,
    now: School,
    incoming: dict[str, dict[str, str]],
    mode: Mode,
    gone: set[str],
    answer: TakeFromFile,
) -> None:
    plan = difference(last, now, incoming, mode=mode, tobedeleted=gone, take_from_file=answer)
    after = carried_out(plan, now)
    last_after = settled(last, incoming, mode=mode, tobedeleted=gone)
    again = difference(last_after, after, incoming, mode=mode, tobedeleted=gone, take_from_file=answer)
    assert again.changes_nothing
    assert all(not conflict.both_changed for conflict in again.conflicts)


@given(STANDINGS, STANDINGS, INCOMING, MODES, st.sets(KEYS))
def test_nothing_the_school_changed_is_lost_without_being_shown(
    last: School, now: School, incoming: dict[str, dict[str, str]], mode: Mode, gone: set[str]
) -> None:
    plan = difference(last, now, incoming, mode=mode, tobedeleted=gone)
    after = carried_out(plan, now)
    shown = {(conflict.key, conflict.field) for conflict in plan.conflicts}
    for key, values in incoming.items():
        if key not in now:
            continue
        for name, value in values.items():
            mine = now[key].values.get(name)
            is_by_hand = key not in last or name not in last[key].values or last[key].values[name] != mine
            if is_by_hand and mine != value:
                assert after[key].values.get(name) == mine
                assert (key, name) in shown or (key, PRESENCE) in shown


@given(STANDINGS, STANDINGS, INCOMING, st.sets(KEYS))
def test_a_delta_touches_only_what_it_names(
    last: School, now: School, incoming: dict[str, dict[str, str]], gone: set[str]
) -> None:
    after = carried_out(difference(last, now, incoming, mode=Mode.DELTA, tobedeleted=gone), now)
    for key in now.keys() - incoming.keys() - gone:
        assert after[key] == now[key]


@given(STANDINGS, STANDINGS, INCOMING)
def test_who_takes_everything_from_the_file_gets_the_file(
    last: School, now: School, incoming: dict[str, dict[str, str]]
) -> None:
    after = carried_out(difference(last, now, incoming, take_from_file=lambda _key, _field: True), now)
    for key, values in incoming.items():
        assert not after[key].is_ended
        assert {name: after[key].values[name] for name in values} == values


ANNA = {"name": "Anna", "phone": "1"}


def test_a_new_row_is_created_and_a_changed_one_updated() -> None:
    last = {"a": Standing(ANNA)}
    plan = difference(last, last, {"a": {**ANNA, "phone": "2"}, "b": {"name": "Ben"}})
    assert plan == Plan(
        creates=(RowChange("b", (FieldChange("name", None, "Ben"),)),),
        updates=(RowChange("a", (FieldChange("phone", "1", "2"),)),),
    )


def test_who_vanished_from_a_complete_file_is_ended_and_comes_back_restored() -> None:
    last = {"a": Standing(ANNA)}
    assert difference(last, last, {}).ends == ("a",)
    ended = {"a": Standing(ANNA, is_ended=True)}
    assert difference(ended, ended, {"a": ANNA}).restores == (RowChange("a"),)


def test_who_was_added_by_hand_does_not_vanish_with_the_file() -> None:
    plan = difference({}, {"h": Standing({"name": "Hand"})}, {})
    assert plan == Plan(unchanged=1)


def test_a_change_by_hand_is_kept_and_shown() -> None:
    last, now = {"a": Standing(ANNA)}, {"a": Standing({**ANNA, "phone": "9"})}
    assert difference(last, now, {"a": ANNA}) == Plan(
        conflicts=(Conflict("a", "phone", "1", "9", "1", both_changed=False),), unchanged=1
    )
    both = difference(last, now, {"a": {**ANNA, "phone": "2"}})
    assert both.conflicts == (Conflict("a", "phone", "1", "9", "2", both_changed=True),)


def test_who_was_ended_by_hand_stays_ended_and_is_shown() -> None:
    last, now = {"a": Standing(ANNA)}, {"a": Standing(ANNA, is_ended=True)}
    plan = difference(last, now, {"a": ANNA})
    assert plan.changes_nothing
    assert [conflict.field for conflict in plan.conflicts] == [PRESENCE]


def test_a_column_that_the_file_does_not_have_leaves_the_value_alone() -> None:
    last = {"a": Standing(ANNA)}
    assert difference(last, last, {"a": {"name": "Anna"}}) == Plan(unchanged=1)
