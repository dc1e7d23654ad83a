"""What attendance tells reaches the families' bell, in words that their kind knows: the two contexts meet only here."""

from datetime import UTC, datetime, timedelta

import pytest

from pupitre.attendance.actions import absences, letters
from pupitre.attendance.rules.absences import Counted, Reason, Window
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.messaging import queries as messaging
from pupitre.messaging.models import Notification
from pupitre.messaging.rules.kinds import Kind
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, Cast
from tests.jobs import run_jobs


def told(cast: Cast, kind: Kind) -> dict[int, str]:
    """The sentence of each person who was told something of that kind."""
    with scope(cast.school.id):
        rows = Notification.objects.filter(kind=kind).values_list("person_id", "facts")
        return {person: messaging.worded(kind, facts)[1] for person, facts in rows}


@pytest.fixture
def parents(cast: Cast) -> set[int]:
    return {cast.mother.person.pk, cast.father.person.pk}


def miss_a_lesson(cast: Cast) -> None:
    taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})


def announce(cast: Cast) -> int:
    return absences.announce_absence(
        cast.mother.actor,
        pupil_id=cast.pupil.person.pk,
        starts_at=NOW - timedelta(hours=1),
        ends_at=NOW + timedelta(hours=3),
        kind=Reason.ILLNESS,
        now=NOW,
    ).pk


def test_both_parents_are_told_that_their_child_is_missing(cast: Cast, parents: set[int]) -> None:
    with scope(cast.school.id):
        miss_a_lesson(cast)
    with clock.frozen(datetime(2026, 10, 13, 7, 20, tzinfo=UTC)):
        run_jobs(due_only=True)
    sentences = told(cast, Kind.PUPIL_MISSING)
    assert set(sentences) == parents
    assert all("Pau Pupil" in one and "Maths" in one and "09:00" in one for one in sentences.values())


def test_the_other_parent_is_told_of_an_announced_absence(cast: Cast) -> None:
    with scope(cast.school.id):
        announce(cast)
    assert set(told(cast, Kind.ABSENCE_ANNOUNCED)) == {cast.father.person.pk}


@pytest.mark.parametrize(("accepted", "kind"), [(True, Kind.ABSENCE_ACCEPTED), (False, Kind.ABSENCE_REFUSED)])
def test_both_parents_are_told_of_the_offices_decision(
    cast: Cast, parents: set[int], accepted: bool, kind: Kind
) -> None:
    with scope(cast.school.id):
        notice = announce(cast)
        absences.decide_absence(
            cast.secretary.actor, notice_id=notice, accepted=accepted, note="No certificate", now=NOW
        )
    sentences = told(cast, kind)
    assert set(sentences) == parents
    assert accepted or all("No certificate" in one for one in sentences.values())


def test_both_parents_are_told_of_a_letter(cast: Cast, parents: set[int]) -> None:
    with scope(cast.school.id):
        miss_a_lesson(cast)
        rule = letters.save_threshold(
            cast.secretary.actor,
            threshold_id=None,
            name="",
            counts=Counted.ABSENT_LESSONS,
            limit=1,
            window=Window.YEAR,
        )
        letters.issue_letters(
            cast.secretary.actor, threshold_id=rule.pk, pupil_ids=[cast.pupil.person.pk], now=NOW
        )
    assert set(told(cast, Kind.ABSENCE_LETTER)) == parents
