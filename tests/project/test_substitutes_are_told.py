"""Whoever is to stand in for a lesson learns of it, and learns that she need not: the timetable and messaging meet only here."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test.utils import override_settings

from pupitre.kernel import events
from pupitre.messaging import queries as messaging
from pupitre.messaging.models import Delivery, Notification
from pupitre.messaging.rules.kinds import DeliveryState, Kind
from pupitre.people.models import Account, Person
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import Lesson
from pupitre.timetable.rules.events import CoverChanged
from tests.cast import NOW, TODAY, Cast, Member
from tests.conftest import Visitor
from tests.jobs import run_jobs
from tests.messaging.mailbox import Browser, Letterbox, mail_server, push_service

AFTER_SCHOOL = NOW + timedelta(hours=10)


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    with (
        mail_server() as box,
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=box.port,
            EMAIL_USE_TLS=False,
        ),
    ):
        yield box


def change(cast: Cast, *, now: datetime = NOW, **facts: Any) -> None:
    with scope(cast.school.id):
        timetable.change_day(cast.office, cast.next_lesson.pk, TODAY, now=now, **facts)


def cover(cast: Cast, member: Member, *, now: datetime = NOW, **facts: Any) -> None:
    change(
        cast,
        now=now,
        substitute_id=member.person.pk,
        absent_teacher_id=cast.teacher.person.pk,
        **facts,
    )


def told(cast: Cast, member: Member) -> list[Kind]:
    with scope(cast.school.id):
        rows = Notification.objects.filter(person_id=member.person.pk).order_by("id")
        return [Kind(kind) for kind in rows.values_list("kind", flat=True)]


def test_a_substitute_is_told_behind_the_bell_by_mail_and_on_her_phone(
    cast: Cast, visit: Visitor, letterbox: Letterbox
) -> None:
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.colleague.person.pk).update(email="cole@oak.example")
    Account.objects.filter(pk=cast.colleague.account.pk).update(locale="fr")
    client = visit.as_(cast.colleague)
    with push_service() as service:
        phone = Browser(service, "phone")
        client.post(
            "/notifications/browsers", json.dumps(phone.subscription), content_type="application/json"
        )
        cover(cast, cast.colleague)
        assert letterbox.mails == []
        run_jobs(due_only=True)
        ((_path, _headers, body),) = service.taken
    assert phone.read(body)["url"] == "/s/oak/day/2026-10-13"
    assert letterbox.recipients == ["cole@oak.example"]
    assert letterbox.mails[0]["Subject"] == "Vous avez un remplacement · Oak School"
    assert "Vous remplacez en Maths, 1A, le 13 octobre à 09:55." in letterbox.text()
    assert "/s/oak/day/2026-10-13" in letterbox.text()


def test_several_lessons_of_one_day_are_one_mail_and_one_push(
    cast: Cast, visit: Visitor, letterbox: Letterbox
) -> None:
    with scope(cast.school.id):
        Person.objects.filter(pk=cast.colleague.person.pk).update(email="cole@oak.example")
    client = visit.as_(cast.colleague)
    with push_service() as service:
        phone = Browser(service, "phone")
        client.post(
            "/notifications/browsers", json.dumps(phone.subscription), content_type="application/json"
        )
        cover(cast, cast.colleague)
        with scope(cast.school.id):
            Lesson.objects.create(
                school_id=cast.school.id,
                klass=cast.homeroom,
                subject="Music",
                weekday=cast.next_lesson.weekday,
                position=cast.next_lesson.position + 1,
                length=1,
            )
            (later,) = Lesson.objects.filter(subject="Music")
            timetable.change_day(
                cast.office, later.pk, TODAY, now=NOW, substitute_id=cast.colleague.person.pk
            )
        run_jobs(due_only=True)
        ((_path, _headers, body),) = service.taken
    assert phone.read(body)["title"] == "You cover 2 lessons"
    assert letterbox.recipients == ["cole@oak.example"]
    assert letterbox.mails[0]["Subject"] == "You cover 2 lessons · Oak School"
    lines = letterbox.text().splitlines()
    assert lines[:2] == [
        "You cover Maths of 1A on October 13 at 09:55.",
        "You cover Music of 1A on October 13 at 10:50.",
    ]
    with scope(cast.school.id):
        assert set(Delivery.objects.values_list("state", "attempts")) == {(DeliveryState.DONE, 1)}
    cover(cast, cast.head)
    assert run_jobs(due_only=True)
    assert letterbox.mails[1]["Subject"] == "You need not cover a lesson · Oak School"


def test_the_line_leads_to_the_substitutes_own_day(cast: Cast, visit: Visitor) -> None:
    cover(cast, cast.colleague)
    with scope(cast.school.id):
        (row,) = Notification.objects.filter(person_id=cast.colleague.person.pk)
        assert messaging.worded(Kind.SUBSTITUTION, row.facts)[1] == (
            "You cover Maths of 1A on October 13 at 09:55."
        )
    client = visit.as_(cast.colleague)
    assert "You cover a lesson" in client.get("/notifications").content.decode()
    answer = client.post(f"/notifications/{row.pk}/reading")
    assert answer.status_code == 303
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "Maths" in page.content.decode()


def test_the_same_substitute_is_not_told_twice(cast: Cast) -> None:
    cover(cast, cast.colleague)
    cover(cast, cast.colleague)
    cover(cast, cast.colleague, note="Page 12")
    assert told(cast, cast.colleague) == [Kind.SUBSTITUTION]


def test_a_substitute_who_is_replaced_is_told_and_so_is_the_next(cast: Cast) -> None:
    cover(cast, cast.colleague)
    cover(cast, cast.head)
    assert told(cast, cast.colleague) == [Kind.SUBSTITUTION, Kind.SUBSTITUTION_ENDED]
    assert told(cast, cast.head) == [Kind.SUBSTITUTION]


@pytest.mark.parametrize("facts", [{"is_cancelled": True}, {"note": "Work alone"}])
def test_a_substitute_is_released_when_the_lesson_is_changed_otherwise(
    cast: Cast, facts: dict[str, Any]
) -> None:
    cover(cast, cast.colleague)
    change(cast, **facts)
    assert told(cast, cast.colleague) == [Kind.SUBSTITUTION, Kind.SUBSTITUTION_ENDED]


def test_a_substitute_is_released_when_the_change_is_undone_and_told_when_asked_again(cast: Cast) -> None:
    cover(cast, cast.colleague)
    with scope(cast.school.id):
        timetable.undo_change(cast.office, cast.next_lesson.pk, TODAY, now=NOW)
    cover(cast, cast.colleague)
    assert told(cast, cast.colleague) == [Kind.SUBSTITUTION, Kind.SUBSTITUTION_ENDED, Kind.SUBSTITUTION]


def test_nobody_is_told_of_a_lesson_that_is_over(cast: Cast) -> None:
    cover(cast, cast.colleague, now=AFTER_SCHOOL)
    with scope(cast.school.id):
        timetable.undo_change(cast.office, cast.next_lesson.pk, TODAY, now=AFTER_SCHOOL)
    assert told(cast, cast.colleague) == []


def test_nobody_is_told_of_another_room_or_a_cancelled_lesson_that_nobody_covered(cast: Cast) -> None:
    seen: list[CoverChanged] = []
    listen = seen.append
    events.subscribe(CoverChanged, listen)
    try:
        change(cast, note="Bring atlas")
        change(cast, is_cancelled=True)
        with scope(cast.school.id):
            timetable.undo_change(cast.office, cast.next_lesson.pk, TODAY, now=NOW)
    finally:
        events.unsubscribe(CoverChanged, listen)
    assert seen == []


def test_the_office_tells_by_covering_a_lesson_on_its_page(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.secretary)
    posted = {
        "date": TODAY.isoformat(),
        "teacher": cast.teacher.person.pk,
        f"substitute-{cast.next_lesson.pk}": cast.colleague.person.pk,
    }
    assert browser.post("/s/oak/substitutions", posted).status_code == 303
    assert told(cast, cast.colleague) == [Kind.SUBSTITUTION]
    assert browser.post(f"/s/oak/substitutions/{cast.next_lesson.pk}/{TODAY}/undo").status_code == 303
    assert told(cast, cast.colleague) == [Kind.SUBSTITUTION, Kind.SUBSTITUTION_ENDED]
