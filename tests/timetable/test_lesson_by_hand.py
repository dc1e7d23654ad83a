"""The office adds, changes and ends a lesson by hand, and is warned of what stands against it."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.kernel.errors import Denied
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import Lesson
from pupitre.timetable.queries import lessons_of_day
from pupitre.timetable.rules.errors import SlotUnclear
from pupitre.timetable.rules.plan import SourceFile
from pupitre.timetable.rules.timetable_csv import read_csv
from tests.cast import TODAY, Cast
from tests.conftest import Visitor

NEW = "/s/oak/timetable/lessons/new"


def facts(cast: Cast, **changed: Any) -> dict[str, Any]:
    return {
        "klass": cast.klass.pk,
        "subject": "Maths",
        "weekday": "4",
        "position": "0",
        "length": "1",
        "week": "",
        "teachers": [cast.teacher.person.pk],
        "room": "",
        "from_on": TODAY.isoformat(),
        "ends_on": "",
    } | changed


def test_a_lesson_is_added(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.secretary).post(NEW, facts(cast)).status_code == 303
    with scope(cast.school.id):
        (lesson,) = lessons_of_day(cast.school, date(2026, 10, 15))
        assert lesson.teachers == {cast.teacher.person.pk: "Tess Teacher"}
        assert lessons_of_day(cast.school, date(2026, 10, 8)) == []


def test_clashes_of_pupils_teacher_and_room_are_told_and_may_be_accepted(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        other = courses.open_class(cast.office, sourced_id="art", title="Art club")
        courses.enrol(cast.office, other, cast.pupil.person)
        room = lessons_of_day(cast.school, TODAY)[0].room_id
    asked = facts(cast, klass=other.pk, subject="Art", weekday="2", room=room)
    browser = visit.as_(cast.secretary)
    answer = browser.post(NEW, asked)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "for these pupils: Maths, Maths 1A" in shown
    assert "for Tess Teacher: Maths, Maths 1A" in shown
    assert "in Room 12: Maths, Maths 1A" in shown
    assert browser.post(NEW, asked | {"anyway": "on"}).status_code == 303
    with scope(cast.school.id):
        assert Lesson.objects.count() == 3


@pytest.mark.parametrize(
    "apart",
    [{"week": "B"}, {"position": "3"}, {"weekday": "1"}, {"from_on": "2026-01-01", "ends_on": "2026-01-31"}],
)
def test_other_weeks_times_and_dates_do_not_clash(cast: Cast, visit: Visitor, apart: dict[str, str]) -> None:
    with scope(cast.school.id):
        Lesson.objects.update(week="A", starts_on=date(2026, 9, 1))
    answer = visit.as_(cast.secretary).post(NEW, facts(cast, weekday="2") | apart)
    assert answer.status_code == 303, answer.content.decode()


def test_a_change_begins_on_its_date_and_what_was_held_stays(cast: Cast, visit: Visitor) -> None:
    where = f"/s/oak/timetable/lessons/{cast.lesson.pk}"
    browser = visit.as_(cast.secretary)
    assert "Maths 1A" in browser.get(where).content.decode()
    moved = facts(cast, weekday="3", from_on="2026-10-19")
    assert browser.post(where, moved).status_code == 303
    with scope(cast.school.id):
        assert cast.lesson.pk in {lesson.lesson_id for lesson in lessons_of_day(cast.school, TODAY)}
        after = lessons_of_day(cast.school, date(2026, 10, 20))
        assert [lesson.lesson_id for lesson in after] == [cast.next_lesson.pk]
        (new,) = lessons_of_day(cast.school, date(2026, 10, 21))
    browser.post(f"/s/oak/timetable/lessons/{new.lesson_id}", facts(cast, weekday="5", from_on="2026-10-19"))
    with scope(cast.school.id):
        assert Lesson.objects.count() == 3, "what has not begun is changed itself"
        assert [lesson.lesson_id for lesson in lessons_of_day(cast.school, date(2026, 10, 23))] == [
            new.lesson_id
        ]


def test_a_lesson_ends(cast: Cast, visit: Visitor) -> None:
    where = f"/s/oak/timetable/lessons/{cast.lesson.pk}/end"
    assert visit.as_(cast.secretary).post(where, {"last_on": TODAY.isoformat()}).status_code == 303
    with scope(cast.school.id):
        assert len(lessons_of_day(cast.school, TODAY)) == 2
        assert len(lessons_of_day(cast.school, TODAY + timedelta(days=7))) == 1


def test_what_is_not_offered_is_refused(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    for wrong in (
        {"klass": "99999"},
        {"position": "2"},
        {"teachers": [cast.mother.person.pk]},
        {"weekday": "8"},
    ):
        assert browser.post(NEW, facts(cast, **wrong)).status_code == 422, wrong
    with scope(cast.school.id), pytest.raises(SlotUnclear):
        timetable.schedule_lesson(cast.office, cast.klass, weekday=9, position=0, subject="X", teachers=[])


def test_only_the_office_changes_lessons(cast: Cast, visit: Visitor) -> None:
    where = f"/s/oak/timetable/lessons/{cast.lesson.pk}"
    for address in (NEW, where, "/s/oak/timetable/export"):
        assert visit.as_(cast.teacher).get(address).status_code == 403
        assert visit.as_(cast.stranger).get(address).status_code == 404
    assert visit.as_(cast.secretary).get("/s/oak/timetable/lessons/999999").status_code == 404
    with scope(cast.school.id), pytest.raises(Denied):
        timetable.end_lesson(cast.teacher.actor, cast.lesson.pk, last_on=TODAY)


def test_the_form_costs_the_same_with_thirty_classes(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    browser.get(NEW)
    counts = []
    for turn in range(2):
        with CaptureQueriesContext(connection) as queries:
            browser.get(NEW)
        counts.append(len(queries))
        with scope(cast.school.id):
            for number in range(30):
                courses.open_class(cast.office, sourced_id=f"c{turn}-{number}", title=f"C{number}")
    assert counts[0] == counts[1]


def test_the_timetable_is_exported_and_reads_back(cast: Cast, visit: Visitor) -> None:
    answer = visit.as_(cast.secretary).get("/s/oak/timetable/export")
    assert answer["Content-Type"].startswith("text/csv")
    plan = read_csv(SourceFile("x.csv", answer.content))
    assert plan.is_usable
    assert [
        (plan.days[x.day].weekday, x.first_period, x.subject, x.groups, x.teachers, x.room)
        for x in plan.lessons
    ] == [
        (2, 0, "Maths", ("1A",), ("Tess Teacher",), "Room 12"),
        (2, 1, "Maths", ("1A",), ("Tess Teacher",), "Room 12"),
    ]
    assert [period.is_break for period in plan.periods] == [False, False, True, False, False]
