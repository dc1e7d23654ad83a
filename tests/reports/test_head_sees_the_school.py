"""The head's page: today in figures, the last weeks, and who should be talked about."""

from datetime import timedelta

from pupitre.attendance.rules.status import Status
from pupitre.courses import actions as courses
from pupitre.people.models import Look
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import TODAY, Cast
from tests.conftest import Visitor
from tests.jobs import run_jobs
from tests.reports.arranging import figure, statements

PATH = "/s/oak/overview"


def test_today_the_trend_and_the_concerns(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast) | {cast.pupil.person.pk: Status.ABSENT})
    run_jobs()
    page = visit.as_(cast.head).get(PATH).content.decode()
    assert "33.3 % of 3 marks" in page
    assert "1 of 1 taken" in page
    assert "Pau Pupil" in page
    assert "Clàudia" not in page
    with scope(cast.school.id):
        looked = Look.objects.filter(account=cast.head.account).values_list("subject_id", flat=True)
        assert list(looked) == [cast.pupil.person.pk]


def test_a_register_that_is_due_is_missed(cast: Cast, visit: Visitor) -> None:
    from pupitre.kernel import clock
    from tests.cast import NOW

    with clock.frozen(NOW + timedelta(minutes=20)):
        assert "0 of 1 taken" in visit.as_(cast.head).get(PATH).content.decode()


def test_a_young_school_is_welcomed(cast: Cast, visit: Visitor) -> None:
    assert "No registers yet" in visit.as_(cast.head).get(PATH).content.decode()


def test_forms_speak_for_their_classes(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        mixed = courses.open_class(cast.office, sourced_id="FR", title="French, all")
    figure(cast, missed=1, marks=10, on=TODAY)
    figure(cast, missed=5, marks=10, on=TODAY, klass=mixed)
    chart = visit.as_(cast.head).get(PATH).content.decode().split("Missed lessons by class", 1)[1]
    assert "1A" in chart
    assert "French, all" not in chart


def test_it_is_the_heads(cast: Cast, visit: Visitor) -> None:
    for member in (cast.secretary, cast.teacher, cast.pupil, cast.mother):
        assert visit.as_(member).get(PATH).status_code == 403
    assert visit.as_(cast.stranger).get(PATH).status_code == 404


def test_a_month_of_days_costs_what_one_costs(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.head)
    figure(cast, missed=1, marks=10, on=TODAY)
    one = statements(lambda: client.get(PATH))
    for days in range(1, 31):
        figure(cast, missed=days % 4, marks=30, on=TODAY - timedelta(days=days))
    assert statements(lambda: client.get(PATH)) == one
