"""A family's page: all children of an account in all its schools, and nothing that it may not see."""

from datetime import timedelta

from pupitre.attendance.actions import absences
from pupitre.attendance.rules.absences import Reason
from pupitre.attendance.rules.status import Status
from pupitre.messaging.rules.kinds import Audience
from pupitre.people import actions as people
from pupitre.people.models import Guardianship
from pupitre.tenancy.scoping import scope
from tests.attendance.office import everybody, taken_register
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor
from tests.messaging.test_publish_notice import published
from tests.reports.arranging import child_in_elm, more_children, more_lessons, statements


def test_a_mother_sees_her_childrens_day(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast) | {cast.sister.person.pk: Status.LATE}, minutes=7)
    page = visit.as_(cast.mother).get("/family").content.decode()
    assert "Pau" in page
    assert "Sia" in page
    assert "Maths" in page
    assert "until 09:55" in page
    assert "present" in page
    assert "(7 min)" in page
    assert "Clàudia" not in page


def test_children_in_two_schools_each_by_the_clock_of_its_place(cast: Cast, visit: Visitor) -> None:
    child_in_elm(cast)
    page = visit.as_(cast.mother).get("/family").content.decode()
    assert "Oak School" in page
    assert "Elm School" in page
    assert "09:10 there" in page
    assert "04:10 there" in page
    assert "Next at 09:00:" in page
    assert "Historia" in page


def test_one_zone_needs_no_clock(cast: Cast, visit: Visitor) -> None:
    assert "there" not in visit.as_(cast.mother).get("/family").content.decode().split("<main")[1]


def test_the_barred_see_nobody(cast: Cast, visit: Visitor) -> None:
    published(cast)
    answer = visit.as_(cast.barred).get("/family")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Nothing to show here" in page
    for word in ("Pau", "Sia", "Maths", "School trip"):
        assert word not in page


def test_who_has_left_the_school_sees_nobody_any_more(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.father)
    assert "Pau" in client.get("/family").content.decode()
    with scope(cast.school.id):
        people.end_person(cast.office, cast.father.person.pk, on=TODAY, now=NOW)
    for address in ("/family", "/account"):
        page = client.get(address).content.decode()
        assert "Pau" not in page, address
        assert "Sia" not in page, address
    assert client.get(f"/s/oak/record/{cast.pupil.person.pk}").status_code == 404


def test_a_father_without_the_right_to_announce_sees_and_cannot(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        Guardianship.objects.filter(guardian=cast.father.person).update(may_announce=False)
    client = visit.as_(cast.father)
    page = client.get("/family").content.decode()
    assert "Pau" in page
    assert "Announce an absence" not in page
    assert "You cannot announce absences here" in client.get("/s/oak/family/absences/new").content.decode()


def test_notices_wait_there_until_they_are_read(cast: Cast, visit: Visitor) -> None:
    notice = published(cast, needs_confirmation=True)
    client = visit.as_(cast.mother)
    assert "please confirm" in client.get("/family").content.decode()
    client.get(f"/s/oak/notices/{notice.pk}")
    assert "School trip" in client.get("/family").content.decode()
    client.post(f"/s/oak/notices/{notice.pk}/confirmation")
    assert "School trip" not in client.get("/family").content.decode()


def test_what_the_office_adds_to_its_consent_reaches_the_family(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    with scope(cast.school.id):
        told = absences.announce_absence(
            cast.mother.actor,
            pupil_id=cast.pupil.person.pk,
            starts_at=NOW - timedelta(hours=1),
            ends_at=NOW + timedelta(hours=3),
            kind=Reason.ILLNESS,
            now=NOW,
        )
        absences.decide_absence(
            cast.secretary.actor, notice_id=told.pk, accepted=True, note="Get well soon", now=NOW
        )
    assert "The school says: Get well soon" in client.get("/family").content.decode()


def test_an_absence_shows_what_became_of_it(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    with scope(cast.school.id):
        day = TODAY - timedelta(days=7)
        register = taken_register(
            cast, everybody(cast) | {cast.pupil.person.pk: Status.ABSENT}, on=day, now=NOW - timedelta(days=7)
        )
    assert "no reason known" in client.get("/family").content.decode()
    with scope(cast.school.id):
        told = absences.announce_absence(
            cast.mother.actor,
            pupil_id=cast.pupil.person.pk,
            starts_at=register.starts_at,
            ends_at=register.ends_at,
            kind=Reason.ILLNESS,
            now=NOW,
        )
    assert "waiting for the school" in client.get("/family").content.decode()
    with scope(cast.school.id):
        absences.decide_absence(
            cast.secretary.actor, notice_id=told.pk, accepted=False, note="No doctor's note", now=NOW
        )
    page = client.get("/family").content.decode()
    assert "not accepted" in page
    assert "No doctor&#39;s note" in page
    with scope(cast.school.id):
        again = absences.announce_absence(
            cast.mother.actor,
            pupil_id=cast.pupil.person.pk,
            starts_at=register.starts_at,
            ends_at=register.ends_at,
            kind=Reason.MEDICAL,
            now=NOW,
        )
        absences.decide_absence(cast.secretary.actor, notice_id=again.pk, accepted=True, now=NOW)
    page = client.get("/family").content.decode()
    assert "justified" in page
    assert "not accepted" not in page


def test_who_is_no_guardian_is_told_so(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.teacher).get("/family").content.decode()
    assert "This page is for those who look after a pupil." in page
    assert "Pau" not in page


def test_four_children_and_thirty_lessons_cost_what_one_costs(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    one = statements(lambda: client.get("/family"))
    more_children(cast, 3)
    more_lessons(cast, 30)
    published(cast, audience=Audience.EVERYBODY)
    with scope(cast.school.id):
        taken_register(cast, everybody(cast) | {cast.pupil.person.pk: Status.ABSENT})
    page = client.get("/family").content.decode()
    assert "More2" in page
    assert "Extra 29" in page
    assert statements(lambda: client.get("/family")) == one


def test_a_second_school_costs_one_more(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    one = statements(lambda: client.get("/family"))
    child_in_elm(cast)
    assert statements(lambda: client.get("/family")) == one + 1


def test_the_record_is_for_those_entitled(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        taken_register(cast, everybody(cast) | {cast.pupil.person.pk: Status.ABSENT})
    path = f"/s/oak/record/{cast.pupil.person.pk}"
    for member in (cast.mother, cast.father, cast.pupil):
        page = visit.as_(member).get(path)
        assert page.status_code == 200
        assert "Maths" in page.content.decode()
    for member in (cast.barred, cast.sister, cast.classmate, cast.stranger):
        assert visit.as_(member).get(path).status_code == 404
    assert visit.as_(cast.teacher).get(path).status_code == 403


def test_the_record_costs_the_same_for_thirty_absences(cast: Cast, visit: Visitor) -> None:
    client, path = visit.as_(cast.mother), f"/s/oak/record/{cast.pupil.person.pk}"
    absent = everybody(cast) | {cast.pupil.person.pk: Status.ABSENT}
    with scope(cast.school.id):
        taken_register(cast, absent)
    one = statements(lambda: client.get(path))
    with scope(cast.school.id):
        for week in range(1, 6):
            for lesson in (cast.lesson, cast.next_lesson):
                taken_register(cast, absent, lesson=lesson, on=TODAY - timedelta(days=7 * week))
    assert statements(lambda: client.get(path)) == one


def test_the_record_ends_with_today(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.mother).get(f"/s/oak/record/{cast.pupil.person.pk}").content.decode()
    assert "Oct. 13, 2026" in page
    assert "Oct. 14, 2026" not in page
