"""A page costs the same number of statements with one row and with thirty: pages that ask row by row are found here."""

from datetime import date, timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from pupitre.attendance.actions import absences
from pupitre.attendance.rules.absences import Reason
from pupitre.courses import actions as courses
from pupitre.courses.models import Class, Enrolment
from pupitre.messaging.actions import notices
from pupitre.messaging.rules.kinds import Audience
from pupitre.people import actions as people
from pupitre.people.actions.invitations import issue_letters
from pupitre.people.models import Person
from pupitre.people.rules import Relation, Role
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.actions.substitutions import change_day
from tests.attendance.registers import at, send
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.house.pages import pages
from tests.house.test_pages import where
from tests.jobs import run_jobs

# Written on reading (a receipt, the first sight of a page) or made of many parts: their own tests count them.
SET_APART = {"manifest", "service-worker"}


def grow(cast: Cast, visit: Visitor, first: int, last: int) -> None:
    """Families, forms, classes, lessons, marks, absences, notices, substitutions, holidays: one more of each per number."""
    with scope(cast.school.id, account=cast.secretary.account.pk):
        children = [_family(cast, number) for number in range(first, last)]
        for number in range(first, last):
            _teaching(cast, number, children[number - first])
        for number, child in zip(range(first, last), children, strict=True):
            _day(cast, number, child)
    marks = [
        {"pupil": child.pk, "code": code, "minutes": 5, "recorded_at": at(9).isoformat(), "explicit": True}
        for child, code in zip(children, "ALAEP" * 20, strict=False)
    ]
    assert send(visit.as_(cast.teacher), cast, *marks).status_code == 200
    run_jobs()


def _family(cast: Cast, number: int) -> Person:
    office = cast.office
    names = {"given_name": f"Nil{number}", "now": NOW}
    child = people.register_person(
        office, sourced_id=f"child-{number}", family_name=f"Zafra {number:02}", **names
    )
    adult = people.register_person(
        office, sourced_id=f"adult-{number}", family_name=f"Zafra {number:02}", **names
    )
    people.grant_role(office, child, Role.PUPIL)
    people.grant_role(office, adult, Role.GUARDIAN)
    people.make_guardian(office, child, adult, relation=Relation.MOTHER)
    people.make_guardian(office, child, cast.mother.person, relation=Relation.RELATIVE, priority=3)
    courses.enrol(office, cast.homeroom, child)
    issue_letters(office, [adult.pk], now=NOW)
    return child


def _teaching(cast: Cast, number: int, child: Person) -> None:
    office = cast.office
    teacher = people.register_person(
        office, sourced_id=f"teacher-{number}", given_name="Tea", family_name=f"Cher {number:02}", now=NOW
    )
    people.grant_role(office, teacher, Role.TEACHER)
    form = courses.open_class(
        office, sourced_id=f"form-{number}", title=f"Form {number:02}", kind=Class.HOMEROOM
    )
    klass = courses.open_class(office, sourced_id=f"class-{number}", title=f"Art {number:02}", subject="Art")
    courses.enrol(office, klass, child)
    courses.enrol(office, klass, cast.teacher.person, role=Enrolment.TEACHER)
    courses.attach_homeroom(office, klass, form)
    room = timetable.open_room(office, name=f"Room {number:02}")
    for position in (0, 3):
        lesson = timetable.schedule_lesson(
            office,
            klass,
            weekday=2,
            position=position,
            subject="Art",
            teachers=[teacher.pk, cast.teacher.person.pk],
            room=room,
        )
    change_day(
        office,
        lesson.pk,
        TODAY,
        now=NOW,
        substitute_id=cast.colleague.person.pk,
        absent_teacher_id=teacher.pk,
    )
    day = date(2027, 1, 4) + timedelta(days=number)
    timetable.close_day(office, starts_on=day, ends_on=day, label=f"Holiday {number}")


def _day(cast: Cast, number: int, child: Person) -> None:
    begins = NOW + timedelta(days=number, hours=3)
    absences.announce_absence(
        cast.mother.actor,
        pupil_id=child.pk,
        starts_at=begins,
        ends_at=begins + timedelta(hours=1),
        kind=Reason.ILLNESS,
        reason="fever",
        now=NOW,
    )
    notice = notices.draft_notice(
        cast.secretary.actor, title=f"Notice {number}", body="Read me.", audience=Audience.EVERYBODY, now=NOW
    )
    notices.publish_notice(cast.secretary.actor, notice_id=notice.pk, now=NOW)


def count_all(cast: Cast, visit: Visitor) -> dict[str, int]:
    """Page and reader -> statements, for whoever may open it."""
    counts: dict[str, int] = {}
    for name in ("secretary", "teacher", "mother", "pupil"):
        browser = visit.as_(getattr(cast, name))
        for page in pages():
            if page.name in SET_APART or "authority" in page.route:
                continue
            path = where(page, cast)
            if browser.get(path).status_code == 200:  # once to warm what a process remembers
                counts[f"{name} {path}"] = _statements(browser, path)
    return counts


def _statements(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        browser.get(path)
    return len(captured)


def test_no_page_asks_row_by_row(cast: Cast, visit: Visitor) -> None:
    grow(cast, visit, 0, 2)
    few = count_all(cast, visit)
    grow(cast, visit, 2, 30)
    many = count_all(cast, visit)
    assert len(few) > 60
    assert {path: (few[path], many.get(path)) for path in few if few[path] != many.get(path)} == {}
