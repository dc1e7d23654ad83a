"""The page behind the bell: over all schools of an account, and nobody else's."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.kernel.errors import NotFound
from pupitre.messaging import queries
from pupitre.messaging.actions import notifications
from pupitre.messaging.models import Notification
from pupitre.messaging.rules.kinds import WORDINGS, Kind, Show, moment
from pupitre.people import actions as people
from pupitre.people.rules import Actor, Role, system_actor
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor

FACTS = {"pupil": "Pau", "school": "Oak", "title": "Trip", "subject": "Maths", "class": "1A", "note": "why", "webhook": "Library",
         "device": "Tablet 14", "application": "Atlas", "version": "2.1", "failed": 3, "reports": 20,
         "time": moment(NOW, "Europe/Madrid", Show.TIME), "date": moment(NOW, "Europe/Madrid", Show.DATE),
         "from": moment(NOW, "Europe/Madrid", Show.DATE), "until": moment(NOW, "Europe/Madrid", Show.DATE)}  # fmt: skip


def tell_mother(cast: Cast, title: str = "Trip") -> Notification:
    with scope(cast.school.id):
        told = notifications.tell(
            cast.school.id,
            [cast.mother.person.pk],
            Kind.NOTICE,
            {**FACTS, "title": title},
            "/s/oak/notices",
            now=NOW,
        )
    return told[0]


def mother_in_elm(cast: Cast) -> None:
    """The mother has a child in the other school, too, and was told something there."""
    with scope(cast.other_school.id):
        office = system_actor(cast.other_school)
        again = people.register_person(
            office, sourced_id="mara", given_name="Mara", family_name="Pupil", now=NOW
        )
        people.grant_role(office, again, Role.GUARDIAN)
        people.link_account(office, again, cast.mother.account)
        notifications.tell(
            cast.other_school.id, [again.pk], Kind.NOTICE, {"school": "Elm", "title": "Elm's"}, "", now=NOW
        )


def test_the_bell_rings_for_all_schools_and_on_every_page(cast: Cast, visit: Visitor) -> None:
    tell_mother(cast)
    mother_in_elm(cast)
    page = visit.as_(cast.mother).get("/notifications").content.decode()
    assert "Oak School" in page
    assert "Elm School" in page
    assert "2 new notifications" in page
    assert "2 new notifications" in visit.as_(cast.mother).get("/s/oak/notices").content.decode()


def test_all_are_read_in_every_school(cast: Cast, visit: Visitor) -> None:
    tell_mother(cast)
    mother_in_elm(cast)
    assert visit.as_(cast.mother).post("/notifications/reading").status_code == 303
    for school in (cast.school, cast.other_school):
        with scope(school.id):
            assert not Notification.objects.filter(read_at__isnull=True).exists()


def test_opening_a_line_reads_it_and_leads_on(cast: Cast, visit: Visitor) -> None:
    line = tell_mother(cast)
    answer = visit.as_(cast.mother).post(f"/notifications/{line.pk}/reading")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/s/oak/notices")
    with scope(cast.school.id):
        assert Notification.objects.get(pk=line.pk).read_at == NOW


def test_anothers_line_is_not_there(cast: Cast, visit: Visitor) -> None:
    line = tell_mother(cast)
    for member in (cast.father, cast.head, cast.stranger):
        assert visit.as_(member).post(f"/notifications/{line.pk}/reading").status_code == 404
        assert "Trip" not in visit.as_(member).get("/notifications").content.decode()
    with scope(account=cast.father.account.pk), pytest.raises(NotFound):
        notifications.mark_read(Actor(cast.father.account.pk), notification_id=line.pk, now=NOW)


def test_only_new_ones_where_that_is_asked(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)
    old = tell_mother(cast, "The old one")
    client.post(f"/notifications/{old.pk}/reading")
    tell_mother(cast, "The new one")
    page = client.get("/notifications?show=new").content.decode()
    assert "The new one" in page
    assert "The old one" not in page


def test_the_anonymous_are_sent_to_sign_in(cast: Cast, visit: Visitor) -> None:
    for path in ("/notifications", "/family"):
        answer = visit.anonymous().get(path)
        assert answer.status_code == 302
        assert "/account/login" in answer.headers["Location"]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", ["es", "ca", "fr", "de", "en", "pt"])
def test_every_kind_has_its_sentence_in_every_language(kind: Kind, language: str) -> None:
    from django.utils import translation

    with translation.override(language):
        title, sentence = queries.worded(kind, FACTS)
        assert title
        assert sentence
        assert "%" not in title + sentence
    with translation.override("de"):
        day = queries.worded(Kind.ABSENCE_ACCEPTED, FACTS)[1]
    assert "13. Oktober" in day
    assert kind in WORDINGS


@pytest.mark.parametrize("kind", [Kind.ABSENCE_ANNOUNCED, Kind.ABSENCE_ACCEPTED, Kind.ABSENCE_REFUSED])
@pytest.mark.parametrize("language", ["es", "ca", "fr", "de", "en", "pt"])
def test_an_absence_of_one_day_names_its_day_once(kind: Kind, language: str) -> None:
    from django.utils import translation

    with translation.override(language):
        assert queries.worded(kind, FACTS | {"until": FACTS["from"]})[1].count("13") == 1


def test_thirty_lines_cost_as_much_as_one(cast: Cast, visit: Visitor) -> None:
    client = visit.as_(cast.mother)

    def cost() -> int:
        client.get("/notifications")
        with CaptureQueriesContext(connection) as made:
            client.get("/notifications")
        return len(made)

    tell_mother(cast)
    one = cost()
    for _ in range(29):
        tell_mother(cast)
    assert cost() == one
