"""How marks of several devices become one: what must hold for whatever arrives in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pupitre.attendance.rules.merging import (
    Kind,
    MarkFacts,
    PupilMarks,
    believe,
    choose,
    receive,
    receive_all,
)
from pupitre.attendance.rules.status import OFFICE_DEVICE, Outcome, Status

NINE = datetime(2026, 10, 13, 9, 0, tzinfo=UTC)
PHONE, TABLET = "0a-phone", "1b-tablet"


def mark(status: Status, minute: int, device: str = PHONE, **facts: object) -> MarkFacts:
    return MarkFacts(status, NINE + timedelta(minutes=minute), device, **facts)  # type: ignore[arg-type]


def marks(devices: st.SearchStrategy[str]) -> st.SearchStrategy[MarkFacts]:
    return st.builds(
        MarkFacts,
        status=st.sampled_from(Status),
        recorded_at=st.integers(0, 8).map(lambda minute: NINE + timedelta(minutes=minute)),
        device=devices,
        is_explicit=st.booleans(),
        minutes=st.sampled_from([0, 5]),
        note=st.sampled_from(["", "bus"]),
        recorded_by=st.sampled_from([1, 2]),
    )


ANY = marks(st.sampled_from([PHONE, TABLET, OFFICE_DEVICE]))
DEADLINES = st.none() | st.integers(0, 8).map(lambda minute: NINE + timedelta(minutes=minute))


@given(st.lists(ANY, max_size=8), DEADLINES, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    made: list[MarkFacts], deadline: datetime | None, chance: object
) -> None:
    shuffled = list(made)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    first = receive_all(PupilMarks(), made, deadline=deadline)
    second = receive_all(PupilMarks(), shuffled, deadline=deadline)
    assert first.current == second.current


@given(st.lists(marks(st.just(PHONE)), max_size=4), st.lists(marks(st.just(TABLET)), max_size=4), DEADLINES)
def test_batches_of_two_devices_commute(
    one: list[MarkFacts], two: list[MarkFacts], deadline: datetime | None
) -> None:
    first = receive_all(PupilMarks(), [*one, *two], deadline=deadline)
    second = receive_all(PupilMarks(), [*two, *one], deadline=deadline)
    assert first.current == second.current


@given(st.lists(ANY, max_size=6), DEADLINES)
def test_sending_again_changes_nothing(made: list[MarkFacts], deadline: datetime | None) -> None:
    once = receive_all(PupilMarks(), made, deadline=deadline)
    assert receive_all(once, made, deadline=deadline) == once


@given(st.lists(ANY, max_size=8), DEADLINES)
def test_no_explicit_mark_is_ever_lost(made: list[MarkFacts], deadline: datetime | None) -> None:
    after = receive_all(PupilMarks(), made, deadline=deadline)
    held = [after.current, *(kept.mark for kept in after.kept)]
    assert all(any(m.is_same_act(found) for found in held if found) for m in made if m.is_explicit)


@given(st.lists(ANY, min_size=1, max_size=8))
def test_what_counts_follows_from_the_set_of_all_marks(made: list[MarkFacts]) -> None:
    assert receive_all(PupilMarks(), made).current == choose(made)


@given(st.lists(ANY, min_size=1, max_size=8), DEADLINES)
def test_an_explicit_mark_is_never_overruled_by_one_that_nobody_touched(
    made: list[MarkFacts], deadline: datetime | None
) -> None:
    current = receive_all(PupilMarks(), made, deadline=deadline).current
    in_time = [m for m in made if m.is_explicit and (deadline is None or m.recorded_at <= deadline)]
    assert not in_time or (current is not None and current.is_explicit)


def test_the_later_mark_counts_and_the_teacher_is_told() -> None:
    before = receive(PupilMarks(), mark(Status.ABSENT, 1, TABLET)).marks
    arrival = receive(before, mark(Status.LATE, 5, minutes=5))
    assert arrival.kind is Kind.REPLACED
    assert arrival.other == before.current
    assert [kept.outcome for kept in arrival.newly_kept] == [Outcome.LATER]


def test_an_earlier_mark_that_arrives_later_is_overruled_and_kept() -> None:
    before = receive(PupilMarks(), mark(Status.LATE, 5, TABLET)).marks
    arrival = receive(before, mark(Status.ABSENT, 1))
    assert arrival.kind is Kind.OVERRULED
    assert arrival.marks.current == before.current
    assert arrival.newly_kept[0].mark == mark(Status.ABSENT, 1)


def test_at_the_same_moment_the_names_of_the_devices_decide() -> None:
    before = receive(PupilMarks(), mark(Status.ABSENT, 1, TABLET)).marks
    arrival = receive(before, mark(Status.PRESENT, 1, PHONE))
    assert arrival.marks.current == before.current
    assert arrival.newly_kept[0].outcome is Outcome.TIED


def test_an_excused_absence_stays_excused_unless_the_pupil_came() -> None:
    excused = receive(PupilMarks(), mark(Status.EXCUSED, 3, OFFICE_DEVICE)).marks
    absent = receive(excused, mark(Status.ABSENT, 9))
    assert absent.kind is Kind.JUSTIFIED
    assert absent.newly_kept[0].outcome is Outcome.JUSTIFIED
    came = receive(absent.marks, mark(Status.LATE, 10))
    assert came.marks.current == mark(Status.LATE, 10)


def test_a_mark_made_after_the_closing_is_kept_and_told() -> None:
    before = receive(PupilMarks(), mark(Status.PRESENT, 1)).marks
    closing = NINE + timedelta(minutes=30)
    early = receive(before, mark(Status.ABSENT, 20, TABLET), deadline=closing)
    late = receive(before, mark(Status.ABSENT, 40, TABLET), deadline=closing)
    assert early.kind is Kind.REPLACED
    assert late.kind is Kind.AFTER_CLOSING
    assert late.marks.current == before.current
    assert [kept.outcome for kept in late.newly_kept] == [Outcome.AFTER_CLOSING]


def test_correcting_what_one_has_seen_is_no_surprise() -> None:
    before = receive(PupilMarks(), mark(Status.ABSENT, 1, TABLET)).marks
    arrival = receive(before, mark(Status.PRESENT, 5), has_seen=True)
    assert arrival.kind is Kind.COUNTS
    assert arrival.newly_kept[0].outcome is Outcome.CORRECTED


def test_two_devices_that_agree_are_no_news() -> None:
    before = receive(PupilMarks(), mark(Status.ABSENT, 1, TABLET)).marks
    assert receive(before, mark(Status.ABSENT, 5)).kind is Kind.COUNTS
    assert receive(before, mark(Status.ABSENT, 0)).kind is Kind.KNOWN


def test_a_clock_that_cannot_be_right_is_not_believed() -> None:
    now = NINE + timedelta(minutes=10)
    fine, flagged = believe(mark(Status.ABSENT, 11), starts_at=NINE, now=now)
    assert (fine, flagged) == (mark(Status.ABSENT, 11), False)
    ahead, flagged = believe(mark(Status.ABSENT, 60), starts_at=NINE, now=now)
    assert (ahead.recorded_at, flagged) == (NINE, True)
    behind, flagged = believe(mark(Status.ABSENT, -600), starts_at=NINE, now=now)
    assert (behind.recorded_at, flagged) == (NINE, True)
