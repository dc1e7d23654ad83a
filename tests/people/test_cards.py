"""Class cards: printed by teachers, used by small children, worthless to thieves."""

import re
from datetime import timedelta

import pypdfium2
import pytest
from django.test import Client

from pupitre.courses import actions as courses
from pupitre.kernel import clock
from pupitre.kernel.errors import Denied
from pupitre.people import actions as people
from pupitre.people.actions.cards import Card
from pupitre.people.models import Account, ClassCard, Person
from pupitre.people.rules import Role, system_actor
from pupitre.people.rules.cards import PICTURES, CardLocked, NoCardFor, judge_attempt
from pupitre.tenancy.scoping import scope
from tests.cast import NOW, Cast
from tests.conftest import Visitor
from tests.people.arrange import newcomer


@pytest.fixture
def child(cast: Cast) -> Person:
    ona = newcomer(cast, "Ona", "Nova", Role.PUPIL, grade="01")
    with scope(cast.school.id):
        courses.enrol(cast.office, cast.klass, ona)
    return ona


def card_for(cast: Cast, child: Person) -> Card:
    with scope(cast.school.id):
        (card,) = people.issue_cards(cast.teacher.actor, [child.pk], now=clock.now())
        return card


def show(browser: Client, card: Card, pictures: list[str]) -> int:
    return browser.post(f"/s/oak/card/{card.token}", {"picked": " ".join(pictures)}).status_code


def wrong(card: Card) -> list[str]:
    return list(reversed(card.pictures))


def test_a_child_signs_in_with_three_presses(cast: Cast, child: Person) -> None:
    card, browser = card_for(cast, child), Client()
    address = f"/s/oak/card/{card.token}"
    page = browser.get(address).content.decode()
    assert "Hello, Ona" in page
    picked = ""
    for picture in card.pictures:
        picked = f"{picked} {picture}".strip()
        assert f'value="{picked}"' in page
        answer = browser.post(address, {"picked": picked})
        page = answer.content.decode()
    assert answer.status_code == 302
    assert browser.get("/account").status_code == 200
    account = Account.objects.get(display_name="Ona Nova")
    assert account.username == "ona.nova"
    assert account.activated_at == NOW
    assert not account.has_usable_password()


def test_wrong_pictures_and_the_wrong_order_do_not_sign_in(cast: Cast, child: Person) -> None:
    card, browser = card_for(cast, child), Client()
    assert show(browser, card, wrong(card)) == 422
    assert show(browser, card, [card.pictures[0]] * 3) == 422
    assert browser.get("/account").status_code == 302


def test_five_failures_lock_the_card_for_ten_minutes(cast: Cast, child: Person) -> None:
    card, browser = card_for(cast, child), Client()
    for _ in range(5):
        assert show(browser, card, wrong(card)) == 422
    assert show(Client(REMOTE_ADDR="203.0.113.5"), card, card.pictures) == 429
    with clock.frozen(NOW + timedelta(minutes=9)):
        assert show(browser, card, card.pictures) == 429
    with clock.frozen(NOW + timedelta(minutes=11)):
        assert show(browser, card, card.pictures) == 302


def test_twenty_failures_end_the_card(cast: Cast, child: Person) -> None:
    card, browser = card_for(cast, child), Client()
    for number in range(20):
        with clock.frozen(NOW + timedelta(hours=number)):
            assert show(browser, card, wrong(card)) == 422
    with clock.frozen(NOW + timedelta(hours=30)):
        assert show(browser, card, card.pictures) == 404


def test_a_new_card_ends_the_old_one(cast: Cast, child: Person) -> None:
    lost, found = card_for(cast, child), card_for(cast, child)
    assert show(Client(), lost, lost.pictures) == 404
    assert show(Client(), found, found.pictures) == 302


def test_a_card_of_one_school_is_nothing_in_another(cast: Cast, child: Person) -> None:
    card = card_for(cast, child)
    assert Client().get(f"/s/elm/card/{card.token}").status_code == 404


def test_a_revoked_card_and_that_of_a_child_who_left_do_not_work(
    cast: Cast, child: Person, visit: Visitor
) -> None:
    card = card_for(cast, child)
    assert visit.as_(cast.teacher).post(f"/s/oak/cards/{child.pk}/revocation").status_code == 303
    assert Client().get(f"/s/oak/card/{card.token}").status_code == 404
    card = card_for(cast, child)
    with scope(cast.school.id):
        people.end_person(cast.office, child.pk, on=NOW.date(), now=NOW)
    assert show(Client(), card, card.pictures) == 404


def test_a_revoked_card_ends_what_was_signed_in_with_it(cast: Cast, child: Person, visit: Visitor) -> None:
    thief, card = Client(), card_for(cast, child)
    assert show(thief, card, card.pictures) == 302
    assert thief.get("/account").status_code == 200
    visit.as_(cast.teacher).post(f"/s/oak/cards/{child.pk}/revocation")
    assert thief.get("/account").status_code == 302


def test_a_new_card_ends_what_was_signed_in_with_the_lost_one(cast: Cast, child: Person) -> None:
    thief, lost = Client(), card_for(cast, child)
    assert show(thief, lost, lost.pictures) == 302
    card = card_for(cast, child)
    assert thief.get("/account").status_code == 302
    assert show(Client(), card, card.pictures) == 302


def test_a_card_does_not_open_what_its_pupil_became_later(cast: Cast, child: Person) -> None:
    card = card_for(cast, child)
    with scope(cast.school.id):
        people.grant_role(cast.office, child, Role.SECRETARY)
    assert show(Client(), card, card.pictures) == 422


def test_a_card_does_not_open_what_its_pupil_is_elsewhere(cast: Cast, child: Person) -> None:
    card = card_for(cast, child)
    with scope(cast.school.id):
        account = Person.objects.select_related("account").get(pk=child.pk).account
    assert account is not None
    with scope(cast.other_school.id):
        office = system_actor(cast.other_school)
        adult = people.add_person(office, given_name="Ona", family_name="Nova", role=Role.HEAD, now=NOW)
        people.link_account(office, adult, account)
    assert show(Client(), card, card.pictures) == 422


def test_who_has_a_password_gets_no_card(cast: Cast) -> None:
    with scope(cast.school.id), pytest.raises(NoCardFor):
        people.issue_cards(cast.teacher.actor, [cast.pupil.person.pk], now=NOW)


def test_a_teacher_cannot_print_herself_into_the_heads_account(cast: Cast) -> None:
    boss = newcomer(cast, "Bo", "Ss", Role.HEAD)
    with scope(cast.school.id), pytest.raises(NoCardFor):
        people.issue_cards(cast.teacher.actor, [boss.pk], now=NOW)


def test_a_pupil_who_also_is_staff_gets_no_card(cast: Cast, child: Person) -> None:
    with scope(cast.school.id):
        people.grant_role(cast.office, child, Role.AIDE)
        with pytest.raises(NoCardFor):
            people.issue_cards(cast.teacher.actor, [child.pk], now=NOW)


@pytest.mark.parametrize("role", ["pupil", "mother"])
def test_families_and_pupils_print_no_cards(cast: Cast, child: Person, visit: Visitor, role: str) -> None:
    browser = visit.as_(getattr(cast, role))
    assert browser.get("/s/oak/cards").status_code == 403
    assert browser.post("/s/oak/cards/sheet", {"person": child.pk}).status_code == 403
    with scope(cast.school.id), pytest.raises(Denied):
        people.issue_cards(getattr(cast, role).actor, [child.pk], now=NOW)


def test_a_stranger_finds_no_cards(cast: Cast, child: Person, visit: Visitor) -> None:
    assert visit.as_(cast.stranger).post("/s/oak/cards/sheet", {"person": child.pk}).status_code == 404


def test_signing_in_with_a_card_ends_who_was_signed_in_before(
    cast: Cast, child: Person, visit: Visitor
) -> None:
    card, tablet = card_for(cast, child), visit.as_(cast.teacher)
    before = tablet.session.session_key
    show(tablet, card, card.pictures)
    assert tablet.session.session_key != before
    assert "ona.nova" in tablet.get("/account").content.decode()


def test_the_sheet_is_printed_eight_a_page_with_the_pictures_apart(cast: Cast, visit: Visitor) -> None:
    children = [newcomer(cast, f"Kind{n}", "Nova", Role.PUPIL, grade="01") for n in range(9)]
    with scope(cast.school.id):
        for one in children:
            courses.enrol(cast.office, cast.klass, one)
    browser = visit.as_(cast.teacher)
    assert "Kind8" in browser.get("/s/oak/cards?grade=01").content.decode()
    answer = browser.post("/s/oak/cards/sheet", {"person": [child.pk for child in children]})
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    document = pypdfium2.PdfDocument(answer.content)
    texts = [page.get_textpage().get_text_bounded() for page in document]
    assert len(texts) == 3
    assert "Kind7" in texts[0]
    assert "Kind8" in texts[1]
    cards, sheet = "".join(texts[:2]), texts[2]
    assert not any(re.search(rf"\b{word}\b", cards) for word in PICTURES)
    assert sum(len(re.findall(rf"\b(?:{word}|bicycle)\b", sheet)) > 0 for word in PICTURES) >= 3
    assert b"pdfuaid" in answer.content


def test_the_database_keeps_neither_token_nor_pictures(cast: Cast, child: Person) -> None:
    card = card_for(cast, child)
    with scope(cast.school.id):
        kept = str(vars(ClassCard.objects.get(person=child)))
    assert card.token not in kept
    assert card.pictures[0] not in kept


def test_what_becomes_of_a_card_after_an_attempt() -> None:
    fourth = judge_attempt(is_right=False, failures=3, now=NOW)
    assert (fourth.failures, fourth.locked_until, fourth.is_revoked) == (4, None, False)
    fifth = judge_attempt(is_right=False, failures=4, now=NOW)
    assert (fifth.failures, fifth.locked_until) == (5, NOW + timedelta(minutes=10))
    assert judge_attempt(is_right=False, failures=19, now=NOW).is_revoked
    assert judge_attempt(is_right=True, failures=4, now=NOW).failures == 0


def test_a_locked_card_counts_nothing_further(cast: Cast, child: Person) -> None:
    card = card_for(cast, child)
    with scope(cast.school.id):
        for _ in range(5):
            assert people.try_pictures(card.token, wrong(card), now=NOW) is None
        with pytest.raises(CardLocked):
            people.try_pictures(card.token, wrong(card), now=NOW)
        assert ClassCard.objects.get(person=child).failures == 5
