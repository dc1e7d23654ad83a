"""A pupil's own day."""

from pupitre.attendance.rules.status import Status
from pupitre.messaging.rules.kinds import Audience
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import Cast
from tests.conftest import Visitor
from tests.messaging.test_publish_notice import published
from tests.reports.arranging import more_lessons, statements


def test_a_pupil_sees_the_lesson_of_now_the_next_one_and_the_own_mark(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast) | {cast.pupil.person.pk: Status.LATE}, minutes=4)
    page = visit.as_(cast.pupil).get("/s/oak/my-day").content.decode()
    assert "Good morning, Pau!" in page
    assert "Now, until 09:55" in page
    assert "Next, at 09:55" in page
    assert "Room 12" in page
    assert "Tess Teacher" in page
    assert "(4 min)" in page
    assert "Sia" not in page
    assert "Clàudia" not in page


def test_notices_for_pupils_wait_there(cast: Cast, visit: Visitor) -> None:
    published(cast, audience=Audience.PUPILS)
    assert "School trip" in visit.as_(cast.pupil).get("/s/oak/my-day").content.decode()


def test_the_page_is_the_pupils(cast: Cast, visit: Visitor) -> None:
    for member in (cast.mother, cast.teacher, cast.head):
        assert visit.as_(member).get("/s/oak/my-day").status_code == 403
    assert visit.as_(cast.stranger).get("/s/oak/my-day").status_code == 404


def test_thirty_lessons_cost_what_one_costs(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.pupil)
    few = statements(lambda: client.get("/s/oak/my-day"))
    more_lessons(cast, 30)
    assert statements(lambda: client.get("/s/oak/my-day")) == few
