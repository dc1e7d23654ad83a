"""The iCalendar feed: created, read, revoked, and closed to everybody else."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from icalendar import Calendar

from pupitre.kernel import clock
from pupitre.kernel.errors import NotFound
from pupitre.people.models import Guardianship
from pupitre.tenancy.scoping import scope
from pupitre.timetable import actions as timetable
from pupitre.timetable.models import CalendarFeed
from tests.cast import NOW, TODAY, Cast, Member
from tests.conftest import Visitor

PAGE = "/s/oak/timetable/feed"


def address(visit: Visitor, member: Member, person: Member | None = None) -> str:
    whose = (person or member).person.pk
    answer = visit.as_(member).post(f"{PAGE}/of/{whose}")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    found = re.search(r'value="http://testserver(/s/oak/feeds/[^"]+)"', answer.content.decode())
    assert found
    return found[1]


def events(path: str) -> list[tuple[str, str, date]]:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.content)
    return [(str(e["SUMMARY"]), str(e["STATUS"]), e["DTSTART"].dt.date()) for e in calendar.walk("VEVENT")]


def test_a_teacher_subscribes_to_her_lessons(cast: Cast, visit: Visitor) -> None:
    listed = events(address(visit, cast.teacher))
    assert {summary for summary, _, _ in listed} == {"Maths 1A"}
    assert min(on for _, _, on in listed) == date(2026, 9, 1)
    assert max(on for _, _, on in listed) == date(2027, 6, 29)
    assert len(listed) == 2 * 44


def test_a_pupil_and_his_mother_have_feeds_of_their_own(cast: Cast, visit: Visitor) -> None:
    own, mothers = address(visit, cast.pupil), address(visit, cast.mother, cast.sister)
    assert own != mothers
    assert (
        {summary for summary, _, _ in events(own)}
        == {summary for summary, _, _ in events(mothers)}
        == {"Maths"}
    )


def test_substitutions_cancelled_lessons_and_holidays_are_in_it(cast: Cast, visit: Visitor) -> None:
    path = address(visit, cast.pupil)
    with scope(cast.school.id):
        timetable.change_day(cast.office, cast.lesson.pk, TODAY, now=NOW, is_cancelled=True)
        timetable.change_day(
            cast.office, cast.next_lesson.pk, TODAY, now=NOW, substitute_id=cast.colleague.person.pk
        )
        timetable.close_day(
            cast.office, starts_on=TODAY + timedelta(days=7), ends_on=TODAY + timedelta(days=7), label="Fair"
        )
    listed = events(path)
    assert ("Cancelled: Maths", "CANCELLED", TODAY) in listed
    assert b"Substitute: Cole League" in Client().get(path).content
    assert TODAY + timedelta(days=7) not in {on for _, _, on in listed}
    stood_in = events(address(visit, cast.colleague))
    assert stood_in == [("Maths 1A", "CONFIRMED", TODAY)]


def test_nothing_new_is_told_until_something_changed(cast: Cast, visit: Visitor) -> None:
    path = address(visit, cast.teacher)
    first = Client().get(path)
    assert "max-age" in first["Cache-Control"]
    again = Client().get(path, headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    with scope(cast.school.id):
        timetable.change_day(cast.office, cast.lesson.pk, TODAY, now=NOW, note="Bring atlas")
    changed = Client().get(path, headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert b"Bring atlas" in changed.content


def test_a_revoked_feed_is_gone(cast: Cast, visit: Visitor) -> None:
    path = address(visit, cast.teacher)
    events(path)
    shown = visit.as_(cast.teacher).get(PAGE).content.decode()
    assert "last read" in shown
    with scope(cast.school.id):
        feed = CalendarFeed.objects.get()
    assert visit.as_(cast.colleague).post(f"{PAGE}/{feed.pk}/revocation").status_code == 404
    assert visit.as_(cast.teacher).post(f"{PAGE}/{feed.pk}/revocation").status_code == 303
    assert Client().get(path).status_code == 404


def test_a_feed_belongs_to_its_school_and_a_guess_finds_nothing(cast: Cast, visit: Visitor) -> None:
    path = address(visit, cast.teacher)
    assert Client().get(path.replace("/s/oak/", "/s/elm/")).status_code == 404
    assert Client().get("/s/oak/feeds/guess.ics").status_code == 404
    assert Client().post(path).status_code == 405


def test_a_guardians_feed_ends_with_her_right(cast: Cast, visit: Visitor) -> None:
    path = address(visit, cast.father, cast.pupil)
    events(path)
    with scope(cast.school.id):
        Guardianship.objects.filter(guardian=cast.father.person).update(sees_record=False)
    assert Client().get(path).status_code == 404


def test_nobody_subscribes_to_anothers(cast: Cast, visit: Visitor) -> None:
    for member, other in (
        (cast.pupil, cast.sister),
        (cast.mother, cast.classmate),
        (cast.barred, cast.pupil),
    ):
        assert visit.as_(member).post(f"{PAGE}/of/{other.person.pk}").status_code == 404
    assert visit.as_(cast.stranger).get(PAGE).status_code == 404
    with scope(cast.school.id), pytest.raises(NotFound):
        timetable.create_feed(cast.head.actor, cast.pupil.person.pk, now=clock.now())


def test_the_secret_is_not_kept(cast: Cast, visit: Visitor) -> None:
    path = address(visit, cast.teacher)
    secret = path.rpartition("/")[2].removesuffix(".ics")
    with scope(cast.school.id):
        assert CalendarFeed.objects.get().secret_digest != secret
    assert secret not in visit.as_(cast.teacher).get(PAGE).content.decode()
