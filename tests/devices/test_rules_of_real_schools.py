"""Lesson rules on the timetables of two real schools: over the change to winter time, a holiday, and weeks A and B."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pupitre.courses.models import Class
from pupitre.devices.models import LessonRule
from pupitre.devices.queries.lesson_rules import entries_of
from pupitre.devices.rules.schedules import holding_at
from pupitre.kernel import clock
from pupitre.people.rules import Actor
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.queries import lessons_between
from pupitre.timetable.queries.imports import choices_before, known_names
from pupitre.timetable.queries.weeks import classes_of_form
from pupitre.timetable.rules.importing import propose
from pupitre.timetable.rules.plan import SourceFile
from tests.cast import TODAY, Cast

DATA = Path(__file__).parents[3] / "shared" / "data" / "timetables"
pytestmark = [pytest.mark.reference, pytest.mark.skipif(not DATA.is_dir(), reason="no reference data")]
FIRST, LAST = date(2026, 10, 12), date(2026, 11, 8)


@pytest.fixture(params=["primaria", "secondary-school"])
def school(request: pytest.FixtureRequest, cast: Cast) -> Iterator[Actor]:
    files = [
        SourceFile(name, (DATA / name).read_bytes())
        for name in (f"{request.param}.fet", f"{request.param}_activities.xml")
    ]
    office = cast.office
    with scope(cast.school.id):
        received, plan = timetable.receive_timetable(office, files, now=clock.now())
        choices = propose(plan, known_names(TODAY), TODAY, before=choices_before())
        timetable.choose_timetable(office, received.pk, choices)
        timetable.apply_timetable(office, received.pk, now=clock.now(), today=TODAY)
        timetable.close_day(office, starts_on=date(2026, 10, 30), ends_on=date(2026, 11, 2), label="Puente")
        timetable.run_day_otherwise(office, on=date(2026, 11, 7), label="As Monday", as_weekday=1)
        timetable.set_weeks(office, weekdays=range(1, 6), cycle_starts_on=FIRST)
        yield replace(office)


def test_a_rule_holds_in_every_minute_of_a_lesson_and_in_no_other(school: Actor) -> None:
    counted = Counter(
        lesson.class_id for lesson in lessons_between(school.place, FIRST, FIRST + timedelta(days=6))
    )
    checked = 0
    for class_id, _number in counted.most_common(4):
        klass = Class.objects.get(pk=class_id)
        rule = LessonRule(
            pk=1,
            school_id=school.place.id,
            klass=klass,
            name="Rule",
            settings={"camera": False},
            starts_on=FIRST,
            ends_on=LAST,
        )
        entries = entries_of(school.place, rule, TODAY)
        classes = classes_of_form(class_id, TODAY, LAST)
        lessons = lessons_between(school.place, FIRST, LAST, class_ids=classes)
        moment = datetime(2026, 10, 11, 22, tzinfo=UTC)
        spans = [(one.starts_at, one.ends_at) for one in lessons]
        while moment < datetime(2026, 11, 8, 23, tzinfo=UTC):
            expected = any(starts_at <= moment < ends_at for starts_at, ends_at in spans)
            assert bool(holding_at(entries, moment, school.place.time_zone).entries) == expected, moment
            checked += expected
            moment += timedelta(minutes=5)
    assert checked > 200
