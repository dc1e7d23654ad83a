"""The office covers the lessons of an absent teacher."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.kernel import events
from pupitre.kernel.errors import Denied
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import Duty, Substitution
from pupitre.timetable.queries import lessons_of_day
from pupitre.timetable.queries.office import cover_day
from pupitre.timetable.rules.errors import NotHeldThen, NothingChanged
from pupitre.timetable.rules.events import CoverChanged
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor

WHERE = "/s/oak/substitutions"


def test_free_teachers_are_proposed_those_on_duty_first(cast: Cast) -> None:
    with scope(cast.school.id):
        Duty.objects.create(
            school_id=cast.school.id,
            teacher=cast.head.person,
            weekday=2,
            position=1,
            title="Guard",
            covers=True,
        )
        timetable.schedule_lesson(
            cast.office, cast.homeroom, weekday=2, position=0, subject="X", teachers=[cast.colleague.person]
        )
        first, second = cover_day(cast.office, TODAY, absent_id=cast.teacher.person.pk).to_cover
        assert [candidate.id for candidate in first.candidates] == [cast.head.person.pk]
        on_duty, free = second.candidates
        assert (on_duty.id, on_duty.is_on_duty) == (cast.head.person.pk, True)
        assert (free.id, free.is_on_duty) == (cast.colleague.person.pk, False)


def test_the_day_is_covered_on_one_page(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    shown = browser.get(f"{WHERE}?teacher={cast.teacher.person.pk}").content.decode()
    assert "Not covered" in shown
    assert "League, Cole" in shown
    answer = browser.post(
        WHERE,
        {
            "date": TODAY.isoformat(),
            "teacher": cast.teacher.person.pk,
            f"substitute-{cast.lesson.pk}": cast.colleague.person.pk,
            f"note-{cast.lesson.pk}": "Page 12",
            f"substitute-{cast.next_lesson.pk}": "cancel",
        },
    )
    assert answer.status_code == 303
    with scope(cast.school.id):
        covered, cancelled = lessons_of_day(cast.school, TODAY)
        assert covered.is_taught_by(cast.colleague.person.pk)
        assert covered.note == "Page 12"
        assert covered.absent_teacher_id == cast.teacher.person.pk
        assert cancelled.is_cancelled
        assert lessons_of_day(cast.school, TODAY, teacher_id=cast.colleague.person.pk)
    shown = browser.get(f"{WHERE}?date={TODAY}").content.decode()
    assert "Cole League" in shown
    assert "instead of Tess Teacher" in shown


def test_a_change_is_undone(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        timetable.change_day(cast.office, cast.lesson.pk, TODAY, now=NOW, is_cancelled=True)
    browser = visit.as_(cast.secretary)
    undo = f"{WHERE}/{cast.lesson.pk}/{TODAY}/undo"
    assert browser.post(undo).status_code == 303
    assert browser.post(undo).status_code == 404
    assert browser.post(f"{WHERE}/{cast.lesson.pk}/someday/undo").status_code == 404
    with scope(cast.school.id):
        assert not Substitution.objects.exists()


def test_a_second_word_takes_the_place_of_the_first(cast: Cast) -> None:
    with scope(cast.school.id):
        timetable.change_day(
            cast.office, cast.lesson.pk, TODAY, now=NOW, substitute_id=cast.colleague.person.pk
        )
        timetable.change_day(cast.office, cast.lesson.pk, TODAY, now=NOW, is_cancelled=True, note="Ill")
        (row,) = Substitution.objects.all()
        assert (row.is_cancelled, row.substitute_id, row.note) == (True, None, "Ill")


def test_what_cannot_be_is_refused(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        with pytest.raises(NotHeldThen):
            timetable.change_day(
                cast.office, cast.lesson.pk, TODAY + timedelta(days=1), now=NOW, is_cancelled=True
            )
        with pytest.raises(NothingChanged):
            timetable.change_day(cast.office, cast.lesson.pk, TODAY, now=NOW)
        with pytest.raises(Denied):
            timetable.change_day(cast.teacher.actor, cast.lesson.pk, TODAY, now=NOW, is_cancelled=True)
    browser = visit.as_(cast.secretary)
    wrong = {
        "date": TODAY.isoformat(),
        "teacher": cast.teacher.person.pk,
        f"substitute-{cast.lesson.pk}": cast.pupil.person.pk,
    }
    assert browser.post(WHERE, wrong).status_code == 404
    assert browser.get(f"{WHERE}?teacher=999999").status_code == 404


def test_only_the_office_arranges_substitutions(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.teacher).get(WHERE).status_code == 403
    assert visit.as_(cast.pupil).get(WHERE).status_code == 403
    assert visit.as_(cast.stranger).get(WHERE).status_code == 404
    assert visit.anonymous().get(WHERE).status_code == 302


def test_thirty_lessons_to_cover_cost_as_many_statements_as_two(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    address = f"{WHERE}?teacher={cast.teacher.person.pk}"
    browser.get(address)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        counts.append(len(queries))
        with scope(cast.school.id):
            for _number in range(30):
                timetable.schedule_lesson(
                    cast.office,
                    cast.klass,
                    weekday=2,
                    position=3,
                    subject="X",
                    teachers=[cast.teacher.person],
                )
    assert counts[0] == counts[1]


def test_what_is_published_names_who_stands_in_and_who_did_before(cast: Cast) -> None:
    seen: list[CoverChanged] = []
    listen = seen.append
    events.subscribe(CoverChanged, listen)
    try:
        with scope(cast.school.id):
            for substitute in (cast.colleague, cast.colleague, cast.head):
                timetable.change_day(
                    cast.office, cast.lesson.pk, TODAY, now=NOW, substitute_id=substitute.person.pk
                )
            timetable.undo_change(cast.office, cast.lesson.pk, TODAY, now=NOW)
    finally:
        events.unsubscribe(CoverChanged, listen)
    colleague, head = cast.colleague.person.pk, cast.head.person.pk
    assert [(event.released_id, event.substitute_id) for event in seen] == [
        (None, colleague),
        (colleague, head),
        (head, None),
    ]
    assert (seen[0].subject, seen[0].group, seen[0].starts_at) == ("Maths", "1A", NOW - timedelta(minutes=10))
