"""Each class's day is kept in numbers a few seconds after a register is saved."""

from datetime import timedelta

from django.db import connection

from pupitre.attendance.actions import absences, figures
from pupitre.attendance.jobs import sweep_days
from pupitre.attendance.models import DayFigure, Mark
from pupitre.attendance.rules.status import Status
from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, TODAY, Cast
from tests.jobs import run_jobs


def waiting(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE %s AND status = 'todo'",
            [f"%{name}"],
        )
        return int(cursor.fetchone()[0])


def test_a_saved_register_is_counted_a_few_seconds_later(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
    with clock.frozen(NOW + figures.WAIT):
        run_jobs(due_only=True)
    with scope(cast.school.id):
        figure = DayFigure.objects.get()
    assert (figure.klass_id, figure.held_on, figure.authority_id) == (cast.klass.pk, TODAY, cast.authority.pk)
    counts = (figure.registers, figure.marks, figure.present, figure.absent, figure.late, figure.excused)
    assert counts == (1, 3, 2, 1, 0, 0)


def test_saves_within_seconds_are_counted_together(cast: Cast) -> None:
    with scope(cast.school.id):
        for _ in range(5):
            figures.defer_refresh(cast.office, held_on=TODAY)
        assert waiting("refresh_day") == 1
    with clock.frozen(NOW + timedelta(seconds=8)), scope(cast.school.id):
        # The waiting job may begin before this save is committed, so this save brings its own.
        figures.defer_refresh(cast.office, held_on=TODAY)
        assert waiting("refresh_day") == 2


def test_counting_again_changes_nothing(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast))
        assert figures.refresh_day(cast.office, held_on=TODAY) == 1
        assert figures.refresh_day(cast.office, held_on=TODAY) == 0


def test_what_the_office_changes_is_counted_again(cast: Cast) -> None:
    with scope(cast.school.id):
        register = taken_register(cast, {**everybody(cast), cast.pupil.person.pk: Status.ABSENT})
    run_jobs()
    with scope(cast.school.id):
        absences.mark_arrived(
            cast.secretary.actor, register_id=register.pk, pupil_id=cast.pupil.person.pk, now=NOW
        )
    run_jobs()
    with scope(cast.school.id):
        figure = DayFigure.objects.get()
    assert (figure.absent, figure.late) == (0, 1)


def test_the_nightly_sweep_mends_figures_that_are_wrong(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast))
    run_jobs()
    with scope(cast.school.id):
        Mark.objects.update(status=Status.OUT)
    sweep_days.func(timestamp=0)
    run_jobs()
    with scope(cast.school.id):
        assert DayFigure.objects.get().out_of_class == 3


def test_the_authority_reads_figures_of_its_schools_and_no_marks(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast))
    run_jobs()
    with scope(authority=cast.authority.pk):
        assert DayFigure.objects.get().marks == 3
        assert not Mark.objects.exists()
