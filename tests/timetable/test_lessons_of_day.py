"""The lessons of a day: what the teacher's day, the register and the family's page stand on."""

from datetime import date, time, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.kernel import clock
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import BellSchedule, CalendarException, CalendarRule, Lesson, Substitution
from pupitre.timetable.queries import HeldLesson, lessons_between, lessons_of_day
from tests.cast import TODAY, Cast


def day(cast: Cast, on: date = TODAY, *, teacher: int | None = None) -> list[HeldLesson]:
    return lessons_of_day(cast.school, on, teacher_id=teacher)


def ids(lessons: list[HeldLesson]) -> list[int]:
    return [lesson.lesson_id for lesson in lessons]


def test_the_lessons_of_a_teacher_in_the_schools_own_time(cast: Cast) -> None:
    with scope(cast.school.id):
        first, second = day(cast, teacher=cast.teacher.person.pk)
        assert (first.lesson_id, second.lesson_id) == (cast.lesson.pk, cast.next_lesson.pk)
        assert (first.class_title, first.subject, first.room) == ("Maths 1A", "Maths", "Room 12")
        assert first.teachers == {cast.teacher.person.pk: "Tess Teacher"}
        assert first.is_under_way(clock.now())
        assert f"{first.starts_at:%H:%M %z}" == "09:00 +0200"
        assert not first.is_changed
        assert day(cast, teacher=cast.colleague.person.pk) == []


def test_one_class_many_classes_one_lesson_and_none(cast: Cast) -> None:
    with scope(cast.school.id):
        assert len(lessons_of_day(cast.school, TODAY, class_ids=[cast.klass.pk, cast.homeroom.pk])) == 2
        assert lessons_of_day(cast.school, TODAY, class_ids=[cast.homeroom.pk]) == []
        assert lessons_of_day(cast.school, TODAY, class_ids=[]) == []
        assert ids(lessons_of_day(cast.school, TODAY, lesson_id=cast.lesson.pk)) == [cast.lesson.pk]
        assert len(day(cast)) == 2


def test_no_lesson_on_another_weekday_outside_its_dates_or_outside_the_year(cast: Cast) -> None:
    with scope(cast.school.id):
        assert day(cast, TODAY + timedelta(days=1)) == []
        assert day(cast, date(2026, 8, 25)) == []
        Lesson.objects.filter(pk=cast.lesson.pk).update(ends_on=TODAY - timedelta(days=1))
        assert ids(day(cast)) == [cast.next_lesson.pk]


def test_the_sessions_of_an_old_roster_do_not_close_the_school(cast: Cast) -> None:
    with scope(cast.school.id):
        assert len(day(cast, TODAY + timedelta(days=7 * 150))) == 2


def test_a_holiday_and_a_saturday_that_runs_as_a_tuesday(cast: Cast) -> None:
    with scope(cast.school.id):
        school, saturday = cast.school.id, date(2026, 10, 17)
        CalendarException.objects.create(school_id=school, starts_on=TODAY, ends_on=TODAY, label="Fair")
        assert day(cast) == []
        CalendarException.objects.create(
            school_id=school,
            starts_on=saturday,
            ends_on=saturday,
            label="Made up",
            kind=CalendarException.RUNS_AS,
            runs_as_weekday=2,
        )
        assert len(day(cast, saturday)) == 2


def test_weeks_a_and_b_take_turns(cast: Cast) -> None:
    with scope(cast.school.id):
        CalendarRule.objects.create(school_id=cast.school.id, cycle_starts_on=TODAY)
        Lesson.objects.filter(pk=cast.lesson.pk).update(week="B")
        assert ids(day(cast)) == [cast.next_lesson.pk]
        assert len(day(cast, TODAY + timedelta(days=7))) == 2


def test_a_short_day_has_other_times(cast: Cast) -> None:
    with scope(cast.school.id):
        short = timetable.set_bell_schedule(
            cast.office, name="Short", periods=[("1", time(10), time(10, 30), False)], is_default=False
        )
        CalendarException.objects.create(
            school_id=cast.school.id, starts_on=TODAY, ends_on=TODAY, label="Fog", kind=3, schedule=short
        )
        (lesson,) = day(cast)
        assert f"{lesson.starts_at:%H:%M}" == "10:00"
        assert BellSchedule.objects.get(is_default=True).name == "Day"


def test_the_substitute_sees_the_lesson_and_the_absent_teacher_sees_who_covers_it(cast: Cast) -> None:
    teacher, colleague = cast.teacher.person.pk, cast.colleague.person.pk
    with scope(cast.school.id):
        hall = timetable.open_room(cast.office, name="Hall")
        Substitution.objects.create(
            school_id=cast.school.id,
            lesson=cast.lesson,
            held_on=TODAY,
            substitute=cast.colleague.person,
            room=hall,
            note="p. 12",
        )
        (covered,) = day(cast, teacher=colleague)
        assert covered.is_taught_by(colleague)
        assert not covered.is_taught_by(teacher)
        assert covered.is_changed
        assert (covered.room, covered.usual_room, covered.note) == ("Hall", "Room 12", "p. 12")
        assert covered in day(cast, teacher=teacher)
        assert ids(lessons_of_day(cast.school, TODAY, room_id=hall.pk)) == [cast.lesson.pk]
        assert day(cast, TODAY + timedelta(days=7), teacher=colleague) == []
        year = lessons_between(cast.school, date(2026, 9, 1), date(2027, 6, 30), teacher_id=colleague)
        assert [lesson.held_on for lesson in year] == [TODAY]


def test_one_statement_for_two_lessons_and_for_a_whole_week(cast: Cast) -> None:
    with scope(cast.school.id):
        for weekday in range(1, 6):
            for position in (0, 1, 3, 4):
                timetable.schedule_lesson(
                    cast.office, cast.klass, weekday=weekday, position=position, subject="X", teachers=[]
                )
        with CaptureQueriesContext(connection) as queries:
            assert len(day(cast)) == 6
            assert len(lessons_between(cast.school, TODAY, TODAY + timedelta(days=6))) == 22
        assert len(queries) == 2
