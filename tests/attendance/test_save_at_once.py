"""Two saves of one register at the same moment: the second waits, reads what the first wrote, and no mark is lost."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from pupitre.attendance.actions import registers as actions
from pupitre.attendance.actions.registers import Taken, Told
from pupitre.attendance.models import Mark, MarkRevision, Register
from pupitre.attendance.rules.status import Status
from tests.cast import NOW, TODAY, Cast, Member
from tests.people.racing import Racing

from .registers import PHONE, TABLET, at


@pytest.fixture
def racing(cast: Cast) -> Iterator[Racing]:
    """What these tests commit is taken away again: the cast's database serves all tests."""
    race = Racing(cast)
    yield race

    def tidy_up() -> None:
        for model in (MarkRevision, Mark, Register):
            model.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")

    race.committed(tidy_up)


def saving(cast: Cast, device: str, minute: int, **late: Member) -> Callable[[], Taken]:
    """A device's batch: somebody came that many minutes after nine."""

    def save() -> Taken:
        told = [Told(one.person.pk, "L", minute, recorded_at=at(minute)) for one in late.values()]
        return actions.take_register(
            cast.teacher.actor,
            lesson_id=cast.lesson.pk,
            held_on=TODAY,
            told=told,
            now=NOW,
            device=device,
            from_device=True,
        )

    return save


def late(racing: Racing) -> set[int]:
    found = racing.committed(
        lambda: list(Mark.objects.filter(status=Status.LATE).values_list("pupil_id", flat=True))
    )
    assert isinstance(found, list)
    return set(found)


def versions(outcomes: list[object]) -> list[int]:
    return [one.version for one in outcomes if isinstance(one, Taken)]


def test_of_two_that_take_it_the_second_merges_into_the_first(cast: Cast, racing: Racing) -> None:
    outcomes = racing.overlapping(
        saving(cast, PHONE, 3, one=cast.pupil), saving(cast, TABLET, 4, one=cast.sister)
    )
    assert versions(outcomes) == [1, 2]
    assert late(racing) == {cast.pupil.person.pk, cast.sister.person.pk}


def test_who_waited_for_a_save_reads_what_it_wrote(cast: Cast, racing: Racing) -> None:
    racing.committed(saving(cast, PHONE, 1))
    outcomes = racing.overlapping(
        saving(cast, PHONE, 8, one=cast.pupil), saving(cast, TABLET, 4, one=cast.pupil, two=cast.sister)
    )
    assert versions(outcomes) == [2, 3]
    second = outcomes[1]
    assert isinstance(second, Taken)
    assert [one.pupil_id for one in second.happenings] == [cast.pupil.person.pk]  # the phone said it later
    assert late(racing) == {cast.pupil.person.pk, cast.sister.person.pk}


def test_both_at_once(cast: Cast, racing: Racing) -> None:
    outcomes = racing.at_once(
        saving(cast, PHONE, 3, one=cast.pupil), saving(cast, TABLET, 4, one=cast.classmate)
    )
    assert sorted(versions(outcomes)) == [1, 2]
    assert late(racing) == {cast.pupil.person.pk, cast.classmate.person.pk}
