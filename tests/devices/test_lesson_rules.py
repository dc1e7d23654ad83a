"""What holds in lessons: compiled from the timetable and the calendar, ended by itself, lifted by the teacher for her hour."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from pupitre.courses import actions as courses
from pupitre.devices.actions import leases, lesson_rules
from pupitre.devices.actions.targets import compile_dated, compile_rules
from pupitre.devices.jobs import sweep_dates, sweep_rules
from pupitre.devices.models import LessonRule
from pupitre.devices.queries.layers import Chain, layers_of
from pupitre.devices.rules import AlreadyEnded, Platform
from pupitre.devices.rules import policies as rules
from pupitre.devices.rules.composing import Desired, compose
from pupitre.devices.rules.schedules import Holding, holding_at, next_change
from pupitre.devices.rules.validation import SettingsWrong
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied, NotFound
from pupitre.people.rules import Actor, Role
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from tests.cast import NOW, TODAY, Cast
from tests.jobs import run_jobs

CALCULATOR = {"allowed_applications": {"packages": ["org.geogebra.android", "org.atlas"]}}
MADRID = ZoneInfo("Europe/Madrid")


def state(cast: Cast, *, classes: tuple[int, ...] = ()) -> Desired:
    groups = classes or (cast.homeroom.pk, cast.klass.pk)
    chain = Chain(cast.authority.pk, cast.school.id, Platform.LINUX, groups)
    with scope(cast.school.id):
        return compose(layers_of(chain), Platform.LINUX)


def holding(cast: Cast, at: datetime, *, classes: tuple[int, ...] = ()) -> Holding:
    return holding_at(state(cast, classes=classes).schedule, at, "Europe/Madrid")


def make(cast: Cast, **facts: object) -> LessonRule:
    given: dict[str, object] = {
        "name": "Calculator and atlas only",
        "settings": CALCULATOR,
        "starts_on": date(2026, 9, 1),
        "ends_on": date(2027, 6, 30),
        "now": NOW,
    }
    with scope(cast.school.id):
        return lesson_rules.make_rule(cast.head.actor, cast.homeroom.pk, **(given | facts))  # type: ignore[arg-type]


def at(on: date, wall: str) -> datetime:
    return datetime.combine(on, time.fromisoformat(wall), tzinfo=MADRID)


def test_a_rule_holds_in_the_lessons_of_the_class_and_not_beside_them(cast: Cast) -> None:
    make(cast, subject="maths")
    assert holding(cast, NOW).settings == CALCULATOR
    assert holding(cast, at(TODAY, "10:49")).settings == CALCULATOR
    assert holding(cast, at(TODAY, "10:50")).settings == {}
    assert holding(cast, at(TODAY + timedelta(days=1), "09:10")).settings == {}
    assert next_change(state(cast).schedule, NOW, "Europe/Madrid") == at(TODAY, "10:50")
    assert holding(cast, NOW, classes=(cast.klass.pk,)).settings == {}  # the rule is the form's


def test_a_rule_for_another_subject_does_not_hold(cast: Cast) -> None:
    make(cast, subject="Music")
    assert holding(cast, NOW).settings == {}


def test_a_rule_follows_the_calendar(cast: Cast) -> None:
    make(cast)
    week = timedelta(days=7)
    office = cast.head.actor
    with scope(cast.school.id):
        before = state(cast).version
        assert compile_rules(cast.school, now=NOW) == 0
        timetable.close_day(office, starts_on=TODAY + week, ends_on=TODAY + week, label="Holiday")
        timetable.run_day_otherwise(office, on=date(2026, 10, 24), label="As Tuesday", as_weekday=2)
        short = timetable.set_bell_schedule(
            office,
            name="Short",
            periods=[("1", time(9, 0), time(9, 30), False), ("2", time(9, 30), time(10, 0), False)],
            is_default=False,
        )
        timetable.run_day_otherwise(office, on=TODAY + 2 * week, label="Short", schedule_id=short.pk)
        timetable.change_day(office, cast.lesson.pk, TODAY + 3 * week, is_cancelled=True, now=NOW)
        assert compile_rules(cast.school, now=NOW) == 1
        assert compile_rules(cast.school, now=NOW) == 0
    assert state(cast).version != before
    assert not holding(cast, at(TODAY + week, "09:10")).entries
    assert holding(cast, at(date(2026, 10, 24), "09:10")).entries
    assert holding(cast, at(TODAY + 2 * week, "09:59")).entries
    assert not holding(cast, at(TODAY + 2 * week, "10:00")).entries
    assert not holding(cast, at(TODAY + 3 * week, "09:10")).entries  # cancelled; the second lesson is held
    assert holding(cast, at(TODAY + 3 * week, "10:00")).entries
    assert holding(cast, at(TODAY + 4 * week, "09:10")).entries  # winter time meanwhile


def test_a_rule_follows_weeks_a_and_b(cast: Cast) -> None:
    with scope(cast.school.id):
        timetable.set_weeks(cast.head.actor, weekdays=range(1, 6), cycle_starts_on=date(2026, 10, 12))
        timetable.schedule_lesson(
            cast.head.actor, cast.klass, weekday=5, position=3, subject="Maths", week="B", teachers=[]
        )
    make(cast)
    fridays = [date(2026, 10, 16) + timedelta(weeks=n) for n in range(4)]
    assert [bool(holding(cast, at(on, "11:30")).entries) for on in fridays] == [False, True, False, True]


def test_a_rule_follows_who_teaches_the_form(cast: Cast) -> None:
    make(cast, subject="Music")
    with scope(cast.school.id):
        music = courses.open_class(cast.head.actor, sourced_id="MUS", title="Music 1A", subject="Music")
        courses.attach_homeroom(cast.head.actor, music, cast.homeroom)
        timetable.schedule_lesson(
            cast.head.actor, music, weekday=4, position=0, subject="Music", teachers=[cast.colleague.person]
        )
        assert compile_rules(cast.school, now=NOW) == 1
    assert holding(cast, at(TODAY + timedelta(days=2), "09:10")).settings == CALCULATOR


def test_a_rule_holds_at_hours_but_not_in_holidays(cast: Cast) -> None:
    with scope(cast.school.id):
        timetable.close_day(cast.head.actor, starts_on=TODAY, ends_on=TODAY, label="Holiday")
    make(cast, in_lessons=False, hours=[{"days": [2, 6], "from": "20:00", "to": "24:00"}])
    assert not holding(cast, NOW).entries
    assert not holding(cast, at(TODAY, "21:00")).entries
    assert holding(cast, at(TODAY + timedelta(days=7), "23:59")).entries
    assert holding(cast, at(date(2026, 10, 17), "21:00")).entries  # a Saturday never had school


def test_a_rule_ends_by_itself_and_by_hand(cast: Cast) -> None:
    rule = make(cast, ends_on=TODAY)
    assert holding(cast, NOW).entries
    assert not holding(cast, at(TODAY + timedelta(days=7), "09:10")).entries
    with scope(cast.school.id):
        assert compile_dated(now=NOW + timedelta(days=1)) == 1
    assert state(cast).schedule == ()
    with scope(cast.school.id):
        lesson_rules.end_rule(cast.head.actor, rule.pk, now=NOW)
        with pytest.raises(AlreadyEnded):
            lesson_rules.end_rule(cast.head.actor, rule.pk, now=NOW)


def test_a_rule_can_be_changed(cast: Cast) -> None:
    rule = make(cast)
    with scope(cast.school.id):
        lesson_rules.change_rule(
            cast.head.actor,
            rule.pk,
            name="No camera",
            settings={"camera": False},
            starts_on=TODAY,
            ends_on=TODAY,
            now=NOW,
        )
    assert holding(cast, NOW).settings == {"camera": False}


def test_what_makes_no_rule_is_refused(cast: Cast) -> None:
    for facts, error in (
        ({"settings": {}}, rules.NothingSaid),
        ({"settings": {"wifi": []}}, SettingsWrong),
        ({"settings": {"camera": "off"}}, SettingsWrong),
        ({"in_lessons": False}, rules.NoTimes),
        ({"hours": [{"days": [8], "from": "08:00", "to": "09:00"}]}, rules.WrongHours),
        ({"hours": [{"days": [1], "from": "10:00", "to": "09:00"}]}, rules.WrongHours),
        ({"ends_on": date(2026, 8, 1)}, rules.DatesReversed),
        ({"ends_on": date(2028, 8, 1)}, rules.TooLong),
        ({"name": " "}, rules.NameNeeded),
    ):
        with pytest.raises(error):
            make(cast, **facts)


def test_only_who_cares_for_devices_makes_rules(cast: Cast) -> None:
    facts = {"name": "X", "settings": CALCULATOR, "starts_on": TODAY, "ends_on": TODAY, "now": NOW}
    with scope(cast.school.id), pytest.raises(Denied):
        lesson_rules.make_rule(cast.teacher.actor, cast.homeroom.pk, **facts)  # type: ignore[arg-type]
    elsewhere = Actor(1, school=cast.other_school, roles=frozenset({Role.TECHNICIAN}))
    with scope(cast.other_school.id), pytest.raises(NotFound):
        lesson_rules.make_rule(elsewhere, cast.homeroom.pk, **facts)  # type: ignore[arg-type]


def test_a_teacher_lifts_the_rules_until_her_lesson_ends(cast: Cast) -> None:
    make(cast)
    with scope(cast.school.id):
        lease = leases.give_lease(cast.teacher.actor, cast.klass.pk, lifts_rules=True, now=NOW)
    assert lease.ends_at == at(TODAY, "09:55")
    assert holding(cast, NOW).settings == {}
    assert next_change(state(cast).schedule, NOW, "Europe/Madrid") == at(TODAY, "09:55")
    assert holding(cast, at(TODAY, "09:55")).settings == CALCULATOR
    with scope(cast.school.id):
        leases.end_lease(cast.teacher.actor, lease.pk, now=NOW + timedelta(minutes=1))
    assert holding(cast, NOW + timedelta(minutes=2)).settings == CALCULATOR


def test_a_teachers_newer_word_takes_the_place_of_the_older(cast: Cast) -> None:
    with scope(cast.school.id):
        leases.give_lease(cast.teacher.actor, cast.klass.pk, settings={"camera": False}, now=NOW)
        later = NOW + timedelta(minutes=5)
        leases.give_lease(
            cast.teacher.actor,
            cast.klass.pk,
            settings={"volume": 0},
            ends_at=later + timedelta(minutes=10),
            now=later,
        )
    assert (
        holding_at(state(cast).schedule, later, "Europe/Madrid").settings == {}
    )  # a laptop has no such volume
    assert state(cast).schedule == ()
    with scope(cast.school.id):
        chain = Chain(cast.authority.pk, cast.school.id, Platform.ANDROID, (cast.klass.pk,))
        tablet = compose(layers_of(chain), Platform.ANDROID)
    assert holding_at(tablet.schedule, later, "Europe/Madrid").settings == {"volume": 0}


def test_a_teacher_decides_only_for_the_class_that_she_teaches_now(cast: Cast) -> None:
    with scope(cast.school.id):
        with pytest.raises(rules.NotTaughtNow):
            leases.give_lease(cast.colleague.actor, cast.klass.pk, lifts_rules=True, now=NOW)
        with pytest.raises(rules.NotTaughtNow):
            leases.give_lease(
                cast.teacher.actor, cast.klass.pk, lifts_rules=True, now=NOW + timedelta(hours=3)
            )
        with pytest.raises(rules.TooLong):
            leases.give_lease(
                cast.teacher.actor,
                cast.klass.pk,
                lifts_rules=True,
                ends_at=NOW + timedelta(hours=2),
                now=NOW,
            )
        with pytest.raises(rules.NothingSaid):
            leases.give_lease(cast.teacher.actor, cast.klass.pk, now=NOW)
        with pytest.raises(Denied):
            leases.give_lease(cast.pupil.actor, cast.klass.pk, lifts_rules=True, now=NOW)
        hours = leases.give_lease(
            cast.head.actor, cast.homeroom.pk, lifts_rules=True, ends_at=NOW + timedelta(hours=2), now=NOW
        )
        with pytest.raises(rules.NotTaughtNow):
            leases.end_lease(cast.colleague.actor, hours.pk, now=NOW)


def test_the_sweep_compiles_the_rules_of_schools_whose_timetable_changed(cast: Cast) -> None:
    make(cast)
    sweep_rules()
    assert run_jobs() == []
    with scope(cast.school.id):
        timetable.close_day(cast.head.actor, starts_on=TODAY, ends_on=TODAY, label="Holiday")
    sweep_rules()
    assert run_jobs() == ["pupitre.devices.jobs.compile_rules"]
    assert not holding(cast, NOW).entries


def test_dates_are_swept_for_authorities_and_schools(cast: Cast) -> None:
    rule = make(cast, ends_on=TODAY)
    with clock.frozen(NOW + timedelta(days=1)):
        sweep_dates()
        assert "pupitre.devices.jobs.compile_dated" in run_jobs()
    assert state(cast).schedule == ()
    assert rule.ends_on == TODAY
