"""A teacher takes the register of her lesson: the form, what it proposes, who may, and what it costs."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import registers as actions
from pupitre.attendance.actions.registers import Told
from pupitre.attendance.models import AbsenceNotice, Alert, AttendanceCode, Mark, MarkRevision, Register
from pupitre.attendance.queries import registers as queries
from pupitre.attendance.rules import registers as rules
from pupitre.attendance.rules.absences import Reason
from pupitre.attendance.rules.status import Outcome, Status
from pupitre.courses import actions as courses
from pupitre.courses.models import Enrolment
from pupitre.kernel.errors import NotFound
from pupitre.people.models import Person
from pupitre.tenancy.scoping import scope
from pupitre.timetable.models import Substitution
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor

from .registers import address, at, fill_class


@pytest.fixture
def school(cast: Cast) -> Any:
    with scope(cast.school.id):
        yield cast


def take(cast: Cast, *told: Told, now: datetime = NOW, who: Any = None, **more: Any) -> actions.Taken:
    actor = (who or cast.teacher).actor
    return actions.take_register(actor, lesson_id=cast.lesson.pk, held_on=TODAY, told=told, now=now, **more)


def told(member: Any, code: str, minutes: int = 0, **more: Any) -> Told:
    return Told(member.person.pk, code, minutes, **more)


def statuses(cast: Cast) -> dict[str, int]:
    return dict(Mark.objects.values_list("pupil__sourced_id", "status"))


def form_of(page: Any) -> dict[str, str]:
    """The form's fields as the page shows them."""
    import re

    html = page.content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(version|shown)" value="([^"]*)"', html))
    fields |= dict(re.findall(r"<input type=radio class=\w+ name=(mark-\d+) value=(\w+)[^>]* checked", html))
    return fields


def test_a_teacher_takes_the_register_and_whoever_is_not_named_is_present(school: Cast) -> None:
    taken = take(school, told(school.pupil, "A"))
    assert statuses(school) == {"pupil": Status.ABSENT, "sister": Status.PRESENT, "classmate": Status.PRESENT}
    assert set(Mark.objects.filter(is_explicit=True).values_list("pupil__sourced_id", flat=True)) == {"pupil"}
    register = Register.objects.get()
    assert (register.taken_by_id, register.version, taken.version) == (school.teacher.person.pk, 1, 1)
    assert Alert.objects.filter(pupil=school.pupil.person).exists()


def test_the_form_alone_takes_and_corrects(cast: Cast, visit: Visitor) -> None:
    browser, path = visit.as_(cast.teacher), address(cast)
    page = browser.get(path)
    assert page.status_code == 200
    assert b"Not taken yet" in page.content
    fields = form_of(page)
    fields[f"mark-{cast.pupil.person.pk}"] = "L"
    fields[f"minutes-{cast.pupil.person.pk}"] = "5"
    answer = browser.post(path, fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    with scope(cast.school.id):
        late = Mark.objects.get(pupil=cast.pupil.person)
        assert (late.status, late.minutes, late.is_explicit) == (Status.LATE, 5, True)
        assert Mark.objects.filter(is_explicit=False).count() == 2
    corrected = browser.get(path)
    fields = form_of(corrected)
    assert fields[f"mark-{cast.pupil.person.pk}"] == "L"
    minutes = re.search(rb'<input type="number"[^>]*>', corrected.content)
    assert minutes
    assert b"step" not in minutes[0], (
        "19 minutes are as valid as 20: the browser would refuse to send the form"
    )
    browser.post(path, {**fields, f"mark-{cast.pupil.person.pk}": "P"})
    with scope(cast.school.id):
        assert Mark.objects.get(pupil=cast.pupil.person).status == Status.PRESENT
        kept = MarkRevision.objects.get()
        assert (kept.status, kept.outcome) == (Status.LATE, Outcome.CORRECTED)


def test_late_without_minutes_is_late_as_of_now(school: Cast) -> None:
    take(school, told(school.pupil, "L"))
    assert Mark.objects.get(pupil=school.pupil.person).minutes == 10


def test_an_announced_absence_is_proposed_as_excused(school: Cast, visit: Visitor) -> None:
    AbsenceNotice.objects.create(
        school_id=school.school.id, pupil=school.pupil.person, starts_at=at(-60), ends_at=at(30),
        kind=Reason.ILLNESS, announced_at=at(-60),
    )  # fmt: skip
    page = visit.as_(school.teacher).get(address(school)).content.decode()
    assert "Announced: ill" in page
    take(school)
    assert statuses(school)["pupil"] == Status.EXCUSED
    assert not Mark.objects.get(pupil=school.pupil.person).is_explicit
    assert not Alert.objects.exists()


def test_a_withdrawn_or_past_announcement_proposes_nothing(school: Cast) -> None:
    for starts_at, ends_at, withdrawn_at in ((at(-60), at(30), at(-10)), (at(-60), at(0), None)):
        AbsenceNotice.objects.create(
            school_id=school.school.id, pupil=school.pupil.person, starts_at=starts_at, ends_at=ends_at,
            kind=Reason.ILLNESS, announced_at=at(-60), withdrawn_at=withdrawn_at,
        )  # fmt: skip
    take(school)
    assert statuses(school)["pupil"] == Status.PRESENT


def test_who_was_absent_in_the_lesson_before_is_flagged(school: Cast) -> None:
    take(school, told(school.pupil, "A"))
    sheet = queries.access_sheet(school.teacher.actor, school.next_lesson.pk, TODAY)
    before = {p.id: p.before for p in sheet.pupils}
    assert before[school.pupil.person.pk] is Status.ABSENT
    assert before[school.sister.person.pk] is None


def test_pupils_come_by_family_name_and_enrolments_count_on_the_day(school: Cast) -> None:
    courses.enrol(school.office, school.klass, fill_class(school, 1)[0])
    Enrolment.objects.filter(person=school.sister.person, klass=school.klass).update(
        ends_on=TODAY - timedelta(days=1)
    )
    sheet = queries.access_sheet(school.teacher.actor, school.lesson.pk, TODAY)
    names = [p.family_name for p in sheet.pupils]
    assert names == ["Mate", "Pupil", "Zafra 00"]


def test_the_school_writes_its_own_codes(school: Cast, visit: Visitor) -> None:
    for position, (letters, label, status) in enumerate(
        [("/", "Here", 1), ("N", "Missing", 2), ("X", "Exam", 5), ("Nurse", "Nurse", 5)][:3]
    ):
        AttendanceCode.objects.create(
            school_id=school.school.id, code=letters, label=label, status=status, position=position
        )
    take(school, told(school.pupil, "X"), told(school.sister, "N"))
    assert statuses(school) == {"pupil": 5, "sister": 2, "classmate": 1}
    assert Mark.objects.get(pupil=school.pupil.person).code.code == "X"
    page = visit.as_(school.teacher).get(address(school)).content.decode()
    assert "<span id=is-3>Exam</span>" in page
    assert "value=X aria-labelledby=is-3 checked" in page
    with pytest.raises(rules.UnknownCode):
        take(school, told(school.pupil, "A"))


def test_a_save_that_changes_nothing_writes_nothing(school: Cast) -> None:
    take(school, told(school.pupil, "A"))
    again = take(school)
    assert (again.changed, again.version) == (False, 1)


def test_a_pupil_of_another_class_is_refused(school: Cast) -> None:
    with pytest.raises(rules.NotInClass):
        take(school, Told(school.mother.person.pk, "A"))
    assert not Register.objects.exists()


@pytest.mark.parametrize(
    ("days", "hour", "refusal"), [(0, 6, rules.NotYetHeld), (8, 9, rules.CorrectionOver)]
)
def test_too_early_and_too_late_are_refused(
    school: Cast, days: int, hour: int, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        take(school, now=NOW.replace(hour=hour, minute=0) + timedelta(days=days))


def test_a_teacher_corrects_for_some_days_and_the_office_always(school: Cast) -> None:
    take(school)
    take(school, told(school.pupil, "A"), now=NOW + timedelta(days=7))
    with pytest.raises(rules.CorrectionOver):
        take(school, told(school.pupil, "L"), now=NOW + timedelta(days=8))
    take(school, told(school.pupil, "E"), now=NOW + timedelta(days=90), who=school.secretary)
    assert statuses(school)["pupil"] == Status.EXCUSED


def test_a_cancelled_lesson_has_no_register(school: Cast, visit: Visitor) -> None:
    Substitution.objects.create(
        school_id=school.school.id, lesson=school.lesson, held_on=TODAY, is_cancelled=True
    )
    with pytest.raises(rules.LessonCancelled):
        take(school)
    assert b"This lesson is cancelled" in visit.as_(school.teacher).get(address(school)).content


def test_a_substitute_takes_it_on_her_day_only(school: Cast, visit: Visitor) -> None:
    with pytest.raises(NotFound):
        take(school, who=school.colleague)
    Substitution.objects.create(
        school_id=school.school.id, lesson=school.lesson, held_on=TODAY,
        absent_teacher=school.teacher.person, substitute=school.colleague.person,
    )  # fmt: skip
    take(school, told(school.pupil, "A"), who=school.colleague)
    assert Register.objects.get().taken_by_id == school.colleague.person.pk
    assert b"You stand in today" in visit.as_(school.colleague).get(address(school)).content
    assert visit.as_(school.colleague).get(address(school, on="2026-10-20")).status_code == 404


def test_an_aide_of_the_class_takes_it(school: Cast) -> None:
    courses.enrol(school.office, school.klass, school.colleague.person, role=Enrolment.AIDE)
    assert take(school, who=school.colleague).version == 1


def test_strangers_others_and_families_are_turned_away(cast: Cast, visit: Visitor) -> None:
    path = address(cast)
    assert visit.anonymous().get(path).status_code == 302
    assert visit.as_(cast.stranger).get(path).status_code == 404
    assert visit.as_(cast.colleague).get(path).status_code == 404
    assert visit.as_(cast.colleague).post(path, {}).status_code == 404
    assert visit.as_(cast.mother).get(path).status_code == 403
    assert visit.as_(cast.pupil).get(path).status_code == 403
    assert visit.as_(cast.secretary).get(path).status_code == 200
    assert visit.as_(cast.teacher).get(address(cast, lesson=999_999)).status_code == 404
    assert visit.as_(cast.teacher).get(address(cast, on="2026-10-14")).status_code == 404


def statements(seen: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in seen if "SAVEPOINT" not in q["sql"]]


def test_the_page_costs_five_statements_whatever_the_class(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.teacher)
    browser.get(address(cast))
    with CaptureQueriesContext(connection) as few:
        browser.get(address(cast))
    with scope(cast.school.id):
        fill_class(cast, 27)
        take(cast)
    with CaptureQueriesContext(connection) as many:
        page = browser.get(address(cast))
    assert page.content.count(b"<li class=pupil") == 30
    assert (
        len(statements(few)) == len(statements(many)) == 5
    )  # four after a real sign-in, whose session knows its account
    assert len(page.content) < 31_000


def test_saving_thirty_marks_writes_them_in_one_statement(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        fill_class(cast, 27)
    browser = visit.as_(cast.teacher)
    fields = form_of(browser.get(address(cast)))
    with CaptureQueriesContext(connection) as seen:
        browser.post(address(cast), fields)
    assert len([q for q in statements(seen) if "INSERT INTO attendance_mark " in q]) == 1
    assert len(statements(seen)) <= 14
    with scope(cast.school.id):
        assert Mark.objects.count() == 30


def test_the_register_is_found_after_its_lesson_left_the_timetable(school: Cast, visit: Visitor) -> None:
    take(school, told(school.pupil, "A"))
    school.lesson.__class__.objects.filter(pk=school.lesson.pk).update(ends_on=TODAY - timedelta(days=1))
    page = visit.as_(school.teacher).get(address(school))
    assert page.status_code == 200
    assert b"Maths 1A" in page.content


def test_the_history_tells_who_when_and_on_which_device(school: Cast, visit: Visitor) -> None:
    take(school, told(school.pupil, "A"), device="0a0a0a0a-phone")
    take(
        school,
        told(school.pupil, "L", 7, note="Bus"),
        now=NOW + timedelta(minutes=5),
        device="1b1b1b1b-tablet",
    )
    page = visit.as_(school.teacher).get(address(school, "/history")).content.decode()
    for words in ("Absent → Late, 7 minutes", "Tess Teacher", "device 1b1b", "device 0a0a", "Bus", "counts"):
        assert words in page
    assert visit.as_(school.colleague).get(address(school, "/history")).status_code == 404


def test_one_pupil_has_a_page_with_note_and_history(school: Cast, visit: Visitor) -> None:
    path = address(school, f"/pupils/{school.pupil.person.pk}")
    browser = visit.as_(school.teacher)
    assert browser.get(path).status_code == 200
    browser.post(path, {"code": "L", "minutes": "8", "note": "Train", "version": "0"})
    mark = Mark.objects.get(pupil=school.pupil.person)
    assert (mark.status, mark.minutes, mark.note) == (Status.LATE, 8, "Train")
    assert b"Train" in browser.get(path).content
    assert b"Train" in browser.get(address(school)).content
    assert browser.get(address(school, f"/pupils/{school.mother.person.pk}")).status_code == 404


def test_pages_name_whose_they_are_and_may_be_kept(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.teacher).get(address(cast))
    assert page.headers["Pupitre-Keep"] == "register"
    assert page.headers["Pupitre-Account"] == str(cast.teacher.account.pk)
    assert "Pupitre-Keep" not in visit.as_(cast.teacher).get(address(cast, "/history")).headers


def test_a_photo_is_shown_where_there_is_one(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.pupil.person.pk).update(photo_key="1/photos/0123456789abcdef")
    page = visit.as_(cast.teacher).get(address(cast)).content.decode()
    assert page.count('<img class="avatar"') == 1
    assert f'src="/s/oak/people/{cast.pupil.person.pk}/photo?89abcdef"' in page
