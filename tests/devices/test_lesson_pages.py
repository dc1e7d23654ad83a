"""A technician makes a rule for lessons; a teacher decides for her hour, on the phone."""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.courses import actions as courses
from pupitre.courses.models import Class
from pupitre.devices.actions import leases, lesson_rules
from pupitre.devices.models import Device, Lease, LessonRule
from pupitre.devices.queries.device import access_device
from pupitre.devices.rules import Platform, Standing
from pupitre.devices.views.applying import reasons_for_pupils, shown
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor

RULES = "/s/oak/devices/rules"
LESSON = "/s/oak/devices/lesson"


def device_of(cast: Cast) -> Device:
    with scope(cast.school.id):
        return Device.objects.create(
            authority_id=cast.authority.pk,
            school_id=cast.school.id,
            number="lesson-1",
            platform=Platform.ANDROID.value,
            standing=Standing.ENROLLED.value,
            groups=[cast.homeroom.pk, cast.klass.pk],
            created_at=NOW,
        )


def typed(cast: Cast, **more: Any) -> dict[str, Any]:
    return {
        "name": "Calculator and atlas only",
        "klass": str(cast.homeroom.pk),
        "in_lessons": "on",
        "starts_on": "2026-09-01",
        "ends_on": "2027-06-30",
        "set-allowed_applications.packages": "org.geogebra.android\norg.atlas",
    } | more


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_technician_makes_a_rule_and_sees_it_hold(cast: Cast, visit: Visitor) -> None:
    device = device_of(cast)
    client = visit.as_(cast.technician)
    assert client.get(f"{RULES}/new").status_code == 200
    preview = text(client.post(f"{RULES}/new", typed(cast)))
    assert "09:00–10:50: Tuesday" in preview
    assert "<b>1 device</b>" in preview
    assert client.post(f"{RULES}/new", typed(cast, intent="save")).status_code == 303
    with scope(cast.school.id):
        rule = LessonRule.objects.get()
        applies = shown(access_device(cast.technician.actor, device.pk, today=TODAY), now=NOW)
        lines = [line for _group, lines in applies.groups for line in lines]
        assert [(one.name, one.now) for one in lines] == [
            ("Only these applications", "org.geogebra.android, org.atlas")
        ]
        assert lines[0].why == (
            "In lessons of 1A until 10:50: “Calculator and atlas only”, set by Teo Nician"
        )
        told = reasons_for_pupils(device, now=NOW)
        assert told[0]["why"] == lines[0].why
    assert client.get(f"{RULES}/{rule.pk}").status_code == 200
    changed = typed(cast, intent="save", ends_on="2026-10-31", **{"hours-0.days": ["1", "2"]})
    assert client.post(f"{RULES}/{rule.pk}", changed).status_code == 422  # hours without times
    changed |= {"hours-0.from": "20:00", "hours-0.to": "00:00"}
    assert client.post(f"{RULES}/{rule.pk}", changed).status_code == 303
    with scope(cast.school.id):
        rule.refresh_from_db()
        assert rule.hours == [{"days": [1, 2], "from": "20:00", "to": "24:00"}]
    assert client.post(f"{RULES}/{rule.pk}/end").status_code == 303
    assert "This rule has ended." in text(client.get(f"{RULES}/{rule.pk}"))


def test_a_rule_that_holds_at_no_time_says_so(cast: Cast, visit: Visitor) -> None:
    page = text(visit.as_(cast.technician).post(f"{RULES}/new", typed(cast, subject="Alchemy")))
    assert "There is no such lesson in the timetable" in page


def test_a_teacher_lifts_the_rule_until_the_bell(cast: Cast, visit: Visitor) -> None:
    device = device_of(cast)
    visit.as_(cast.technician).post(f"{RULES}/new", typed(cast, intent="save"))
    client = visit.as_(cast.teacher)
    page = text(client.get(LESSON))
    assert "Lift the rules of the lesson" in page
    assert client.post(f"{LESSON}/{cast.klass.pk}", {"say": "lift"}).status_code == 303
    page = text(client.get(LESSON))
    assert "Until 09:55, by Tess Teacher" in page
    with scope(cast.school.id):
        applies = shown(device, now=NOW)
        assert applies.rulings == (
            "The rules of the lesson do not hold until 09:55: decided by Tess Teacher",
        )
        lease = Lease.objects.get()
    assert client.post(f"/s/oak/devices/leases/{lease.pk}/end").status_code == 303
    with scope(cast.school.id):
        assert len(shown(device, now=NOW).groups) == 1


def test_a_teacher_names_the_only_sites_for_ten_minutes(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.teacher)
    sent = {"say": "only", "sites": "wikipedia.org\nhttps://atlas.example/x", "minutes": "10"}
    assert client.post(f"{LESSON}/{cast.klass.pk}", sent).status_code == 303
    with scope(cast.school.id):
        lease = Lease.objects.get()
    assert lease.settings == {"web": {"mode": "allow", "hosts": ["wikipedia.org", "atlas.example"]}}
    assert (lease.ends_at - NOW).total_seconds() == 600
    refused = client.post(f"{LESSON}/{cast.klass.pk}", {"say": "only"})
    assert refused.status_code == 422
    assert "Say what shall be different." in text(refused)


def test_who_does_not_teach_the_class_now_decides_nothing(cast: Cast, visit: Visitor) -> None:
    colleague = visit.as_(cast.colleague)
    assert "You hold no lesson at this moment" in text(colleague.get(LESSON))
    assert colleague.post(f"{LESSON}/{cast.klass.pk}", {"say": "lift"}).status_code == 403
    assert visit.as_(cast.pupil).get(LESSON).status_code == 403
    assert visit.as_(cast.stranger).get(LESSON).status_code == 404
    assert visit.anonymous().get(LESSON).status_code == 302
    assert visit.as_(cast.teacher).get(f"{RULES}/new").status_code == 403


def test_pages_cost_the_same_with_one_rule_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    device = device_of(cast)
    teacher = visit.as_(cast.teacher)
    teacher.get(LESSON)
    counts = []
    for number in (1, 30):
        with scope(cast.school.id):
            for one in range(number):
                lesson_rules.make_rule(
                    cast.technician.actor,
                    cast.klass.pk,
                    name=f"Rule {number} {one}",
                    settings={"camera": False},
                    starts_on=TODAY,
                    ends_on=TODAY,
                    now=NOW,
                )
            with CaptureQueriesContext(connection) as told:
                shown(device, now=NOW)
        counts.append(len(told))
        with CaptureQueriesContext(connection) as told:
            assert teacher.get(LESSON).status_code == 200
        counts.append(len(told))
    assert counts[:2] == counts[2:]


def taught(cast: Cast, number: int) -> tuple[Class, Class]:
    """One more class that the teacher holds now, and the form that it takes as a whole, which has a rule."""
    office = cast.office
    form = courses.open_class(
        office, sourced_id=f"form-{number}", title=f"Form {number:02}", kind=Class.HOMEROOM
    )
    klass = courses.open_class(office, sourced_id=f"art-{number}", title=f"Art {number:02}", subject="Art")
    courses.attach_homeroom(office, klass, form)
    teachers = [cast.teacher.person.pk]
    timetable.schedule_lesson(office, klass, weekday=2, position=0, subject="Art", teachers=teachers)
    lesson_rules.make_rule(
        cast.technician.actor,
        form.pk,
        name=f"Rule of form {number:02}",
        settings={"camera": False},
        starts_on=TODAY,
        ends_on=TODAY,
        now=NOW,
    )
    return klass, form


def test_rules_of_living_forms_hold_in_the_classes_that_take_them(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id, account=cast.secretary.account.pk):
        taught(cast, 1)
        _, ended = taught(cast, 2)
        Class.objects.filter(pk=ended.pk).update(ended_on=TODAY)
    page = text(visit.as_(cast.teacher).get(LESSON))
    assert "Rule of form 01" in page
    assert "Rule of form 02" not in page


def test_the_page_costs_the_same_with_one_class_and_with_thirty(cast: Cast, visit: Visitor) -> None:
    device_of(cast)
    client = visit.as_(cast.teacher)
    counts = []
    for numbers in (range(1), range(1, 30)):
        with scope(cast.school.id, account=cast.secretary.account.pk):
            for number in numbers:
                klass, _ = taught(cast, number)
                leases.give_lease(cast.teacher.actor, klass.pk, lifts_rules=True, now=NOW)
        page = text(client.get(LESSON))
        assert page.count("Until 09:55, by Tess Teacher") == numbers.stop
        with CaptureQueriesContext(connection) as told:
            client.get(LESSON)
        counts.append(len(told))
    assert counts[0] == counts[1]
