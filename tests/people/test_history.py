"""Who changed and who looked: the person concerned reads it, in words, and nobody reads what is not hers."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pupitre.people import actions as people
from pupitre.people.models import Account
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, TODAY, Cast
from tests.conftest import Visitor


def changed(cast: Cast) -> None:
    actor = cast.secretary.actor
    with scope(cast.school.id, account=actor.account_id):
        people.change_person(actor, cast.pupil.person.pk, phone="600 111 222", grade="08")
        people.change_guardianship(
            actor, cast.pupil.person.pk, cast.barred.person.pk, court_note="Order 99/2026", may_collect=True
        )
        people.open_file(cast.teacher.actor, cast.pupil.person.pk, today=TODAY, now=NOW)


def address(cast: Cast) -> str:
    return f"/s/oak/people/{cast.pupil.person.pk}/history"


@pytest.mark.parametrize("member", ["pupil", "mother", "father", "head", "secretary"])
def test_the_pupil_her_guardians_and_the_office_read_it(cast: Cast, visit: Visitor, member: str) -> None:
    changed(cast)
    page = visit.as_(getattr(cast, member)).get(address(cast)).content.decode()
    assert "Sira Secretary" in page
    assert "Telephone: <ins>600 111 222</ins>" in page
    assert "Grade: <del>1º ESO</del> <ins>2º ESO</ins>" in page
    assert "Tess Teacher" in page
    assert "Opened the file" in page


@pytest.mark.parametrize("member", ["pupil", "head", "secretary"])
def test_the_pupil_and_the_office_read_who_looks_after_her(cast: Cast, visit: Visitor, member: str) -> None:
    changed(cast)
    page = visit.as_(getattr(cast, member)).get(address(cast)).content.decode()
    assert "May collect the pupil: <del>no</del> <ins>yes</ins>" in page
    assert "Who looks after the pupil: changed (Bard Outsider)" in page
    assert "Protected note" in page


@pytest.mark.parametrize("member", ["mother", "father"])
def test_a_guardian_reads_nothing_of_what_is_protected(cast: Cast, visit: Visitor, member: str) -> None:
    browser, actor = visit.as_(getattr(cast, member)), cast.secretary.actor
    before = browser.get(address(cast)).content.decode()
    changed(cast)
    page = browser.get(address(cast)).content.decode()
    for words in ("Protected note", "99/2026", "12/2026", "May collect the pupil: <del>"):
        assert words not in page
    assert "Who looks after the pupil: changed" not in page
    assert page.count("Bard Outsider") == before.count("Bard Outsider")
    with scope(cast.school.id, account=actor.account_id):
        people.change_guardianship(
            actor, cast.pupil.person.pk, cast.mother.person.pk, court_note="Care order", may_announce=False
        )
    told = browser.get(address(cast)).content.decode()
    assert "Protected note" not in told
    assert ("May announce absences: <del>yes</del> <ins>no</ins>" in told) is (member == "mother")
    assert ("Who looks after the pupil: changed (Mara Pupil)" in told) is (member == "mother")


def test_a_relation_that_changed_is_told_to_every_guardian(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id, account=cast.secretary.account.pk):
        people.change_guardianship(
            cast.secretary.actor, cast.pupil.person.pk, cast.barred.person.pk, relation=5, sees_record=True
        )
    page = visit.as_(cast.mother).get(address(cast)).content.decode()
    assert "Who looks after the pupil: changed (Bard Outsider)" in page
    assert "Sees the record: <del>" not in page


@pytest.mark.parametrize("member", ["pupil", "mother", "head"])
def test_a_courts_words_are_in_nobodys_history(cast: Cast, visit: Visitor, member: str) -> None:
    changed(cast)
    page = visit.as_(getattr(cast, member)).get(address(cast)).content.decode()
    assert "12/2026" not in page
    assert "99/2026" not in page


@pytest.mark.parametrize("member", ["barred", "classmate", "sister", "teacher", "stranger"])
def test_nobody_else_does(cast: Cast, visit: Visitor, member: str) -> None:
    assert visit.as_(getattr(cast, member)).get(address(cast)).status_code == 404


def test_the_history_itself_cannot_be_written(cast: Cast, visit: Visitor) -> None:
    assert visit.as_(cast.head).post(address(cast)).status_code == 405


def test_the_account_leads_to_ones_own_history_and_that_of_ones_pupils(cast: Cast, visit: Visitor) -> None:
    page = visit.as_(cast.mother).get("/account").content.decode()
    for person in (cast.mother.person, cast.pupil.person, cast.sister.person):
        assert f"/s/oak/people/{person.pk}/history" in page
    barred = visit.as_(cast.barred).get("/account").content.decode()
    assert f"/s/oak/people/{cast.pupil.person.pk}/history" not in barred


def test_the_history_costs_the_same_with_many_changes(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.mother)

    def statements() -> int:
        browser.get(address(cast))
        with CaptureQueriesContext(connection) as captured:
            browser.get(address(cast))
        return len(captured)

    changed(cast)
    one = statements()
    with scope(cast.school.id, account=cast.secretary.account.pk):
        for number in range(30):
            people.change_person(cast.secretary.actor, cast.pupil.person.pk, phone=str(number))
            people.open_file(cast.teacher.actor, cast.pupil.person.pk, today=TODAY, now=NOW)
    assert statements() == one


def test_one_chooses_the_language_of_ones_letters(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.mother)
    browser.post("/account/language", {"locale": "ca"})
    assert Account.objects.get(pk=cast.mother.account.pk).locale == "ca"
    browser.post("/account/language", {"locale": "xx"})
    assert Account.objects.get(pk=cast.mother.account.pk).locale == "ca"
