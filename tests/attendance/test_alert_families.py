"""An unannounced absence is told to both entitled guardians after the school's delay, and never if it was announced."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pupitre.attendance.actions import absences, alerts
from pupitre.attendance.jobs import sweep_alerts
from pupitre.attendance.models import Alert, AttendanceSettings, Mark
from pupitre.attendance.rules.absences import AlertState, Reason
from pupitre.attendance.rules.events import PupilMissing
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock, events
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, TODAY, Cast
from tests.jobs import run_jobs

DUE = datetime(2026, 10, 13, 7, 20, tzinfo=UTC)  # 09:20 in Madrid: the lesson's start and twenty minutes


@pytest.fixture
def told() -> Iterator[list[PupilMissing]]:
    """What families were told, in order."""
    heard: list[PupilMissing] = []
    events.subscribe(PupilMissing, heard.append)
    yield heard
    events.unsubscribe(PupilMissing, heard.append)


def missing_pupil(cast: Cast, now: datetime = NOW) -> int:
    with scope(cast.school.id):
        marks = {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}
        return taken_register(cast, marks, now=now).pk


def work_at(moment: datetime) -> list[str]:
    with clock.frozen(moment):
        return run_jobs(due_only=True)


def state_of_alert(cast: Cast) -> AlertState:
    with scope(cast.school.id):
        return AlertState(Alert.objects.get(pupil=cast.pupil.person, held_on=TODAY).state)


def test_both_entitled_guardians_are_told_when_the_delay_is_over(
    cast: Cast, told: list[PupilMissing]
) -> None:
    missing_pupil(cast)
    work_at(DUE - timedelta(seconds=1))
    assert told == []
    work_at(DUE)
    assert [event.pupil_id for event in told] == [cast.pupil.person.pk]
    assert set(told[0].guardian_person_ids) == {cast.mother.person.pk, cast.father.person.pk}
    assert (told[0].subject, told[0].at) == ("Maths", DUE)
    assert state_of_alert(cast) is AlertState.TOLD


def test_the_barred_guardian_is_never_told(cast: Cast, told: list[PupilMissing]) -> None:
    missing_pupil(cast)
    work_at(DUE)
    assert cast.barred.person.pk not in told[0].guardian_person_ids


def test_an_announced_absence_is_never_told(cast: Cast, told: list[PupilMissing]) -> None:
    missing_pupil(cast)
    with scope(cast.school.id):
        absences.announce_absence(
            cast.mother.actor,
            pupil_id=cast.pupil.person.pk,
            starts_at=NOW - timedelta(hours=1),
            ends_at=NOW + timedelta(hours=8),
            kind=Reason.ILLNESS,
            now=NOW,
        )
    work_at(DUE)
    assert told == []
    assert state_of_alert(cast) is AlertState.CALMED


def test_a_pupil_who_came_in_meanwhile_is_not_told_of(cast: Cast, told: list[PupilMissing]) -> None:
    register_id = missing_pupil(cast)
    with scope(cast.school.id):
        absences.mark_arrived(
            cast.secretary.actor, register_id=register_id, pupil_id=cast.pupil.person.pk, now=NOW
        )
    work_at(DUE)
    assert told == []


def test_a_pupil_seen_in_a_later_lesson_is_not_told_of(cast: Cast, told: list[PupilMissing]) -> None:
    """A register that comes late from a phone without network tells of the past."""
    with scope(cast.school.id):
        taken_register(cast, everybody(cast), lesson=cast.next_lesson)
    missing_pupil(cast)
    work_at(DUE)
    assert told == []


def test_a_pupil_who_leaves_after_the_first_lesson_is_told_of(cast: Cast, told: list[PupilMissing]) -> None:
    register_id = missing_pupil(cast)
    with scope(cast.school.id):
        absences.mark_arrived(
            cast.secretary.actor, register_id=register_id, pupil_id=cast.pupil.person.pk, now=NOW
        )
    work_at(DUE)
    later = NOW + timedelta(minutes=50)
    with scope(cast.school.id):
        marks = {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}
        taken_register(cast, marks, lesson=cast.next_lesson, now=later)
    work_at(later + timedelta(hours=1))
    assert len(told) == 1
    assert told[0].starts_at.astimezone(UTC) == datetime(2026, 10, 13, 7, 55, tzinfo=UTC)


def test_a_family_is_told_once_a_day(cast: Cast, told: list[PupilMissing]) -> None:
    missing_pupil(cast)
    work_at(DUE)
    with scope(cast.school.id):
        marks = {**everybody(cast), cast.pupil.person.pk: Status.ABSENT}
        taken_register(cast, marks, lesson=cast.next_lesson, now=DUE + timedelta(hours=1))
        alerts.decide_due_alerts(cast.office, now=DUE + timedelta(hours=5))
    work_at(DUE + timedelta(hours=5))
    assert len(told) == 1


def test_saving_a_register_again_notes_nothing_new(cast: Cast) -> None:
    register_id = missing_pupil(cast)
    with scope(cast.school.id):
        assert alerts.note_absences(cast.office, register_id=register_id, now=NOW) == 0
        assert Alert.objects.count() == 1


def test_a_school_that_tells_nobody_calms_the_alert(cast: Cast, told: list[PupilMissing]) -> None:
    with scope(cast.school.id):
        AttendanceSettings.objects.create(school_id=cast.school.id, alerts_families=False)
    missing_pupil(cast)
    work_at(DUE)
    assert told == []
    assert state_of_alert(cast) is AlertState.CALMED


def test_the_schools_own_delay_counts(cast: Cast, told: list[PupilMissing]) -> None:
    with scope(cast.school.id):
        AttendanceSettings.objects.create(school_id=cast.school.id, alert_delay_minutes=45)
    missing_pupil(cast)
    work_at(DUE)
    assert told == []
    work_at(DUE + timedelta(minutes=25))
    assert len(told) == 1


def test_a_register_of_another_day_raises_no_alert(cast: Cast) -> None:
    missing_pupil(cast, now=NOW + timedelta(days=1))
    with scope(cast.school.id):
        assert not Alert.objects.exists()


def test_the_sweep_catches_what_a_stopped_worker_missed(cast: Cast, told: list[PupilMissing]) -> None:
    from django.db import connection

    missing_pupil(cast)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    with clock.frozen(DUE + timedelta(minutes=10)):
        sweep_alerts.func(timestamp=0)
        sweep_alerts.func(timestamp=0)
        run_jobs()
    assert len(told) == 1


def test_a_mark_that_became_excused_calms_the_alert(cast: Cast, told: list[PupilMissing]) -> None:
    register_id = missing_pupil(cast)
    with scope(cast.school.id):
        Mark.objects.filter(register_id=register_id, pupil=cast.pupil.person).update(status=Status.EXCUSED)
    work_at(DUE)
    assert told == []
