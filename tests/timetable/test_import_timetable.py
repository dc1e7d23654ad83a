"""The office imports a timetable: the action."""

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.courses.models import Class, Enrolment
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people.models import Membership, Person
from pupitre.people.rules import Actor, Role
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import BellSchedule, Duty, Lesson, Period, Room, TimetableImport
from pupitre.timetable.queries import lessons_of_day
from pupitre.timetable.queries.imports import choices_before, known_names, plan_of
from pupitre.timetable.rules.errors import AlreadyApplied, CycleUnknown, NotDecided, NotReadable
from pupitre.timetable.rules.importing import NEW, Choices, propose
from pupitre.timetable.rules.plan import SourceFile
from tests.cast import TODAY, Cast
from tests.timetable.files import DATA, SMALL, real, small

WEDNESDAY = TODAY + timedelta(days=1)


def upload(
    cast: Cast, *files: SourceFile, start: date = WEDNESDAY, **chosen: Any
) -> tuple[TimetableImport, Choices]:
    received, plan = timetable.receive_timetable(cast.office, list(files), now=clock.now())
    choices = replace(propose(plan, known_names(TODAY), start, before=choices_before()), **chosen)
    timetable.choose_timetable(cast.office, received.pk, choices)
    return received, choices


def apply(cast: Cast, *files: SourceFile, start: date = WEDNESDAY, **chosen: Any) -> dict[str, int]:
    received, _ = upload(cast, *files, start=start, **chosen)
    return timetable.apply_timetable(cast.office, received.pk, now=clock.now(), today=TODAY)


def test_a_small_timetable_opens_what_is_missing(cast: Cast) -> None:
    with scope(cast.school.id):
        report = apply(cast, small())
        assert report == {
            "teachers_opened": 1,
            "forms_opened": 1,
            "classes_opened": 2,
            "rooms_opened": 1,
            "lessons_added": 3,
            "lessons_kept": 0,
            "lessons_ended": 0,
            "duties_added": 1,
            "duties_kept": 0,
            "duties_ended": 0,
        }
        new = Person.objects.get(given_name="New", family_name="Name")
        assert Membership.objects.get(person=new).role == Role.TEACHER
        assert Class.objects.get(title="2B").kind == Class.HOMEROOM
        duty = Duty.objects.get()
        assert (duty.teacher_id, duty.covers, duty.weekday) == (cast.teacher.person.pk, True, 5)


def test_the_pupils_of_the_form_are_in_the_classes_and_follow(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, small())
        science = Class.objects.get(title="Science · 1A")
        assert Enrolment.objects.filter(klass=science, role=Enrolment.STUDENT).count() == 3
        courses.enrol(cast.office, cast.homeroom, cast.colleague.person)
        assert Enrolment.objects.filter(klass=science, role=Enrolment.STUDENT).count() == 4
        assert Lesson.objects.filter(klass=cast.klass, weekday=1).count() == 1, "Maths 1A is the class it was"


def test_the_bells_are_the_schools_where_they_have_as_many_lessons(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, small())
        assert Period.objects.order_by("position").values_list("starts_at", flat=True)[0].hour == 9
        assert BellSchedule.objects.count() == 1
        (lesson,) = lessons_of_day(
            cast.school, date(2026, 10, 20), class_ids=[Class.objects.get(title="Science · 2B").pk]
        )
        assert f"{lesson.starts_at:%H:%M}" == "11:20"


def test_the_bells_of_the_file_are_taken_where_the_school_has_fewer(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, small(SMALL + "Friday,5,12:10,13:00,1A,Music,New Name,,\n"))
        assert Period.objects.count() == 6
        assert BellSchedule.objects.get().name == "Day"


def test_the_same_file_again_changes_nothing(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, small())
        before = _state()
        report = apply(cast, small())
        assert _state() == before
        assert {name: count for name, count in report.items() if count} == {
            "lessons_kept": 3,
            "duties_kept": 1,
        }


def _state() -> list[Any]:
    models = (Lesson, Duty, Class, Enrolment, Person, Membership, Room, Period)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def test_a_teacher_who_was_given_her_real_name_keeps_it(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, small())
        Person.objects.filter(family_name="Name").update(
            given_name="Nuria", family_name="Ferrer", family_key="ferrer"
        )
        report = apply(cast, small())
        assert report["lessons_kept"] == 3
        assert Person.objects.filter(family_name="Ferrer").count() == 1
        assert not Person.objects.filter(family_name="Name").exists()


def test_a_later_timetable_takes_the_place_of_the_earlier_one_from_its_date_on(cast: Cast) -> None:
    later = date(2026, 11, 2)
    with scope(cast.school.id):
        apply(cast, small())
        report = apply(cast, small(SMALL.replace("Monday,2,,,1A", "Thursday,2,,,1A")), start=later)
        assert (report["lessons_added"], report["lessons_kept"], report["lessons_ended"]) == (1, 2, 1)
        ended = Lesson.objects.get(ends_on__isnull=False)
        assert (ended.weekday, ended.ends_on) == (1, date(2026, 11, 1))
        assert Lesson.objects.filter(source="").count() == 2, "lessons by hand stay"


def test_lessons_by_hand_end_when_that_is_chosen(cast: Cast) -> None:
    with scope(cast.school.id):
        apply(cast, small(), ends_hand_made=True)
        assert lessons_of_day(cast.school, TODAY) != []
        assert not lessons_of_day(cast.school, TODAY + timedelta(days=7), teacher_id=cast.teacher.person.pk)


def test_what_is_not_decided_is_asked_for_and_nothing_is_written(cast: Cast) -> None:
    with scope(cast.school.id):
        received, choices = upload(cast, small(), teachers={"Tess Teacher": "", "New Name": NEW})
        with pytest.raises(NotDecided, match="Tess Teacher"):
            timetable.apply_timetable(cast.office, received.pk, now=clock.now(), today=TODAY)
        assert Lesson.objects.count() == 2
        assert choices.teachers["New Name"] == NEW


def test_weeks_a_and_b_ask_for_the_start_of_the_cycle(cast: Cast) -> None:
    text = SMALL.replace(
        "Monday,1,,,1A,Maths,Tess Teacher,Room 12,", "Monday,1,,,1A,Maths,Tess Teacher,Room 12,B"
    )
    with scope(cast.school.id):
        with pytest.raises(CycleUnknown):
            apply(cast, small(text))
        apply(cast, small(text), cycle_starts_on=date(2026, 9, 7))
        assert Lesson.objects.filter(week="B").count() == 1


def test_a_file_is_applied_once_and_a_broken_one_never(cast: Cast) -> None:
    with scope(cast.school.id):
        received, choices = upload(cast, small())
        timetable.apply_timetable(cast.office, received.pk, now=clock.now(), today=TODAY)
        with pytest.raises(AlreadyApplied):
            timetable.apply_timetable(cast.office, received.pk, now=clock.now(), today=TODAY)
        broken, plan = timetable.receive_timetable(
            cast.office, [SourceFile("x.fet", b"<fet")], now=clock.now()
        )
        assert not plan.is_usable
        assert broken.state == TimetableImport.REFUSED
        with pytest.raises(NotReadable):
            timetable.apply_timetable(cast.office, broken.pk, now=clock.now(), today=TODAY)
        assert choices.starts_on == WEDNESDAY


def test_only_the_office_imports(cast: Cast) -> None:
    with scope(cast.school.id):
        with pytest.raises(Denied):
            timetable.receive_timetable(cast.teacher.actor, [small()], now=clock.now())
        with pytest.raises(NotFound):
            timetable.receive_timetable(
                Actor(cast.stranger.account.pk, cast.school), [small()], now=clock.now()
            )


REAL = {
    "primaria": {
        "teachers_opened": 17,
        "forms_opened": 9,
        "classes_opened": 78,
        "rooms_opened": 0,
        "lessons_added": 254,
    },
    "secondary-school": {
        "teachers_opened": 56,
        "forms_opened": 37,
        "classes_opened": 324,
        "rooms_opened": 46,
        "lessons_added": 817,
        "duties_added": 269,
    },
}


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason="no reference data")
@pytest.mark.parametrize("school", list(REAL))
def test_a_real_school_is_imported_in_seconds_and_again_without_change(cast: Cast, school: str) -> None:
    files = real(f"{school}.fet", f"{school}_activities.xml")
    with scope(cast.other_school.id):
        office = replace(cast.office, school=cast.other_school)
        received, plan = timetable.receive_timetable(office, files, now=clock.now())
        assert plan_of(received) == plan
        for again in (False, True):
            if again:
                received, plan = timetable.receive_timetable(office, files, now=clock.now())
            choices = propose(plan, known_names(TODAY), TODAY, before=choices_before())
            timetable.choose_timetable(office, received.pk, choices)
            begun = time.perf_counter()
            with CaptureQueriesContext(connection) as queries:
                report = timetable.apply_timetable(office, received.pk, now=clock.now(), today=TODAY)
            assert time.perf_counter() - begun < 20
            assert len(queries) < 60
            if again:
                assert {name for name, count in report.items() if count} <= {"lessons_kept", "duties_kept"}
            else:
                assert {name: report[name] for name in REAL[school]} == REAL[school]
